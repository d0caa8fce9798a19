import * as crypto from "node:crypto";
import { promisify } from "node:util";
import { isEqualText } from "../equal-texts.ts";
import { authErrors } from "../errors.ts";
import { isHashed, MAX_HASH_MEMORY_BYTES, parseHash } from "./hash-format.ts";
import type { HashAlgorithm, PasswordHash } from "./hash-format.ts";

/** Longest password or token that is hashed or compared, in characters. */
export const MAX_PASSWORD_LENGTH = 4096;

/** Shortest text that `sha256` hashes: what is shorter may be guessed. */
export const MIN_FAST_LENGTH = 32;

/** What new hashes cost: 32 MiB, some 80 ms. The OWASP cheat sheet on the storage of passwords has both as equals. */
const SCRYPT = { ln: 15, r: 8, p: 3 };
const ARGON2ID = { m: 19_456, t: 2, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

const derive = {
  scrypt: promisify<string, Uint8Array, number, crypto.ScryptOptions, Buffer>(crypto.scrypt),
  argon2: promisify(crypto.argon2),
};

/** Hashes a password, or a token. Throws: AUTH_WEAK_SECRET where `sha256` gets something short, AUTH_LONG_SECRET. */
export async function hashPassword(password: string, algorithm: HashAlgorithm = "scrypt"): Promise<string> {
  if (password.length > MAX_PASSWORD_LENGTH) throw authErrors.error("AUTH_LONG_SECRET");
  if (algorithm === "sha256" && password.length < MIN_FAST_LENGTH)
    throw authErrors.error("AUTH_WEAK_SECRET");
  const cost: Readonly<Record<string, number>> = { scrypt: SCRYPT, argon2id: ARGON2ID, sha256: {} }[
    algorithm
  ];
  const salt = crypto.randomBytes(SALT_BYTES);
  const hash = await derivedOf({ algorithm, cost, salt, hash: Buffer.alloc(HASH_BYTES) }, password);
  const costs = Object.entries(cost).map(([name, value]) => `${name}=${value}`);
  const fields = [algorithm, ...(algorithm === "argon2id" ? ["v=19"] : [])];
  if (costs.length > 0) fields.push(costs.join());
  return `$${[...fields, unpadded(salt), unpadded(hash)].join("$")}`;
}

/** Whether a password is the one of a hash. `sha256` at once, others take some 100 ms of a thread that is not ours. */
export async function isPasswordOf(password: string, hash: PasswordHash): Promise<boolean> {
  if (password.length > MAX_PASSWORD_LENGTH) return false;
  return crypto.timingSafeEqual(await derivedOf(hash, password), hash.hash);
}

/**
 * Whether a secret is the one that is stored, where that can be said at once: of plain text, and of `sha256`. `null`: a
 * hash that takes long.
 */
export function isSecretAtOnce(given: string, stored: string): boolean | null {
  if (!isHashed(stored)) return isEqualText(given, stored);
  const hash = parseHash(stored);
  if ("fault" in hash || given.length > MAX_PASSWORD_LENGTH) return false;
  if (hash.algorithm !== "sha256") return null;
  return crypto.timingSafeEqual(saltedDigest(hash.salt, given), hash.hash);
}

function derivedOf({ algorithm, cost, salt, hash }: PasswordHash, password: string): Promise<Buffer> {
  const { ln = 1, r = 1, p = 1, m = 8, t = 1 } = cost;
  const length = hash.byteLength;
  switch (algorithm) {
    case "scrypt": {
      // What OpenSSL counts is a little more than the table.
      const maxmem = MAX_HASH_MEMORY_BYTES + 1024 * 1024;
      return derive.scrypt(password, salt, length, { N: 2 ** ln, r, p, maxmem });
    }
    case "argon2id": {
      const parameters = {
        message: password,
        nonce: salt,
        parallelism: p,
        tagLength: length,
        memory: m,
        passes: t,
      };
      return derive.argon2("argon2id", parameters);
    }
    case "sha256":
      return Promise.resolve(saltedDigest(salt, password));
  }
}

function saltedDigest(salt: Uint8Array, text: string): Buffer {
  return crypto.createHash("sha256").update(salt).update(text).digest();
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
