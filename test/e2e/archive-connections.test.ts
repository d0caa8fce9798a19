/** What is recorded, through one connection: by the programs that people play RTMP, FLV, MPEG-TS and MSE-LD with. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { filmClock } from "../support/clock-camera.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, probePackets, publish, runTool } from "../support/ffmpeg.ts";
import { seenPictures } from "../support/latency-page.ts";
import { happenedOn, LATENCY_PLAYER_SPECS, openLatencyPage } from "../support/latency-players.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const TOOL_MS = 60_000;
const DURATIONS_S = [5, 4] as const;
const PICTURES = DURATIONS_S[0] * 25 + DURATIONS_S[1] * 25;
/** Nothing is recorded for so long between the two clips, and a little longer. */
const GAP_MS = 1500;
/** Players are sent so much ahead of their clocks. */
const HEAD_START_S = 3;

async function start(t: TestEnd): Promise<{ weir: Weir; root: string }> {
  const root = await mkdtemp(join(tmpdir(), "weir-archive-connections-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const config = `template rec { prefix rec; input publish://; segment_duration 1; dvr ${root} 1d; }`;
  return { weir: await startWeir(t, { config }), root };
}

/** Waits until so much is recorded. Units: seconds. */
async function recorded(weir: Weir, fromS: number, seconds: number): Promise<void> {
  const look = async (): Promise<void> => {
    const reply = await fetch(weir.url(`/rec/camera/tracks-v1a1/archive-${fromS}-now.m3u8`));
    const text = await reply.text();
    assert.equal(reply.status, 200, text);
    const { segments } = parsePlaylistText(text);
    const sumS = segments.reduce((sum, { durationS }) => sum + durationS!, 0);
    assert.ok(sumS >= seconds, `${sumS} s of ${seconds}`);
  };
  await eventually(look, { timeoutMs: 60_000 });
}

type InitMessage = { readonly tracks: readonly { readonly id: number; readonly payload: string }[] };

/** A viewer over MSE-LD: init messages, each with the fragments that came behind it. */
class Viewer {
  readonly plays: { readonly init: InitMessage; readonly fragments: Uint8Array[] }[] = [];
  readonly said: string[] = [];
  readonly socket: WebSocket;

  constructor(url: string) {
    this.socket = new WebSocket(url.replace("http", "ws"));
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => this.#take(data as string | ArrayBuffer));
  }

  #take(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      this.plays.at(-1)!.fragments.push(new Uint8Array(data));
      return;
    }
    const message = JSON.parse(data) as InitMessage & { type: string; event?: string; reason?: string };
    this.said.push(message.event ?? message.type);
    if (message.type === "mse_init_segment") this.plays.push({ init: message, fragments: [] });
  }

  /** Pictures behind an init message, in the order of their coming. */
  pictures(play: number): Uint8Array[] {
    return this.plays[play]?.fragments.filter((bytes) => bytes[47] === 1) ?? [];
  }

  /** UTC of a fragment. Units: seconds. */
  static utcOf(fragment: Uint8Array): number {
    const view = new DataView(fragment.buffer, fragment.byteOffset);
    return view.getUint32(92) + view.getUint32(96) / 1_000_000;
  }
}

type Pictures = { readonly sizes: readonly string[]; readonly timesS: readonly number[] };

/** The pictures of a file or a stream: sizes, and decode times. */
async function picturesOf(source: string): Promise<Pictures> {
  const packets = await probePackets(source, { select: "v", timeoutMs: TOOL_MS });
  return {
    sizes: packets.map(({ size }) => size),
    timesS: packets.map(({ dts_time }) => Number(dts_time)),
  };
}

/** The pictures that lie in the archive's media files. */
async function storedPictures(root: string): Promise<Pictures> {
  const names = await readdir(join(root, "rec/camera"), { recursive: true });
  const media = names.filter((name) => name.endsWith(".mp4"));
  const files = await Promise.all(media.map((name) => picturesOf(join(root, "rec/camera", name))));
  files.sort((a, b) => a.timesS[0]! - b.timesS[0]!);
  return { sizes: files.flatMap(({ sizes }) => sizes), timesS: files.flatMap(({ timesS }) => timesS) };
}

/** Times rise, and over the gap they go on. */
function assertWithoutGap({ timesS }: Pictures, what: string): void {
  const steps = timesS.slice(1).map((time, i) => time - timesS[i]!);
  assert.ok(
    steps.every((step) => step > 0 && step < 0.5),
    `${what}: steps from ${Math.min(...steps)} to ${Math.max(...steps)} s`,
  );
}

describe("an archive through one connection", { concurrency: true, timeout: 180_000 }, () => {
  test(
    "has every picture for everybody, over a gap and into another size",
    { skip: needs("ffmpeg", "rtmpdump", "gstreamer") },
    async (t) => {
      const { weir, root } = await start(t);
      const clips = [
        await makeClip({ durationS: DURATIONS_S[0], gopPictures: 25 }),
        await makeClip({ durationS: DURATIONS_S[1], gopPictures: 25, width: 640, height: 360 }),
      ];
      const fromS = Math.floor(Date.now() / 1000) - 2;
      await publish(t, weir.rtmpUrl("rec/camera"), clips[0]!).ended;
      await recorded(weir, fromS, 2);
      // Comes to the edge of what is recorded, waits there, and goes on into what is recorded next.
      const viewer = new Viewer(weir.url(`/rec/camera/mse_ld?from=${fromS}`));
      await pass(GAP_MS);
      await publish(t, weir.rtmpUrl("rec/camera"), clips[1]!).ended;
      await recorded(weir, fromS, DURATIONS_S[0] + DURATIONS_S[1] - 0.5);
      const range = `archive-${fromS}-${Math.ceil(Date.now() / 1000) - fromS}`;
      const mp4 = await storedPictures(root);
      const file = (name: string): string => join(root, name);
      const exported = await fetch(weir.url(`/rec/camera/${range}.ts`));
      await writeFile(file("export.ts"), Buffer.from(await exported.arrayBuffer()));
      const ts = await picturesOf(file("export.ts"));
      assert.deepEqual([mp4.sizes.length, ts.sizes.length], [PICTURES, PICTURES]);
      const gst = (...args: string[]): Promise<unknown> =>
        runTool("gst-launch-1.0", ["-q", ...args.slice(0, 2), "!", "filesink", args[2]!], TOOL_MS);
      const rtmp = weir.rtmpUrl(`rec/camera/${range}`);
      const judges: Record<string, { like: Pictures; run: () => Promise<Pictures> }> = {
        "RTMP in ffmpeg": { like: mp4, run: () => picturesOf(rtmp) },
        "RTMP by a query in rtmpdump": {
          like: mp4,
          run: async () => {
            const query = `camera?from=${fromS}&to=${Math.ceil(Date.now() / 1000)}`;
            const url = ["-r", weir.rtmpUrl("rec"), "-y", query];
            // It takes a range that goes on for incomplete.
            await runTool("rtmpdump", ["-q", ...url, "-o", file("dump.flv")], TOOL_MS).catch(
              (caught: unknown) => assert.match(String(caught), /ended with code 2/),
            );
            return await picturesOf(file("dump.flv"));
          },
        },
        "RTMP in GStreamer": {
          like: mp4,
          run: async () => {
            await gst("rtmp2src", `location=${rtmp}`, `location=${file("gst.flv")}`);
            return await picturesOf(file("gst.flv"));
          },
        },
        "HTTP-FLV": { like: mp4, run: () => picturesOf(weir.url(`/rec/camera/${range}.flv`)) },
        "MPEG-TS by a query in GStreamer": {
          like: ts,
          run: async () => {
            const url = weir.url(`/rec/camera/mpegts?from=${fromS}&to=${Math.ceil(Date.now() / 1000)}`);
            await gst("souphttpsrc", `location=${url}`, `location=${file("gst.ts")}`);
            return await picturesOf(file("gst.ts"));
          },
        },
      };
      await Promise.all(
        Object.entries(judges).map(async ([what, { like, run }]) => {
          const beganMs = performance.now();
          const pictures = await run();
          assert.deepEqual(pictures.sizes, like.sizes, what);
          assertWithoutGap(pictures, what);
          // Programs that ask for a large buffer over RTMP are given one.
          if (what.startsWith("RTMP")) return;
          const tookS = (performance.now() - beganMs) / 1000;
          assert.ok(tookS > DURATIONS_S[0] + DURATIONS_S[1] - HEAD_START_S - 1.5, `${what}: ${tookS} s`);
        }),
      );
      await eventually(
        () => {
          const counts = viewer.plays.map((_, i) => viewer.pictures(i).length);
          assert.deepEqual(counts, [DURATIONS_S[0] * 25, DURATIONS_S[1] * 25], viewer.said.join());
        },
        { timeoutMs: 60_000 },
      );
      viewer.socket.close();
      assert.deepEqual(viewer.said, ["mse_init_segment", "mse_init_segment"]);
      const seen: string[] = [];
      for (const [i, { init, fragments }] of viewer.plays.entries()) {
        const { id, payload } = init.tracks[0]!;
        const own = fragments.filter((fragment) => fragment[47] === id);
        await writeFile(file(`${i}.mp4`), Buffer.concat([Buffer.from(payload, "base64"), ...own]));
        seen.push(...(await picturesOf(file(`${i}.mp4`))).sizes);
      }
      assert.deepEqual(seen, mp4.sizes);
      const [last, next] = [viewer.pictures(0).at(-1)!, viewer.pictures(1)[0]!];
      const gapS = Viewer.utcOf(next) - Viewer.utcOf(last);
      assert.ok(gapS > GAP_MS / 1000, `the gap is in the time of day: ${gapS} s`);
    },
  );

  test(
    "plays in Chromium, as far behind as was asked for",
    { skip: needs("ffmpeg", "chromium") },
    async (t) => {
      const { weir } = await start(t);
      filmClock(t, weir.rtmpUrl("rec/camera"));
      const fromS = Math.floor(Date.now() / 1000);
      await eventually(() => recorded(weir, fromS, 5), { timeoutMs: 60_000 });
      const specs = {
        "timeshift_rel-5": LATENCY_PLAYER_SPECS.flv,
        [`mse_ld?from=${Math.floor(Date.now() / 1000) - 5}`]: LATENCY_PLAYER_SPECS["mse-ld"],
      };
      await Promise.all(
        Object.entries(specs).map(async ([path, spec]) => {
          const suffix = spec === LATENCY_PLAYER_SPECS.flv ? spec.suffix : "";
          const page = await openLatencyPage(t, weir.url(`/rec/camera/${path}`), { ...spec, suffix });
          const look = async (): Promise<void> => {
            const { agesMs } = await seenPictures(page);
            const said = (await happenedOn(page)).join("; ");
            assert.ok(agesMs.length >= 75, `${path}: ${agesMs.length} pictures; ${said}`);
            // What is sent ahead is played at once by players that think it is live.
            const behindMs = Math.min(...agesMs.slice(25));
            assert.ok(behindMs > 1000 * (5 - HEAD_START_S) - 500, `${path}: ${behindMs} ms behind`);
            assert.doesNotMatch(said, /failure|unavailable|Error/);
          };
          await eventually(look, { timeoutMs: 60_000, intervalMs: 250 });
        }),
      );
    },
  );
});
