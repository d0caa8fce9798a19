import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ObjectSums } from "./object-store.ts";

/** The sums of one part of an object, or of one that is sent in one piece. */
export type PartSums = {
  readonly crc32: number;
  /** As headers have it. */
  readonly crc32Base64: string;
  /** In hex: what the signature of a request is made of, which hosts check against the body. */
  readonly sha256: string;
  /** `null`: nobody needs it. */
  readonly md5: Uint8Array | null;
};

/**
 * Sums up one part piece by piece. An MD5 costs more than the other sums together: it is made where it is needed. Each
 * `update` takes the event loop for as long as the piece is big, so pieces are to be of a mebibyte or so.
 */
export class PartSummer {
  readonly #sha256: Hash = createHash("sha256");
  readonly #md5: Hash | null;
  #crc32 = 0;

  constructor({ hasMd5 }: { readonly hasMd5: boolean }) {
    this.#md5 = hasMd5 ? createHash("md5") : null;
  }

  update(piece: Uint8Array): void {
    this.#crc32 = crc32(piece, this.#crc32);
    this.#sha256.update(piece);
    this.#md5?.update(piece);
  }

  /** The sums of what was given; nothing can be given after that. */
  end(): PartSums {
    return {
      crc32: this.#crc32,
      crc32Base64: crc32Base64(this.#crc32),
      sha256: this.#sha256.digest("hex"),
      md5: this.#md5?.digest() ?? null,
    };
  }
}

/** A CRC-32 as headers have it: four bytes, the highest first, in base64. */
export function crc32Base64(value: number): string {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString("base64");
}

/** The sums of an object that is sent in one piece. */
export function sumsOfWhole(part: PartSums): ObjectSums {
  return {
    wholeCrc32: part.crc32Base64,
    compositeCrc32: null,
    md5Etag: part.md5 === null ? null : Buffer.from(part.md5).toString("hex"),
  };
}

/**
 * The sums of an object of several parts: hosts take the sum of the parts' sums for it, and put their number behind.
 *
 * Spec: Amazon S3 User Guide, "Checking object integrity", composite checksums of multipart uploads.
 */
export function sumsOfParts(wholeCrc32: number, parts: readonly PartSums[]): ObjectSums {
  const crcs = Buffer.alloc(parts.length * 4);
  for (const [i, part] of parts.entries()) crcs.writeUInt32BE(part.crc32 >>> 0, i * 4);
  const md5s = parts.map((part) => part.md5).filter((md5) => md5 !== null);
  const md5 = createHash("md5").update(Buffer.concat(md5s)).digest("hex");
  return {
    wholeCrc32: crc32Base64(wholeCrc32),
    compositeCrc32: `${crc32Base64(crc32(crcs))}-${parts.length}`,
    md5Etag: md5s.length === parts.length ? `${md5}-${parts.length}` : null,
  };
}
