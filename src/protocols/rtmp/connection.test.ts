import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { concatBytes } from "../../base/bytes.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields } from "../../base/log.ts";
import { RtmpConnection } from "./connection.ts";
import { clientCommand, clientConnect, clientHandshake, clientMessage } from "./test-client.ts";
import { DEFAULT_CHUNK_LIMITS } from "./wire/chunk-reader.ts";
import { MESSAGE, buildUserControl } from "./wire/messages.ts";

/** A socket whose other side takes nothing until told to. */
class StuckSocket extends Duplex {
  readonly remoteAddress = "192.0.2.1";
  bytesRead = 0;
  bytesWritten = 0;
  #waiting: (() => void)[] = [];

  constructor() {
    super({ allowHalfOpen: false, emitClose: true, writableHighWaterMark: 2048 });
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytesWritten += chunk.byteLength;
    this.#waiting.push(done);
  }
  override _destroy(_error: Error | null, done: (error: null) => void): void {
    done(null);
  }
  setNoDelay(): void {}
  setKeepAlive(): void {}
  /** The other side takes what waits. */
  async acceptAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      for (const done of this.#waiting.splice(0)) done();
      await turn();
    }
  }
}

const lines: { message: string; fields: LogFields }[] = [];
const keep = (message: string, fields: LogFields = {}): void => void lines.push({ message, fields });

function open(): {
  socket: StuckSocket;
  connection: RtmpConnection;
  directory: FakeDirectory;
  gone: () => number;
  clock: FakeClock;
} {
  lines.length = 0;
  const socket = new StuckSocket();
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
    socket,
    directory,
    clock,
    logger: { ...silentLogger, info: keep, error: keep, child: () => silentLogger },
    options: {
      session: { chunkLimits: DEFAULT_CHUNK_LIMITS, ...timeouts },
      stallTimeoutMs: 5000,
      maxUnsentBytes: 4096,
      lingerMs: 2000,
    },
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
    lines.map(({ message, fields }) => [message, fields["reason"]]),
    [["RTMP connection failed", "internal-error"]],
  );
  assert.match(String(lines[0]!.fields["stack"]), /TypeError: a bug/);
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
