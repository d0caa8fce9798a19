import { readU16, readU32 } from "../../base/bytes.ts";
import { SUBTITLE_LIMITS } from "./reader.ts";

/** What is shown while one sample of a text track lasts: texts as WebVTT has them. */
export type SampleText = { readonly text: string; readonly settings: string };

const BOX_HEADER_BYTES = 8;
/** Cues that are shown together. */
const MAX_CUES_AT_ONCE = 16;

/**
 * Reads a sample of timed text as 3GPP and QuickTime have it: a length and the text; styles behind it are passed over.
 *
 * Returns: nothing for an empty sample, which stands where nothing is shown, and for one that is cut off.
 * Spec: 3GPP TS 26.245 section 5.17.
 */
export function readTx3gSample(sample: Uint8Array): readonly SampleText[] {
  if (sample.byteLength < 2) return [];
  const lengthBytes = readU16(sample, 0);
  if (lengthBytes > sample.byteLength - 2) return [];
  const text = sample.subarray(2, 2 + lengthBytes);
  const isUtf16 = text[0] === 0xfe && text[1] === 0xff;
  const plain = new TextDecoder(isUtf16 ? "utf-16be" : "utf-8").decode(text);
  return cueOf(plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;"), "");
}

/**
 * Reads a sample of WebVTT in MP4: one `vttc` box for each cue that is shown, with `payl` and `sttg` in it; `vtte`
 * where none is.
 *
 * Returns: the cues up to what is broken. Spec: ISO/IEC 14496-30 section 7.4.
 */
export function readWvttSample(sample: Uint8Array): readonly SampleText[] {
  const texts: SampleText[] = [];
  for (const cue of boxesOf(sample)) {
    if (cue.type !== "vttc" || texts.length >= MAX_CUES_AT_ONCE) continue;
    const inside = [...boxesOf(cue.contents)];
    const textOf = (type: string): string => {
      const found = inside.find((box) => box.type === type);
      return found === undefined ? "" : new TextDecoder().decode(found.contents);
    };
    texts.push(...cueOf(textOf("payl"), textOf("sttg").replaceAll(/\s+/g, " ").trim()));
  }
  return texts;
}

function cueOf(raw: string, settings: string): readonly SampleText[] {
  const lines = raw
    .slice(0, SUBTITLE_LIMITS.textLength)
    .replaceAll("\0", "\ufffd")
    .split(/\r\n|\r|\n/)
    .filter((line) => line.trim() !== "");
  const text = lines.join("\n").replaceAll("-->", "--&gt;");
  return text === "" ? [] : [{ text, settings: settings.includes("-->") ? "" : settings }];
}

function* boxesOf(bytes: Uint8Array): Generator<{ type: string; contents: Uint8Array }> {
  for (let at = 0; at + BOX_HEADER_BYTES <= bytes.byteLength;) {
    const sizeBytes = readU32(bytes, at);
    if (sizeBytes < BOX_HEADER_BYTES || sizeBytes > bytes.byteLength - at) return;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    yield { type, contents: bytes.subarray(at + BOX_HEADER_BYTES, at + sizeBytes) };
    at += sizeBytes;
  }
}
