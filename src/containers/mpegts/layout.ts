/** Numbers that both directions of a transport stream need. */

/** Bytes of every transport stream packet. Spec: ISO/IEC 13818-1 section 2.4.3.2. */
export const TS_PACKET_BYTES = 188;

/** Bytes of a packet behind its fixed header. */
export const TS_BODY_BYTES = 184;

/** First byte of every packet. */
export const TS_SYNC_BYTE = 0x47;

/** Ticks per second of PTS, DTS and the base of the PCR. Spec: ISO/IEC 13818-1 section 2.4.2.1. */
export const TS_TIMESCALE = 90_000;

/** PTS and DTS count modulo this: 26.5 hours. Spec: ISO/IEC 13818-1 section 2.4.3.7. */
export const TS_WRAP_TICKS = 2 ** 33;

/** PIDs with a meaning of their own. Spec: ISO/IEC 13818-1 table 2-3. */
export const TS_PID = {
  pat: 0,
  /** The first that a program may use. */
  firstFree: 0x10,
  null: 0x1fff,
} as const;

/** stream_type of the codecs that are carried. Spec: ISO/IEC 13818-1 table 2-34; ETSI TS 101 154; ATSC A/52 A.4.1. */
export const STREAM_TYPE = {
  mpeg1Audio: 0x03,
  mpeg2Audio: 0x04,
  /** Private data: the descriptors tell. */
  private: 0x06,
  adts: 0x0f,
  latm: 0x11,
  h264: 0x1b,
  h265: 0x24,
  ac3: 0x81,
  eac3: 0x87,
} as const;

/** Descriptor tags. Spec: ISO/IEC 13818-1 table 2-45; ETSI EN 300 468 table 12. */
export const DESCRIPTOR = {
  registration: 0x05,
  language: 0x0a,
  dvbAc3: 0x6a,
  dvbEac3: 0x7a,
  dvbExtension: 0x7f,
} as const;

/** descriptor_tag_extension of the Opus audio descriptor. Spec: ETSI TS 101 154 annex on Opus in MPEG-2 TS. */
export const OPUS_EXTENSION = 0x80;
