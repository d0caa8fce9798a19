import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import type { PeerReply } from "../peer.ts";
import { HttpPeerStorage } from "./http-peer-storage.ts";

type Asked = {
  readonly clock: FakeClock;
  readonly transport: HttpPeerStorage;
  readonly stop: AbortController;
  readonly get: (maxBytes?: number) => Promise<PeerReply>;
};

async function serve(t: TestContext, listener: RequestListener): Promise<Asked> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const clock = new FakeClock();
  const transport = new HttpPeerStorage(`http://127.0.0.1:${port}`, clock);
  const stop = new AbortController();
  const get = (maxBytes = 100): Promise<PeerReply> =>
    transport.get({ target: "/x?y=1", headers: { range: "bytes=0-9" }, maxBytes, signal: stop.signal });
  return { clock, transport, stop, get };
}

describe("a peer over HTTP", () => {
  test("is asked, and its reply read whole", async (t) => {
    const { clock, get } = await serve(t, (request, response) => {
      assert.equal(request.url, "/x?y=1");
      assert.equal(request.headers.range, "bytes=0-9");
      response.writeHead(206, { "content-range": "bytes 0-4/5" });
      response.write("he");
      response.end("llo");
    });
    const reply = await get();
    assert.equal(reply.status, 206);
    assert.equal(reply.header("content-range"), "bytes 0-4/5");
    assert.equal(Buffer.from(reply.body).toString(), "hello");
    assert.equal(clock.pendingTimers, 0);
  });

  test("that sends too much is not read to its end", async (t) => {
    const { get } = await serve(t, (_, response) => {
      const more = (): void => {
        while (response.write("x".repeat(1000)));
        response.once("drain", more);
      };
      more();
    });
    await assert.rejects(get(), /longer than 100 bytes/);
  });

  test("that refuses is read as far as its reason goes", async (t) => {
    const { get } = await serve(t, (_, response) => {
      response.statusCode = 503;
      response.end("later".repeat(10_000));
    });
    const { status, body } = await get();
    assert.equal(status, 503);
    assert.ok(body.byteLength > 0 && body.byteLength <= 4096);
  });

  test("that breaks off within a reply fails it", async (t) => {
    const { get } = await serve(t, (_, response) => {
      response.writeHead(200, { "content-length": "50" });
      response.write("half");
      response.socket?.end();
    });
    await assert.rejects(get());
  });

  test("that hangs up fails", async (t) => {
    const { get } = await serve(t, (request) => void request.socket.destroy());
    await assert.rejects(get());
  });

  test("that says nothing any more is left, and its timers with it", async (t) => {
    const { clock, get } = await serve(t, (_, response) => {
      response.writeHead(200);
      response.write("h");
    });
    const failed = assert.rejects(get(), /said nothing for 20 s/);
    let isOver = false;
    void failed.finally(() => (isOver = true));
    await eventually(() => {
      clock.advance(1000);
      assert.ok(isOver);
    });
    await failed;
    assert.equal(clock.pendingTimers, 0);
  });

  test("is left when its reply is not wanted any more", async (t) => {
    const asked = Promise.withResolvers<void>();
    const { clock, stop, get } = await serve(t, () => asked.resolve());
    const failed = assert.rejects(get(), /not wanted/);
    await asked.promise;
    stop.abort();
    await failed;
    assert.equal(clock.pendingTimers, 0);
    await assert.rejects(get());
  });

  test("is left when all is closed", async (t) => {
    const asked = Promise.withResolvers<void>();
    const { transport, get } = await serve(t, () => asked.resolve());
    const failed = assert.rejects(get(), /not wanted/);
    await asked.promise;
    transport.close();
    await failed;
  });
});
