/**
 * The two small files that say who writes: a writer's sign of life, ROOT/.writers/WRITER, and its claim of a stream,
 * ROOT/STREAM/.writer/NUMBER. Both are one line of JSON, padded with spaces to `RECORD_BYTES`: of one size, they are
 * written over in place, which takes no room and so works on a volume that is full.
 */

/** Size of both files. Units: bytes. */
export const RECORD_BYTES = 1024;

/** Longest name in a record, in characters: a host's or pod's as DNS has it. Four of them would not fit into a record. */
const MAX_NAME = 253;
/** Longest word of a machine or of a process's birth, in characters. */
const MAX_WORD = 100;

/** Where a process runs, so that another one on the same machine can tell whether it is gone. */
export type WriterIdentity = {
  /** For people. */
  readonly host: string;
  /** The pod's uid, which no other pod ever has; the empty text where that is not known. */
  readonly pod: string;
  /** The machine since its start, and the space its process ids are of; the empty text where that is not known. */
  readonly machine: string;
  readonly pid: number;
  /** When the process began, in words of the machine: tells it from a later one with the same id. */
  readonly birth: string;
};

/** A sign of life. */
export type LifeRecord = {
  readonly writer: string;
  readonly identity: WriterIdentity;
  /** The writer's wall clock, for people: nobody compares it with another. Units: milliseconds since 1970. */
  readonly renewedAt: number;
  /** How long it may stand without a change before others take the writer for dead. Units: milliseconds. */
  readonly leaseMs: number;
};

/** A claim of one stream. */
export type ClaimRecord = {
  readonly writer: string;
  readonly host: string;
  /** The writer's wall clock, for people. Units: milliseconds since 1970. */
  readonly claimedAt: number;
  /** The writer has closed its files, and will not write again by this claim. */
  readonly isReleased: boolean;
};

/** Longest lease that a record may ask for: what stands there may not keep others out for ever. Units: milliseconds. */
export const MAX_LEASE_MS = 600_000;

const WRITER = /^[a-z0-9-]{8,64}$/;

/** Builds the bytes of a sign of life. */
export function writeLifeRecord(record: LifeRecord): Uint8Array {
  const { writer, identity, renewedAt, leaseMs } = record;
  const { pid, birth, machine } = identity;
  const [host, pod] = [plainName(identity.host), plainName(identity.pod)];
  const words = { machine: plainName(machine, MAX_WORD), pid, birth: plainName(birth, MAX_WORD) };
  return padded({ writer, host, pod, ...words, renewedAt, leaseMs });
}

/** Reads a sign of life. Returns: `null` when the bytes are none, as in the moment in which it is made. */
export function readLifeRecord(bytes: Uint8Array): LifeRecord | null {
  const fields = fieldsOf(bytes);
  if (fields === null) return null;
  const { writer, host, pod, machine, pid, birth, renewedAt, leaseMs } = fields;
  if (!isWriter(writer) || !isName(host) || !isName(pod)) return null;
  if (!isName(machine, MAX_WORD) || !isName(birth, MAX_WORD)) return null;
  if (!isWhole(pid) || !isWhole(renewedAt) || !isWhole(leaseMs) || leaseMs > MAX_LEASE_MS) return null;
  return { writer, identity: { host, pod, machine, pid, birth }, renewedAt, leaseMs };
}

/** Builds the bytes of a claim. */
export function writeClaimRecord(record: ClaimRecord): Uint8Array {
  const { writer, host, claimedAt, isReleased } = record;
  return padded({ writer, host: plainName(host), claimedAt, isReleased });
}

/** Reads a claim. Returns: `null` when the bytes are none, as in the moment in which it is made. */
export function readClaimRecord(bytes: Uint8Array): ClaimRecord | null {
  const fields = fieldsOf(bytes);
  if (fields === null) return null;
  const { writer, host, claimedAt, isReleased } = fields;
  if (!isWriter(writer) || !isName(host) || !isWhole(claimedAt) || typeof isReleased !== "boolean")
    return null;
  return { writer, host, claimedAt, isReleased };
}

/** Whether a file of ROOT/.writers has a writer's name: what is read of a volume is not taken into a path unseen. */
export function isWriter(text: unknown): text is string {
  return typeof text === "string" && WRITER.test(text);
}

/** A name as a record can have it: printable ASCII without what JSON would write longer. */
function plainName(name: string, maxLength = MAX_NAME): string {
  return name.slice(0, maxLength).replace(/[^ -~]|["\\]/g, "?");
}

function padded(fields: Readonly<Record<string, unknown>>): Uint8Array {
  const bytes = Buffer.alloc(RECORD_BYTES, " ");
  bytes.write(JSON.stringify(fields), "latin1");
  bytes[RECORD_BYTES - 1] = 0x0a;
  return bytes;
}

function fieldsOf(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  if (bytes.byteLength !== RECORD_BYTES || bytes[RECORD_BYTES - 1] !== 0x0a) return null;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"));
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return value as Readonly<Record<string, unknown>>;
}

function isName(value: unknown, maxLength = MAX_NAME): value is string {
  return typeof value === "string" && value.length <= maxLength && /^[ -~]*$/.test(value);
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}
