import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { strict as assert } from "node:assert";
import { parseContentRange } from "./content-range.ts";
import { objectErrors } from "./errors.ts";
import { openLocalFile } from "./local-file-storage.ts";
import { MAX_GET_BYTES, wholeKey } from "./object-store.ts";
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
  S3Place,
} from "./object-store.ts";
import { S3Connection } from "./s3-connection.ts";
import type { Attempt, S3RequestOptions } from "./s3-connection.ts";
import { isMissing, isOtherObject } from "./s3-errors.ts";
import { bareEtag, hasMd5Etag } from "./s3-replies.ts";
import { S3Upload } from "./s3-upload.ts";
import type { UploadLimits } from "./s3-upload.ts";

/** What an `S3Store` may be told. */
export type S3StoreOptions = S3RequestOptions & { readonly upload?: Partial<UploadLimits> | undefined };

type Signal = { readonly signal?: AbortSignal | undefined };

/** A bucket of Amazon S3 or of a host that speaks as it does. Loaded late: the SDK takes memory and time to load. */
export class S3Store implements ObjectStore {
  readonly location: string;
  readonly #connection: S3Connection;
  readonly #uploads: S3Upload;
  readonly #prefix: string;

  /** Throws: OBJECT_BAD_PLACE. */
  constructor(place: S3Place, options: S3StoreOptions) {
    this.#connection = new S3Connection(place, options);
    this.#uploads = new S3Upload(this.#connection, options.upload);
    this.#prefix = place.prefix;
    this.location = this.#connection.location;
  }

  async put(key: string, file: LocalFile, options: PutOptions = {}): Promise<PutResult> {
    const whole = wholeKey(this.#prefix, key);
    const opened = await openLocalFile(file);
    try {
      return await this.#uploads.run({ key: whole, name: key, file, opened }, options);
    } finally {
      await opened.close();
    }
  }

  async sumsOf(file: LocalFile, { signal }: Signal = {}): Promise<ObjectSums> {
    const opened = await openLocalFile(file);
    try {
      return await this.#uploads.sumsOf(file, opened, signal);
    } finally {
      await opened.close();
    }
  }

  async get(key: string, span: ByteSpan, options: GetOptions = {}): Promise<Uint8Array> {
    const length = span.to - span.from;
    assert.ok(span.from >= 0 && length > 0 && length <= MAX_GET_BYTES, `no range: ${span.from}-${span.to}`);
    const operation = `read "${key}"`;
    const input = {
      Bucket: this.#connection.bucket,
      Key: wholeKey(this.#prefix, key),
      Range: `bytes=${span.from}-${span.to - 1}`,
      ...(options.etag === undefined ? {} : { IfMatch: `"${options.etag}"` }),
    };
    return await this.#connection.ask({ operation, signal: options.signal }, async (attempt) => {
      const reply = await this.#getReply(key, attempt, input);
      try {
        this.#checkRange(reply, { key, operation, span, etag: options.etag });
        return await readBody(reply, length, attempt, (reason) =>
          this.#connection.badReply(operation, reason),
        );
      } catch (caught) {
        endBody(reply);
        throw caught;
      }
    });
  }

  async head(key: string, { signal }: Signal = {}): Promise<ObjectFacts | null> {
    const input = { Bucket: this.#connection.bucket, Key: wholeKey(this.#prefix, key) };
    return await this.#connection.ask({ operation: `look at "${key}"`, signal }, async (attempt) => {
      try {
        const command = new HeadObjectCommand({ ...input, ChecksumMode: "ENABLED" });
        const reply = await attempt.client.send(command, { abortSignal: attempt.signal });
        return {
          key,
          bytes: reply.ContentLength ?? 0,
          etag: bareEtag(reply.ETag),
          crc32: reply.ChecksumCRC32 ?? null,
          hasMd5Etag: hasMd5Etag(reply),
          modifiedMs: reply.LastModified?.getTime() ?? 0,
        };
      } catch (caught) {
        if (isMissing(caught)) return null;
        throw caught;
      }
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    const { after, behind, limit = 1000, signal } = options;
    const inFront = this.#prefix === "" ? "" : `${this.#prefix}/`;
    const command = new ListObjectsV2Command({
      Bucket: this.#connection.bucket,
      Prefix: inFront + prefix,
      MaxKeys: limit,
      ...(after === undefined ? {} : { ContinuationToken: after }),
      ...(behind === undefined || after !== undefined ? {} : { StartAfter: inFront + behind }),
    });
    const operation = `list what is below "${prefix}"`;
    const reply = await this.#connection.ask({ operation, signal }, async (attempt) =>
      attempt.client.send(command, { abortSignal: attempt.signal }),
    );
    const objects = (reply.Contents ?? [])
      .filter(({ Key = "" }) => Key.startsWith(inFront + prefix))
      .map((object) => ({
        key: object.Key?.slice(inFront.length) ?? "",
        bytes: object.Size ?? 0,
        etag: bareEtag(object.ETag),
        crc32: null,
        hasMd5Etag: false,
        modifiedMs: object.LastModified?.getTime() ?? 0,
      }));
    const isMore = reply.IsTruncated === true;
    const next = isMore ? (reply.NextContinuationToken ?? "") : null;
    if (next === "" || (next !== null && next === after)) {
      const reason =
        next === "" ? "there is more, and no way to ask for it" : "it gives the same page again";
      throw objectErrors.error("OBJECT_LIST_ENDLESS", { prefix, location: this.location, reason });
    }
    return { objects, next };
  }

  async delete(key: string, { signal }: Signal = {}): Promise<void> {
    const input = { Bucket: this.#connection.bucket, Key: wholeKey(this.#prefix, key) };
    await this.#connection.ask({ operation: `delete "${key}"`, signal }, async (attempt) => {
      try {
        await attempt.client.send(new DeleteObjectCommand(input), { abortSignal: attempt.signal });
      } catch (caught) {
        if (!isMissing(caught)) throw caught;
      }
    });
  }

  close(): void {
    this.#connection.close();
  }

  async #getReply(
    key: string,
    attempt: Attempt,
    input: ConstructorParameters<typeof GetObjectCommand>[0],
  ): Promise<GetObjectCommandOutput> {
    try {
      return await attempt.client.send(new GetObjectCommand(input), { abortSignal: attempt.signal });
    } catch (caught) {
      const context = { location: this.location, key };
      if (isMissing(caught)) throw objectErrors.error("OBJECT_NOT_FOUND", context);
      if (isOtherObject(caught)) throw objectErrors.error("OBJECT_CHANGED", context);
      throw caught;
    }
  }

  /** Throws when the reply is not about the bytes that were asked for. */
  #checkRange(
    reply: GetObjectCommandOutput,
    asked: { key: string; operation: string; span: ByteSpan; etag: string | undefined },
  ): void {
    const { span, operation, etag } = asked;
    const length = span.to - span.from;
    const range = parseContentRange(reply.ContentRange ?? "");
    const isWhole = reply.ContentRange === undefined && span.from === 0 && reply.ContentLength === length;
    const isRange = range?.from === span.from && range.to === span.to;
    if (!isWhole && !isRange) {
      const got = reply.ContentRange ?? `all ${reply.ContentLength ?? "bytes"}`;
      throw this.#connection.badReply(
        operation,
        `asked for bytes ${span.from}-${span.to - 1}, it gave ${got}`,
      );
    }
    const given = bareEtag(reply.ETag);
    if (etag !== undefined && given !== null && given !== etag)
      throw objectErrors.error("OBJECT_CHANGED", { location: this.location, key: asked.key });
  }
}

async function readBody(
  { Body }: GetObjectCommandOutput,
  length: number,
  attempt: Attempt,
  badReply: (reason: string) => Error,
): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  if (Body === undefined) throw badReply(`it gave 0 of ${length} bytes`);
  const onAbort = (): void => endBody({ Body });
  attempt.signal.addEventListener("abort", onAbort, { once: true });
  try {
    for await (const chunk of Body as AsyncIterable<Uint8Array>) {
      attempt.alive();
      if (filled + chunk.byteLength > length) throw badReply(`it gave more than ${length} bytes`);
      bytes.set(chunk, filled);
      filled += chunk.byteLength;
    }
  } finally {
    attempt.signal.removeEventListener("abort", onAbort);
  }
  if (filled < length) throw badReply(`it gave ${filled} of ${length} bytes`);
  return bytes;
}

/** Ends a body that nobody reads on, and its connection with it. */
function endBody({ Body }: Pick<GetObjectCommandOutput, "Body">): void {
  const body = Body as { destroy?: () => void } | undefined;
  body?.destroy?.();
}
