{{/* The name of all objects: the release's, with the chart's behind it unless that says so already. */}}
{{- define "weir.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods: never changes in the life of a release. */}}
{{- define "weir.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "weir.labels" -}}
{{ include "weir.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
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
