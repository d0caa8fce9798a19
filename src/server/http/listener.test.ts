import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { jsonReply } from "../../base/http-message.ts";
import type { HttpBodySink, HttpReply } from "../../base/http-message.ts";
import type { LogFields } from "../../base/log.ts";
import { silentLogger } from "../../base/log.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { streamErrors } from "../../stream/errors.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { ReplyBudget, replyDeadlineMs } from "./reply-budget.ts";
import { HttpListener } from "./listener.ts";
import type { HttpListenerOptions } from "./listener.ts";

/** Makes what starts a listener, of either kind, that ends with the test. */
function listenOf(readsPlain: boolean) {
  return async (t: TestContext, options: Partial<HttpListenerOptions> = {}): Promise<HttpListener> => {
    const listener = new HttpListener({
      host: "127.0.0.1",
      port: 0,
      addresses: new AddressCounter(100),
      budget: new ReplyBudget(1_000_000),
      idleTimeoutMs: 5000,
      log: silentLogger,
      handle: () => jsonReply(200, { ok: true }),
      readsPlain,
      ...options,
    });
    await listener.start();
    t.after(() => listener.stop(0));
    return listener;
  };
}

/** Sends bytes on a connection of their own and gives all that came back until it closed. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => (got += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
  });
}

/** An endless body that the test feeds. */
class Source {
  starts = 0;
  closed = 0;
  #sink: HttpBodySink | null = null;
  readonly reply: HttpReply = {
    status: 200,
    headers: [["content-type", "video/x-flv"]],
    body: [],
    stream: (sink) => {
      this.starts++;
      this.#sink = sink;
      return { close: () => this.closed++ };
    },
  };

  async started(): Promise<HttpBodySink> {
    while (this.#sink === null) await sleep(5);
    return this.#sink;
  }
}

for (const readsPlain of [true, false]) {
  const listen = listenOf(readsPlain);
  describe(readsPlain ? "plain requests read here" : "all requests read by node:http", () => {
    test("who comes over IPv4 to a port of both is told as IPv4, as lists of addresses and events need it", async (t) => {
      const { port } = await listen(t, {
        host: "::",
        handle: ({ remoteAddress }) => jsonReply(200, { remoteAddress }),
      });
      const reply = await fetch(`http://127.0.0.1:${port}/`);
      assert.deepEqual(await reply.json(), { remoteAddress: "127.0.0.1" });
    });

    test("what is refused before anybody is asked has its code in a header too", async (t) => {
      const { port } = await listen(t, {
        handle: () => assert.fail("nobody is asked"),
        takes: () => jsonReply(200, {}),
      });
      const head = "host: media.example\r\nconnection: close\r\n";
      for (const path of ["/a/../b", "/a/%zz", "/a//b"]) {
        const got = await exchange(port, `GET ${path} HTTP/1.1\r\n${head}\r\n`);
        assert.match(got, /^HTTP\/1\.1 400 [^]*\r\nx-error-code: HTTP_BAD_PATH\r\n/i, path);
      }
      const foreign = `${head}origin: http://evil.example\r\ncontent-length: 0\r\n`;
      const got = await exchange(port, `PUT /a HTTP/1.1\r\n${foreign}\r\n`);
      assert.match(got, /^HTTP\/1\.1 403 [^]*\r\nx-error-code: API_OTHER_SITE\r\n/i);
      assert.doesNotMatch(got, /access-control-allow-origin/i);
      const api = "/streamer/api/v3/streams";
      for (const [line, code] of [
        [`GET ${api}/%01 HTTP/1.1\r\n${head}`, "http_bad_path"],
        [`PUT ${api}/a HTTP/1.1\r\n${foreign}`, "api_other_site"],
      ]) {
        const told = await exchange(port, `${line}\r\n`);
        assert.match(told, /content-type: application\/json/i, "the API tells it as all its errors");
        assert.doesNotMatch(told, /access-control-/i);
        assert.equal(JSON.parse(told.split("\r\n\r\n")[1]!).errors[0].code, code);
      }
    });

    test("a MediaError becomes its status and its words", async (t) => {
      const { port } = await listen(t, {
        handle: () => {
          throw streamErrors.error("STREAM_NOT_ON_AIR", {
            name: "pub/x",
            reason: "nobody publishes it now",
          });
        },
      });
      const reply = await fetch(`http://127.0.0.1:${port}/pub/x/index.m3u8`);
      assert.equal(reply.status, 404);
      assert.equal(await reply.text(), 'stream "pub/x" is not on air: nobody publishes it now\n');
      assert.equal(reply.headers.get("access-control-allow-origin"), "*");
      assert.equal(reply.headers.get("x-error-code"), "STREAM_NOT_ON_AIR");
    });

    test("a fault of the server is a 500 that gives nothing away, and a line in the log that gives all", async (t) => {
      const errors: LogFields[] = [];
      const { port } = await listen(t, {
        log: { ...silentLogger, error: (_message, fields) => errors.push(fields ?? {}) },
        handle: () => {
          throw new TypeError("secret detail");
        },
      });
      const reply = await fetch(`http://127.0.0.1:${port}/x?token=hush`);
      assert.equal(reply.status, 500);
      assert.doesNotMatch(await reply.text(), /secret/);
      assert.deepEqual([errors[0]!["path"], errors[0]!["reason"]], ["/x", "secret detail"]);
    });

    test("requests sent together on one connection are answered in order", async (t) => {
      const { port } = await listen(t, { handle: (request) => jsonReply(200, { path: request.path }) });
      const head = "HTTP/1.1\r\nhost: x\r\n";
      const got = await exchange(
        port,
        `GET /1 ${head}\r\nGET /2 ${head}\r\nHEAD /3 ${head}connection: close\r\n\r\n`,
      );
      assert.deepEqual(got.match(/"path":"[^"]+"/g), ['"path":"/1"', '"path":"/2"']);
      assert.equal(got.match(/HTTP\/1\.1 200/g)!.length, 3);
    });

    test("connections are closed behind the reply to their next request when they are to go elsewhere", async (t) => {
      const listener = await listen(t);
      const socket = connect(listener.port, "127.0.0.1");
      t.after(() => void socket.destroy());
      let got = "";
      let isClosed = false;
      socket.on("data", (chunk) => (got += chunk.toString("latin1")));
      socket.on("close", () => (isClosed = true));
      const head = "HTTP/1.1\r\nhost: x\r\n\r\n";
      socket.write(`GET /1 ${head}`);
      await eventually(() => assert.match(got, /^HTTP\/1\.1 200 [^]*connection: keep-alive[^]*true\}\n$/i));
      listener.closeAfterReplies();
      await sleep(100);
      assert.equal(isClosed, false, "who waits is not cut off");
      got = "";
      socket.write(`GET /2 ${head}`);
      await eventually(() => assert.ok(isClosed));
      assert.match(got, /^HTTP\/1\.1 200 [^]*connection: close[^]*true\}\n$/i);
      const reply = await fetch(`http://127.0.0.1:${listener.port}/3`);
      assert.deepEqual([reply.status, reply.headers.get("connection")], [200, "close"]);
    });

    test("methods that change something are refused, with what is allowed", async (t) => {
      const { port } = await listen(t);
      const reply = await fetch(`http://127.0.0.1:${port}/x`, { method: "DELETE" });
      assert.deepEqual([reply.status, reply.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
    });

    test("a path that means two things is a 400 in words", async (t) => {
      const { port } = await listen(t);
      const got = await exchange(port, "GET /a/%2e%2e/b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
      assert.match(got, /^HTTP\/1\.1 400 /);
      assert.match(got, /the path has a dot segment\n$/);
    });

    test("connections over the bound of an address are closed at once, and room is given back", async (t) => {
      const listener = await listen(t, { addresses: new AddressCounter(2) });
      const open = await Promise.all(
        [1, 2].map(
          () =>
            new Promise<ReturnType<typeof connect>>((resolve) => {
              const socket = connect(listener.port, "127.0.0.1", () => resolve(socket));
            }),
        ),
      );
      assert.equal(await exchange(listener.port, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"), "");
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(listener.connections, 0);
      assert.match(
        await exchange(listener.port, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        /200 OK/,
      );
    });

    test("a connection on which nothing moves is closed", async (t) => {
      const { port } = await listen(t, { idleTimeoutMs: 200 });
      const started = Date.now();
      assert.match(await exchange(port, "GET / HTTP/1.1\r\nhost: x\r\n\r\n"), /200 OK/);
      assert.ok(Date.now() - started < 5000);
    });

    test("a new idle timeout is that of connections that come then", async (t) => {
      const listener = await listen(t, { idleTimeoutMs: 3_600_000 });
      const ask = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
      const early = connect(listener.port, "127.0.0.1", () => early.write(ask));
      t.after(() => early.destroy());
      const [reply] = (await once(early, "data")) as [Buffer];
      assert.match(reply.toString(), /timeout=3600/);
      listener.setIdleTimeout(200);
      assert.match(await exchange(listener.port, ask), /200 OK/);
      early.write(ask);
      assert.match(String(await once(early, "data")), /200 OK/);
    });

    test("slow readers may hold so much memory and no more; who comes then is told to come back", async (t) => {
      const body = [new Uint8Array(20_000_000)];
      const budget = new ReplyBudget(50_000_000);
      const handle = () => ({ status: 200, headers: [], body, ownBytes: 20_000_000 });
      const { port } = await listen(t, { budget, handle });
      const slow = [1, 2].map(() => {
        const socket = connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
        socket.pause();
        return socket;
      });
      while (budget.heldBytes < 40_000_000) await new Promise((resolve) => setTimeout(resolve, 10));
      const refused = await fetch(`http://127.0.0.1:${port}/`);
      assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "3"]);
      for (const socket of slow) socket.destroy();
      while (budget.heldBytes > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: "HEAD" })).status, 200);
    });

    test("an absolute request target is read as its path", async (t) => {
      const { port } = await listen(t, { handle: (request) => jsonReply(200, { path: request.path }) });
      const got = await exchange(
        port,
        "GET http://weir.test/a/b?c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
      );
      assert.match(got, /"path":"\/a\/b"/);
    });

    test("a reply of own bytes is given room until its last byte has left", async (t) => {
      const budget = new ReplyBudget(10_000_000);
      const reply = { status: 200, headers: [], body: [new Uint8Array(3_000_000)], ownBytes: 3_000_000 };
      const { port } = await listen(t, { budget, handle: () => reply });
      const head = "GET / HTTP/1.1\r\nhost: x\r\n";
      const got = await exchange(port, `${head}\r\n${head}\r\n${head}connection: close\r\n\r\n`);
      assert.ok(got.length > 9_000_000);
      while (budget.heldBytes > 0) await sleep(5);
    });

    test("a client that sends nothing, or its head too slowly, is told so and closed", async (t) => {
      const { port } = await listen(t, { headTimeoutMs: 150 });
      assert.match(await exchange(port, ""), /^HTTP\/1\.1 408 /);
      assert.match(await exchange(port, "GET / HTTP/1.1\r\nhost"), /^HTTP\/1\.1 408 /);
    });

    test("who asks for much and reads nothing is answered little, and ended by the idle timeout", async (t) => {
      let asked = 0;
      const reply = { status: 200, headers: [], body: [new Uint8Array(4_000_000)] };
      const handle = (): HttpReply => {
        asked++;
        return reply;
      };
      const listener = await listen(t, { idleTimeoutMs: 300, handle });
      const socket = connect(listener.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.pause();
      socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20_000));
      await eventually(() => assert.ok(asked > 0));
      await eventually(() => assert.equal(listener.connections, 0));
      assert.ok(asked <= 2500, `${asked} requests were answered`);
      socket.destroy();
    });

    test("a client that has sent its requests and says so gets its replies", async (t) => {
      const { port } = await listen(t, { handle: (request) => jsonReply(200, { path: request.path }) });
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.end("GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n");
      let got = "";
      for await (const chunk of socket) got += String(chunk);
      assert.match(got, /"path":"\/1"/);
    });

    test("stop waits for a reply under way, and closes what is idle at once", async (t) => {
      const { promise, resolve } = Promise.withResolvers<HttpReply>();
      const listener = await listen(t, { handle: () => promise });
      const idle = exchange(listener.port, "");
      const busy = exchange(listener.port, "GET / HTTP/1.1\r\nhost: x\r\n\r\n");
      await eventually(() => assert.equal(listener.connections, 2));
      await sleep(50);
      const stopped = listener.stop(1000);
      if (readsPlain) assert.equal(await idle, "");
      resolve(jsonReply(200, { done: true }));
      assert.match(await busy, /"done":true/);
      await stopped;
      assert.equal(await idle, "");
      await eventually(() => assert.equal(listener.connections, 0));
    });

    describe("a body without an end", () => {
      const GET = "GET /live.flv HTTP/1.1\r\nhost: x\r\n\r\n";

      test("has its head before the first bytes, no length, no chunks, and ends with the connection", async (t) => {
        const source = new Source();
        const { port } = await listen(t, { handle: () => source.reply });
        const got = exchange(port, GET);
        const sink = await source.started();
        await sleep(30);
        sink.write(Buffer.from("one"));
        sink.write(Buffer.from("two"));
        await sleep(30);
        assert.equal(sink.queuedBytes(), 0);
        sink.end();
        sink.write(Buffer.from("late"));
        const [head, body] = (await got).split("\r\n\r\n");
        const lines = head!.split("\r\n").filter((line) => !line.startsWith("Date: "));
        const want = ["Connection: close", "HTTP/1.1 200 OK", "content-type: video/x-flv"];
        assert.deepEqual(lines.toSorted(), want);
        assert.equal(body, "onetwo");
        assert.equal(source.closed, 0);
      });

      test("HEAD has the head alone and starts nothing", async (t) => {
        const source = new Source();
        const { port } = await listen(t, { handle: () => source.reply });
        const end = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        const got = exchange(port, GET.replace("GET", "HEAD") + end);
        const sink = await source.started();
        sink.end();
        assert.match(
          await got,
          /^HTTP\/1\.1 200 OK\r\ncontent-type: video\/x-flv\r\n[^]*?\r\n\r\nHTTP\/1\.1 200/,
        );
        assert.equal(source.starts, 1);
      });

      test("is given up when the client leaves, in either way", async (t) => {
        for (const leave of ["end", "destroy"] as const) {
          const source = new Source();
          const listener = await listen(t, { handle: () => source.reply });
          const socket = connect(listener.port, "127.0.0.1", () => socket.write(GET));
          socket.on("error", () => {});
          const sink = await source.started();
          sink.write(Buffer.from("one"));
          await sleep(20);
          socket[leave]();
          await eventually(() => assert.equal(source.closed, 1));
          await eventually(() => assert.equal(listener.connections, 0));
          sink.write(Buffer.from("late"));
          assert.equal(sink.queuedBytes(), 0);
        }
      });

      test("that begins late sees the client leave, whatever was sent behind the request", async (t) => {
        const source = new Source();
        const handle = (): Promise<HttpReply> => sleep(60).then(() => source.reply);
        const listener = await listen(t, { handle });
        const socket = connect(listener.port, "127.0.0.1", () => socket.write(GET + GET));
        socket.on("error", () => {});
        await sleep(20);
        socket.write(GET);
        (await source.started()).write(Buffer.from("one"));
        socket.end();
        await eventually(() => assert.equal(listener.connections, 0));
        await eventually(() => assert.equal(source.closed, source.starts));
      });

      test("is cut off when the client goes on sending", async (t) => {
        const source = new Source();
        const listener = await listen(t, { handle: () => source.reply });
        const socket = connect(listener.port, "127.0.0.1", () => socket.write(GET));
        socket.on("error", () => {});
        (await source.started()).write(Buffer.from("one"));
        for (let i = 0; i < 50; i++) socket.write("x".repeat(10_000));
        await eventually(() => assert.equal(listener.connections, 0));
        await eventually(() => assert.equal(source.closed, 1));
      });

      test("may fail, or turn into another reply, before it has begun", async (t) => {
        const refused = streamErrors.error("STREAM_NOT_ON_AIR", {
          name: "x",
          reason: "nobody publishes it now",
        });
        const failing = await listen(t, {
          handle: () => ({
            status: 200,
            headers: [],
            body: [],
            stream: () => {
              throw refused;
            },
          }),
        });
        const close = GET.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
        assert.match(await exchange(failing.port, close), /^HTTP\/1\.1 404 [^]*not on air/);
        const source = new Source();
        const turning = await listen(t, { handle: () => source.reply });
        const got = exchange(turning.port, GET);
        (await source.started()).end(jsonReply(503, { later: true }));
        assert.match(await got, /^HTTP\/1\.1 503 [^]*Connection: close[^]*"later":true/);
        assert.equal(source.closed, 0);
      });

      test("knows what a viewer has not taken, and ends the one who takes nothing", async (t) => {
        const source = new Source();
        const listener = await listen(t, { idleTimeoutMs: 400, handle: () => source.reply });
        const socket = connect(listener.port, "127.0.0.1", () => socket.write(GET));
        socket.on("error", () => {});
        socket.pause();
        const sink = await source.started();
        sink.write(new Uint8Array(20_000_000));
        await sleep(50);
        assert.ok(sink.queuedBytes() > 5_000_000, `${sink.queuedBytes()} bytes wait`);
        await eventually(() => assert.equal(source.closed, 1));
        await eventually(() => assert.equal(listener.connections, 0));
        socket.destroy();
      });

      test("a viewer who takes what there is stays, also while there is nothing", async (t) => {
        const source = new Source();
        const listener = await listen(t, { idleTimeoutMs: 200, handle: () => source.reply });
        const got = exchange(listener.port, GET);
        const sink = await source.started();
        sink.write(Buffer.from("one"));
        await sleep(700);
        assert.equal(listener.connections, 1);
        sink.write(Buffer.from("two"));
        sink.end();
        assert.match(await got, /\r\n\r\nonetwo$/);
      });

      test("ends when the listener is stopped", async (t) => {
        const source = new Source();
        const listener = await listen(t, { handle: () => source.reply });
        const got = exchange(listener.port, GET);
        (await source.started()).write(Buffer.from("one"));
        await listener.stop(50);
        assert.match(await got, /one$/);
        assert.equal(source.closed, 1);
      });
    });
  });
}

test("a reply that is read slower than anybody watches has a deadline, by its size", () => {
  assert.equal(replyDeadlineMs(0), 30_000);
  assert.equal(replyDeadlineMs(32 * 1024 * 60), 90_000);
});
