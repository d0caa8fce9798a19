import type { BitReader } from "../../base/bits.ts";

/** Most short-term sets and pictures in one. Spec: ITU-T H.265 sections 7.4.3.2.1, 7.4.8. */
const MAX_SHORT_TERM_SETS = 64;
const MAX_PICTURES = 16;
const MAX_LONG_TERM = 32;

/** Moves over scaling_list_data. Spec: ITU-T H.265 section 7.3.4. */
export function skipScalingLists(bits: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId++) {
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      const coefficients = Math.min(64, 1 << (4 + (sizeId << 1)));
      if (sizeId > 1) bits.se(); // scaling_list_dc_coef_minus8
      for (let i = 0; i < coefficients; i++) bits.se();
    }
  }
}

/**
 * Moves over the short-term reference picture sets.
 * Returns: `false` when a count is out of range, so that nothing after it can be trusted.
 * Spec: ITU-T H.265 section 7.3.7.
 */
export function skipShortTermSets(bits: BitReader): boolean {
  const sets = bits.ue();
  if (sets > MAX_SHORT_TERM_SETS) return false;
  let pictures = 0;
  for (let i = 0; i < sets && pictures >= 0; i++) pictures = skipShortTermSet(bits, i, pictures);
  return pictures >= 0 && !bits.isExhausted;
}

/** Returns: the pictures of the set (NumDeltaPocs), or -1 when they are too many. */
function skipShortTermSet(bits: BitReader, index: number, previous: number): number {
  if (index > 0 && bits.flag()) return skipPredictedSet(bits, previous);
  const negative = bits.ue();
  const positive = bits.ue();
  if (negative > MAX_PICTURES || positive > MAX_PICTURES || negative + positive > MAX_PICTURES) return -1;
  for (let i = 0; i < negative + positive; i++) {
    bits.ue(); // delta_poc_minus1
    bits.skip(1); // used_by_curr_pic
  }
  return negative + positive;
}

/** In an SPS a predicted set always refers to the set before it. */
function skipPredictedSet(bits: BitReader, previous: number): number {
  bits.skip(1); // delta_rps_sign
  bits.ue(); // abs_delta_rps_minus1
  let pictures = 0;
  for (let i = 0; i <= previous; i++) {
    const isUsed = bits.flag(); // used_by_curr_pic_flag
    if (isUsed || bits.flag()) pictures++; // use_delta_flag
  }
  return pictures > MAX_PICTURES ? -1 : pictures;
}

/** Moves over the long-term reference pictures. Returns: `false` when their count is out of range. */
export function skipLongTermReferences(bits: BitReader, pocBits: number): boolean {
  if (!bits.flag()) return true;
  const count = bits.ue();
  if (count > MAX_LONG_TERM) return false;
  bits.skip(count * (pocBits + 1));
  return true;
}
