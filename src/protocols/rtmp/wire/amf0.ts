import { rtmpErrors } from "../errors.ts";
import { readAmf3Value } from "./amf3.ts";
import { AmfCursor, AmfOutput, isAmfObject, readMarked } from "./amf-value.ts";
import type { AmfObject, AmfValue } from "./amf-value.ts";

/** Type markers. Spec: AMF0 section 2.1. */
const MARKER = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  reference: 0x07,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
  unsupported: 0x0d,
  xml: 0x0f,
  typedObject: 0x10,
  avmplus: 0x11,
} as const;

type Context = { readonly cursor: AmfCursor; readonly complex: AmfValue[] };

/**
 * Reads all values of an AMF0 message body from `offset` on, to its end.
 *
 * Input: values back to back; an avmplus marker switches to AMF3 for one value.
 * Throws: RTMP_AMF_TRUNCATED, _TYPE, _REFERENCE, _LIMIT, _EXTERNALIZABLE. Bounds: `MAX_AMF_DEPTH`, `MAX_AMF_VALUES`.
 * Ownership: byte arrays are views of `bytes`.
 * Spec: Adobe AMF0 (2007) section 2.
 */
export function readAmf0(bytes: Uint8Array, offset = 0): AmfValue[] {
  const cursor = new AmfCursor(bytes, offset);
  const context: Context = { cursor, complex: [] };
  const values: AmfValue[] = [];
  while (cursor.remaining > 0) values.push(readValue(context));
  return values;
}

type Reader = (context: Context) => AmfValue;

const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [MARKER.number, ({ cursor }) => cursor.double()],
  [MARKER.boolean, ({ cursor }) => cursor.u8() !== 0],
  [MARKER.string, ({ cursor }) => cursor.text(cursor.u16())],
  [MARKER.object, (context) => readObject(context, "object", null)],
  [MARKER.null, () => null],
  [MARKER.undefined, () => undefined],
  [MARKER.unsupported, () => undefined],
  [MARKER.reference, readReference],
  [MARKER.ecmaArray, readEcmaArray],
  [MARKER.strictArray, readStrictArray],
  [MARKER.date, readDate],
  [MARKER.longString, ({ cursor }) => cursor.text(cursor.u32())],
  [MARKER.xml, ({ cursor }) => ({ kind: "xml", text: cursor.text(cursor.u32()) })],
  [
    MARKER.typedObject,
    (context) => readObject(context, "object", context.cursor.text(context.cursor.u16())),
  ],
  [MARKER.avmplus, ({ cursor }) => readAmf3Value(cursor)],
]);

function readValue(context: Context): AmfValue {
  return readMarked(context, READERS, 0);
}

function readObject(context: Context, kind: AmfObject["kind"], className: string | null): AmfObject {
  const { cursor } = context;
  const fields = new Map<string, AmfValue>();
  const value: AmfObject = { kind, className, fields };
  context.complex.push(value);
  cursor.enter();
  for (;;) {
    const name = cursor.text(cursor.u16());
    if (name === "" && cursor.remaining > 0 && cursor.bytes[cursor.offset] === MARKER.objectEnd) break;
    fields.set(name, readValue(context));
  }
  cursor.offset++;
  cursor.leave();
  return value;
}

/** The count is a hint only: senders put 0 there, and the end marker rules. */
function readEcmaArray(context: Context): AmfObject {
  context.cursor.u32();
  return readObject(context, "ecma-array", null);
}

function readStrictArray(context: Context): AmfValue {
  const { cursor } = context;
  const count = cursor.u32();
  // Each item takes a byte at least, so that a big count fails before anything is allocated for it.
  cursor.require(count);
  const items: AmfValue[] = [];
  context.complex.push(items);
  cursor.enter();
  for (let i = 0; i < count; i++) items.push(readValue(context));
  cursor.leave();
  return items;
}

function readDate({ cursor }: Context): AmfValue {
  const ms = cursor.double();
  cursor.u16(); // time zone: reserved, to be ignored
  return { kind: "date", ms };
}

function readReference({ cursor, complex }: Context): AmfValue {
  const index = cursor.u16();
  if (index >= complex.length) throw rtmpErrors.error("RTMP_AMF_REFERENCE", { index });
  return complex[index];
}

/**
 * Writes values back to back.
 *
 * Byte arrays and dictionaries exist in AMF3 only and are written as undefined; class names are left out.
 * Throws: RTMP_AMF_LIMIT for values nested too deep. Ownership: the result is new.
 * Spec: Adobe AMF0 (2007) section 2.
 */
export function writeAmf0(values: readonly AmfValue[]): Uint8Array {
  const out = new AmfOutput();
  for (const value of values) writeValue(out, value, new AmfCursor(new Uint8Array(0)));
  return out.finish();
}

function writeValue(out: AmfOutput, value: AmfValue, depth: AmfCursor): void {
  if (value === null) out.u8(MARKER.null);
  else if (typeof value === "number") writeNumber(out, value);
  else if (typeof value === "boolean") writeBoolean(out, value);
  else if (typeof value === "string") writeString(out, value);
  else if (Array.isArray(value)) writeStrictArray(out, value as readonly AmfValue[], depth);
  else if (isAmfObject(value)) writeObject(out, value, depth);
  else writeRare(out, value);
}

function writeRare(out: AmfOutput, value: AmfValue): void {
  if (typeof value === "object" && value !== null && "kind" in value && value.kind === "date") {
    out.u8(MARKER.date);
    out.double(value.ms);
    out.u16(0);
  } else if (typeof value === "object" && value !== null && "kind" in value && value.kind === "xml") {
    const bytes = Buffer.from(value.text, "utf8");
    out.u8(MARKER.xml);
    out.u32(bytes.byteLength);
    out.raw(bytes);
  } else out.u8(MARKER.undefined);
}

function writeNumber(out: AmfOutput, value: number): void {
  out.u8(MARKER.number);
  out.double(value);
}

function writeBoolean(out: AmfOutput, value: boolean): void {
  out.u8(MARKER.boolean);
  out.u8(value ? 1 : 0);
}

function writeString(out: AmfOutput, value: string): void {
  const bytes = Buffer.from(value, "utf8");
  if (bytes.byteLength > 0xffff) {
    out.u8(MARKER.longString);
    out.u32(bytes.byteLength);
  } else {
    out.u8(MARKER.string);
    out.u16(bytes.byteLength);
  }
  out.raw(bytes);
}

function writeStrictArray(out: AmfOutput, items: readonly AmfValue[], depth: AmfCursor): void {
  depth.enter();
  out.u8(MARKER.strictArray);
  out.u32(items.length);
  for (const item of items) writeValue(out, item, depth);
  depth.leave();
}

function writeObject(out: AmfOutput, value: AmfObject, depth: AmfCursor): void {
  depth.enter();
  if (value.kind === "ecma-array") {
    out.u8(MARKER.ecmaArray);
    out.u32(value.fields.size);
  } else out.u8(MARKER.object);
  for (const [name, field] of value.fields) {
    const bytes = Buffer.from(name, "utf8").subarray(0, 0xffff);
    out.u16(bytes.byteLength);
    out.raw(bytes);
    writeValue(out, field, depth);
  }
  out.u16(0);
  out.u8(MARKER.objectEnd);
  depth.leave();
}
