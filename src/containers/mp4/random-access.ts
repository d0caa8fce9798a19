/**
 * Bytes that can be read from any place: a file, later an object behind HTTP or S3. The MP4 reader knows no more of
 * where its bytes come from.
 */
export type RandomAccess = {
  readonly sizeBytes: number;
  /**
   * Reads `length` bytes from `offset`; fewer only where the bytes end.
   * Ownership: the result belongs to the caller.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
};

/** Bytes that a parser wants next. */
export type ByteRange = { readonly offset: number; readonly lengthBytes: number };

/**
 * A parser that hops about in a file, written without asking where the bytes come from: it yields what it wants and is
 * sent the bytes, fewer only where the file ends.
 */
export type ReadSteps<Result> = Generator<ByteRange, Result, Uint8Array>;

/** Runs a parser on a source. Throws whatever either of them throws. */
export async function readFrom<Result>(source: RandomAccess, steps: ReadSteps<Result>): Promise<Result> {
  let step = steps.next();
  while (step.done !== true)
    step = steps.next(await source.read(step.value.offset, step.value.lengthBytes));
  return step.value;
}

/** Runs a parser on a whole file in memory. */
export function readFromBytes<Result>(bytes: Uint8Array, steps: ReadSteps<Result>): Result {
  let step = steps.next();
  while (step.done !== true) {
    const { offset, lengthBytes } = step.value;
    step = steps.next(bytes.subarray(offset, offset + lengthBytes));
  }
  return step.value;
}
