import { asMediaError } from "../../base/errors.ts";
import type { ArchiveFile } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";
import type { CachedObject } from "./cached-object.ts";

/** Another object is there by now, or none. */
const GONE: ReadonlySet<string> = new Set(["OBJECT_NOT_FOUND", "OBJECT_CHANGED"]);

/** An object that is read like a file of an archive. Holds nothing open. */
export class BucketFile implements ArchiveFile {
  readonly path: string;
  readonly #object: CachedObject;
  readonly #onGone: () => void;

  /** `onGone`: what is known of the object is not so. */
  constructor(path: string, object: CachedObject, onGone: () => void) {
    this.path = path;
    this.#object = object;
    this.#onGone = onGone;
  }

  sizeBytes(): Promise<number> {
    return Promise.resolve(this.#object.sizeBytes);
  }

  /** Rejects with what `ObjectStore.get` rejects with, OBJECT_READS_BUSY. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    try {
      return await this.#object.readInto(offset, [into]);
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
