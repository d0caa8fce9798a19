import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { late } from "../../base/late/late.ts";
import type { Late } from "../../base/late/late.ts";
import type { Logger } from "../../base/log.ts";
import type { LivePlan, ResolvedConfig } from "../../config/plan.ts";
import type { Archives, RecordingPlace } from "../../dvr/archives.ts";
import type { CopyFigures } from "../../dvr/copies.ts";
import type { RecordingFigures } from "../../dvr/writer/recording-counters.ts";
import { Schedule } from "../../dvr/keep/schedule.ts";
import type { ScheduleSpan } from "../../dvr/keep/schedule.ts";
import type { RetentionRules } from "../../dvr/keep/retention.ts";
import type { KeyFrame } from "../../dvr/pictures/key-frame.ts";
import type { RecordedExtent } from "../../dvr/reader/recorded-ranges.ts";
import type { SpanRequest } from "../../dvr/reader/span-presentation.ts";
import type { ArchivePlay } from "../../dvr/play/archive-play.ts";
import { StreamRecorder } from "../../dvr/writer/stream-recorder.ts";
import type { GroupWriter } from "../../dvr/writer/stream-recorder.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import type { MediaFile } from "../../packaging/media-path.ts";
import { readTrackFilter } from "../../packaging/track-filter.ts";
import type { Presentation } from "../../packaging/presentation.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { LiveStream } from "../../stream/live-stream.ts";
import type { Permit } from "../../stream/permit.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";
import { mp4DownloadReply, tsDownloadReply } from "./downloads.ts";
import type { ArchiveDownload } from "./downloads.ts";
import { copyRules } from "./copies.ts";
import { peersOf, plansWithoutPeer, targetsOf } from "./peers.ts";
import type { TellEvent } from "../events/thread-events.ts";
import { LateWriter } from "./late-writer.ts";
import { memoryBudgetBytes } from "../memory.ts";
import { HostGuard } from "../outside-hosts.ts";
import { planOf, playableStream } from "../live/stream-rules.ts";

/** The folder of a stream's archive; `null` where the configuration knows of none. */
export function archiveFolder(plan: LivePlan | null, name: StreamName): string | null {
  const dvr = plan?.dvr ?? null;
  return dvr === null ? null : `${dvr.root}/${name}`;
}

/** How a stream is recorded. */
export type RecordingPlan = {
  readonly place: RecordingPlace;
  /** `null`: at all times. */
  readonly schedule: readonly ScheduleSpan[] | null;
};

/** How a stream is recorded while it is on air; `null`: it is not. */
export function recordingPlan(plan: LivePlan | null, name: StreamName): RecordingPlan | null {
  const dvr = plan?.dvr ?? null;
  if (dvr === null || dvr.isOffline) return null;
  return { place: { root: dvr.root, stream: name, fsync: dvr.fsync }, schedule: dvr.schedule ?? null };
}

/** A stream that is recorded, or was. */
export type RecordedStream = {
  readonly name: StreamName;
  readonly plan: LivePlan;
  readonly folder: string;
  /** How long a stream that has stopped is waited for. */
  readonly sourceTimeoutMs: number | false;
};

/** The stream of that name, with its archive, for a protocol. Throws STREAM_*. */
export function recordedStream(config: ResolvedConfig, text: string, protocol: string): RecordedStream {
  const rules = playableStream(config, text);
  const { name } = rules;
  if (!rules.allowsProtocol(protocol)) throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol });
  const plan = planOf(config, name)!;
  const folder = archiveFolder(plan, name);
  if (folder === null) throw streamErrors.error("STREAM_NOT_RECORDED", { name });
  return { name, plan, folder, sourceTimeoutMs: rules.sourceTimeoutMs };
}

function scheduleOf(plan: RecordingPlan | null): Schedule | null {
  const schedule = plan?.schedule ?? null;
  return schedule === null ? null : new Schedule(schedule);
}

/** What a stream's configuration says of its archive; `null`: nothing, or that it is somewhere else. */
function retentionOf(config: ResolvedConfig, root: string, stream: string): RetentionRules | null {
  const name = parseStreamName(stream);
  const dvr = name === null ? null : (planOf(config, name)?.dvr ?? null);
  if (dvr === null || dvr.root !== root) return null;
  const { depthMs, sizeBytes, diskPercent, localMs, episodesUrl, episodesExpirationMs } = dvr;
  return { depthMs, sizeBytes, diskPercent, localMs, episodesUrl, episodesExpirationMs };
}

/** What of the memory may wait to be written while a disk hangs; live media has half of it. */
const WAITING_MEMORY_PERCENT = 20;
const MAX_WAITING_BYTES = 256 * 1024 * 1024;

/** What may wait to be written in each of so many threads, of what may in all of them together. */
export function waitingBytes(budgetBytes: number, threads: number): number {
  return Math.min(MAX_WAITING_BYTES, Math.floor(budgetBytes / threads));
}

/** A stream that is recorded now, or whose recorder waits for that. */
type Recording = {
  readonly recorder: StreamRecorder;
  /** As the configuration has it. */
  plan: RecordingPlan | null;
  /** Who writes the segment that grows, and who the next one: mostly the same. `null`: it is not recorded. */
  now: PlacedWriter | null;
  next: PlacedWriter | null;
};

type PlacedWriter = {
  readonly place: RecordingPlace;
  readonly writer: LateWriter<Archives>;
  readonly session: Permit | null;
};

/** Counts what is written for the recording's session. */
function countedWriter(placed: PlacedWriter): GroupWriter;
function countedWriter(placed: PlacedWriter | null): GroupWriter | null;
function countedWriter(placed: PlacedWriter | null): GroupWriter | null {
  if (placed === null) return null;
  const { writer, session } = placed;
  if (session === null) return writer;
  return {
    write(group) {
      session.count(group.bytes);
      writer.write(group);
    },
  };
}

/** What archives need of their thread. */
export type StreamArchivesOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** The configuration in force. */
  readonly config: () => ResolvedConfig;
  /** Which of the media threads this is; the only one unless given. */
  readonly thread?: { readonly index: number; readonly count: number };
  /** Takes what happens to recordings. */
  readonly tellEvent?: TellEvent | undefined;
  /** Begins the session of a recording. */
  readonly beginSession?: (name: StreamName) => Permit;
};

/** What is recorded here, and what was: streams' archives, as one media thread has them. */
export class StreamArchives {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #tellEvent: TellEvent | undefined;
  readonly #beginSession: StreamArchivesOptions["beginSession"];
  /** The archives themselves, for what is not said below. */
  readonly use: Late<Archives>;
  readonly #recording = new Map<StreamName, Recording>();
  readonly #closing = new Set<Promise<void>>();
  #loaded: Archives | null = null;
  #isDraining = false;
  readonly #warned = new Set<string>();
  /** Roots that were put in order. */
  readonly #recovered = new Set<string>();

  /** `config`: the one in force. `thread`: the one that this is; the only one unless given. */
  constructor(options: StreamArchivesOptions) {
    const { clock, log, config, thread, tellEvent } = options;
    this.#clock = clock;
    this.#log = log;
    this.#tellEvent = tellEvent;
    this.#beginSession = options.beginSession;
    this.use = late("the archive", async () => {
      const loaded = await import("../../dvr/archives.ts");
      this.#loaded = new loaded.Archives({
        ...{ clock, log, pod: process.env["POD_UID"] ?? "", copies: copyRules(config) },
        hosts: new HostGuard({ clock, allowed: () => config().allowedHosts }),
        waitingBytes: waitingBytes(memoryBudgetBytes(WAITING_MEMORY_PERCENT), thread?.count ?? 1),
        ...(thread === undefined ? {} : { thread }),
        onDiskChange: ({ root, error }) => {
          if (error === null) tellEvent?.("disk_recovered", { root });
          else tellEvent?.("disk_failed", { root, reason: error.message });
        },
      });
      return this.#loaded;
    });
  }

  /** Whether somebody has asked for archives so far. */
  get isLoaded(): boolean {
    return this.#loaded !== null;
  }

  /**
   * Puts what is recorded in order, and keeps it within its bounds from now on: for one thread of the process. To be called
   * again with each configuration. `config`: the one in force.
   */
  async keep(config: () => ResolvedConfig): Promise<void> {
    const plans = [...config().streams, ...config().templates];
    const roots = new Set(
      plans.flatMap(({ dvr }) => (dvr === undefined || dvr === null ? [] : [dvr.root])),
    );
    if (roots.size === 0 && this.#loaded === null) return;
    this.#warnOfPeers(config());
    const fresh = [...roots].filter((root) => !this.#recovered.has(root));
    for (const root of fresh) this.#recovered.add(root);
    try {
      await this.use(async (archives) => {
        archives.keep(roots, (root, stream) => retentionOf(config(), root, stream));
        await archives.recover(fresh);
        await archives.replicate(peersOf(config()), (peer, offered) => targetsOf(config(), peer, offered));
      });
    } catch (caught) {
      this.#log.error("archives could not be looked at", { error: messageOf(caught) });
    }
  }

  /** Says, once for each, where `replicate` is of no use. */
  #warnOfPeers(config: ResolvedConfig): void {
    for (const name of plansWithoutPeer(config)) {
      const key = `replicate ${name}`;
      if (this.#warned.has(key)) continue;
      this.#warned.add(key);
      this.#log.warn("a recording is not completed: replicate has no server, or there is no cluster_key", {
        name,
      });
    }
  }

  /**
   * What records a stream that lives here, the same one as long as it does: asked with another plan it goes on with that from
   * the next segment on, and with `null` it records nothing. The stream's media clock goes on behind what is recorded, whatever
   * the wall clock says.
   */
  recorder(stream: LiveStream, plan: RecordingPlan | null): StreamRecorder {
    const { name } = stream.rules;
    const known = this.#recording.get(name);
    if (known !== undefined) {
      if (!isDeepStrictEqual(known.plan, plan)) this.#recordOtherwise(stream, known, plan);
      return known.recorder;
    }
    const now = plan === null ? null : this.#writer(stream, plan.place);
    const recorder = new StreamRecorder(countedWriter(now), this.#clock, scheduleOf(plan));
    this.#recording.set(name, { recorder, plan, now, next: now });
    return recorder;
  }

  #recordOtherwise(stream: LiveStream, recording: Recording, plan: RecordingPlan | null): void {
    const { now, next, recorder } = recording;
    const { name } = stream.rules;
    const known = [next, now].find((placed) => isDeepStrictEqual(placed?.place, plan?.place));
    const placed = plan === null ? null : (known ?? this.#writer(stream, plan.place));
    recording.plan = plan;
    recording.next = placed;
    if (next !== now && next !== placed) this.#close(name, next);
    const target = placed === null ? null : { writer: countedWriter(placed), schedule: scheduleOf(plan) };
    recorder.recordOtherwise(target, () => {
      const before = recording.now;
      recording.now = placed;
      if (before !== placed) this.#close(name, before);
    });
  }

  #writer(stream: LiveStream, place: RecordingPlace): PlacedWriter {
    const log = this.#log.child({ stream: stream.rules.name });
    const writer = new LateWriter(this.use, (archives) => archives.writer(place, log));
    void this.#prepare(stream, writer, log);
    this.#tellEvent?.("recording_started", { media: stream.rules.name, root: place.root });
    return { place, writer, session: this.#beginSession?.(stream.rules.name) ?? null };
  }

  async #prepare(stream: LiveStream, writer: LateWriter<Archives>, log: Logger): Promise<void> {
    try {
      const endUs = await writer.prepare();
      if (endUs !== null) stream.goOnFrom(endUs);
    } catch (caught) {
      const reason = messageOf(caught);
      log.error("the archive could not be opened", { error: reason });
      this.#tellEvent?.("recording_failed", { media: stream.rules.name, reason });
    }
  }

  /** A stream lives here no more, or is not recorded any more: what came of it is written to its end. */
  close(name: StreamName): void {
    const recording = this.#recording.get(name);
    if (recording === undefined) return;
    this.#recording.delete(name);
    for (const placed of new Set([recording.now, recording.next])) this.#close(name, placed);
  }

  #close(name: StreamName, placed: PlacedWriter | null): void {
    if (placed === null) return;
    placed.session?.close("it is not recorded any more");
    this.#tellEvent?.("recording_stopped", { media: name, root: placed.place.root });
    const closing = placed.writer.close().catch((caught: unknown) => {
      this.#log.error("the archive of a stream was not closed in order", {
        stream: name,
        error: String(caught),
      });
    });
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }

  /** What the recorders of this thread have done; `null` where nothing was asked of archives so far. */
  recordingFigures(): RecordingFigures | null {
    return this.#loaded?.recordingFigures() ?? null;
  }

  /** How copying recordings to object storage is doing; `null` where this thread copies nothing. */
  copyFigures(): CopyFigures | null {
    return this.#loaded?.copyFigures() ?? null;
  }

  /** Resolves when all is written. */
  async stop(): Promise<void> {
    for (const name of this.#recording.keys()) this.close(name);
    await Promise.all(this.#closing);
    await this.#loaded?.stop();
  }

  /** A span of what is recorded of a stream. Rejects with DVR_*. */
  async span(recorded: Omit<RecordedStream, "sourceTimeoutMs">, span: TimeSpan): Promise<Presentation> {
    return await this.use((archives) => archives.span(recorded.folder, this.#request(recorded, span)));
  }

  /** The reply that is a span as one file. Rejects with DVR_*. */
  async download(
    recorded: RecordedStream,
    { span, format }: ArchiveDownload,
    { path, query }: Pick<HttpRequest, "path" | "query">,
  ): Promise<HttpReply> {
    const { folder } = recorded;
    const tracks = readTrackFilter(query);
    const request = this.#request(recorded, span);
    if (format === "mp4") {
      return mp4DownloadReply(await this.use((archives) => archives.mp4(folder, request, tracks)), path);
    }
    const made = await this.use((archives) => archives.ts(folder, request, tracks));
    return tsDownloadReply(made, path, this.#log.child({ stream: recorded.name }));
  }

  /**
   * A span as packets for one player, from its beginning on and on with what is recorded meanwhile. Rejects with DVR_*.
   *
   * `isUtc`: its clock is UTC up to the first gap, and not one that begins at 0.
   */
  async play(recorded: RecordedStream, span: TimeSpan, isUtc: boolean): Promise<ArchivePlay> {
    const { sourceTimeoutMs } = recorded;
    const timeoutUs = sourceTimeoutMs === false ? Infinity : sourceTimeoutMs * 1000;
    const patienceUs = (): number => (this.#isDraining ? 0 : timeoutUs);
    const request = { ...this.#request(recorded, span), isUtc, patienceUs };
    return await this.use((archives) => archives.play(recorded.folder, request));
  }

  /** Whoever has come to the end of what is recorded is not kept waiting any more. */
  drain(): void {
    this.#isDraining = true;
  }

  #request({ name, plan }: Pick<RecordedStream, "name" | "plan">, span: TimeSpan): SpanRequest {
    const { segmentDurationMs, segmentCount } = plan.options;
    const nowUs = this.#clock.wallUs();
    return { span, name, nowUs, segmentDurationUs: segmentDurationMs * 1000, segmentCount };
  }

  /** What has a segment or an init segment that is recorded; `null` when it is not. Rejects with DVR_*. */
  async media(folder: string, file: MediaFile): Promise<Presentation | null> {
    return await this.use((archives) => archives.media(folder, file));
  }
  /** What is recorded in a folder from a time on and before another one. Units: microseconds. Rejects with DVR_*. */
  async recordedExtent(folder: string, fromUs: number, toUs: number): Promise<RecordedExtent> {
    return await this.use((archives) => archives.ranges(folder, fromUs, toUs));
  }

  /** The last key frame of a stream that is recorded at a time or before it. Units: microseconds. Rejects with DVR_*. */
  async keyFrame(folder: string, atUs: number, name: string): Promise<KeyFrame> {
    return await this.use((archives) => archives.keyFrame(folder, atUs, name));
  }
}
