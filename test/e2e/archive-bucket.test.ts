/** Hours that are over: copied to a bucket, played from there, on this machine and on one that recorded nothing. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, runTool } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import { recordHour } from "../support/recorded-hour.ts";
import { startS3Server } from "../support/s3-server.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const skip = needs("ffmpeg");
const CLIP_S = 12;
/** The server checks no signatures, and our own logs are looked through for this. */
const SECRET = "a-secret-of-this-test";

async function makeFolder(t: TestContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `weir-${name}-`));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function bytesOf(url: string): Promise<Buffer> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  const bytes = Buffer.from(await reply.arrayBuffer());
  assert.equal(reply.status, 200, `${url}: ${bytes.toString("latin1", 0, 300)}`);
  return bytes;
}

/** All that a server gives of a span: playlist, init segments, segments, and the two kinds of file. */
async function everything(weir: Weir, span: string): Promise<Map<string, Buffer>> {
  const folder = "/rec/camera/tracks-v1a1";
  const found = new Map<string, Buffer>();
  const text = (await bytesOf(weir.url(`${folder}/${span}.m3u8`))).toString();
  found.set("playlist", Buffer.from(text));
  const { segments } = parsePlaylistText(text);
  const names = new Set(segments.flatMap(({ uri, map }) => [map!, uri!]));
  for (const name of names) found.set(name, await bytesOf(weir.url(`${folder}/${name}`)));
  for (const format of ["mp4", "ts"])
    found.set(format, await bytesOf(weir.url(`/rec/camera/${span}.${format}`)));
  return found;
}

async function pictures(source: string): Promise<number> {
  const what = ["-select_streams", "v", "-count_frames", "-show_entries", "stream=nb_read_frames"];
  const args = ["-v", "error", ...what, "-of", "csv=p=0", source];
  const { stdout, stderr } = await runTool("ffprobe", args, 60_000);
  assert.equal(stderr, "");
  return Number(stdout.trim().split("\n")[0]);
}

function assertSame(found: ReadonlyMap<string, Buffer>, expected: ReadonlyMap<string, Buffer>): void {
  assert.deepEqual([...found.keys()], [...expected.keys()]);
  for (const [name, bytes] of expected) assert.ok(found.get(name)!.equals(bytes), `${name} differs`);
}

test(
  "an hour that is over plays from the bucket when it has left the disk, and where it was never on one",
  { skip, timeout: 180_000 },
  async (t) => {
    const root = await makeFolder(t, "dvr");
    const clip = await makeClip({ durationS: CLIP_S, gopPictures: 25 });
    const hour = Math.floor(Date.now() / 3_600_000) - 3;
    const fromS = hour * 3600 + 600;
    await recordHour({ root, stream: "rec/camera", file: clip, fromS });
    const s3 = await startS3Server(false);
    let isOpen = true;
    const closeS3 = async (): Promise<void> => {
      if (isOpen) await s3.close();
      isOpen = false;
    };
    t.after(closeS3);
    const copy = `s3://S3RVER:${SECRET}@${new URL(s3.place.endpoint!).host}/archive/site/one`;
    const configOf = (folder: string, local = ""): string =>
      `template rec { prefix rec; input publish://; segment_duration 2; dvr ${folder} 30d copy=${copy}${local}; }`;
    const filesOf = async (ending: string): Promise<string[]> =>
      (await readdir(root, { recursive: true })).filter((name) => name.endsWith(ending));

    const weir = await startWeir(t, { config: configOf(root) });
    const span = `archive-${fromS - 5}-${CLIP_S + 10}`;
    const fromDisk = await everything(weir, span);
    assert.ok(fromDisk.size >= 9, [...fromDisk.keys()].join());
    await eventually(async () => assert.equal((await filesOf(".copied")).length, 1), { timeoutMs: 30_000 });
    await weir.logged("hour copied");
    const metrics = (await bytesOf(weir.url("/metrics"))).toString();
    assert.match(metrics, /^weir_copied_hours_total 1$/m);
    await weir.stop();

    // Behind the next start, the first round of retention finds that the media may leave the disk.
    await weir.writeConfig({ "flussonic.conf": configOf(root, " local=1s") });
    await weir.start(t);
    await eventually(async () => assert.deepEqual(await filesOf(".mp4"), []), { timeoutMs: 30_000 });
    assert.equal((await filesOf(".idx")).length, 1);
    assertSame(await everything(weir, span), fromDisk);
    const url = weir.url(`/rec/camera/tracks-v1a1/${span}.m3u8`);
    assert.equal(await pictures(url), CLIP_S * 25);

    const empty = await makeFolder(t, "empty");
    const cache = await makeFolder(t, "cache");
    const other = await startWeir(t, {
      config: `dvr kept { root ${empty}; copy ${copy}; cache ${cache} 64M; }
        template rec { prefix rec; input publish://; segment_duration 2; dvr @kept; }`,
    });
    assertSame(await everything(other, span), fromDisk);
    const nothing = await fetch(other.url(`/rec/camera/archive-${fromS - 7200}-10.m3u8`));
    assert.equal(nothing.status, 404);
    assert.match(await nothing.text(), /nothing before it, after it from 20/);
    assert.ok((await readdir(cache, { recursive: true })).length > 2, "what was read is kept");

    // What was read before is kept on the disk; what was not is not to be had, and that is said.
    await closeS3();
    assertSame(await everything(other, span), fromDisk);
    for (const server of [weir, other]) {
      const lines = JSON.stringify([server.log, server.plainLines]) + server.program.stderr;
      assert.ok(!lines.includes(SECRET), "a secret stands in the log");
      await server.stop();
    }
    for (const name of await filesOf(".copied"))
      assert.ok(!(await readFile(join(root, name), "utf8")).includes(SECRET));
  },
);
