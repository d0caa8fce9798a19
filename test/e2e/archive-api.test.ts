/** The API of a real recording: what is recorded, deleting of it, episodes and exports, in several threads and behind a kill. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish, runTool } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const AUTHORIZATION = `Basic ${Buffer.from("root:secret").toString("base64")}`;
const PICTURES_A_SECOND = 25;

type Range = { readonly from: number; readonly duration: number };

async function ask(weir: Weir, method: string, path: string, body?: object): Promise<[number, unknown]> {
  const reply = await fetch(weir.url(`/streamer/api/v3${path}`), {
    method,
    headers: {
      authorization: AUTHORIZATION,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  return [reply.status, text === "" ? null : (JSON.parse(text) as unknown)];
}

async function rangesOf(weir: Weir): Promise<readonly Range[]> {
  const [status, json] = await ask(weir, "GET", "/streams/rec/camera/dvr/ranges");
  assert.equal(status, 200, JSON.stringify(json));
  return (json as { ranges: Range[] }).ranges;
}

/** Segments of an archive playlist that have media: what was deleted is a gap that keeps the numbers. By a connection of its own: whichever thread takes it. */
async function listed(weir: Weir, fromS: number): Promise<string[]> {
  const url = weir.url(`/rec/camera/tracks-v1a1/archive-${fromS}-now.m3u8`);
  const reply = await fetch(url, { headers: { connection: "close" } });
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  const { segments } = parsePlaylistText(text);
  return segments.filter(({ isGap }) => !isGap).map(({ uri }) => uri!);
}

async function statusOf(weir: Weir, segment: string): Promise<number> {
  const url = weir.url(`/rec/camera/tracks-v1a1/${segment}`);
  const reply = await fetch(url, { headers: { connection: "close" } });
  await reply.arrayBuffer();
  return reply.status;
}

async function pictures(path: string): Promise<number> {
  const args = ["-v", "error", "-select_streams", "v", "-count_packets", "-show_entries"];
  const { stdout } = await runTool(
    "ffprobe",
    [...args, "stream=nb_read_packets", "-of", "csv=p=0", path],
    60_000,
  );
  return Number(stdout.trim());
}

test(
  "a recording is listed, deleted from, kept and exported by the API",
  { skip: needs("ffmpeg"), timeout: 180_000 },
  async (t) => {
    const root = await mkdtemp(join(tmpdir(), "weir-dvr-api-"));
    t.after(() => rm(root, { recursive: true, force: true }));
    const config = `threads 2; edit_auth root secret;
      template rec { prefix rec; input publish://; segment_duration 1; segment_count 3; dvr ${root} 1d; }`;
    const weir = await startWeir(t, { config });
    const clip = await makeClip({ durationS: 10, gopPictures: PICTURES_A_SECOND });
    const fromS = Math.floor(Date.now() / 1000) - 5;
    publish(t, weir.rtmpUrl("rec/camera"), clip, { loop: true });
    // By then the third segment has left the live window for long.
    const before = await eventually(
      async () => {
        const segments = await listed(weir, fromS).catch(() => []);
        assert.ok(segments.length >= 14, `${segments.length} segments`);
        return segments;
      },
      { timeoutMs: 60_000 },
    );
    assert.equal((await rangesOf(weir)).length, 1);
    const doomed = before[2]!;
    const doomedMs = Number(/seg-(\d+)/.exec(doomed)![1]);
    assert.equal(await statusOf(weir, doomed), 200);

    // An episode keeps what it has, and the range that would be deleted says so.
    const episode = {
      name: "rec/camera",
      opened_at: doomedMs + 5000,
      closed_at: doomedMs + 6000,
      title: "Goal",
    };
    const [made, kept] = await ask(weir, "POST", "/episodes", episode);
    assert.equal(made, 201, JSON.stringify(kept));
    const id = (kept as { episode_id: string }).episode_id;
    const path = "/streams/rec/camera/dvr/ranges";
    const [refused, why] = await ask(weir, "DELETE", path, { from: doomedMs / 1000, duration: 60 });
    assert.equal(refused, 409);
    assert.deepEqual((why as { errors: { meta: object }[] }).errors[0]!.meta, {
      episodes: [id],
      locks: [],
    });

    // What is deleted is listed by no thread any more, and its neighbours are there.
    const [deleted] = await ask(weir, "DELETE", path, { from: doomedMs / 1000 + 0.2, duration: 0.5 });
    assert.equal(deleted, 204);
    for (let i = 0; i < 6; i++) {
      const now = await listed(weir, fromS);
      assert.ok(
        !now.includes(doomed) && now.includes(before[1]!) && now.includes(before[3]!),
        now.join(" "),
      );
      assert.equal(await statusOf(weir, doomed), 404);
    }
    assert.equal((await rangesOf(weir)).length, 2);

    // An export of what is left in front of and behind it: a file of whole segments.
    const firstMs = Number(/seg-(\d+)/.exec(before[0]!)![1]);
    const exportFrom = Math.floor(firstMs / 1000);
    const query = `from=${exportFrom}&duration=8&path=clips/goal.mp4`;
    const [begun, job] = await ask(weir, "POST", `/streams/rec/camera/dvr/export?${query}`);
    assert.equal(begun, 202, JSON.stringify(job));
    const address = `/dvr_export_jobs/${(job as { id: string }).id}`;
    await eventually(
      async () => assert.equal(((await ask(weir, "GET", address))[1] as { status: string }).status, "done"),
      { timeoutMs: 30_000 },
    );
    const inRange = before.filter((name) => {
      const ms = Number(/seg-(\d+)/.exec(name)![1]);
      return name !== doomed && ms >= exportFrom * 1000 && ms < (exportFrom + 8) * 1000;
    });
    const exported = join(root, ".exports/clips/goal.mp4");
    assert.equal(await pictures(exported), inRange.length * PICTURES_A_SECOND);

    // Behind a kill all of that is as it was.
    await weir.kill();
    await weir.start(t);
    const after = await listed(weir, fromS);
    assert.ok(!after.includes(doomed) && after.includes(before[3]!), after.join(" "));
    assert.equal(await statusOf(weir, doomed), 404);
    const [, found] = await ask(weir, "GET", `/episodes/${id}?name=rec/camera`);
    assert.equal((found as { title: string }).title, "Goal");
    assert.equal((await ask(weir, "DELETE", `/episodes/${id}?name=rec/camera`))[0], 204);
    assert.equal((await ask(weir, "DELETE", path, { from: fromS, duration: 3600 }))[0], 204);
    assert.deepEqual(await rangesOf(weir), []);
    assert.equal((await ask(weir, "GET", address))[0], 404);
  },
);
