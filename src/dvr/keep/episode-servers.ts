import type { Clock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { dropOldest } from "../../base/oldest.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import { vodBusy } from "../../vod/busy.ts";
import { ByteLru } from "../../base/byte-lru.ts";
import { MAX_LISTED_EPISODES, MAX_PAGE_BYTES, episodeAddress } from "./episode-listing.ts";
import { episodeServerName, parseEpisodePage } from "./episode-listing.ts";
import type { ListedEpisode } from "./episode-listing.ts";
import { keepErrors } from "./errors.ts";
import { meetsSpans, uniteSpans } from "./time-spans.ts";
import type { MsSpan } from "./time-spans.ts";

/** Sends a request. Rejects with any error where no whole reply comes, one that is too long among them. */
export type EpisodeTransport = {
  get(request: {
    readonly target: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly maxBytes: number;
    readonly signal: AbortSignal;
  }): Promise<{ readonly status: number; readonly body: Uint8Array }>;
};

/** What asking servers of episodes needs. */
export type EpisodeServersOptions = {
  readonly clock: Clock;
  connect(origin: string): Promise<EpisodeTransport> | EpisodeTransport;
  /** What is kept of answers; 64 MiB unless given. Units: bytes. */
  readonly maxBytes?: number;
};

/** Whose episodes are meant. */
export type EpisodesWanted = {
  readonly url: string;
  readonly stream: string;
  /** Before it nothing is recorded. Units: milliseconds since 1970. */
  readonly fromMs: number;
  /** Hours, counted since 1970, that are to be deleted if nothing keeps them. */
  readonly hours: readonly number[];
  /** An episode that does not say when it expires does so long after it was closed. Units: milliseconds. */
  readonly expirationMs?: number | undefined;
};

/** What a server keeps, as far as it is known. */
export type KeptByServer = {
  readonly protects: (hour: number) => boolean;
  /** Why the answer is an old one, or there is none. */
  readonly failure: MediaError | null;
};

/** One that is silent for so long, or sends for so long, has not answered. Units: milliseconds. */
const ANSWER_MS = 10_000;
/** One that has failed is left alone for so long, whatever stream it is asked for. Units: microseconds. */
const PAUSE_US = 30_000_000;
/** An answer is good for keeping an hour for so long; for deleting one it has to be new. Units: microseconds. */
const GOOD_FOR_US = 600_000_000;
const MAX_PAGES = 1000;
const MAX_SERVERS = 1000;
/** Streams that are asked for at a time, and that wait: more than a root has. */
const ASKED = { running: 4, waiting: 65_536 };
const KEPT = { bytes: 64 * 1024 * 1024, items: 65_536 };
const EPISODE_BYTES = 64;
const ANSWER_BYTES = 512;
/** What a server says that does not want anything deleted. */
const KEEP_ALL = 501;
const HOUR_MS = 3_600_000;

/** An answer, whole. */
type Answer = {
  /** `null`: everything is to be kept. */
  readonly episodes: readonly ListedEpisode[] | null;
  /** Of which time it tells: that of the question. Units: milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly atUs: number;
};

/**
 * Servers that know which parts of recordings are to be kept. They are asked when something is to be deleted. When one does
 * not answer, or not in a way that can be believed, its last answer holds for the time that it told of; what is not known is
 * kept.
 *
 * Bounded: each answer in pages, episodes, bytes and time; all that is remembered by `maxBytes`.
 */
export class EpisodeServers {
  readonly #options: EpisodeServersOptions;
  readonly #answers: ByteLru<Answer>;
  readonly #work = new BoundedWork(ASKED, vodBusy);
  /** Servers that have failed, and until when they are left alone. */
  readonly #paused = new Map<string, { readonly untilUs: number; readonly failure: MediaError }>();
  readonly #closing = new AbortController();

  constructor(options: EpisodeServersOptions) {
    this.#options = options;
    this.#answers = new ByteLru({ ...KEPT, bytes: options.maxBytes ?? KEPT.bytes });
  }

  /** What is remembered of answers. Units: bytes. */
  get keptBytes(): number {
    return this.#answers.bytes;
  }

  /** What a stream's server keeps. Never rejects. */
  async of(wanted: EpisodesWanted): Promise<KeptByServer> {
    const key = `${wanted.url} ${wanted.stream}`;
    const known = this.#answers.get(key) ?? null;
    if (known !== null && this.#options.clock.nowUs() - known.atUs < GOOD_FOR_US) {
      const kept = this.#keptBy(known, wanted, null);
      if (wanted.hours.every((hour) => kept.protects(hour))) return kept;
    }
    try {
      const answer = await this.#work.run(() => this.#ask(wanted));
      this.#answers.set(key, answer, ANSWER_BYTES + (answer.episodes?.length ?? 0) * EPISODE_BYTES);
      return this.#keptBy(answer, wanted, null);
    } catch (caught) {
      return this.#keptBy(known, wanted, asMediaError(caught) ?? this.#failed(wanted, caught));
    }
  }

  /** Waits for no answer any more. */
  close(): void {
    this.#closing.abort();
  }

  async #ask(wanted: EpisodesWanted): Promise<Answer> {
    const { clock } = this.#options;
    const paused = this.#paused.get(wanted.url);
    if (paused !== undefined && clock.nowUs() < paused.untilUs) throw paused.failure;
    const late = new AbortController();
    const timer = clock.schedule(ANSWER_MS, () => late.abort());
    try {
      const answer = await this.#askAll(wanted, AbortSignal.any([late.signal, this.#closing.signal]));
      this.#paused.delete(wanted.url);
      return answer;
    } catch (caught) {
      const reason = `it has not answered within ${ANSWER_MS / 1000} s`;
      const failure = this.#failed(wanted, late.signal.aborted ? new Error(reason) : caught);
      this.#paused.delete(wanted.url);
      this.#paused.set(wanted.url, { untilUs: clock.nowUs() + PAUSE_US, failure });
      dropOldest(this.#paused, MAX_SERVERS);
      throw failure;
    } finally {
      timer.cancel();
    }
  }

  /** All pages of an answer. */
  async #askAll({ url, stream, fromMs }: EpisodesWanted, signal: AbortSignal): Promise<Answer> {
    const { clock } = this.#options;
    const time = { fromMs, toMs: Math.floor(clock.wallUs() / 1000), atUs: clock.nowUs() };
    const episodes: ListedEpisode[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const { origin, ...request } = episodeAddress(url, { stream, ...time, cursor });
      signal.throwIfAborted();
      const transport = await this.#options.connect(origin);
      const reply = await transport.get({ ...request, maxBytes: MAX_PAGE_BYTES, signal });
      if (reply.status === KEEP_ALL) return { ...time, episodes: null };
      if (reply.status !== 200) throw new Error(`it answers with ${reply.status}`);
      const page = parseEpisodePage(reply.body, stream);
      if (page === null) throw new Error("what it sends is no list of episodes");
      episodes.push(...page.episodes);
      if (episodes.length > MAX_LISTED_EPISODES)
        throw new Error(`it lists more than ${MAX_LISTED_EPISODES} episodes`);
      if (page.next === null) return { ...time, episodes };
      cursor = page.next;
    }
    throw new Error(`its list has more than ${MAX_PAGES} pages`);
  }

  #failed({ url }: EpisodesWanted, caught: unknown): MediaError {
    const context = { server: episodeServerName(url), reason: messageOf(caught) };
    return keepErrors.error("DVR_EPISODE_SERVER_FAILED", context, caught);
  }

  #keptBy(
    answer: Answer | null,
    { expirationMs = Infinity }: EpisodesWanted,
    failure: MediaError | null,
  ): KeptByServer {
    if (answer === null || answer.episodes === null) return { protects: () => true, failure };
    const nowMs = this.#options.clock.wallUs() / 1000;
    const live = answer.episodes.filter(
      ({ toMs, expiresAtMs }) => (expiresAtMs ?? toMs + expirationMs) > nowMs,
    );
    const spans = uniteSpans(live.map(({ fromMs, toMs }): MsSpan => ({ fromMs, toMs })));
    const protects = (hour: number): boolean => {
      const span = { fromMs: hour * HOUR_MS, toMs: (hour + 1) * HOUR_MS };
      const isToldOf = span.fromMs >= answer.fromMs && span.toMs <= answer.toMs;
      return !isToldOf || meetsSpans(spans, span);
    };
    return { protects, failure };
  }
}
