/** What the control thread and the media threads say to each other. Plain data: it is cloned on its way. */
import type { MessagePort } from "node:worker_threads";
import type { SessionClaim, SessionEnd, SessionProgress, Verdict } from "../../auth/claim.ts";
import type { LogFields, LogLevel } from "../../base/log.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { StreamName } from "../../media/ids.ts";
import type { StreamSummary } from "../../stream/directory.ts";
import type { StreamColumns } from "../live/stream-columns.ts";
import type { BegunSession, ClosedSession } from "../access/session-authority.ts";
import type { Crowd, DrainStep } from "../drain.ts";
import type { PortsByKey } from "../listeners/listener-set.ts";
import type { MediaNodeStats } from "../media-node.ts";
import type { ArchiveCalls } from "./archive-calls.ts";
import type { ThreadEvent } from "../events/thread-events.ts";
import type { PackedReply, PackedRequest } from "./packed-http.ts";
import type { BodyPiece, BodyWish } from "./streamed-bodies.ts";
import type { ConfigDifference } from "./config-difference.ts";

/** Ports of listeners by their keys; who is not there is opened on the port of its plan. */
export type OpenPorts = { readonly http: PortsByKey; readonly rtmp: PortsByKey };

/** Figures of one media thread. */
export type ThreadStats = MediaNodeStats & {
  readonly httpConnections: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
  readonly eventLoopDelayP99Ms: number;
  /** In which share of the last seconds it did not wait. Units: percent. */
  readonly eventLoopBusyPercent: number;
  /** What keeps the thread's event loop busy, by kind: `TCPSocketWrap`, `Timeout` and so on. */
  readonly activeResources: Readonly<Record<string, number>>;
};

/** Ports to a sibling: for packets, and for live windows. */
export type SiblingPorts = { readonly streams: MessagePort; readonly windows: MessagePort };

/** What a media thread answers to the control thread. */
export type MediaThreadCalls = ArchiveCalls & {
  /** Opens the listeners that are not open yet, each on its port. Answers the ports of all. */
  listen: {
    argument: { readonly listeners: ResolvedConfig["listeners"]; readonly ports: OpenPorts };
    answer: OpenPorts;
  };
  /** Starts the streams of the thread's own. */
  start: { argument: null; answer: null };
  /** One step of the way to the end, which `stop` is. */
  drain: { argument: DrainStep; answer: null };
  /** Who is there. */
  crowd: { argument: null; answer: Crowd };
  stop: { argument: null; answer: null };
  streams: { argument: null; answer: readonly StreamSummary[] };
  stats: { argument: null; answer: ThreadStats };
  /** Names of files, at most so many. */
  files: { argument: number; answer: readonly string[] };
  /**
   * A new configuration is in force, whose listeners are open: closes those that it does not have. Told as what leads to it
   * from the one that the thread was told of before, or began with.
   */
  configure: { argument: ConfigDifference; answer: null };
  /** Certificates have changed: looks at their files, and answers when new connections are shown them. */
  certificates: { argument: null; answer: null };
  /** The home of a watched stream is now this thread; `null`: it has none. */
  home: { argument: { readonly name: StreamName; readonly home: number | null }; answer: null };
  /** The way to a sibling; `null`: it is gone. */
  sibling: { argument: { readonly index: number; readonly ports: SiblingPorts | null }; answer: null };
  /** Figures of all streams, in a form that ten thousand of them take little time to cross in. */
  streamColumns: { argument: null; answer: StreamColumns };
  /** Those of these streams that live there. */
  streamDetails: { argument: readonly string[]; answer: readonly StreamSummary[] };
  /** Takes the publisher of a stream off; a source of the server's own begins anew. Answers whether there was one. */
  stopStream: { argument: StreamName; answer: boolean };
  /** Sessions that are over by the control thread's will. */
  "session-ends": { argument: readonly SessionEnd[]; answer: null };
  /** For tests of faults: throw, or stop answering. */
  fault: { argument: "throw" | "hang"; answer: null };
  /** The next bytes of an endless body, or its end. */
  bodyPiece: { argument: BodyPiece; answer: null };
};

/** What the control thread answers to a media thread. */
export type ControlCalls = {
  log: {
    argument: { readonly level: LogLevel; readonly message: string; readonly fields: LogFields };
    answer: null;
  };
  /** A request that is not for media. */
  http: { argument: { readonly request: PackedRequest; readonly hasApi: boolean }; answer: PackedReply };
  /** Why the server is not ready; `null` when it is. */
  readiness: { argument: null; answer: string | null };
  /** Makes the asking thread the home of a stream, unless it has one. Answers the home. */
  claim: { argument: StreamName; answer: number };
  /** The asking thread is the home no more. */
  release: { argument: StreamName; answer: null };
  /** Asks to be told of the home, now and at every change. */
  watch: { argument: StreamName; answer: number | null };
  unwatch: { argument: StreamName; answer: null };
  /** Something happened in the asking thread. */
  event: { argument: ThreadEvent; answer: null };
  /** Of an endless body: it is wanted, it is not any more, or so many bytes of it are not taken. */
  body: { argument: BodyWish; answer: null };
  /** Whether somebody may play or publish. */
  "session-open": { argument: SessionClaim; answer: Verdict };
  /** A session of which nobody had to be asked. */
  "session-begun": { argument: BegunSession; answer: null };
  "session-report": { argument: readonly SessionProgress[]; answer: null };
  /** Connections of a session are over. */
  "session-closed": { argument: ClosedSession; answer: null };
};

/** What a media thread is given when it starts. */
export type ThreadStart = {
  readonly index: number;
  readonly count: number;
  readonly config: ResolvedConfig;
  readonly shares: ThreadShares;
  /** When the server started. Units: milliseconds since 1970. */
  readonly startedAtMs: number;
  /** A secret of the process, from which threads make ids of sessions. */
  readonly sessionSalt: string;
};

/** Memory that all threads of the process see. */
export type ThreadShares = {
  /**
   * One counter per media thread and, last, the control thread's, moved on twice a second: whoever stops has hung. 0 where
   * none runs.
   */
  readonly beats: Int32Array;
  /** Its one value is 1 once the server drains. */
  readonly draining: Int32Array;
  /** KiB of media that each thread holds for its streams. */
  readonly heldKib: Int32Array;
  /** Viewers that each thread has, as of a moment ago. */
  readonly viewers: Int32Array;
  /** Connections by address, see `SharedAddressCounter`. */
  readonly rtmpAddresses: Int32Array;
  readonly httpAddresses: Int32Array;
  /** What tickets of TLS are encrypted with, so that every thread takes those of the others; new with each start. */
  readonly ticketKeys: Uint8Array;
};
