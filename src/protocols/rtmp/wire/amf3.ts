import { rtmpErrors } from "../errors.ts";
import { AmfCursor, readMarked } from "./amf-value.ts";
import type { AmfDictionary, AmfObject, AmfValue } from "./amf-value.ts";

/** Type markers. Spec: AMF3 section 3.1. */
const MARKER = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
  vectorInt: 0x0d,
  vectorUint: 0x0e,
  vectorDouble: 0x0f,
  vectorObject: 0x10,
  dictionary: 0x11,
} as const;

/** The shape that objects of a class share. */
type Traits = {
  readonly className: string;
  readonly isDynamic: boolean;
  readonly isExternalizable: boolean;
  readonly names: readonly string[];
};

/** The three tables that later values refer to. Spec: AMF3 section 2.2. */
type Context = {
  readonly cursor: AmfCursor;
  readonly strings: string[];
  readonly objects: AmfValue[];
  readonly traits: Traits[];
};

/**
 * Reads all values of an AMF3 message body from `offset` on, to its end; the values share their reference tables.
 *
 * Throws: RTMP_AMF_TRUNCATED, _TYPE, _REFERENCE, _LIMIT, _EXTERNALIZABLE. Bounds: `MAX_AMF_DEPTH`, `MAX_AMF_VALUES`.
 * Ownership: byte arrays are views of `bytes`.
 * Spec: Adobe AMF3 (2013) sections 2 and 3.
 */
export function readAmf3(bytes: Uint8Array, offset = 0): AmfValue[] {
  const cursor = new AmfCursor(bytes, offset);
  const context = newContext(cursor);
  const values: AmfValue[] = [];
  while (cursor.remaining > 0) values.push(readValue(context));
  return values;
}

/** Reads one AMF3 value inside AMF0 (after its avmplus marker), with tables of its own. */
export function readAmf3Value(cursor: AmfCursor): AmfValue {
  cursor.enter();
  const value = readValue(newContext(cursor));
  cursor.leave();
  return value;
}

function newContext(cursor: AmfCursor): Context {
  return { cursor, strings: [], objects: [], traits: [] };
}

type Reader = (context: Context) => AmfValue;

const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [MARKER.undefined, () => undefined],
  [MARKER.null, () => null],
  [MARKER.false, () => false],
  [MARKER.true, () => true],
  [MARKER.integer, ({ cursor }) => (readU29(cursor) << 3) >> 3],
  [MARKER.double, ({ cursor }) => cursor.double()],
  [MARKER.string, readString],
  [MARKER.xmlDocument, readXml],
  [MARKER.xml, readXml],
  [MARKER.date, readDate],
  [MARKER.array, readArray],
  [MARKER.object, readObject],
  [MARKER.byteArray, readByteArray],
  [MARKER.vectorInt, (context) => readVector(context, 4, (cursor) => cursor.u32() | 0)],
  [MARKER.vectorUint, (context) => readVector(context, 4, (cursor) => cursor.u32())],
  [MARKER.vectorDouble, (context) => readVector(context, 8, (cursor) => cursor.double())],
  [MARKER.vectorObject, readVectorObject],
  [MARKER.dictionary, readDictionary],
]);

function readValue(context: Context): AmfValue {
  return readMarked(context, READERS, 3);
}

/** Up to 29 bits in one to four bytes; the fourth gives all of its bits. Spec: AMF3 section 1.3.1. */
function readU29(cursor: AmfCursor): number {
  let value = 0;
  for (let i = 0; i < 3; i++) {
    const byte = cursor.u8();
    value = (value << 7) | (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return (value << 8) | cursor.u8();
}

function lookUp<T>(table: readonly T[], index: number): T {
  if (index >= table.length) throw rtmpErrors.error("RTMP_AMF_REFERENCE", { index });
  return table[index]!;
}

function readString(context: Context): string {
  const head = readU29(context.cursor);
  if ((head & 1) === 0) return lookUp(context.strings, head >>> 1);
  const text = context.cursor.text(head >>> 1);
  if (text !== "") context.strings.push(text);
  return text;
}

/** Reads the head that objects of every kind share: a reference, or a number of what follows. */
function readHead(context: Context): { readonly seen: AmfValue } | number {
  const head = readU29(context.cursor);
  if ((head & 1) === 0) {
    const index = head >>> 1;
    if (index >= context.objects.length) throw rtmpErrors.error("RTMP_AMF_REFERENCE", { index });
    return { seen: context.objects[index] };
  }
  return head >>> 1;
}

function remember<T extends AmfValue>(context: Context, value: T): T {
  context.objects.push(value);
  return value;
}

function readXml(context: Context): AmfValue {
  const head = readHead(context);
  if (typeof head !== "number") return head.seen;
  return remember(context, { kind: "xml", text: context.cursor.text(head) });
}

function readDate(context: Context): AmfValue {
  const head = readHead(context);
  if (typeof head !== "number") return head.seen;
  return remember(context, { kind: "date", ms: context.cursor.double() });
}

function readByteArray(context: Context): AmfValue {
  const head = readHead(context);
  if (typeof head !== "number") return head.seen;
  return remember(context, context.cursor.take(head));
}

/** Dense only: a list. With named values: an associative array that holds the dense part under its indices. */
function readArray(context: Context): AmfValue {
  const head = readHead(context);
  if (typeof head !== "number") return head.seen;
  const { cursor } = context;
  const place = context.objects.length;
  const fields = new Map<string, AmfValue>();
  const items: AmfValue[] = [];
  const named: AmfObject = { kind: "ecma-array", className: null, fields };
  context.objects.push(items);
  cursor.enter();
  for (let name = readString(context); name !== ""; name = readString(context)) {
    context.objects[place] = named;
    fields.set(name, readValue(context));
  }
  cursor.require(head);
  for (let i = 0; i < head; i++) items.push(readValue(context));
  cursor.leave();
  if (fields.size === 0) return items;
  for (const [index, item] of items.entries()) fields.set(String(index), item);
  return named;
}

function readTraits(context: Context, head: number): Traits {
  if ((head & 1) === 0) return lookUp(context.traits, head >>> 1);
  const isExternalizable = (head & 2) !== 0;
  const isDynamic = (head & 4) !== 0;
  const count = head >>> 3;
  const className = readString(context);
  context.cursor.require(isExternalizable ? 0 : count);
  const names: string[] = [];
  if (!isExternalizable) for (let i = 0; i < count; i++) names.push(readString(context));
  const traits: Traits = { className, isDynamic, isExternalizable, names };
  context.traits.push(traits);
  return traits;
}

/** Wrappers that Flex puts around a value: their own bytes are just that value. */
const TRANSPARENT = new Set(["flex.messaging.io.ArrayCollection", "flex.messaging.io.ObjectProxy"]);

function readObject(context: Context): AmfValue {
  const head = readHead(context);
  if (typeof head !== "number") return head.seen;
  const { cursor } = context;
  const traits = readTraits(context, head);
  cursor.enter();
  const value = traits.isExternalizable ? readExternal(context, traits) : readFields(context, traits);
  cursor.leave();
  return value;
}

function readExternal(context: Context, traits: Traits): AmfValue {
  const { className } = traits;
  if (!TRANSPARENT.has(className)) throw rtmpErrors.error("RTMP_AMF_EXTERNALIZABLE", { className });
  const place = context.objects.length;
  context.objects.push(null);
  const value = readValue(context);
  context.objects[place] = value;
  return value;
}

function readFields(context: Context, traits: Traits): AmfValue {
  const fields = new Map<string, AmfValue>();
  const className = traits.className === "" ? null : traits.className;
  const value = remember<AmfObject>(context, { kind: "object", className, fields });
  for (const name of traits.names) fields.set(name, readValue(context));
  if (!traits.isDynamic) return value;
  for (let name = readString(context); name !== ""; name = readString(context)) {
    fields.set(name, readValue(context));
  }
  return value;
}

function readVector(context: Context, itemBytes: number, read: (cursor: AmfCursor) => number): AmfValue {
  const head = readHead(context);
  if (typeof head !== "number") return head.seen;
  const { cursor } = context;
  cursor.u8(); // fixed length or not: of no use to a reader
  cursor.require(head * itemBytes);
  const items: number[] = [];
  for (let i = 0; i < head; i++) {
    cursor.countValue();
    items.push(read(cursor));
  }
  return remember(context, items);
}

function readVectorObject(context: Context): AmfValue {
  const head = readHead(context);
  if (typeof head !== "number") return head.seen;
  const { cursor } = context;
  cursor.u8();
  readString(context); // the items' class
  cursor.require(head);
  const items: AmfValue[] = [];
  context.objects.push(items);
  cursor.enter();
  for (let i = 0; i < head; i++) items.push(readValue(context));
  cursor.leave();
  return items;
}

function readDictionary(context: Context): AmfValue {
  const head = readHead(context);
  if (typeof head !== "number") return head.seen;
  const { cursor } = context;
  cursor.u8(); // weak keys or not
  cursor.require(head * 2);
  const entries: (readonly [AmfValue, AmfValue])[] = [];
  const value = remember<AmfDictionary>(context, { kind: "dictionary", entries });
  cursor.enter();
  for (let i = 0; i < head; i++) entries.push([readValue(context), readValue(context)]);
  cursor.leave();
  return value;
}
