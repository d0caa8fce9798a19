import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { selfSigned } from "../../../test/support/certificate.ts";
import { writePair } from "../../../test/support/https-listener.ts";
import type { PairOnDisk } from "../../../test/support/https-listener.ts";
import { MediaError } from "../../base/errors.ts";
import { readKeyPair } from "./key-pair.ts";

const other = selfSigned();

type Row = {
  readonly name: string;
  readonly break: (disk: PairOnDisk) => Promise<void>;
  readonly code: string;
  readonly says: RegExp;
};

const rows: Row[] = [
  {
    name: "no certificate",
    break: ({ plan }) => rm(plan.certificate),
    code: "TLS_FILE_UNREADABLE",
    says: /tls\.crt cannot be read \(it is not there\)/,
  },
  {
    name: "no key",
    break: ({ plan }) => rm(plan.key),
    code: "TLS_FILE_UNREADABLE",
    says: /tls\.key cannot be read/,
  },
  {
    name: "a certificate of bytes",
    break: ({ plan }) => writeFile(plan.certificate, Buffer.alloc(500, 0x30)),
    code: "TLS_NOT_PEM",
    says: /tls\.crt has no certificate in PEM/,
  },
  {
    name: "an empty certificate",
    break: ({ plan }) => writeFile(plan.certificate, ""),
    code: "TLS_NOT_PEM",
    says: /no certificate/,
  },
  {
    name: "a certificate that is cut off",
    break: ({ plan, pair }) => writeFile(plan.certificate, pair.cert.slice(0, 300)),
    code: "TLS_NOT_PEM",
    says: /no certificate/,
  },
  {
    name: "a key that is a certificate",
    break: ({ plan, pair }) => writeFile(plan.key, pair.cert),
    code: "TLS_NOT_PEM",
    says: /tls\.key has no private key in PEM/,
  },
  {
    name: "a key of another pair",
    break: ({ plan }) => writeFile(plan.key, other.key),
    code: "TLS_KEY_MISMATCH",
    says: /not the one of the certificate/,
  },
  {
    name: "a file that is too long",
    break: ({ plan }) => writeFile(plan.certificate, Buffer.alloc(2_000_000)),
    code: "TLS_FILE_UNREADABLE",
    says: /more than 1048576 bytes/,
  },
  {
    name: "an encrypted key without a passphrase",
    break: ({ plan, pair }) => writeFile(plan.key, encrypted(pair.key)),
    code: "TLS_BAD_PASSPHRASE",
    says: /passphrase does not open/,
  },
  {
    name: "a broken chain behind a good certificate",
    break: ({ plan, pair }) =>
      writeFile(
        plan.certificate,
        `${pair.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      ),
    code: "TLS_REFUSED",
    says: /OpenSSL does not take/,
  },
];

function encrypted(key: string): string {
  const options = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "flussonic" } as const;
  return String(createPrivateKey(key).export(options));
}

for (const { name, break: breakIt, code, says } of rows) {
  test(`what is wrong is said: ${name}`, async (t) => {
    const disk = await writePair(t);
    await breakIt(disk);
    await assert.rejects(readKeyPair(disk.plan), (error: unknown) => {
      assert.ok(error instanceof MediaError);
      assert.equal(error.code, code);
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /BEGIN|PRIVATE/);
      return true;
    });
  });
}

test("a good pair is read, with its dates", async (t) => {
  const { plan, pair } = await writePair(t);
  const read = await readKeyPair(plan);
  assert.equal(read.certificate, pair.cert);
  assert.equal(read.key, pair.key);
  assert.ok(read.validFromMs < Date.now() && read.expiresMs > Date.now());
});

test("an encrypted key is opened by its passphrase", async (t) => {
  const { plan, pair } = await writePair(t);
  await writeFile(plan.key, encrypted(pair.key));
  const read = await readKeyPair({ ...plan, passphrase: "flussonic" });
  assert.equal(read.passphrase, "flussonic");
  await assert.rejects(readKeyPair({ ...plan, passphrase: "other" }), { code: "TLS_BAD_PASSPHRASE" });
});

test("more certificates are sent behind the server's own, and passed over where there are none", async (t) => {
  const { plan, pair, folder } = await writePair(t);
  const ca = join(folder, "ca.crt");
  assert.equal((await readKeyPair({ ...plan, ca })).certificate, pair.cert);
  await writeFile(ca, other.cert);
  assert.equal((await readKeyPair({ ...plan, ca })).certificate, `${pair.cert}\n${other.cert}`);
  await writeFile(ca, "nothing");
  await assert.rejects(readKeyPair({ ...plan, ca }), { code: "TLS_NOT_PEM" });
});
