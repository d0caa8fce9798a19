/** The variant without video that `add_audio_only` adds, as hls.js and ffprobe see it. */
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, probePackets, publish } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { hlsJsState, playInHlsJs } from "./hls-js.ts";

const PLAYLISTS = ["index.m3u8", "index.ll.m3u8", "index.ts.m3u8"] as const;

type Served = { readonly weir: Weir; readonly names: readonly string[] };

/** A server with a live stream and a film, both with the variant. */
async function serve(t: TestEnd): Promise<Served> {
  const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 0 });
  const weir = await startWeir(t, {
    config: `
      template pub { prefix pub; input publish://; segment_duration 1; add_audio_only; }
      vod files { storage "${dirname(clip)}"; segment_duration 2; add_audio_only; }`,
  });
  publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
  const isReady = async (): Promise<void> => {
    const reply = await fetch(weir.url("/pub/camera/tracks-v1a1/mono.m3u8"));
    // A few segments, so that what is measured is not that of the first moment.
    assert.equal((await reply.text()).match(/^#EXTINF/gm)?.length, 4);
  };
  await eventually(isReady, { timeoutMs: 60_000 });
  return { weir, names: ["pub/camera", `files/${basename(clip)}`] };
}

async function textOf(url: string): Promise<string> {
  const reply = await fetch(url);
  assert.equal(reply.status, 200, url);
  return await reply.text();
}

/** The variants of a multivariant playlist, each with its attributes. */
function variantsOf(text: string, base: string): { url: string; attributes: string }[] {
  return [...text.matchAll(/^#EXT-X-STREAM-INF:(.*)\n(.*)$/gm)].map(([, attributes, uri]) => {
    return { attributes: attributes!, url: new URL(uri!, base).href };
  });
}

/** Bits per second of each segment that a media playlist lists. */
async function ratesOf(playlist: string): Promise<number[]> {
  const rates: number[] = [];
  for (const [, seconds, uri] of (await textOf(playlist)).matchAll(/^#EXTINF:([\d.]+),\n(.*)$/gm)) {
    const reply = await fetch(new URL(uri!, playlist));
    assert.equal(reply.status, 200, uri);
    rates.push(((await reply.bytes()).byteLength * 8) / Number(seconds));
  }
  return rates;
}

test(
  "it is the last one, has no picture, and takes what it says",
  { skip: needs("ffmpeg"), timeout: 180_000 },
  async (t) => {
    const { weir, names } = await serve(t);
    for (const name of names) {
      for (const playlist of PLAYLISTS) {
        const url = weir.url(`/${name}/${playlist}`);
        const variants = variantsOf(await textOf(url), url);
        assert.equal(variants.length, 2, url);
        const [whole, alone] = [variants[0]!, variants[1]!];
        assert.match(whole.attributes, /CODECS="avc1[^"]*,mp4a\.40\.2",RESOLUTION=/);
        assert.match(alone.attributes, /CODECS="mp4a\.40\.2"$/);
        const packets = await probePackets(alone.url, { readS: 3, timeoutMs: 60_000 });
        assert.ok(packets.length > 50, `${alone.url}: ${packets.length} packets`);
        assert.ok(
          packets.every(({ codec_type }) => codec_type === "audio"),
          alone.url,
        );
      }
    }
    const film = names[1]!;
    for (const playlist of ["index.m3u8", "index.ts.m3u8"]) {
      const url = weir.url(`/${film}/${playlist}`);
      const { attributes, url: media } = variantsOf(await textOf(url), url)[1]!;
      const said = Number(/BANDWIDTH=(\d+)/.exec(attributes)![1]);
      const peak = Math.max(...(await ratesOf(media)));
      assert.ok(peak <= said && peak > said * 0.8, `${playlist}: ${peak} of ${said} bit/s`);
    }
  },
);

test(
  "hls.js begins with a picture and has nothing against it",
  { skip: needs("ffmpeg", "chromium"), timeout: 240_000 },
  async (t) => {
    const { weir, names } = await serve(t);
    const { page } = await openPage(t);
    for (const name of names) {
      for (const playlist of PLAYLISTS) {
        await playInHlsJs(page, weir.url(`/${name}/${playlist}`));
        const plays = async (): Promise<void> => {
          const { pictures, levels, errors, timeS } = await hlsJsState(page);
          // A machine that does much else may be late; that is not what this is about.
          const complaints = errors.filter((error) => !/TimeOut/.test(error));
          assert.deepEqual([levels, complaints], [1, []], `${name}/${playlist}`);
          assert.ok(pictures > 25 && timeS > 0, `${name}/${playlist}: ${pictures} pictures`);
        };
        await eventually(plays, { timeoutMs: 40_000 });
      }
    }
  },
);

test(
  "a stream goes on as it is when the option comes and goes",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 0 });
    const config = (option: string): string =>
      `template pub { prefix pub; input publish://; segment_duration 1; segment_count 100; ${option} }`;
    const weir = await startWeir(t, { config: config("") });
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    const url = weir.url("/pub/camera/index.m3u8");
    await eventually(async () => assert.equal((await fetch(url)).status, 200), { timeoutMs: 40_000 });
    const firstSegment = async (): Promise<string> =>
      /^seg-.*$/m.exec(await textOf(weir.url("/pub/camera/tracks-v1a1/mono.m3u8")))![0];
    const first = await firstSegment();
    for (const [option, count] of [
      ["add_audio_only;", 2],
      ["", 1],
    ] as const) {
      await weir.writeConfig({ "flussonic.conf": config(option) });
      weir.program.signal("SIGHUP");
      await eventually(async () => assert.equal(variantsOf(await textOf(url), url).length, count), {
        timeoutMs: 20_000,
      });
      assert.equal(await firstSegment(), first, "the window is the one it was");
    }
  },
);
