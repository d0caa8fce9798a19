import { rtmpErrors } from "../errors.ts";

/**
 * A value of AMF0 or AMF3. `undefined` stands for both the undefined and the unsupported marker.
 *
 * Objects may refer to themselves: never walk one without a bound.
 */
export type AmfValue =
  | null
  | undefined
  | boolean
  | number
  | string
  | Uint8Array
  | readonly AmfValue[]
  | AmfObject
  | AmfDate
  | AmfXml
  | AmfDictionary;

/** Named values. `ecma-array` is an object that was, or is to be, written as an associative array. */
export type AmfObject = {
  readonly kind: "object" | "ecma-array";
  /** `null` for anonymous objects. */
  readonly className: string | null;
  readonly fields: ReadonlyMap<string, AmfValue>;
};

/** A point in time in milliseconds since 1970 UTC. */
export type AmfDate = { readonly kind: "date"; readonly ms: number };

/** An XML document as text. */
export type AmfXml = { readonly kind: "xml"; readonly text: string };

/** AMF3's map from any value to any value. */
export type AmfDictionary = {
  readonly kind: "dictionary";
  readonly entries: readonly (readonly [AmfValue, AmfValue])[];
};

/** Nesting that a message may have; deeper ones only want our stack. */
export const MAX_AMF_DEPTH = 32;

/** Values that a message may have; an `onMetaData` has some tens, a list of key frames some thousands. */
export const MAX_AMF_VALUES = 65_536;

/** Makes an object from a record; for building messages. */
export function amfObject(
  fields: Readonly<Record<string, AmfValue>>,
  kind: AmfObject["kind"] = "object",
): AmfObject {
  return { kind, className: null, fields: new Map(Object.entries(fields)) };
}

/** A named field of a value that may be an object, else `undefined`. */
export function amfField(value: AmfValue, name: string): AmfValue {
  return isAmfObject(value) ? value.fields.get(name) : undefined;
}

/** True for objects and associative arrays. */
export function isAmfObject(value: AmfValue): value is AmfObject {
  return typeof value === "object" && value !== null && "fields" in value;
}

/** Position in one message's bytes, with the bounds that all of its values share. */
export class AmfCursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  offset: number;
  #depth = 0;
  #values = 0;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.bytes.byteLength - this.offset;
  }

  /** Checks that `count` more bytes are there. Throws: RTMP_AMF_TRUNCATED. */
  require(count: number): void {
    if (count > this.remaining) throw rtmpErrors.error("RTMP_AMF_TRUNCATED", { offset: this.offset });
  }

  /** Reads 1 byte. */
  u8(): number {
    this.require(1);
    return this.bytes[this.offset++]!;
  }

  /** Reads 2 bytes, big-endian. */
  u16(): number {
    this.require(2);
    this.offset += 2;
    return this.#view.getUint16(this.offset - 2);
  }

  /** Reads 4 bytes, big-endian, unsigned. */
  u32(): number {
    this.require(4);
    this.offset += 4;
    return this.#view.getUint32(this.offset - 4);
  }

  /** Reads an IEEE 754 double, big-endian. */
  double(): number {
    this.require(8);
    this.offset += 8;
    return this.#view.getFloat64(this.offset - 8);
  }

  /** Reads `lengthBytes` of UTF-8; broken sequences become U+FFFD. */
  text(lengthBytes: number): string {
    const bytes = this.take(lengthBytes);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  }

  /** A view of the next bytes. */
  take(lengthBytes: number): Uint8Array {
    this.require(lengthBytes);
    this.offset += lengthBytes;
    return this.bytes.subarray(this.offset - lengthBytes, this.offset);
  }

  /** Counts one value. Throws: RTMP_AMF_LIMIT. */
  countValue(): void {
    if (++this.#values > MAX_AMF_VALUES) {
      throw rtmpErrors.error("RTMP_AMF_LIMIT", { limit: MAX_AMF_VALUES, what: "values" });
    }
  }

  /** Goes one level down. Throws: RTMP_AMF_LIMIT. */
  enter(): void {
    if (++this.#depth > MAX_AMF_DEPTH) {
      throw rtmpErrors.error("RTMP_AMF_LIMIT", { limit: MAX_AMF_DEPTH, what: "levels" });
    }
  }

  /** Comes back up. */
  leave(): void {
    this.#depth--;
  }
}

/** A growing byte string for values that we write; commands and metadata only, never media. */
export class AmfOutput {
  #bytes = Buffer.allocUnsafe(512);
  #length = 0;

  /** Writes 1 byte. */
  u8(value: number): void {
    this.#bytes[this.#reserve(1)] = value;
  }

  /** Writes 2 bytes, big-endian. */
  u16(value: number): void {
    const at = this.#reserve(2);
    this.#bytes.writeUInt16BE(value, at);
  }

  /** Writes 4 bytes, big-endian. */
  u32(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  /** Writes an IEEE 754 double, big-endian. */
  double(value: number): void {
    const at = this.#reserve(8);
    this.#bytes.writeDoubleBE(value, at);
  }

  /** Writes bytes as they are. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, at);
  }

  /** What was written so far, as a copy of exact size. */
  finish(): Uint8Array {
    const exact = new Uint8Array(this.#length);
    exact.set(this.#bytes.subarray(0, this.#length));
    return exact;
  }

  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.byteLength) {
      const wider = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.byteLength * 2));
      wider.set(this.#bytes);
      this.#bytes = wider;
    }
    return at;
  }
}

/**
 * Reads one value by the reader of its marker byte; `version` names the AMF version in the error.
 * Throws: RTMP_AMF_TYPE for a marker without a reader.
 */
export function readMarked<Context extends { readonly cursor: AmfCursor }>(
  context: Context,
  readers: ReadonlyMap<number, (context: Context) => AmfValue>,
  version: 0 | 3,
): AmfValue {
  const { cursor } = context;
  cursor.countValue();
  const offset = cursor.offset;
  const marker = cursor.u8();
  const read = readers.get(marker);
  if (read === undefined) throw rtmpErrors.error("RTMP_AMF_TYPE", { version, marker, offset });
  return read(context);
}
