/** Bodies in memory that is used again: what one client is sent is never what somebody else asked for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { BlockPool } from "../../vod/block-pool.ts";
import { HttpListener } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";

/** More than the system takes for a client that reads nothing. */
const LARGE_BYTES = 48 * 2 ** 20;
/** What is not joined with its head into one buffer. */
const MIDDLE_BYTES = 300_000;

/** A server of bodies that are full of the byte that their path names, in memory of one pool. */
class Lender {
  readonly pool = new BlockPool(2 ** 30);
  /** How often each reply was released, in the order of the requests. */
  readonly released: number[] = [];
  readonly memories = new Set<ArrayBufferLike>();
  readonly budget: ReplyBudget;
  port = 0;
  /** Answers wait for it. */
  gate: Promise<void> | null = null;

  constructor(budgetBytes: number) {
    this.budget = new ReplyBudget(budgetBytes);
  }

  async start(t: TestContext, readsPlain: boolean): Promise<void> {
    const listener = new HttpListener({
      host: "127.0.0.1",
      port: 0,
      addresses: new AddressCounter(10_000),
      budget: this.budget,
      idleTimeoutMs: 60_000,
      log: silentLogger,
      handle: (request) => this.#reply(request),
      readsPlain,
    });
    await listener.start();
    t.after(() => listener.stop(0));
    this.port = listener.port;
  }

  /** `/7/300000`: so many bytes, all of them 7. */
  async #reply({ path }: HttpRequest): Promise<HttpReply> {
    const [mark, lengthBytes] = path.slice(1).split("/").map(Number);
    const place = this.released.push(0) - 1;
    await this.gate;
    const memory = this.pool.take(lengthBytes!);
    this.memories.add(memory.bytes.buffer);
    memory.bytes.fill(mark!);
    const release = (): void => {
      // As the readers of files do it: a second call does nothing there.
      if (++this.released[place]! === 1) memory.release();
    };
    const headers = [
      ["content-type", "video/mp4"],
      ["etag", '"v"'],
    ] as const;
    return { status: 200, headers, body: [memory.bytes], ownBytes: lengthBytes!, release };
  }
}

async function lend(t: TestContext, readsPlain: boolean, budgetBytes = 2 ** 30): Promise<Lender> {
  const lender = new Lender(budgetBytes);
  await lender.start(t, readsPlain);
  return lender;
}

/** A client that has asked and reads nothing yet. */
function ask(t: TestContext, { port }: Lender, request: string): Socket {
  const socket = connect(port, "127.0.0.1", () => socket.write(`${request}\r\nhost: x\r\n\r\n`));
  socket.pause();
  t.after(() => socket.destroy());
  return socket;
}

/** Reads a body behind its head; fails at the first byte that is not `mark`. */
async function readBody(socket: Socket, mark: number, lengthBytes: number): Promise<void> {
  const expected = Buffer.alloc(2 ** 16, mark);
  let head: Buffer | null = Buffer.alloc(0);
  let got = 0;
  for await (const data of socket as AsyncIterable<Buffer>) {
    let chunk = data;
    if (head !== null) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) continue;
      assert.match(head.toString("latin1", 0, end), /^HTTP\/1\.1 200 /);
      chunk = head.subarray(end + 4);
      head = null;
    }
    for (let at = 0; at < chunk.byteLength; at += expected.byteLength) {
      const piece = chunk.subarray(at, at + expected.byteLength);
      assert.ok(piece.equals(expected.subarray(0, piece.byteLength)), `other bytes near ${got + at}`);
    }
    got += chunk.byteLength;
    if (got >= lengthBytes) break;
  }
  assert.equal(got, lengthBytes);
}

for (const readsPlain of [true, false]) {
  describe(`a lent body over ${readsPlain ? "plain connections" : "node:http"}`, () => {
    test(
      "is not given to others while a slow client is still to get it",
      { timeout: 60_000 },
      async (t) => {
        const lender = await lend(t, readsPlain);
        const slow = ask(t, lender, `GET /1/${LARGE_BYTES} HTTP/1.1`);
        await eventually(() => assert.equal(lender.memories.size, 1));
        for (let mark = 2; mark < 7; mark++) {
          // The same size, so that it is the slow client's memory that would be used.
          const socket = ask(t, lender, `GET /${mark}/${LARGE_BYTES} HTTP/1.1`);
          await readBody(socket, mark, LARGE_BYTES);
          socket.destroy();
          await eventually(() => assert.equal(lender.released[mark - 1], 1), { intervalMs: 2 });
        }
        assert.equal(lender.released[0], 0);
        assert.equal(lender.memories.size, 2, "one for the slow client, and one for all others in turn");
        await readBody(slow, 1, LARGE_BYTES);
        slow.destroy();
        await eventually(() => assert.ok(lender.released[0]! > 0));
      },
    );

    test("is given back when its client leaves in the middle of it", async (t) => {
      const lender = await lend(t, readsPlain);
      const socket = ask(t, lender, `GET /1/${LARGE_BYTES} HTTP/1.1`);
      await eventually(() => assert.equal(lender.memories.size, 1));
      assert.equal(lender.released[0], 0);
      socket.destroy();
      await eventually(() => assert.deepEqual(lender.released, [1]));
      assert.equal(lender.budget.heldBytes, 0);
    });

    test("is given back when its client has left before it was there", async (t) => {
      const lender = await lend(t, readsPlain);
      const { promise, resolve } = Promise.withResolvers<void>();
      lender.gate = promise;
      const socket = ask(t, lender, `GET /1/${MIDDLE_BYTES} HTTP/1.1`);
      await eventually(() => assert.equal(lender.released.length, 1));
      socket.destroy();
      // When another one is answered, the server has seen the first one's end for long.
      lender.gate = null;
      const next = ask(t, lender, `GET /2/${MIDDLE_BYTES} HTTP/1.1`);
      await readBody(next, 2, MIDDLE_BYTES);
      resolve();
      await eventually(() => assert.deepEqual(lender.released, [1, 1]));
    });

    const cases = [
      { name: "for HEAD", request: `HEAD /1/${MIDDLE_BYTES} HTTP/1.1`, status: 200 },
      { name: "when the client has it", request: `GET /1/9 HTTP/1.1\r\nif-none-match: "v"`, status: 304 },
      {
        name: "behind a range",
        request: `GET /1/${MIDDLE_BYTES} HTTP/1.1\r\nrange: bytes=9-9000`,
        status: 206,
      },
      { name: "for a range that it has not", request: "GET /1/9 HTTP/1.1\r\nrange: bytes=9-", status: 416 },
      { name: "when it is small", request: "GET /1/9 HTTP/1.1", status: 200 },
      {
        name: "behind the end of the connection",
        request: "GET /1/9 HTTP/1.1\r\nconnection: close",
        status: 200,
      },
    ];
    for (const { name, request, status } of cases) {
      test(`is given back ${name}`, async (t) => {
        const lender = await lend(t, readsPlain);
        const socket = ask(t, lender, request);
        socket.resume();
        const [first] = (await once(socket, "data")) as [Buffer];
        assert.equal(Number(first.toString("latin1").slice(9, 12)), status);
        await eventually(() => assert.deepEqual(lender.released, [1]));
        assert.ok(lender.pool.freeBytes > 0);
        assert.equal(lender.budget.heldBytes, 0);
      });
    }

    test("is given back when slow readers hold too much for it", async (t) => {
      const lender = await lend(t, readsPlain, LARGE_BYTES);
      ask(t, lender, `GET /1/${LARGE_BYTES} HTTP/1.1`);
      await eventually(() => assert.equal(lender.budget.heldBytes, LARGE_BYTES));
      const refused = ask(t, lender, `GET /2/${MIDDLE_BYTES} HTTP/1.1`);
      refused.resume();
      assert.match(String(await once(refused, "data")), /^HTTP\/1\.1 503 /);
      await eventually(() => assert.deepEqual(lender.released, [0, 1]));
    });
  });
}
