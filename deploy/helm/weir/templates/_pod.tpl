{{/* The pod, which is the same in all three kinds. */}}
{{- define "weir.pod" -}}
metadata:
  labels:
    {{- include "weir.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "weir.serviceAccountName" . | quote }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if ne .Values.kind "DaemonSet" }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "weir.selectorLabels" . | nindent 10 }}
  {{- end }}
  securityContext:
    {{- $security := deepCopy (default (dict) .Values.podSecurityContext) }}
    {{- if .Values.allowLowPorts }}
    {{- $low := dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0" }}
    {{- $_ := set $security "sysctls" (append (default (list) $security.sysctls) $low) }}
    {{- end }}
    {{- toYaml $security | nindent 4 }}
  containers:
    - name: weir
      image: {{ include "weir.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      env:
        # Which pod Kubernetes Events are about.
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: POD_UID
          valueFrom:
            fieldRef:
              fieldPath: metadata.uid
        {{- $named := false }}
        {{- range .Values.env }}
        {{- if has .name (list "FLUSSONIC_HOSTNAME" "STREAMER_HOSTNAME") }}
        {{- $named = true }}
        {{- end }}
        {{- end }}
        {{- if and (eq .Values.kind "DaemonSet") (not $named) }}
        - name: FLUSSONIC_HOSTNAME
          valueFrom:
            fieldRef:
              fieldPath: spec.nodeName
        {{- end }}
        {{- if include "weir.givesCredentials" . }}
        {{- if .Values.credentials.asFile }}
        - name: FLUSSONIC_EDIT_AUTH_FILE
          value: /etc/weir/credentials/edit_auth
        {{- else }}
        - name: FLUSSONIC_EDIT_AUTH
          valueFrom:
            secretKeyRef:
              name: {{ include "weir.credentialsName" . | quote }}
              key: {{ .Values.credentials.key | quote }}
        {{- end }}
        {{- end }}
        {{- if .Values.secretsStorage.enabled }}
        - name: FLUSSONIC_SECRETS_STORAGE
          value: {{ printf "k8s://%s" (include "weir.stateName" .) | quote }}
        {{- end }}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: http
          containerPort: {{ .Values.ports.http }}
          {{- with .Values.hostPorts.http }}
          hostPort: {{ . }}
          {{- end }}
        - name: rtmp
          containerPort: {{ .Values.ports.rtmp }}
          {{- with .Values.hostPorts.rtmp }}
          hostPort: {{ . }}
          {{- end }}
        {{- range .Values.ports.extra }}
        - name: {{ .name | quote }}
          containerPort: {{ .port }}
          protocol: {{ default "TCP" .protocol }}
        {{- end }}
      startupProbe:
        httpGet:
          path: /streamer/api/v3/monitoring/liveness
          port: {{ .Values.ports.api | quote }}
        periodSeconds: 1
        failureThreshold: 60
      readinessProbe:
        httpGet:
          path: /streamer/api/v3/monitoring/readiness
          port: {{ .Values.ports.api | quote }}
        periodSeconds: 2
        timeoutSeconds: 3
        # One slow answer does not take the only pod away. A pod that ends is taken out of the Service at once without it.
        failureThreshold: 3
      livenessProbe:
        httpGet:
          path: /streamer/api/v3/monitoring/liveness
          port: {{ .Values.ports.api | quote }}
        periodSeconds: 10
        timeoutSeconds: 5
      resources:
        {{- toYaml (default (dict) .Values.resources) | nindent 8 }}
      securityContext:
        {{- toYaml (default (dict) .Values.securityContext) | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/flussonic/flussonic.conf.d
          readOnly: true
        {{- if and (include "weir.givesCredentials" .) .Values.credentials.asFile }}
        - name: credentials
          mountPath: /etc/weir/credentials
          readOnly: true
        {{- end }}
        {{- if and (eq .Values.kind "StatefulSet") .Values.persistence.enabled }}
        - name: archive
          mountPath: {{ .Values.persistence.mountPath }}
        {{- end }}
        {{- with .Values.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "weir.configMapName" . | quote }}
    {{- if and (include "weir.givesCredentials" .) .Values.credentials.asFile }}
    # Not by subPath: only so does another password reach a running pod.
    - name: credentials
      secret:
        secretName: {{ include "weir.credentialsName" . | quote }}
        items:
          - key: {{ .Values.credentials.key | quote }}
            path: edit_auth
    {{- end }}
    {{- with .Values.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
