import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { crc32 } from "node:zlib";
import { objectErrors } from "./errors.ts";
import type { OpenedFile } from "./local-file-storage.ts";
import { compareSums } from "./object-store.ts";
import type { LocalFile, ObjectSums, PutOptions, PutResult } from "./object-store.ts";
import { MAX_PARTS, partBytesFor, readPart, sumFile } from "./part-reading.ts";
import { crc32Base64, sumsOfParts, sumsOfWhole } from "./part-sums.ts";
import type { PartSums } from "./part-sums.ts";
import type { Attempt, S3Connection } from "./s3-connection.ts";
import { isChecksumUnsupported } from "./s3-errors.ts";
import { bareEtag, hasMd5Etag } from "./s3-replies.ts";
import type { Encryption } from "./s3-replies.ts";

/** How files are cut into parts. Memory: `partBytes` times `parallelParts`, for each file under way. */
export type UploadLimits = {
  /** A file that has no more is sent in one piece. At least 5 MiB at most hosts. */
  readonly partBytes: number;
  readonly parallelParts: number;
};

/** A file on its way. */
export type UploadJob = {
  /** The whole key. */
  readonly key: string;
  /** The key as whoever asked calls it. */
  readonly name: string;
  readonly file: LocalFile;
  readonly opened: OpenedFile;
};

/** What a reply to an upload says of what arrived. */
type Confirmation = Encryption & {
  readonly ETag?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
};

type SentPart = {
  readonly number: number;
  readonly sums: PartSums;
  readonly etag: string;
  readonly verifiedBy: PutResult["verifiedBy"];
  readonly hasMd5Etag: boolean;
};

/** What all requests of one upload in parts share. */
type Multipart = UploadJob & {
  readonly uploadId: string;
  readonly options: PutOptions;
  readonly signal: AbortSignal;
};

const MiB = 2 ** 20;
const DEFAULTS: UploadLimits = { partBytes: 16 * MiB, parallelParts: 2 };
/** Keeps the memory of an upload in bounds: 625 GiB in all, which an hour reaches at 1.4 Gbit/s. */
const MAX_PART_BYTES = 64 * MiB;
/**
 * Sends files: in one piece, or in parts of which several are under way at a time. Every body is sent with its SHA-256
 * under the signature and with its CRC-32, or its MD5 where the host knows no CRC-32, and what the host says of it is
 * compared.
 */
export class S3Upload {
  readonly #connection: S3Connection;
  readonly #limits: UploadLimits;
  /** Until the host refuses them. */
  #takesCrc32 = true;
  /** Until the host tells CRC-32s of what it has. */
  #needsMd5 = true;

  constructor(connection: S3Connection, limits: Partial<UploadLimits> = {}) {
    this.#connection = connection;
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** Sends a file. Throws what `ObjectStore.put` says. */
  async run(job: UploadJob, options: PutOptions): Promise<PutResult> {
    const { bytes, path } = job.file;
    const limit = MAX_PARTS * Math.max(MAX_PART_BYTES, this.#limits.partBytes);
    if (bytes > limit) throw objectErrors.error("OBJECT_TOO_BIG", { path, bytes, limit });
    return bytes <= this.#limits.partBytes
      ? await this.#sendWhole(job, options)
      : await this.#sendInParts(job, options);
  }

  /** What the host would tell of a file if it had it. Throws what `ObjectStore.sumsOf` says. */
  async sumsOf(file: LocalFile, opened: OpenedFile, signal?: AbortSignal): Promise<ObjectSums> {
    const { partBytes } = this.#limits;
    return await sumFile(opened, { bytes: file.bytes, partBytes, hasMd5: this.#needsMd5, signal });
  }

  async #sendWhole(job: UploadJob, options: PutOptions): Promise<PutResult> {
    const { bytes } = job.file;
    const body = Buffer.allocUnsafe(bytes);
    const sums = await readPart(job.opened, 0, body, { hasMd5: this.#needsMd5 });
    await assertFile(job, sums.crc32, options);
    const expected = sumsOfWhole(sums);
    const ask = { operation: `write "${job.name}"`, signal: options.signal, isUpload: true };
    const reply = await this.#connection.ask(ask, async (attempt) =>
      this.#withSums(sums, async (headers) => {
        const input = { Bucket: this.#connection.bucket, Key: job.key, Body: body, ...headers };
        const command = new PutObjectCommand({ ...input, ContentLength: bytes });
        command.middlewareStack.add(payloadHash(sums.sha256), { step: "build" });
        return await attempt.client.send(command, { abortSignal: attempt.signal });
      }),
    );
    const verifiedBy = await this.#verifyOrDelete(job, expected, reply);
    options.onProgress?.(bytes);
    return { bytes, crc32: sums.crc32, sums: expected, verifiedBy };
  }

  async #sendInParts(job: UploadJob, options: PutOptions): Promise<PutResult> {
    await this.#abortStale(job, options.signal);
    const uploadId = await this.#create(job, options.signal);
    const stopping = new AbortController();
    const signals = [stopping.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const multipart = { ...job, uploadId, options, signal: AbortSignal.any(signals) };
    try {
      const { parts, wholeCrc32 } = await this.#sendParts(multipart, stopping);
      await assertFile(job, wholeCrc32, options);
      return await this.#complete(multipart, parts, wholeCrc32);
    } catch (caught) {
      await this.#abort(job, uploadId);
      throw caught;
    }
  }

  /** Reads part after part, and sends each while the next ones are read. On failure nothing is under way any more. */
  async #sendParts(
    job: Multipart,
    stopping: AbortController,
  ): Promise<{ readonly parts: readonly SentPart[]; readonly wholeCrc32: number }> {
    const { bytes } = job.file;
    const partBytes = partBytesFor(bytes, this.#limits.partBytes);
    const count = Math.ceil(bytes / partBytes);
    const lanes = Math.min(this.#limits.parallelParts, count);
    const buffers = Array.from({ length: lanes }, () => Buffer.allocUnsafeSlow(partBytes));
    const sending: Promise<SentPart>[] = [];
    let wholeCrc32 = 0;
    let sentBytes = 0;
    const send = async (number: number, sums: PartSums, body: Uint8Array): Promise<SentPart> => {
      const part = await this.#sendPart(job, number, sums, body);
      sentBytes += body.byteLength;
      job.options.onProgress?.(sentBytes);
      return part;
    };
    try {
      for (let i = 0; i < count; i++) {
        // The buffer of this lane is free when the part that it had has arrived.
        if (i >= lanes) await sending[i - lanes];
        const from = i * partBytes;
        const body = buffers[i % lanes]!.subarray(0, Math.min(partBytes, bytes - from));
        const onPiece = (piece: Uint8Array): void => {
          wholeCrc32 = crc32(piece, wholeCrc32);
        };
        const sums = await readPart(job.opened, from, body, { hasMd5: this.#needsMd5, onPiece });
        const part = send(i + 1, sums, body);
        part.catch(() => {}); // met where it is awaited
        sending.push(part);
      }
      return { parts: await Promise.all(sending), wholeCrc32 };
    } catch (caught) {
      stopping.abort();
      await Promise.allSettled(sending);
      throw caught;
    }
  }

  async #sendPart(job: Multipart, number: number, sums: PartSums, body: Uint8Array): Promise<SentPart> {
    const { bucket } = this.#connection;
    const ask = { operation: `write part ${number} of "${job.name}"`, signal: job.signal, isUpload: true };
    const reply = await this.#connection.ask(ask, async (attempt) =>
      this.#withSums(sums, async (headers) => {
        const command = new UploadPartCommand({
          Bucket: bucket,
          Key: job.key,
          UploadId: job.uploadId,
          PartNumber: number,
          Body: body,
          ContentLength: body.byteLength,
          ...headers,
        });
        command.middlewareStack.add(payloadHash(sums.sha256), { step: "build" });
        return await attempt.client.send(command, { abortSignal: attempt.signal });
      }),
    );
    const verifiedBy = this.#verify(`part ${number} of ${job.name}`, sumsOfWhole(sums), reply);
    if (reply.ETag === undefined) throw this.#connection.badReply(ask.operation, "it gave no entity tag");
    return { number, sums, etag: reply.ETag, verifiedBy, hasMd5Etag: hasMd5Etag(reply) };
  }

  async #create(job: UploadJob, signal: AbortSignal | undefined): Promise<string> {
    const input = { Bucket: this.#connection.bucket, Key: job.key };
    const operation = `begin to write "${job.name}"`;
    return await this.#connection.ask({ operation, signal }, async (attempt) => {
      const { UploadId } = await this.#either(async (takesCrc32) => {
        const sums = takesCrc32 ? ({ ChecksumAlgorithm: "CRC32" } as const) : {};
        const command = new CreateMultipartUploadCommand({ ...input, ...sums });
        return await attempt.client.send(command, { abortSignal: attempt.signal });
      });
      if (UploadId === undefined)
        throw this.#connection.badReply(operation, "it gave no name of an upload");
      return UploadId;
    });
  }

  async #complete(job: Multipart, parts: readonly SentPart[], wholeCrc32: number): Promise<PutResult> {
    const expected = sumsOfParts(
      wholeCrc32,
      parts.map(({ sums }) => sums),
    );
    const command = new CompleteMultipartUploadCommand({
      Bucket: this.#connection.bucket,
      Key: job.key,
      UploadId: job.uploadId,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, sums }) => ({
          PartNumber: number,
          ETag: etag,
          ...(this.#takesCrc32 ? { ChecksumCRC32: sums.crc32Base64 } : {}),
        })),
      },
    });
    const ask = { operation: `finish "${job.name}"`, signal: job.signal, isUpload: true };
    const reply = await this.#connection.ask(ask, async ({ client, signal }) =>
      client.send(command, { abortSignal: signal }),
    );
    // Not every host says again at the end that it encrypts.
    const isEncrypted = parts.some((part) => !part.hasMd5Etag);
    const { ETag: _, ...rest } = reply;
    const ofWhole = await this.#verifyOrDelete(job, expected, isEncrypted ? rest : reply);
    // Parts that were each confirmed make a whole that is.
    const verifiedBy = ofWhole === "size" ? weakest(parts.map((part) => part.verifiedBy)) : ofWhole;
    return { bytes: job.file.bytes, crc32: wholeCrc32, sums: expected, verifiedBy };
  }

  /** Sends with CRC-32s, and without where the host does not know them, from then on for good. */
  async #either<T>(send: (takesCrc32: boolean) => Promise<T>): Promise<T> {
    if (!this.#takesCrc32) return await send(false);
    try {
      return await send(true);
    } catch (caught) {
      if (!isChecksumUnsupported(caught)) throw caught;
    }
    const result = await send(false);
    this.#takesCrc32 = false;
    return result;
  }

  async #withSums<T>(
    sums: PartSums,
    send: (headers: { readonly ChecksumCRC32?: string; readonly ContentMD5?: string }) => Promise<T>,
  ): Promise<T> {
    const { md5, crc32Base64: ChecksumCRC32 } = sums;
    const ofMd5 = md5 === null ? {} : { ContentMD5: Buffer.from(md5).toString("base64") };
    return await this.#either(async (takesCrc32) => send(takesCrc32 ? { ChecksumCRC32 } : ofMd5));
  }

  /** Throws: OBJECT_CHECKSUM. */
  #verify(name: string, sums: ObjectSums, reply: Confirmation): PutResult["verifiedBy"] {
    const facts = {
      crc32: reply.ChecksumCRC32 ?? null,
      etag: bareEtag(reply.ETag),
      hasMd5Etag: hasMd5Etag(reply),
    };
    const { by, expected, actual } = compareSums(sums, facts);
    this.#needsMd5 = by !== "crc32";
    if (expected === actual) return by;
    const kind = by === "crc32" ? "the CRC-32" : "the entity tag";
    const { location } = this.#connection;
    throw objectErrors.error("OBJECT_CHECKSUM", { location, key: name, kind, expected, actual });
  }

  /** What arrived damaged does not stay. */
  async #verifyOrDelete(
    job: UploadJob,
    sums: ObjectSums,
    reply: Confirmation,
  ): Promise<PutResult["verifiedBy"]> {
    try {
      return this.#verify(job.name, sums, reply);
    } catch (caught) {
      const command = new DeleteObjectCommand({ Bucket: this.#connection.bucket, Key: job.key });
      await this.#try(`delete "${job.name}"`, async ({ client, signal }) =>
        client.send(command, { abortSignal: signal }),
      );
      throw caught;
    }
  }

  /** Uploads of this key that an earlier process did not finish cost money and are never seen: they are ended. */
  async #abortStale(job: UploadJob, signal: AbortSignal | undefined): Promise<void> {
    const command = new ListMultipartUploadsCommand({ Bucket: this.#connection.bucket, Prefix: job.key });
    const reply = await this.#try(
      `list unfinished uploads of "${job.name}"`,
      async (attempt) => attempt.client.send(command, { abortSignal: attempt.signal }),
      signal,
    );
    for (const { Key, UploadId } of reply?.Uploads?.slice(0, MAX_STALE) ?? []) {
      if (Key === job.key && UploadId !== undefined) await this.#abort(job, UploadId);
    }
  }

  async #abort(job: UploadJob, uploadId: string): Promise<void> {
    const input = { Bucket: this.#connection.bucket, Key: job.key, UploadId: uploadId };
    await this.#try(`give up writing "${job.name}"`, async ({ client, signal }) =>
      client.send(new AbortMultipartUploadCommand(input), { abortSignal: signal }),
    );
  }

  /** Does what is good to do and not needed; hosts that cannot, or do not allow it, are none the worse. */
  async #try<T>(
    operation: string,
    run: (attempt: Attempt) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | null> {
    try {
      return await this.#connection.ask({ operation, signal, attempts: 1 }, run);
    } catch {
      return null;
    }
  }
}

/** More are left to the next time. */
const MAX_STALE = 100;

/** Throws: OBJECT_FILE_CHANGED, OBJECT_FILE_UNREADABLE. */
async function assertFile({ file, opened }: UploadJob, found: number, options: PutOptions): Promise<void> {
  await opened.assertUnchanged();
  if (options.crc32 === undefined || options.crc32 === found) return;
  const reason = `its CRC-32 is ${crc32Base64(found)}, and it should be ${crc32Base64(options.crc32)}`;
  throw objectErrors.error("OBJECT_FILE_CHANGED", { path: file.path, reason });
}

function weakest(all: readonly PutResult["verifiedBy"][]): PutResult["verifiedBy"] {
  return (["size", "etag"] as const).find((one) => all.includes(one)) ?? "crc32";
}

/**
 * Signs with the hash that was made while reading, instead of letting the SDK make it once more in one long go.
 * Spec: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header", x-amz-content-sha256.
 */
function payloadHash(sha256: string) {
  return <Args extends { request: unknown }, Result>(next: (args: Args) => Promise<Result>) =>
    async (args: Args): Promise<Result> => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers["x-amz-content-sha256"] = sha256;
      return await next(args);
    };
}
