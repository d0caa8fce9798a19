import type { StreamName } from "../media/ids.ts";
import type { SourcePacket } from "../media/packet.ts";
import type { Track, TrackSet } from "../media/track.ts";
import type { SendWindow } from "./rules.ts";
import type { ByteSink, Subscription, WireFormatFactory } from "./wire-format.ts";

/**
 * Where streams are found. Whether a stream lives in this thread, a sibling thread or another pod is known to the
 * directory alone; whoever publishes or subscribes sees this interface.
 */
export type StreamDirectory = {
  /**
   * Claims a name for a publisher, at once where nobody else has to be asked.
   * Throws, or rejects with, STREAM_NOT_FOUND, _NOT_PUBLISHABLE, _DISABLED, _BUSY, _LIMIT.
   */
  publish(request: PublishRequest): Publisher | Promise<Publisher>;
  /**
   * Subscribes to the bytes of a stream that is on air, or waits for it while its name is allowed.
   * Throws STREAM_NOT_FOUND, _DISABLED, _PROTOCOL_OFF.
   */
  subscribe(request: SubscribeRequest): Subscription;
  /** Throws what `subscribe` would throw by the rules alone: STREAM_NOT_FOUND, _DISABLED, _PROTOCOL_OFF. */
  checkSubscribe(request: Pick<SubscribeRequest, "name" | "protocol">): void;
};

/** Who wants to publish what. */
export type PublishRequest = {
  readonly name: StreamName;
  /** The word of the `protocols` directive, e.g. `rtmp`. */
  readonly protocol: string;
  readonly remoteAddress: string;
  /** Called once when the core takes the name away: replaced by another publisher, or the stream was removed. */
  onRevoked(reason: string): void;
  /** Called once when viewers can begin: the first GOP has begun. */
  onPlayable?(): void;
};

/** A publisher's end of a stream. After `close` or `onRevoked` every call does nothing. */
export type Publisher = {
  /** The tracks from here on. Always before the first packet; again when any configuration changes. */
  setTracks(tracks: readonly Track[]): void;
  /** The next packet, in decode order per track, of a track given by `setTracks`. */
  write(packet: SourcePacket): void;
  /**
   * How long nobody has any use for more from this publisher: its connection need not be read before. Units:
   * milliseconds; 0 and less than some 20: read at once.
   */
  patienceMs(): number;
  /**
   * How far the stream's end is ahead of the wall clock, less than 0 while it is behind; left out where that is known in
   * another thread only. Units: milliseconds.
   */
  leadMs?(): number;
  /** The publisher left; the stream waits `source_timeout` for it to come back. */
  close(reason: string): void;
};

/** Who wants which bytes. */
export type SubscribeRequest = {
  readonly name: StreamName;
  readonly protocol: string;
  readonly format: WireFormatFactory;
  readonly sink: ByteSink;
  /** `send_window` of the listener, where the stream has none of its own. */
  readonly sendWindow?: SendWindow;
  /** False: a stream that is not on air ends the subscription at once (`not-on-air`) instead of being waited for. */
  readonly waitsForPublisher?: boolean;
};

/** Who publishes: the word of the `protocols` directive, or `file` and `fake`, and from where. */
export type PublisherSummary = {
  readonly protocol: string;
  readonly remoteAddress: string;
  /** UTC in microseconds at which it came. */
  readonly openedUs: number;
  /** Of its own media. */
  readonly bytesIn: number;
};

/** What other rooms may know of a stream. `publisher` null: nobody publishes. */
export type StreamSummary = {
  readonly name: StreamName;
  readonly status: "live" | "waiting";
  readonly tracks: TrackSet | null;
  /** UTC in microseconds since which the present publisher is on air. */
  readonly sinceUs: number | null;
  readonly bytesIn: number;
  readonly subscribers: number;
  /** UTC in microseconds at which the stream came to be. */
  readonly openedUs: number;
  /** Of what comes in. Units: bits per second. */
  readonly inputBps: number;
  /** Publishers that came back, or came after another one. */
  readonly returns: number;
  /** Decoding time of the newest packet on the stream's clock, UTC in microseconds; `null`: there was none. */
  readonly lastDtsUs: number | null;
  /** UTC in microseconds at which it came. */
  readonly lastAtUs: number | null;
  readonly publisher: PublisherSummary | null;
};
