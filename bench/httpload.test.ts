/** The load in C before an origin that knows exactly what it was asked. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import type { TestEnd } from "../test/support/program.ts";
import { needs } from "../test/support/tools.ts";
import { runChild } from "./child.ts";
import type { Viewed } from "./load.ts";
import { buildTool } from "./tools.ts";

type Answer = (path: string, reply: ServerResponse, request: IncomingMessage) => void;

/** Each waits most of the time. */
const options = { skip: needs("gcc"), timeout: 120_000, concurrency: true };
const PARTS_PER_SEGMENT = 4;
const PART_MS = 20;
/** Far longer than anything waited for in it. */
const WINDOW_SECONDS = "3";
const BODY = Buffer.alloc(3000, 7);

/** Returns: its port, and the paths in the order in which they were asked for. */
async function origin(t: TestEnd, answer: Answer): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, reply) => {
    asked.push(request.url ?? "");
    answer(request.url ?? "", reply, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

async function load(
  mode: string,
  port: number,
  path: string,
  more: readonly string[] = [],
): Promise<Viewed> {
  const program = await buildTool("httpload");
  const args = [mode, "-p", String(port), "-u", path, "-n", "5", "-w", "0", "-d", WINDOW_SECONDS, ...more];
  return JSON.parse(await runChild([program, ...args, "-P", String(process.pid)])) as Viewed;
}

/** Parts since a start, one each `PART_MS`; the open segment has what is left of them. */
function partsNow(startMs: number): number {
  return 2 + Math.floor((performance.now() - startMs) / PART_MS);
}

function playlistText(parts: number): string {
  const lines = ["#EXTM3U", "#EXT-X-MEDIA-SEQUENCE:0"];
  for (let part = 0; part < parts; part++) {
    if (part % PARTS_PER_SEGMENT === 0) lines.push("#EXT-X-PROGRAM-DATE-TIME:2030-01-01T00:00:00.000Z");
    lines.push(`#EXT-X-PART:DURATION=0.02000,URI="part-${part}.m4s"`);
    if (part % PARTS_PER_SEGMENT === PARTS_PER_SEGMENT - 1) lines.push("#EXTINF:0.08,", `seg-${part}.m4s`);
  }
  lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-${parts}.m4s"`);
  return `${lines.join("\n")}\n`;
}

/** Blocking reloads, and parts that are there only once they are listed. */
function lowLatency(): Answer {
  const startMs = performance.now();
  return (path, reply) => {
    const [, name, msn, part] =
      /^\/a\/(?:mono|part)(-\d+)?[^?]*(?:\?_HLS_msn=(\d+)&_HLS_part=(\d+))?$/.exec(path) ?? [];
    const now = partsNow(startMs);
    if (name !== undefined) {
      reply.writeHead(Number(name.slice(1)) < now ? 200 : 404).end(BODY);
      return;
    }
    const wanted = msn === undefined ? 0 : Number(msn) * PARTS_PER_SEGMENT + Number(part) + 1;
    const send = (): void => {
      if (partsNow(startMs) < wanted) setTimeout(send, 2);
      else {
        const text = Buffer.from(playlistText(partsNow(startMs)));
        reply.writeHead(200, { "content-length": text.byteLength }).end(text);
      }
    };
    send();
  };
}

function mpd(segments: number): string {
  const set = (kind: string): string =>
    `<AdaptationSet><SegmentTemplate timescale="1000" media="${kind}/seg-$Time$.m4s"><SegmentTimeline>` +
    `<S t="40" d="40"/><S d="40" r="${segments - 2}"/></SegmentTimeline></SegmentTemplate></AdaptationSet>`;
  return `<MPD><Period id="0"/><Period id="1">${set("v")}${set("a")}</Period></MPD>`;
}

/** A segment each 40 ms, in chunks when it is asked so. */
function dash(isChunked: boolean): Answer {
  const startMs = performance.now();
  return (path, reply) => {
    const segments = 2 + Math.floor((performance.now() - startMs) / 40);
    if (path.endsWith(".mpd")) {
      reply.end(mpd(segments));
      return;
    }
    const time = Number(/^\/[va]\/seg-(\d+)\.m4s$/.exec(path)?.[1] ?? NaN);
    if (!(time % 40 === 0 && time / 40 <= segments + 1)) {
      reply.writeHead(404).end();
    } else if (isChunked) {
      reply.write(BODY.subarray(0, 1));
      setTimeout(() => {
        reply.write(BODY);
        reply.end(BODY);
      }, 5);
    } else reply.writeHead(200, { "content-length": BODY.byteLength }).end(BODY);
  };
}

describe("httpload", options, () => {
  test("ll follows the parts by blocking reloads, each part once and none before it is there", async (t) => {
    const { port, asked } = await origin(t, lowLatency());
    const seen = await load("ll", port, "/a/mono.ll.m3u8");
    assert.deepEqual([seen.n, seen.playing, seen.errors, seen.first_error], [5, 5, 0, ""]);
    assert.ok(seen.media > 0 && seen.lists > 0 && seen.made > 0, JSON.stringify(seen));
    const times = new Map<string, number>();
    for (const path of asked.filter((one) => one.includes("part-")))
      times.set(path, (times.get(path) ?? 0) + 1);
    assert.ok(Math.max(...times.values()) <= 5, "somebody asked twice for a part");
    assert.ok(asked.some((path) => /\?_HLS_msn=\d+&_HLS_part=\d+$/.test(path)));
  });

  for (const [mode, isChunked] of [
    ["dash", false],
    ["lldash", true],
  ] as const) {
    test(`${mode} asks for the MPD by its interval and for each new segment of both kinds`, async (t) => {
      const { port, asked } = await origin(t, dash(isChunked));
      const seen = await load(mode, port, "/index.mpd", ["-i", "0.1"]);
      assert.deepEqual([seen.playing, seen.errors, seen.first_error], [5, 0, ""]);
      assert.ok(seen.media > 0 && seen.bytes > 0, JSON.stringify(seen));
      for (const kind of ["/v/", "/a/"])
        assert.ok(
          asked.some((path) => path.startsWith(kind)),
          kind,
        );
      assert.ok(!asked.includes("/v/seg-40.m4s"), "who joins does not want the past");
    });
  }

  test("seek asks for segments of the film only, and for many different ones", async (t) => {
    const { port, asked } = await origin(t, (path, reply) => {
      const text = Array.from({ length: 300 }, (_, i) => `#EXTINF:2,\nseg-${i}.m4s`).join("\n");
      if (path === "/f/mono.m3u8") reply.end(`#EXTM3U\n${text}\n`);
      else reply.writeHead(/^\/f\/seg-[12]?\d?\d\.m4s$/.test(path) ? 200 : 404).end(BODY);
    });
    const seen = await load("seek", port, "/f/mono.m3u8", ["-i", "0.01"]);
    assert.deepEqual([seen.playing, seen.errors], [5, 0], seen.first_error);
    assert.ok(new Set(asked).size > 5, `${asked.length} requests`);
  });

  const broken: { what: string; answer: Answer; says: RegExp }[] = [
    {
      what: "an error",
      answer: (_path, reply) => reply.writeHead(503).end("no"),
      says: /an answer was 503/,
    },
    {
      what: "a connection that ends in a body",
      answer: (_path, reply) => {
        reply.writeHead(200, { "content-length": 100 });
        reply.write("half");
        setTimeout(() => reply.destroy(), 10);
      },
      says: /the server closed|reset/,
    },
    {
      what: "a head without an end",
      answer: (_path, reply) => void reply.socket?.write(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(5000)}`),
      says: /too long a head/,
    },
  ];
  for (const { what, answer, says } of broken) {
    test(`counts ${what} from media as an error and says which`, async (t) => {
      const { port } = await origin(t, (path, reply, request) => {
        const text = "#EXTM3U\n#EXTINF:2,\nseg-0.m4s\n";
        if (path.endsWith(".m3u8")) reply.end(text);
        // The first one is good, so that all play; then the window of measurement begins.
        else if (!request.socket.listenerCount("bench-seen")) {
          request.socket.on("bench-seen", () => {});
          reply.end(BODY);
        } else answer(path, reply, request);
      });
      const seen = await load("seek", port, "/mono.m3u8", ["-i", "0.3"]);
      assert.equal(seen.playing, 5);
      assert.ok(seen.errors > 0, JSON.stringify(seen));
      assert.match(seen.first_error, says);
    });
  }

  test("without anything to play ends by its timeout and says that nobody played", async (t) => {
    const { port } = await origin(t, (_path, reply) => reply.writeHead(404).end());
    const seen = await load("dash", port, "/index.mpd", ["-t", "0.2"]);
    assert.deepEqual([seen.playing, seen.media], [0, 0]);
  });
});
