import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { late } from "../../base/late/late.ts";
import type { LivePlan, ReplicatePlan, ResolvedConfig } from "../../config/plan.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import type { PeerAddress } from "../../dvr/replicate/peer.ts";
import type { PeerPath } from "../../dvr/replicate/peer-paths.ts";
import type { ReplicationTarget } from "../../dvr/replicate/replicator.ts";
import type { RootStreams } from "../../dvr/replicate/offered-streams.ts";
import { planOf } from "../live/stream-rules.ts";

/** Most that is copied of one stream unless the configuration says otherwise: 100 Mbit/s. */
const BYTES_PER_SECOND = 12_500_000;

/** The server that a stream's recording is completed from. */
type Source = { readonly address: PeerAddress; readonly remote: StreamName | null };

/** The peers that recordings are copied from, each once. Those without a key are none: see `peersWithoutKey`. */
export function peersOf(config: ResolvedConfig): PeerAddress[] {
  const peers = new Map<string, PeerAddress>();
  for (const source of sources(config)) peers.set(keyOf(source.address), source.address);
  return [...peers.values()];
}

/** Names of streams and templates with `replicate` that is of no use: no peer is known for them, or no key. */
export function plansWithoutPeer(config: ResolvedConfig): string[] {
  return plans(config)
    .filter(({ dvr }) => dvr?.replicate !== undefined && sourceOf(dvr.replicate, config) === null)
    .map(({ name }) => name);
}

/**
 * Of the streams that a peer offers, those that are completed from it: streams of the configuration that name it, and
 * streams of templates that do. Recordings that are turned off for now are not completed either.
 */
export function targetsOf(
  config: ResolvedConfig,
  peer: PeerAddress,
  offered: readonly StreamName[],
): ReplicationTarget[] {
  const targets: ReplicationTarget[] = [];
  const names = new Set(offered);
  const configured = config.streams.map(({ name }) => parseStreamName(name));
  for (const stream of new Set([...configured, ...offered])) {
    const plan = stream === null ? null : planOf(config, stream);
    if (stream === null || plan === null) continue;
    const target = targetOf(config, peer, { stream, plan });
    if (target !== null && names.has(target.remote)) targets.push(target);
  }
  return targets;
}

function targetOf(
  config: ResolvedConfig,
  peer: PeerAddress,
  { stream, plan }: { readonly stream: StreamName; readonly plan: LivePlan },
): ReplicationTarget | null {
  const dvr = plan.dvr ?? null;
  if (dvr?.replicate === undefined || dvr.isOffline || plan.disabled) return null;
  const source = sourceOf(dvr.replicate, config);
  if (source === null || keyOf(source.address) !== keyOf(peer)) return null;
  const { root, depthMs, sizeBytes, diskPercent } = dvr;
  return {
    stream,
    remote: source.remote ?? stream,
    root,
    bytesPerSecond: dvr.replicate.bytesPerSecond ?? BYTES_PER_SECOND,
    ...{ depthMs, sizeBytes, diskPercent },
  };
}

function plans(config: ResolvedConfig): LivePlan[] {
  return [...config.streams, ...config.templates].filter(
    ({ disabled, dvr }) => !disabled && dvr?.isOffline === false,
  );
}

function* sources(config: ResolvedConfig): Generator<Source> {
  for (const { dvr } of plans(config)) {
    const source = dvr?.replicate === undefined ? null : sourceOf(dvr.replicate, config);
    if (source !== null) yield source;
  }
}

/** `null`: the address is none, or there is no key for it. */
function sourceOf({ url, port }: ReplicatePlan, { clusterKey }: ResolvedConfig): Source | null {
  if (url === undefined || !URL.canParse(url)) return null;
  const parsed = new URL(url);
  const key = keyIn(parsed) ?? clusterKey;
  if (key === undefined || parsed.hostname === "") return null;
  if (port !== undefined) parsed.port = String(port);
  const remote = parseStreamName(parsed.pathname.slice(1));
  return { address: { origin: `${parsed.protocol}//${parsed.host}`, key }, remote };
}

/** What stands in front of the `@`, whole: a key may have a colon. */
function keyIn({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const text = password === "" ? username : `${username}:${password}`;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function keyOf({ origin, key }: PeerAddress): string {
  return `${origin} ${key}`;
}

const RANGE = /^bytes=([0-9]{1,15})-([0-9]{1,15})?$/;

/** Gives the archives of this server to others of the cluster, which prove by its key that they are. */
export class ArchivePeers {
  readonly #config: () => ResolvedConfig;
  readonly #clock: Clock;
  readonly #offers = late("copies of recordings for other servers", async () => {
    const { offers } = await import("../../dvr/replicate/offers.ts");
    return offers;
  });
  #streams: RootStreams | null = null;

  constructor(options: { readonly config: () => ResolvedConfig; readonly clock: Clock }) {
    this.#config = options.config;
    this.#clock = options.clock;
  }

  /** Answers another server; `null` when the request is for something else. Rejects with DVR_PEER_*, DVR_DISK_FAILED. */
  handle(request: HttpRequest): Promise<HttpReply> | HttpReply | null {
    const { clusterKey } = this.#config();
    if (clusterKey === undefined || request.method !== "GET" || !request.path.includes("/archive-"))
      return null;
    return this.#mayBe(request.path) ? this.#answer(request, clusterKey) : null;
  }

  /** Whether a path looks like one of ours, before the code for it is there. */
  #mayBe(path: string): boolean {
    return /\/archive-(?:streams\.json|hours\.json|files\/.+)$/.test(path);
  }

  async #answer(request: HttpRequest, key: string): Promise<HttpReply> {
    return await this.#offers(async (offers) => {
      const { path, query } = request;
      const target = query.size === 0 ? path : `${path}?${query.toString()}`;
      const nowS = this.#clock.wallUs() / 1_000_000;
      offers.checkSignature(request.header("authorization"), { key, target, nowS });
      const wanted = offers.parsePath(path);
      if (wanted === null) throw offers.noFile("", path);
      if (wanted.kind === "streams") {
        this.#streams ??= offers.rootStreams(this.#clock);
        return json(offers.streamListing(await this.#offeredStreams(this.#streams)));
      }
      const folder = this.#folderOf(wanted);
      if (folder === null) throw offers.noFile(wanted.name, path);
      if (wanted.kind === "hours") {
        const [from, to] = [Number(query.get("from") ?? 0), Number(query.get("to") ?? Infinity)];
        return json(offers.hourListing(await offers.hours(folder, { from, to })));
      }
      const { name, file } = wanted;
      const [, first, last] = RANGE.exec(request.header("range") ?? "") ?? [];
      const offset = Number(first ?? 0);
      const maxBytes = last === undefined ? Infinity : Number(last) + 1 - offset;
      const range = await offers.range({ folder, name, file }, { offset, maxBytes });
      const lastByte = range.offset + range.bytes.byteLength - 1;
      return digested(206, range.bytes, [
        ["content-type", "application/octet-stream"],
        ["content-range", `bytes ${range.offset}-${lastByte}/${range.totalBytes}`],
      ]);
    });
  }

  #folderOf({ name }: Extract<PeerPath, { readonly name: string }>): string | null {
    const stream = parseStreamName(name);
    const dvr = stream === null ? null : (planOf(this.#config(), stream)?.dvr ?? null);
    return dvr === null ? null : `${dvr.root}/${stream}`;
  }

  async #offeredStreams(streams: RootStreams): Promise<string[]> {
    const config = this.#config();
    const all = [...config.streams, ...config.templates];
    const roots = new Set(all.flatMap(({ dvr }) => (dvr === undefined || dvr === null ? [] : [dvr.root])));
    const names: string[] = [];
    for (const root of roots) {
      for (const name of await streams.of(root)) {
        const stream = parseStreamName(name);
        if (stream !== null && planOf(config, stream)?.dvr?.root === root) names.push(stream);
      }
    }
    return names;
  }
}

function json(value: unknown): HttpReply {
  const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  return digested(200, bytes, [["content-type", "application/json"]]);
}

/** A reply with its checksum. Spec: RFC 9530 section 2. */
function digested(status: number, bytes: Uint8Array, headers: HttpReply["headers"]): HttpReply {
  const digest = createHash("sha256").update(bytes).digest("base64");
  return {
    status,
    headers: [...headers, ["content-digest", `sha-256=:${digest}:`], ["cache-control", "no-store"]],
    body: [bytes],
    ownBytes: bytes.byteLength,
  };
}
