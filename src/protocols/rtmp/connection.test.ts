import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakePermit } from "../../../test/support/fake-permit.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { LogFields, Logger } from "../../base/log.ts";
import type { SessionId } from "../../media/ids.ts";
import { RtmpConnection } from "./connection.ts";
import type { RtmpAdmission, RtmpAdmit } from "./connection.ts";
import { ReadingRests } from "./reading-rests.ts";
import { clientCommand, clientConnect, clientHandshake, clientMessage } from "./test-client.ts";
import { DEFAULT_CHUNK_LIMITS } from "./wire/chunk-reader.ts";
import { MESSAGE, buildUserControl } from "./wire/messages.ts";

/** A socket whose other side takes nothing until told to. */
class StuckSocket extends Duplex {
  readonly remoteAddress = "192.0.2.1";
  bytesRead = 0;
  #waiting: (() => void)[] = [];

  /** As Node counts: with what it holds. */
  get bytesWritten(): number {
    return this.takenBytes + this.writableLength;
  }

  /** What the other side has taken. */
  takenBytes = 0;

  constructor(writableHighWaterMark: number) {
    super({ allowHalfOpen: false, emitClose: true, writableHighWaterMark });
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this._writev([{ chunk }], done);
  }
  /** As a TCP socket does it: what has gathered goes out as one operation, and finishes as one. */
  override _writev(parts: { chunk: Buffer }[], done: () => void): void {
    this.#waiting.push(() => {
      for (const { chunk } of parts) this.takenBytes += chunk.byteLength;
      done();
    });
  }
  override _destroy(_error: Error | null, done: (error: null) => void): void {
    done(null);
  }
  setNoDelay(): void {}
  setKeepAlive(): void {}
  /** The operation that runs finishes. */
  async acceptOne(): Promise<void> {
    this.#waiting.shift()?.();
    await turn();
  }
  /** The other side takes what waits. */
  async acceptAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      for (const done of this.#waiting.splice(0)) done();
      await turn();
    }
  }
}

const lines: { message: string; fields: LogFields }[] = [];

/** Keeps all lines, with the fields of the loggers that they came through. */
function keeper(outer: LogFields = {}): Logger {
  const keep = (message: string, fields: LogFields = {}): void =>
    void lines.push({ message, fields: { ...outer, ...fields } });
  const child = (fields: LogFields): Logger => keeper({ ...outer, ...fields });
  return { isEnabled: () => true, debug: keep, info: keep, warn: keep, error: keep, child };
}

/** The lines besides the steps of the session. */
const graveLines = (): typeof lines => lines.filter(({ message }) => message !== "RTMP session state");

function open(
  writableHighWaterMark = 2048,
  admit?: RtmpAdmit,
): {
  socket: StuckSocket;
  connection: RtmpConnection;
  directory: FakeDirectory;
  gone: () => number;
  clock: FakeClock;
} {
  lines.length = 0;
  const socket = new StuckSocket(writableHighWaterMark);
  const clock = new FakeClock();
  const directory = new FakeDirectory();
  let gone = 0;
  const timeouts = {
    handshakeTimeoutMs: 1e4,
    idleTimeoutMs: 1e4,
    publishTimeoutMs: 1e4,
    pauseTimeoutMs: 1e4,
  };
  const connection = new RtmpConnection({
    id: "0badcafe" as SessionId,
    socket,
    directory,
    clock,
    rests: new ReadingRests(clock),
    logger: keeper(),
    options: {
      session: { chunkLimits: DEFAULT_CHUNK_LIMITS, ...timeouts },
      stallTimeoutMs: 5000,
      maxUnsentBytes: 4096,
      maxQueuedBytes: 48 * 1024 * 1024,
      sendWindow: "auto",
      lingerMs: 2000,
    },
    admit,
    onGone: () => void gone++,
  });
  return { socket, connection, directory, gone: () => gone, clock };
}

const opening = concatBytes([clientHandshake(), clientConnect(), clientCommand("createStream", 2, null)]);

test("a peer that asks and never listens is not read any more, until it listens", async () => {
  const { socket } = open();
  socket.push(opening);
  await turn();
  const ping = clientMessage(MESSAGE.userControl, buildUserControl(6, 1));
  let pushes = 0;
  while (!socket.isPaused() && pushes < 1000) {
    pushes++;
    socket.push(ping);
    await turn();
  }
  assert.ok(pushes < 1000, "reading was paused");
  assert.ok(socket.writableLength <= 4096 + ping.byteLength);
  await socket.acceptAll();
  assert.equal(socket.isPaused(), false);
});

test("a failure of our own is logged as an error with its stack, and costs the connection alone", async () => {
  const { socket, directory } = open();
  directory.refusal = new TypeError("a bug");
  socket.push(concatBytes([opening, clientCommand("publish", 3, null, "camera")]));
  await turn();
  assert.deepEqual(
    graveLines().map(({ message, fields }) => [message, fields["reason"]]),
    [["RTMP connection failed", "internal-error"]],
  );
  assert.match(String(graveLines()[0]!.fields["stack"]), /TypeError: a bug/);
});

test("last words that nobody takes do not keep a connection beyond the linger time", async () => {
  const { socket, connection, gone, clock } = open();
  socket.push(opening);
  await turn();
  connection.stop();
  await turn();
  assert.equal(gone(), 0);
  clock.advance(2000);
  await turn();
  assert.equal(gone(), 1);
  assert.equal(clock.pendingTimers, 0);
});

test("a publisher whose connection breaks is reported as lost", async () => {
  const { socket, directory } = open();
  socket.push(concatBytes([opening, clientCommand("publish", 3, null, "camera")]));
  await turn();
  const error = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  socket.destroy();
  socket.emit("error", error);
  assert.deepEqual(directory.publishers[0]!.closes, ["connection-lost"]);
});

test("an idle peer that resets its connection has just left", async () => {
  const { socket } = open();
  socket.push(opening);
  await turn();
  socket.emit("error", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
  assert.deepEqual(lines.at(-1)?.fields["reason"], "peer-closed");
});

test("a player that drains one big prepush for longer than the stall time is not closed", async () => {
  const { socket, connection, directory, clock } = open(64 * 1024);
  directory.onSubscribe = ({ sink }) => sink.write(new Uint8Array(32 * 1024 * 1024));
  socket.push(concatBytes([opening, clientCommand("play", 3, null, "camera")]));
  await turn();
  const { sink } = directory.subscribeRequests[0]!;
  let seconds = 0;
  for (; sink.queuedBytes() > 0; seconds++) {
    // 5 Mbit/s.
    const until = socket.takenBytes + 625_000;
    while (socket.takenBytes < until && sink.queuedBytes() > 0) await socket.acceptOne();
    clock.advance(1000);
    connection.tick(clock.nowUs());
    assert.equal(connection.role(), "play", `after ${seconds} s`);
  }
  assert.ok(seconds > 45, `${seconds}`);
  sink.write(new Uint8Array(1_000_000));
  for (let second = 0; second < 6; second++) {
    clock.advance(1000);
    connection.tick(clock.nowUs());
  }
  assert.equal(lines.at(-1)?.fields["reason"], "player-stalled", "and one that takes nothing is");
});

test("last words come behind all that waited", async () => {
  const { socket, connection, directory } = open();
  const media = new Uint8Array(1_000_000);
  directory.onSubscribe = ({ sink }) => sink.write(media);
  socket.push(concatBytes([opening, clientCommand("play", 3, null, "camera")]));
  await turn();
  const queuedBytes = directory.subscribeRequests[0]!.sink.queuedBytes();
  assert.ok(queuedBytes > media.byteLength);
  const sentBytes = socket.takenBytes;
  connection.stop();
  await socket.acceptAll();
  assert.ok(socket.takenBytes - sentBytes > queuedBytes, "the media and the words");
  assert.equal(socket.writableFinished, true);
});

test("a player that pauses and goes on and takes nothing does not fill the memory with prepushes", async () => {
  const { socket, directory } = open(64 * 1024);
  const prepush = new Uint8Array(16 * 1024 * 1024);
  directory.onSubscribe = ({ sink }) => sink.write(prepush);
  const again = [true, false].map((isPause) => clientCommand("pause", 0, null, isPause, 0));
  const commands = Array.from({ length: 100 }, () => again).flat();
  socket.push(concatBytes([opening, clientCommand("play", 3, null, "camera"), ...commands]));
  await turn();
  assert.ok(directory.subscribeRequests.length <= 4, `${directory.subscribeRequests.length} prepushes`);
  assert.equal(lines.at(-1)?.fields["reason"], "player-too-slow");
  assert.equal(directory.closedSubscriptions, directory.subscribeRequests.length);
});

test("every line of a connection names its session and address, and the stream once it is known", async () => {
  const { socket } = open();
  socket.push(concatBytes([opening, clientCommand("publish", 3, null, "camera")]));
  await turn();
  socket.push(null);
  await turn();
  for (const { message, fields } of lines) {
    assert.equal(fields["session"], "0badcafe", message);
    assert.equal(fields["remoteAddress"], "192.0.2.1", message);
  }
  const told = lines.map(({ message, fields }) => [message, fields["to"], fields["stream"]]);
  assert.deepEqual(told, [
    ["RTMP session state", "connecting", undefined],
    ["RTMP session state", "idle", undefined],
    ["RTMP publisher started", undefined, "pub/camera"],
    ["RTMP session state", "publishing", "pub/camera"],
    ["RTMP session state", "closed", "pub/camera"],
    ["RTMP connection closed", undefined, "pub/camera"],
  ]);
});

test("a publisher is read no more often than somebody needs what it sends", async () => {
  const { socket, directory, clock, connection } = open();
  socket.push(concatBytes([opening, clientCommand("publish", 3, null, "camera", "live")]));
  await turn();
  const publisher = directory.publishers[0]!;
  publisher.patience = 100;
  const sound = (timestampMs: number): Uint8Array =>
    clientMessage(MESSAGE.audio, Uint8Array.of(0x2f, 0xff, 0xfb, 0x90, 0, 0, 0, 0), timestampMs, 4);
  socket.push(sound(0));
  await turn();
  assert.equal(socket.isPaused(), false, "not before its tracks are known");
  socket.push(sound(1000));
  await turn();
  assert.equal(socket.isPaused(), true);
  clock.advance(100);
  assert.equal(socket.isPaused(), false);
  socket.push(concatBytes(Array.from({ length: 4000 }, (_, i) => sound(3000 + i))));
  await turn();
  assert.equal(socket.isPaused(), false, "there is more to read when a read is full");
  socket.push(sound(8000));
  await turn();
  assert.equal(socket.isPaused(), true);
  connection.stop();
  await turn();
  assert.equal(socket.isPaused(), false, "a connection that closes is read to its end");
});

test("what is played is in the name of a permit, from its begin to its end", async () => {
  const permit = new FakePermit();
  const asked: RtmpAdmission[] = [];
  const { socket, connection, clock } = open(2048, (admission) => {
    asked.push(admission);
    return permit;
  });
  socket.push(concatBytes([opening, clientCommand("play", 3, null, "camera?token=1")]));
  await turn();
  assert.deepEqual(
    asked.map(({ kind, target, flashVersion }) => [kind, target.name, target.query, flashVersion]),
    [["play", "pub/camera", "token=1", "test"]],
  );
  assert.deepEqual(permit.log, ["begun"]);
  await socket.acceptAll();
  connection.tick(clock.nowUs());
  const before = permit.bytes;
  connection.write(new Uint8Array(1000));
  await socket.acceptAll();
  connection.tick(clock.nowUs());
  assert.ok(permit.bytes >= before + 1000, `${permit.bytes}`);
  socket.push(clientCommand("closeStream", 4, null));
  await turn();
  assert.deepEqual(permit.log, ["begun", "closed: the client stopped"]);
});

test("a permit that is taken back closes the connection, with a line that says why", async () => {
  const permit = new FakePermit();
  const { socket } = open(2048, () => Promise.resolve(permit));
  socket.push(concatBytes([opening, clientCommand("publish", 3, null, "camera")]));
  await turn();
  assert.deepEqual(permit.log, ["begun"]);
  permit.end("kicked");
  await turn();
  assert.deepEqual(permit.log, ["begun", "closed: the connection ended"]);
  assert.equal(graveLines().at(-1)!.fields["reason"], "dismissed");
});

test("leave that comes when the client is gone is given back", async () => {
  const permit = new FakePermit();
  const { promise, resolve } = Promise.withResolvers<FakePermit>();
  const { socket } = open(2048, () => promise);
  socket.push(concatBytes([opening, clientCommand("play", 3, null, "camera")]));
  await turn();
  socket.destroy();
  await turn();
  resolve(permit);
  await turn();
  assert.deepEqual(permit.log, ["closed: the client left"]);
});
