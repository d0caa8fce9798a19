import { parseOpusHead } from "./opus-head.ts";

/** Samples at 48 kHz of a packet of silence. */
export const OPUS_SILENCE_SAMPLES = 960;

/** CELT, full band, 20 ms, one frame in the packet. Spec: RFC 6716 section 3.1. */
const TOC = 0xf8;
const TOC_STEREO = 0x04;

/** A CELT frame whose silence flag is set. Spec: RFC 6716 section 4.3. */
const FRAME = [0xff, 0xfe] as const;

/**
 * A packet of 20 ms that decodes to zeros: in each of its streams a frame whose silence flag is set.
 *
 * All streams but the last have the form with a length in it. Throws: what `parseOpusHead` does.
 * Spec: RFC 6716 sections 3.2, 4.3, Appendix B; RFC 7845 sections 3, 5.1.1.
 */
export function buildOpusSilence(config: Uint8Array): Uint8Array {
  const { channels, mappingFamily, mapping } = parseOpusHead(config);
  const streams = mappingFamily === 0 ? 1 : mapping[0]!;
  const coupled = mappingFamily === 0 ? channels - 1 : mapping[1]!;
  const bytes: number[] = [];
  for (let stream = 0; stream < streams; stream++) {
    bytes.push(stream < coupled ? TOC | TOC_STEREO : TOC);
    if (stream < streams - 1) bytes.push(FRAME.length);
    bytes.push(...FRAME);
  }
  return Uint8Array.from(bytes);
}
