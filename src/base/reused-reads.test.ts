import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { READ_BUFFER_BYTES, readInto } from "./reused-reads.ts";

type Pair = {
  readonly server: Server;
  readonly client: Socket;
  readonly socket: Socket;
  readonly got: Buffer[];
};

/** One connection; `got`: copies of what its server read into the buffer. */
async function open(
  t: TestContext,
  buffer: Uint8Array,
  prepare: (accepted: Socket) => void = () => {},
): Promise<Pair> {
  const got: Buffer[] = [];
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => {
    server.once("connection", (socket) => {
      prepare(socket);
      resolve(readInto(buffer, socket, (bytes) => got.push(Buffer.from(bytes)), { highWaterMark: 16_384 }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const socket = await accepted;
  t.after(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  return { server, client, socket, got };
}

const size = (chunks: readonly Buffer[]): number =>
  chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);

async function until(isDone: () => boolean): Promise<void> {
  for (let i = 0; !isDone() && i < 5000; i++) await new Promise((resolve) => void setImmediate(resolve));
  assert.ok(isDone());
}

test("everything that comes goes through the one buffer, in order", async (t) => {
  const buffer = Buffer.alloc(1000);
  const { client, socket, got } = await open(t, buffer);
  const sent = Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * 7) & 0xff));
  client.end(sent);
  await once(socket, "end");
  assert.ok(got.every(({ byteLength }) => byteLength <= 1000));
  assert.ok(Buffer.concat(got).equals(sent));
  assert.ok(socket.bytesRead >= 50_000);
  assert.equal(socket.remoteAddress, "127.0.0.1");
});

test("a pause stops the reading, and nothing is lost", async (t) => {
  const { client, socket, got } = await open(t, Buffer.alloc(READ_BUFFER_BYTES));
  socket.pause();
  client.write("paused");
  await new Promise((resolve) => void setTimeout(resolve, 30));
  assert.equal(size(got), 0);
  socket.resume();
  await until(() => size(got) === 6);
});

test("both ways work, and each end closes the other", async (t) => {
  const { client, socket } = await open(t, Buffer.alloc(1000));
  socket.write("hello");
  const [reply] = (await once(client, "data")) as [Buffer];
  assert.equal(reply.toString(), "hello");
  client.resume();
  socket.end();
  await once(client, "close");
  if (!socket.closed) await once(socket, "close");
});

test("one whose peer sends no more is still sent to, where that is asked for, and its server waits for it", async (t) => {
  const buffer = Buffer.alloc(1000);
  const server = createServer({ allowHalfOpen: true });
  const options = { highWaterMark: 16_384, isHalfOpen: true, isCounted: true };
  const taken = new Promise<Socket>((resolve) => {
    server.once("connection", (accepted) => resolve(readInto(buffer, accepted, () => {}, options)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  t.after(() => client.destroy());
  const socket = await taken;
  client.end("last words");
  await once(socket, "end");
  let isClosed = false;
  server.close(() => (isClosed = true));
  for (let i = 0; i < 20; i++) await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(isClosed, false);
  socket.end("answer");
  const [answer] = (await once(client, "data")) as [Buffer];
  assert.equal(answer.toString(), "answer");
  await eventually(() => assert.ok(isClosed));
});

test("who takes no more is read no further, and loses nothing", async (t) => {
  const buffer = Buffer.alloc(1000);
  const got: Buffer[] = [];
  let isTaking = false;
  const server = createServer();
  const receive = (bytes: Uint8Array): boolean => {
    got.push(Buffer.from(bytes));
    return isTaking;
  };
  const taken = new Promise<Socket>((resolve) => {
    server.once("connection", (accepted) =>
      resolve(readInto(buffer, accepted, receive, { highWaterMark: 16_384 })),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  t.after(() => {
    client.destroy();
    server.close();
  });
  const socket = await taken;
  client.write(Buffer.alloc(5000, "x"));
  await eventually(() => assert.equal(got.length, 1));
  for (let i = 0; i < 20; i++) await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(size(got), 1000);
  isTaking = true;
  socket.resume();
  await eventually(() => assert.equal(size(got), 5000));
  socket.destroy();
});

test("a reset is an error of the socket that is used", async (t) => {
  const { client, socket } = await open(t, Buffer.alloc(1000));
  client.resetAndDestroy();
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
});

test("without the undocumented field the socket is left as it is", async (t) => {
  const hide = (accepted: Socket): void => {
    accepted.pause();
    const { _handle: handle } = accepted as unknown as { _handle: object };
    Object.defineProperty(handle, "useUserBuffer", { value: undefined });
  };
  const { client, socket, got } = await open(t, Buffer.alloc(1000), hide);
  socket.resume();
  client.write("plain");
  const [bytes] = (await once(socket, "data")) as [Buffer];
  assert.equal(bytes.toString(), "plain");
  assert.equal(size(got), 0);
});
