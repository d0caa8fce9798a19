/** The end of a pod's life: who is sent away, who is served, and when the process is gone. */
import assert from "node:assert/strict";
import { get } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { concatBytes } from "../../src/base/bytes.ts";
import {
  clientCommand,
  clientConnect,
  clientHandshake,
  joined,
  statusCodes,
} from "../../src/protocols/rtmp/test-client.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { parseMediaPlaylist } from "../support/hls-recorder.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const skip = needs("ffmpeg");

const LIVENESS = "/streamer/api/v3/monitoring/liveness";
const READINESS = "/streamer/api/v3/monitoring/readiness";
const RECONNECT = "NetConnection.Connect.ReconnectRequest";

/** So many connections land in both of two threads, but for once in half a million runs. */
const CONNECTIONS = 20;

/** Some seconds on a busy machine, where without what is tested it were the whole drain time or for ever. */
const AT_ONCE_MS = 12_000;

const config = (drainS: number, threads = 1, sourceTimeoutS = 60): string =>
  `threads ${threads}; drain_timeout ${drainS};
  template pub { prefix pub; input publish://; segment_duration 1; source_timeout ${sourceTimeoutS}; }`;

type Reply = { readonly status: number; readonly body: Buffer; readonly connection: string | undefined };

/** One GET on a connection of its own, so that the system chooses a thread for it. */
function ask(weir: Weir, path: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = get(weir.url(path), { agent: false, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, body: Buffer.concat(chunks), connection: headers.connection });
      });
    });
    request.once("timeout", () => request.destroy(new Error(`${path}: no reply in 10 s`)));
    request.once("error", reject);
  });
}

async function probe(weir: Weir, path: string): Promise<{ status: number; reason: unknown; ms: number }> {
  const startMs = performance.now();
  const { status, body } = await ask(weir, path);
  const { reason } = JSON.parse(body.toString()) as Record<string, unknown>;
  return { status, reason, ms: performance.now() - startMs };
}

/** A client of RTMP that sends no media: what it is told is all that counts. */
class RtmpClient {
  readonly #socket: Socket;
  readonly #received: Uint8Array[] = [];
  /** When the server closed; `null` while it has not. */
  closedMs: number | null = null;

  constructor(t: TestEnd, weir: Weir, commands: readonly Uint8Array[]) {
    this.#socket = connect(weir.ports.rtmp, "127.0.0.1");
    t.after(() => void this.#socket.destroy());
    this.#socket.on("error", () => {});
    this.#socket.on("data", (bytes) => void this.#received.push(bytes));
    this.#socket.on("close", () => (this.closedMs = performance.now()));
    this.#socket.write(concatBytes([clientHandshake(), ...commands]));
  }

  codes(): string[] {
    return statusCodes(joined(this.#received));
  }

  async told(code: string): Promise<void> {
    await eventually(() => assert.ok(this.codes().includes(code), this.codes().join(", ")));
  }

  leave(): void {
    this.#socket.end();
  }
}

class Encoder extends RtmpClient {
  constructor(t: TestEnd, weir: Weir, name: string, announced: Readonly<Record<string, number>>) {
    const command = clientCommand("publish", 3, null, name, "live");
    super(t, weir, [clientConnect("pub", announced), clientCommand("createStream", 2, null), command]);
  }
}

class Player extends RtmpClient {
  constructor(t: TestEnd, weir: Weir, name: string) {
    const command = clientCommand("play", 3, null, name, -2000);
    super(t, weir, [clientConnect("pub", {}), clientCommand("createStream", 2, null), command]);
  }
}

/** A viewer of HLS that makes a connection for each request, as one behind a Service may. */
class Viewer {
  readonly #weir: Weir;
  readonly #media: string;
  readonly sequences: number[] = [];
  /** Replies that were no 200. */
  readonly failures: string[] = [];
  /** When the last playlist came. */
  lastMs = 0;
  connection: string | undefined;

  constructor(weir: Weir, name: string) {
    this.#weir = weir;
    this.#media = `/${name}/tracks-v1a1/`;
  }

  /** Takes every segment until the server is gone. */
  async watch(): Promise<void> {
    while (this.#weir.program.isRunning) {
      await this.#poll().catch((caught: unknown) => {
        // The port is closed a moment before the process has ended.
        const code = caught instanceof Error && "code" in caught ? caught.code : null;
        if (code !== "ECONNREFUSED" && code !== "ECONNRESET") throw caught;
      });
      await sleep(150);
    }
  }

  async #poll(): Promise<void> {
    const playlist = await this.#get("mono.m3u8");
    if (playlist === null) return;
    this.lastMs = performance.now();
    for (const segment of parseMediaPlaylist(playlist.toString()).segments) {
      if (this.sequences.includes(segment.sequence)) continue;
      if ((await this.#get(segment.uri)) !== null) this.sequences.push(segment.sequence);
    }
  }

  async #get(file: string): Promise<Buffer | null> {
    const { status, body, connection } = await ask(this.#weir, `${this.#media}${file}`);
    this.connection = connection;
    if (status === 200) return body;
    this.failures.push(`${status} ${file}`);
    return null;
  }
}

/** A viewer over a WebSocket: when it has got something, and the code and reason of its close. */
function watchSocket(
  t: TestEnd,
  weir: Weir,
  path: string,
): { begun: Promise<void>; closed: Promise<string> } {
  const socket = new WebSocket(weir.url(path).replace("http", "ws"));
  t.after(() => socket.close());
  const begun = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<string>();
  socket.addEventListener("message", () => begun.resolve());
  socket.addEventListener("error", () => begun.reject(new Error(`${path} cannot be opened`)));
  socket.addEventListener("close", ({ code, reason }) => closed.resolve(`${code} ${reason}`));
  return { begun: begun.promise, closed: closed.promise };
}

describe("SIGTERM", () => {
  test(
    "refuses publishers and serves viewers until the time is over",
    { skip, timeout: 60_000 },
    async (t) => {
      const clip = await makeClip({ durationS: 40, gopPictures: 25 });
      // A short source_timeout: what the publisher leaves behind is to be served for longer.
      const weir = await startWeir(t, { config: config(6, 2, 1) });
      const publisher = publish(t, weir.rtmpUrl("pub/camera"), clip);
      await weir.onAir("pub/camera");
      assert.equal((await ask(weir, "/pub/camera/index.m3u8")).status, 200);
      const viewer = new Viewer(weir, "pub/camera");
      const watching = viewer.watch();
      await eventually(() => assert.ok(viewer.sequences.length >= 2));
      assert.equal((await probe(weir, READINESS)).status, 200);

      const startMs = performance.now();
      weir.program.signal("SIGTERM");
      await eventually(async () => assert.equal((await probe(weir, READINESS)).status, 503), {
        timeoutMs: 1000,
        intervalMs: 5,
      });
      const probes = await Promise.all(Array.from({ length: CONNECTIONS }, () => probe(weir, READINESS)));
      for (const { status, reason } of probes) {
        assert.equal(status, 503);
        assert.match(String(reason), /the server is stopping/);
      }
      assert.equal((await probe(weir, LIVENESS)).status, 200);

      const refused = await Promise.all(
        Array.from({ length: 4 }, (_, i) => publish(t, weir.rtmpUrl(`pub/late${i}`), clip).ended),
      );
      for (const end of refused) assert.notEqual(end.code, 0);
      const line = await weir.logged("STREAM_DRAINING");
      assert.equal(line["reason"], "refused");
      assert.ok(publisher.isRunning, "who publishes goes on");
      const joining = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => ask(weir, "/pub/camera/index.m3u8")),
      );
      assert.deepEqual(new Set(joining.map(({ status }) => status)), new Set([200]));

      await publisher.ended;
      const publisherMs = performance.now() - startMs;
      assert.deepEqual(await weir.program.ended, { code: 0, signal: null }, weir.describe());
      const endMs = performance.now() - startMs;
      await watching;
      assert.ok(
        publisherMs > 4500 && publisherMs < endMs,
        `the publisher was closed after ${publisherMs} ms`,
      );
      assert.ok(endMs >= 6000 && endMs < 16_000, `it ended after ${endMs} ms`);
      assert.ok(
        viewer.lastMs - startMs > 5000,
        `the last playlist came after ${viewer.lastMs - startMs} ms`,
      );
      assert.deepEqual(viewer.failures, []);
      assert.equal(viewer.connection, "close");
      const { sequences } = viewer;
      assert.deepEqual(
        sequences,
        sequences.map((_, i) => sequences[0]! + i),
        "every segment",
      );
      assert.ok(sequences.length >= 6, `${sequences.length} segments of a second`);
      assert.equal(weir.log.at(-1)!["msg"], "stopped");
    },
  );

  test("says to an encoder why it is refused", { skip, timeout: 30_000 }, async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: config(20) });
    const present = new Encoder(t, weir, "present", {});
    await present.told("NetStream.Publish.Start");
    weir.program.signal("SIGTERM");
    await weir.logged("draining");
    const raw = new Encoder(t, weir, "late", {});
    await raw.told("NetStream.Publish.Denied");
    const late = publish(t, weir.rtmpUrl("pub/late"), clip);
    assert.notEqual((await late.ended).code, 0);
    assert.match(late.stderr, /takes no new publishers/);
  });

  for (const threads of [1, 3]) {
    test(`ends ${threads} thread(s) when nobody is there, but not before a Service knows`, async (t) => {
      const weir = await startWeir(t, { config: config(5, threads) });
      weir.program.signal("SIGTERM");
      await weir.logged("draining");
      assert.equal((await probe(weir, LIVENESS)).status, 200, "whoever is still sent here is answered");
      assert.deepEqual(await weir.program.ended, { code: 0, signal: null });
      const drained = await weir.logged("drained");
      assert.equal(drained["reason"], "nobody is left");
      const afterMs = Number(drained["afterMs"]);
      assert.ok(afterMs >= 1000 && afterMs < 5000, `it took ${afterMs} ms`);
    });
  }

  test("asks those encoders to reconnect that can, and is over when they have gone", async (t) => {
    const weir = await startWeir(t, { config: config(20, 2) });
    const able = new Encoder(t, weir, "able", { capsEx: 1 });
    const unable = new Encoder(t, weir, "unable", { capsEx: 14 });
    await Promise.all([able, unable].map((encoder) => encoder.told("NetStream.Publish.Start")));
    const startMs = performance.now();
    weir.program.signal("SIGTERM");
    await able.told(RECONNECT);
    assert.ok(performance.now() - startMs < AT_ONCE_MS);
    await sleep(200);
    assert.ok(!unable.codes().includes(RECONNECT));
    assert.deepEqual([able.closedMs, unable.closedMs], [null, null], "both may go on");
    able.leave();
    unable.leave();
    assert.deepEqual(await weir.program.ended, { code: 0, signal: null });
    const ms = performance.now() - startMs;
    assert.ok(ms < 15_000, `it took ${ms} ms`);
  });

  test("tells encoders that stay before they are closed", async (t) => {
    const weir = await startWeir(t, { config: config(2) });
    const encoder = new Encoder(t, weir, "stays", {});
    await encoder.told("NetStream.Publish.Start");
    const startMs = performance.now();
    weir.program.signal("SIGTERM");
    assert.deepEqual(await weir.program.ended, { code: 0, signal: null });
    const endMs = performance.now() - startMs;
    assert.ok(endMs < AT_ONCE_MS, `it ended after ${endMs} ms`);
    assert.deepEqual(encoder.codes().slice(-2), [
      "NetStream.Unpublish.Success",
      "NetConnection.Connect.AppShutdown",
    ]);
    const closedMs = (encoder.closedMs ?? Infinity) - startMs;
    assert.ok(closedMs > 1500 && closedMs < endMs, `it was closed after ${closedMs} ms`);
  });

  test("ends players in all threads when the publisher goes, so that they find it elsewhere", async (t) => {
    const weir = await startWeir(t, { config: config(20, 2) });
    const encoder = new Encoder(t, weir, "camera", {});
    await encoder.told("NetStream.Publish.Start");
    let closed = 0;
    for (let i = 0; i < CONNECTIONS; i++) {
      const viewer = connect(weir.ports.http, "127.0.0.1");
      t.after(() => void viewer.destroy());
      viewer.on("error", () => {});
      viewer.on("close", () => closed++);
      viewer.resume().write("GET /pub/camera.flv HTTP/1.1\r\nhost: weir\r\n\r\n");
    }
    const players = Array.from({ length: CONNECTIONS }, () => new Player(t, weir, "camera"));
    await Promise.all(players.map((player) => player.told("NetStream.Play.Start")));
    await sleep(500);
    weir.program.signal("SIGTERM");
    await weir.logged("draining");
    await sleep(500);
    assert.deepEqual([closed, weir.program.isRunning], [0, true], "they are served");
    const startMs = performance.now();
    encoder.leave();
    assert.deepEqual(await weir.program.ended, { code: 0, signal: null });
    const ms = performance.now() - startMs;
    assert.ok(ms < AT_ONCE_MS, `it took ${ms} ms`);
    assert.equal((await weir.logged("drained"))["reason"], "nobody is left");
    await eventually(() => assert.equal(closed, CONNECTIONS));
    for (const player of players) {
      assert.notEqual(player.closedMs, null, "a player that was told only would stay");
      assert.ok(player.codes().includes("NetStream.Play.Stop"));
    }
  });

  for (const threads of [1, 2]) {
    test(`tells viewers over WebSocket in ${threads} thread(s) to connect again, though the publisher stays`, async (t) => {
      const clip = await makeClip({ durationS: 40, gopPictures: 25 });
      const weir = await startWeir(t, { config: config(4, threads) });
      publish(t, weir.rtmpUrl("pub/camera"), clip);
      await weir.onAir("pub/camera");
      const viewers = ["/pub/camera.flv", "/pub/camera/mse_ld"].flatMap((path) =>
        Array.from({ length: threads === 1 ? 1 : CONNECTIONS / 2 }, () => watchSocket(t, weir, path)),
      );
      await Promise.all(viewers.map(({ begun }) => begun));
      weir.program.signal("SIGTERM");
      assert.deepEqual(await weir.program.ended, { code: 0, signal: null });
      const ends = await Promise.all(viewers.map(({ closed }) => closed));
      assert.deepEqual(new Set(ends), new Set(["1001 the server stops"]));
    });
  }

  test("is not held up by a viewer who reads nothing", { skip, timeout: 30_000 }, async (t) => {
    const clip = await makeClip({ durationS: 40, gopPictures: 25 });
    const weir = await startWeir(t, { config: config(2) });
    publish(t, weir.rtmpUrl("pub/camera"), clip);
    await weir.onAir("pub/camera");
    const viewer = connect(weir.ports.http, "127.0.0.1").pause();
    t.after(() => void viewer.destroy());
    viewer.on("error", () => {});
    viewer.write("GET /pub/camera.flv HTTP/1.1\r\nhost: weir\r\n\r\n");
    await sleep(500);
    const startMs = performance.now();
    weir.program.signal("SIGTERM");
    assert.deepEqual(await weir.program.ended, { code: 0, signal: null });
    const ms = performance.now() - startMs;
    assert.ok(ms < AT_ONCE_MS, `it took ${ms} ms`);
  });

  test("is cut short by a second SIGTERM, and the end is orderly", async (t) => {
    const weir = await startWeir(t, { config: config(25) });
    const encoder = new Encoder(t, weir, "camera", {});
    await encoder.told("NetStream.Publish.Start");
    weir.program.signal("SIGTERM");
    await weir.logged("draining");
    weir.program.signal("SIGTERM");
    assert.equal((await weir.logged("drained"))["reason"], "cut short");
    assert.deepEqual(await weir.program.ended, { code: 0, signal: null });
    assert.ok(encoder.codes().includes("NetConnection.Connect.AppShutdown"));
    assert.equal(weir.log.at(-1)!["msg"], "stopped");
  });

  test("and SIGINT behind it end the process at once", async (t) => {
    const weir = await startWeir(t, { config: config(25) });
    await new Encoder(t, weir, "camera", {}).told("NetStream.Publish.Start");
    weir.program.signal("SIGTERM");
    await weir.logged("draining");
    weir.program.signal("SIGINT");
    assert.deepEqual(await weir.program.ended, { code: 1, signal: null });
    assert.ok(!weir.log.some((line) => line["msg"] === "drained"));
  });

  for (const [signal, drainS] of [
    ["SIGINT", 25],
    ["SIGTERM", 0],
  ] as const) {
    test(`${signal} with drain_timeout ${drainS} stops within seconds, whoever is there`, async (t) => {
      const weir = await startWeir(t, { config: config(drainS) });
      const encoder = new Encoder(t, weir, "camera", { capsEx: 1 });
      await encoder.told("NetStream.Publish.Start");
      const startMs = performance.now();
      weir.program.signal(signal);
      assert.deepEqual(await weir.program.ended, { code: 0, signal: null });
      assert.ok(performance.now() - startMs < AT_ONCE_MS);
      assert.ok(encoder.codes().includes("NetConnection.Connect.AppShutdown"));
      assert.ok(!weir.log.some((line) => line["msg"] === "draining"));
    });
  }
});

describe("the probes", { concurrency: true, timeout: 120_000 }, () => {
  test("name a control thread that hangs: readiness in 2 s, liveness in little more than 10 s", async (t) => {
    const weir = await startWeir(t, { config: config(25), env: { WEIR_FAULTS: "hang-control" } });
    const startMs = performance.now();
    weir.program.signal("SIGUSR2");
    const early = await eventually(async () => {
      const readiness = await probe(weir, READINESS);
      assert.equal(readiness.status, 503);
      return readiness;
    });
    assert.match(String(early.reason), /the control thread (?:does not answer|has not answered for \d+ s)/);
    assert.equal((await probe(weir, LIVENESS)).status, 200);
    const dead = await eventually(
      async () => {
        const liveness = await probe(weir, LIVENESS);
        assert.equal(liveness.status, 503);
        return liveness;
      },
      { timeoutMs: 40_000, intervalMs: 200 },
    );
    const afterMs = performance.now() - startMs;
    assert.ok(afterMs > 9500, `it failed after ${afterMs} ms`);
    assert.match(String(dead.reason), /^the control thread has not answered for [1-4]\d s$/);
    const ready = await probe(weir, READINESS);
    assert.equal(ready.status, 503);
    await weir.kill();
  });

  test("are unanswered by the one media thread that hangs, until it is replaced: the process goes on", async (t) => {
    const weir = await startWeir(t, { config: config(25), env: { WEIR_FAULTS: "hang" } });
    weir.program.signal("SIGUSR2");
    const probeOnce = (path: string): Promise<Response> =>
      fetch(weir.url(path), { headers: { connection: "close" }, signal: AbortSignal.timeout(1000) });
    await eventually(() => assert.rejects(probeOnce(LIVENESS), { name: "TimeoutError" }));
    const line = await weir.logged("a media thread is gone", 40_000);
    assert.equal(line["reason"], "it has not answered for 10 s");
    await weir.logged("the media thread is back", 40_000);
    for (const path of [LIVENESS, READINESS]) assert.equal((await probe(weir, path)).status, 200);
    await weir.stop();
  });

  test("do not mistake a process that was suspended for one that hangs", async (t) => {
    const weir = await startWeir(t, { config: config(25, 2) });
    weir.program.signal("SIGSTOP");
    await sleep(12_000);
    weir.program.signal("SIGCONT");
    for (let i = 0; i < 30; i++) {
      const [liveness, readiness] = await Promise.all([probe(weir, LIVENESS), probe(weir, READINESS)]);
      assert.deepEqual([liveness.status, readiness.status], [200, 200], `probe ${i} after it woke`);
      await sleep(50);
    }
    assert.ok(!weir.log.some((line) => line["level"] === "error"));
  });
});
