/** Packets on their way to another thread: one message for all that a turn of the event loop brought. */

/** Names one stream's way through a pair of threads, in one direction; given by the side that asked for it. */
export type LinkId = number;

/** Shared memory that payloads lie in, by the number under which records name it. */
export type SlabEntry = {
  readonly link: LinkId;
  readonly slab: number;
  readonly memory: SharedArrayBuffer;
};

/** What is sent. `records`: `RECORD_FIELDS` numbers for each packet, in order. */
export type PacketBatch = { readonly slabs: readonly SlabEntry[]; readonly records: Float64Array };

/** Where the numbers of a record stand. Times are ticks of the packet's track, memory is bytes. */
export const FIELD = {
  link: 0,
  track: 1,
  dts: 2,
  pts: 3,
  durationTicks: 4,
  flags: 5,
  epoch: 6,
  slab: 7,
  offset: 8,
  length: 9,
} as const;

/** Numbers of one record. */
export const RECORD_FIELDS = 10;

/** Bits of the field `flags`. */
export const FLAG = { isSync: 1, startsGop: 2 } as const;

/**
 * Slabs of one link that both sides remember: the packets of a stream lie in one after the other, so that a few suffice.
 * What is forgotten is announced anew when it is needed again.
 */
export const REMEMBERED_SLABS = 4;
