import type { BitReader } from "../../base/bits.ts";

/** Samples per second by samplingFrequencyIndex. Spec: ISO/IEC 14496-3 Table 1.18. */
export const AAC_SAMPLE_RATES: readonly number[] = [
  96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
];

/** Channels by channelConfiguration; 0 is reserved or listed elsewhere. Spec: ISO/IEC 14496-3 Table 1.19. */
export const AAC_CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0];

/**
 * Reads a program config element for its number of channels.
 * Spec: ISO/IEC 14496-3 section 4.4.1.1, Table 4.2. `byte_alignment` is relative to the start of the record, which is
 * the start of `bits`.
 */
export function countProgramChannels(bits: BitReader): number {
  bits.skip(10); // element_instance_tag, object_type, sampling_frequency_index
  const front = bits.read(4);
  const side = bits.read(4);
  const back = bits.read(4);
  const lfe = bits.read(2);
  const data = bits.read(3);
  const coupling = bits.read(4);
  if (bits.flag()) bits.skip(4); // mono_mixdown_element_number
  if (bits.flag()) bits.skip(4); // stereo_mixdown_element_number
  if (bits.flag()) bits.skip(3); // matrix_mixdown_idx, pseudo_surround_enable
  let channels = lfe;
  for (let i = 0; i < front + side + back; i++) {
    channels += bits.flag() ? 2 : 1; // is_cpe
    bits.skip(4);
  }
  bits.skip(lfe * 4 + data * 4 + coupling * 5);
  bits.align();
  bits.skip(bits.read(8) * 8); // comment_field_data
  return channels;
}
