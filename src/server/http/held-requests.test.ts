/** Requests that are answered late: what a handler learns of a client that leaves, and thousands that wait at once. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { textReply } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import type { TrackId } from "../../media/ids.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import { hlsReply } from "../../protocols/hls/reply.ts";
import type { HttpHandler } from "./answers.ts";
import { HttpListener } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";

function makeListener(handle: HttpHandler, readsPlain = true): HttpListener {
  return new HttpListener({
    host: "127.0.0.1",
    port: 0,
    addresses: new AddressCounter(10_000),
    budget: new ReplyBudget(1_000_000),
    idleTimeoutMs: 60_000,
    log: silentLogger,
    handle,
    readsPlain,
  });
}

async function listen(t: TestContext, handle: HttpHandler, readsPlain = true): Promise<number> {
  const listener = makeListener(handle, readsPlain);
  await listener.start();
  t.after(() => listener.stop(0));
  return listener.port;
}

/** A client that keeps what it is sent. */
class Client {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  isClosed = false;

  constructor(t: TestContext, port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk) => this.#chunks.push(chunk));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.isClosed = true));
    t.after(() => this.socket.destroy());
  }

  ask(path: string): void {
    this.socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("latin1");
  }
}

const kinds = [
  ["read here", true],
  ["read by node:http", false],
] as const;
const leaves = [
  ["breaks off", (socket: Socket) => void socket.destroy()],
  ["resets", (socket: Socket) => void socket.resetAndDestroy()],
  ["says that it sends no more", (socket: Socket) => void socket.end()],
] as const;

for (const [kind, readsPlain] of kinds) {
  for (const [how, leave] of leaves) {
    test(`a handler is told that a client that waits ${how}: requests ${kind}`, async (t) => {
      let [asked, left] = [0, 0];
      const handle: HttpHandler = (request) => {
        asked++;
        request.onLeave?.(() => left++);
        return new Promise(() => {});
      };
      const client = new Client(t, await listen(t, handle, readsPlain));
      client.ask("/");
      await eventually(() => assert.equal(asked, 1));
      leave(client.socket);
      await eventually(() => assert.equal(left, 1));
      await eventually(() => assert.ok(client.isClosed));
      assert.equal(client.text, "");
    });
  }

  test(`one that is answered while the listener stops closes its connection: requests ${kind}`, async (t) => {
    const ends: (() => void)[] = [];
    const listener = makeListener(
      () => new Promise((resolve) => ends.push(() => resolve(textReply(200, "late")))),
      readsPlain,
    );
    await listener.start();
    t.after(() => listener.stop(0));
    const client = new Client(t, listener.port);
    client.ask("/wait");
    await eventually(() => assert.equal(ends.length, 1));
    // A minute: who keeps the connection would have the stop wait for all of it.
    const stopped = listener.stop(60_000);
    ends[0]!();
    await stopped;
    await eventually(() => assert.ok(client.isClosed));
    assert.match(client.text, /connection: close[^]*late\n$/i);
  });

  test(`one that was answered late is not said to have left, and asks again: requests ${kind}`, async (t) => {
    const ends: (() => void)[] = [];
    let left = 0;
    const handle: HttpHandler = (request) => {
      if (request.path === "/now") return textReply(200, "now");
      request.onLeave?.(() => left++);
      return new Promise((resolve) => ends.push(() => resolve(textReply(200, "late"))));
    };
    const client = new Client(t, await listen(t, handle, readsPlain));
    client.ask("/wait");
    await eventually(() => assert.equal(ends.length, 1));
    ends[0]!();
    await eventually(() => assert.match(client.text, /late\n$/));
    assert.equal(left, 0);
    client.ask("/now");
    await eventually(() => assert.match(client.text, /now\n$/));
  });
}

/** Both ends of each connection are open files of this process; some systems allow few. */
const HELD = Math.min(5000, Math.floor((openFilesLimit() - 200) / 2));

function openFilesLimit(): number {
  const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"));
  return Number(found?.[1] ?? 1024);
}

test(`${HELD} who wait for a part are answered in one pass, with one playlist`, async (t) => {
  const window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 4, chunkDurationUs: 200_000 });
  const source = new LiveSource(window);
  source.play({ seconds: 9.04 });
  const selection = ["v1", "a1"] as TrackId[];
  const resource = { kind: "media", isLowLatency: true, selection } as const;
  const bodies = new Set<unknown>();
  let answered = 0;
  const port = await listen(t, async (request) => {
    const reply = await hlsReply(resource, window, "", request);
    bodies.add(reply.body[0]);
    answered++;
    return reply;
  });
  const { sequence } = window.edge!.now()!.open!;
  const clients = Array.from({ length: HELD }, () => new Client(t, port));
  for (const client of clients) client.ask(`/?_HLS_msn=${sequence}&_HLS_part=5`);
  const gone = clients.splice(0, 10);
  await eventually(() => assert.equal(window.heldRequests, HELD), { timeoutMs: 60_000 });
  for (const { socket } of gone) socket.destroy();
  await eventually(() => assert.equal(window.heldRequests, HELD - gone.length), { timeoutMs: 60_000 });
  const beganMs = performance.now();
  source.play({ seconds: 0.2 });
  assert.equal(window.heldRequests, 0);
  // No timer, no socket in between: what the part sets off runs before anything else does.
  await new Promise((resolve) => setImmediate(resolve));
  t.diagnostic(`${answered} answers written ${(performance.now() - beganMs).toFixed(1)} ms after the part`);
  assert.deepEqual([answered, bodies.size], [HELD - gone.length, 1]);
  const whole = /PRELOAD-HINT:TYPE=PART,URI="part-1767225608000-6\.m4s"\n$/;
  await eventually(() => assert.ok(clients.every(({ text }) => whole.test(text))), {
    timeoutMs: 60_000,
    intervalMs: 500,
  });
});
