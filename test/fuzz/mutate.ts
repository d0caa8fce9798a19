/** Changes bytes the way broken senders, torn files and attackers do. */
import type { Random } from "./random.ts";

/** What a mutation may draw on. */
export type MutationSource = {
  readonly random: Random;
  /** Other inputs, to splice with. */
  readonly pool: readonly Uint8Array[];
  /** Words of the format. */
  readonly dictionary: readonly Uint8Array[];
  /** No mutant is longer. */
  readonly maxBytes: number;
};

/** One kind of change: gets bytes that it may write to, gives these or others. */
type Mutation = (bytes: Uint8Array, source: MutationSource) => Uint8Array;

/** A place that may hold a number. */
type Field = { readonly offset: number; readonly width: number; readonly isLittleEndian: boolean };

const MAX_STACKED = 6;
const MAX_BLOCK_BYTES = 256;
const WIDTHS = [1, 2, 3, 4, 8] as const;

/** Kinds of change by name; each is as likely as the others. */
export const MUTATIONS = {
  flipBit(bytes, { random }) {
    const offset = random.below(bytes.byteLength);
    bytes[offset]! ^= 1 << random.below(8);
    return bytes;
  },
  setByte(bytes, { random }) {
    bytes[random.below(bytes.byteLength)] = random.next();
    return bytes;
  },
  interestingInteger(bytes, { random }) {
    const field = pickField(bytes, random);
    writeField(bytes, field, random.pick(interestingValues(field.width)));
    return bytes;
  },
  addToInteger(bytes, { random }) {
    const field = pickField(bytes, random);
    const delta = 1 + random.below(16);
    writeField(bytes, field, readField(bytes, field) + BigInt(random.oneIn(2) ? delta : -delta));
    return bytes;
  },
  tweakLength(bytes, { random }) {
    const field = findLengthField(bytes, random);
    const value = readField(bytes, field);
    const left = BigInt(bytes.byteLength - field.offset - field.width);
    const most = (1n << BigInt(field.width * 8)) - 1n;
    const lies = [0n, 1n, value - 1n, value + 1n, value * 2n, left, left - 1n, left + 1n, most, most >> 1n];
    writeField(bytes, field, random.pick(lies));
    return bytes;
  },
  truncate: (bytes, { random }) => bytes.subarray(0, random.below(bytes.byteLength)),
  dropStart: (bytes, { random }) => bytes.subarray(random.below(bytes.byteLength)),
  removeBlock(bytes, { random }) {
    const [start, end] = pickBlock(bytes, random);
    return join(bytes.subarray(0, start), bytes.subarray(end));
  },
  duplicateBlock(bytes, { random }) {
    const [start, end] = pickBlock(bytes, random);
    return join(bytes.subarray(0, end), bytes.subarray(start));
  },
  moveBlock(bytes, { random }) {
    const [start, end] = pickBlock(bytes, random);
    bytes.copyWithin(random.below(bytes.byteLength), start, end);
    return bytes;
  },
  repeatByte(bytes, { random }) {
    const [start, end] = pickBlock(bytes, random);
    return bytes.fill(random.pick([0x00, 0xff, 0x80, 0x7f, 0x20, random.next() & 0xff]), start, end);
  },
  insertNoise(bytes, { random }) {
    const noise = Uint8Array.from({ length: 1 + random.below(16) }, () => random.next());
    return insert(bytes, random.below(bytes.byteLength + 1), noise);
  },
  insertWord: (bytes, { random, dictionary }) =>
    dictionary.length === 0
      ? bytes
      : insert(bytes, random.below(bytes.byteLength + 1), random.pick(dictionary)),
  overwriteWithWord(bytes, { random, dictionary }) {
    if (dictionary.length === 0) return bytes;
    const offset = random.below(bytes.byteLength);
    bytes.set(random.pick(dictionary).subarray(0, bytes.byteLength - offset), offset);
    return bytes;
  },
  splice(bytes, { random, pool }) {
    if (pool.length === 0) return bytes;
    const other = random.pick(pool);
    const tail = other.subarray(random.below(other.byteLength));
    return join(bytes.subarray(0, random.below(bytes.byteLength + 1)), tail);
  },
} as const satisfies Record<string, Mutation>;

const ALL_MUTATIONS: readonly Mutation[] = Object.values(MUTATIONS);

/**
 * Makes a mutant of `input`: one to six changes, few more often than many.
 *
 * Ownership: the result is new; `input`, the pool and the dictionary are not written to.
 */
export function mutate(input: Uint8Array, source: MutationSource): Uint8Array {
  const { random, maxBytes } = source;
  let bytes = input.slice(0, maxBytes);
  let changes = 1;
  while (changes < MAX_STACKED && random.oneIn(2)) changes++;
  for (let change = 0; change < changes; change++) {
    if (bytes.byteLength === 0) bytes = new Uint8Array([random.next()]);
    bytes = random.pick(ALL_MUTATIONS)(bytes, source).slice(0, maxBytes);
  }
  return bytes;
}

function pickField(bytes: Uint8Array, random: Random): Field {
  const widths = WIDTHS.filter((width) => width <= bytes.byteLength);
  const width = random.pick(widths);
  return { offset: random.below(bytes.byteLength - width + 1), width, isLittleEndian: random.oneIn(4) };
}

/** Prefers a number that could be the length of something after it: above zero and no more than is left. */
function findLengthField(bytes: Uint8Array, random: Random): Field {
  let field = pickField(bytes, random);
  for (let attempt = 0; attempt < 16; attempt++) {
    const value = readField(bytes, field);
    if (value > 0n && value <= BigInt(bytes.byteLength - field.offset)) return field;
    field = pickField(bytes, random);
  }
  return field;
}

function readField(bytes: Uint8Array, { offset, width, isLittleEndian }: Field): bigint {
  let value = 0n;
  for (let index = 0; index < width; index++) {
    const at = isLittleEndian ? offset + width - 1 - index : offset + index;
    value = (value << 8n) | BigInt(bytes[at]!);
  }
  return value;
}

function writeField(bytes: Uint8Array, { offset, width, isLittleEndian }: Field, value: bigint): void {
  for (let index = 0; index < width; index++) {
    const at = isLittleEndian ? offset + index : offset + width - 1 - index;
    bytes[at] = Number((value >> BigInt(index * 8)) & 0xffn);
  }
}

/** Edges of signed and unsigned numbers, powers of two and their neighbours. */
function interestingValues(width: number): bigint[] {
  const bits = BigInt(width * 8);
  const edges = [0n, 1n, (1n << bits) - 1n, (1n << bits) - 2n, 1n << (bits - 1n), (1n << (bits - 1n)) - 1n];
  const powers = [16n, 64n, 127n, 128n, 255n, 1n << (bits / 2n), (1n << (bits / 2n)) - 1n];
  return [...edges, ...powers];
}

function pickBlock(bytes: Uint8Array, random: Random): [start: number, end: number] {
  const start = random.below(bytes.byteLength);
  const length = 1 + random.below(Math.min(MAX_BLOCK_BYTES, bytes.byteLength - start));
  return [start, start + length];
}

function insert(bytes: Uint8Array, offset: number, added: Uint8Array): Uint8Array {
  return join(join(bytes.subarray(0, offset), added), bytes.subarray(offset));
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.byteLength + tail.byteLength);
  joined.set(head);
  joined.set(tail, head.byteLength);
  return joined;
}
