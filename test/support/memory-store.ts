/** Object storage in memory, for tests of what uses one. */
import { readFile } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { objectErrors } from "../../src/dvr/objects/errors.ts";
import type {
  ByteSpan,
  GetOptions,
  ListOptions,
  LocalFile,
  ObjectFacts,
  ObjectPage,
  ObjectStore,
  ObjectSums,
  PutOptions,
  PutResult,
} from "../../src/dvr/objects/object-store.ts";
import { PartSummer, sumsOfWhole } from "../../src/dvr/objects/part-sums.ts";

/** What is asked of a store. */
export type StoreCall = {
  readonly method: "put" | "get" | "head" | "list" | "delete";
  readonly key: string;
};

/** Objects in a map. A test looks at `calls`, and lets calls fail or wait by `onCall`. */
export class MemoryStore implements ObjectStore {
  readonly location: string;
  readonly objects = new Map<string, Uint8Array>();
  readonly calls: StoreCall[] = [];
  /** Called before anything is done: what it throws is what the call throws. */
  onCall: (call: StoreCall) => Promise<void> | void = () => {};

  constructor(location = "memory://bucket") {
    this.location = location;
  }

  async put(key: string, file: LocalFile, options: PutOptions = {}): Promise<PutResult> {
    await this.#call("put", key, options.signal);
    const bytes = await readFile(file.path);
    this.objects.set(key, bytes);
    options.onProgress?.(bytes.byteLength);
    const sums = sumsOf(bytes);
    return { bytes: bytes.byteLength, crc32: crc32(bytes), sums, verifiedBy: "crc32" };
  }

  async sumsOf(file: LocalFile): Promise<ObjectSums> {
    return sumsOf(await readFile(file.path));
  }

  async get(key: string, span: ByteSpan, options: GetOptions = {}): Promise<Uint8Array> {
    await this.#call("get", key, options.signal);
    const bytes = this.objects.get(key);
    if (bytes === undefined) throw objectErrors.error("OBJECT_NOT_FOUND", { location: this.location, key });
    return bytes.slice(span.from, span.to);
  }

  async head(
    key: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ObjectFacts | null> {
    await this.#call("head", key, options.signal);
    return this.#factsOf(key);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    await this.#call("list", prefix, options.signal);
    const { after = options.behind ?? "", limit = 1000 } = options;
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
    const page = keys.slice(0, limit);
    const objects = page.map((key) => this.#factsOf(key)).filter((facts) => facts !== null);
    return { objects, next: page.length < keys.length ? page.at(-1)! : null };
  }

  async delete(key: string): Promise<void> {
    await this.#call("delete", key);
    this.objects.delete(key);
  }

  close(): void {}

  /** The keys that were asked for by a method, in order. */
  keysOf(method: StoreCall["method"]): string[] {
    return this.calls.filter((call) => call.method === method).map(({ key }) => key);
  }

  async #call(method: StoreCall["method"], key: string, signal?: AbortSignal): Promise<void> {
    this.calls.push({ method, key });
    const stopped = (): Error => objectErrors.error("OBJECT_CLOSED", { operation: `${method} "${key}"` });
    if (signal?.aborted === true) throw stopped();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    const onAbort = (): void => reject(stopped());
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.onCall({ method, key }), promise]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #factsOf(key: string): ObjectFacts | null {
    const bytes = this.objects.get(key);
    if (bytes === undefined) return null;
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(bytes));
    return {
      key,
      bytes: bytes.byteLength,
      etag: `etag-${crc32(bytes)}`,
      crc32: sum.toString("base64"),
      hasMd5Etag: false,
      modifiedMs: 0,
    };
  }
}

function sumsOf(bytes: Uint8Array): ObjectSums {
  const summer = new PartSummer({ hasMd5: true });
  summer.update(bytes);
  return sumsOfWhole(summer.end());
}
