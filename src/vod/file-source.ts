import type { Clock, Timer } from "../base/clock.ts";
import { asMediaError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { ticksToUs, usToTicks } from "../base/time.ts";
import type { SourcePacket } from "../media/packet.ts";
import type { Track } from "../media/track.ts";
import type { Publisher } from "../stream/directory.ts";
import { readBlocks } from "./block-reader.ts";
import type { MediaFile } from "./media-file.ts";

/** What `startFileSource` needs. */
export type FileSourceOptions = {
  /** Opens the file; called for every round, so that a file that was replaced is noticed, and after failures. */
  readonly open: () => Promise<MediaFile>;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Logger;
  /** Begin again at the end, for ever. */
  readonly loop: boolean;
};

/** A file that plays. `stop` is idempotent; it closes the publisher. */
export type FileSource = { stop(): void };

/** How much is read at a time; the next part is read while one plays, so at most twice this is in memory. */
const PART_US = 1_000_000;
/** A part never has more; what is over comes with the next one. */
const MAX_PART_BYTES = 64 * 2 ** 20;
/** A source that is later than this, because the process stood still, goes on from now instead of catching up. */
const MAX_LATE_US = 2_000_000;
const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** A packet and when it is to be sent, on the file's clock. */
type TimedPacket = { readonly dtsUs: number; readonly packet: SourcePacket };

/** A place in a round: media time is `baseUs` and the time in the file together. */
type Place = { readonly file: MediaFile; readonly baseUs: number; readonly fromUs: number };

/** The packets from a place on. */
type Part = { readonly place: Place; readonly packets: readonly TimedPacket[]; readonly toUs: number };

/**
 * Plays a file in real time into a stream, each packet when its decode time comes.
 *
 * At the end it begins again where the longest track ended. All tracks of a round are moved by the same whole number of
 * microseconds, so audio and video keep their distance after any number of rounds.
 */
export function startFileSource(options: FileSourceOptions): FileSource {
  const player = new FilePlayer(options);
  player.run().catch((caught: unknown) => {
    options.log.error("file input ended", { reason: messageOf(caught) });
    player.stop();
  });
  return { stop: () => player.stop() };
}

class FilePlayer {
  readonly #options: FileSourceOptions;
  #isStopped = false;
  #wake: (() => void) | null = null;
  #timer: Timer | null = null;
  #retryMs = MIN_RETRY_MS;
  #tracks: readonly Track[] = [];
  /** The end of what was sent. */
  #endUs = 0;
  /** Monotonic time minus media time. */
  #anchorUs: number | null = null;

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#play();
      } catch (caught) {
        await this.#backOff(caught);
      }
    }
  }

  stop(): void {
    this.#finish("the file input was stopped");
  }

  #finish(reason: string): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#wake?.();
    this.#options.publisher.close(reason);
  }

  async #backOff(caught: unknown): Promise<void> {
    if (this.#isStopped) return;
    const retryMs = this.#retryMs;
    this.#retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    const fields = { code: asMediaError(caught)?.code, reason: messageOf(caught), retryMs };
    this.#options.log.warn("file input failed, trying again", fields);
    this.#anchorUs = null;
    await this.#sleep(retryMs);
  }

  /** Plays round by round; returns at the end of a file that is not to be looped, or when stopped. */
  async #play(): Promise<void> {
    const file = await this.#options.open();
    let next = readPart({ file, baseUs: this.#endUs, fromUs: 0 });
    while (!this.#isStopped) {
      const part = await next;
      if (this.#isStopped) return;
      this.#retryMs = MIN_RETRY_MS;
      const { file: played, baseUs } = part.place;
      const isEnd = part.toUs >= played.endUs;
      const isLast = isEnd && !this.#options.loop;
      if (!isLast)
        next = isEnd ? this.#readNextRound(part) : readPart({ ...part.place, fromUs: part.toUs });
      // A failure is met where it is awaited; this keeps one that comes while the part plays from being unhandled.
      next.catch(() => {});
      this.#announce(played);
      await this.#send(part.packets, baseUs);
      this.#endUs = baseUs + Math.min(part.toUs, roundOf(played));
      if (isLast) this.#finish("the file ended");
    }
  }

  async #readNextRound(part: Part): Promise<Part> {
    const { file, baseUs } = part.place;
    const opened = await this.#options.open();
    // A file that was merely closed in between is the same; its tracks must stay the same objects.
    const isSame = opened.source.version === file.source.version && opened.source.path === file.source.path;
    return await readPart({ file: isSame ? file : opened, baseUs: baseUs + roundOf(file), fromUs: 0 });
  }

  #announce(file: MediaFile): void {
    const { tracks } = file.trackSet;
    if (tracks === this.#tracks) return;
    this.#tracks = tracks;
    this.#options.publisher.setTracks(tracks);
  }

  async #send(packets: readonly TimedPacket[], baseUs: number): Promise<void> {
    for (const { dtsUs, packet } of packets) {
      const earlyMs = this.#earlyMs(baseUs + dtsUs);
      if (earlyMs > 0) await this.#sleep(earlyMs);
      if (this.#isStopped) return;
      const shift = usToTicks(baseUs, packet.track.timescale);
      this.#options.publisher.write({ ...packet, dts: packet.dts + shift, pts: packet.pts + shift });
    }
  }

  /** How long to wait for a time of the media; 0: it has come. Units: whole milliseconds. */
  #earlyMs(mediaUs: number): number {
    const nowUs = this.#options.clock.nowUs();
    this.#anchorUs ??= nowUs - mediaUs;
    const earlyUs = this.#anchorUs + mediaUs - nowUs;
    if (earlyUs < -MAX_LATE_US) this.#anchorUs = nowUs - mediaUs;
    return earlyUs >= 1000 ? Math.ceil(earlyUs / 1000) : 0;
  }

  async #sleep(delayMs: number): Promise<void> {
    if (this.#isStopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#timer = this.#options.clock.schedule(delayMs, resolve);
    await promise;
    this.#wake = null;
    this.#timer = null;
  }
}

/** How long a round is: from the first picture or sound to the end of the longest track. */
function roundOf(file: MediaFile): number {
  return Math.max(file.endUs - file.startUs, 1000);
}

/** Reads the packets that are due from a place on, in order of time. `toUs`: where the next part begins. */
async function readPart(place: Place): Promise<Part> {
  const { file, fromUs } = place;
  let spanUs = PART_US;
  let requests = requestsOf(file, fromUs, fromUs + spanUs);
  while (spanUs > 20_000 && bytesOf(requests) > MAX_PART_BYTES) {
    spanUs = Math.floor(spanUs / 2);
    requests = requestsOf(file, fromUs, fromUs + spanUs);
  }
  const blocks = await readBlocks(file.source, requests);
  const packets: TimedPacket[] = [];
  for (const [i, { track, first, end }] of requests.entries()) {
    if (end > first) addPackets(packets, track.table(first, end), blocks[i]!);
  }
  packets.sort((a, b) => a.dtsUs - b.dtsUs);
  return { place, packets, toUs: fromUs + spanUs };
}

function requestsOf(file: MediaFile, fromUs: number, toUs: number) {
  return file.tracks.map((track) => {
    const first = track.sampleAtOrAfter(fromUs);
    return { track, samples: track.samples, first, end: Math.max(first, track.sampleAtOrAfter(toUs)) };
  });
}

function bytesOf(requests: ReturnType<typeof requestsOf>): number {
  return requests.reduce((sum, { samples, first, end }) => sum + samples.bytesBetween(first, end), 0);
}

function addPackets(
  packets: TimedPacket[],
  table: ReturnType<MediaFile["tracks"][number]["table"]>,
  block: Uint8Array,
): void {
  const { track } = table;
  let dts = table.baseDts;
  let offset = 0;
  for (let i = 0; i < table.count; i++) {
    const size = table.sizes[i]!;
    const durationTicks = table.durations[i]!;
    const packet: SourcePacket = {
      track,
      dts,
      pts: dts + table.ctsOffsets[i]!,
      durationTicks,
      isSync: table.syncFlags[i] === 1,
      payload: block.subarray(offset, offset + size),
    };
    packets.push({ dtsUs: ticksToUs(dts, track.timescale), packet });
    dts += durationTicks;
    offset += size;
  }
}
