import assert from "node:assert/strict";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import type { HttpBodySink, HttpReply } from "../../base/http-message.ts";
import { jsonReply } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { HttpHandler } from "./answers.ts";
import { HttpListener } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";

/** A body in chunks that the test feeds. */
class Source {
  sink: HttpBodySink | null = null;
  closed = 0;
  readonly reply: HttpReply = {
    status: 200,
    headers: [["content-type", "video/mp4"]],
    body: [],
    isChunked: true,
    stream: (sink) => {
      this.sink = sink;
      return { close: () => this.closed++ };
    },
  };

  /** The sink, once the body was asked for. */
  started(): Promise<HttpBodySink> {
    return eventually(() => {
      assert.ok(this.sink !== null, "nobody has asked for the body");
      return this.sink;
    });
  }
}

/** A connection, and all that came on it. */
type Client = { readonly socket: Socket; got: string; isClosed: boolean };

const REQUEST = "GET /x HTTP/1.1\r\nhost: x\r\n\r\n";

for (const readsPlain of [true, false]) {
  async function listen(t: TestContext, handle: HttpHandler, idleTimeoutMs = 30_000): Promise<Client> {
    const listener = new HttpListener({
      host: "127.0.0.1",
      port: 0,
      addresses: new AddressCounter(100),
      budget: new ReplyBudget(1e9),
      idleTimeoutMs,
      readsPlain,
      log: silentLogger,
      handle,
    });
    await listener.start();
    const socket = connect(listener.port, "127.0.0.1");
    const client: Client = { socket, got: "", isClosed: false };
    socket.on("data", (chunk) => (client.got += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => (client.isClosed = true));
    t.after(async () => {
      socket.destroy();
      await listener.stop(0);
    });
    return client;
  }

  describe(readsPlain ? "on a plain connection" : "on a connection of node:http", () => {
    test("a body in chunks goes out as it comes, and the connection is kept behind it", async (t) => {
      const sources = [new Source(), new Source()];
      let asked = 0;
      const client = await listen(t, () => sources[asked++]!.reply);
      client.socket.write(REQUEST);
      const sink = await sources[0]!.started();
      sink.write(Buffer.from("hello"));
      await eventually(() =>
        assert.match(client.got, /transfer-encoding: chunked[^]*\r\n\r\n5\r\nhello\r\n$/i),
      );
      assert.match(client.got, /connection: keep-alive/i);
      assert.doesNotMatch(client.got, /content-length/i);
      sink.write(Buffer.alloc(0));
      sink.write(Buffer.from("0123456789abcdefg"));
      sink.end();
      await eventually(() => assert.match(client.got, /\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n$/));
      client.socket.write(REQUEST);
      (await sources[1]!.started()).end();
      await eventually(() => assert.equal(client.got.match(/\r\n0\r\n\r\n/g)!.length, 2));
      assert.equal(client.isClosed, false);
      assert.deepEqual([sources[0]!.closed, sources[1]!.closed], [0, 0]);
    });

    test("who asks with HTTP/1.0 is known not to take chunks", async (t) => {
      const takes: (boolean | undefined)[] = [];
      const client = await listen(t, ({ takesChunks }) => {
        takes.push(takesChunks);
        return jsonReply(200, {});
      });
      client.socket.write(REQUEST);
      await eventually(() => assert.match(client.got, /{}/));
      client.socket.write("GET /x HTTP/1.0\r\nhost: x\r\n\r\n");
      await eventually(() => assert.ok(client.isClosed));
      assert.deepEqual([takes[0] ?? true, takes[1]], [true, false]);
    });

    test("a request behind the one that is being answered waits for its end", async (t) => {
      const source = new Source();
      const client = await listen(t, (request) =>
        request.path === "/x" ? source.reply : jsonReply(200, { second: true }),
      );
      client.socket.write(`${REQUEST}GET /y HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      const sink = await source.started();
      sink.write(Buffer.from("first"));
      await eventually(() => assert.match(client.got, /first/));
      assert.doesNotMatch(client.got, /second/);
      sink.end();
      await eventually(() => assert.ok(client.isClosed));
      assert.match(client.got, /first\r\n0\r\n\r\nHTTP\/1\.1 200[^]*"second":true/);
    });

    test("a client that sends its end before anything has come has left; one behind the first bytes has not", async (t) => {
      const waiting = new Source();
      const client = await listen(t, () => waiting.reply);
      client.socket.write(REQUEST);
      await waiting.started();
      client.socket.end();
      await eventually(() => assert.deepEqual([waiting.closed, client.isClosed], [1, true]));
      // `node:http` ends its side with the client's, whatever is under way.
      if (!readsPlain) return;
      const begun = new Source();
      const other = await listen(t, () => begun.reply);
      other.socket.write(REQUEST);
      const sink = await begun.started();
      sink.write(Buffer.from("first"));
      await eventually(() => assert.match(other.got, /first/));
      other.socket.end();
      sink.write(Buffer.from("second"));
      await eventually(() => assert.match(other.got, /second/));
      sink.end();
      await eventually(() => assert.ok(other.isClosed));
      assert.match(other.got, /\r\n0\r\n\r\n$/);
      assert.equal(begun.closed, 0);
    });

    if (readsPlain)
      test("a body in chunks that is broken off is not sent on from what the kernel has", async (t) => {
        const source = new Source();
        const client = await listen(t, () => source.reply);
        const codes: (string | undefined)[] = [];
        client.socket.on("error", (error: Error & { code?: string }) => void codes.push(error.code));
        client.socket.write(REQUEST);
        const sink = await source.started();
        sink.write(Buffer.from("half"));
        await eventually(() => assert.match(client.got, /half/));
        sink.abort();
        await eventually(() => assert.ok(client.isClosed));
        assert.deepEqual(codes, ["ECONNRESET"]);
      });

    test("a body without a length that is broken off is no end: the connection is reset", async (t) => {
      const source = new Source();
      const { isChunked: _, ...endless } = source.reply;
      const client = await listen(t, () => endless);
      const codes: (string | undefined)[] = [];
      client.socket.on("error", (error: Error & { code?: string }) => void codes.push(error.code));
      client.socket.write(REQUEST);
      const sink = await source.started();
      sink.write(Buffer.from("half"));
      await eventually(() => assert.match(client.got, /half$/));
      sink.abort();
      await eventually(() => assert.ok(client.isClosed));
      assert.deepEqual(codes, ["ECONNRESET"]);
    });

    test("the source ends when the client leaves, and hears nothing of it after its own end", async (t) => {
      const source = new Source();
      const client = await listen(t, () => source.reply);
      client.socket.write(REQUEST);
      const sink = await source.started();
      sink.write(Buffer.from("x"));
      client.socket.destroy();
      await eventually(() => assert.equal(source.closed, 1));
      sink.write(Buffer.from("late"));
      sink.end();
      assert.equal(source.closed, 1);
    });

    test("a large body is sent whole, in chunks that are the bytes", async (t) => {
      const source = new Source();
      const client = await listen(t, () => source.reply);
      client.socket.write(REQUEST.replace("host: x", "host: x\r\nconnection: close"));
      const sink = await source.started();
      const bytes = Buffer.alloc(3_000_000, "ab");
      sink.write(bytes);
      sink.end();
      await eventually(() => assert.ok(client.isClosed));
      const body = client.got.slice(client.got.indexOf("\r\n\r\n") + 4);
      assert.equal(unchunked(body), bytes.toString("latin1"));
    });

    test("instead of the body another reply may be sent, and one that fails to start says why", async (t) => {
      const refusal = jsonReply(404, { gone: true });
      const client = await listen(t, (request) => ({
        status: 200,
        headers: [],
        body: [],
        isChunked: true,
        stream: (sink) => {
          if (request.path === "/x") throw streamErrors.error("STREAM_NOT_FOUND", { name: "x" });
          sink.end(refusal);
          return { close: () => {} };
        },
      }));
      client.socket.write(REQUEST);
      await eventually(() => assert.match(client.got, /^HTTP\/1\.1 404[^]*STREAM_NOT_FOUND/));
      client.got = "";
      client.socket.write(REQUEST.replace("/x", "/y"));
      await eventually(() => assert.match(client.got, /^HTTP\/1\.1 404[^]*"gone":true/));
      assert.equal(client.isClosed, false);
    });

    // node:http sees a header with the first bytes only.
    if (readsPlain) {
      test("a header that cannot be sent is a fault of the server and not its end", async (t) => {
        const source = new Source();
        const client = await listen(t, () => ({ ...source.reply, headers: [["x-bad", "a\r\nb"]] }));
        client.socket.write(REQUEST);
        await eventually(() => assert.match(client.got, /^HTTP\/1\.1 500/));
      });
    }

    test("HEAD is answered without a body and the source is not started", async (t) => {
      const source = new Source();
      const client = await listen(t, () => source.reply);
      client.socket.write(REQUEST.replace("GET", "HEAD"));
      await eventually(() => assert.match(client.got, /^HTTP\/1\.1 200[^]*\r\n\r\n$/));
      assert.equal(source.sink, null);
    });

    test("a client that takes nothing is cut off", async (t) => {
      const source = new Source();
      const client = await listen(t, () => source.reply, 200);
      client.socket.pause();
      client.socket.write(REQUEST);
      const sink = await source.started();
      for (let i = 0; i < 40; i++) sink.write(Buffer.alloc(1_000_000));
      await eventually(() => assert.equal(source.closed, 1));
    });
  });
}

/** The bytes of a body in chunks. */
function unchunked(body: string): string {
  const pieces: string[] = [];
  for (let at = 0; ;) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.slice(at, lineEnd), 16);
    if (size === 0) return pieces.join("");
    pieces.push(body.slice(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
}
