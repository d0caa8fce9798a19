import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { settle } from "../../../test/support/sessions.ts";
import { ASK_LIMITS, AskQueue } from "./ask-queue.ts";
import type { AskLimits } from "./ask-queue.ts";
import type { BackendReply, BackendRequest } from "./backend-request.ts";

const GOOD: BackendReply = { kind: "replied", status: 200, headers: {} };
const TIMEOUT: BackendReply = { kind: "failed", reason: "it did not answer in time", isTimeout: true };

const requestOf = (stream: string): BackendRequest => ({ url: stream, headers: {}, timeoutMs: 3000 });

/** A server that takes `replyMs`; Infinity: it never answers, and requests time out. */
class Server {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly queue: AskQueue;
  replyMs: number;
  atOnce = 0;
  mostAtOnce = 0;

  constructor(replyMs: number, limits: Partial<AskLimits> = {}) {
    this.replyMs = replyMs;
    this.queue = new AskQueue({
      clock: this.clock,
      limits: { ...ASK_LIMITS, ...limits },
      ask: (request) => this.#answer(request),
    });
  }

  /** Asks, and says when it was answered and how. */
  async ask(stream: string, lane: "new" | "update" = "new"): Promise<{ ms: number; reply: BackendReply }> {
    const reply = await this.queue.ask(stream, lane, requestOf(stream));
    return { ms: this.clock.nowUs() / 1000, reply };
  }

  #answer({ url, timeoutMs }: BackendRequest): Promise<BackendReply> {
    this.asked.push(url);
    this.atOnce++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    const { promise, resolve } = Promise.withResolvers<BackendReply>();
    const isLate = this.replyMs > timeoutMs;
    this.clock.schedule(isLate ? timeoutMs : this.replyMs, () => {
      this.atOnce--;
      resolve(isLate ? TIMEOUT : GOOD);
    });
    return promise;
  }
}

describe("requests to one server", () => {
  test("1100 viewers in one moment, 900 of them of one stream: no other stream waits for that one", async () => {
    const server = new Server(300);
    const crowd = Array.from({ length: 900 }, () => server.ask("final"));
    const others = Array.from({ length: 200 }, (_, index) => server.ask(`stream${index}`));
    await server.clock.advanceSettling(3000, 10);
    assert.ok((await Promise.all(others)).every(({ ms, reply }) => ms === 300 && reply === GOOD));
    const last = Math.max(...(await Promise.all(crowd)).map(({ ms }) => ms));
    assert.equal(last, 600, "900 in rounds of 512");
    assert.equal(server.asked.length, 1100);
    assert.equal(server.mostAtOnce, 712);
    assert.deepEqual(server.queue.stats().waiting + server.queue.stats().running, 0);
    assert.equal(server.clock.pendingTimers, 0);
  });

  test("never run more at once than they may, and go round the streams", async () => {
    const server = new Server(100, { atOnce: 2, atOncePerStream: 2 });
    const all = ["a", "a", "a", "a", "b", "c", "b"].map((stream) => server.ask(stream));
    await server.clock.advanceSettling(1000);
    await Promise.all(all);
    assert.equal(server.mostAtOnce, 2);
    assert.deepEqual(server.asked.slice(2, 5).toSorted(), ["a", "b", "c"]);
  });

  test("updates run when nothing new waits", async () => {
    const server = new Server(100, { atOnce: 1 });
    const all = [server.ask("x"), server.ask("u", "update"), server.ask("n1"), server.ask("n2")];
    await server.clock.advanceSettling(1000);
    await Promise.all(all);
    assert.deepEqual(server.asked, ["x", "n1", "n2", "u"]);
  });

  test("wait no longer than they may, and hold to their number", async () => {
    const server = new Server(2900, { atOnce: 1, waiting: 2 });
    const all = ["a", "b", "c", "d"].map((stream) => server.ask(stream));
    await settle();
    await server.clock.advanceSettling(10_000);
    const outcomes = (await Promise.all(all)).map(
      ({ ms, reply }) => `${ms}: ${reply.kind === "failed" ? reply.reason : "good"}`,
    );
    assert.deepEqual(outcomes, [
      "2900: good",
      "5000: it did not answer in time",
      "5000: it was not its turn in time",
      "0: too many requests wait for it",
    ]);
    assert.equal(server.queue.stats().refused, 2);
    assert.equal(server.clock.pendingTimers, 0);
  });

  test("a crowd that fills all places makes room for other streams, its oldest go", async () => {
    const server = new Server(300, { atOnce: 2, atOncePerStream: 1, waiting: 4 });
    const crowd = Array.from({ length: 5 }, () => server.ask("flood"));
    const more = server.ask("flood");
    const updates = [server.ask("quiet", "update"), server.ask("calm"), server.ask("quiet")];
    await server.clock.advanceSettling(3000, 10);
    const ends = (all: { reply: BackendReply }[]): string[] =>
      all.map(({ reply }) => (reply.kind === "failed" ? reply.reason : "good"));
    const gone = "too many requests about its stream wait";
    assert.deepEqual(ends(await Promise.all(crowd)), ["good", gone, gone, "good", "good"]);
    assert.deepEqual(ends([await more]), ["too many requests wait for it"]);
    assert.deepEqual(ends(await Promise.all(updates)), ["good", "good", "good"]);
    assert.equal(server.clock.pendingTimers, 0);
    assert.ok(server.queue.isIdle);
  });

  test("a server that does not answer is left alone after five time-outs, then asked once", async () => {
    const server = new Server(Infinity, { atOnce: 5 });
    const first = Array.from({ length: 20 }, () => server.ask("a"));
    await server.clock.advanceSettling(5000);
    const times = (await Promise.all(first)).map(({ ms }) => ms);
    assert.deepEqual(new Set(times), new Set([3000, 5000]), "those that waited are told with the fifth");
    // Four had come into the places of the first four before the fifth was over.
    assert.equal(server.asked.length, 9);
    assert.ok(server.queue.stats().isOpen);
    assert.equal((await server.ask("b")).ms, 5000);
    await server.clock.advanceSettling(2000);
    // One finds out, the others do not wait for it.
    const probe = server.ask("c");
    const beside = await server.ask("d");
    assert.equal(beside.reply.kind, "failed");
    assert.equal(server.asked.length, 10);
    await server.clock.advanceSettling(3000);
    assert.equal((await probe).reply, TIMEOUT);
    assert.equal((await server.ask("e")).reply.kind, "failed", "it is still dead");
    server.replyMs = 10;
    await server.clock.advanceSettling(2000);
    const good = server.ask("f");
    await server.clock.advanceSettling(100);
    assert.equal((await good).reply, GOOD);
    const back = Array.from({ length: 7 }, () => server.ask("a"));
    await server.clock.advanceSettling(100, 10);
    assert.ok((await Promise.all(back)).every(({ reply }) => reply === GOOD));
    assert.ok(!server.queue.stats().isOpen);
    assert.ok(server.queue.isIdle);
  });

  test("an answer between time-outs starts their count anew", async () => {
    const server = new Server(Infinity);
    for (let round = 0; round < 3; round++) {
      const late = Array.from({ length: 4 }, () => server.ask("a"));
      await server.clock.advanceSettling(3000);
      await Promise.all(late);
      server.replyMs = 10;
      const good = server.ask("a");
      await server.clock.advanceSettling(100);
      assert.equal((await good).reply, GOOD);
      server.replyMs = Infinity;
    }
    assert.ok(!server.queue.stats().isOpen);
  });

  test("a sender that rejects is a failure", async () => {
    const queue = new AskQueue({
      clock: new FakeClock(),
      limits: ASK_LIMITS,
      ask: () => Promise.reject(new Error("odd")),
    });
    const reply = await queue.ask("a", "new", requestOf("a"));
    assert.deepEqual(reply, { kind: "failed", reason: "odd", isTimeout: false });
    await settle();
    assert.ok(queue.isIdle);
  });
});
