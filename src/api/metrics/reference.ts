import { FAMILIES } from "./families.ts";

const INTRODUCTION = `# Metrics

<!-- Made by \`npm run docs\` from src/api/metrics/families.ts. -->

\`GET /metrics\` has them for Prometheus, on every HTTP listener that has the API; so have \`/flussonic/api/metrics\` and
\`/streamer/api/v3/monitoring/metrics\`, which ask for credentials. Who sends \`Accept: application/openmetrics-text\`, as
Prometheus does, or \`format=openmetrics\` in the query, gets OpenMetrics. \`GET /streamer/api/v3/streams\` and \`/config\` are metrics
for who asks so: rows of all streams (\`stream_*\`), and of the server (\`server_*\`, \`partition_*\`); so are \`request=streams\` and
\`request=server\` at \`monitoring/metrics\`, and \`name=news,sport\` leaves the rows of those streams; of \`request=pusher\` and \`request=tp\`
there are none. Labels are bounded: threads, protocols, sinks, and names of streams only where the
configuration says \`stream_metrics true;\`. Counters begin at 0 with the process, those of a thread with the thread. A
histogram \`NAME\` has \`NAME_bucket\`, \`NAME_sum\` and \`NAME_count\`.

\`deploy/grafana/weir.json\` is a dashboard for Grafana, \`deploy/prometheus/weir-rules.yaml\` has alerts, each with what to do.

| name | kind | what it is |
| --- | --- | --- |
`;

/** The page of metrics, docs/metrics.md. */
export function renderMetricsPage(): string {
  const rows = FAMILIES.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  return `${INTRODUCTION}${rows.join("\n")}\n`;
}
