/** Packets on their way to another thread: one message for all that a turn of the event loop brought. */

/** Names one stream's way through a pair of threads, in one direction; given by the side that asked for it. */
export type LinkId = number;

/**
 * What is sent. `records`: `RECORD_FIELDS` numbers for each packet, in order. `span`: bytes of the ring that the packets
 * take, gaps included; they are the sender's again when the receiver says so.
 */
export type PacketBatch = {
  /** The ring that offsets are in; sent with the first batch and remembered. */
  readonly ring: SharedArrayBuffer | null;
  readonly records: Float64Array;
  readonly span: number;
  /** Payloads that are too long for the ring, in order. */
  readonly long: readonly SharedArrayBuffer[];
};

/** Where the numbers of a record stand. Times are ticks of the packet's track, memory is bytes. */
export const FIELD = {
  link: 0,
  track: 1,
  dts: 2,
  pts: 3,
  durationTicks: 4,
  flags: 5,
  epoch: 6,
  /** In the ring, or `LONG`. */
  offset: 7,
  length: 8,
} as const;

/** Numbers of one record. */
export const RECORD_FIELDS = 9;

/** In place of an offset: the payload is the next of `long`. */
export const LONG = -1;

/** Bits of the field `flags`. */
export const FLAG = { isSync: 1, startsGop: 2 } as const;
