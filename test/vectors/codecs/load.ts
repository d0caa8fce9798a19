import { readdirSync, readFileSync } from "node:fs";
import type { Codec } from "../../../src/media/track.ts";

/** One vector: bytes that ffmpeg made, and what ffprobe and mediabunny say of the file that they were taken from. */
export type CodecVector = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly codec: Codec;
  readonly origin: { readonly tool: string; readonly command: string; readonly part: string };
  readonly expect: {
    readonly width: number;
    readonly height: number;
    readonly frameRate: number;
    readonly sampleRate: number;
    readonly channels: number;
  };
  readonly ffprobe: {
    readonly profile?: string;
    readonly level?: number;
    readonly sampleAspect?: string;
    readonly bitrateBps?: number;
    readonly packetDuration?: number;
  };
  readonly mediabunny: { readonly codecString: string | null };
  /** Payload of `dac3` or `dec3` as ffmpeg writes it, in hexadecimal. */
  readonly specificBox?: string;
};

/** All vectors of this folder, by name. */
export function loadCodecVectors(): CodecVector[] {
  const names = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".json"));
  return names.sort().map((file) => loadCodecVector(file.slice(0, -".json".length)));
}

/** One vector. */
export function loadCodecVector(name: string): CodecVector {
  const read = (extension: string) => readFileSync(`${import.meta.dirname}/${name}.${extension}`);
  const facts = JSON.parse(read("json").toString("utf8")) as Omit<CodecVector, "name" | "bytes">;
  return { name, bytes: Uint8Array.from(read("bin")), ...facts };
}
