/** All connections are read into one buffer: nothing of one is ever taken for that of another one. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { HttpListener } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";

/** Requests that wait: each is answered with what it says of itself when `answerAll` is called. */
class Waiting {
  readonly #ends: (() => void)[] = [];

  get size(): number {
    return this.#ends.length;
  }

  handle(request: HttpRequest): Promise<HttpReply> {
    return new Promise((resolve) => {
      this.#ends.push(() => resolve(textReply(200, `${request.path} of ${request.header("x-who")}!`)));
    });
  }

  answerAll(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}

async function listen(t: TestContext): Promise<{ port: number; waiting: Waiting }> {
  const waiting = new Waiting();
  const listener = new HttpListener({
    host: "127.0.0.1",
    port: 0,
    addresses: new AddressCounter(1000),
    budget: new ReplyBudget(1_000_000),
    idleTimeoutMs: 60_000,
    log: silentLogger,
    handle: (request) => waiting.handle(request),
  });
  await listener.start();
  t.after(() => listener.stop(0));
  return { port: listener.port, waiting };
}

function open(t: TestContext, port: number): { socket: Socket; text: () => string } {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  t.after(() => socket.destroy());
  return { socket, text: () => Buffer.concat(chunks).toString("latin1") };
}

const request = (path: string, who: string, padding = 0): string =>
  `GET /${path} HTTP/1.1\r\nhost: x\r\nx-who: ${who}\r\nx-padding: ${"p".repeat(padding)}\r\n\r\n`;

for (const [size, padding] of [
  ["short enough to be remembered", 0],
  ["too long to be remembered", 3000],
] as const) {
  test(`a request that waits keeps its own head, one ${size}`, async (t) => {
    const { port, waiting } = await listen(t);
    const clients = ["ann", "bob", "cat"].map((who) => ({ who, ...open(t, port) }));
    for (const [index, { who, socket }] of clients.entries()) {
      socket.write(request("a", who, padding));
      await eventually(() => assert.equal(waiting.size, index + 1));
    }
    waiting.answerAll();
    for (const { who, text } of clients)
      await eventually(() => assert.match(text(), new RegExp(`/a of ${who}!\n$`)));
  });
}

test("requests one behind the other wait with bytes of their own, while others are read", async (t) => {
  const { port, waiting } = await listen(t);
  const [first, other] = [open(t, port), open(t, port)];
  first.socket.write(request("1", "ann") + request("2", "ann") + request("3", "ann"));
  await eventually(() => assert.equal(waiting.size, 1));
  other.socket.write(request("4", "bob"));
  await eventually(() => assert.equal(waiting.size, 2));
  for (const path of ["1", "2", "3"]) {
    waiting.answerAll();
    await eventually(() => assert.ok(first.text().includes(`/${path} of ann!\n`)));
    if (path !== "3") await eventually(() => assert.equal(waiting.size, 1));
  }
  assert.match(other.text(), /\/4 of bob!\n$/);
});

test("a request that comes in pieces goes on elsewhere, whole, and so do those behind it", async (t) => {
  const { port, waiting } = await listen(t);
  const [slow, other] = [open(t, port), open(t, port)];
  const text = request("slow", "ann");
  slow.socket.write(text.slice(0, 25));
  other.socket.write(request("quick", "bob"));
  await eventually(() => assert.equal(waiting.size, 1));
  slow.socket.write(text.slice(25));
  await eventually(() => assert.equal(waiting.size, 2));
  waiting.answerAll();
  await eventually(() => assert.match(slow.text(), /\/slow of ann!\n$/));
  slow.socket.write(request("again", "ann"));
  await eventually(() => assert.equal(waiting.size, 1));
  waiting.answerAll();
  await eventually(() => assert.match(slow.text(), /\/again of ann!\n$/));
  assert.match(other.text(), /\/quick of bob!\n$/);
});
