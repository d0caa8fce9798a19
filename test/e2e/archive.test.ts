/** What is recorded: as files, over HTTP, and behind a kill of the server. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish, runTool } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const skip = needs("ffmpeg");

async function makeRoot(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "weir-dvr-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

async function textOf(url: string): Promise<string> {
  const reply = await fetch(url);
  const text = await reply.text();
  assert.equal(reply.status, 200, `${url}: ${text}`);
  return text;
}

/** Video packets that ffprobe finds in a file. */
async function pictures(path: string): Promise<number> {
  const args = [
    "-v",
    "error",
    "-select_streams",
    "v",
    "-count_packets",
    "-show_entries",
    "stream=nb_read_packets",
  ];
  const { stdout, stderr } = await runTool("ffprobe", [...args, "-of", "csv=p=0", path], 60_000);
  assert.equal(stderr, "");
  return Number(stdout.trim().split("\n")[0]);
}

test(
  "a stream is recorded, plays from the archive, and goes on behind a kill",
  { skip, timeout: 180_000 },
  async (t) => {
    const root = await makeRoot(t);
    const config = `template rec { prefix rec; input publish://; segment_duration 2; dvr ${root} 1d; }`;
    const weir = await startWeir(t, { config });
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const fromS = Math.floor(Date.now() / 1000) - 5;
    const first = publish(t, weir.rtmpUrl("rec/camera"), clip, { loop: true });
    const folder = weir.url("/rec/camera/tracks-v1a1");
    const archive = `${folder}/archive-${fromS}-now.m3u8`;
    const listed = async (least: number): Promise<ReturnType<typeof parsePlaylistText>> => {
      const read = async (): Promise<ReturnType<typeof parsePlaylistText>> => {
        const playlist = parsePlaylistText(await textOf(archive));
        assert.ok(playlist.segments.length >= least, `${playlist.segments.length} segments`);
        return playlist;
      };
      return await eventually(read, { timeoutMs: 40_000 });
    };
    await listed(5);
    // What was shown is there when the process is killed.
    const before = await listed(6);
    await weir.kill();
    await first.kill();
    await weir.start(t);
    const after = parsePlaylistText(await textOf(archive));
    for (const [i, { uri, durationS }] of before.segments.entries()) {
      assert.equal(after.segments[i]!.uri, uri);
      assert.equal(after.segments[i]!.durationS, durationS);
    }
    publish(t, weir.rtmpUrl("rec/camera"), clip, { loop: true });
    // Of what came behind the kill more is recorded than the six seconds that the exports below leave out.
    const whole = await listed(after.segments.length + 5);
    const out = join(root, "out.mp4");
    const init = await fetch(`${folder}/${whole.segments[0]!.map!}`);
    const pieces = [Buffer.from(await init.arrayBuffer())];
    for (const { uri } of before.segments) {
      const reply = await fetch(`${folder}/${uri!}`);
      assert.equal(reply.status, 200);
      pieces.push(Buffer.from(await reply.arrayBuffer()));
    }
    await writeFile(out, Buffer.concat(pieces));
    const seconds = before.segments.reduce((sum, { durationS }) => sum + durationS!, 0);
    assert.equal(await pictures(out), Math.round(seconds * 25));
    const media = (await readdir(join(root, "rec/camera"), { recursive: true })).filter((name) =>
      name.endsWith(".mp4"),
    );
    assert.ok(media.length >= 1 && media.length <= 2, media.join(" "));
    for (const name of media) assert.ok((await pictures(join(root, "rec/camera", name))) > 0);
    const toS = Math.floor(Date.now() / 1000) - 6;
    const span = `archive-${fromS}-${toS - fromS}`;
    const ranged = parsePlaylistText(await textOf(`${folder}/${span}.m3u8`));
    const listedS = ranged.segments.reduce((sum, { durationS }) => sum + durationS!, 0);
    for (const format of ["mp4", "ts"]) {
      const url = weir.url(`/rec/camera/${span}.${format}`);
      const reply = await fetch(url);
      assert.equal(reply.status, 200);
      const bytes = Buffer.from(await reply.arrayBuffer());
      const path = join(root, `export.${format}`);
      await writeFile(path, bytes);
      const shown = await pictures(path);
      assert.ok(Math.abs(shown - listedS * 25) <= 2, `${format}: ${shown} pictures of ${listedS} s`);
      if (format === "ts") continue;
      assert.equal(reply.headers.get("content-length"), String(bytes.byteLength));
      const part = await fetch(url, { headers: { range: "bytes=1000-200999" } });
      assert.equal(part.status, 206);
      assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000, 201_000)));
    }
    const nothing = await fetch(weir.url(`/rec/camera/archive-${fromS - 5000}-10.m3u8`));
    assert.equal(nothing.status, 404);
    assert.match(await nothing.text(), /nothing before it, after it from 20/);
    const mpd = await textOf(weir.url(`/rec/camera/${span}.mpd`));
    assert.equal(mpd.match(/<Period /g)?.length, 2, mpd);
  },
);
