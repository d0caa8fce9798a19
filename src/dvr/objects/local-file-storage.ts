import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { messageOf } from "../../base/errors.ts";
import { objectErrors } from "./errors.ts";
import type { LocalFile } from "./object-store.ts";

/** A file that is being copied. */
export type OpenedFile = {
  /** Fills `into` with what lies from `offset` on. Throws: OBJECT_FILE_UNREADABLE, OBJECT_FILE_CHANGED when it ends. */
  read(offset: number, into: Uint8Array): Promise<void>;
  /** Throws OBJECT_FILE_CHANGED when the file was written to since it was opened. */
  assertUnchanged(): Promise<void>;
  /** Idempotent; never rejects. */
  close(): Promise<void>;
};

/**
 * Opens a file to copy it. Throws: OBJECT_FILE_CHANGED when it is gone or has another size, OBJECT_FILE_UNREADABLE.
 */
export async function openLocalFile(file: LocalFile): Promise<OpenedFile> {
  const { path, bytes } = file;
  let handle: FileHandle | null = null;
  try {
    handle = await open(path, "r");
    const { size, mtimeNs, isFile } = await statusOf(handle);
    if (!isFile) throw objectErrors.error("OBJECT_FILE_UNREADABLE", { path, reason: "it is not a file" });
    if (size !== bytes) throw changed(path, `it has ${size} bytes, and it had ${bytes}`);
    return new LocalFileReader(path, handle, { size, mtimeNs });
  } catch (caught) {
    await handle?.close().catch(() => {});
    throw localError(path, caught);
  }
}

class LocalFileReader implements OpenedFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #opened: { readonly size: number; readonly mtimeNs: bigint };
  #isClosed = false;

  constructor(path: string, handle: FileHandle, opened: { size: number; mtimeNs: bigint }) {
    this.#path = path;
    this.#handle = handle;
    this.#opened = opened;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < into.byteLength) {
      const bytesRead = await this.#attempt(async () => {
        const left = into.byteLength - filled;
        return (await this.#handle.read(into, filled, left, offset + filled)).bytesRead;
      });
      if (bytesRead === 0) throw changed(this.#path, `it ends at byte ${offset + filled}`);
      filled += bytesRead;
    }
  }

  async assertUnchanged(): Promise<void> {
    const now = await this.#attempt(async () => await statusOf(this.#handle));
    if (now.size !== this.#opened.size)
      throw changed(this.#path, `it has ${now.size} bytes, and it had ${this.#opened.size}`);
    if (now.mtimeNs !== this.#opened.mtimeNs) throw changed(this.#path, "it was written to");
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handle.close().catch(() => {}); // nothing was written, so nothing is lost
  }

  async #attempt<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (caught) {
      throw localError(this.#path, caught);
    }
  }
}

async function statusOf(
  handle: FileHandle,
): Promise<{ readonly size: number; readonly mtimeNs: bigint; readonly isFile: boolean }> {
  const status = await handle.stat({ bigint: true });
  return { size: Number(status.size), mtimeNs: status.mtimeNs, isFile: status.isFile() };
}

function changed(path: string, reason: string): Error {
  return objectErrors.error("OBJECT_FILE_CHANGED", { path, reason });
}

function localError(path: string, caught: unknown): unknown {
  const code = systemCodeOf(caught);
  if (code === null) return caught;
  if (code === "ENOENT" || code === "ENOTDIR")
    return objectErrors.error("OBJECT_FILE_CHANGED", { path, reason: "it is gone" }, caught);
  return objectErrors.error(
    "OBJECT_FILE_UNREADABLE",
    { path, reason: `${code} (${messageOf(caught)})` },
    caught,
  );
}

/** The code of an error of the system, such as `ENOSPC`; `null` of any other. */
export function systemCodeOf(caught: unknown): string | null {
  if (!(caught instanceof Error) || !("code" in caught) || !("errno" in caught)) return null;
  return String(caught.code);
}
