/** A stream that is recorded into memory, from packets to files, with a clock that is moved by hand. */
import { setImmediate as turn } from "node:timers/promises";
import type { Logger } from "../../src/base/log.ts";
import { ticksToUs } from "../../src/base/time.ts";
import type { ArchiveFiles } from "../../src/dvr/archive-files.ts";
import { HourIndex } from "../../src/dvr/format/hour-index.ts";
import { hourOf, indexFile } from "../../src/dvr/format/hour.ts";
import { ArchiveWriter } from "../../src/dvr/writer/archive-writer.ts";
import type { ArchiveWriterOptions } from "../../src/dvr/writer/archive-writer.ts";
import { BoundedWork } from "../../src/base/bounded-work.ts";
import { vodBusy } from "../../src/vod/busy.ts";
import type { RecordedGroup } from "../../src/dvr/writer/recorded-group.ts";
import { StreamRecorder } from "../../src/dvr/writer/stream-recorder.ts";
import type { WriteAccess } from "../../src/dvr/writer/write-access.ts";
import type { PacketSink } from "../../src/media/packet.ts";
import { LiveWindow } from "../../src/packaging/live-window.ts";
import { MemoryFiles } from "./archive-files.ts";
import { FakeClock } from "./fake-clock.ts";
import { LiveSource, SOURCE_START_US } from "./live-source.ts";
import type { SourceStretch } from "./live-source.ts";
import { RecordingLog } from "./recording-log.ts";

/** Where the stream of a `MemoryRecording` is recorded. */
export const RECORDED_FOLDER = "/archive/cam";

/** A right to write that a test gives and takes. */
export class TestAccess implements WriteAccess {
  isOurs = true;
  /** The volume takes recordings. */
  isWell = true;
  /** What was reported, one behind the other. */
  readonly failures: unknown[] = [];
  /** Whether a failure stops the whole volume. */
  stopsVolume = false;
  releases = 0;
  onLost: () => void = () => {};
  #held = Promise.withResolvers<void>();

  constructor(isHeld = true) {
    if (isHeld) this.hold();
    else this.isOurs = false;
  }

  hold(): void {
    this.isOurs = true;
    this.#held.resolve();
  }

  /** The stream is somebody else's from now on. */
  lose(): void {
    this.isOurs = false;
    this.#held = Promise.withResolvers();
    this.onLost();
  }

  mayWrite(): boolean {
    return this.isOurs && this.isWell;
  }

  whenHeld(): Promise<void> {
    return this.#held.promise;
  }

  failed(caught: unknown): void {
    this.failures.push(caught);
    if (this.stopsVolume) this.isWell = false;
  }

  async release(): Promise<void> {
    this.releases++;
    this.isOurs = false;
    this.#held.resolve();
    await Promise.resolve();
  }
}

/** How a stream is recorded. */
export type MemoryRecordingOptions = Partial<
  Pick<ArchiveWriterOptions, "fsync" | "waiting" | "maxHourRecords">
> & {
  readonly files?: ArchiveFiles;
  readonly access?: TestAccess;
  /** When it begins; `SOURCE_START_US` unless given. */
  readonly atUs?: number;
  readonly log?: Logger;
};

/** One process that records one stream. */
export class MemoryRecording {
  readonly clock: FakeClock;
  readonly files: ArchiveFiles;
  readonly access: TestAccess;
  readonly log = new RecordingLog();
  readonly writer: ArchiveWriter;
  readonly window: LiveWindow;
  readonly source: LiveSource;
  /** What came to be written: when, on the monotonic clock, how far it goes on the media clock, and bytes of media. */
  readonly given: { atUs: number; endUs: number; bytes: number }[] = [];

  constructor(options: MemoryRecordingOptions = {}) {
    const { atUs = SOURCE_START_US, fsync = "none" } = options;
    const { waiting = { bytes: 0, limit: Infinity } } = options;
    this.clock = new FakeClock(atUs);
    this.files = options.files ?? new MemoryFiles();
    this.access = options.access ?? new TestAccess();
    const { clock, files, access, log } = this;
    this.writer = new ArchiveWriter({
      ...{ files, clock, fsync, waiting, folder: RECORDED_FOLDER, log: options.log ?? log },
      syncs: new BoundedWork({ running: 1, waiting: 10 }, vodBusy),
      ...(options.maxHourRecords === undefined ? {} : { maxHourRecords: options.maxHourRecords }),
      access: (onLost) => {
        access.onLost = onLost;
        return access;
      },
    });
    const recorder = new StreamRecorder({ write: (group) => this.#write(group) }, clock);
    this.window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 100, clock, recorder });
    this.source = new LiveSource(inTime(this.window, clock, atUs));
    this.source.skip((atUs - SOURCE_START_US) / 1e6);
  }

  /** Sends a stretch all at once, as far as the disk is concerned, then lets the writer write. */
  async play(stretch: SourceStretch): Promise<void> {
    this.source.play(stretch);
    await settle();
  }

  /** Sends a stretch in pieces of 0.2 s, of which it has a whole number, and lets the writer write behind each. */
  async playSlowly(stretch: SourceStretch): Promise<void> {
    const { begins, ...rest } = stretch;
    for (let piece = 0; piece < Math.round(stretch.seconds * 5); piece++) {
      const part = { ...rest, seconds: 0.2 };
      await this.play(piece === 0 && begins !== undefined ? { ...part, begins } : part);
    }
  }

  /** The source leaves, and the writer is closed in order. */
  async close(): Promise<void> {
    this.window.onEnd();
    await this.writer.close();
  }

  #write(group: RecordedGroup): void {
    this.given.push({ atUs: this.clock.nowUs(), endUs: group.endUs, bytes: group.bytes });
    this.writer.write(group);
  }
}

/** Lets all that waits for memory files come through. */
export async function settle(): Promise<void> {
  await turn();
  await turn();
}

/** The index of the hour at a time, as a reader has it. */
export function indexAt(files: MemoryFiles, us = SOURCE_START_US): HourIndex {
  return HourIndex.parse(files.contents.get(`${RECORDED_FOLDER}/${indexFile(hourOf(us))}`)!);
}

/** Where segments begin and end, in seconds since the source's start, to a tenth. */
export function spansOf(index: HourIndex): [number, number][] {
  return [...index.segments()].map(({ startUs, durationUs }) => {
    const tenths = (us: number): number => Math.round((us - SOURCE_START_US) / 1e5) / 10;
    return [tenths(startUs), tenths(startUs + durationUs)];
  });
}

/** A sink whose clock moves on with its packets, wherever the wall clock is set to meanwhile. */
function inTime(sink: PacketSink, clock: FakeClock, startUs: number): PacketSink {
  return {
    onTracks: (tracks) => sink.onTracks(tracks),
    onPause: () => sink.onPause(),
    onEnd: (reason) => sink.onEnd(reason),
    onPacket: (packet) => {
      const behindUs = ticksToUs(packet.dts, packet.track.timescale) - startUs - clock.nowUs();
      if (behindUs > 0) clock.advance(behindUs / 1000);
      sink.onPacket(packet);
    },
  };
}
