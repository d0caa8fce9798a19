import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { LogFields, Logger } from "../base/log.ts";
import { silentLogger } from "../base/log.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { makeLongMovie } from "../../test/support/long-movie.ts";
import { smallMovie } from "../../test/support/mp4-boxes.ts";
import { parseTrackSelection } from "../packaging/presentation.ts";
import { twoTrackFragments, twoTrackMovie } from "./segment-cuts.fuzz.ts";
import { VodLibrary } from "./vod.ts";
import type { VodLimits } from "./vod.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-library-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const SMALL = smallMovie();

type Line = { level: string; message: string; fields: LogFields };

function listeningLogger(): { log: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const log: Logger = {
    isEnabled: () => true,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => log,
  };
  return { log, lines };
}

let libraries = 0;

/** A library with the vods "vod" (storages a, b) and "vod/kids" (storage c), each storage an empty folder. */
function library(limits: Partial<VodLimits> = {}) {
  const base = join(folder, String(libraries++));
  const storage = (name: string) => join(base, name);
  for (const name of ["a", "b", "c"]) mkdirSync(storage(name), { recursive: true });
  const clock = new FakeClock();
  const { log, lines } = listeningLogger();
  const vods = [
    { name: "vod", storages: [{ path: storage("a") }, { path: storage("b") }], segmentDurationMs: 4000 },
    { name: "vod/kids", storages: [{ path: storage("c") }], segmentDurationMs: 4000 },
  ];
  const put = (path: string, bytes: Uint8Array = SMALL) => {
    mkdirSync(join(base, path, ".."), { recursive: true });
    writeFileSync(join(base, path), bytes);
  };
  const opened = new VodLibrary({ vods, clock, log, limits });
  return { library: opened, clock, lines, put, base, vods };
}

/** Descriptors of this process below a folder. */
function descriptorsBelow(base: string): number {
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(base);
    } catch {
      return false;
    }
  }).length;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 30));

describe("VodLibrary finds", () => {
  const { library: vods } = library();
  for (const [path, expected] of [
    ["vod/one.mp4", { vod: "vod", rest: "one.mp4" }],
    ["vod/a/b/one.mp4", { vod: "vod", rest: "a/b/one.mp4" }],
    ["vod/kids/one.mp4", { vod: "vod/kids", rest: "one.mp4" }],
    ["vod/kidsy/one.mp4", { vod: "vod", rest: "kidsy/one.mp4" }],
    ["vodka/one.mp4", null],
    ["vod", null],
    ["one.mp4", null],
    ["", null],
  ] as const) {
    test(`"${path}"`, () => assert.deepEqual(vods.find(path), expected));
  }
});

describe("VodLibrary", () => {
  test("opens a file of the first storage that has it", async () => {
    const { library: vods, put } = library();
    put("b/one.mp4");
    put("a/both.mp4");
    put("b/both.mp4", smallMovie({ boxes: { stss: null } }));
    put("c/one.mp4");
    for (const path of ["vod/one.mp4", "vod/both.mp4", "vod/kids/one.mp4"]) {
      const presentation = await vods.open(path);
      assert.equal(presentation.timeline().segments.length, 1);
      const body = await presentation.segment("0", parseTrackSelection("v1")!);
      assert.equal(body![1]!.byteLength, 150);
    }
    await vods.close();
  });

  test("says 404, 403 and 422 with reasons for people", async () => {
    const { library: vods, put } = library();
    put("a/broken.mp4", new TextEncoder().encode("this is not a film at all"));
    put("a/cut.mp4", SMALL.subarray(0, 300));
    for (const [path, code, httpStatus, message] of [
      ["vod/none.mp4", "VOD_NOT_FOUND", 404, /no file "vod\/none.mp4"/],
      ["elsewhere/one.mp4", "VOD_NOT_FOUND", 404, /elsewhere/],
      ["vod/../one.mp4", "VOD_BAD_PATH", 403, /".."/],
      ["vod/", "VOD_BAD_PATH", 403, /empty segment/],
      ["vod/broken.mp4", "MP4_NOT_MP4", 422, /not an MP4 file/],
      [
        "vod/cut.mp4",
        "MP4_BOX_SIZE",
        422,
        /"moov" at byte 20 says that it has \d+ bytes, and 280 are there/,
      ],
    ] as const) {
      await assert.rejects(vods.open(path), { code, httpStatus, message });
    }
    await vods.close();
  });

  test("reads the index once for all who ask at the same time", async () => {
    const { library: vods, put, lines } = library();
    put("a/one.mp4");
    const opened = await Promise.all(Array.from({ length: 20 }, () => vods.open("vod/one.mp4")));
    assert.equal(new Set(opened).size, 1);
    assert.equal(lines.filter(({ message }) => message === "file opened").length, 1);
    await vods.close();
  });

  test("notices a file that changed, within a second, and gives it another version", async () => {
    const { library: vods, put, clock, base } = library();
    put("a/one.mp4");
    const first = await vods.open("vod/one.mp4");
    put("a/one.mp4", smallMovie({ boxes: { stss: null } }));
    utimesSync(join(base, "a/one.mp4"), 1, 1);
    clock.advance(999);
    assert.equal(await vods.open("vod/one.mp4"), first, "not asked again yet");
    clock.advance(2);
    const second = await vods.open("vod/one.mp4");
    assert.notEqual(second.version, first.version);
    clock.advance(2000);
    assert.equal(await vods.open("vod/one.mp4"), second, "the same file stays open");
    rmSync(join(base, "a/one.mp4"));
    clock.advance(2000);
    await assert.rejects(vods.open("vod/one.mp4"), { code: "VOD_NOT_FOUND" });
    put("b/one.mp4");
    assert.ok(await vods.open("vod/one.mp4"), "the next storage has it now");
    await vods.close();
  });

  test("does not read a broken file again within a second", async () => {
    const { library: vods, put, clock, lines } = library();
    put("a/one.mp4", new Uint8Array(100));
    for (let i = 0; i < 50; i++) await assert.rejects(vods.open("vod/one.mp4"), { code: "MP4_NOT_MP4" });
    const refused = () => lines.filter(({ message }) => message === "file refused");
    assert.equal(refused().length, 1);
    assert.deepEqual(refused()[0]!.fields["file"], "vod/one.mp4");
    put("a/one.mp4");
    clock.advance(1001);
    assert.ok(await vods.open("vod/one.mp4"));
    await vods.close();
  });

  test("says of a copy under way that it is, and plays it when it is whole", async () => {
    const { library: vods, put, clock, lines } = library();
    put("a/copy.mp4", SMALL.subarray(0, -60));
    await assert.rejects(vods.open("vod/copy.mp4"), {
      code: "MP4_TRUNCATED",
      httpStatus: 422,
      message: "3 of 6 frames are there: the file is cut off, or still being written",
    });
    assert.match(
      String(lines.find(({ message }) => message === "file refused")!.fields["reason"]),
      /3 of 6/,
    );
    put("a/copy.mp4");
    clock.advance(1000);
    const presentation = await vods.open("vod/copy.mp4");
    assert.equal(presentation.timeline().segments[0]!.trackSamples("v1" as never), 6);
    await vods.close();
  });

  test("plays the whole fragments of a file that is still being written, warns, and goes on with it", async () => {
    const { library: vods, put, clock, lines } = library();
    const whole = twoTrackFragments();
    const pictures = async () =>
      (await vods.open("vod/live.mp4"))
        .timeline()
        .segments.reduce((sum, segment) => sum + segment.trackSamples("v1" as never), 0);
    put("a/live.mp4", whole.subarray(0, -1));
    assert.equal(await pictures(), 20);
    const warning = lines.find(({ level }) => level === "warn");
    assert.match(warning!.message, /cut off, or still being written/);
    assert.equal(warning!.fields["file"], "vod/live.mp4");
    put("a/live.mp4", whole);
    clock.advance(1001);
    assert.equal(await pictures(), 30);
    assert.equal(lines.filter(({ level }) => level === "warn").length, 1);
    await vods.close();
  });

  test("refuses files whose tracks are years apart, which ended the process", async () => {
    const { library: vods, put } = library();
    put("a/edit.mp4", twoTrackMovie(0xffff_ffff));
    put("a/fragments.mp4", twoTrackFragments(2 ** 46));
    put("a/good.mp4", twoTrackMovie(7));
    for (const path of ["vod/edit.mp4", "vod/fragments.mp4"])
      await assert.rejects(vods.open(path), { code: "MP4_LIMIT", httpStatus: 422 });
    assert.equal((await vods.open("vod/good.mp4")).timeline().segments.length, 2);
    await vods.close();
  });

  test("gives whole files where it may, whatever is in them, and nothing that has to be given back", async () => {
    const { base, put } = library();
    put("a/one.mp4");
    const storages = [{ path: join(base, "missing") }, { path: join(base, "a") }];
    const played = { name: "played", storages, segmentDurationMs: 4000 };
    const vods = new VodLibrary({
      vods: [played, { ...played, name: "given", download: true }],
      clock: new FakeClock(),
      log: silentLogger,
    });
    await assert.rejects(vods.download("played/one.mp4"), { code: "VOD_NO_DOWNLOAD", httpStatus: 403 });
    await assert.rejects(vods.download("given/two.mp4"), { code: "VOD_NOT_FOUND" });
    await assert.rejects(vods.download("given/../a/one.mp4"), { code: "VOD_BAD_PATH" });
    await assert.rejects(vods.download("other/one.mp4"), { code: "VOD_NOT_FOUND" });
    const file = await vods.download("given/one.mp4");
    assert.equal(file.sizeBytes, SMALL.byteLength);
    assert.deepEqual(await file.read(4, 4), Buffer.from(SMALL.subarray(4, 8)));
    assert.equal((await file.read(file.sizeBytes - 1, 100)).byteLength, 1);
    writeFileSync(join(base, "a/one.mp4"), "another");
    await assert.rejects(file.read(0, 4), { code: "VOD_CHANGED" });
    await vods.close();
  });

  test("says once of each storage that is not there, and asks it all the same", async () => {
    const { base, put } = library();
    put("a/one.mp4");
    put("file");
    const { log, lines } = listeningLogger();
    const missing = { name: "vod", storages: [{ path: join(base, "a") }, { path: join(base, "later") }] };
    const odd = { name: "odd", storages: [{ path: join(base, "file") }], segmentDurationMs: 4000 };
    const options = [{ ...missing, segmentDurationMs: 4000 }, odd];
    const vods = new VodLibrary({ vods: options, clock: new FakeClock(), log });
    await eventually(() => assert.equal(lines.length, 2), { intervalMs: 5 });
    vods.setVods(options);
    await assert.rejects(vods.open("vod/two.mp4"), { code: "VOD_NOT_FOUND" });
    put("later/two.mp4");
    assert.ok(await vods.open("vod/two.mp4"));
    assert.deepEqual(
      lines
        .filter(({ level }) => level === "warn")
        .map(({ fields }) => fields)
        .toSorted((a, b) => String(b["path"]).localeCompare(String(a["path"]))),
      [
        { vod: "vod", path: join(base, "later"), reason: "it does not exist" },
        { vod: "odd", path: join(base, "file"), reason: "it is not a directory" },
      ],
    );
    await vods.close();
  });

  test("keeps no more files open than it may, and those that went still play", async () => {
    const { library: vods, put, base } = library({ files: 3 });
    for (let i = 0; i < 10; i++) put(`a/${i}.mp4`);
    const opened = [];
    for (let i = 0; i < 10; i++) opened.push(await vods.open(`vod/${i}.mp4`));
    await settled();
    assert.equal(descriptorsBelow(base), 3);
    for (const presentation of opened) {
      assert.ok(await presentation.segment("0", parseTrackSelection("v1")!));
    }
    await settled();
    assert.equal(descriptorsBelow(base), 3);
    await vods.close();
    await settled();
    assert.equal(descriptorsBelow(base), 0);
  });

  test("leaves no descriptor behind after broken files", async () => {
    const { library: vods, put, base } = library();
    for (let i = 0; i < 20; i++) put(`a/${i}.mp4`, new Uint8Array(i * 10));
    for (let i = 0; i < 20; i++) await assert.rejects(vods.open(`vod/${i}.mp4`), { httpStatus: 422 });
    await settled();
    assert.equal(descriptorsBelow(base), 0);
    await vods.close();
  });

  test("refuses when too many files wait to be opened, and recovers", async () => {
    const { library: vods, put } = library({ openings: 1, waitingOpenings: 2 });
    for (let i = 0; i < 6; i++) put(`a/${i}.mp4`);
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) => vods.open(`vod/${i}.mp4`)),
    );
    assert.deepEqual(
      results.map((result) =>
        result.status === "rejected" ? (result.reason as { code: string }).code : "opened",
      ),
      ["opened", "opened", "opened", "VOD_BUSY", "VOD_BUSY", "VOD_BUSY"],
    );
    assert.ok(await vods.open("vod/5.mp4"));
    await vods.close();
  });

  test("lists what can be played, each name once", async () => {
    const { library: vods, put, clock } = library();
    for (const path of [
      "a/one.mp4",
      "b/one.mp4",
      "b/films/two.MOV",
      "c/kid.m4a",
      "a/notes.txt",
      "a/.x.mp4",
    ])
      put(path);
    assert.deepEqual(await vods.list(100), ["vod/films/two.MOV", "vod/kids/kid.m4a", "vod/one.mp4"]);
    assert.equal((await vods.list(2)).length, 2);
    put("a/new.mp4");
    assert.equal((await vods.list(2)).length, 2);
    assert.ok((await vods.list(100)).includes("vod/new.mp4"));
    put("a/newer.mp4");
    assert.ok(!(await vods.list(100)).includes("vod/newer.mp4"), "not looked again yet");
    clock.advance(2001);
    assert.ok((await vods.list(100)).includes("vod/newer.mp4"));
    await vods.close();
  });

  test("takes other vods, and keeps what did not change open", async () => {
    const { library: vods, put, vods: options } = library();
    put("a/one.mp4");
    put("c/one.mp4");
    const [kept, changed] = [await vods.open("vod/one.mp4"), await vods.open("vod/kids/one.mp4")];
    vods.setVods([options[0]!, { ...options[1]!, segmentDurationMs: 1000 }]);
    assert.equal(await vods.open("vod/one.mp4"), kept);
    assert.notEqual(await vods.open("vod/kids/one.mp4"), changed);
    vods.setVods([]);
    assert.equal(vods.find("vod/one.mp4"), null);
    await assert.rejects(vods.open("vod/one.mp4"), { code: "VOD_NOT_FOUND" });
    await vods.close();
  });

  test("opens nothing after it was closed, and closes what was being opened", async () => {
    const { library: vods, put, base } = library();
    put("a/one.mp4");
    const opening = vods.open("vod/one.mp4");
    await vods.close();
    await opening;
    await settled();
    assert.equal(descriptorsBelow(base), 0);
    await assert.rejects(vods.open("vod/one.mp4"), { code: "VOD_CLOSED", httpStatus: 503 });
  });

  test("refuses a segment that would not fit into memory", async () => {
    const { library: vods, base } = library();
    await makeLongMovie(join(base, "a", "fat.mp4"), { hours: 4 / 3600, sizeBytes: 4e9, moovFirst: true });
    const presentation = await vods.open("vod/fat.mp4");
    const { name } = presentation.timeline().segments[0]!;
    await assert.rejects(async () => presentation.segment(name, parseTrackSelection("v1a1")!), {
      code: "VOD_SEGMENT_TOO_BIG",
      httpStatus: 422,
    });
    await vods.close();
  });

  test("serves a vod without a name from the root", async () => {
    const { base, put } = library();
    put("a/one.mp4");
    const vods = new VodLibrary({
      vods: [{ name: "", storages: [{ path: join(base, "a") }], segmentDurationMs: 4000 }],
      clock: new FakeClock(),
      log: silentLogger,
    });
    assert.deepEqual(vods.find("one.mp4"), { vod: "", rest: "one.mp4" });
    assert.ok(await vods.open("one.mp4"));
    await vods.close();
  });

  test("gives the sample clip of this project", async () => {
    const { base } = library();
    copyFileSync(new URL("../../samples/sample.mp4", import.meta.url), join(base, "a", "sample.mp4"));
    const vods = new VodLibrary({
      vods: [{ name: "vod", storages: [{ path: join(base, "a") }], segmentDurationMs: 2000 }],
      clock: new FakeClock(),
      log: silentLogger,
    });
    const { segments, tracks } = (await vods.open("vod/sample.mp4")).timeline();
    assert.deepEqual(
      segments.map(({ durationUs }) => durationUs),
      [2_000_000, 2_000_000, 2_000_000, 2_000_000],
    );
    assert.deepEqual(
      tracks.tracks.map(({ codec, width, sampleRate }) => [codec, width, sampleRate]),
      [
        ["h264", 640, 0],
        ["aac", 0, 48_000],
      ],
    );
    const { durationUs } = segments[0]!;
    assert.equal(durationUs, 2_000_000);
    await vods.close();
  });
});
