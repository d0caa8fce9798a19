import { OPEN_RULES } from "../auth/rules.ts";
import { showSessionKey } from "./access-values.ts";
import { listLine, pair, secretLine, shownUrl, textLine, word } from "./print-words.ts";
import { tlsVersions } from "./resolve-tls.ts";
import { TLS_DEFAULTS } from "./schema-listeners.ts";
import { showDuration, showLongDuration, showSize } from "./values.ts";
import type { AccessRules, AuthBackendRules, Authorizer, JwtRules } from "../auth/rules.ts";
import type {
  ApiTokenPlan,
  EventFilterPlan,
  EventSinkPlan,
  ResolvedConfig,
  TlsPlan,
  TracesPlan,
} from "./plan.ts";

/**
 * Writes who may play something.
 */
export function playLines(rules: AccessRules, show: boolean): string[] {
  const keys = rules.sessionKeys.map(showSessionKey).join(",");
  const isUsual = keys === OPEN_RULES.sessionKeys.map(showSessionKey).join(",");
  return [
    ...authorizerLine("on_play", rules.authorizer, show),
    ...numberLine("max_sessions", rules.maxSessions),
    ...numberLine("max_stream_sessions", rules.maxStreamSessions),
    ...(rules.softLimitationMs === 0 ? [] : [`soft_limitation ${showDuration(rules.softLimitationMs)};`]),
    ...(isUsual ? [] : [`session_keys ${keys};`]),
    ...listLine("domains", rules.domains),
    ...listLine("allowed_countries", rules.allowedCountries),
    ...listLine("disallowed_countries", rules.disallowedCountries),
  ];
}

/**
 * Writes who may publish something.
 */
export function publishLines(rules: AccessRules, show: boolean): string[] {
  return [
    ...authorizerLine("on_publish", rules.authorizer, show),
    ...(rules.password === undefined ? [] : [closedLine("password", rules.password, show)]),
  ];
}

function authorizerLine(name: string, authorizer: Authorizer | undefined, show: boolean): string[] {
  if (authorizer === undefined) return [];
  // dispatch
  switch (authorizer.kind) {
    case "everyone":
      return [`${name} true;`];
    case "nobody":
      return [`${name} false;`];
    case "http":
      return [`${name} ${word(shownUrl(authorizer.url, show))};`];
    case "block":
      return [`${name} auth://${authorizer.block.name};`];
    case "jwt":
      return [`${name} jwt://${authorizer.rules.name};`];
    case "signed":
      return secretAuthorizer(name, `signed://${authorizer.key}`, show);
    case "securetoken":
      return securetokenLine(name, authorizer, show);
  }
}

function secretAuthorizer(name: string, text: string, show: boolean): string[] {
  if (show) return [`${name} ${word(text)};`];
  return [`${name} ${text.split("://")[0]!}://; # (the key is not shown)`];
}

/** Without its secret it is no good line: a config that lets everybody in must not come of one that did not. */
function closedLine(name: string, secret: string, show: boolean): string {
  return show ? `${name} ${word(secret)};` : `${name}; # (it is not shown)`;
}

/** A key from `securetoken KEY;` may have a "?" in it, which the other form cannot say. */
function securetokenLine(
  name: string,
  { key, checksAddress }: Extract<Authorizer, { kind: "securetoken" }>,
  show: boolean,
): string[] {
  if (checksAddress && name === "on_play") return [closedLine("securetoken", key, show)];
  return secretAuthorizer(name, `securetoken://${key}${checksAddress ? "" : "?no_check_ip=true"}`, show);
}

/** What the directives of the top level say of access, events and traces, each on a line. */
export function serverLines(config: ResolvedConfig, show: boolean): string[] {
  return [
    ...listLine("api_allowed_from", config.apiAllowedFrom),
    ...listLine("trusted_proxies", config.trustedProxies),
    ...listLine("allowed_hosts", config.allowedHosts),
    `auth_token ${config.authToken};`,
    ...textLine("geoip", config.geoip),
    ...textLine("event_queue", config.eventQueue),
    ...(config.hasStreamMetrics ? ["stream_metrics;"] : []),
    ...(config.totalBandwidthBps === undefined ? [] : [`total_bandwidth ${config.totalBandwidthBps};`]),
    ...tracesLine(config.traces, show),
  ];
}

function tracesLine(traces: TracesPlan | undefined, show: boolean): string[] {
  if (traces === undefined) return [];
  return [`traces ${word(shownUrl(traces.url, show))} share=${traces.share};`];
}

/** What stands in the block of an `api_token`. */
export function apiTokenLines({ token, scopes, expiresMs }: ApiTokenPlan, show: boolean): string[] {
  return [
    ...secretLine("token", token, show),
    `scope ${scopes.join(" ")};`,
    ...(expiresMs === undefined ? [] : [`expires ${new Date(expiresMs).toISOString()};`]),
  ];
}

/** What stands in the block of an `auth_backend`. */
export function authBackendLines(rules: AuthBackendRules, show: boolean): string[] {
  return [
    ...tokensLine("allow", rules.allowTokens, show),
    ...tokensLine("deny", rules.denyTokens, show),
    ...listLine("allow ip", rules.allowIps),
    ...listLine("deny ip", rules.denyIps),
    ...listLine("allow country", rules.allowCountries),
    ...listLine("deny country", rules.denyCountries),
    ...listLine("allow ua", rules.allowUas),
    ...listLine("deny ua", rules.denyUas),
    ...rules.backends.map((url) => `backend ${word(shownUrl(url, show))};`),
    `${rules.allowsByDefault ? "allow" : "deny"} default;`,
  ];
}

function tokensLine(name: "allow" | "deny", tokens: readonly string[], show: boolean): string[] {
  if (show || tokens.length === 0) return listLine(`${name} token`, tokens);
  return [`${name} token; # (${tokens.length} of them, which are not shown)`];
}

/** What stands in the block of a `jwt`. */
export function jwtLines(rules: JwtRules, show: boolean): string[] {
  return [
    ...listLine("algorithms", rules.algorithms),
    ...secretLine("secret", rules.secret, show),
    ...textLine("key_file", rules.keyFile),
    ...textLine("jwks", rules.jwksUrl === undefined ? undefined : shownUrl(rules.jwksUrl, show)),
    ...textLine("issuer", rules.issuer),
    ...textLine("audience", rules.audience),
  ];
}

/** What stands in the block of an `event_sink`. */
export function eventSinkLines(sink: EventSinkPlan, show: boolean): string[] {
  return [
    `url ${word(shownUrl(sink.url, show))};`,
    ...sink.only.map((filter) => filterLine("only", filter, show)),
    ...sink.except.map((filter) => filterLine("except", filter, show)),
    `throttle_delay ${showDuration(sink.throttleDelayMs)};`,
    ...numberLine("resend_limit", sink.resendLimit),
    `resend_timeout ${showDuration(sink.resendTimeoutMs)};`,
    `max_size ${showSize(sink.maxSizeBytes)};`,
    ...(sink.maxDepthMs === undefined ? [] : [`max_depth ${showLongDuration(sink.maxDepthMs)};`]),
    ...textLine("level", sink.level),
    ...secretLine("sign_key", sink.signKey, show),
  ];
}

/** A filter may name a viewer's token. */
function filterLine(name: string, filter: EventFilterPlan, show: boolean): string {
  const pairs = Object.entries(filter).map(([key, values]) =>
    show ? pair(key, values.join(",")) : word(shownUrl(`${key}=${values.join(",")}`, false)),
  );
  return `${name} ${pairs.join(" ")};`;
}

/** What stands in the block of a listener with TLS; of its passphrase nothing, unless secrets are shown. */
export function tlsLines(tls: TlsPlan, show: boolean): string[] {
  const isUsual = tls.passphrase === undefined || tls.passphrase === TLS_DEFAULTS.passphrase;
  return [
    `ssl_protocols ${tlsVersions(tls).join(" ")};`,
    ...textLine("certificate", tls.certificate),
    ...textLine("certificate_key", tls.key),
    ...textLine("certificate_ca", tls.ca),
    ...(isUsual || !show ? [] : textLine("passphrase", tls.passphrase)),
  ];
}

function numberLine(name: string, value: number | undefined): string[] {
  return value === undefined ? [] : [`${name} ${value};`];
}
