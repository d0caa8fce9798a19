/** What the thread that watches and the thread that fuzzes tell each other. */

/** The task of one loop. */
export type LoopTask = {
  /** URL of the `*.fuzz.ts`. */
  readonly module: string;
  readonly randomSeed: number;
  /** Crashers of the past; run first, mutated too. */
  readonly corpus: readonly Uint8Array[];
  readonly seconds: number;
  /** Ends the loop sooner; `Infinity` for none. */
  readonly maxRuns: number;
  readonly limits: LoopLimits;
  /** The input that runs now: [state, length] as two Int32, then its bytes. Readable when the loop hangs. */
  readonly current: SharedArrayBuffer;
};

/** What one input may take. */
export type LoopLimits = {
  readonly inputBytes: number;
  /** Processor time of one input; measured twice, so that a busy machine is not taken for a slow parser. */
  readonly inputMs: number;
  /** Wall time after which an input is taken to run for ever. */
  readonly hangMs: number;
  /** Memory outside the heap (array buffers) that one input may add. */
  readonly allocatedBytes: number;
};

/** How a loop ended. */
export type LoopResult =
  | { readonly kind: "clean"; readonly runs: number }
  | { readonly kind: "crash"; readonly runs: number; readonly input: Uint8Array; readonly message: string };

/** Index of the number of the input that runs now, in the Int32 view of `current`. */
export const RUN_NUMBER = 0;

/** Index of the length of that input. */
export const INPUT_LENGTH = 1;

/** Where its bytes begin. */
export const HEADER_BYTES = 8;
