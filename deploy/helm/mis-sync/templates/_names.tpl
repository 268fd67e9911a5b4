{{- define "mis-sync.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* Labels by which pods are selected: (list CONTEXT COMPONENT). */}}
{{- define "mis-sync.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "mis-sync.labels" -}}
{{- $root := index . 0 -}}
{{ include "mis-sync.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* What every pod has in common: who it runs as, and its secrets as files. */}}
{{- define "mis-sync.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: secrets
    secret:
      secretName: {{ required "secret.name is required" .Values.secret.name }}
      defaultMode: 0440
{{- if .Values.ca.secret }}
  - name: ca
    secret: {secretName: {{ .Values.ca.secret }}}
{{- end }}
{{- end -}}

{{/* What every container has in common. */}}
{{- define "mis-sync.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: secrets, mountPath: /run/secrets/mis-sync, readOnly: true}
{{- if .Values.ca.secret }}
  - {name: ca, mountPath: /etc/mis-sync/ca, readOnly: true}
{{- end }}
{{- end -}}

{{- define "mis-sync.environment" -}}
- {name: DATABASE_URL_FILE, value: /run/secrets/mis-sync/database-url}
- {name: REDIS_URL_FILE, value: /run/secrets/mis-sync/redis-url}
- {name: MIS_SYNC__ENCRYPTION__KEY_FILE, value: /run/secrets/mis-sync/encryption-key}
{{- if .Values.secret.webhooks }}
- {name: MIS_SYNC__WEBHOOKS__WONDE_SECRET_FILE, value: /run/secrets/mis-sync/wonde-secret}
{{- end }}
{{- if .Values.secret.alerts }}
- {name: MIS_SYNC__ALERTS__SECRET_FILE, value: /run/secrets/mis-sync/alerts-secret}
{{- end }}
{{- if .Values.ca.database }}
- {name: MIS_SYNC__DATABASE__CA, value: /etc/mis-sync/ca/database.pem}
{{- end }}
{{- if .Values.ca.redis }}
- {name: MIS_SYNC__REDIS__CA, value: /etc/mis-sync/ca/redis.pem}
{{- end }}
- {name: MIS_SYNC__LOG__FORMAT, value: json}
- {name: MIS_SYNC__WORKER__DRAIN_SECONDS, value: {{ .Values.drainSeconds | quote }}}
{{- range $name, $value := .Values.config }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{/* Pods of a component on different nodes and zones, as far as there are any. */}}
{{- define "mis-sync.spread" -}}
{{- $component := index . 1 -}}
{{- $root := index . 0 -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "mis-sync.selector" (list $root $component) | nindent 6 }}
{{- end }}
{{- end -}}
