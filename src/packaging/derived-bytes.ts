/** What is kept beside a segment may be so many times its own bytes: a transport stream with all tracks, and one of each. */
const MAX_SHARE = 2;
/** The same for short segments, where packets of 188 bytes weigh more than what is in them. */
const LEAST_BYTES = 256 * 1024;

/** Counts what was made of one segment, such as transport streams, and is kept as long as it is. */
export class DerivedBytes {
  readonly #maxBytes: number;
  #bytes = 0;

  /** `segmentBytes`: of the segment itself. */
  constructor(segmentBytes: number) {
    this.#maxBytes = Math.max(LEAST_BYTES, segmentBytes * MAX_SHARE);
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes in; `false`, and they are not to be kept, where they are too many. */
  take(lengthBytes: number): boolean {
    if (this.#bytes + lengthBytes > this.#maxBytes) return false;
    this.#bytes += lengthBytes;
    return true;
  }

  /** Nothing is kept any more. */
  clear(): void {
    this.#bytes = 0;
  }
}
