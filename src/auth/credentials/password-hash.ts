import * as crypto from "node:crypto";
import { promisify } from "node:util";
import { isEqualText } from "../equal-texts.ts";
import { authErrors } from "../errors.ts";

/** Ways to hash a password. `sha256` is fast: for random tokens that nobody can guess, not for passwords. */
export const HASH_ALGORITHMS = ["scrypt", "argon2id", "sha256"] as const;

/** One of `HASH_ALGORITHMS`. */
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

/** A hash of more memory is refused: each login would take it. */
export const MAX_HASH_MEMORY_BYTES = 64 * 1024 * 1024;

/** Memory times passes; a hash of more would keep a core busy for seconds. */
const MAX_HASH_WORK_BYTES = 512 * 1024 * 1024;

/** Longest password or token that is hashed or compared, in characters. */
export const MAX_PASSWORD_LENGTH = 4096;

/** Shortest text that `sha256` hashes: what is shorter may be guessed. */
export const MIN_FAST_LENGTH = 32;

/** What new hashes cost: 32 MiB, some 80 ms. The OWASP cheat sheet on the storage of passwords has both as equals. */
const SCRYPT = { ln: 15, r: 8, p: 3 };
const ARGON2ID = { m: 19_456, t: 2, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/**
 * A hash as it is written. `cost` by the letters of its parameters: scrypt has ln, r and p; argon2id m (in KiB), t and p;
 * sha256 none.
 */
export type PasswordHash = {
  readonly algorithm: HashAlgorithm;
  readonly cost: Readonly<Record<string, number>>;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
};

const derive = {
  scrypt: promisify<string, Uint8Array, number, crypto.ScryptOptions, Buffer>(crypto.scrypt),
  argon2: promisify(crypto.argon2),
};

/**
 * Whether a stored password is written as a hash, good or not: then it is never compared as it is.
 */
export function isHashed(stored: string): boolean {
  return /^\$(?:scrypt|argon2id|argon2i|argon2d|sha256)\$/.test(stored);
}

/**
 * Reads a hash.
 *
 *     $scrypt$ln=15,r=8,p=3$SALT$HASH
 *     $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH
 *     $sha256$SALT$HASH
 *
 * SALT and HASH are base64 without padding. Returns: the hash, or what is wrong with it, without anything of it.
 * Spec: the PHC string format; RFC 7914 (scrypt), RFC 9106 (argon2).
 */
export function parseHash(text: string): PasswordHash | { readonly fault: string } {
  if (text.length > 512) return { fault: "the hash is too long" };
  const [, name, costs = "", salt64 = "", hash64 = ""] =
    /^\$(scrypt|argon2id\$v=19|sha256)(?:\$([a-z]+=\d+(?:,[a-z]+=\d+)*))?\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(
      text,
    ) ?? [];
  const algorithm = HASH_ALGORITHMS.find((known) => known === name?.split("$")[0]);
  if (algorithm === undefined) return { fault: "the hash is not written as weir hash-password writes it" };
  const cost = Object.fromEntries(
    costs === "" ? [] : costs.split(",").map((part) => [part.split("=")[0]!, Number(part.split("=")[1])]),
  );
  const [salt, hash] = [Buffer.from(salt64, "base64"), Buffer.from(hash64, "base64")];
  const hasGoodLengths = salt.length >= 8 && salt.length <= 64 && hash.length >= 16 && hash.length <= 64;
  if (!hasGoodLengths || (algorithm === "sha256" && hash.length !== 32))
    return { fault: "salt or hash of the hash have an odd length" };
  const fault = costFault(algorithm, cost);
  return fault === null ? { algorithm, cost, salt, hash } : { fault };
}

function costFault(algorithm: HashAlgorithm, cost: Readonly<Record<string, number>>): string | null {
  const wanted = { scrypt: "ln,p,r", argon2id: "m,p,t", sha256: "" }[algorithm];
  const { ln = 1, r = 1, p = 1, m = 8 * p, t = 1 } = cost;
  const isKnown = Object.keys(cost).toSorted().join() === wanted;
  if (!isKnown || [ln, r, p, t].some((number) => number < 1) || ln > 24 || p > 16 || m < 8 * p)
    return "the cost of the hash is not one that can be";
  if (algorithm === "sha256") return null;
  const memoryBytes = algorithm === "scrypt" ? 128 * r * 2 ** ln : m * 1024;
  const workBytes = memoryBytes * (algorithm === "scrypt" ? p : t);
  if (memoryBytes > MAX_HASH_MEMORY_BYTES) return "the hash takes more than 64 MiB of memory";
  return workBytes > MAX_HASH_WORK_BYTES ? "the hash takes too long" : null;
}

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
