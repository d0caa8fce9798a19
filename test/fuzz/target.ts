/**
 * What a fuzz target is. A parser's file `x.ts` has `x.fuzz.ts` beside it that exports one as `fuzz`:
 *
 *     export const fuzz: FuzzTarget = {
 *       name: "flv-tags",
 *       seeds: vectors.map((vector) => vector.bytes),
 *       run(input) {
 *         for (const tag of new FlvReader().feed(input)) assert.ok(tag.payload.byteLength <= input.byteLength);
 *       },
 *     };
 *
 * `run` returns, or throws a `MediaError`: that is how a parser refuses. Anything else that it throws is a crash, as is
 * an input that takes too long or makes it allocate far more than it was given.
 */
export type FuzzTarget = {
  /** Letters, digits and hyphens; unique in the project; the folder below `test/fuzz/corpus/`. */
  readonly name: string;
  /** Good inputs to begin from, at least one. */
  readonly seeds: readonly Uint8Array[];
  /** Words of the format that chance would not find: box types, magic numbers. */
  readonly dictionary?: readonly Uint8Array[];
  run(input: Uint8Array): void;
};

/** A target that takes text, in all else as a `FuzzTarget`. It is mutated as UTF-8, so it meets replacement characters too. */
export type TextFuzzTarget = {
  readonly name: string;
  readonly seeds: readonly string[];
  readonly dictionary?: readonly string[];
  run(input: string): void;
};

/** Either kind. */
export type AnyFuzzTarget = FuzzTarget | TextFuzzTarget;

/** The bytes of a seed or word. */
export function bytesOf(value: Uint8Array | string): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}

/** Gives the target bytes in the form that it takes; an input of its own, which it may keep or change. */
export function runTarget(target: AnyFuzzTarget, input: Uint8Array): void {
  if (isTextTarget(target)) target.run(new TextDecoder().decode(input));
  else target.run(input.slice());
}

/** Checks what a `*.fuzz.ts` exports. Throws an Error that says what is missing. */
export function checkTarget(file: string, exported: unknown): AnyFuzzTarget {
  const target = exported as Partial<AnyFuzzTarget> | undefined;
  if (typeof target?.run !== "function") throw new Error(`${file} exports no "fuzz" with a "run"`);
  if (!/^[a-z0-9-]+$/.test(target.name ?? ""))
    throw new Error(`${file}: "${target.name}" is no name for a folder`);
  if ((target.seeds?.length ?? 0) === 0) throw new Error(`${file}: a fuzz target needs at least one seed`);
  return target as AnyFuzzTarget;
}

function isTextTarget(target: AnyFuzzTarget): target is TextFuzzTarget {
  return typeof target.seeds[0] === "string";
}
