/** A writer of small MaxMind DB files. Spec: MaxMind DB file format 2.0. */

type Value = string | number | readonly Value[] | { readonly [key: string]: Value };

/** A network of IPv4 or IPv6, as its bits, with what is said of its addresses. */
export type MmdbNetwork = { readonly bits: string; readonly value: Value };

/** The bits of a network: "10.0.0.0/8". IPv4 stands in the tree of IPv6 below 96 zeros. */
export function bitsOf(network: string): string {
  const [base = "", length = ""] = network.split("/");
  if (base.includes("."))
    return (
      "0".repeat(96) +
      base
        .split(".")
        .map((part) => Number(part).toString(2).padStart(8, "0"))
        .join("")
        .slice(0, Number(length))
    );
  const groups = base
    .replace(/::$/, "")
    .split(":")
    .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, "0"));
  return groups.join("").padEnd(128, "0").slice(0, Number(length));
}

/** The file: a tree of IPv6 with records of 24 bits. */
export function buildMmdb(networks: readonly MmdbNetwork[]): Buffer {
  const nodes: [left: number | Buffer | null, right: number | Buffer | null][] = [[null, null]];
  for (const { bits, value } of networks) {
    let at = 0;
    for (const bit of bits.slice(0, -1)) {
      const side = bit === "1" ? 1 : 0;
      if (typeof nodes[at]![side] !== "number") nodes[at]![side] = nodes.push([null, null]) - 1;
      at = nodes[at]![side] as number;
    }
    nodes[at]![bits.endsWith("1") ? 1 : 0] = encode(value);
  }
  const data: Buffer[] = [];
  let dataBytes = 0;
  const tree = nodes.flat().map((record) => {
    const bytes = Buffer.alloc(3);
    if (Buffer.isBuffer(record)) {
      bytes.writeUIntBE(nodes.length + 16 + dataBytes, 0, 3);
      data.push(record);
      dataBytes += record.length;
    } else bytes.writeUIntBE(record ?? nodes.length, 0, 3);
    return bytes;
  });
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1,
    database_type: "Weir-Test",
    ip_version: 6,
    node_count: nodes.length,
    record_size: 24,
  });
  const marker = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
  return Buffer.concat([...tree, Buffer.alloc(16), ...data, marker, metadata]);
}

/** Control bytes have the type in three bits, and the size, below 29 here, in five. */
function encode(value: Value): Buffer {
  if (typeof value === "string")
    return Buffer.concat([Buffer.of((2 << 5) | value.length), Buffer.from(value)]);
  if (typeof value === "number")
    return Buffer.of((6 << 5) | 4, value >>> 24, value >>> 16, value >>> 8, value);
  if (Array.isArray(value))
    return Buffer.concat([Buffer.of(value.length, 4), ...(value as Value[]).map(encode)]);
  const entries = Object.entries(value as Record<string, Value>);
  return Buffer.concat([
    Buffer.of((7 << 5) | entries.length),
    ...entries.flatMap(([k, v]) => [encode(k), encode(v)]),
  ]);
}
