{{/*
The name of all objects: the release's, with the chart's behind it unless that says so already. A DNS label that begins
with a letter, as names of Services have to, and 47 characters at most: pods have up to 16 more in their names, which are
their hosts' names, too.
*/}}
{{- define "weir.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := printf "%s-%s" .Release.Name $name -}}
{{- if .Values.fullnameOverride -}}
{{- $full = .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- $full = .Release.Name -}}
{{- end -}}
{{- $full = $full | lower | replace "." "-" | replace "_" "-" | trimAll "-" -}}
{{- if not (regexMatch "^[a-z]" $full) -}}
{{- $full = printf "weir-%s" $full -}}
{{- end -}}
{{- $full | trunc 47 | trimSuffix "-" -}}
{{- end -}}

{{/* What selects the pods: never changes in the life of a release. */}}
{{- define "weir.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "weir.labels" -}}
{{ include "weir.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- define "weir.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "weir.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "weir.configMapName" -}}
{{- default (printf "%s-config" (include "weir.fullname" .)) .Values.existingConfigMap -}}
{{- end -}}

{{- define "weir.credentialsName" -}}
{{- default (printf "%s-admin" (include "weir.fullname" .)) .Values.credentials.existingSecret -}}
{{- end -}}

{{/* "true" where the chart gives the server credentials, else nothing. */}}
{{- define "weir.givesCredentials" -}}
{{- if or .Values.credentials.create .Values.credentials.existingSecret }}true{{ end -}}
{{- end -}}

{{- define "weir.stateName" -}}
{{- default (printf "%s-state" (include "weir.fullname" .)) .Values.secretsStorage.name -}}
{{- end -}}

{{/* An image by digest has it in its repository's name, or as image.digest. */}}
{{- define "weir.image" -}}
{{- $image := .Values.image -}}
{{- if contains "@" $image.repository -}}
{{- $image.repository -}}
{{- else if $image.digest -}}
{{- $image.repository }}{{ with $image.tag }}:{{ . }}{{ end }}@{{ $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The ports that anyone may connect to, as a list in JSON: those of the Service and of the NetworkPolicy. */}}
{{- define "weir.openPorts" -}}
{{- $open := list (dict "name" "http" "port" .Values.ports.http) (dict "name" "rtmp" "port" .Values.ports.rtmp) -}}
{{- range .Values.ports.extra -}}
{{- if dig "expose" true . -}}
{{- $open = append $open . -}}
{{- end -}}
{{- end -}}
{{- toJson $open -}}
{{- end -}}

{{/* "true" where the port of the API is not among them. */}}
{{- define "weir.apiIsHidden" -}}
{{- $api := .Values.ports.api -}}
{{- $hidden := true -}}
{{- range include "weir.openPorts" . | fromJsonArray -}}
{{- if eq .name $api -}}{{- $hidden = false -}}{{- end -}}
{{- end -}}
{{- if $hidden -}}true{{- end -}}
{{- end -}}
