/** A volume that is full, or read-only, while a stream is recorded into it. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { judgeArchive } from "../soak/archive-judge.ts";
import { Ballast, noVolume } from "../soak/ballast.ts";
import { eventually } from "../support/eventually.ts";
import { ffmpeg, makeClip, probePackets, publish } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import type { TextPlaylist } from "../support/media-playlist-text.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const VOLUME_BYTES = 8 * 1024 * 1024;
const STREAM = "rec/camera";

const skip = needs("ffmpeg") || noVolume();

type Listed = ReadonlyMap<string, number | null>;

/** What a playlist lists, by name; none when there is nothing. */
async function listed(weir: Weir, name: string): Promise<Listed> {
  const reply = await fetch(weir.url(`/${STREAM}/tracks-v1a1/${name}`));
  const text = await reply.text();
  const playlist: TextPlaylist | null = reply.status === 200 ? parsePlaylistText(text) : null;
  return new Map(
    playlist?.segments.flatMap(({ uri, durationS }) => (uri === null ? [] : [[uri, durationS]])),
  );
}

const ofVolume = (weir: Weir): unknown[] =>
  weir.log
    .filter(({ msg }) => /a volume takes|into a volume|recording has stopped/.test(String(msg)))
    .map(({ msg }) => msg);

test(
  "a full volume stops the recording and nothing else, until there is room again",
  { skip, timeout: 180_000 },
  async (t) => {
    const ballast = await Ballast.mount(t, { volumeBytes: VOLUME_BYTES, freeBytes: 2 * 1024 * 1024 });
    const root = join(ballast.folder, "archive");
    await mkdir(root);
    const config = `template rec { prefix rec; input publish:// source_timeout=30; segment_duration 1; dvr ${root} 1d; }`;
    const weir = await startWeir(t, { config });
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const fromS = Math.floor(Date.now() / 1000) - 5;
    const archive = (): Promise<Listed> => listed(weir, `archive-${fromS}-now.m3u8`);
    const camera = publish(t, weir.rtmpUrl(STREAM), clip, { loop: true });
    const recordedUntil = async (least: number): Promise<Listed> =>
      await eventually(
        async () => {
          const segments = await archive();
          assert.ok(segments.size >= least, `${segments.size} segments\n${weir.describe()}`);
          return segments;
        },
        { timeoutMs: 40_000 },
      );
    await recordedUntil(2);

    await ballast.fill(0);
    await weir.logged("recordings into a volume stop", 40_000);
    const before = await archive();
    // Live goes on unhurt: its window moves through more than it holds.
    const seen = new Set<string>();
    await eventually(
      async () => {
        for (const name of (await listed(weir, "mono.m3u8")).keys()) seen.add(name);
        assert.ok(seen.size >= 6, `${seen.size} live segments`);
      },
      { timeoutMs: 40_000 },
    );
    const held = await archive();
    assert.deepEqual([...held].slice(0, before.size), [...before]);
    // A list may be a moment old; six segments came since.
    assert.ok(held.size <= before.size + 1, `${held.size} and ${before.size} segments`);
    assert.deepEqual(ofVolume(weir), ["recordings into a volume stop"]);

    await ballast.makeRoom();
    await weir.logged("a volume takes recordings again", 60_000);
    const more = await recordedUntil(held.size + 2);
    assert.deepEqual([...more].slice(0, held.size), [...held]);
    assert.deepEqual(ofVolume(weir), ["recordings into a volume stop", "a volume takes recordings again"]);

    // Killed while it is full.
    await ballast.fill(0);
    await eventually(() => assert.equal(ofVolume(weir).length, 3), { timeoutMs: 40_000 });
    const shown = await archive();
    await weir.kill();
    await camera.kill();
    await weir.start(t);
    assert.deepEqual([...(await archive())].slice(0, shown.size), [...shown]);
    await ballast.makeRoom();
    publish(t, weir.rtmpUrl(STREAM), clip, { loop: true });
    const all = await recordedUntil(shown.size + 2);
    assert.deepEqual([...all].slice(0, shown.size), [...shown]);
    await weir.stop();
    assert.deepEqual(await judgeArchive(join(root, STREAM)), []);

    await weir.start(t);
    const playlist = await fetch(weir.url(`/${STREAM}/tracks-v1a1/archive-${fromS}-now.m3u8`));
    const [first] = parsePlaylistText(await playlist.text()).segments;
    const pieces: Buffer[] = [];
    for (const name of [first!.map!, ...(await archive()).keys()]) {
      const reply = await fetch(weir.url(`/${STREAM}/tracks-v1a1/${name}`));
      assert.equal(reply.status, 200, name);
      pieces.push(Buffer.from(await reply.arrayBuffer()));
    }
    const folder = await mkdtemp(join(tmpdir(), "weir-joined-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const joined = join(folder, "joined.mp4");
    await writeFile(joined, Buffer.concat(pieces));
    const { stderr } = await ffmpeg(["-v", "warning", "-i", joined, "-map", "0:v", "-f", "null", "-"]);
    assert.equal(stderr.replaceAll(/.*(non monoton|Non-monoton|discontinuit).*\n/g, ""), "");
    const pictures = (await probePackets(joined)).filter(({ codec_type }) => codec_type === "video").length;
    assert.ok(pictures >= (all.size - 3) * 25 * 0.9, `${pictures} pictures in ${all.size} segments`);
  },
);
