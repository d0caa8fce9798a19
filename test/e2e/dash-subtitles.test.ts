/** Subtitles of films in DASH, shown by players that nobody here wrote when they are due. */
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { ffmpeg, makeClip, runTool } from "../support/ffmpeg.ts";
import { schemaProblems } from "../support/mpd-rules.ts";
import { openPlayer, untilPlaying } from "../support/player-page.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { openDashPage } from "./dash-players.ts";
import type { DashPage, DashPlayerName } from "./dash-players.ts";

const ENGLISH =
  "WEBVTT\n\n00:01.000 --> 00:03.000\nfrom one to three\n\n00:05.500 --> 00:09.000\nover a border\n";
const GERMAN = "1\n00:00:00,000 --> 00:00:12,000\nimmer\n";
const FRENCH =
  "1\n00:00:02,000 --> 00:00:04,000\nde deux a quatre\n\n2\n00:00:08,000 --> 00:00:10,000\nhuit\n";

/** A film with subtitles inside and beside it, and the same in two qualities. */
async function serve(t: TestEnd): Promise<Weir> {
  const folder = await mkdtemp(join(tmpdir(), "weir-dash-subtitles-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clip = await makeClip({ durationS: 12, gopPictures: 50, bFrames: 2 });
  await writeFile(join(folder, "film.en.vtt"), ENGLISH);
  await writeFile(join(folder, "film.de.srt"), GERMAN);
  await writeFile(join(folder, "french.srt"), FRENCH);
  const inside = [
    "-map",
    "0",
    "-map",
    "1",
    "-c",
    "copy",
    "-c:s",
    "mov_text",
    "-metadata:s:s:0",
    "language=fra",
  ];
  const film = join(folder, "film.mp4");
  await ffmpeg(["-y", "-i", clip, "-i", join(folder, "french.srt"), ...inside, film]);
  await mkdir(join(folder, "set"));
  await copyFile(film, join(folder, "set", "q-1.mp4"));
  const larger = await makeClip({ durationS: 12, gopPictures: 50, bFrames: 2, width: 640, height: 360 });
  await copyFile(larger, join(folder, "set", "q-2.mp4"));
  return await startWeir(t, { config: `vod vod { storage ${folder}; segment_duration 2; auto_mbr; }` });
}

type Offered = { readonly language: string; readonly label: string; readonly role: string };

/** What a player offers as subtitles, in its order. */
function offered({ page }: DashPage, player: DashPlayerName): Promise<Offered[]> {
  return page.evaluate((name) => {
    type DashTrack = { lang: string; labels: { text: string }[]; roles: { value: string }[] };
    type ShakaTrack = { language: string; label: string; roles: string[] };
    type Player = { getTracksFor(kind: string): DashTrack[]; getTextTracks(): ShakaTrack[] };
    const { dashPlayer } = window as unknown as { dashPlayer: Player };
    if (name === "dashjs") {
      return dashPlayer.getTracksFor("text").map(({ lang, labels, roles }) => {
        return { language: lang, label: labels[0]?.text ?? "", role: roles[0]?.value ?? "" };
      });
    }
    return dashPlayer.getTextTracks().map(({ language, label, roles }) => {
      return { language, label, role: roles[0] ?? "" };
    });
  }, player);
}

/**
 * Has subtitles shown, waits until their cues are there, and pauses. It plays meanwhile, slowly enough that the film does
 * not end on any machine: dash.js puts cues in place as time goes on, and drops a file that was on its way when one
 * sought, without asking again.
 */
async function choose(dashPage: DashPage, player: DashPlayerName, index: number): Promise<void> {
  const { page } = dashPage;
  await dashPage.seek(0.5);
  await page.evaluate(() => {
    const video = document.querySelector("video")!;
    video.playbackRate = 0.1;
    return video.play();
  });
  const plays = async (): Promise<void> => {
    const { time } = await shown(dashPage);
    assert.ok(time > 0.51 && time < 10, `at ${time} s`);
  };
  await eventually(plays, { timeoutMs: 60_000 });
  await page.evaluate(
    ({ name, at }) => {
      type Player = {
        setTextTrack(index: number): void;
        getTextTracks(): unknown[];
        selectTextTrack(track: unknown): void;
      };
      const { dashPlayer } = window as unknown as { dashPlayer: Player };
      if (name === "dashjs") dashPlayer.setTextTrack(at);
      else dashPlayer.selectTextTrack(dashPlayer.getTextTracks()[at]);
    },
    { name: player, at: index },
  );
  const isThere = async (): Promise<void> =>
    assert.ok((await shown(dashPage)).loaded > 0, "no cue is there");
  await eventually(isThere, { timeoutMs: 60_000 });
  await page.evaluate(() => document.querySelector("video")!.pause());
}

function shown({ page }: DashPage): Promise<{ cues: string[]; loaded: number; time: number }> {
  return page.evaluate(() => {
    const video = document.querySelector("video")!;
    const tracks = [...video.textTracks].filter(({ mode }) => mode === "showing");
    const cues = tracks.flatMap(({ activeCues }) => [...(activeCues ?? [])]);
    const loaded = tracks.reduce((sum, track) => sum + (track.cues?.length ?? 0), 0);
    return { cues: cues.map((cue) => (cue as VTTCue).text), loaded, time: video.currentTime };
  });
}

/** Asserts that those cues are shown at those times, and no others. */
async function shows(
  page: DashPage,
  wanted: readonly (readonly [number, readonly string[]])[],
): Promise<void> {
  for (const [timeS, want] of wanted) {
    await page.seek(timeS);
    await eventually(
      async () => {
        const { cues, time } = await shown(page);
        assert.ok(Math.abs(time - timeS) < 0.01, `at ${time} s`);
        assert.deepEqual(cues, want, `at ${timeS} s`);
      },
      { timeoutMs: 30_000 },
    );
  }
}

const IN_ENGLISH = [
  [0.9, []],
  [1.1, ["from one to three"]],
  [2.9, ["from one to three"]],
  [3.2, []],
  [5.6, ["over a border"]],
  [8.9, ["over a border"]],
  [9.2, []],
] as const;
const IN_FRENCH = [
  [1.9, []],
  [2.1, ["de deux a quatre"]],
  [3.9, ["de deux a quatre"]],
  [4.1, []],
  [8.1, ["huit"]],
  [9.9, ["huit"]],
  [10.1, []],
] as const;

/** The cues of an SRT file, to a tenth of a second: the film begins with its sound, some 20 ms before its time 0. */
function readSubRip(text: string): [number, number, string][] {
  const seconds = (time: string): number => {
    const [hours = 0, minutes = 0, rest = 0] = time.replace(",", ".").split(":").map(Number);
    return Math.round((hours * 3600 + minutes * 60 + rest) * 10) / 10;
  };
  const blocks = text.replaceAll("\r", "").trim().split("\n\n");
  return blocks.map((block) => {
    const [, times = "", cue = ""] = block.split("\n");
    const [start = "", end = ""] = times.split(" --> ");
    return [seconds(start), seconds(end), cue];
  });
}

/** dash.js shows the first subtitles unless told; our own page tells it so too. */
const SETTINGS = {
  dashjs: { streaming: { text: { defaultEnabled: false } } },
  shaka: {},
} as const satisfies Record<DashPlayerName, object>;

for (const player of ["dashjs", "shaka"] as const) {
  test(
    `${player} offers the subtitles of a film, and shows them in time`,
    { skip: needs("chromium", "ffmpeg"), timeout: 240_000 },
    async (t) => {
      const weir = await serve(t);
      const url = weir.url("/vod/film.mp4/index.mpd");
      const page = await openDashPage(t, { player, url, settings: SETTINGS[player] });
      const list = [
        { language: "de", label: "de 1", role: "subtitle" },
        { language: "en", label: "en 2", role: "subtitle" },
        { language: "fr", label: "fr 3", role: "subtitle" },
      ];
      await eventually(
        async () => {
          assert.deepEqual(await offered(page, player), list);
          assert.ok((await page.state()).time > 0.3);
        },
        { timeoutMs: 60_000 },
      );
      assert.deepEqual((await shown(page)).cues, []);
      await choose(page, player, 1);
      await shows(page, IN_ENGLISH);
      await choose(page, player, 2);
      await shows(page, IN_FRENCH);
      await choose(page, player, 0);
      await shows(page, [[6, ["immer"]]]);
      assert.deepEqual(page.complaints, []);
    },
  );
}

test(
  "ffmpeg reads the same times, of a film and of a set, and the schema has nothing against the MPDs",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const weir = await serve(t);
    const texts: string[] = [];
    for (const [name, number] of [
      ["film.mp4", 2],
      ["set", 0],
      ["set/q-,1,2,.mp4", 0],
    ] as const) {
      const url = weir.url(`/vod/${name}/index.mpd`);
      texts.push(await (await fetch(url)).text());
      const args = ["-v", "error", "-i", url, "-map", `0:s:${number}`, "-f", "srt", "-"];
      const { stdout } = await runTool("ffmpeg", args, 60_000);
      assert.deepEqual(
        readSubRip(stdout),
        [
          [2, 4, "de deux a quatre"],
          [8, 10, "huit"],
        ],
        name,
      );
    }
    assert.deepEqual(await schemaProblems(texts), []);
  },
);

test(
  "our own page offers them, shows none until somebody chooses, and then those",
  { skip: needs("chromium", "ffmpeg"), timeout: 240_000 },
  async (t) => {
    const weir = await serve(t);
    const player = await openPlayer(t, weir.url("/vod/film.mp4/embed.html?proto=dash"));
    const { page } = player;
    await untilPlaying(player, 5);
    await page.evaluate(() => {
      const video = document.querySelector("video")!;
      video.playbackRate = 0.1;
      video.currentTime = 1;
    });
    const subtitles = async (): Promise<[names: readonly string[], selected: number]> => {
      const { choices } = await player.state();
      const found = choices.find(({ kind }) => kind === "subtitles");
      return [found?.names ?? [], found?.selected ?? NaN];
    };
    const cues = (): Promise<string[]> =>
      page.evaluate(() => {
        const tracks = [...document.querySelector("video")!.textTracks];
        const showing = tracks.filter(({ mode }) => mode === "showing");
        return showing
          .flatMap(({ activeCues }) => [...(activeCues ?? [])])
          .map((cue) => (cue as VTTCue).text);
      });
    const isThere = async (): Promise<void> => {
      const seconds = (await player.state()).currentTimeSeconds;
      assert.ok(seconds > 1 && seconds < 11, `at ${seconds} s`);
      assert.deepEqual(await subtitles(), [["de 1", "en 2", "fr 3"], -1]);
      assert.deepEqual(await cues(), []);
    };
    await eventually(isThere, { timeoutMs: 60_000 });
    await page.evaluate(() => {
      const select = document.querySelector<HTMLSelectElement>("select#subtitles")!;
      select.selectedIndex = [...select.options].findIndex(({ text }) => text === "de 1");
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    const isShown = async (): Promise<void> => {
      assert.deepEqual(await subtitles(), [["de 1", "en 2", "fr 3"], 0]);
      assert.deepEqual(await cues(), ["immer"]);
    };
    await eventually(isShown, { timeoutMs: 60_000 });
    assert.deepEqual(player.errors, []);
  },
);
