/** Certificates for servers of tests, made here: a test needs no program for them. */
import { generateKeyPairSync, sign } from "node:crypto";

/** A certificate that is its own authority, and its key, both in PEM. */
export type SelfSigned = { readonly cert: string; readonly key: string };

/** What may be wrong with a certificate. `address`: the IPv4 address it is for, 127.0.0.1 unless given. */
export type SelfSignedOptions = { readonly address?: string; readonly isExpired?: boolean };

const DAY_MS = 86_400_000;

/** Makes one with a key of its own, valid for two days around now. Spec: RFC 5280 section 4.1; X.690 (DER). */
export function selfSigned(options: SelfSignedOptions = {}): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const ecdsaSha256 = seq(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
  const name = seq(der(0x31, seq(oid([0x55, 0x04, 0x03]), der(0x0c, Buffer.from("weir test")))));
  const end = options.isExpired === true ? Date.now() - DAY_MS / 2 : Date.now() + DAY_MS;
  const address = Buffer.from((options.address ?? "127.0.0.1").split(".").map(Number));
  const isAuthority = extension([0x55, 0x1d, 0x13], seq(der(0x01, Buffer.from([0xff]))));
  const isFor = extension([0x55, 0x1d, 0x11], seq(der(0x87, address)));
  const facts = seq(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaSha256,
    name,
    seq(utcTime(Date.now() - DAY_MS), utcTime(end)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, seq(isAuthority, isFor)),
  );
  const signature = sign("sha256", facts, { key: privateKey, dsaEncoding: "der" });
  const whole = seq(facts, ecdsaSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

function der(tag: number, body: Buffer): Buffer {
  const size = body.byteLength;
  const head =
    size < 128 ? [tag, size] : size < 256 ? [tag, 0x81, size] : [tag, 0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

function seq(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return seq(oid(id), der(0x04, value));
}

/** As in 261231235959Z. */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, "");
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}
