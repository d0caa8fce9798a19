/** Most samples in a packet: 120 ms at 48 kHz. Spec: RFC 6716 section 3.2.5 (R5). */
const MAX_PACKET_SAMPLES = 5760;

const SILK_SAMPLES = [480, 960, 1920, 2880] as const;
const CELT_SAMPLES = [120, 240, 480, 960] as const;

/**
 * Samples at 48 kHz that a packet decodes to, from its table-of-contents byte.
 *
 * Returns: 0 for an empty packet and for one that breaks the 120 ms rule.
 * Spec: RFC 6716 section 3.1, Table 2.
 */
export function opusPacketSamples(packet: Uint8Array): number {
  if (packet.byteLength === 0) return 0;
  const config = packet[0]! >> 3;
  const samples = frameSamples(config);
  const code = packet[0]! & 3;
  if (code === 3 && packet.byteLength < 2) return 0;
  const frames = code === 0 ? 1 : code === 3 ? packet[1]! & 0x3f : 2;
  const total = samples * frames;
  return total > MAX_PACKET_SAMPLES ? 0 : total;
}

/** SILK-only (configs 0 to 11), hybrid (12 to 15), CELT-only (16 to 31). */
function frameSamples(config: number): number {
  if (config < 12) return SILK_SAMPLES[config & 3]!;
  if (config < 16) return SILK_SAMPLES[config & 1]!;
  return CELT_SAMPLES[config & 3]!;
}
