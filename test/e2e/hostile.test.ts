/** Garbage, truncation, floods and slowness cost one connection and a log line; the others notice nothing. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { ffmpeg, makeClip, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const CONFIG = `max_connections_per_address 60;
rtmp_handshake_timeout 3;
http_idle_timeout 5;
template pub { prefix pub; input publish://; segment_duration 2; }`;

/** Opens a connection that never throws; resolves when the server has closed it, with what it said. */
function raw(port: number): { socket: Socket; closed: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  let said = "";
  socket.on("data", (bytes) => (said += bytes.toString("latin1")));
  socket.on("error", () => {});
  return { socket, closed: new Promise((resolve) => socket.on("close", () => resolve(said))) };
}

function residentMiB(weir: Weir): number {
  const status = readFileSync(`/proc/${weir.program.pid}/status`, "latin1");
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

async function isServing(weir: Weir): Promise<void> {
  assert.equal((await fetch(weir.url("/flussonic/api/v3/monitoring/liveness"))).status, 200);
}

test("HTTP garbage gets 400 or 431 and a closed connection", { timeout: 60_000 }, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const cases: [name: string, bytes: string | Buffer, answer: RegExp][] = [
    ["random bytes", randomBytes(4000), /^HTTP\/1\.1 400/],
    ["an RTMP handshake", Buffer.concat([Buffer.of(3), randomBytes(1536)]), /^HTTP\/1\.1 400/],
    ["an endless header", `GET / HTTP/1.1\r\nx: ${"a".repeat(100_000)}`, /^HTTP\/1\.1 431/],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      /^HTTP\/1\.1 400/,
    ],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400/,
    ],
    ["an unknown method", "BREW / HTTP/1.1\r\nhost: x\r\n\r\n", /^HTTP\/1\.1 400/],
  ];
  for (const [name, bytes, answer] of cases) {
    const { socket, closed } = raw(weir.ports.http);
    socket.write(bytes);
    assert.match(await closed, answer, name);
  }
  await isServing(weir);
});

test("requests that mean two things are refused on purpose", async (t) => {
  const weir = await startWeir(t, { config: `${CONFIG} vod vod { storage "${import.meta.dirname}"; }` });
  const statuses: [path: string, status: number][] = [
    ["/vod/%2e%2e/secret.mp4/index.m3u8", 400],
    ["/vod/..%2fsecret.mp4/index.m3u8", 400],
    ["/vod/a%00.mp4/index.m3u8", 400],
    ["/vod//x.mp4/index.m3u8", 400],
    ["/vod/nothing.mp4/index.m3u8", 404],
    ["/pub/caf%C3%A9/index.m3u8", 400],
    ["/unknown/index.m3u8", 404],
    ["/pub/x/index.m3u8", 404],
    ["/nowhere", 404],
  ];
  for (const [path, status] of statuses) {
    const { socket, closed } = raw(weir.ports.http);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    assert.match(await closed, new RegExp(`^HTTP/1\\.1 ${status} `), path);
  }
  assert.equal((await fetch(weir.url("/demo/index.m3u8"), { method: "POST" })).status, 405);
  assert.equal((await fetch(weir.url("/demo/index.m3u8"), { method: "OPTIONS" })).status, 204);
});

test("slow heads are closed by the clock, HTTP and RTMP", { timeout: 60_000 }, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const started = Date.now();
  const http = raw(weir.ports.http);
  const rtmp = raw(weir.ports.rtmp);
  const drip = setInterval(() => {
    http.socket.write("G");
    rtmp.socket.write(Buffer.of(3));
  }, 1000);
  t.after(() => clearInterval(drip));
  await Promise.all([http.closed, rtmp.closed]);
  assert.ok(Date.now() - started < 20_000);
  await weir.logged("handshake");
  await isServing(weir);
});

test("RTMP garbage of every kind costs its connection and one line", { timeout: 90_000 }, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const handshake = Buffer.concat([Buffer.of(3), Buffer.alloc(1536), Buffer.alloc(1536)]);
  const hugeMessage = Buffer.from("0300000000ffffff1400000000", "hex");
  const cases: Buffer[] = [
    Buffer.of(6, 1, 2, 3),
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    randomBytes(20_000),
    Buffer.concat([handshake, randomBytes(50_000)]),
    Buffer.concat([handshake, hugeMessage, Buffer.alloc(200)]),
    Buffer.concat([handshake, Buffer.from("0200000000000401000000000000000000", "hex")]),
    Buffer.concat([
      handshake,
      ...Array.from({ length: 500 }, (_, i) =>
        Buffer.concat([Buffer.of(0, i & 255, 0, 0, 0, 0, 0, 200, 8, 0, 0, 0, 0), Buffer.alloc(100)]),
      ),
    ]),
  ];
  const before = residentMiB(weir);
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      cases.map(async (bytes) => {
        const { socket, closed } = raw(weir.ports.rtmp);
        socket.end(bytes);
        await closed;
      }),
    );
  }
  await isServing(weir);
  const lines = weir.log.filter((line) => JSON.stringify(line).includes("RTMP connection closed"));
  assert.ok(
    lines.length <= 20 * cases.length,
    `${lines.length} lines for ${20 * cases.length} connections`,
  );
  assert.ok(residentMiB(weir) < before + 100, "memory grew");
});

test("an address cannot take all connections, and gets them back", { timeout: 60_000 }, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const many = Array.from({ length: 100 }, () => raw(weir.ports.rtmp));
  await sleep(1500);
  const open = many.filter(({ socket }) => socket.readyState === "open").length;
  assert.ok(open <= 60, `${open} connections from one address`);
  for (const { socket } of many) socket.destroy();
  await eventually(async () => {
    const again = raw(weir.ports.rtmp);
    await sleep(200);
    const isOpen = again.socket.readyState === "open";
    again.socket.destroy();
    assert.ok(isOpen);
  });
});

test(
  "while all this goes on, a stream is watched without a hole",
  { skip: needs("ffmpeg"), timeout: 90_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    publish(t, weir.rtmpUrl("pub/x"), clip, { loop: true });
    await weir.onAir("pub/x");
    assert.equal((await fetch(weir.url("/pub/x/index.m3u8"))).status, 200);
    const attacking = { isOver: false };
    const attack = (async () => {
      while (!attacking.isOver) {
        const all = [weir.ports.rtmp, weir.ports.http].map(async (port) => {
          const { socket, closed } = raw(port);
          socket.end(randomBytes(30_000));
          await closed;
        });
        await Promise.all(all);
      }
    })();
    const { stderr } = await ffmpeg([
      "-v",
      "warning",
      "-i",
      weir.rtmpUrl("pub/x"),
      "-t",
      "8",
      "-f",
      "null",
      "-",
    ]);
    attacking.isOver = true;
    await attack;
    assert.doesNotMatch(stderr, /error|corrupt|missing/i);
  },
);

test(
  "viewers that stop reading do not hold memory without bound, and the stream goes on",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    publish(t, weir.rtmpUrl("pub/x"), clip, { loop: true });
    await weir.onAir("pub/x");
    const playlist = weir.url("/pub/x/tracks-v1a1/mono.m3u8");
    assert.equal((await fetch(playlist)).status, 200);
    const before = residentMiB(weir);
    const stalled = Array.from({ length: 40 }, () => raw(weir.ports.http));
    for (const { socket } of stalled) {
      socket.pause();
      for (let i = 0; i < 50; i++)
        socket.write(`GET /pub/x/tracks-v1a1/mono.m3u8 HTTP/1.1\r\nhost: x\r\n\r\n`);
    }
    await Promise.race([Promise.all(stalled.map(({ closed }) => closed)), sleep(15_000)]);
    assert.ok(residentMiB(weir) < before + 100);
    assert.equal((await fetch(playlist)).status, 200);
    for (const { socket } of stalled) socket.destroy();
  },
);
