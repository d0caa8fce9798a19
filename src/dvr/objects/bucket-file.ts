import { asMediaError } from "../../base/errors.ts";
import type { ArchiveFile } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";
import type { CachedObject } from "./cached-object.ts";

/** Another object is there by now, or none. */
const GONE: ReadonlySet<string> = new Set(["OBJECT_NOT_FOUND", "OBJECT_CHANGED"]);

/** Who looks only at the beginning of a media file reads so much of it, not a whole block. Units: bytes. */
export const HEAD_BYTES = 65_536;
/** Reads of a head have no more. */
const MAX_HEAD_READ = 8192;

/** An object that is read like a file of an archive. Holds nothing open. */
export class BucketFile implements ArchiveFile {
  readonly path: string;
  readonly #object: CachedObject;
  readonly #head: CachedObject;
  readonly #onGone: () => void;

  /** `head`: the same object, in blocks of `HEAD_BYTES`. `onGone`: what is known of the object is not so. */
  constructor(
    path: string,
    { object, head }: { readonly object: CachedObject; readonly head: CachedObject },
    onGone: () => void,
  ) {
    this.path = path;
    this.#object = object;
    this.#head = head;
    this.#onGone = onGone;
  }

  sizeBytes(): Promise<number> {
    return Promise.resolve(this.#object.sizeBytes);
  }

  /** Rejects with what `ObjectStore.get` rejects with, OBJECT_READS_BUSY. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    try {
      const isHead = into.byteLength <= MAX_HEAD_READ && offset + into.byteLength <= HEAD_BYTES;
      return await (isHead ? this.#head : this.#object).readInto(offset, [into]);
    } catch (caught) {
      if (GONE.has(asMediaError(caught)?.code ?? "")) this.#onGone();
      throw caught;
    }
  }

  append(): Promise<void> {
    return this.#refuse("write to");
  }

  truncate(): Promise<void> {
    return this.#refuse("cut");
  }

  sync(): Promise<void> {
    return this.#refuse("sync");
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #refuse(action: string): Promise<never> {
    const reason = "it is in object storage, where nothing is changed in place";
    return Promise.reject(dvrErrors.error("DVR_DISK_FAILED", { action, path: this.path, reason }));
  }
}
