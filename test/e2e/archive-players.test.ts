/**
 * Players over an archive in which everything has happened: the publisher was away, the server was started again, it was
 * killed, the sound was lost and came back, and another picture came. And from what is recorded into what is live.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Page } from "playwright-core";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import type { TextPlaylist } from "../support/media-playlist-text.ts";
import { NUMBERED_RATE, makeNumberedClip } from "../support/numbered-clip.ts";
import { checkPlaylist } from "../support/playlist-rules.ts";
import type { Program } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { checkExport, recordedSamples } from "./archive-export.ts";
import { openDashPage } from "./dash-players.ts";
import { hlsJsState, playInHlsJs } from "./hls-js.ts";
import { shownPictures, watchPictures } from "./numbered-players.ts";
import type { ShownPicture } from "./numbered-players.ts";

const PICTURE_MS = 1000 / NUMBERED_RATE;
/** Numbers of pictures begin anew with each run of the clip. */
const CLIP_PICTURES = 40 * NUMBERED_RATE;
/** The picture on the screen may be the one after that of which the browser tells; times are rounded. */
const NEIGHBOUR_PICTURES = 1.6;
/** A busy machine does not show all pictures that it decodes. */
const UNSHOWN_MS = 2000;
/** A publisher that is killed has sent so much more of one track than of the other at most. Units: seconds. */
const MAX_UNEVEN_S = 0.6;
/** What players at the edge play is recorded so long after they were opened. */
const NOT_YET_RECORDED_MS = 4000;
/** Shaka leaps up to half a second before a gap. */
const LEAPT_PICTURES = 15;
/** What a browser on a busy machine decodes of all pictures at least. */
const LEAST_DECODED = 0.7;

/** What one publisher sent in one go, as the archive has it. */
type Stretch = { readonly startMs: number; readonly endMs: number; readonly width: number };

async function textOf(url: string): Promise<string> {
  const reply = await fetch(url);
  const text = await reply.text();
  assert.equal(reply.status, 200, `${url}: ${text}`);
  return text;
}

/** The archive of one stream as it is being made. */
class Recorded {
  readonly weir: Weir;
  readonly fromS: number;
  readonly #t: TestContext;

  constructor(t: TestContext, weir: Weir) {
    this.#t = t;
    this.weir = weir;
    this.fromS = Math.floor(Date.now() / 1000) - 1;
  }

  publish(clip: string, output: readonly string[] = []): Program {
    const options = { loop: true, output: ["-c", "copy", ...output] };
    return publish(this.#t, this.weir.rtmpUrl("rec/cam"), clip, options);
  }

  /** Ends a publisher; resolves when the server knows. */
  async end(publisher: Program): Promise<void> {
    const left = (): number =>
      this.weir.log.filter((line) => JSON.stringify(line).includes("publisher left")).length;
    const before = left();
    await publisher.kill();
    await eventually(() => assert.ok(left() > before, this.weir.describe()));
  }

  url(path: string): string {
    return this.weir.url(`/rec/cam/${path}`);
  }

  async playlist(span: string): Promise<TextPlaylist> {
    return parsePlaylistText(await textOf(this.url(`tracks-v1a1/${span}.m3u8`)));
  }

  /** Waits until there are so many segments more. */
  async more(segments: number): Promise<void> {
    const count = async (): Promise<number> => {
      const reply = await fetch(this.url(`tracks-v1a1/archive-${this.fromS}-now.m3u8`));
      const text = await reply.text();
      return reply.status === 200 ? parsePlaylistText(text).segments.length : 0;
    };
    const least = (await count()) + segments;
    const look = async (): Promise<void> => assert.ok((await count()) >= least, `not ${least} segments`);
    await eventually(look, { timeoutMs: 60_000, intervalMs: 200 });
  }
}

/** Stretches of a playlist, which begin where it breaks. */
function stretchesOf({ segments }: TextPlaylist, widths: readonly number[]): Stretch[] {
  const stretches: { startMs: number; endMs: number; width: number }[] = [];
  let dateMs = 0;
  for (const segment of segments) {
    dateMs = segment.dateMs ?? dateMs;
    if (segment.hasDiscontinuity)
      stretches.push({ startMs: dateMs, endMs: dateMs, width: widths[stretches.length]! });
    dateMs += segment.durationS! * 1000;
    stretches.at(-1)!.endMs = dateMs;
  }
  assert.equal(stretches.length, widths.length);
  return stretches;
}

/** A player under test. `originMs`: the date of its time 0, where it knows of no dates. */
type Watched = {
  readonly name: string;
  readonly page: Page;
  readonly originMs: number;
  problems(): Promise<readonly string[]>;
};

async function openHlsJs(t: TestContext, url: string): Promise<Watched> {
  const { page, errors } = await openPage(t, { flags: ["--autoplay-policy=no-user-gesture-required"] });
  await playInHlsJs(page, url);
  await watchPictures(page);
  const problems = async (): Promise<string[]> => [
    ...errors,
    ...(await hlsJsState(page)).errors.filter((error) => !isShortHole(error)),
  ];
  return { name: `hls.js ${url}`, page, originMs: 0, problems };
}

/** Sound and pictures of one who was cut off do not end at one time; hls.js says so when it goes on behind that. */
function isShortHole(error: string): boolean {
  const [, from, to] = /^bufferSeekOverHole .* from ([\d.]+) to ([\d.]+) /.exec(error) ?? [];
  return Number(to) - Number(from) < MAX_UNEVEN_S;
}

async function openDash(
  t: TestContext,
  player: "dashjs" | "shaka",
  url: string,
  originMs: number,
): Promise<Watched> {
  const { page, complaints } = await openDashPage(t, { player, url });
  await watchPictures(page);
  // A gap is a gap, and they say so.
  const truths = /Jumping gap occuring in period|Possible encoding problem.*Unexpected buffered range/;
  const problems = (): Promise<string[]> =>
    Promise.resolve(complaints.filter((complaint) => !truths.test(complaint)));
  return { name: `${player} ${url}`, page, originMs, problems };
}

/** A file, as a browser plays it by itself. */
async function openFile(t: TestContext, url: string): Promise<Watched> {
  const { page, errors } = await openPage(t);
  await page.route("**/blank", (route) =>
    route.fulfill({ contentType: "text/html", body: "<video muted></video>" }),
  );
  await page.goto(new URL("/blank", url).href);
  await watchPictures(page);
  await page.evaluate((src) => {
    const video = document.querySelector("video")!;
    video.addEventListener("error", () => console.error(`the video fails: ${video.error?.message}`));
    video.src = src;
    void video.play();
  }, url);
  return { name: url, page, originMs: 0, problems: () => Promise.resolve(errors) };
}

type Position = { readonly timeS: number; readonly hasEnded: boolean; readonly pictures: number };

function positionOf({ page }: Watched): Promise<Position> {
  return page.evaluate(() => {
    const video = document.querySelector("video")!;
    const atEnd = video.duration - video.currentTime < 0.2;
    const { totalVideoFrames: pictures } = video.getVideoPlaybackQuality();
    return { timeS: video.currentTime, hasEnded: video.ended || atEnd, pictures };
  });
}

/** Checks that each picture is the one of its date, in order. Returns: from when to when each stretch was seen. */
function checkPictures(
  { name, originMs }: Watched,
  shown: readonly ShownPicture[],
  stretches: readonly Stretch[],
): { readonly firstMs: number; readonly lastMs: number }[] {
  const seen = stretches.map(() => ({ firstMs: Infinity, lastMs: -Infinity }));
  let lastMs = 0;
  // What is drawn may be a picture that is just being exchanged, as happens where their size changes.
  const unread = shown.filter(({ number }) => number === null).length;
  assert.ok(unread <= 1 + shown.length / 50, `${name}: ${unread} of ${shown.length} have no number`);
  for (const { number, width, mediaS, dateMs: toldMs } of shown) {
    if (number === null) continue;
    const dateMs = toldMs ?? originMs + mediaS * 1000;
    const what = `${name}: picture ${number} at ${new Date(dateMs).toISOString()}`;
    assert.ok(dateMs > lastMs - PICTURE_MS, `${what} behind ${new Date(lastMs).toISOString()}`);
    lastMs = dateMs;
    const place = stretches.findLastIndex(({ startMs }) => startMs <= dateMs + PICTURE_MS);
    const { startMs, width: ownWidth } = stretches[place]!;
    const expected = (dateMs - startMs) / PICTURE_MS;
    const runs = Math.floor(expected / CLIP_PICTURES);
    const off =
      Math.abs((number - expected + CLIP_PICTURES * (runs + 1.5)) % CLIP_PICTURES) - CLIP_PICTURES / 2;
    assert.ok(Math.abs(off) <= NEIGHBOUR_PICTURES + runs, `${what} is ${off} pictures off its place`);
    assert.equal(width, ownWidth, what);
    seen[place]!.firstMs = Math.min(seen[place]!.firstMs, dateMs);
    seen[place]!.lastMs = dateMs;
  }
  return seen;
}

async function untilEnded(watched: Watched): Promise<Position> {
  const look = async (): Promise<Position> => {
    const position = await positionOf(watched);
    const problems = (await watched.problems()).join("\n");
    assert.ok(position.hasEnded, `${watched.name} is at ${JSON.stringify(position)}\n${problems}`);
    return position;
  };
  return await eventually(look, { timeoutMs: 90_000, intervalMs: 300 });
}

/** Plays a complete range to its end. */
async function playsWhole(watched: Watched, stretches: readonly Stretch[]): Promise<void> {
  const { pictures } = await untilEnded(watched);
  assert.deepEqual(await watched.problems(), [], watched.name);
  const seen = checkPictures(watched, await shownPictures(watched.page), stretches);
  for (const [i, { startMs, endMs }] of stretches.entries()) {
    const { firstMs, lastMs } = seen[i]!;
    const says = `${watched.name}: of stretch ${i} (${endMs - startMs} ms) ${firstMs - startMs} to ${lastMs - startMs} ms`;
    assert.ok(firstMs - startMs < UNSHOWN_MS && endMs - lastMs < UNSHOWN_MS, says);
  }
  // A browser on a busy machine leaves out pictures rather than to be late; what is missing from a recording is a leap.
  const all = stretches.reduce((sum, { startMs, endMs }) => sum + (endMs - startMs) / PICTURE_MS, 0);
  const least = all * LEAST_DECODED - LEAPT_PICTURES * stretches.length;
  assert.ok(pictures >= least, `${watched.name}: ${pictures} pictures of ${all}`);
}

/** Plays what was not there yet when it was opened, on and on. */
async function playsOn(watched: Watched, stretch: Stretch, untilMs: number): Promise<void> {
  const look = async (): Promise<readonly ShownPicture[]> => {
    const shown = await shownPictures(watched.page);
    const last = shown.at(-1);
    const lastMs = last === undefined ? 0 : (last.dateMs ?? watched.originMs + last.mediaS * 1000);
    const problems = (await watched.problems()).join("\n");
    const says = `${watched.name} is at ${new Date(lastMs).toISOString()} of ${new Date(untilMs).toISOString()}`;
    assert.ok(lastMs >= untilMs, `${says}, ${JSON.stringify(await positionOf(watched))}\n${problems}`);
    return shown;
  };
  const shown = await eventually(look, { timeoutMs: 90_000, intervalMs: 300 });
  assert.deepEqual(await watched.problems(), [], watched.name);
  checkPictures(watched, shown, [stretch]);
}

/** Waits for all, also where one fails. */
async function allOf(checks: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(checks))
    if (result.status === "rejected") throw result.reason;
}

test(
  "archives play over gaps, restarts, kills and another picture, and on into what is live",
  { skip: needs("ffmpeg", "chromium"), timeout: 300_000 },
  async (t) => {
    const root = await mkdtemp(join(tmpdir(), "weir-players-"));
    t.after(() => rm(root, { recursive: true, force: true }));
    const [small, large] = [await makeNumberedClip(), await makeNumberedClip({ width: 480, height: 270 })];
    const weir = await startWeir(t, {
      config: `drain_timeout 0;
        template rec { prefix rec; input publish://; segment_duration 1; dvr ${root} 1d; }`,
    });
    const recorded = new Recorded(t, weir);
    let publisher = recorded.publish(small);
    await recorded.more(3);
    await recorded.end(publisher);
    // Silence is recorded in the place of the sound.
    publisher = recorded.publish(small, ["-an"]);
    await recorded.more(3);
    const end = await weir.program.stop(20_000, "SIGTERM");
    assert.deepEqual(end, { code: 0, signal: null });
    await publisher.kill();
    await weir.start(t);
    // This process knows of no sound: players are given silence when they ask for it.
    publisher = recorded.publish(small, ["-an"]);
    await recorded.more(3);
    await recorded.end(publisher);
    publisher = recorded.publish(large);
    await recorded.more(3);
    await weir.kill();
    await publisher.kill();
    await weir.start(t);
    const offAir = await fetch(recorded.url("index.m3u8"));
    assert.equal(offAir.status, 404, "nobody publishes now");
    const whole = `archive-${recorded.fromS}-${Math.floor(Date.now() / 1000) - recorded.fromS}`;
    publisher = recorded.publish(large);
    await recorded.more(3);
    // It was growing, for what comes last is recorded late; by now it is complete.
    const playlist = await eventually(async () => {
      const complete = await recorded.playlist(whole);
      assert.ok(complete.hasEnd);
      return complete;
    });
    checkPlaylist(playlist);
    const stretches = stretchesOf(playlist, [320, 320, 320, 480]);
    const folder = join(root, "rec/cam");
    const samples = await Promise.all(
      stretches.map(({ startMs, endMs }) => recordedSamples(folder, startMs * 1000, endMs * 1000 - 5000)),
    );
    const exported = await checkExport(
      recorded.url(`${whole}.mp4`),
      join(root, "export.mp4"),
      samples.map((counts, i) => ({ ...counts, isSilent: i === 1 || i === 2 })),
    );
    const inFile = exported.map((part, i) => ({ ...part, width: stretches[i]!.width }));
    const live = await recorded.playlist(`archive-${recorded.fromS}-now`);
    const onAir = stretchesOf(live, [320, 320, 320, 480, 480]).at(-1)!;
    const firstMs = stretches[0]!.startMs;
    const range = recorded.url(whole);
    const ranges = await Promise.all([
      openHlsJs(t, `${range}.m3u8`),
      openDash(t, "dashjs", `${range}.mpd`, firstMs),
      openDash(t, "shaka", `${range}.mpd`, firstMs),
    ]);
    const film = await openFile(t, recorded.url(`${whole}.mp4`));
    await allOf([...ranges.map((watched) => playsWhole(watched, stretches)), playsWhole(film, inFile)]);
    await Promise.all([...ranges, film].map(({ page }) => page.context().browser()!.close()));
    // What is recorded of the last stretch has its first segment as the beginning of what grows.
    const growing = `archive-${Math.ceil(onAir.startMs / 1000) + 1}-now`;
    const [first] = (await recorded.playlist(growing)).segments;
    const edges = await Promise.all([
      openHlsJs(t, recorded.url(`${growing}.m3u8`)),
      openHlsJs(t, recorded.url("timeshift_rel-4.m3u8")),
      openDash(t, "dashjs", recorded.url(`${growing}.mpd`), first!.dateMs!),
    ]);
    const untilMs = Date.now() + NOT_YET_RECORDED_MS;
    await allOf(edges.map((watched) => playsOn(watched, onAir, untilMs)));
  },
);
