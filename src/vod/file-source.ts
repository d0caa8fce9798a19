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
  /** Opens the file; called again after it failed or changed. */
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

/**
 * Plays a file in real time into a stream, each packet when its decode time comes.
 *
 * At the end it begins again where the longest track ended: the k-th round is moved by k times the length of the file,
 * computed from k and not added up, so audio and video keep their distance after any number of rounds.
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
  /** The media time at which the present file's first round began. */
  #originUs = 0;
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
        const file = await this.#options.open();
        if (this.#isStopped) return;
        await this.#playFile(file);
        if (!this.#options.loop) this.#finish("the file ended");
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

  /** Plays a file round by round; returns at the end of a file that is not to be looped, or when stopped. */
  async #playFile(file: MediaFile): Promise<void> {
    this.#announce(file);
    this.#originUs = this.#endUs;
    const roundUs = Math.max(file.endUs - file.startUs, 1000);
    let round = 0;
    let fromUs = 0;
    let next = readPart(file, fromUs);
    while (!this.#isStopped) {
      const part = await next;
      this.#retryMs = MIN_RETRY_MS;
      const baseUs = this.#originUs + round * roundUs;
      fromUs = part.toUs;
      if (fromUs >= file.endUs) {
        fromUs = 0;
        round++;
      }
      const isLast = round > 0 && !this.#options.loop;
      if (!isLast) next = readPart(file, fromUs);
      // A failure is met where it is awaited; this keeps one that comes while the part plays from being unhandled.
      next.catch(() => {});
      await this.#send(part.packets, baseUs);
      this.#endUs = Math.max(this.#endUs, Math.min(baseUs + part.toUs, baseUs + roundUs));
      if (isLast) return;
    }
  }

  #announce(file: MediaFile): void {
    const { tracks } = file.trackSet;
    if (tracks === this.#tracks) return;
    this.#tracks = tracks;
    this.#options.publisher.setTracks(tracks);
  }

  async #send(packets: readonly TimedPacket[], baseUs: number): Promise<void> {
    for (const { dtsUs, packet } of packets) {
      await this.#waitUntil(baseUs + dtsUs);
      if (this.#isStopped) return;
      const shift = usToTicks(baseUs, packet.track.timescale);
      this.#options.publisher.write({ ...packet, dts: packet.dts + shift, pts: packet.pts + shift });
    }
  }

  async #waitUntil(mediaUs: number): Promise<void> {
    const nowUs = this.#options.clock.nowUs();
    this.#anchorUs ??= nowUs - mediaUs;
    const earlyUs = this.#anchorUs + mediaUs - nowUs;
    if (earlyUs < -MAX_LATE_US) this.#anchorUs = nowUs - mediaUs;
    if (earlyUs >= 1000) await this.#sleep(Math.ceil(earlyUs / 1000));
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

/** Reads the packets that are due from `fromUs` on, in order of time. `toUs`: where the next part begins. */
async function readPart(
  file: MediaFile,
  fromUs: number,
): Promise<{ packets: TimedPacket[]; toUs: number }> {
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
  return { packets, toUs: fromUs + spanUs };
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
