import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { HlsViewer } from "./hls-viewer.ts";

const PACE = { lookMs: 10, retryMs: 10 };

/** A live stream of which `edge` is the newest segment; `null`: it is not on air. */
class FakeStream {
  edge: number | null = 3;
  readonly asked: string[] = [];
  connections = 0;
  port = 0;

  async start(t: TestContext): Promise<void> {
    const server = createServer((request, response) => {
      const { edge } = this;
      const path = request.url ?? "";
      if (path.endsWith(".m4s")) this.asked.push(path);
      response.statusCode = edge === null ? 404 : 200;
      if (edge === null) response.end();
      else if (path.endsWith("index.m3u8"))
        response.end("#EXTM3U\n#EXT-X-STREAM-INF:X\ntracks-v1/mono.m3u8\n");
      else if (path.endsWith("mono.m3u8")) response.end(`#EXTM3U\nseg-${edge - 1}.m4s\nseg-${edge}.m4s\n`);
      else response.end(Buffer.alloc(1000));
    });
    server.on("connection", () => this.connections++);
    server.listen(0, "127.0.0.1");
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server, "listening");
    this.port = (server.address() as AddressInfo).port;
  }

  async untilAsked(count: number): Promise<void> {
    await eventually(() => assert.equal(this.asked.length, count));
  }
}

test("it begins at the live edge and takes each new segment once, on one connection", async (t) => {
  const stream = new FakeStream();
  await stream.start(t);
  let segments = 0;
  const viewer = new HlsViewer(stream.port, "/live/s1", () => segments++, PACE);
  await stream.untilAsked(1);
  stream.edge = 4;
  await stream.untilAsked(2);
  stream.edge = 5;
  await stream.untilAsked(3);
  await viewer.leave();
  const names = [3, 4, 5].map((number) => `/live/s1/tracks-v1/seg-${number}.m4s`);
  assert.deepEqual(stream.asked, names);
  assert.equal(stream.connections, 1);
  assert.equal(segments, 3);
});

test("it gives up when the stream is gone, and not before it was asked for some times", async (t) => {
  const stream = new FakeStream();
  stream.edge = null;
  await stream.start(t);
  const viewer = new HlsViewer(stream.port, "/live/s1", () => {}, PACE);
  await viewer.ended;
  assert.deepEqual(stream.asked, []);
});

test("it can be left while it does not read, and reads on when told to", async (t) => {
  const stream = new FakeStream();
  await stream.start(t);
  let segments = 0;
  const viewer = new HlsViewer(stream.port, "/live/s1", () => segments++, PACE);
  viewer.pause();
  await stream.untilAsked(1);
  assert.equal(segments, 0);
  viewer.resume();
  await eventually(() => assert.equal(segments, 1));
  viewer.pause();
  await viewer.leave();
});
