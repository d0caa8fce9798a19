import { concatBytes, writeU16, writeU32 } from "../../base/bytes.ts";
import type { Track } from "../../media/track.ts";
import { metadataCodecId } from "./tag-writer.ts";

/** Values that onMetaData has here. */
type MetadataValue = string | number | boolean;

const AMF0 = { number: 0, boolean: 1, string: 2, ecmaArray: 8 } as const;
/** An empty key and the marker 9. */
const OBJECT_END = Uint8Array.of(0, 0, 9);

const encoder = new TextEncoder();

/**
 * The body of the data message or script tag that says what the tracks are: the name `onMetaData` and one ECMA array.
 *
 * `durationUs`: of media that has an end. Ownership: the result is new.
 * Spec: FLV 10.1 E.4.4, E.5; AMF 0 sections 2.2, 2.3, 2.4, 2.10; Enhanced RTMP v2, Enhancing onMetaData.
 */
export function buildMetadataBody(tracks: readonly Track[], durationUs: number | null = null): Uint8Array {
  const duration = durationUs === null ? {} : { duration: durationUs / 1_000_000 };
  const fields = Object.entries<MetadataValue>({ ...duration, ...metadataOf(tracks) });
  const head = new Uint8Array(5);
  head[0] = AMF0.ecmaArray;
  writeU32(head, 1, fields.length);
  const properties = fields.flatMap(([key, value]) => [shortText(key), valueBytes(value)]);
  return concatBytes([valueBytes("onMetaData"), head, ...properties, OBJECT_END]);
}

function metadataOf(tracks: readonly Track[]): Record<string, MetadataValue> {
  const fields: Record<string, MetadataValue> = { server: "Weir" };
  for (const track of tracks) {
    if (track.kind === "video") {
      fields["videocodecid"] = metadataCodecId(track);
      fields["width"] = track.width;
      fields["height"] = track.height;
      if (track.frameRate > 0) fields["framerate"] = track.frameRate;
    } else {
      fields["audiocodecid"] = metadataCodecId(track);
      fields["audiosamplerate"] = track.sampleRate;
      fields["audiosamplesize"] = 16;
      fields["audiochannels"] = track.channels;
      fields["stereo"] = track.channels === 2;
    }
  }
  return fields;
}

function valueBytes(value: MetadataValue): Uint8Array {
  if (typeof value === "string") return concatBytes([Uint8Array.of(AMF0.string), shortText(value)]);
  if (typeof value === "boolean") return Uint8Array.of(AMF0.boolean, value ? 1 : 0);
  const bytes = new Uint8Array(9);
  bytes[0] = AMF0.number;
  new DataView(bytes.buffer).setFloat64(1, value);
  return bytes;
}

/** Of at most 65 535 bytes: the words here are a few letters. */
function shortText(text: string): Uint8Array {
  const encoded = encoder.encode(text);
  const bytes = new Uint8Array(2 + encoded.byteLength);
  writeU16(bytes, 0, encoded.byteLength);
  bytes.set(encoded, 2);
  return bytes;
}
