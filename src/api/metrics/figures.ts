/** What the metrics are made of: plain data, read when somebody asks. */
import type { HistogramFigures } from "../../base/histogram.ts";

/** Figures of one media thread, as they are now; what is counted is counted since the thread was started. */
export type ThreadFigures = {
  readonly index: number;
  readonly isRunning: boolean;
  readonly publishers: number;
  readonly viewers: number;
  readonly httpConnections: number;
  readonly rtmpConnections: number;
  readonly heapBytes: number;
  /** Media in live windows. */
  readonly windowBytes: number;
  /** Parts of other threads' windows. */
  readonly remotePartBytes: number;
  /** Requests for media to come. */
  readonly heldRequests: number;
  /** Lateness of the event loop, 99th percentile of the last minute. */
  readonly eventLoopDelayS: number;
  /** What connections of viewers were sent, and missed since they were too slow. */
  readonly delivery: {
    readonly bytes: number;
    readonly missedFlushes: number;
    readonly resyncs: number;
    readonly tooSlow: number;
  };
  /** Packets that other threads missed. */
  readonly droppedPackets: number;
};

/** What recorders have done. */
export type RecordingTotals = {
  readonly bytes: number;
  readonly waitingBytes: number;
  readonly lostGroups: number;
  readonly lagS: HistogramFigures;
};

/** Sessions of one kind over one protocol. */
export type SessionRow = {
  readonly kind: string;
  readonly proto: string;
  /** Now. */
  readonly count: number;
  /** Since the start. */
  readonly opened: number;
  readonly bytes: number;
};

/** What servers that decide of sessions were asked. */
export type AccessTotals = {
  /** Claims that were refused, by kind. */
  readonly denied: Readonly<Record<string, number>>;
  /** Wrong passwords of publishers, and tokens with wrong signatures, by which it is. */
  readonly wrong: Readonly<Record<string, number>>;
  /** Questions to servers, by how they ended: allowed, denied, redirected, failed. */
  readonly asked: Readonly<Record<string, number>>;
  readonly askedS: HistogramFigures;
  /** Questions that wait for their turn, now. */
  readonly waiting: number;
  /** Requests with wrong credentials of administrators. */
  readonly adminFailures: number;
};

/** One sink of events. */
export type SinkRow = {
  readonly name: string;
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly sent: number;
  readonly resent: number;
  readonly dropped: number;
};

/** One stream, where rows a stream are wanted. */
export type StreamRow = {
  readonly name: string;
  readonly isLive: boolean;
  readonly clients: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Units: bits per second, as all bit rates here. */
  readonly inputBitrate: number;
  readonly outputBps: number;
  readonly returns: number;
};

/** A file system that is recorded to. */
export type PartitionRow = {
  readonly path: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
};

/** Figures of the server, as they are now; what is counted is counted since it was started. */
export type ServerFigures = {
  readonly version: string;
  readonly serverId: string;
  readonly startedAtS: number;
  readonly isReady: boolean;
  readonly streams: number;
  readonly liveStreams: number;
  /** Of media: what comes in, and what went to viewers since somebody asked before. Units: bits per second. */
  readonly inputBps: number;
  readonly outputBps: number;
  readonly residentBytes: number;
  readonly cpuS: number;
  /** Of all CPUs that it may use, as of the last seconds. Units: percent. */
  /** Lateness of the control thread's event loop, 99th percentile of the last minute. */
  readonly controlDelayS: number;
  readonly cpuPercent: number;
  /** Of the time of media threads' event loops, on average. Units: percent. */
  readonly loopPercent: number;
  /** Files, sockets and the like; `null`: the system does not tell. */
  readonly openFiles: number | null;
  /** Of the memory that it may use. Units: percent. */
  readonly memoryPercent: number;
  readonly threads: readonly ThreadFigures[];
  readonly threadRestarts: number;
  readonly segmentS: HistogramFigures | null;
  readonly partS: HistogramFigures | null;
  readonly recording: RecordingTotals | null;
  /** Hours of recordings on their way to object storage, and there. */
  readonly copies: {
    readonly waitingHours: number;
    readonly hours: number;
    readonly bytes: number;
    readonly failures: number;
  };
  /** Streams and viewers that went with a media thread. */
  readonly lostStreams: number;
  readonly lostViewers: number;
  readonly reloads: { readonly taken: number; readonly refused: number };
  /** Whether the configuration that was read last is the one in force. */
  readonly isConfigTaken: boolean;
  readonly sessions: readonly SessionRow[];
  readonly access: AccessTotals;
  readonly sinks: readonly SinkRow[];
  readonly partitions: readonly PartitionRow[];
  /** Empty unless the configuration wants them. */
  readonly perStream: readonly StreamRow[];
};
