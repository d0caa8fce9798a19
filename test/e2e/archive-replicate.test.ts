/** What one server has recorded while another one was down is copied to it. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish, runTool } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const skip = needs("ffmpeg");

type Recorder = {
  readonly weir: Weir;
  /** Starts, or starts again, what is sent to it. */
  send(): void;
  stopSending(): Promise<void>;
  /** Writes the configuration, with the server that recordings are copied from. */
  peer(other: Weir): Promise<void>;
};

/** A segment of a playlist: what it is called, when it begins, and how long it is. Units: seconds. */
type Listed = { readonly uri: string; readonly atS: number; readonly durationS: number };

async function startRecorder(t: TestContext, clip: string): Promise<Recorder> {
  const root = await mkdtemp(join(tmpdir(), "weir-copy-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const config = (peer: string): string =>
    `cluster_key k3y; template rec { prefix rec; input publish://; segment_duration 1; dvr ${root} 1d${peer}; }`;
  const weir = await startWeir(t, { config: config("") });
  let sending: ReturnType<typeof publish> | null = null;
  return {
    weir,
    send: () => void (sending = publish(t, weir.rtmpUrl("rec/camera"), clip, { loop: true })),
    stopSending: async () => {
      await sending?.kill();
    },
    peer: async (other) => {
      const text = config(` replicate=${other.url("")} replication_speed=200M`);
      await weir.writeConfig({ "flussonic.conf": text });
    },
  };
}

async function listed({ weir }: Recorder, fromS: number): Promise<Listed[]> {
  const reply = await fetch(weir.url(`/rec/camera/tracks-v1a1/archive-${fromS}-now.m3u8`));
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  const times = [...text.matchAll(/EXTINF:([0-9.]+)[^\n]*\n(?:#[^\n]*\n)*(seg-([0-9]+)[^\n]*)/g)];
  return times.map(([, duration, uri, ms]) => ({
    uri: uri!,
    atS: Number(ms) / 1000,
    durationS: Number(duration),
  }));
}

/** The longest time of which nothing is listed. Units: seconds. */
function longestGapS(segments: readonly Listed[]): number {
  const gaps = segments.slice(1).map(({ atS }, i) => atS - segments[i]!.atS - segments[i]!.durationS);
  return Math.max(0, ...gaps);
}

async function hasSegments(recorder: Recorder, fromS: number, least: number): Promise<Listed[]> {
  const look = async (): Promise<Listed[]> => {
    const segments = await listed(recorder, fromS);
    assert.ok(segments.length >= least, `${segments.length} segments`);
    return segments;
  };
  return await eventually(look, { timeoutMs: 30_000 });
}

/** Kills one server while the other one records on, and starts it again: with the other one as its peer. */
async function missPart(t: TestContext, down: Recorder, other: Recorder, fromS: number): Promise<Listed[]> {
  await down.weir.kill();
  await down.stopSending();
  await down.peer(other.weir);
  const before = await hasSegments(other, fromS, 1);
  await hasSegments(other, fromS, before.length + 5);
  await down.weir.start(t);
  down.send();
  const filled = async (): Promise<Listed[]> => {
    const segments = await listed(down, fromS);
    // No gap is longer than a segment that would overlap what is there.
    assert.ok(longestGapS(segments) < 2.5, `a gap of ${longestGapS(segments)} s\n${down.weir.describe()}`);
    return segments;
  };
  await down.weir.logged("a recording was completed from a peer", 40_000);
  return await eventually(filled, { timeoutMs: 40_000 });
}

async function pictures(path: string): Promise<number> {
  const args = "-v error -select_streams v -count_packets -show_entries stream=nb_read_packets -of csv=p=0";
  const { stdout, stderr } = await runTool("ffprobe", [...args.split(" "), path], 60_000);
  assert.equal(stderr, "");
  return Number(stdout.trim().split("\n")[0]);
}

test("what a server missed is copied from its peer", { skip, timeout: 180_000 }, async (t) => {
  const clip = await makeClip({ durationS: 10, gopPictures: 25 });
  const fromS = Math.floor(Date.now() / 1000) - 5;
  const [a, b] = await Promise.all([startRecorder(t, clip), startRecorder(t, clip)]);
  a.send();
  b.send();
  const own = await hasSegments(a, fromS, 3);
  await hasSegments(b, fromS, 3);
  const filled = await missPart(t, a, b, fromS);
  // Nothing of what was recorded here was changed, and what was copied has the names that it has there.
  for (const { uri } of own)
    assert.ok(
      filled.some((one) => one.uri === uri),
      uri,
    );
  const namesOfB = new Set((await listed(b, fromS)).map(({ uri }) => uri));
  const copied = filled.filter(({ uri }) => namesOfB.has(uri));
  assert.ok(copied.length >= 4, `${copied.length} copied segments`);
  // The filled range is a film like any other. Of one that has ended players take the whole.
  const span = `archive-${fromS}-${Math.ceil(copied.at(-1)!.atS + 2) - fromS}`;
  const list = await eventually(
    async () => {
      const text = await (await fetch(a.weir.url(`/rec/camera/tracks-v1a1/${span}.m3u8`))).text();
      assert.match(text, /EXT-X-ENDLIST/);
      return text;
    },
    { timeoutMs: 30_000 },
  );
  const seconds = [...list.matchAll(/EXTINF:([0-9.]+)/g)].reduce((sum, [, s]) => sum + Number(s), 0);
  const reply = await fetch(a.weir.url(`/rec/camera/${span}.mp4`));
  assert.equal(reply.status, 200);
  const path = join(a.weir.configFolder, "whole.mp4");
  await writeFile(path, Buffer.from(await reply.arrayBuffer()));
  const shown = await pictures(path);
  assert.ok(Math.abs(shown - seconds * 25) <= 2, `${shown} pictures of ${seconds} s`);
  const played = await pictures(a.weir.url(`/rec/camera/${span}.m3u8`));
  assert.ok(Math.abs(played - seconds * 25) <= 2, `${played} pictures played of ${seconds} s`);
  // Nobody else is given anything.
  const stranger = await fetch(a.weir.url("/archive-streams.json"));
  assert.equal(stranger.status, 401);
  assert.match(await stranger.text(), /not signed/);
});
