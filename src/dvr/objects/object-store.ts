/** Object storage as the archive sees it: whole files in, ranges of them out. */
import { objectErrors } from "./errors.ts";

/** A file on this machine that is to become an object. */
export type LocalFile = {
  readonly path: string;
  /** What it has; a file of another size is refused as changed. */
  readonly bytes: number;
};

/** What may be said to `put`. */
export type PutOptions = {
  /** CRC-32 of the whole file, when somebody knows it: a file that has another one is refused as changed. */
  readonly crc32?: number | undefined;
  /** Stops the transfer; `put` rejects with OBJECT_CLOSED then. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes that the store has so far; never more than the file has, never less than the time before. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
};

/** What `put` wrote. */
export type PutResult = {
  readonly bytes: number;
  /** CRC-32 of the whole file. */
  readonly crc32: number;
  readonly sums: ObjectSums;
  /** What the store itself confirmed of the bytes, the strongest first; the size alone is left for `head` to confirm. */
  readonly verifiedBy: "crc32" | "etag" | "size";
};

/** What the store would say of an object if it has the right bytes, in the forms in which stores say it. */
export type ObjectSums = {
  /** Base64 of the CRC-32 of the whole object. */
  readonly wholeCrc32: string;
  /** Base64 of the CRC-32 of its parts' CRC-32s, a hyphen and their number; `null` when it was sent in one piece. */
  readonly compositeCrc32: string | null;
  /** The entity tag without quotes of stores that take an MD5 for it, in lower case; `null` where it was not needed. */
  readonly md5Etag: string | null;
};

/** What the store says of an object. */
export type ObjectFacts = {
  readonly key: string;
  readonly bytes: number;
  /** The entity tag without quotes. */
  readonly etag: string | null;
  /** Base64 of a CRC-32, with `-N` behind it when it is one of N parts; `null` from `list` and from stores without it. */
  readonly crc32: string | null;
  /** Whether the entity tag may be an MD5: it is not where the store encrypts with keys of its own. */
  readonly hasMd5Etag: boolean;
  /** UTC of the last change. Units: milliseconds since 1970; 0 when it is not said. */
  readonly modifiedMs: number;
};

/** Bytes `from` up to, not including, `to`. */
export type ByteSpan = { readonly from: number; readonly to: number };

/** What may be said to `get`. */
export type GetOptions = {
  /** Only of the object that has this entity tag. */
  readonly etag?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Some objects of a list. */
export type ObjectPage = {
  readonly objects: readonly ObjectFacts[];
  /** What to say as `after` for the next page; `null` at the end. */
  readonly next: string | null;
};

/** What may be said to `list`. */
export type ListOptions = {
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** Only keys behind this one, in the order of their bytes; nothing to say together with `after`. */
  readonly behind?: string | undefined;
  /** At most 1000, which is what stores give at most. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * A bucket, or the part of one that lies below a prefix. Keys are without the prefix: segments joined by `/`.
 * Every method throws OBJECT_UNREACHABLE, OBJECT_TIMEOUT, OBJECT_STORE_BUSY, OBJECT_NO_CREDENTIALS, OBJECT_ACCESS_DENIED,
 * OBJECT_CLOCK_SKEW, OBJECT_WRONG_REGION, OBJECT_NO_BUCKET, OBJECT_REFUSED, OBJECT_BAD_KEY, OBJECT_CLOSED.
 */
export type ObjectStore = {
  /** Where it is, for logs and to tell stores apart; no key and no secret is in it. */
  readonly location: string;
  /**
   * Writes a file as an object, in place of one with the same key; nobody sees it before all of it is there.
   * Throws: OBJECT_FILE_UNREADABLE, OBJECT_FILE_CHANGED, OBJECT_TOO_BIG, OBJECT_CHECKSUM.
   */
  put(key: string, file: LocalFile, options?: PutOptions): Promise<PutResult>;
  /**
   * What the store would say of a file if it had it, to compare with what `head` says; the file is read for it.
   * Throws: OBJECT_FILE_UNREADABLE, OBJECT_FILE_CHANGED.
   */
  sumsOf(file: LocalFile, options?: { readonly signal?: AbortSignal | undefined }): Promise<ObjectSums>;
  /**
   * Reads a range, which must lie within the object and have at most `MAX_GET_BYTES`.
   * Ownership: the result is the caller's. Throws: OBJECT_NOT_FOUND, OBJECT_CHANGED, OBJECT_BAD_REPLY.
   */
  get(key: string, span: ByteSpan, options?: GetOptions): Promise<Uint8Array>;
  /** What the store says of an object; `null` when there is none. */
  head(key: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<ObjectFacts | null>;
  /** The objects whose keys begin with `prefix`, a page at a time. Throws: OBJECT_LIST_ENDLESS. */
  list(prefix: string, options?: ListOptions): Promise<ObjectPage>;
  /** Deletes an object; one that is not there is deleted already. */
  delete(key: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Ends connections and what is under way. Idempotent. */
  close(): void;
};

/** The most that one `get` gives: it is all in memory at a time. */
export const MAX_GET_BYTES = 64 * 2 ** 20;

/** Where a bucket is and who asks. */
export type S3Place = {
  /** A URL, or a host with or without a port, which means https. `null`: AWS itself, at the host of the region. */
  readonly endpoint: string | null;
  readonly bucket: string;
  /** Stands in front of every key, with a slash between; empty for the whole bucket. */
  readonly prefix: string;
  /** Taken from the environment, or from the name of an AWS endpoint, or `us-east-1`, unless given. */
  readonly region?: string | null | undefined;
  /** Both or none; none: the environment, a web identity (IRSA), a profile, or the role of the machine. */
  readonly accessKey?: string | null | undefined;
  readonly secretKey?: string | null | undefined;
  readonly sessionToken?: string | null | undefined;
};

/**
 * Where a place is, for logs and notes, and to tell places apart: `https://host/bucket/prefix`. No key and no secret is in
 * it. `place`: one whose endpoint is as it should be.
 */
export function locationOf({ endpoint, bucket, prefix }: S3Place): string {
  const url = endpoint === null ? null : new URL(urlOf(endpoint));
  return `${url?.origin ?? "s3:/"}/${bucket}${prefix === "" ? "" : `/${prefix}`}`;
}

/** An endpoint as the text of a URL: a host alone means https. */
export function urlOf(endpoint: string): string {
  return endpoint.includes("://") ? endpoint : `https://${endpoint}`;
}

/** Longest key that S3 takes. Units: bytes of UTF-8. Spec: Amazon S3 User Guide, "Naming Amazon S3 objects". */
const MAX_KEY_BYTES = 1024;

/**
 * The whole key of an object: the prefix and its own. Throws: OBJECT_BAD_KEY for what hosts, proxies and tools read as
 * something else, such as `..`.
 */
export function wholeKey(prefix: string, key: string): string {
  const whole = prefix === "" ? key : `${prefix}/${key}`;
  const reason = reasonAgainstKey(whole);
  if (reason !== null) throw objectErrors.error("OBJECT_BAD_KEY", { key: whole.slice(0, 200), reason });
  return whole;
}

function reasonAgainstKey(key: string): string | null {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `it is longer than ${MAX_KEY_BYTES} bytes`;
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(key)) return "it has a control character";
  for (const segment of key.split("/")) {
    if (segment === "") return "it has an empty segment";
    if (segment === "." || segment === "..") return `it has a segment "${segment}"`;
  }
  return null;
}

/** Objects that `listAll` gives before it thinks that the list has no end: ten streams' archives of a year. */
const MAX_LISTED = 1_000_000;
/** Pages without one object: stores give some where much was deleted. */
const MAX_EMPTY_PAGES = 100;

/**
 * Every object whose key begins with `prefix`, page by page.
 * Throws: OBJECT_LIST_ENDLESS when the store repeats itself or there are more than `maxObjects`; whatever `list` throws.
 */
export async function* listAll(
  store: ObjectStore,
  prefix: string,
  options: { readonly maxObjects?: number; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ObjectFacts> {
  const { maxObjects = MAX_LISTED, signal } = options;
  const endless = (reason: string): Error =>
    objectErrors.error("OBJECT_LIST_ENDLESS", { prefix, location: store.location, reason });
  let after: string | undefined;
  let given = 0;
  let emptyPages = 0;
  for (;;) {
    const page = await store.list(prefix, { after, signal });
    for (const object of page.objects) {
      if (++given > maxObjects) throw endless(`there are more than ${maxObjects}`);
      yield object;
    }
    if (page.next === null) return;
    if (page.next === after) throw endless("the host gives the same page again and again");
    emptyPages = page.objects.length === 0 ? emptyPages + 1 : 0;
    if (emptyPages > MAX_EMPTY_PAGES) throw endless(`${emptyPages} pages had nothing in them`);
    after = page.next;
  }
}

/** Whether what the store says of an object agrees with what was sent; which of them it could be seen by. */
export function compareSums(
  sums: ObjectSums,
  facts: Pick<ObjectFacts, "crc32" | "etag" | "hasMd5Etag">,
): { readonly by: PutResult["verifiedBy"]; readonly expected: string; readonly actual: string } {
  const { crc32, etag } = facts;
  if (crc32 !== null) {
    const isComposite = crc32.includes("-");
    // Of a number of parts that we did not send nothing can be said.
    const expected = isComposite ? sums.compositeCrc32 : sums.wholeCrc32;
    if (expected !== null && (!isComposite || partsIn(expected) === partsIn(crc32)))
      return { by: "crc32", expected, actual: crc32 };
  }
  const { md5Etag } = sums;
  const isMd5 = facts.hasMd5Etag && etag !== null && /^[0-9a-f]{32}(-\d+)?$/i.test(etag);
  const isAlike = isMd5 && md5Etag !== null && partsIn(etag) === partsIn(md5Etag);
  // How a host makes the tag of parts is its own affair, and each part had one: it confirms, and refutes nothing.
  const isConclusive = isAlike && (partsIn(etag) === "" || etag.toLowerCase() === md5Etag);
  if (isConclusive) return { by: "etag", expected: md5Etag, actual: etag.toLowerCase() };
  return { by: "size", expected: "", actual: "" };
}

function partsIn(sum: string): string {
  return /-(\d+)$/.exec(sum)?.[1] ?? "";
}
