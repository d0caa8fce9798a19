import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { mediaPacket, trackSet } from "../../../test/support/media.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { concatBytes } from "../../base/bytes.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields, Logger } from "../../base/log.ts";
import type { RecordedPackets } from "../../stream/recorded-packets.ts";
import type { RtmpRecordings } from "./connection.ts";
import { DEFAULT_RTMP_LIMITS, RtmpListener } from "./listener.ts";
import type { RtmpLimits } from "./listener.ts";
import {
  clientCommand,
  clientConnect,
  clientHandshake,
  clientMessage,
  joined,
  statusCodes,
} from "./test-client.ts";
import { MESSAGE, buildUserControl } from "./wire/messages.ts";

type Line = { message: string; fields: LogFields };

class Bench {
  readonly clock = new FakeClock();
  readonly directory = new FakeDirectory();
  readonly lines: Line[] = [];
  readonly listener: RtmpListener;
  readonly addresses: AddressCounter;
  /** What `film.mp4` is, once it is opened. */
  readonly recording = Promise.withResolvers<RecordedPackets>();
  onChild: (fields: LogFields) => void = () => {};

  constructor(limits: Partial<RtmpLimits>, addresses = new AddressCounter(1000)) {
    this.addresses = addresses;
    const keep = (message: string, fields: LogFields = {}): void =>
      void this.lines.push({ message, fields });
    const logger: Logger = {
      ...silentLogger,
      info: keep,
      warn: keep,
      error: keep,
      child: (fields) => {
        this.onChild(fields);
        return logger;
      },
    };
    const { directory, clock } = this;
    const recordings: RtmpRecordings = ({ name }) =>
      name === "pub/film.mp4" ? () => this.recording.promise : null;
    const parts = { directory, clock, logger, addresses, recordings };
    this.listener = new RtmpListener({ host: "127.0.0.1", port: 0, limits }, parts);
  }
  closings(): unknown[] {
    return this.lines
      .filter(({ message }) => message.includes("closed"))
      .map(({ fields }) => fields["reason"]);
  }
}

async function open(
  t: TestContext,
  limits: Partial<RtmpLimits> = {},
  addresses?: AddressCounter,
): Promise<Bench> {
  const bench = new Bench(limits, addresses);
  await bench.listener.start();
  t.after(() => {
    const stopped = bench.listener.stop();
    bench.clock.advance(60_000);
    return stopped;
  });
  return bench;
}

class Client {
  readonly socket: Socket;
  readonly received: Uint8Array[] = [];

  constructor(bench: Bench, isListening = true) {
    this.socket = connect(bench.listener.address()!.port, "127.0.0.1");
    this.socket.on("error", () => {});
    if (isListening) this.socket.on("data", (bytes) => void this.received.push(bytes));
  }
  send(...bytes: readonly Uint8Array[]): this {
    this.socket.write(concatBytes(bytes));
    return this;
  }
  codes(): string[] {
    return statusCodes(joined(this.received));
  }
  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, "close");
  }
}

/** Waits in short steps for what sockets take their time for; a bound, not a pace. */
async function until(check: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !check(); i++) await sleep(5);
  assert.ok(check(), "it did not happen in time");
}

const opening = [clientHandshake(), clientConnect(), clientCommand("createStream", 2, null)];
const publish = clientCommand("publish", 3, null, "camera", "live");
const play = clientCommand("play", 3, null, "camera");

test("a publisher reaches the directory, and its end is one line", async (t) => {
  const bench = await open(t);
  const client = new Client(bench).send(...opening, publish);
  await until(() => client.codes().includes("NetStream.Publish.Start"));
  assert.deepEqual(
    bench.directory.publishRequests.map(({ name, protocol }) => `${protocol} ${name}`),
    ["rtmp pub/camera"],
  );
  assert.equal(bench.listener.stats().publishers, 1);
  client.socket.end();
  await client.closed();
  await until(() => bench.listener.stats().connections === 0);
  assert.deepEqual(bench.directory.publishers[0]!.closes, ["peer-closed"]);
  assert.deepEqual(bench.closings(), ["peer-closed"]);
  const { fields } = bench.lines.at(-1)!;
  assert.equal(fields["stream"], "pub/camera");
  assert.ok(Number(fields["bytesIn"]) > 3073 && Number(fields["bytesOut"]) > 3073);
  assert.equal(bench.listener.stats().bytesIn, fields["bytesIn"]);
});

test("a player gets the bytes of its subscription", async (t) => {
  const bench = await open(t);
  const media = clientMessage(MESSAGE.audio, Uint8Array.of(0xaf, 1, 2), 0, 4);
  bench.directory.onSubscribe = ({ sink }) => sink.write(media);
  const client = new Client(bench).send(...opening, play);
  await until(() => joined(client.received).includes(0xaf));
  assert.ok(Buffer.from(joined(client.received)).includes(Buffer.from(media)));
  assert.equal(bench.listener.stats().players, 1);
  assert.equal(bench.directory.subscribeRequests[0]!.sink.queuedBytes(), 0);
  bench.directory.subscribeRequests[0]!.sink.end("stream-ended");
  await until(() => client.codes().includes("NetStream.Play.Stop"));
  client.socket.destroy();
  await until(() => bench.listener.stats().connections === 0);
});

test("a player of a recording never reaches the directory, is counted apart, and is sent its packets", async (t) => {
  const bench = await open(t);
  const client = new Client(bench).send(...opening, clientCommand("play", 3, null, "film.mp4"));
  await until(() => bench.listener.stats().recordingPlayers === 1);
  assert.equal(bench.listener.stats().players, 1);
  bench.recording.resolve({
    tracks: trackSet(),
    endUs: 40_000,
    reorderUs: 0,
    startAt: () => 0,
    read: async () => ({ packets: [mediaPacket()], toUs: 1_000_000, isLast: true }),
  });
  await until(() => client.codes().includes("NetStream.Play.Stop"));
  assert.ok(Buffer.from(joined(client.received)).includes(Buffer.from(mediaPacket().payload)));
  assert.equal(bench.directory.subscribeRequests.length, 0);
  client.socket.destroy();
  await until(() => bench.listener.stats().connections === 0);
  assert.equal(bench.listener.stats().recordingPlayers, 0);
});

test("garbage costs one connection and one line", async (t) => {
  const bench = await open(t);
  const clients = [Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(5000, 0xee)].map((bytes) =>
    new Client(bench).send(bytes),
  );
  for (const client of clients) await client.closed();
  await until(() => bench.listener.stats().connections === 0);
  assert.deepEqual(bench.closings(), ["protocol-error", "protocol-error"]);
  assert.equal(bench.lines.length, 2);
});

test("an oversized message costs one connection and one line", async (t) => {
  const bench = await open(t, { messageBytes: 1000 });
  const client = new Client(bench).send(
    ...opening,
    clientMessage(MESSAGE.video, new Uint8Array(1001), 0, 6),
  );
  await client.closed();
  await until(() => bench.listener.stats().connections === 0);
  assert.equal(bench.lines[0]!.fields["code"], "RTMP_MESSAGE_TOO_BIG");
  assert.equal(bench.lines.length, 1);
});

test("a client that never finishes the handshake is closed in time", async (t) => {
  const bench = await open(t);
  const client = new Client(bench).send(Uint8Array.of(3));
  await until(() => bench.listener.stats().connections === 1);
  bench.clock.advance(9000);
  assert.equal(client.socket.destroyed, false);
  bench.clock.advance(2000);
  await client.closed();
  assert.deepEqual(bench.closings(), ["handshake-timeout"]);
});

test("connections from one address are bounded, and free again when closed", async (t) => {
  const bench = await open(t, {}, new AddressCounter(2));
  const first = [new Client(bench), new Client(bench)];
  await until(() => bench.listener.stats().connections === 2);
  const third = new Client(bench);
  await third.closed();
  assert.equal(bench.listener.stats().refused, 1);
  first[0]!.socket.destroy();
  await until(() => bench.listener.stats().connections === 1);
  const fourth = new Client(bench).send(...opening);
  await until(() => fourth.codes().length > 0);
});

test("connections of one address are counted over all listeners that share the counter", async (t) => {
  const addresses = new AddressCounter(2);
  const [one, two] = [await open(t, {}, addresses), await open(t, {}, addresses)];
  const first = new Client(one);
  const second = new Client(two);
  await until(() => addresses.total === 2);
  for (const bench of [one, two]) {
    await new Client(bench).closed();
    assert.equal(bench.listener.stats().refused, 1);
  }
  first.socket.destroy();
  await until(() => addresses.total === 1);
  const next = new Client(two).send(...opening);
  await until(() => next.codes().length > 0);
  second.socket.destroy();
  next.socket.destroy();
  await until(() => addresses.total === 0);
});

test("connections in all are bounded", async (t) => {
  const bench = await open(t, { connections: 1 });
  const first = new Client(bench).send(...opening);
  await until(() => first.codes().length > 0);
  const second = new Client(bench);
  await second.closed();
  assert.equal(bench.listener.stats().refused, 1);
  assert.equal(bench.addresses.total, 1, "what was refused is not counted");
});

test("a player that takes nothing is closed", async (t) => {
  const bench = await open(t, { stallTimeoutMs: 5000 });
  const client = new Client(bench, false).send(...opening, play);
  await until(() => bench.directory.subscribeRequests.length === 1);
  const { sink } = bench.directory.subscribeRequests[0]!;
  for (let i = 0; i < 64; i++) sink.write(new Uint8Array(256 * 1024));
  await until(() => sink.queuedBytes() > 1_000_000);
  await sleep(50);
  bench.clock.advance(4000);
  assert.deepEqual(bench.closings(), []);
  bench.clock.advance(4000);
  assert.deepEqual(bench.closings(), ["player-stalled"]);
  assert.equal(bench.directory.closedSubscriptions, 1);
  client.socket.destroy();
});

test("a publisher that sends no media is closed when its own time-out says so, pings or not", async (t) => {
  const bench = await open(t, { publishTimeoutMs: 5000 });
  const client = new Client(bench).send(...opening, publish);
  await until(() => client.codes().includes("NetStream.Publish.Start"));
  bench.clock.advance(4000);
  const before = bench.listener.stats().bytesIn;
  client.send(clientMessage(MESSAGE.userControl, buildUserControl(6, 1)));
  await until(() => bench.listener.stats().bytesIn > before);
  assert.deepEqual(bench.closings(), []);
  bench.clock.advance(2000);
  assert.deepEqual(bench.closings(), ["publisher-silent"]);
  await client.closed();
});

test("a silent publisher and a player that takes nothing have a minute when nothing else is said", () => {
  assert.equal(DEFAULT_RTMP_LIMITS.publishTimeoutMs, 60_000);
  assert.equal(DEFAULT_RTMP_LIMITS.stallTimeoutMs, 60_000);
});

test("connections have ids of their own in the log", async (t) => {
  const ids = new Set<unknown>();
  const bench = await open(t);
  bench.onChild = (fields) => void (fields["session"] !== undefined && ids.add(fields["session"]));
  const clients = Array.from({ length: 20 }, () => new Client(bench).send(...opening));
  await until(() => clients.every((client) => client.codes().length > 0));
  assert.equal(ids.size, 20);
  for (const id of ids) assert.match(String(id), /^[0-9a-f]{12}$/);
});

test("stop tells players and publishers, and closes the port", async (t) => {
  const bench = await open(t);
  const publisher = new Client(bench).send(...opening, publish);
  const player = new Client(bench).send(...opening, play);
  await until(() => publisher.codes().length === 2 && player.codes().length === 3);
  const { port } = bench.listener.address()!;
  await bench.listener.stop();
  await Promise.all([publisher.closed(), player.closed()]);
  assert.ok(publisher.codes().includes("NetStream.Unpublish.Success"));
  assert.ok(player.codes().includes("NetStream.Play.UnpublishNotify"));
  assert.equal(bench.listener.address(), null);
  assert.deepEqual(bench.closings(), ["server-stopping", "server-stopping"]);
  const late = connect(port, "127.0.0.1");
  const [error] = (await once(late, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
  assert.equal(bench.clock.pendingTimers, 0);
});

test("publishers are asked to reconnect where they can, and are closed while players stay", async (t) => {
  const bench = await open(t);
  const able = [
    clientHandshake(),
    clientConnect("pub", { capsEx: 1 }),
    clientCommand("createStream", 2, null),
  ];
  const publishers = [
    new Client(bench).send(...able, publish),
    new Client(bench).send(...opening, clientCommand("publish", 3, null, "second", "live")),
  ];
  const player = new Client(bench).send(...able, play);
  await until(() => bench.listener.stats().publishers === 2 && bench.listener.stats().players === 1);
  assert.equal(bench.listener.askToReconnect(), 1);
  const asks = (client: Client): boolean =>
    client.codes().includes("NetConnection.Connect.ReconnectRequest");
  await until(() => asks(publishers[0]!));
  assert.equal(bench.listener.endPublishers(), 2);
  for (const publisher of publishers) {
    await publisher.closed();
    const last = publisher.codes().slice(-2);
    assert.deepEqual(last, ["NetStream.Unpublish.Success", "NetConnection.Connect.AppShutdown"]);
  }
  assert.deepEqual([asks(publishers[1]!), asks(player)], [false, false]);
  assert.deepEqual([bench.listener.endPublishers(), bench.listener.stats().players], [0, 1]);
  assert.deepEqual(bench.closings(), ["server-stopping", "server-stopping"]);
});

test("a port in use is an error of start", async (t) => {
  const bench = await open(t);
  const { port } = bench.listener.address()!;
  const { directory, clock, addresses } = bench;
  const parts = { directory, clock, addresses, logger: silentLogger };
  const second = new RtmpListener({ host: "127.0.0.1", port }, parts);
  await assert.rejects(second.start(), { code: "EADDRINUSE" });
});

test("a thousand short connections leave nothing behind", async (t) => {
  const bench = await open(t);
  for (let round = 0; round < 20; round++) {
    const clients = Array.from({ length: 50 }, () => new Client(bench).send(...opening));
    await until(() => clients.every((client) => client.codes().length > 0));
    for (const client of clients) client.socket.destroy();
    await until(() => bench.listener.stats().connections === 0);
  }
  assert.equal(bench.listener.stats().accepted, 1000);
  assert.equal(bench.closings().length, 1000);
  assert.equal(bench.clock.pendingTimers, 1, "the listener's own");
});
