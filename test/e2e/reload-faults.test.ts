/** Edits that meet a fault: a busy port, a thread that hangs or dies, an end of the server, a slow kubelet. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { ProjectedVolume } from "../support/projected-volume.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { LogLine, Weir } from "../support/weir.ts";

const skip = needs("ffmpeg");
const PUBLISH = "template pub { prefix pub; input publish://; }\n";
const ADDED = "stream added { input fake://; segment_duration 1; }\n";
/** What a machine that is busy with other things may need. */
const SLOW_MS = 60_000;

type Parts = Record<string, string>;

/** A server whose config parts lie in a volume as Kubernetes mounts one; `main`: directives of its main file. */
async function start(
  t: TestContext,
  options: { threads: number; parts: Parts; main?: string; env?: Record<string, string> },
): Promise<{ weir: Weir; volume: ProjectedVolume }> {
  const { threads, parts, main = "", env = {} } = options;
  const weir = await startWeir(t, {
    env,
    config: (ports) =>
      `threads ${threads};\n${main}\nhttp 127.0.0.1:${ports.http};\nrtmp 127.0.0.1:${ports.rtmp};\n`,
  });
  const volume = new ProjectedVolume(join(weir.configFolder, "flussonic.conf.d"));
  await edit(weir, volume, parts);
  return { weir, volume };
}

/** What came of the edits since a line of the log. */
function outcome(weir: Weir, from: number): Promise<LogLine> {
  const isOutcome = (line: LogLine): boolean =>
    weir.log.indexOf(line) >= from &&
    /read anew|not taken|cannot be put in force/.test(String(line["msg"]));
  return weir.logged(isOutcome, SLOW_MS);
}

async function edit(weir: Weir, volume: ProjectedVolume, parts: Parts): Promise<LogLine> {
  const from = weir.log.length;
  await volume.write(parts);
  return outcome(weir, from);
}

async function statusOf(url: string): Promise<number> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  await reply.body?.cancel();
  return reply.status;
}

/** Asks often enough for every thread to be asked. */
async function statuses(url: string): Promise<Set<number>> {
  const seen = new Set<number>();
  for (let i = 0; i < 20; i++) {
    const reply = await fetch(url, {
      signal: AbortSignal.timeout(15_000),
      headers: { connection: "close" },
    });
    await reply.arrayBuffer();
    seen.add(reply.status);
  }
  return seen;
}

async function allAnswer(url: string, status: number): Promise<void> {
  await eventually(async () => assert.deepEqual(await statuses(url), new Set([status])), {
    timeoutMs: SLOW_MS,
  });
}

/** Somebody else's port. */
async function stranger(t: TestContext, host = "127.0.0.1"): Promise<{ port: number; server: Server }> {
  const server = createServer().listen(0, host);
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

/** Lines that tell of a publisher that went. */
function departures(weir: Weir): LogLine[] {
  return weir.log.filter(({ msg }) => msg === "publisher left" || msg === "publisher taken off");
}

for (const threads of [1, 3]) {
  describe(`an edit that meets a fault, ${threads} media thread(s)`, () => {
    test("and is refused costs no publisher of a listener that was to move", { skip }, async (t) => {
      const { port: taken } = await stranger(t);
      const port = await freePort();
      const before = { "a.conf": PUBLISH, "ports.conf": `rtmp ${port};\n` };
      const { weir, volume } = await start(t, { threads, parts: before });
      const clip = await makeClip({ durationS: 10, gopPictures: 25 });
      publish(t, `rtmp://127.0.0.1:${port}/pub/camera`, clip, { loop: true });
      await weir.onAir("pub/camera");
      const refused: [ports: string, reason: RegExp][] = [
        [`rtmp 127.0.0.1:${port};\nhttp 127.0.0.1:${taken};\n`, /EADDRINUSE.*ports\.conf:2/],
        [`rtmp 192.0.2.1:${port};\n`, /EADDRNOTAVAIL.*ports\.conf:1/],
      ];
      for (const [ports, reason] of refused) {
        const line = await edit(weir, volume, { ...before, "ports.conf": ports });
        assert.match(String(line["reason"]), reason);
      }
      publish(t, `rtmp://127.0.0.1:${port}/pub/second`, clip, { loop: true });
      await weir.onAir("pub/second");
      assert.deepEqual(departures(weir), []);
      const listening = weir.log.filter(({ msg }) => msg === "listening").map((line) => line["port"]);
      assert.deepEqual(listening, [weir.ports.http, weir.ports.rtmp, port]);
      await edit(weir, volume, { ...before, "ports.conf": `rtmp 127.0.0.1:${port};\n` });
      await eventually(() => assert.equal(departures(weir).length, 2));
      publish(t, `rtmp://127.0.0.1:${port}/pub/third`, clip, { loop: true });
      await weir.onAir("pub/third");
    });

    test(
      "only when the port is opened brings back the listener that made way, with its publisher",
      { skip },
      async (t) => {
        const { port } = await stranger(t, "127.0.0.2");
        const before = { "a.conf": PUBLISH, "ports.conf": `rtmp 127.0.0.1:${port};\n` };
        const { weir, volume } = await start(t, { threads, parts: before });
        const clip = await makeClip({ durationS: 10, gopPictures: 25 });
        publish(t, `rtmp://127.0.0.1:${port}/pub/camera`, clip, { loop: true });
        await weir.onAir("pub/camera");
        const line = await edit(weir, volume, { ...before, "ports.conf": `rtmp 127.0.0.2:${port};\n` });
        assert.match(String(line["reason"]), /EADDRINUSE.*ports\.conf:1/);
        await eventually(async () => {
          publish(t, `rtmp://127.0.0.1:${port}/pub/second`, clip, { loop: true });
          await weir.onAir("pub/second", 3000);
        });
        assert.equal(departures(weir).filter(({ stream }) => stream === "pub/camera").length, 0);
        assert.equal(weir.log.filter(({ msg }) => /is replaced/.test(String(msg))).length, 0);
      },
    );

    test("of a moment is taken when that is over", async (t) => {
      const { port, server } = await stranger(t);
      const { weir, volume } = await start(t, { threads, parts: { "a.conf": PUBLISH } });
      const line = await edit(weir, volume, { "a.conf": `${ADDED}http 127.0.0.1:${port};\n` });
      assert.match(String(line["reason"]), /EADDRINUSE/);
      const from = weir.log.length;
      server.close();
      assert.match(String((await outcome(weir, from))["msg"]), /read anew/);
      assert.equal(await statusOf(`http://127.0.0.1:${port}/-/about`), 200);
    });

    test("of a slow kubelet is taken whole, whenever it is looked at", async (t) => {
      const { weir, volume } = await start(t, {
        threads,
        parts: { "a.conf": PUBLISH, "old.conf": "# old\n" },
      });
      const from = weir.log.length;
      await volume.write({ "a.conf": PUBLISH, "new.conf": ADDED }, async () => {
        const line = await outcome(weir, from);
        assert.deepEqual(line["changes"], ["stream added added"]);
      });
      await allAnswer(weir.url("/added/index.m3u8"), 200);
      assert.equal(weir.log.slice(from).filter(({ level }) => level === "error").length, 0);
    });

    test("such as SIGTERM behind it: the server stops in order", async (t) => {
      const { weir, volume } = await start(t, {
        threads,
        main: "drain_timeout 0;",
        parts: { "a.conf": PUBLISH },
      });
      const port = await freePort();
      await volume.write({ "a.conf": `${PUBLISH}http 127.0.0.1:${port};\n` });
      for (const signal of ["SIGHUP", "SIGTERM", "SIGHUP"] as const) weir.program.signal(signal);
      const end = await weir.program.ended;
      assert.deepEqual(end, { code: 0, signal: null }, weir.describe());
      assert.deepEqual(
        weir.log.filter(({ level }) => level === "error"),
        [],
      );
      const stopping = weir.log.findIndex(({ msg }) => msg === "stopping");
      assert.equal(weir.log.slice(stopping).filter(({ msg }) => msg === "listening").length, 0);
    });

    test("such as a drain that has begun changes nothing any more", { skip }, async (t) => {
      const { weir, volume } = await start(t, {
        threads,
        main: "drain_timeout 8;",
        parts: { "a.conf": PUBLISH },
      });
      const clip = await makeClip({ durationS: 10, gopPictures: 25 });
      publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
      await weir.onAir("pub/camera");
      weir.program.signal("SIGTERM");
      await weir.logged("draining");
      const from = weir.log.length;
      await volume.write({ "a.conf": "# nothing any more\n" });
      weir.program.signal("SIGHUP");
      assert.deepEqual(await weir.program.ended, { code: 0, signal: null }, weir.describe());
      const after = JSON.stringify(weir.log.slice(from));
      assert.doesNotMatch(after, /read anew|takes it away|not let it publish|"level":"error"/);
    });
  });
}

test("an edit while a thread hangs is in force in the others, and in the one that comes in its place", async (t) => {
  const parts = { "a.conf": PUBLISH };
  const { weir, volume } = await start(t, { threads: 3, parts, env: { WEIR_FAULTS: "hang" } });
  const port = await freePort();
  weir.program.signal("SIGUSR2");
  const line = await edit(weir, volume, { "a.conf": PUBLISH + ADDED });
  assert.deepEqual(
    [line["msg"], line["changes"]],
    ["the configuration was read anew", ["stream added added"]],
  );
  const next = await edit(weir, volume, {
    "a.conf": PUBLISH + ADDED,
    "p.conf": `http 127.0.0.1:${port};\n`,
  });
  assert.equal(next["msg"], "the configuration was read anew");
  await weir.logged("the media thread is back", SLOW_MS);
  for (const base of [weir.url(""), `http://127.0.0.1:${port}`]) {
    await allAnswer(`${base}/added/index.m3u8`, 200);
  }
});

test("a thread that dies in an edit comes back with the listeners of the edit, and no others", async (t) => {
  const [one, two, three] = [await freePort(), await freePort(), await freePort()];
  const parts = { "a.conf": PUBLISH, "p.conf": `http 127.0.0.1:${one};\n` };
  const { weir, volume } = await start(t, { threads: 2, parts, env: { WEIR_FAULTS: "throw" } });
  const ports = `http 127.0.0.1:${two} { api false; }\nhttp 127.0.0.1:${three};\n`;
  weir.program.signal("SIGUSR2");
  await weir.logged("is replaced");
  const line = await edit(weir, volume, { "a.conf": PUBLISH, "p.conf": ports });
  assert.equal(line["msg"], "the configuration was read anew");
  await weir.logged("the media thread is back", SLOW_MS);
  await allAnswer(`http://127.0.0.1:${two}/-/about`, 404);
  await allAnswer(`http://127.0.0.1:${three}/-/about`, 200);
  await assert.rejects(statusOf(`http://127.0.0.1:${one}/-/about`));
});
