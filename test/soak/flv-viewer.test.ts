import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { watchFlv } from "./flv-viewer.ts";

/** A server that answers every connection with these pieces and then keeps it open. */
async function answering(t: TestContext, pieces: readonly string[]): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.once("data", () => {
      for (const [index, piece] of pieces.entries()) setTimeout(() => socket.write(piece), index * 20);
    });
    t.after(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function firstMedia(port: number, t: TestContext): Promise<"media" | "closed"> {
  const { promise, resolve } = Promise.withResolvers<"media" | "closed">();
  const wire = watchFlv(port, "/live/s1.flv", () => resolve("media"));
  t.after(() => wire.reset());
  void wire.closed.then(() => resolve("closed"));
  return promise;
}

test("a body that begins as FLV is media, with the head in one piece or cut", async (t) => {
  const whole = await answering(t, ["HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n\r\nFLV\u0001"]);
  assert.equal(await firstMedia(whole, t), "media");
  const cut = await answering(t, ["HTTP/1.1 200 OK\r\n", "X: y\r\n\r", "\nFL", "V\u0001\u0005"]);
  assert.equal(await firstMedia(cut, t), "media");
});

test("an answer other than 200, or a body that is no FLV, ends it", async (t) => {
  const missing = await answering(t, ["HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nFLV"]);
  assert.equal(await firstMedia(missing, t), "closed");
  const page = await answering(t, ["HTTP/1.1 200 OK\r\n\r\n<html>"]);
  assert.equal(await firstMedia(page, t), "closed");
});
