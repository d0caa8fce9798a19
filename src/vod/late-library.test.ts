import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { findVod } from "./find-vod.ts";
import { LateVodLibrary } from "./late-library.ts";
import type { Vods } from "./late-library.ts";
import type { VodLibraryOptions, VodOptions } from "./vod.ts";

const FILMS: VodOptions = { name: "films", storages: [], segmentDurationMs: 4000 };
const CLIPS: VodOptions = { ...FILMS, name: "clips" };

/** A room that is loaded when the test says so, and writes down what it is asked. */
function makeRoom(vods: readonly VodOptions[] = []) {
  const log = new RecordingLog();
  const calls: string[] = [];
  const loads: PromiseWithResolvers<void>[] = [];
  const names = (given: readonly VodOptions[]): string => given.map(({ name }) => name).join();
  class Library implements Vods {
    constructor(given: VodLibraryOptions) {
      calls.push(`new ${names(given.vods)}`);
    }
    find = (): never => assert.fail("the front door finds by itself");
    open = (path: string) => this.#refuse("open", path);
    openMedia = (path: string) => this.#refuse("openMedia", path);
    openPackets = (path: string) => this.#refuse("openPackets", path);
    download = (path: string) => this.#refuse("download", path);
    list = (limit: number) => Promise.resolve([`${limit} at most`]);
    setVods = (given: readonly VodOptions[]) => void calls.push(`set ${names(given)}`);
    close = () => Promise.resolve(void calls.push("close"));
    #refuse(method: string, path: string): Promise<never> {
      calls.push(`${method} ${path}`);
      return Promise.reject(new Error(method));
    }
  }
  const load = async () => {
    const one = Promise.withResolvers<void>();
    loads.push(one);
    await one.promise;
    return { VodLibrary: Library };
  };
  const library = new LateVodLibrary({ vods, clock: new FakeClock(), log }, load);
  return { library, calls, loads, log };
}

test("a server without a vod loads nothing, and has nothing to close", async () => {
  const { library, loads } = makeRoom();
  library.setVods([]);
  assert.equal(library.find("films/one.mp4"), null);
  assert.deepEqual(await library.list(10), []);
  await library.close();
  assert.equal(loads.length, 0);
});

test("vods are loaded when they are set, found at once, and the last that were set are served", async () => {
  const { library, calls, loads } = makeRoom();
  library.setVods([FILMS]);
  assert.deepEqual(library.find("films/a/one.mp4"), { vod: "films", rest: "a/one.mp4" });
  const listed = library.list(7);
  library.setVods([CLIPS]);
  assert.equal(library.find("films/a/one.mp4"), null);
  assert.equal(loads.length, 1);
  loads[0]!.resolve();
  assert.deepEqual(await listed, ["7 at most"]);
  assert.deepEqual(calls, ["new clips", "set clips", "set clips"]);
  library.setVods([]);
  await library.close();
  assert.deepEqual(calls.slice(3), ["set ", "close"]);
});

test("the first file that is asked for loads the room, and every call is passed on", async () => {
  const { library, calls, loads } = makeRoom([FILMS]);
  assert.equal(loads.length, 0);
  const asked = (["open", "openMedia", "openPackets", "download"] as const).map((method) =>
    assert.rejects(library[method]("films/one.mp4"), { message: method }),
  );
  loads[0]!.resolve();
  await Promise.all(asked);
  assert.deepEqual(calls, [
    "new films",
    ...["open", "openMedia", "openPackets", "download"].map((method) => `${method} films/one.mp4`),
  ]);
});

test("a room that cannot be loaded is said in the log, tried again, and does not hinder the end", async () => {
  const { library, loads, log } = makeRoom();
  library.setVods([FILMS]);
  const first = library.open("films/one.mp4");
  loads[0]!.reject(new Error("no such file"));
  await assert.rejects(first, { code: "LATE_NOT_LOADED" });
  assert.deepEqual(
    log.lines.map(({ level, message }) => `${level} ${message}`),
    ["error vods are not served"],
  );
  const second = assert.rejects(library.open("films/one.mp4"), { message: "open" });
  loads[1]!.resolve();
  await second;
  const other = makeRoom([FILMS]);
  const refused = assert.rejects(other.library.open("films/one.mp4"), { code: "LATE_NOT_LOADED" });
  const closed = other.library.close();
  other.loads[0]!.reject(new Error("no such file"));
  await refused;
  await closed;
  assert.deepEqual(other.calls, []);
});

test("the longest name that begins a path is its vod's", () => {
  const vods = [{ name: "" }, { name: "films" }, { name: "films/new" }];
  assert.deepEqual(findVod(vods, "films/new/a.mp4"), { vod: vods[2], rest: "a.mp4" });
  assert.deepEqual(findVod(vods, "films/newest/a.mp4"), { vod: vods[1], rest: "newest/a.mp4" });
  assert.deepEqual(findVod(vods, "other/a.mp4"), { vod: vods[0], rest: "other/a.mp4" });
  assert.equal(findVod(vods.slice(1), "other/a.mp4"), null);
});
