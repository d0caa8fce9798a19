{{/*
What the schema cannot see: values that do not go together. Each would be refused by the API server, or give pods that do
not do what the values say.
*/}}
{{- define "weir.check" -}}
{{- include "weir.checkPorts" . -}}
{{- include "weir.checkService" . -}}
{{- include "weir.checkEnvironment" . -}}
{{- include "weir.checkPods" . -}}
{{- include "weir.checkRecordings" . -}}
{{- end -}}

{{- define "weir.checkPorts" -}}
{{- $names := list "http" "rtmp" -}}
{{- $numbers := list (printf "%v/TCP" .Values.ports.http) -}}
{{- if eq (int .Values.ports.http) (int .Values.ports.rtmp) -}}
{{- fail (printf "ports.http and ports.rtmp are both %v: a port is opened once" .Values.ports.http) -}}
{{- end -}}
{{- $numbers = append $numbers (printf "%v/TCP" .Values.ports.rtmp) -}}
{{- range .Values.ports.extra -}}
{{- if has .name $names -}}
{{- fail (printf "two ports are called %q: give that of ports.extra another name" .name) -}}
{{- end -}}
{{- $number := printf "%v/%s" .port (default "TCP" .protocol) -}}
{{- if has $number $numbers -}}
{{- fail (printf "port %s of ports.extra is opened already" $number) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- $numbers = append $numbers $number -}}
{{- end -}}
{{- if not (has .Values.ports.api $names) -}}
{{- fail (printf "ports.api is %q: it names the port that has the API, one of %s" .Values.ports.api (join ", " $names)) -}}
{{- end -}}
{{- if and .Values.hostPorts.http (eq (int .Values.hostPorts.http) (int .Values.hostPorts.rtmp)) -}}
{{- fail "hostPorts.http and hostPorts.rtmp are the same port" -}}
{{- end -}}
{{- if not .Values.existingConfigMap -}}
{{- $text := include "weir.configText" . -}}
{{- $ports := .Values.ports -}}
{{- $variables := list -}}
{{- range .Values.env -}}{{- $variables = append $variables .name -}}{{- end -}}
{{- range list "http" "rtmp" -}}
{{- $isVariable := and (eq . "http") (or (has "FLUSSONIC_HTTP" $variables) (has "STREAMER_HTTP" $variables)) -}}
{{- $port := index $ports . -}}
{{- $any := regexMatch (printf "(^|[\\s;}])%s\\s" .) $text -}}
{{- $this := regexMatch (printf "(^|[\\s;}])%s\\s+(\\S*:)?%v\\s*[;{]" . $port) $text -}}
{{- if and $any (not $this) (not $isVariable) -}}
{{- fail (printf "config opens no %s port %v: set ports.%s to the port that config opens, or leave ports out of config" . $port .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "weir.checkService" -}}
{{- $service := .Values.service -}}
{{- if and $service.enabled (eq $service.type "ClusterIP") -}}
{{- if or $service.httpNodePort $service.rtmpNodePort -}}
{{- fail "service.httpNodePort and service.rtmpNodePort need service.type NodePort or LoadBalancer" -}}
{{- end -}}
{{- if $service.externalTrafficPolicy -}}
{{- fail "service.externalTrafficPolicy needs service.type NodePort or LoadBalancer" -}}
{{- end -}}
{{- end -}}
{{- if and $service.httpNodePort (eq (int $service.httpNodePort) (int $service.rtmpNodePort)) -}}
{{- fail "service.httpNodePort and service.rtmpNodePort are the same port" -}}
{{- end -}}
{{- $numbers := list (printf "%v/TCP" $service.httpPort) -}}
{{- if eq (int $service.httpPort) (int $service.rtmpPort) -}}
{{- fail (printf "service.httpPort and service.rtmpPort are both %v" $service.httpPort) -}}
{{- end -}}
{{- $numbers = append $numbers (printf "%v/TCP" $service.rtmpPort) -}}
{{- range .Values.ports.extra -}}
{{- $number := printf "%v/%s" .port (default "TCP" .protocol) -}}
{{- if and (dig "expose" true .) (has $number $numbers) -}}
{{- fail (printf "the Service has two ports %s: change service.httpPort or service.rtmpPort, or say expose: false at %q of ports.extra" $number .name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.networkPolicy.enabled (include "weir.apiIsHidden" .) (not .Values.networkPolicy.apiFrom) -}}
{{- fail (printf "the NetworkPolicy shuts port %q, which serviceMonitor scrapes: name Prometheus' namespace in networkPolicy.apiFrom" .Values.ports.api) -}}
{{- end -}}
{{- end -}}

{{- define "weir.checkEnvironment" -}}
{{- $names := list -}}
{{- range .Values.env -}}
{{- if has .name $names -}}
{{- fail (printf "env has %s twice" .name) -}}
{{- end -}}
{{- if regexMatch "^(FLUSSONIC|STREAMER)_EDIT_AUTH(_FILE)?$" .name -}}
{{- fail (printf "env has %s: put it into a Secret, and name that in credentials.existingSecret" .name) -}}
{{- end -}}
{{- if and (regexMatch "^(FLUSSONIC|STREAMER)_SECRETS_STORAGE$" .name) $.Values.secretsStorage.enabled -}}
{{- fail (printf "env has %s: set secretsStorage.name in its place, or secretsStorage.enabled=false" .name) -}}
{{- end -}}
{{- if has .name (list "POD_NAME" "POD_UID") -}}
{{- fail (printf "env has %s, which the chart sets" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- if and .Values.credentials.password (or .Values.credentials.existingSecret (not .Values.credentials.create)) -}}
{{- fail "credentials.password is for the Secret that the chart makes: it goes with credentials.create, and not with credentials.existingSecret" -}}
{{- end -}}
{{- if and .Values.rbac.create (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "rbac.create would give its Role to the namespace's default account, which other pods have, too: name one in serviceAccount.name, or set rbac.create=false" -}}
{{- end -}}
{{- end -}}

{{- define "weir.checkPods" -}}
{{- $labels := include "weir.selectorLabels" . | fromYaml -}}
{{- range $key, $value := .Values.podLabels -}}
{{- if hasKey $labels $key -}}
{{- fail (printf "podLabels has %s, by which the chart finds its pods: leave it out" $key) -}}
{{- end -}}
{{- end -}}
{{- $least := add (include "weir.drainSeconds" . | int) 5 -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $least) -}}
{{- fail (printf "terminationGracePeriodSeconds is %v: the server drains for %s s and needs 5 s more, so make it %v, or set drain_timeout in config" .Values.terminationGracePeriodSeconds (include "weir.drainSeconds" .) $least) -}}
{{- end -}}
{{- $scaling := .Values.autoscaling -}}
{{- if $scaling.enabled -}}
{{- if eq .Values.kind "DaemonSet" -}}
{{- fail "a DaemonSet has one pod on each node: autoscaling.enabled is for a Deployment or a StatefulSet" -}}
{{- end -}}
{{- if not (or $scaling.cpu $scaling.metrics) -}}
{{- fail "autoscaling needs autoscaling.cpu or autoscaling.metrics to scale by" -}}
{{- end -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "autoscaling.minReplicas is %v, and maxReplicas %v: it may not be more" $scaling.minReplicas $scaling.maxReplicas) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A server whose root file system is read-only records to volumes or not at all. */}}
{{- define "weir.checkRecordings" -}}
{{- if and (not .Values.existingConfigMap) (dig "readOnlyRootFilesystem" false (default (dict) .Values.securityContext)) -}}
{{- $mounts := list -}}
{{- if and (eq .Values.kind "StatefulSet") .Values.persistence.enabled -}}
{{- $mounts = append $mounts .Values.persistence.mountPath -}}
{{- end -}}
{{- range .Values.volumeMounts -}}{{- $mounts = append $mounts .mountPath -}}{{- end -}}
{{- range regexFindAll "(?:^|[\\s;{}])(?:dvr|root)\\s+\"?/[^\\s;\"{}]*" (include "weir.configText" .) -1 -}}
{{- $path := regexFind "/[^\\s;\"{}]*" . -}}
{{- $isMounted := false -}}
{{- range $mounts -}}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .)) (printf "%s/" $path) -}}{{- $isMounted = true -}}{{- end -}}
{{- end -}}
{{- if not $isMounted -}}
{{- fail (printf "config records to %s, where the pod has no volume: set kind=StatefulSet, whose persistence.mountPath is %s, or mount one by volumes and volumeMounts" $path $.Values.persistence.mountPath) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
