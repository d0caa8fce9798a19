{{/*
The config parts, as a map in JSON. Where none of them opens a port, one more is made from `ports`, so that the two cannot
say different things.
*/}}
{{- define "weir.parts" -}}
{{- $parts := dict -}}
{{- range $name, $text := .Values.config -}}
{{- if kindIs "string" $text -}}{{- $_ := set $parts $name $text -}}{{- end -}}
{{- end -}}
{{- if not (regexMatch "(^|[\\s;}])(http|rtmp)\\s" (include "weir.configText" .)) -}}
{{- $_ := set $parts "ports.conf" (printf "http %v;\nrtmp %v;\n" .Values.ports.http .Values.ports.rtmp) -}}
{{- end -}}
{{- toJson $parts -}}
{{- end -}}

{{/* All parts that are given, without their comments. */}}
{{- define "weir.configText" -}}
{{- $all := "" -}}
{{- range $name, $text := .Values.config -}}
{{- if kindIs "string" $text -}}{{- $all = printf "%s\n%s" $all $text -}}{{- end -}}
{{- end -}}
{{- regexReplaceAll "(?m)(^|[\\s;{}])#.*$" $all "$1" -}}
{{- end -}}

{{/* The seconds that a pod may go on after SIGTERM: the configuration's, else the server's own. */}}
{{- define "weir.drainSeconds" -}}
{{- $found := "" -}}
{{- if not .Values.existingConfigMap -}}
{{- $found = regexFind "(?:^|[\\s;}])drain_timeout\\s+[0-9]+s?\\s*;" (include "weir.configText" .) -}}
{{- end -}}
{{- if $found -}}{{- regexFind "[0-9]+" $found -}}{{- else -}}25{{- end -}}
{{- end -}}
