/**
 * What one MP4 file may cost. Every limit stops a file that was made to hurt; none is near what a recording of a day
 * needs.
 */
export const MP4_LIMITS = {
  /** A `moov` is read whole. One hour has about 3 MB, a day with several tracks 40 MB. */
  moovBytes: 64 * 2 ** 20,
  /** A `moof` is read whole; one with 10 000 samples has 160 KB. */
  moofBytes: 4 * 2 ** 20,
  /** Boxes at the top level, each of which may cost a read: 48 h in fragments of 2 s have 180 000. */
  topLevelBoxes: 2 ** 18,
  /** Tracks of a file. */
  tracks: 64,
  /** Samples of a track: a day of AAC at 48 kHz has 4 million. */
  samples: 2 ** 23,
  /** Length of a track in seconds, with room for two days. */
  durationS: 48 * 3600,
  /** Bytes of a codec configuration record or a descriptor. */
  configBytes: 64 * 2 ** 10,
} as const;
