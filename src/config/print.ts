import { showBucketUrl } from "./bucket-url.ts";
import {
  apiTokenLines,
  authBackendLines,
  eventSinkLines,
  jwtLines,
  playLines,
  publishLines,
  serverLines,
  tlsLines,
} from "./print-access.ts";
import { block, pair, secretLine, shownUrl, textLine, word } from "./print-words.ts";
import { showDayRanges } from "./recording-values.ts";
import { showDuration, showLongDuration, showSize } from "./values.ts";
import type { BucketPlan } from "./bucket-url.ts";
import type {
  Credentials,
  DvrPlan,
  HttpListenerPlan,
  InputPlan,
  LimitsPlan,
  LivePlan,
  ProtocolRule,
  ReplicatePlan,
  ResolvedConfig,
  RtmpListenerPlan,
  SendWindowPlan,
  TemplatePlan,
  VodPlan,
} from "./plan.ts";

/** How secrets are printed: not at all, with a comment in their place, or in clear. */
export type PrintOptions = { readonly secrets?: "hide" | "show" };

/**
 * Writes a plan in the config language: merged, with every default and variable in it.
 *
 * With secrets shown, the text reads back as the same plan (but for the places). Streams are printed with what
 * they have from their template; the template is not named, since nothing of it is left to add.
 */
export function printConfig(config: ResolvedConfig, options: PrintOptions = {}): string {
  const show = options.secrets === "show";
  const head = [
    ...config.listeners.http.map((listener) => httpLine(listener, show)),
    ...config.listeners.rtmp.map((listener) => listenerLine("rtmp", listener, [], show)),
    ...(config.hostname === undefined ? [] : [`hostname ${word(config.hostname)};`]),
    `loglevel ${config.logLevel};`,
    ...credentialsLine("edit_auth", config.editAuth, show),
    ...textLine("edit_auth_file", config.editAuthFile),
    ...credentialsLine("view_auth", config.viewAuth, show),
    ...textLine("view_auth_file", config.viewAuthFile),
    ...(config.isProduction ? ["production;"] : []),
    ...secretLine("cluster_key", config.clusterKey, show),
    ...(config.threads === undefined ? [] : [`threads ${config.threads};`]),
    `drain_timeout ${showDuration(config.drainTimeoutMs)};`,
    ...limitLines(config.limits),
    ...serverLines(config, show),
  ];
  const blocks = [
    ...config.apiTokens.map((token) => block("api_token", token.name, apiTokenLines(token, show))),
    ...config.authBackends.map((one) => block("auth_backend", one.name, authBackendLines(one, show))),
    ...config.jwts.map((jwt) => block("jwt", jwt.name, jwtLines(jwt, show))),
    ...config.eventSinks.map((sink) => block("event_sink", sink.name, eventSinkLines(sink, show))),
    ...config.dvrs.map((dvr) => block("dvr", dvr.name, dvrLines(dvr, show))),
    ...config.templates.map((template) => block("template", template.name, templateLines(template, show))),
    ...config.streams.map((stream) => block("stream", stream.name, liveLines(stream, show))),
    ...config.vods.map((vod) => block("vod", vod.name, vodLines(vod, show))),
  ];
  return `${[head.join("\n"), ...blocks].join("\n\n")}\n`;
}

function addressText(address: { host?: string; port: number }): string {
  if (address.host === undefined) return String(address.port);
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

function httpLine(listener: HttpListenerPlan, show: boolean): string {
  return listenerLine("http", listener, listener.api ? [] : ["api false;"], show);
}

function listenerLine(
  plain: string,
  listener: RtmpListenerPlan,
  more: readonly string[],
  show: boolean,
): string {
  const { tls, sendWindow, proxyProtocol } = listener;
  const start = `${tls === undefined ? plain : `${plain}s`} ${addressText(listener)}`;
  const ofTls = tls === undefined ? [] : tlsLines(tls, show);
  const proxied = proxyProtocol === true ? ["proxy_protocol true;"] : [];
  const inside = [...more, ...proxied, ...sendWindowLine(sendWindow), ...ofTls];
  return inside.length === 0 ? `${start};` : `${start} { ${inside.join(" ")} }`;
}

function sendWindowLine(window: SendWindowPlan | undefined): string[] {
  return window === undefined ? [] : [`send_window ${window};`];
}

function credentialsLine(name: string, credentials: Credentials | undefined, show: boolean): string[] {
  if (credentials === undefined) return [];
  if (show) return [`${name} ${word(credentials.login)} ${word(credentials.password)};`];
  return [`# ${name} ${word(credentials.login)} (the password is not shown)`];
}

function limitLines(limits: LimitsPlan): string[] {
  return [
    `max_connections_per_address ${limits.maxConnectionsPerAddress};`,
    `rtmp_handshake_timeout ${showDuration(limits.rtmpHandshakeTimeoutMs)};`,
    `rtmp_idle_timeout ${showDuration(limits.rtmpIdleTimeoutMs)};`,
    `http_idle_timeout ${showDuration(limits.httpIdleTimeoutMs)};`,
    `max_message_size ${showSize(limits.maxMessageBytes)};`,
  ];
}

function templateLines(template: TemplatePlan, show: boolean): string[] {
  return [...template.prefixes.map((prefix) => `prefix ${word(prefix)};`), ...liveLines(template, show)];
}

function liveLines(plan: LivePlan, show: boolean): string[] {
  const { options } = plan;
  const labels = Object.entries(plan.labels).map(([key, value]) => pair(key, value));
  return [
    ...plan.inputs.map(inputLine),
    ...textLine("title", plan.title),
    ...textLine("comment", plan.comment),
    ...textLine("provider", plan.provider),
    ...(plan.position === undefined ? [] : [`position ${plan.position};`]),
    ...(labels.length === 0 ? [] : [`labels ${labels.join(" ")};`]),
    ...(plan.disabled ? ["disabled;"] : []),
    ...(plan.isStatic ? [] : ["static false;"]),
    `source_timeout ${durationOrFalse(options.sourceTimeoutMs)};`,
    `segment_duration ${showDuration(options.segmentDurationMs)};`,
    `segment_count ${options.segmentCount};`,
    `chunk_duration ${options.chunkDurationMs};`,
    ...(options.addAudioOnly ? ["add_audio_only;"] : []),
    `prepush ${options.prepushMs === "gop" ? "true" : durationOrFalse(options.prepushMs)};`,
    ...sendWindowLine(options.sendWindow),
    ...protocolsLine(options.protocols),
    `second_publisher ${options.secondPublisher};`,
    ...playLines(plan.access.play, show),
    ...publishLines(plan.access.publish, show),
    ...recordingLines(plan.dvr, show),
  ];
}

function recordingLines(dvr: DvrPlan | null | undefined, show: boolean): string[] {
  if (dvr === undefined) return [];
  if (dvr === null) return ["dvr false;"];
  return ["dvr {", ...dvrLines(dvr, show).map((line) => `  ${line}`), "}"];
}

function dvrLines(dvr: DvrPlan, show: boolean): string[] {
  const { replicate, schedule, cache } = dvr;
  return [
    `root ${word(dvr.root)};`,
    ...longDurationLine("depth", dvr.depthMs),
    ...(dvr.sizeBytes === undefined ? [] : [`size ${showSize(dvr.sizeBytes)};`]),
    ...(dvr.diskPercent === undefined ? [] : [`disk_usage_limit ${dvr.diskPercent}%;`]),
    ...(dvr.copy === undefined ? [] : bucketLines(dvr.copy, show)),
    ...longDurationLine("local", dvr.localMs),
    ...(cache === undefined ? [] : [`cache ${word(cache.path)} ${showSize(cache.sizeBytes)};`]),
    ...(replicate === undefined ? [] : replicationLines(replicate, show)),
    ...(schedule === undefined ? [] : [`schedule ${showDayRanges(schedule).join(" ")};`]),
    `fsync ${dvr.fsync};`,
    ...textLine(
      "episodes_url",
      dvr.episodesUrl === undefined ? undefined : shownUrl(dvr.episodesUrl, show),
    ),
    ...longDurationLine("episodes_expiration", dvr.episodesExpirationMs),
    ...(dvr.isOffline ? ["dvr_offline;"] : []),
  ];
}

/** Without its keys it is a good line all the same: they would come from the environment. */
function bucketLines(bucket: BucketPlan, show: boolean): string[] {
  const isHidden = !show && bucket.secretKey !== undefined;
  return [
    `copy ${word(showBucketUrl(bucket, { secrets: show }))};`,
    ...(isHidden ? ["# (the credentials of copy are not shown)"] : []),
  ];
}

function replicationLines(replicate: ReplicatePlan, show: boolean): string[] {
  const { url, port, bytesPerSecond } = replicate;
  return [
    url === undefined ? "replicate;" : `replicate ${word(shownUrl(url, show))};`,
    ...(port === undefined ? [] : [`replication_port ${port};`]),
    ...(bytesPerSecond === undefined ? [] : [`replication_speed ${bytesPerSecond * 8};`]),
  ];
}

function longDurationLine(name: string, ms: number | undefined): string[] {
  return ms === undefined ? [] : [`${name} ${showLongDuration(ms)};`];
}

function vodLines(vod: VodPlan, show: boolean): string[] {
  return [
    ...vod.storages.map((storage) => `storage ${word(storage.path)};`),
    ...textLine("title", vod.title),
    ...textLine("comment", vod.comment),
    ...(vod.disabled ? ["disabled;"] : []),
    ...(vod.download ? ["download;"] : []),
    ...(vod.autoMbr ? ["auto_mbr;"] : []),
    `segment_duration ${showDuration(vod.options.segmentDurationMs)};`,
    ...(vod.options.addAudioOnly ? ["add_audio_only;"] : []),
    ...protocolsLine(vod.options.protocols),
    ...playLines(vod.access, show),
  ];
}

function inputLine(input: InputPlan): string {
  const { priority, sourceTimeoutMs } = input;
  const options = [
    ...(priority === undefined ? [] : [`priority=${priority}`]),
    ...(sourceTimeoutMs === undefined ? [] : [`source_timeout=${durationOrFalse(sourceTimeoutMs)}`]),
    ...Object.entries(input.options).map(([key, value]) => pair(key, value)),
  ];
  return `${["input", word(input.url), ...options].join(" ")};`;
}

function protocolsLine(rule: ProtocolRule): string[] {
  if (rule.kind === "all") return [];
  const names = rule.names.map((name) => (rule.kind === "except" ? `-${name}` : name));
  return [`protocols ${names.join(" ")};`];
}

function durationOrFalse(ms: number | false): string {
  return ms === false ? "false" : showDuration(ms);
}
