import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { HttpSink } from "./http-sink.ts";

type Request = { readonly request: IncomingMessage; readonly body: string };

async function serve(
  t: TestContext,
  answer: (response: ServerResponse) => void,
): Promise<{ url: URL; had: Request[]; connections: () => number }> {
  const had: Request[] = [];
  let connections = 0;
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    had.push({ request, body: Buffer.concat(pieces).toString() });
    answer(response);
  };
  const server = createServer((request, response) => void take(request, response));
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/take`);
  return { url, had, connections: () => connections };
}

const never = new AbortController().signal;

test("a batch is posted as a signed array, over one connection", async (t) => {
  const { url, had, connections } = await serve(t, (response) => void response.writeHead(204).end());
  url.username = "me";
  url.password = "p%40ss";
  const sink = new HttpSink({ url, clock: systemClock, signKey: "key" });
  t.after(() => sink.close());
  await sink.send(['{"n":1}', '{"n":2}'], never);
  await sink.send(['{"n":3}'], never);
  assert.deepEqual(
    had.map(({ body }) => body),
    ['[{"n":1},{"n":2}]', '[{"n":3}]'],
  );
  const { method, headers } = had[0]!.request;
  assert.deepEqual([method, headers["content-type"]], ["POST", "application/json"]);
  const sum = createHmac("sha256", "key").update(had[0]!.body).digest("hex");
  assert.equal(headers["x-weir-signature"], `sha256=${sum}`);
  assert.equal(headers.authorization, `Basic ${Buffer.from("me:p@ss").toString("base64")}`);
  assert.equal(connections(), 1);
});

test("anything but a whole good reply is a failure", async (t) => {
  const rows: [string, (response: ServerResponse) => void, RegExp][] = [
    ["an error", (response) => void response.writeHead(500).end("no"), /EVENTS_SINK_REFUSED/],
    [
      "a redirection",
      (response) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      /EVENTS_SINK_REFUSED/,
    ],
    ["no reply", (response) => void response.destroy(), /ECONNRESET|ended/],
    [
      "half a reply",
      (response) => {
        response.writeHead(200, { "content-length": 10 });
        response.write("half");
        setImmediate(() => response.destroy());
      },
      /aborted|ECONNRESET/,
    ],
    ["silence", () => {}, /EVENTS_SINK_LATE/],
  ];
  for (const [name, answer, expected] of rows) {
    const { url } = await serve(t, answer);
    const sink = new HttpSink({ url, clock: systemClock, timeoutMs: 300 });
    t.after(() => sink.close());
    await assert.rejects(sink.send(["{}"], never), (error: Error & { code?: string }) => {
      assert.match(`${error.code} ${error.message}`, expected, name);
      return true;
    });
  }
});

test("a reply without an end is not read on", async (t) => {
  const { url } = await serve(t, (response) => {
    response.writeHead(200);
    const piece = Buffer.alloc(16_384);
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  const sink = new HttpSink({ url, clock: systemClock });
  t.after(() => sink.close());
  await sink.send(["{}"], never);
});

test("who stops does not wait for a reply", async (t) => {
  const { url } = await serve(t, () => {});
  const sink = new HttpSink({ url, clock: systemClock });
  t.after(() => sink.close());
  const stopping = new AbortController();
  const sent = sink.send(["{}"], stopping.signal);
  stopping.abort();
  await assert.rejects(sent, { name: "AbortError" });
});
