import type { AccessRules, AuthBackendRules, JwtRules } from "../auth/rules.ts";
import type { BucketPlan } from "./bucket-url.ts";
import type { Place } from "./place.ts";
import type { DayRange } from "./recording-values.ts";
import type { LOG_LEVELS } from "./schema-server.ts";

/** A login and its password, in clear. Never log it. */
export type Credentials = { readonly login: string; readonly password: string };

/** The Secret of Kubernetes that keeps the server's state; without `namespace`, one of the pod's own. */
export type SecretsStoragePlan = { readonly namespace?: string; readonly name: string };

/** One of the words of `loglevel`. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Which protocols may play something: all, only those named, or all but those named. See `allowsProtocol`.
 */
export type ProtocolRule =
  | { readonly kind: "all" }
  | { readonly kind: "only"; readonly names: readonly string[] }
  | { readonly kind: "except"; readonly names: readonly string[] };

/** How long media is collected before it is written to viewers: milliseconds, or as the load asks for. */
export type SendWindowPlan = number | "auto";

/**
 * TLS of a listener. Files of PEM, read anew when they change; where the configuration names none, those of the config's
 * folder: `streamer.crt`, `streamer.key`, `streamer-ca.crt`.
 */
export type TlsPlan = {
  readonly certificate: string;
  readonly key: string;
  /** More certificates of the chain; passed over where the file is not there. */
  readonly ca?: string;
  readonly passphrase?: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly maxVersion: "TLSv1.2" | "TLSv1.3";
};

/** An HTTP listener. Without `host`: every address. `port` 0: any free one. */
export type HttpListenerPlan = {
  readonly host?: string;
  readonly port: number;
  readonly api: boolean;
  readonly sendWindow?: SendWindowPlan;
  /** Connections begin with a PROXY header, and come from `trustedProxies`. */
  readonly proxyProtocol?: true;
  /** It is `https`. */
  readonly tls?: TlsPlan;
  readonly place: Place;
};

/** An RTMP listener. Without `host`: every address. `port` 0: any free one. */
export type RtmpListenerPlan = {
  readonly host?: string;
  readonly port: number;
  readonly sendWindow?: SendWindowPlan;
  /** Connections begin with a PROXY header, and come from `trustedProxies`. */
  readonly proxyProtocol?: true;
  /** It is `rtmps`. */
  readonly tls?: TlsPlan;
  readonly place: Place;
};

/** One `auth_backend NAME { ... }`. Who names it has its rules in its own plan already. */
export type AuthBackendPlan = AuthBackendRules & { readonly place: Place };

/** One `jwt NAME { ... }`. Who names it has its rules in its own plan already. */
export type JwtPlan = JwtRules & { readonly place: Place };

/** Words of `scope` of an `api_token`; `view` may read all, `edit` all. */
export const API_SCOPES = ["view", "edit", "streams", "sessions", "config", "archive", "metrics"] as const;

/** One `api_token NAME { ... }`. */
export type ApiTokenPlan = {
  readonly name: string;
  /** The token itself, or its hash as `weir hash-password` writes it. Never log it. */
  readonly token: string;
  readonly scopes: readonly (typeof API_SCOPES)[number][];
  /** UTC in milliseconds; absent: for ever. */
  readonly expiresMs?: number;
  readonly place: Place;
};

/** One line of `only` or `except`: an event fits it when each key has one of its values; `*` stands for anything. */
export type EventFilterPlan = Readonly<Record<string, readonly string[]>>;

/** One `event_sink NAME { ... }`. */
export type EventSinkPlan = {
  readonly name: string;
  readonly url: string;
  /** Empty: every event. */
  readonly only: readonly EventFilterPlan[];
  readonly except: readonly EventFilterPlan[];
  /** Least time between two batches. */
  readonly throttleDelayMs: number;
  /** How often a batch is sent again; absent: for ever. */
  readonly resendLimit?: number;
  readonly resendTimeoutMs: number;
  /** Bounds of what waits. */
  readonly maxSizeBytes: number;
  readonly maxDepthMs?: number;
  readonly level?: LogLevel;
  /** A batch is signed with it (HMAC-SHA-256 of the body). */
  readonly signKey?: string;
  readonly place: Place;
};

/** Where traces are sent, as OTLP over HTTP, and how many of the sessions are traced. */
export type TracesPlan = { readonly url: string; readonly share: number };

/** Bounds that keep one client from taking everything. */
export type LimitsPlan = {
  readonly maxConnectionsPerAddress: number;
  readonly rtmpHandshakeTimeoutMs: number;
  readonly rtmpIdleTimeoutMs: number;
  readonly httpIdleTimeoutMs: number;
  readonly maxMessageBytes: number;
};

/**
 * One source of a stream.
 *
 * `path` is set for `file`: an absolute path on the disk when it begins with `/`, else the name of a file of a
 * vod (its prefix, then the path inside). `priority`: smaller is preferred; without it the order counts.
 * `options` are the other options as written, none of which has an effect yet.
 */
export type InputPlan = {
  readonly kind: "publish" | "file" | "fake";
  readonly url: string;
  readonly path?: string;
  readonly priority?: number;
  readonly sourceTimeoutMs?: number | false;
  readonly options: Readonly<Record<string, string>>;
  /** An administrator chose it by hand: it runs, whatever is preferred. No file says so. */
  readonly isSelected?: true;
  readonly place: Place;
};

/**
 * How a stream behaves.
 *
 * `sourceTimeoutMs` false: wait for ever. `prepushMs`: "gop" gives a new player everything since the last random
 * access point, a number at least that much where it is kept, false nothing. `sendWindow` absent: as the viewer's
 * listener says.
 */
export type StreamOptionsPlan = {
  readonly sourceTimeoutMs: number | false;
  readonly segmentDurationMs: number;
  readonly segmentCount: number;
  readonly chunkDurationMs: number;
  /** HLS has a variant without video. */
  readonly addAudioOnly: boolean;
  readonly prepushMs: number | "gop" | false;
  readonly sendWindow?: SendWindowPlan;
  readonly protocols: ProtocolRule;
  readonly secondPublisher: "refuse" | "replace";
};

/**
 * What a peer has and we lack is copied from it. `url`: `http://[KEY@]HOST[:PORT][/NAME]`, as it was given, or of the
 * server that the stream comes from; absent: there is none.
 */
export type ReplicatePlan = {
  readonly url?: string;
  readonly bytesPerSecond?: number;
  readonly port?: number;
};

/**
 * How a stream is recorded. Its archive is in `root`, in the folder of its name.
 *
 * What is deleted, oldest first: what is older than `depthMs`, above `sizeBytes` of one stream, and while more than
 * `diskPercent` of the disk is in use; none of them: nothing. `localMs` after an hour is safely in `copy` it leaves the
 * disk; without it, it stays for as long as it is kept at all. `schedule` absent: all day. `isOffline`: nothing is
 * written, what there is plays. `cache` bounds what is kept on disk of what is read from the bucket.
 */
export type DvrPlan = {
  readonly root: string;
  readonly depthMs?: number;
  readonly sizeBytes?: number;
  readonly diskPercent?: number;
  readonly copy?: BucketPlan;
  readonly localMs?: number;
  readonly replicate?: ReplicatePlan;
  readonly schedule?: readonly DayRange[];
  readonly fsync: "none" | "interval" | "fragment";
  readonly episodesUrl?: string;
  readonly episodesExpirationMs?: number;
  readonly isOffline: boolean;
  readonly cache?: { readonly path: string; readonly sizeBytes: number };
  readonly place: Place;
};

/** A place for recordings that streams and templates refer to by its name. */
export type NamedDvrPlan = DvrPlan & { readonly name: string };

/** What people are told about a stream. */
export type MetadataPlan = {
  readonly title?: string;
  readonly comment?: string;
  readonly provider?: string;
  readonly position?: number;
  readonly labels: Readonly<Record<string, string>>;
};

/** What streams and templates have in common. `isStatic` false: runs only when asked for. */
export type LivePlan = MetadataPlan & {
  readonly name: string;
  readonly disabled: boolean;
  readonly isStatic: boolean;
  readonly inputs: readonly InputPlan[];
  readonly options: StreamOptionsPlan;
  /** Absent: nothing is said of recording; `null`: it is turned off. Neither is recorded. */
  readonly dvr?: DvrPlan | null;
  readonly access: AccessPlan;
  readonly place: Place;
};

/** Who may play and publish a stream. */
export type AccessPlan = { readonly play: AccessRules; readonly publish: AccessRules };

/** A stream of a fixed name; its template's settings are already in it. */
export type StreamPlan = LivePlan;

/** Settings for streams that come to be when they are published or asked for. */
export type TemplatePlan = LivePlan & { readonly prefixes: readonly string[] };

/** A directory of files. */
export type StoragePlan = { readonly kind: "disk"; readonly path: string };

/** How files are served. */
export type VodOptionsPlan = {
  readonly segmentDurationMs: number;
  /** HLS has a variant without video. */
  readonly addAudioOnly: boolean;
  readonly protocols: ProtocolRule;
};

/** Files for playback; `name` is the prefix of their URLs. Of `storages`, the first that has a file serves it. */
export type VodPlan = {
  readonly name: string;
  readonly title?: string;
  readonly comment?: string;
  readonly disabled: boolean;
  readonly storages: readonly StoragePlan[];
  /** Whole files may be had. */
  readonly download: boolean;
  /** The path of a folder plays the files in it as qualities of one work. */
  readonly autoMbr: boolean;
  /** Who may play the files. */
  readonly access: AccessRules;
  readonly options: VodOptionsPlan;
  readonly place: Place;
};

/**
 * A whole config, checked, with every default and every environment variable applied. Plain data.
 */
export type ResolvedConfig = {
  readonly listeners: {
    readonly http: readonly HttpListenerPlan[];
    readonly rtmp: readonly RtmpListenerPlan[];
  };
  /** Credentials as they are written, or the file that has them; never both. */
  readonly editAuth?: Credentials;
  readonly editAuthFile?: string;
  /** Credentials that everybody knows are refused; else they work from inside alone. */
  readonly isProduction: boolean;
  readonly viewAuth?: Credentials;
  readonly viewAuthFile?: string;
  readonly apiTokens: readonly ApiTokenPlan[];
  /** All `auth_backend` blocks, also those that nothing refers to; those that are referred to are in the rules already. */
  readonly authBackends: readonly AuthBackendPlan[];
  readonly jwts: readonly JwtPlan[];
  /** Networks in CIDR form that may call the API; empty: all. */
  readonly apiAllowedFrom: readonly string[];
  /** Networks in CIDR form of proxies that are believed whose requests they bring. */
  readonly trustedProxies: readonly string[];
  /** Hosts that backends, sinks, buckets and inputs given by API may be at; empty: all. */
  readonly allowedHosts: readonly string[];
  /** Name of the query's key that has the viewer's token. */
  readonly authToken: string;
  /** A file that knows countries by addresses. */
  readonly geoip?: string;
  readonly eventSinks: readonly EventSinkPlan[];
  /** Where events wait that no sink has taken yet. */
  readonly eventQueue?: string;
  readonly traces?: TracesPlan;
  /** `/metrics` has rows a stream. */
  readonly hasStreamMetrics: boolean;
  /** What the network card can do. Units: bits per second. */
  readonly totalBandwidthBps?: number;
  /** The secret of all servers of the cluster. */
  readonly clusterKey?: string;
  readonly secretsStorage?: SecretsStoragePlan;
  readonly logLevel: LogLevel;
  readonly hostname?: string;
  readonly limits: LimitsPlan;
  /** From the order to stop to the stop; 0: at once. */
  readonly drainTimeoutMs: number;
  /** Media threads; without it the server chooses by the CPUs that it may use. */
  readonly threads?: number;
  /** What is referred to is in the plans of the streams and templates already. */
  readonly dvrs: readonly NamedDvrPlan[];
  readonly streams: readonly StreamPlan[];
  readonly templates: readonly TemplatePlan[];
  readonly vods: readonly VodPlan[];
};

/**
 * What listeners are known by: their addresses, as in "127.0.0.1:80" or "*:80", with a rank behind those that are there
 * twice. A listener without a fixed port (port 0) is the same as the one of the same rank on that host.
 */
export function listenerKeys(
  plans: readonly { readonly host?: string; readonly port: number }[],
): string[] {
  const seen = new Map<string, number>();
  return plans.map(({ host = "*", port }) => {
    const address = `${host}:${port}`;
    const rank = (seen.get(address) ?? 0) + 1;
    seen.set(address, rank);
    return rank === 1 ? address : `${address}#${rank}`;
  });
}

/**
 * Whether a rule lets `protocol` play; names are those of `protocols`, as in "hls".
 */
export function allowsProtocol(rule: ProtocolRule, protocol: string): boolean {
  if (rule.kind === "all") return true;
  return rule.names.includes(protocol) === (rule.kind === "only");
}

/**
 * The input that runs: the one that was chosen by hand, else `publish://` where there is one, else the first by `priority`,
 * then by order. The others wait for failover to work.
 */
export function activeInput(inputs: readonly InputPlan[]): InputPlan | undefined {
  const selected = inputs.find((input) => input.isSelected === true);
  const publish = inputs.find((input) => input.kind === "publish");
  return selected ?? publish ?? inputs.toSorted((a, b) => (a.priority ?? 0) - (b.priority ?? 0))[0];
}

/**
 * Whether publishers are let in: one of the inputs is `publish://`, no other one was chosen by hand, and the plan is not
 * disabled.
 */
export function acceptsPublishers(plan: LivePlan): boolean {
  return !plan.disabled && activeInput(plan.inputs)?.kind === "publish";
}
