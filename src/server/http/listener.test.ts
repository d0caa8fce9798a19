import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { jsonReply } from "../../base/http-message.ts";
import type { LogFields } from "../../base/log.ts";
import { silentLogger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { ReplyBudget, replyDeadlineMs } from "./reply-budget.ts";
import { HttpListener } from "./listener.ts";
import type { HttpListenerOptions } from "./listener.ts";

async function listen(t: TestContext, options: Partial<HttpListenerOptions> = {}): Promise<HttpListener> {
  const listener = new HttpListener({
    host: "127.0.0.1",
    port: 0,
    addresses: new AddressCounter(100),
    budget: new ReplyBudget(1_000_000),
    idleTimeoutMs: 5000,
    log: silentLogger,
    handle: () => jsonReply(200, { ok: true }),
    ...options,
  });
  await listener.start();
  t.after(() => listener.stop(0));
  return listener;
}

/** Sends bytes on a connection of their own and gives all that came back until it closed. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => (got += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
  });
}

test("a MediaError becomes its status and its words", async (t) => {
  const { port } = await listen(t, {
    handle: () => {
      throw streamErrors.error("STREAM_NOT_ON_AIR", { name: "pub/x", reason: "nobody publishes it now" });
    },
  });
  const reply = await fetch(`http://127.0.0.1:${port}/pub/x/index.m3u8`);
  assert.equal(reply.status, 404);
  assert.equal(await reply.text(), 'stream "pub/x" is not on air: nobody publishes it now\n');
  assert.equal(reply.headers.get("access-control-allow-origin"), "*");
  assert.equal(reply.headers.get("x-error-code"), "STREAM_NOT_ON_AIR");
});

test("a fault of the server is a 500 that gives nothing away, and a line in the log that gives all", async (t) => {
  const errors: LogFields[] = [];
  const { port } = await listen(t, {
    log: { ...silentLogger, error: (_message, fields) => errors.push(fields ?? {}) },
    handle: () => {
      throw new TypeError("secret detail");
    },
  });
  const reply = await fetch(`http://127.0.0.1:${port}/x?token=hush`);
  assert.equal(reply.status, 500);
  assert.doesNotMatch(await reply.text(), /secret/);
  assert.deepEqual([errors[0]!["path"], errors[0]!["reason"]], ["/x", "secret detail"]);
});

test("requests sent together on one connection are answered in order", async (t) => {
  const { port } = await listen(t, { handle: (request) => jsonReply(200, { path: request.path }) });
  const head = "HTTP/1.1\r\nhost: x\r\n";
  const got = await exchange(
    port,
    `GET /1 ${head}\r\nGET /2 ${head}\r\nHEAD /3 ${head}connection: close\r\n\r\n`,
  );
  assert.deepEqual(got.match(/"path":"[^"]+"/g), ['"path":"/1"', '"path":"/2"']);
  assert.equal(got.match(/HTTP\/1\.1 200/g)!.length, 3);
});

test("methods that change something are refused, with what is allowed", async (t) => {
  const { port } = await listen(t);
  const reply = await fetch(`http://127.0.0.1:${port}/x`, { method: "DELETE" });
  assert.deepEqual([reply.status, reply.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
});

test("a path that means two things is a 400 in words", async (t) => {
  const { port } = await listen(t);
  const got = await exchange(port, "GET /a/%2e%2e/b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  assert.match(got, /^HTTP\/1\.1 400 /);
  assert.match(got, /the path has a dot segment\n$/);
});

test("connections over the bound of an address are closed at once, and room is given back", async (t) => {
  const listener = await listen(t, { addresses: new AddressCounter(2) });
  const open = await Promise.all(
    [1, 2].map(
      () =>
        new Promise<ReturnType<typeof connect>>((resolve) => {
          const socket = connect(listener.port, "127.0.0.1", () => resolve(socket));
        }),
    ),
  );
  assert.equal(await exchange(listener.port, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"), "");
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(listener.connections, 0);
  assert.match(
    await exchange(listener.port, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
    /200 OK/,
  );
});

test("a connection on which nothing moves is closed", async (t) => {
  const { port } = await listen(t, { idleTimeoutMs: 200 });
  const started = Date.now();
  assert.match(await exchange(port, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"), /200 OK/);
  assert.ok(Date.now() - started < 5000);
});

test("slow readers may hold so much memory and no more; who comes then is told to come back", async (t) => {
  const body = [new Uint8Array(20_000_000)];
  const budget = new ReplyBudget(50_000_000);
  const handle = () => ({ status: 200, headers: [], body, ownBytes: 20_000_000 });
  const { port } = await listen(t, { budget, handle });
  const slow = [1, 2].map(() => {
    const socket = connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
    socket.pause();
    return socket;
  });
  while (budget.heldBytes < 40_000_000) await new Promise((resolve) => setTimeout(resolve, 10));
  const refused = await fetch(`http://127.0.0.1:${port}/`);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "3"]);
  for (const socket of slow) socket.destroy();
  while (budget.heldBytes > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: "HEAD" })).status, 200);
});

test("a reply that is read slower than anybody watches has a deadline, by its size", () => {
  assert.equal(replyDeadlineMs(0), 30_000);
  assert.equal(replyDeadlineMs(32 * 1024 * 60), 90_000);
});

test("an absolute request target is read as its path", async (t) => {
  const { port } = await listen(t, { handle: (request) => jsonReply(200, { path: request.path }) });
  const got = await exchange(
    port,
    "GET http://weir.test/a/b?c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
  );
  assert.match(got, /"path":"\/a\/b"/);
});
