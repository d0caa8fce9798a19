import { MAX_BOX_HEADER_BYTES, readBoxHeader, wrapBox } from "./box-reader.ts";
import type { Box, BoxHeader } from "./box-reader.ts";
import { mp4Errors } from "./errors.ts";
import { MP4_LIMITS } from "./limits.ts";
import type { ReadSteps } from "./random-access.ts";

/** A box at the top level of a file, not read yet. */
export type TopLevelBox = BoxHeader & { readonly offset: number };

/** Boxes that a file of the family may begin with. Spec: ISO/IEC 14496-12 sections 4.3, 8.1; QuickTime File Format. */
const FIRST_BOXES = [
  "ftyp",
  "styp",
  "moov",
  "mdat",
  "free",
  "skip",
  "wide",
  "pnot",
  "uuid",
  "sidx",
  "moof",
];

/** Enough for the small boxes around a `moof`, so that most fragments cost one read. */
const WINDOW_BYTES = 4096;

/**
 * Walks the boxes at the top level of a file, hopping over their contents. Boxes that it is asked to read are read
 * whole; media data never are.
 */
export class TopLevelReader {
  readonly #fileBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #next = 0;
  #count = 0;

  constructor(fileBytes: number) {
    this.#fileBytes = fileBytes;
  }

  /**
   * The next box, or `null` at the end of the file. Its size is as written, and may go past the end of the file; a
   * size of 0 is replaced by what is left of the file.
   * Throws: MP4_NOT_MP4 on the first box, MP4_BOX_SIZE, MP4_LIMIT.
   */
  *next(): ReadSteps<TopLevelBox | null> {
    const offset = this.#next;
    const fileBytes = this.#fileBytes;
    if (offset + 8 > fileBytes) {
      if (offset === 0) throw mp4Errors.error("MP4_NOT_MP4", { reason: `it has ${fileBytes} bytes` });
      return null;
    }
    if (++this.#count > MP4_LIMITS.topLevelBoxes) {
      throw mp4Errors.error("MP4_LIMIT", {
        what: "a number of boxes",
        value: this.#count,
        limit: MP4_LIMITS.topLevelBoxes,
      });
    }
    yield* this.#fill(offset, MAX_BOX_HEADER_BYTES);
    const at = offset - this.#windowStart;
    if (offset === 0) this.#checkFirst(at);
    const header = readBoxHeader(this.#window, at, this.#windowStart);
    if (header === null) return null;
    const sizeBytes = header.sizeBytes === 0 ? fileBytes - offset : header.sizeBytes;
    this.#next = offset + sizeBytes;
    return { ...header, sizeBytes, offset };
  }

  /** Reads a box whole. Throws: MP4_LIMIT when it has more than `limitBytes`, MP4_BOX_SIZE when it is cut off. */
  *read(box: TopLevelBox, limitBytes: number): ReadSteps<Box> {
    const { type, offset, sizeBytes, headerBytes } = box;
    const availableBytes = this.#fileBytes - offset;
    if (sizeBytes > availableBytes) {
      throw mp4Errors.error("MP4_BOX_SIZE", { box: type, offset, sizeBytes, availableBytes });
    }
    if (sizeBytes > limitBytes) {
      throw mp4Errors.error("MP4_LIMIT", {
        what: `a box "${type}" with a length`,
        value: sizeBytes,
        limit: limitBytes,
      });
    }
    const at = offset - this.#windowStart;
    if (at >= 0 && at + sizeBytes <= this.#window.byteLength) {
      return wrapBox(type, this.#window.subarray(at, at + sizeBytes), headerBytes, offset);
    }
    const bytes = yield { offset, lengthBytes: sizeBytes };
    if (bytes.byteLength < sizeBytes) {
      throw mp4Errors.error("MP4_BOX_SIZE", {
        box: type,
        offset,
        sizeBytes,
        availableBytes: bytes.byteLength,
      });
    }
    return wrapBox(type, bytes, headerBytes, offset);
  }

  *#fill(offset: number, lengthBytes: number): ReadSteps<void> {
    const at = offset - this.#windowStart;
    if (at >= 0 && at + lengthBytes <= this.#window.byteLength) return;
    this.#window = yield { offset, lengthBytes: WINDOW_BYTES };
    this.#windowStart = offset;
  }

  #checkFirst(at: number): void {
    for (const type of FIRST_BOXES) {
      if (Buffer.from(this.#window.subarray(at + 4, at + 8)).toString("latin1") === type) return;
    }
    throw mp4Errors.error("MP4_NOT_MP4", { reason: "it does not begin with a box of that format" });
  }
}
