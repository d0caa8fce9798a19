import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { lastAddress, PlainConnection } from "./plain-get.ts";

/** A server that sends each request's answer in pieces, one a millisecond. */
async function serve(t: TestContext, answers: readonly (readonly string[])[]): Promise<string> {
  const server = createServer((socket) => {
    let count = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      const pieces = [...(answers[count++] ?? [])];
      const next = (): void => {
        const piece = pieces.shift();
        if (piece === undefined) return;
        socket.write(piece, "latin1", () => setTimeout(next, 1));
      };
      if (count > answers.length) socket.destroy();
      else next();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("answers come whole, however they are cut, one after the other on a connection", async (t) => {
  const whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  const url = await serve(t, [[whole], whole.split(""), ["HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"]]);
  const connection = new PlainConnection(url, "test");
  t.after(() => connection.close());
  for (let i = 0; i < 2; i++) {
    const { status, body } = await connection.get("/a");
    assert.deepEqual([status, body.toString()], [200, "hello"]);
  }
  assert.equal((await connection.get("/b")).status, 404);
  assert.ok(connection.isOpen);
  await assert.rejects(connection.get("/c"), /closed the connection/);
  assert.ok(!connection.isOpen);
  await assert.rejects(connection.get("/d"), /closed the connection/);
});

test("an answer that does not say how long it is fails", async (t) => {
  const url = await serve(t, [["HTTP/1.1 200 OK\r\n\r\nhello"]]);
  const connection = new PlainConnection(url, "test");
  t.after(() => connection.close());
  await assert.rejects(connection.get("/a"), /how long it is/);
});

test("the last address of a playlist is no comment and no hint", () => {
  assert.equal(lastAddress(Buffer.from("#EXTM3U\na.ts\r\nb.ts\n#EXT-X-PRELOAD-HINT:URI=c\n")), "b.ts");
  assert.throws(() => lastAddress(Buffer.from("#EXTM3U\n")), /no addresses/);
});
