/** Several media threads share the ports: whichever thread a connection lands in, it finds every stream. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { makeClip, probeFrames, publish } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const skip = needs("ffmpeg");

/** With so many connections over three threads, all landing in one happens once in a billion runs. */
const CONNECTIONS = 20;

const CONFIG = `threads 3;
view_auth reader only;
template pub { prefix pub; input publish:// source_timeout=15; segment_duration 1; }`;

type Stats = {
  readonly media_thread_restarts: number;
  readonly threads: readonly {
    readonly index: number;
    readonly status: string;
    readonly streams: number;
    readonly subscribers: number;
    readonly mirroredViewers: number;
    readonly threadLinks: number;
    readonly httpConnections: number;
  }[];
};

async function stats(weir: Weir): Promise<Stats> {
  const authorization = `Basic ${Buffer.from("reader:only").toString("base64")}`;
  const reply = await fetch(weir.url("/streamer/api/v3/config/stats"), { headers: { authorization } });
  return (await reply.json()) as Stats;
}

/** One GET on a connection of its own, so that the system chooses a thread for it. */
function get(weir: Weir, path: string): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(weir.ports.http, "127.0.0.1");
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.once("error", reject);
    socket.once("close", () => {
      const whole = Buffer.concat(chunks);
      const end = whole.indexOf("\r\n\r\n");
      resolve({ status: Number(whole.subarray(9, 12).toString()), body: whole.subarray(end + 4) });
    });
    socket.write(`GET ${path} HTTP/1.1\r\nhost: weir\r\nconnection: close\r\n\r\n`);
  });
}

/** A viewer over HTTP-FLV that keeps what it is sent. */
class FlvViewer {
  readonly #chunks: Buffer[] = [];
  readonly #socket: Socket;
  bytes = 0;
  lastMs = 0;
  longestGapMs = 0;
  isOver = false;

  constructor(t: TestEnd, weir: Weir, name: string) {
    this.#socket = connect(weir.ports.http, "127.0.0.1");
    t.after(() => void this.#socket.destroy());
    this.#socket.on("data", (chunk) => {
      const now = performance.now();
      if (this.lastMs > 0) this.longestGapMs = Math.max(this.longestGapMs, now - this.lastMs);
      this.lastMs = now;
      this.bytes += chunk.byteLength;
      this.#chunks.push(chunk);
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => (this.isOver = true));
    this.#socket.write(`GET /${name}.flv HTTP/1.1\r\nhost: weir\r\n\r\n`);
  }

  /** The FLV file so far. */
  file(): Buffer {
    const whole = Buffer.concat(this.#chunks);
    return whole.subarray(whole.indexOf("\r\n\r\n") + 4);
  }
}

const viewersOf = (t: TestEnd, weir: Weir, name: string): FlvViewer[] =>
  Array.from({ length: CONNECTIONS }, () => new FlvViewer(t, weir, name));

async function allGrow(viewers: readonly FlvViewer[], byBytes: number): Promise<void> {
  const before = viewers.map(({ bytes }) => bytes);
  await eventually(
    () => {
      for (const [i, viewer] of viewers.entries()) {
        assert.ok(viewer.bytes > before[i]! + byBytes, `viewer ${i} has ${viewer.bytes} bytes`);
      }
    },
    { timeoutMs: 20_000 },
  );
}

describe("three media threads", { timeout: 240_000 }, () => {
  test(
    "give one stream to viewers of every thread, from the key frame on, without a hole",
    { skip },
    async (t) => {
      // Long enough not to begin anew while it is watched: ffmpeg's loops have a hole.
      const clip = await makeClip({ durationS: 40, gopPictures: 25 });
      const weir = await startWeir(t, { config: CONFIG });
      publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
      await weir.onAir("pub/camera");
      await sleep(1500);
      const viewers = viewersOf(t, weir, "pub/camera");
      await allGrow(viewers, 300_000);
      const { threads } = await stats(weir);
      assert.equal(
        threads.reduce((sum, { streams }) => sum + streams, 0),
        1,
      );
      assert.equal(
        threads.reduce((sum, { subscribers }) => sum + subscribers, 0),
        CONNECTIONS,
      );
      const mirrored = threads.filter(({ mirroredViewers }) => mirroredViewers > 0);
      assert.ok(mirrored.length > 0, "no viewer landed in another thread than the publisher's");
      assert.ok(
        mirrored.every(({ threadLinks }) => threadLinks === 1),
        "one link for all viewers of a thread",
      );
      for (const [i, viewer] of viewers.entries()) {
        const file = join(tmpdir(), `weir-threads-${process.pid}.flv`);
        await writeFile(file, viewer.file());
        const frames = await probeFrames(file, { select: "v" });
        assert.ok(frames.length >= 20, `viewer ${i} got ${frames.length} pictures`);
        assert.equal(frames[0]!.key_frame, 1);
        // Of the last pictures some wait for those that they are shown after.
        const times = frames.slice(0, -5).map((frame) => Number(frame.pts_time));
        const steps = times.slice(1).map((time, k) => time - times[k]!);
        const odd = steps.filter((step) => Math.abs(step - 0.04) > 0.003);
        assert.deepEqual(odd, [], `viewer ${i} has holes among ${steps.length} steps`);
      }
    },
  );

  test("serve the same playlist and the same segments on every connection", { skip }, async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    assert.equal((await get(weir, "/pub/camera/index.m3u8")).status, 404);
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.onAir("pub/camera");
    const first = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => get(weir, "/pub/camera/index.m3u8")),
    );
    assert.deepEqual(new Set(first.map(({ status }) => status)), new Set([200]));
    const playlist = (await get(weir, "/pub/camera/tracks-v1a1/mono.m3u8")).body.toString();
    const uris = playlist
      .split("\n")
      .filter((line) => /^seg-|init-/.test(line) || line.includes("EXT-X-MAP"));
    const names = uris.map((line) => /(seg-\d+\.m4s|init-[0-9a-f]+\.mp4)/.exec(line)![1]!);
    for (const name of names.slice(-2)) {
      const replies = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => get(weir, `/pub/camera/tracks-v1a1/${name}`)),
      );
      const hashes = new Set(replies.map(({ body }) => createHash("sha256").update(body).digest("hex")));
      assert.deepEqual([hashes.size, replies[0]!.status], [1, 200], name);
      assert.ok(replies[0]!.body.byteLength > 1000);
    }
    const later = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        await sleep(3000);
        return (await get(weir, "/pub/camera/tracks-v1a1/mono.m3u8")).body.toString();
      }),
    );
    const newest = later.map((text) => /.*seg-(\d+)/s.exec(text)![1]!);
    assert.ok(new Set(newest).size <= 2, "threads differ by more than the segment that is just done");
    assert.ok(
      newest.every((name) => !playlist.includes(name)),
      "a thread serves an old playlist",
    );
  });

  test("keep viewers when the publisher comes back, whichever thread it lands in", { skip }, async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    let publisher = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.onAir("pub/camera");
    const viewers = viewersOf(t, weir, "pub/camera");
    await allGrow(viewers, 100_000);
    for (let round = 0; round < 4; round++) {
      await publisher.kill();
      await eventually(() => {
        const left = weir.log.filter((line) => line["msg"] === "publisher left").length;
        assert.equal(left, round + 1);
      });
      publisher = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
      await allGrow(viewers, 200_000);
    }
    assert.ok(viewers.every(({ isOver }) => !isOver));
  });

  test("refuse a second publisher, whichever thread it lands in", { skip }, async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.onAir("pub/camera");
    for (let i = 0; i < 4; i++) await publish(t, weir.rtmpUrl("pub/camera"), clip).ended;
    const refusals = weir.log.filter((line) => line["code"] === "STREAM_BUSY");
    assert.equal(refusals.length, 4);
  });

  test("go on when one of them dies; it is replaced, and what it had is said", { skip }, async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG, env: { WEIR_FAULTS: "throw" } });
    const names = Array.from({ length: 9 }, (_, i) => `pub/camera${i}`);
    for (const name of names) publish(t, weir.rtmpUrl(name), clip, { loop: true });
    for (const name of names) await weir.onAir(name);
    const viewers = names.flatMap((name) => [new FlvViewer(t, weir, name), new FlvViewer(t, weir, name)]);
    await allGrow(viewers, 100_000);
    weir.program.signal("SIGUSR2");
    const line = await weir.logged("a media thread is gone");
    assert.equal(line["level"], "error");
    await weir.logged("the media thread is back");
    const survivors = viewers.filter(({ isOver }) => !isOver);
    assert.ok(survivors.length > 0 && survivors.length < viewers.length, `${survivors.length} are left`);
    const lost = new Set(line["streams"] as string[]);
    const untouched = survivors.filter(
      (viewer) => !lost.has(names[Math.floor(viewers.indexOf(viewer) / 2)]!),
    );
    assert.ok(untouched.length > 0, "no stream was left untouched");
    await allGrow(untouched, 200_000);
    for (const viewer of untouched)
      assert.ok(viewer.longestGapMs < 2500, `a gap of ${viewer.longestGapMs} ms`);
    const after = await stats(weir);
    assert.equal(after.media_thread_restarts, 1);
    const metrics = await (await fetch(weir.url("/metrics"))).text();
    assert.match(metrics, /^weir_thread_restarts_total 1$/m);
    assert.match(metrics, new RegExp(`^weir_lost_streams_total ${lost.size}$`, "m"));
    assert.match(metrics, new RegExp(`^weir_lost_viewers_total ${String(line["viewersLost"])}$`, "m"));
    assert.ok((line["viewersLost"] as number) > 0);
    assert.deepEqual(
      after.threads.map(({ status }) => status),
      ["running", "running", "running"],
    );
    const fresh = viewersOf(
      t,
      weir,
      names.find((name) => !lost.has(name))!,
    );
    await allGrow(fresh, 50_000);
  });

  test("replace one that hangs", async (t) => {
    const weir = await startWeir(t, { config: CONFIG, env: { WEIR_FAULTS: "hang" } });
    weir.program.signal("SIGUSR2");
    const line = await weir.logged("a media thread is gone", 30_000);
    assert.match(String(line["reason"]), /not answered/);
    await weir.logged("the media thread is back");
    const replies = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => get(weir, "/streamer/api/v3/monitoring/readiness")),
    );
    assert.ok(replies.every(({ status }) => status === 200));
  });
});

test(
  "a new configuration reaches all threads; one with errors changes nothing",
  { timeout: 60_000 },
  async (t) => {
    const weir = await startWeir(t, {
      config: { "flussonic.conf": `threads 3;\nstream old { input fake://; }\n` },
    });
    const file = join(weir.configFolder, "flussonic.conf");
    const statuses = async (path: string): Promise<number[]> => {
      const replies = await Promise.all(Array.from({ length: CONNECTIONS }, () => get(weir, path)));
      return [...new Set(replies.map(({ status }) => status))];
    };
    assert.deepEqual(await statuses("/old/index.m3u8"), [200]);
    await writeFile(file, "threads 3;\nstream new { input fake://; \n");
    weir.program.signal("SIGHUP");
    await weir.logged("not taken");
    assert.deepEqual(await statuses("/old/index.m3u8"), [200]);
    await writeFile(
      file,
      "threads 3;\nstream new { input fake://; }\nstream off { input publish://; disabled; }\n",
    );
    weir.program.signal("SIGHUP");
    await weir.logged("read anew");
    assert.deepEqual(await statuses("/old/index.m3u8"), [404]);
    assert.deepEqual(await statuses("/off/index.m3u8"), [403]);
    assert.deepEqual(await statuses("/new/index.m3u8"), [200]);
  },
);

test(
  "a port that another process listens on is refused, also by several threads",
  { timeout: 60_000 },
  async (t) => {
    const first = await startWeir(t, { config: "threads 2;" });
    await assert.rejects(
      startWeir(t, {
        config: () => `threads 2; http 127.0.0.1:${first.ports.http};`,
        readyTimeoutMs: 8000,
      }),
    );
  },
);
