import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { textReply } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { RtmpListener } from "../../protocols/rtmp/listener.ts";
import { LocalDirectory } from "../../stream/local-directory.ts";
import { HttpListener } from "../http/listener.ts";
import { ReplyBudget } from "../http/reply-budget.ts";
import type { Listener } from "./listener-set.ts";

const addresses = new AddressCounter(100);

function httpListener(): HttpListener {
  return new HttpListener({
    host: "127.0.0.1",
    port: 0,
    addresses,
    budget: new ReplyBudget(1_000_000),
    idleTimeoutMs: 60_000,
    log: silentLogger,
    handle: () => textReply(200, "here"),
  });
}

function rtmpListener(): RtmpListener {
  const clock = new FakeClock();
  const directory = new LocalDirectory({
    clock,
    log: silentLogger,
    maxStreams: 1,
    rulesOf: () => null,
    equip: () => {},
    onClosed: () => {},
  });
  return new RtmpListener(
    { host: "127.0.0.1", port: 0 },
    { directory, clock, logger: silentLogger, addresses },
  );
}

/** Connects. Resolves when the connection is there; rejects when it is refused. */
async function client(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket.on("error", () => {}).resume();
}

/** How to make one, and how many connections it holds. */
const KINDS: readonly [name: string, make: () => { listener: Listener; connections: () => number }][] = [
  [
    "HTTP",
    () => {
      const listener = httpListener();
      return { listener, connections: () => listener.connections };
    },
  ],
  [
    "RTMP",
    () => {
      const listener = rtmpListener();
      return { listener, connections: () => listener.stats().connections };
    },
  ],
];

for (const [name, make] of KINDS) {
  describe(`a listener of ${name} that is paused`, () => {
    test("gives its port away, keeps its connections, and comes back on the same port", async (t) => {
      const { listener, connections } = make();
      await listener.start();
      t.after(() => listener.stop(0));
      const { port } = listener;
      const early = await client(t, port);
      await eventually(() => assert.equal(connections(), 1));
      listener.pause();
      assert.equal(listener.port, port);
      await assert.rejects(client(t, port), { code: "ECONNREFUSED" });
      await listener.resume();
      assert.equal(listener.port, port);
      await client(t, port);
      await eventually(() => assert.equal(connections(), 2));
      assert.equal(early.readyState, "open");
    });

    test("does not come back where somebody has its port, and does when that is free", async (t) => {
      const { listener, connections } = make();
      await listener.start();
      t.after(() => listener.stop(0));
      await client(t, listener.port);
      await eventually(() => assert.equal(connections(), 1));
      listener.pause();
      const stranger = createServer();
      await new Promise<void>((resolve) => stranger.listen(listener.port, "127.0.0.1", resolve));
      await assert.rejects(listener.resume(), { code: "EADDRINUSE" });
      await new Promise((resolve) => stranger.close(resolve));
      await listener.resume();
      assert.equal(connections(), 1);
      await client(t, listener.port);
    });

    test("closes its connections when it is stopped", async (t) => {
      const { listener, connections } = make();
      await listener.start();
      const early = await client(t, listener.port);
      await eventually(() => assert.equal(connections(), 1));
      const over = new Promise((resolve) => early.once("close", resolve));
      listener.pause();
      const stopped = listener.stop(0);
      early.end();
      await Promise.all([over, stopped]);
    });

    test("is stopped at once when it has none", async () => {
      const { listener } = make();
      await listener.start();
      listener.pause();
      await listener.stop(0);
    });
  });
}
