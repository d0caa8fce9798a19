import { BitWriter } from "../bit-writer.ts";
import type { AacConfig } from "./audio-specific-config.ts";

/** Syntactic elements of a raw_data_block. Spec: ISO/IEC 14496-3 Table 4.85. */
const SINGLE = 0;
const PAIR = 1;
const LOW_FREQUENCIES = 3;
const END = 7;

/** The elements of each channelConfiguration, in their order. Spec: ISO/IEC 14496-3 Table 1.19. */
const ELEMENTS: Readonly<Record<number, readonly number[]>> = {
  1: [SINGLE],
  2: [PAIR],
  3: [SINGLE, PAIR],
  4: [SINGLE, PAIR, SINGLE],
  5: [SINGLE, PAIR, PAIR],
  6: [SINGLE, PAIR, PAIR, LOW_FREQUENCIES],
  7: [SINGLE, PAIR, PAIR, PAIR, LOW_FREQUENCIES],
  11: [SINGLE, PAIR, PAIR, SINGLE, LOW_FREQUENCIES],
  12: [SINGLE, PAIR, PAIR, PAIR, LOW_FREQUENCIES],
};

/** Spec: ISO/IEC 14496-3 Table 1.17. */
const AOT_LC = 2;

/**
 * A frame of AAC-LC that decodes to zeros: no channel has a scale factor band (`max_sfb` = 0), so there is no section,
 * no scale factor and no spectrum. Where spectral band replication is signalled it is left out of the frame, and the
 * decoder only raises the rate of the core's zeros.
 *
 * Returns: a raw_data_block, or `null` for other object types and for channels that a program config element lists.
 * Spec: ISO/IEC 14496-3 sections 4.4.2.1 (raw_data_block), 4.4.2.7 (individual_channel_stream, ics_info).
 */
export function buildAacSilence({ objectType, channelConfig }: AacConfig): Uint8Array | null {
  const elements = ELEMENTS[channelConfig];
  if (objectType !== AOT_LC || elements === undefined) return null;
  const bits = new BitWriter();
  const used = [0, 0, 0, 0];
  for (const element of elements) {
    bits.write(element, 3).write(used[element]!++, 4); // id_syn_ele, element_instance_tag
    if (element === PAIR) writePair(bits);
    else writeChannel(bits, true);
  }
  return bits.write(END, 3).finish();
}

/** Both channels share one window: common_window is 1, ms_mask_present 0. */
function writePair(bits: BitWriter): void {
  bits.write(1, 1);
  writeWindow(bits);
  bits.write(0, 2);
  writeChannel(bits, false);
  writeChannel(bits, false);
}

function writeChannel(bits: BitWriter, hasWindow: boolean): void {
  bits.write(0, 8); // global_gain
  if (hasWindow) writeWindow(bits);
  bits.write(0, 3); // pulse_data_present, tns_data_present, gain_control_data_present
}

/** ics_reserved_bit, window_sequence ONLY_LONG_SEQUENCE, window_shape, max_sfb, predictor_data_present: all zero. */
function writeWindow(bits: BitWriter): void {
  bits.write(0, 1 + 2 + 1 + 6 + 1);
}
