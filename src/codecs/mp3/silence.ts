import { parseMp3Header } from "./frame-header.ts";

/** What a frame of silence is made for. */
export type Mp3Silence = {
  readonly layer: 2 | 3;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
};

/** By rate: ID and layer-independent bits of the second byte, and the index of the rate. Spec: ISO/IEC 11172-3 2.4.2.3. */
const VERSIONS = [
  { bits: 3, rates: [44100, 48000, 32000] },
  { bits: 2, rates: [22050, 24000, 16000] },
  { bits: 0, rates: [11025, 12000, 8000] },
] as const;

/** bitrate_index: the lowest; layer II of MPEG-1 has no two channels below 64 kbit/s. */
const LOWEST = 1;
const LOWEST_PAIR = 4;

/**
 * A frame of MPEG audio that decodes to zeros: a header, and nothing but zero bits. Of layer III that says that no value
 * is coded and that nothing is taken from frames before; of layer II, that no subband has bits.
 *
 * Returns: `null` for a rate that no version has.
 * Spec: ISO/IEC 11172-3 sections 2.4.1.3 to 2.4.1.7; ISO/IEC 13818-3 section 2.4.1.
 */
export function buildMp3Silence({ layer, sampleRate, channels }: Mp3Silence): Uint8Array | null {
  const version = VERSIONS.find(({ rates }) => (rates as readonly number[]).includes(sampleRate));
  if (version === undefined) return null;
  const rate = (version.rates as readonly number[]).indexOf(sampleRate);
  const bitrate = layer === 2 && channels === 2 && version.bits === 3 ? LOWEST_PAIR : LOWEST;
  const header = Uint8Array.of(
    0xff,
    0xe0 | (version.bits << 3) | ((4 - layer) << 1) | 1, // without CRC
    (bitrate << 4) | (rate << 2),
    channels === 1 ? 0xc0 : 0,
  );
  const frame = new Uint8Array(parseMp3Header(header)!.frameBytes);
  frame.set(header);
  return frame;
}
