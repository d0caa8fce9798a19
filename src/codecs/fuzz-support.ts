import { MediaError } from "../base/errors.ts";

/** What the `*.fuzz.ts` files of this room export; nothing but tests imports this file. */
export type CodecFuzzTarget = {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  run(input: Uint8Array): void;
};

/** Bytes from hexadecimal text; spaces are for the reader. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

/** Runs a parser; a `MediaError` is its way to refuse and gives `null`, anything else is a crash and goes on. */
export function orRefused<Result>(parse: () => Result): Result | null {
  try {
    return parse();
  } catch (caught) {
    if (caught instanceof MediaError) return null;
    throw caught;
  }
}
