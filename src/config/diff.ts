import { findDirective } from "./directives.ts";
import { listenerKeys } from "./plan.ts";
import { isSamePlan as isSame } from "./same-plans.ts";
import { RESTARTS } from "./schema.ts";
import type { AccessRules } from "../auth/rules.ts";
import type {
  HttpListenerPlan,
  DvrPlan,
  LivePlan,
  NamedDvrPlan,
  ResolvedConfig,
  RtmpListenerPlan,
  StreamPlan,
  TemplatePlan,
  VodPlan,
} from "./plan.ts";
import type { Restart, Scope } from "./schema.ts";

/**
 * What happened to one thing. `fields` are the names of the directives whose value changed; `restarts` is the
 * most that any of them asks for.
 */
type Change<P> =
  | { readonly change: "added"; readonly after: P; readonly restarts: Restart }
  | { readonly change: "removed"; readonly before: P; readonly restarts: Restart }
  | {
      readonly change: "changed";
      readonly before: P;
      readonly after: P;
      readonly fields: readonly string[];
      readonly restarts: Restart;
    };

/**
 * One difference between two plans; plain data. `name` of a listener is its address, as in "127.0.0.1:80".
 *
 * A `setting` is a directive of the top level that has one value, or all blocks of one that no part of the server runs for. `template-order` says that templates that are
 * in both plans changed places, which decides who gets a name.
 */
export type ConfigChange =
  | ({ readonly kind: "http-listener"; readonly name: string } & Change<HttpListenerPlan>)
  | ({ readonly kind: "rtmp-listener"; readonly name: string } & Change<RtmpListenerPlan>)
  | ({ readonly kind: "dvr"; readonly name: string } & Change<NamedDvrPlan>)
  | ({ readonly kind: "stream"; readonly name: string } & Change<StreamPlan>)
  | ({ readonly kind: "template"; readonly name: string } & Change<TemplatePlan>)
  | ({ readonly kind: "vod"; readonly name: string } & Change<VodPlan>)
  | { readonly kind: "setting"; readonly name: string; readonly restarts: Restart }
  | {
      readonly kind: "template-order";
      readonly before: readonly string[];
      readonly after: readonly string[];
    };

/** The directives that make a plan, each with what it put there. */
type Fields<P> = { readonly scope: Scope; readonly read: Readonly<Record<string, (plan: P) => unknown>> };

const PLAY_FIELDS: Readonly<Record<string, (rules: AccessRules) => unknown>> = {
  on_play: (rules) => rules.authorizer,
  max_sessions: (rules) => rules.maxSessions,
  max_stream_sessions: (rules) => rules.maxStreamSessions,
  soft_limitation: (rules) => rules.softLimitationMs,
  session_keys: (rules) => rules.sessionKeys,
  domains: (rules) => rules.domains,
  allowed_countries: (rules) => rules.allowedCountries,
  disallowed_countries: (rules) => rules.disallowedCountries,
};

/** The same directives, of what has these rules in it. */
function playFields<P>(rulesOf: (plan: P) => AccessRules): Record<string, (plan: P) => unknown> {
  const fields = Object.entries(PLAY_FIELDS);
  return Object.fromEntries(fields.map(([name, read]) => [name, (plan: P) => read(rulesOf(plan))]));
}

const LIVE_FIELDS: Readonly<Record<string, (plan: LivePlan) => unknown>> = {
  input: (plan) => plan.inputs,
  title: (plan) => plan.title,
  comment: (plan) => plan.comment,
  provider: (plan) => plan.provider,
  position: (plan) => plan.position,
  labels: (plan) => plan.labels,
  disabled: (plan) => plan.disabled,
  static: (plan) => plan.isStatic,
  source_timeout: (plan) => plan.options.sourceTimeoutMs,
  segment_duration: (plan) => plan.options.segmentDurationMs,
  segment_count: (plan) => plan.options.segmentCount,
  chunk_duration: (plan) => plan.options.chunkDurationMs,
  add_audio_only: (plan) => plan.options.addAudioOnly,
  prepush: (plan) => plan.options.prepushMs,
  send_window: (plan) => plan.options.sendWindow,
  protocols: (plan) => plan.options.protocols,
  second_publisher: (plan) => plan.options.secondPublisher,
  dvr: (plan) => plan.dvr,
  ...playFields((plan: LivePlan) => plan.access.play),
  on_publish: (plan) => plan.access.publish.authorizer,
  password: (plan) => plan.access.publish.password,
};

const DVR: Fields<DvrPlan> = {
  scope: "dvr",
  read: {
    root: (plan) => plan.root,
    depth: (plan) => plan.depthMs,
    size: (plan) => plan.sizeBytes,
    disk_usage_limit: (plan) => plan.diskPercent,
    copy: (plan) => plan.copy,
    local: (plan) => plan.localMs,
    cache: (plan) => plan.cache,
    replicate: (plan) => (plan.replicate === undefined ? undefined : [plan.replicate.url]),
    replication_port: (plan) => plan.replicate?.port,
    replication_speed: (plan) => plan.replicate?.bytesPerSecond,
    schedule: (plan) => plan.schedule,
    fsync: (plan) => plan.fsync,
    episodes_url: (plan) => plan.episodesUrl,
    episodes_expiration: (plan) => plan.episodesExpirationMs,
    dvr_offline: (plan) => plan.isOffline,
  },
};

const STREAM: Fields<StreamPlan> = { scope: "stream", read: LIVE_FIELDS };

const TEMPLATE: Fields<TemplatePlan> = {
  scope: "template",
  read: { ...LIVE_FIELDS, prefix: (plan: TemplatePlan) => plan.prefixes },
};

const VOD: Fields<VodPlan> = {
  scope: "vod",
  read: {
    storage: (plan) => plan.storages,
    title: (plan) => plan.title,
    comment: (plan) => plan.comment,
    disabled: (plan) => plan.disabled,
    download: (plan) => plan.download,
    auto_mbr: (plan) => plan.autoMbr,
    segment_duration: (plan) => plan.options.segmentDurationMs,
    add_audio_only: (plan) => plan.options.addAudioOnly,
    protocols: (plan) => plan.options.protocols,
    ...playFields((plan: VodPlan) => plan.access),
  },
};

/** `https` and `rtmps`: whether there is TLS at all. */
const TLS_FIELDS: Readonly<Record<string, (plan: RtmpListenerPlan) => unknown>> = {
  ssl_protocols: ({ tls }) => tls && [tls.minVersion, tls.maxVersion],
  certificate: ({ tls }) => tls?.certificate,
  certificate_key: ({ tls }) => tls?.key,
  certificate_ca: ({ tls }) => tls?.ca,
  passphrase: ({ tls }) => tls?.passphrase,
  send_window: (plan) => plan.sendWindow,
  proxy_protocol: (plan) => plan.proxyProtocol,
};

const HTTP: Fields<HttpListenerPlan> = {
  scope: "https-listener",
  read: {
    https: (plan) => plan.tls !== undefined,
    api: (plan: HttpListenerPlan) => plan.api,
    ...TLS_FIELDS,
  },
};

const RTMP: Fields<RtmpListenerPlan> = {
  scope: "rtmps-listener",
  read: { rtmps: (plan) => plan.tls !== undefined, ...TLS_FIELDS },
};

const SETTINGS: Readonly<Record<string, (config: ResolvedConfig) => unknown>> = {
  edit_auth: (config) => config.editAuth,
  edit_auth_file: (config) => config.editAuthFile,
  view_auth: (config) => config.viewAuth,
  view_auth_file: (config) => config.viewAuthFile,
  production: (config) => config.isProduction,
  api_token: (config) => config.apiTokens,
  api_allowed_from: (config) => config.apiAllowedFrom,
  trusted_proxies: (config) => config.trustedProxies,
  allowed_hosts: (config) => config.allowedHosts,
  auth_token: (config) => config.authToken,
  auth_backend: (config) => config.authBackends,
  jwt: (config) => config.jwts,
  geoip: (config) => config.geoip,
  event_sink: (config) => config.eventSinks,
  event_queue: (config) => config.eventQueue,
  stream_metrics: (config) => config.hasStreamMetrics,
  total_bandwidth: (config) => config.totalBandwidthBps,
  traces: (config) => config.traces,
  cluster_key: (config) => config.clusterKey,
  loglevel: (config) => config.logLevel,
  hostname: (config) => config.hostname,
  threads: (config) => config.threads,
  drain_timeout: (config) => config.drainTimeoutMs,
  max_connections_per_address: (config) => config.limits.maxConnectionsPerAddress,
  rtmp_handshake_timeout: (config) => config.limits.rtmpHandshakeTimeoutMs,
  rtmp_idle_timeout: (config) => config.limits.rtmpIdleTimeoutMs,
  http_idle_timeout: (config) => config.limits.httpIdleTimeoutMs,
  max_message_size: (config) => config.limits.maxMessageBytes,
};

/**
 * Lists what is different in `after`; where a thing is written makes no difference, only what it says.
 *
 * Order: settings, listeners, dvrs, templates, streams, vods; of each kind removed before changed before added, so
 * that a port or a name is free before it is taken again. Listeners are known by `listenerKeys`.
 */
export function diffConfigs(before: ResolvedConfig, after: ResolvedConfig): ConfigChange[] {
  const http = changes(addressed(before.listeners.http), addressed(after.listeners.http), HTTP);
  const rtmp = changes(addressed(before.listeners.rtmp), addressed(after.listeners.rtmp), RTMP);
  const dvrs = changes<NamedDvrPlan>(named(before.dvrs), named(after.dvrs), DVR);
  const templates = changes(named(before.templates), named(after.templates), TEMPLATE);
  const streams = changes(named(before.streams), named(after.streams), STREAM);
  const vods = changes(named(before.vods), named(after.vods), VOD);
  return [
    ...settingChanges(before, after),
    ...http.map((change) => ({ kind: "http-listener", ...change }) as const),
    ...rtmp.map((change) => ({ kind: "rtmp-listener", ...change }) as const),
    ...dvrs.map((change) => ({ kind: "dvr", ...change }) as const),
    ...templates.map((change) => ({ kind: "template", ...change }) as const),
    ...templateOrder(before, after),
    ...streams.map((change) => ({ kind: "stream", ...change }) as const),
    ...vods.map((change) => ({ kind: "vod", ...change }) as const),
  ];
}

/** Names are unique: the resolver sees to it. */
function named<P extends { readonly name: string }>(plans: readonly P[]): Map<string, P> {
  return new Map(plans.map((plan) => [plan.name, plan]));
}

function addressed<P extends { readonly host?: string; readonly port: number }>(
  plans: readonly P[],
): Map<string, P> {
  const keys = listenerKeys(plans);
  return new Map(plans.map((plan, i) => [keys[i]!, plan]));
}

function changes<P>(
  before: ReadonlyMap<string, P>,
  after: ReadonlyMap<string, P>,
  fields: Fields<P>,
): ({ name: string } & Change<P>)[] {
  const removed: ({ name: string } & Change<P>)[] = [];
  const changed: ({ name: string } & Change<P>)[] = [];
  for (const [name, old] of before) {
    const now = after.get(name);
    if (now === undefined) {
      removed.push({ name, change: "removed", before: old, restarts: "nothing" });
      continue;
    }
    if (old === now) continue;
    const names = Object.keys(fields.read).filter(
      (field) => !isSame(fields.read[field]!(old), fields.read[field]!(now)),
    );
    if (names.length === 0) continue;
    const restarts = mostOf(names.map((field) => restartOf(fields.scope, field)));
    changed.push({ name, change: "changed", before: old, after: now, fields: names, restarts });
  }
  const added = [...after].filter(([name]) => !before.has(name));
  return [
    ...removed,
    ...changed,
    ...added.map(([name, now]) => ({ name, change: "added", after: now, restarts: "nothing" }) as const),
  ];
}

function settingChanges(before: ResolvedConfig, after: ResolvedConfig): ConfigChange[] {
  const names = Object.keys(SETTINGS).filter(
    (name) => !isSame(SETTINGS[name]!(before), SETTINGS[name]!(after)),
  );
  return names.map((name) => ({ kind: "setting", name, restarts: restartOf("server", name) }));
}

function templateOrder(before: ResolvedConfig, after: ResolvedConfig): ConfigChange[] {
  const old = keptTemplates(before, after);
  const now = keptTemplates(after, before);
  return isSame(old, now) ? [] : [{ kind: "template-order", before: old, after: now }];
}

function keptTemplates(config: ResolvedConfig, other: ResolvedConfig): string[] {
  const names = new Set(other.templates.map(({ name }) => name));
  return config.templates.map(({ name }) => name).filter((name) => names.has(name));
}

function restartOf(scope: Scope, name: string): Restart {
  return (findDirective(scope, name) ?? findDirective("server", name))?.onChange ?? "process";
}

function mostOf(restarts: readonly Restart[]): Restart {
  return RESTARTS.findLast((restart) => restarts.includes(restart)) ?? "nothing";
}
