/** Plans as the API shows them: by the words of the configuration, and without secrets. */
import type { AccessRules, AuthBackendRules, Authorizer, SessionKey } from "../auth/rules.ts";
import { showBucketUrl } from "../config/bucket-url.ts";
import type {
  DvrPlan,
  EventSinkPlan,
  HttpListenerPlan,
  InputPlan,
  LivePlan,
  NamedDvrPlan,
  ProtocolRule,
  ResolvedConfig,
  RtmpListenerPlan,
  TemplatePlan,
  VodPlan,
} from "../config/plan.ts";
import { shownWord } from "../config/secret-words.ts";
import { withoutUndefined } from "../base/without-undefined.ts";

const MASK = "***";

/** What streams and templates have in common. */
export function liveJson(plan: LivePlan): object {
  const { options, dvr, access } = plan;
  const hasLabels = Object.keys(plan.labels).length > 0;
  return withoutUndefined({
    title: plan.title,
    comment: plan.comment,
    provider: plan.provider,
    labels: hasLabels ? plan.labels : undefined,
    position: plan.position,
    disabled: plan.disabled,
    static: plan.isStatic,
    inputs: plan.inputs.map(inputJson),
    source_timeout: secondsOrFalse(options.sourceTimeoutMs),
    segment_duration: options.segmentDurationMs,
    segment_count: options.segmentCount,
    chunk_duration: options.chunkDurationMs,
    add_audio_only: options.addAudioOnly,
    prepush: options.prepushMs === "gop" ? true : secondsOrFalse(options.prepushMs),
    send_window: options.sendWindow,
    protocols: protocolWords(options.protocols),
    second_publisher: options.secondPublisher,
    dvr: dvr === undefined || dvr === null ? dvr : dvrFieldsJson(dvr),
    on_play: accessJson(access.play),
    on_publish: access.publish.authorizer && { url: authorizerUrl(access.publish.authorizer) },
    password: access.publish.password === undefined ? undefined : MASK,
  });
}

/** A template. */
export function templateJson(template: TemplatePlan): object {
  return { name: template.name, prefixes: template.prefixes, ...liveJson(template) };
}

/** A vod. */
export function vodJson(vod: VodPlan): object {
  return withoutUndefined({
    prefix: vod.name,
    title: vod.title,
    comment: vod.comment,
    disabled: vod.disabled,
    storages: vod.storages.map(({ path }) => ({ url: shownWord(path) })),
    download: vod.download,
    auto_mbr: vod.autoMbr,
    segment_duration: vod.options.segmentDurationMs,
    add_audio_only: vod.options.addAudioOnly,
    protocols: protocolWords(vod.options.protocols),
    on_play: accessJson(vod.access),
  });
}

/** A place for recordings. */
export function dvrJson(dvr: NamedDvrPlan): object {
  return { name: dvr.name, ...dvrFieldsJson(dvr) };
}

/** Rules of access. Tokens are masked: each lets somebody in. */
export function authBackendJson(rules: AuthBackendRules): object {
  return {
    name: rules.name,
    allow_tokens: rules.allowTokens.map(() => MASK),
    deny_tokens: rules.denyTokens.map(() => MASK),
    allow_ips: rules.allowIps,
    deny_ips: rules.denyIps,
    allow_countries: rules.allowCountries,
    deny_countries: rules.denyCountries,
    allow_uas: rules.allowUas,
    deny_uas: rules.denyUas,
    backends: rules.backends.map((url) => ({ url: shownWord(url) })),
    allow_default: rules.allowsByDefault,
  };
}

/** A sink of events. */
export function eventSinkJson(sink: EventSinkPlan): object {
  return withoutUndefined({
    name: sink.name,
    url: shownWord(sink.url),
    only: sink.only,
    except: sink.except,
    throttle_delay: sink.throttleDelayMs / 1000,
    resend_limit: sink.resendLimit,
    resend_timeout: sink.resendTimeoutMs / 1000,
    max_size: sink.maxSizeBytes,
    max_depth: sink.maxDepthMs === undefined ? undefined : sink.maxDepthMs / 1000,
    level: sink.level,
    sign_key: sink.signKey === undefined ? undefined : MASK,
  });
}

/** The settings of the server. */
export function configJson(config: ResolvedConfig): object {
  const { http, rtmp } = config.listeners;
  const { limits } = config;
  return withoutUndefined({
    listeners: {
      http: http.filter(isPlain).map(listenerJson),
      https: http.filter(isSecure).map(listenerJson),
      rtmp: rtmp.filter(isPlain).map(listenerJson),
      rtmps: rtmp.filter(isSecure).map(listenerJson),
    },
    hostname: config.hostname,
    loglevel: config.logLevel,
    edit_auth: config.editAuth && { login: config.editAuth.login, password: MASK },
    edit_auth_file: config.editAuthFile,
    view_auth: config.viewAuth && { login: config.viewAuth.login, password: MASK },
    view_auth_file: config.viewAuthFile,
    production: config.isProduction,
    cluster_key: config.clusterKey === undefined ? undefined : MASK,
    api_allowed_from: config.apiAllowedFrom,
    trusted_proxies: config.trustedProxies,
    api_tokens: config.apiTokens.map(({ name, scopes, expiresMs }) =>
      withoutUndefined({ name, scope: scopes, expires_at: expiresMs }),
    ),
    allowed_hosts: config.allowedHosts,
    auth_token: config.authToken,
    geoip: config.geoip,
    event_queue: config.eventQueue,
    stream_metrics: config.hasStreamMetrics,
    total_bandwidth: config.totalBandwidthBps,
    threads: config.threads,
    drain_timeout: config.drainTimeoutMs / 1000,
    max_connections_per_address: limits.maxConnectionsPerAddress,
    rtmp_handshake_timeout: limits.rtmpHandshakeTimeoutMs / 1000,
    rtmp_idle_timeout: limits.rtmpIdleTimeoutMs / 1000,
    http_idle_timeout: limits.httpIdleTimeoutMs / 1000,
    max_message_size: limits.maxMessageBytes,
  });
}

function isSecure({ tls }: RtmpListenerPlan): boolean {
  return tls !== undefined;
}

function isPlain(listener: RtmpListenerPlan): boolean {
  return !isSecure(listener);
}

function listenerJson({ host, port, ...rest }: RtmpListenerPlan | HttpListenerPlan): object {
  return withoutUndefined({
    port,
    address: host,
    api: "api" in rest ? rest.api : undefined,
    proxy_protocol: rest.proxyProtocol,
  });
}

function dvrFieldsJson(dvr: DvrPlan): object {
  const { replicate } = dvr;
  return withoutUndefined({
    root: dvr.root,
    expiration: dvr.depthMs === undefined ? undefined : dvr.depthMs / 1000,
    storage_limit: dvr.sizeBytes,
    disk_usage_limit: dvr.diskPercent,
    copy: dvr.copy && showBucketUrl(dvr.copy, { secrets: false }),
    replicate: replicate?.url === undefined ? undefined : shownWord(replicate.url),
    dvr_offline: dvr.isOffline ? true : undefined,
  });
}

/** An input. Its URL is without secrets. */
export function inputJson({ url, priority, sourceTimeoutMs }: InputPlan): object {
  const timeout = sourceTimeoutMs === undefined ? undefined : secondsOrFalse(sourceTimeoutMs);
  return withoutUndefined({ url: shownWord(url), priority, source_timeout: timeout });
}

function accessJson(rules: AccessRules): object | undefined {
  const { authorizer, domains, allowedCountries, disallowedCountries, softLimitationMs } = rules;
  const told = withoutUndefined({
    url: authorizer && authorizerUrl(authorizer),
    max_sessions: rules.maxSessions,
    soft_limitation: softLimitationMs === 0 ? undefined : softLimitationMs / 1000,
    domains: some(domains),
    allowed_countries: some(allowedCountries),
    disallowed_countries: some(disallowedCountries),
  });
  if (Object.keys(told).length === 0) return undefined;
  return { ...told, session_keys: rules.sessionKeys.map(keyWord) };
}

function some(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}

function authorizerUrl(authorizer: Authorizer): string {
  // dispatch
  switch (authorizer.kind) {
    case "everyone":
      return "true";
    case "nobody":
      return "false";
    case "http":
      return shownWord(authorizer.url);
    case "block":
      return `auth://${authorizer.block.name}`;
    case "jwt":
      return `jwt://${authorizer.rules.name}`;
    default:
      return `${authorizer.kind}://${MASK}`;
  }
}

function keyWord(key: SessionKey): string {
  return "name" in key ? `${key.kind}.${key.name}` : key.kind;
}

function protocolWords(rule: ProtocolRule): readonly string[] {
  if (rule.kind === "all") return [];
  return rule.kind === "only" ? rule.names : rule.names.map((name) => `-${name}`);
}

function secondsOrFalse(ms: number | false): number | false {
  return ms === false ? false : ms / 1000;
}
