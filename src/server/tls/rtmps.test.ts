/** RTMP behind TLS: the listener counts, bounds and ends what is in its handshake, too. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { writePair } from "../../../test/support/https-listener.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { silentLogger } from "../../base/log.ts";
import { RtmpListener } from "../../protocols/rtmp/listener.ts";
import { readKeyPair } from "./key-pair.ts";
import { TlsDoor } from "./tls-door.ts";

async function open(
  t: TestContext,
  perAddress = 100,
): Promise<{ listener: RtmpListener; clock: FakeClock }> {
  const clock = new FakeClock();
  const { plan } = await writePair(t);
  const door = new TlsDoor({ ...plan, clock, ticketKeys: Buffer.alloc(48), protocols: [] });
  door.setPair(await readKeyPair(plan));
  const listener = new RtmpListener(
    { host: "127.0.0.1", port: 0, tls: () => door, limits: { handshakeTimeoutMs: 5000 } },
    {
      directory: new FakeDirectory(),
      clock,
      logger: silentLogger,
      addresses: new AddressCounter(perAddress),
    },
  );
  await listener.start();
  t.after(() => {
    const stopped = listener.stop();
    clock.advance(60_000);
    return stopped;
  });
  return { listener, clock };
}

async function secureClient(t: TestContext, { port }: RtmpListener): Promise<TLSSocket> {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

test("the handshake of RTMP is answered behind that of TLS", async (t) => {
  const { listener } = await open(t);
  assert.equal(listener.isTls, true);
  const client = await secureClient(t, listener);
  client.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
  const [first] = (await once(client, "data")) as [Buffer];
  assert.equal(first[0], 3);
  assert.equal(listener.stats().connections, 1);
  client.destroy();
  await eventually(() => assert.equal(listener.stats().connections, 0));
});

test("the time of the handshake of RTMP begins before that of TLS", async (t) => {
  const { listener, clock } = await open(t);
  const socket = connectTcp(listener.port, "127.0.0.1");
  await once(socket, "connect");
  await eventually(() => assert.ok(clock.pendingTimers >= 2));
  await clock.advanceSettling(4000);
  const client = connectTls({ socket, rejectUnauthorized: false });
  client.on("error", () => {});
  client.resume();
  await once(client, "secureConnect");
  await eventually(() => assert.equal(listener.stats().connections, 1));
  const closed = once(client, "close");
  await clock.advanceSettling(2000);
  await closed;
  await eventually(() => assert.equal(listener.stats().connections, 0));
});

test("addresses are counted from the first byte on, and a stop ends what is in its handshake", async (t) => {
  const { listener } = await open(t, 2);
  const idle = [connectTcp(listener.port, "127.0.0.1"), connectTcp(listener.port, "127.0.0.1")];
  const closed = idle.map(async (socket) => {
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.resume();
    await once(socket, "close");
  });
  for (const socket of idle) if (socket.connecting) await once(socket, "connect");
  await assert.rejects(secureClient(t, listener));
  assert.equal(listener.stats().refused, 1);
  idle[0]!.destroy();
  await closed[0];
  await eventually(async () => void (await secureClient(t, listener)));
  await listener.stop();
  await closed[1];
});
