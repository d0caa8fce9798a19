/** Hashes of passwords as text. Without anything of Node, so that what checks configurations can read them anywhere. */
/** Ways to hash a password. `sha256` is fast: for random tokens that nobody can guess, not for passwords. */
export const HASH_ALGORITHMS = ["scrypt", "argon2id", "sha256"] as const;

/** One of `HASH_ALGORITHMS`. */
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

/** A hash of more memory is refused: each login would take it. */
export const MAX_HASH_MEMORY_BYTES = 64 * 1024 * 1024;

/** Memory times passes; a hash of more would keep a core busy for seconds. */
const MAX_HASH_WORK_BYTES = 512 * 1024 * 1024;

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
  const [salt, hash] = [bytesOf(salt64), bytesOf(hash64)];
  if (salt === null || hash === null) return { fault: "salt or hash of the hash are no base64" };
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

function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
