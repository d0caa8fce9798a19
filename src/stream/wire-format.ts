import type { TrackId } from "../media/ids.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { Track, TrackSet } from "../media/track.ts";

/**
 * How one protocol turns a stream into bytes that all of its subscribers share. `stream/` names no protocol: a
 * protocol hands its format in, and each packet is serialised at most once per format, and only while somebody
 * listens.
 */
export type WireFormat = {
  /** What every subscriber gets once, in front of its first configuration, such as a file header; nothing when absent. */
  preamble?(tracks: TrackSet): Uint8Array;
  /** An epoch begins with the next packet: for formats that keep what they write in one sequence. */
  begin?(tracks: TrackSet): void;
  /** The bytes that carry the configuration of an epoch, timed at `atUs` on the stream's media clock. */
  tracks(tracks: TrackSet, atUs: number): Uint8Array;
  /** Writes one packet into room that it asks for once; asks for none when this protocol cannot carry its track. */
  packet(packet: MediaPacket, room: WireRoom): void;
};

/** Where serialised packets go. */
export type WireRoom = {
  /** The buffer's place where what was last asked for begins. */
  readonly offset: number;
  /**
   * Makes room for so many bytes in one piece, more than none.
   * Returns: the buffer that they are in, from `offset` on. The caller writes every one of them before it returns.
   */
  reserve(lengthBytes: number): Uint8Array;
};

/** Makes the format of one stream; `id` is the key under which subscribers share the bytes. */
export type WireFormatFactory = {
  readonly id: string;
  /** `originUs`: the media clock at the stream's beginning, for protocols whose timestamps start near zero. */
  create(originUs: number): WireFormat;
  /**
   * Whether viewers get a track; left out where all are carried, or where it depends on what they ask for. What they do
   * not get is said in the log.
   */
  carries?(track: Track): boolean;
  /**
   * The tracks that viewers asked for, of which some may not be there, or not yet; left out where they asked for none in
   * particular. The bytes are those of this choice for as long as it is played.
   */
  readonly choice?: ReadonlySet<TrackId>;
  /**
   * For what a viewer chooses among the tracks: the format of those that there are, `null` before any is known, so that
   * choices that come to the same share their bytes. Asked again whenever the tracks change.
   */
  resolve?(tracks: TrackSet | null): WireFormatFactory;
};

/** A subscriber's connection as the core sees it. */
export type ByteSink = {
  /** Hands bytes to the connection. They are shared: the sink never writes to them, and may keep a reference. */
  write(bytes: Uint8Array): void;
  /** Bytes handed over that the peer's side has not taken yet. */
  queuedBytes(): number;
  /** The subscription is over, by the stream's end or because the subscriber was too slow. Called once. */
  end(reason: SubscriptionEnd): void;
};

/**
 * Why a subscription ended from the core's side; `server-stopping`: what is waited for will come to another server;
 * `no-room`: what viewers of this stream, or of all, ask for takes all the memory that it may take;
 * `not-carried`: the format carries none of the tracks; `tracks-not-there`: the stream has none of those in the choice.
 */
export type SubscriptionEnd =
  | "stream-ended"
  | "not-on-air"
  | "too-slow"
  | "server-stopping"
  | "no-room"
  | "not-carried"
  | "tracks-not-there";

/** What a subscriber holds; `close` is idempotent and never calls `end`. */
export type Subscription = { close(): void };
