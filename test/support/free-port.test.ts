import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { test } from "node:test";
import { freePort } from "./free-port.ts";

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1" }, () => resolve(server));
  });
}

test("ports are free, different, and none that the system gives away by itself", async (t) => {
  const any = await listen(0);
  t.after(() => any.close());
  const anyPort = (any.address() as AddressInfo).port;
  const outgoing = connect(anyPort, "127.0.0.1");
  t.after(() => outgoing.destroy());
  await new Promise((resolve) => outgoing.once("connect", resolve));
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  assert.equal(new Set(ports).size, 50);
  const highest = Math.max(...ports);
  assert.ok(
    highest < anyPort && highest < outgoing.localPort!,
    `${highest}, ${anyPort}, ${outgoing.localPort}`,
  );
  const server = await listen(await freePort());
  server.close();
});

test("a port that somebody listens on is passed over", async (t) => {
  const next = (await freePort()) + 1;
  const holder = await listen(next).catch(() => null);
  t.after(() => holder?.close());
  assert.notEqual(await freePort(), next);
});
