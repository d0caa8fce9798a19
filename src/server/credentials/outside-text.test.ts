import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { bitsOf, buildMmdb } from "../../../test/support/mmdb.ts";
import type { Logger } from "../../base/log.ts";
import { GEOIP_LOOK_MS, GeoipFile } from "./geoip-file.ts";
import { fetchText, readBytes, readText } from "./outside-text.ts";

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "weir-outside-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe("a text over HTTP", () => {
  test("is what a server answers with 200, and the credentials of the URL are its header", async (t) => {
    const host = await serve(t, (request, reply) =>
      reply.end(`${request.url} ${request.headers.authorization}`),
    );
    assert.equal(await fetchText(`http://${host}/keys`, 100), "/keys undefined");
    const basic = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
    assert.equal(await fetchText(`http://me:p%40ss@${host}/keys`, 100), `/keys ${basic}`);
  });

  const bad: readonly [what: string, listener: RequestListener, reason: RegExp][] = [
    ["another status", (_, reply) => void reply.writeHead(500).end("x"), /the answer is 500/],
    [
      "a redirect",
      (_, reply) => void reply.writeHead(302, { location: "/other" }).end(),
      /the answer is 302|socket hang up/,
    ],
    ["a body that is too long", (_, reply) => void reply.end("x".repeat(101)), /longer than 100 bytes/],
    ["a body without an end", (_, reply) => endless(reply), /longer than 100 bytes/],
    ["what is no UTF-8", (_, reply) => void reply.end(Buffer.of(0xff)), /valid/],
    ["a connection that breaks", (_, reply) => void reply.destroy(), /the answer is 302|socket hang up/],
  ];
  for (const [what, listener, reason] of bad)
    test(`is not taken from ${what}`, async (t) => {
      const host = await serve(t, listener);
      await assert.rejects(fetchText(`http://${host}/keys`, 100), reason);
    });
});

function endless(reply: Parameters<RequestListener>[1]): void {
  const more = (): void => {
    while (!reply.destroyed && reply.write("x".repeat(1000)));
  };
  reply.on("drain", more);
  more();
}

test("a file is read up to its bound, and a folder is none", async (t) => {
  const root = await folder(t);
  await writeFile(join(root, "a"), "abc");
  assert.equal(await readText(join(root, "a"), 3), "abc");
  await assert.rejects(readBytes(join(root, "a"), 2), /longer than 2 bytes/);
  await assert.rejects(readBytes(root, 2), /not a file/);
  await assert.rejects(readBytes(join(root, "b"), 2), /ENOENT/);
});

test("countries are read anew when their file changes, and one that is bad leaves those before", async (t) => {
  const root = await folder(t);
  const path = join(root, "country.mmdb");
  const write = async (bytes: Uint8Array): Promise<void> => {
    await writeFile(`${path}.new`, bytes);
    await rename(`${path}.new`, path);
  };
  const clock = new FakeClock();
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const log = { info: note, error: note } as unknown as Logger;
  const file = new GeoipFile(path, { clock, log });
  await file.start();
  assert.equal(file.countryOf("10.0.0.1"), undefined);
  const of = (country: string): Buffer => buildMmdb([{ bits: bitsOf("10.0.0.0/8"), value: { country } }]);
  for (const [bytes, want] of [
    [of("NZ"), "NZ"],
    [Buffer.from("nonsense"), "NZ"],
    [of("FR"), "FR"],
  ] as const) {
    await write(bytes);
    const before = lines.length;
    clock.advance(GEOIP_LOOK_MS);
    await eventually(() => assert.equal(lines.length, before + 1), { intervalMs: 5 });
    assert.equal(file.countryOf("10.0.0.1"), want);
    await eventually(() => assert.equal(clock.pendingTimers, 1), { intervalMs: 5 });
  }
  file.close();
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(lines, [
    "the file of countries cannot be taken; no address has a country",
    "the file of countries was read",
    "the file of countries cannot be taken; the one before stays in force",
    "the file of countries was read",
  ]);
});
