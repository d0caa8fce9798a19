/** A ConfigMap that is edited while publishers publish and viewers watch. */
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { ProjectedVolume } from "../support/projected-volume.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { LogLine, Weir } from "../support/weir.ts";

const skip = needs("ffmpeg");

/**
 * From the kubelet's write to the configuration being in force. A busy machine may be late with one of many; what the
 * server itself takes is what the fastest took.
 */
const LIVE_WITHIN_MS = 1000;
const LATE_MS = 8000;
const tookMs: number[] = [];
after(() => assert.ok(Math.min(...tookMs) < LIVE_WITHIN_MS, `edits took ${tookMs.join(", ")} ms`));
const PUBLISH = "template pub { prefix pub; input publish://; }\n";

/** Reads an endless body and notes when it last grew. */
class Watcher {
  bytes = 0;
  isOver = false;
  readonly #abort = new AbortController();

  constructor(t: TestContext, url: string) {
    t.after(() => this.#abort.abort());
    void this.#read(url)
      .catch(() => {})
      .finally(() => {
        this.isOver = true;
      });
  }

  /** Waits until so much more has come. */
  async grows(byBytes: number): Promise<void> {
    const until = this.bytes + byBytes;
    await eventually(() => assert.ok(this.bytes >= until, `${this.bytes} of ${until} bytes`));
    assert.equal(this.isOver, false);
  }

  async #read(url: string): Promise<void> {
    const reply = await fetch(url, { signal: this.#abort.signal });
    for await (const chunk of reply.body!) this.bytes += (chunk as Uint8Array).byteLength;
  }
}

/** A server whose config parts lie in a volume as Kubernetes mounts one. */
async function start(t: TestContext, threads: number, parts: Record<string, string>) {
  const weir = await startWeir(t, {
    config: (ports) =>
      `threads ${threads};\nedit_auth root secret;\nhttp 127.0.0.1:${ports.http};\nrtmp 127.0.0.1:${ports.rtmp};\n`,
  });
  const volume = new ProjectedVolume(join(weir.configFolder, "flussonic.conf.d"));
  await edit(weir, volume, parts);
  return { weir, volume };
}

/** Writes the volume anew. Returns: the line of the log that says what came of it. */
async function edit(weir: Weir, volume: ProjectedVolume, parts: Record<string, string>): Promise<LogLine> {
  const from = weir.log.length;
  await volume.write(parts);
  const writtenAt = performance.now();
  const isOutcome = (line: LogLine): boolean =>
    weir.log.indexOf(line) >= from &&
    /read anew|not taken|cannot be put in force/.test(String(line["msg"]));
  const line = await weir.logged(isOutcome);
  const ownMs = Math.round(performance.now() - writtenAt);
  assert.ok(ownMs < LATE_MS, `it took ${ownMs} ms`);
  tookMs.push(ownMs);
  return line;
}

async function statusOf(url: string): Promise<number> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  await reply.body?.cancel();
  return reply.status;
}

/** A stream that was just configured takes a moment to begin. */
async function plays(weir: Weir, name: string): Promise<void> {
  await eventually(async () => assert.equal(await statusOf(weir.url(`/${name}/index.m3u8`)), 200));
}

/** Opens a connection that says nothing. */
async function silentConnection(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

/** Resolves when a connection is closed; rejects when nobody does that. */
async function closed(socket: Socket): Promise<void> {
  await eventually(() => assert.ok(socket.closed));
}

async function metric(weir: Weir, name: string): Promise<string | undefined> {
  const text = await (await fetch(weir.url("/metrics"))).text();
  return new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1];
}

for (const threads of [1, 3]) {
  describe(`a ConfigMap that is edited, ${threads} media thread(s)`, () => {
    test("is in force at once; who is not concerned notices nothing", { skip }, async (t) => {
      const old = "stream old { input fake://; segment_duration 1; }\n";
      const { weir, volume } = await start(t, threads, { "publish.conf": PUBLISH, "old.conf": old });
      const clip = await makeClip({ durationS: 10, gopPictures: 25 });
      const publisher = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
      await weir.onAir("pub/camera");
      const viewer = new Watcher(t, weir.url("/pub/camera.flv"));
      await viewer.grows(50_000);
      assert.equal(await statusOf(weir.url("/old/index.m3u8")), 200);
      const line = await edit(weir, volume, {
        "publish.conf": `${PUBLISH}hostname other;\n`,
        "new.conf": "stream new { input fake://; segment_duration 1; }\n",
      });
      assert.deepEqual(line["changes"], ["stream old removed", "stream new added"]);
      const waiting = await weir.logged("next start only");
      assert.deepEqual([waiting["level"], waiting["settings"]], ["warn", ["hostname"]]);
      assert.equal(await statusOf(weir.url("/old/index.m3u8")), 404);
      await plays(weir, "new");
      await viewer.grows(50_000);
      assert.ok(publisher.isRunning);
      assert.equal(weir.log.filter(({ msg }) => msg === "publisher left").length, 0);
    });

    test("moves listeners; a viewer of another listener stays", { skip }, async (t) => {
      const [one, two, three] = [await freePort(), await freePort(), await freePort()];
      const { weir, volume } = await start(t, threads, {
        "ports.conf": `http 127.0.0.1:${one};\n`,
        "publish.conf": PUBLISH,
      });
      const clip = await makeClip({ durationS: 10, gopPictures: 25 });
      publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
      await weir.onAir("pub/camera");
      const viewer = new Watcher(t, weir.url("/pub/camera.flv"));
      await viewer.grows(50_000);
      const readiness = "/streamer/api/v3/monitoring/readiness";
      assert.equal(await statusOf(`http://127.0.0.1:${one}${readiness}`), 200);
      await edit(weir, volume, {
        "ports.conf": `http 127.0.0.1:${two} { api false; }\nrtmp 127.0.0.1:${three};\n`,
        "publish.conf": PUBLISH,
      });
      await assert.rejects(statusOf(`http://127.0.0.1:${one}${readiness}`));
      assert.equal(await statusOf(`http://127.0.0.1:${two}${readiness}`), 404);
      publish(t, `rtmp://127.0.0.1:${three}/pub/second`, clip, { loop: true });
      await weir.onAir("pub/second");
      await edit(weir, volume, {
        "ports.conf": `http 127.0.0.1:${two};\nrtmp *:${three};\n`,
        "publish.conf": PUBLISH,
      });
      assert.equal(await statusOf(`http://127.0.0.1:${two}${readiness}`), 200);
      await eventually(async () => {
        publish(t, `rtmp://127.0.0.2:${three}/pub/third`, clip, { loop: true });
        await weir.onAir("pub/third", 3000);
      });
      await viewer.grows(50_000);
    });

    test("changes the limits for those who come then", async (t) => {
      const { weir, volume } = await start(t, threads, { "a.conf": "rtmp_handshake_timeout 3600;\n" });
      const early = await silentConnection(t, weir.ports.rtmp);
      const line = await edit(weir, volume, {
        "a.conf": "http_idle_timeout 7;\nrtmp_handshake_timeout 1;\n",
      });
      assert.deepEqual(line["changes"], ["rtmp_handshake_timeout", "http_idle_timeout"]);
      await closed(await silentConnection(t, weir.ports.rtmp));
      assert.equal(await metric(weir, 'weir_config_reloads_total{result="taken"}'), "2");
      await edit(weir, volume, {
        "a.conf": "max_connections_per_address 1;\nrtmp_handshake_timeout 3600;\n",
      });
      await closed(await silentConnection(t, weir.ports.rtmp));
      const refused = await weir.logged("too many connections from one address");
      assert.equal(refused["level"], "warn");
      assert.equal(early.closed, false);
    });

    test("changes how much is logged, in all threads", async (t) => {
      const { weir, volume } = await start(t, threads, {});
      await volume.write({ "a.conf": "loglevel error;\n" });
      await eventually(async () =>
        assert.equal(await metric(weir, 'weir_config_reloads_total{result="taken"}'), "2"),
      );
      const line = await edit(weir, volume, { "a.conf": "loglevel debug;\n" });
      assert.deepEqual(line["changes"], ["loglevel"]);
      assert.equal(weir.log.filter(({ msg }) => /read anew/.test(String(msg))).length, 2);
      connect(weir.ports.rtmp, "127.0.0.1")
        .on("error", () => {})
        .end("no handshake");
      await weir.logged(({ msg }) => msg === "RTMP session state");
    });

    test("changes nothing when it is broken, and applies when it is mended", { skip }, async (t) => {
      const { weir, volume } = await start(t, threads, {
        "publish.conf": PUBLISH,
        "kept.conf": "stream kept { input fake://; segment_duration 1; }\n",
      });
      assert.equal(await metric(weir, "weir_config_last_reload_successful"), "1");
      await edit(weir, volume, {
        "publish.conf": `${PUBLISH}\nstrem typo { input fake://; segment_duration 1; }\n`,
      });
      const problem = weir.log.find((entry) => entry["level"] === "error" && entry["line"] !== undefined);
      assert.match(String(problem?.["file"]), /publish\.conf$/);
      assert.deepEqual([problem?.["line"], problem?.["column"]], [3, 1]);
      assert.match(String(problem?.["msg"]), /strem/);
      assert.equal(await statusOf(weir.url("/kept/index.m3u8")), 200);
      assert.equal(await statusOf(weir.url("/streamer/api/v3/monitoring/readiness")), 200);
      assert.equal(await metric(weir, "weir_config_last_reload_successful"), "0");
      assert.equal(await metric(weir, 'weir_config_reloads_total{result="refused"}'), "1");
      await edit(weir, volume, {
        "publish.conf": `${PUBLISH}\nstream typo { input fake://; segment_duration 1; }\n`,
      });
      await plays(weir, "typo");
      assert.equal(await statusOf(weir.url("/kept/index.m3u8")), 404);
      assert.equal(await metric(weir, "weir_config_last_reload_successful"), "1");
    });

    test("changes nothing when a port of it is taken", { skip }, async (t) => {
      const stranger = createServer().listen(0, "127.0.0.1");
      t.after(() => stranger.close());
      await new Promise((resolve) => stranger.once("listening", resolve));
      const taken = (stranger.address() as AddressInfo).port;
      const [own, other] = [await freePort(), await freePort()];
      const ports = `http 127.0.0.1:${own};\n`;
      const { weir, volume } = await start(t, threads, { "ports.conf": ports, "publish.conf": PUBLISH });
      const line = await edit(weir, volume, {
        "ports.conf": `http 127.0.0.1:${other};\n\nrtmp 127.0.0.1:${taken};\n`,
      });
      assert.match(String(line["reason"]), /EADDRINUSE/);
      assert.match(String(line["reason"]), /ports\.conf:3\): another program, .* has the port/);
      const readiness = "/streamer/api/v3/monitoring/readiness";
      assert.equal(await statusOf(`http://127.0.0.1:${own}${readiness}`), 200);
      await assert.rejects(statusOf(`http://127.0.0.1:${other}${readiness}`));
      const clip = await makeClip({ durationS: 10, gopPictures: 25 });
      publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
      await weir.onAir("pub/camera");
    });
  });
}
