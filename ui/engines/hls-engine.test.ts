import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import type { EngineOptions, Failure } from "../player/engines.js";
import { HlsJsEngine } from "./hls-engine.js";
import type { HlsClass } from "./hls-engine.js";
import { HlsTracks } from "./hls-tracks.js";

type Listener = (event: string, data: unknown) => void;

/** hls.js as far as the engine uses it: what it is told is kept, what it tells is told by the test. */
class FakeHls {
  static Events = {
    MANIFEST_PARSED: "parsed",
    LEVEL_UPDATED: "level",
    BUFFER_CREATED: "buffers",
    BUFFER_CODECS: "codecs",
    MANIFEST_LOADED: "manifest",
    AUDIO_TRACKS_UPDATED: "sounds",
    ERROR: "error",
  };
  static last: FakeHls;
  readonly calls: string[] = [];
  readonly listeners = new Map<string, Listener>();
  readonly config: unknown;
  readonly url = "http://host/a/index.m3u8";
  targetLatency: number | null = 4;
  liveSyncPosition = 12;
  playingDate: Date | null = null;
  levels: { height: number; url: string[] }[] = [];
  audioTracks: { name: string }[] = [];
  subtitleTracks: { name: string }[] = [];
  manualLevel = -1;
  nextLevel = -1;
  startLevel = -1;
  audioTrack = 0;
  subtitleTrack = -1;
  constructor(config: unknown) {
    this.config = config;
    FakeHls.last = this;
  }
  on(event: string, listener: Listener): void {
    this.listeners.set(event, listener);
  }
  once(event: string, listener: Listener): void {
    this.listeners.set(event, listener);
  }
  tell(event: string, data: unknown = {}): void {
    this.listeners.get(event)!(event, data);
  }
  loadSource = (url: string): unknown => this.calls.push(`load ${url}`);
  attachMedia = (): unknown => this.calls.push("attach");
  startLoad = (): unknown => this.calls.push("startLoad");
  recoverMediaError = (): unknown => this.calls.push("recoverMediaError");
  destroy = (): unknown => this.calls.push("destroy");
}

/** What the multivariant playlist of the server is, in turn; the last one stays. */
const WITH_SOUND = '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="avc1.42c01e,mp4a.40.2"\ntracks-v1a1/mono.m3u8\n';
const SILENT = '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="avc1.42c01e"\ntracks-v1/mono.m3u8\n';

function make(startTracks?: EngineOptions["startTracks"], playlists: string[] = []) {
  let nowMs = 0;
  const asked: string[] = [];
  const fetcher: typeof fetch = (url) => {
    asked.push(url as string);
    return Promise.resolve(new Response(playlists.length > 1 ? playlists.shift() : playlists[0]));
  };
  const heard: (string | Failure)[] = [];
  const options: EngineOptions = {
    video: {} as HTMLVideoElement,
    url: "http://host/a/index.m3u8",
    startSeconds: 7,
    events: {
      onReady: () => heard.push("ready"),
      onFailure: (failure) => heard.push(failure),
      onTrouble: (detail) => heard.push(detail),
    },
    ...(startTracks === undefined ? {} : { startTracks }),
  };
  class Tracks extends HlsTracks {
    constructor(onRead: () => void) {
      super(onRead, fetcher);
    }
  }
  const engine = new HlsJsEngine(
    FakeHls as unknown as HlsClass,
    options,
    () => nowMs,
    () => Promise.resolve(Tracks),
  );
  return { engine, hls: FakeHls.last, heard, asked, pass: (ms: number) => (nowMs += ms) };
}

/** An engine that plays a live stream with sound, and what the multivariant playlist will be when it is asked for. */
function begin(t: test.TestContext, ...playlists: string[]) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const made = make(undefined, playlists);
  const { hls } = made;
  hls.tell("manifest", { networkDetails: { responseText: WITH_SOUND } });
  hls.tell("level", { details: { live: true, age: 0, endCC: 3 } });
  hls.tell("buffers", { tracks: { audiovideo: {} } });
  /** Lets time pass, for the readings of the playlist too. */
  const wait = async (ms: number): Promise<void> => {
    await settled();
    for (let passed = 0; passed < ms; passed += 250) {
      made.pass(250);
      t.mock.timers.tick(250);
      // A body is read in some turns of the loop.
      for (let turn = 0; turn < 5; turn++) await settled();
    }
  };
  const breakOff = () => hls.tell("level", { details: { live: true, age: 0, endCC: 4 } });
  return { ...made, wait, breakOff };
}

const details = (live: boolean, age = 0, partTarget = 0) => ({
  details: { live, age, targetduration: 4, partTarget },
});

test("hls.js plays where it can, from where it is told", () => {
  const { engine, heard } = make();
  const hls = FakeHls.last;
  assert.ok(Object.is(engine.hls, hls));
  assert.deepEqual(hls.calls, ["load http://host/a/index.m3u8", "attach"]);
  assert.equal((hls.config as { startPosition: number }).startPosition, 7);
  hls.tell("parsed");
  assert.deepEqual(heard, ["ready"]);
  engine.resumeLoad();
  engine.recoverMedia();
  engine.destroy();
  assert.deepEqual(hls.calls.slice(2), ["startLoad", "recoverMediaError", "destroy"]);
});

test("a live stream is known by its playlist, and so are its pauses and its end", () => {
  const { engine } = make();
  const facts = () => [engine.isLive, engine.isGrowing, engine.isOver, engine.edgeSeconds];
  assert.deepEqual(facts(), [null, true, false, null]);
  FakeHls.last.tell("level", details(true));
  assert.deepEqual(facts(), [true, true, false, 12]);
  FakeHls.last.tell("level", details(true, 12));
  assert.deepEqual(facts(), [true, false, false, 12]);
  FakeHls.last.tell("level", details(true, 2, 0.2));
  assert.equal(engine.isGrowing, true);
  FakeHls.last.tell("level", details(true, 4, 0.2));
  assert.equal(engine.isGrowing, false, "with parts it is overdue sooner");
  FakeHls.last.tell("level", details(false, 99));
  assert.deepEqual(facts(), [true, true, true, 12]);
});

test("a file is not live and has no edge", () => {
  const { engine } = make();
  FakeHls.last.tell("level", details(false));
  assert.deepEqual([engine.isLive, engine.isOver, engine.edgeSeconds], [false, false, null]);
});

test("whether there is sound is known from the buffers", () => {
  const { engine } = make();
  assert.equal(engine.hasSound, true);
  FakeHls.last.tell("buffers", { tracks: { video: {} } });
  assert.equal(engine.hasSound, false);
  FakeHls.last.tell("buffers", { tracks: { audiovideo: {} } });
  assert.equal(engine.hasSound, true);
});

const errors: [type: string, detail: string, kind: string, isAtManifest: boolean][] = [
  ["networkError", "manifestLoadError", "network", true],
  ["networkError", "levelLoadError", "network", false],
  ["networkError", "fragLoadError", "network", false],
  ["mediaError", "bufferAppendError", "media", false],
  ["mediaError", "manifestIncompatibleCodecsError", "codec", true],
  ["mediaError", "bufferAddCodecError", "codec", false],
  ["mediaError", "bufferIncompatibleCodecsError", "codec", false],
  ["muxError", "remuxAllocError", "other", false],
  ["otherError", "internalException", "other", false],
];
for (const [type, detail, kind, isAtManifest] of errors) {
  test(`a fatal ${detail} is a ${kind} failure`, () => {
    const { heard } = make();
    FakeHls.last.tell("error", { type, details: detail, fatal: true });
    assert.deepEqual(heard, [{ kind, isAtManifest, detail }]);
  });
}

test("what hls.js mends by itself is no failure", () => {
  const { heard } = make();
  FakeHls.last.tell("error", { type: "mediaError", details: "bufferStalledError", fatal: false });
  assert.deepEqual(heard, ["bufferStalledError"]);
});

test("what there is to choose is told, and the choice is hls.js' own", () => {
  const { engine, hls } = make();
  hls.levels = [
    { height: 360, url: ["/a/tracks-v2a1/index.m3u8"] },
    { height: 720, url: ["/a/tracks-v1a1/index.m3u8"] },
  ];
  hls.audioTracks = [{ name: "English" }, { name: "Suomi" }];
  hls.subtitleTracks = [{ name: "Deutsch" }];
  assert.deepEqual(engine.choices, [
    { kind: "quality", names: ["360p", "720p"], selected: -1 },
    { kind: "sound", names: ["English", "Suomi"], selected: 0 },
    { kind: "subtitles", names: ["Deutsch"], selected: -1 },
  ]);
  engine.choose("quality", 1);
  engine.choose("sound", 1);
  engine.choose("subtitles", 0);
  assert.deepEqual([hls.nextLevel, hls.audioTrack, hls.subtitleTrack], [1, 1, 0]);
});

test("begins with the tracks that it is told, where there are such", () => {
  const { hls } = make({ video: 1, audio: 2 });
  hls.levels = [
    { height: 360, url: ["/a/tracks-v2a1/index.m3u8"] },
    { height: 720, url: ["/a/tracks-v1a1/index.m3u8"] },
  ];
  hls.audioTracks = [{ name: "English" }, { name: "Suomi" }];
  hls.tell("parsed");
  hls.tell("sounds");
  assert.deepEqual([hls.startLevel, hls.audioTrack], [1, 1]);
  const other = make({ video: 11, audio: 9 }).hls;
  other.tell("parsed");
  other.tell("sounds");
  assert.deepEqual([other.startLevel, other.audioTrack], [-1, 0]);
});

test("when a picture came to the server, its date in the playlist says", () => {
  const { engine, hls } = make();
  assert.equal(engine.pictureTimeMs, null);
  hls.playingDate = new Date(5000);
  assert.equal(engine.pictureTimeMs, 5000);
});

test("a stream that breaks off and comes back the same is played on, and the break counts", async (t) => {
  const { engine, asked, wait, breakOff } = begin(t, WITH_SOUND);
  breakOff();
  await wait(20_000);
  assert.deepEqual([engine.breaks, engine.isOutdated], [1, false]);
  assert.deepEqual(new Set(asked), new Set(["http://host/a/index.m3u8"]));
  assert.equal(asked.length, 4, "with parts, the new tracks are known a while later");
});

test("a stream that comes back without sound wants another engine, once what is there has been played", async (t) => {
  const { engine, asked, wait, breakOff } = begin(t, WITH_SOUND, SILENT);
  breakOff();
  await wait(3000);
  assert.deepEqual([asked.length, engine.isOutdated], [2, false]);
  await wait(1500);
  assert.equal(engine.isOutdated, true);
});

test("a media failure at a break is none where the tracks are others, and is told where they are not", async (t) => {
  const error = { type: "mediaError", details: "bufferAppendError", fatal: true };
  const silent = begin(t, SILENT);
  silent.breakOff();
  silent.hls.tell("error", error);
  await silent.wait(4500);
  silent.hls.tell("error", error);
  assert.deepEqual([silent.heard, silent.engine.isOutdated], [[], true]);
  t.mock.timers.reset();
  const same = begin(t, WITH_SOUND);
  same.breakOff();
  same.hls.tell("error", error);
  assert.deepEqual(same.heard, []);
  await same.wait(6000);
  assert.deepEqual(same.heard, [{ kind: "media", isAtManifest: false, detail: "bufferAppendError" }]);
  same.hls.tell("error", error);
  assert.equal(same.heard.length, 2, "later ones are told at once");
});

test("a media playlist that is gone is a reason to read the multivariant one again", async (t) => {
  const gone = { type: "networkError", details: "levelLoadError", fatal: true, response: { code: 404 } };
  const other = begin(t, SILENT);
  other.hls.tell("error", gone);
  await other.wait(250);
  assert.deepEqual([other.heard, other.engine.isOutdated], [[], true], "nothing is to be waited for");
  t.mock.timers.reset();
  const same = begin(t, WITH_SOUND);
  same.hls.tell("error", { ...gone, fatal: false });
  assert.deepEqual(same.heard, ["levelLoadError"]);
  same.hls.tell("error", gone);
  await same.wait(6000);
  assert.deepEqual(same.heard.slice(1), [
    { kind: "network", isAtManifest: true, detail: "levelLoadError" },
  ]);
});

test("sound that comes where no buffer was made for it wants another engine", async (t) => {
  const { engine, hls, wait } = begin(t, WITH_SOUND);
  hls.tell("codecs", { video: {} });
  await wait(10_000);
  assert.equal(engine.isOutdated, false, "a track less is no reason");
  hls.tell("buffers", { tracks: { video: {} } });
  hls.tell("codecs", { video: {} });
  hls.tell("codecs", { audiovideo: {} });
  assert.equal(engine.isOutdated, false);
  await wait(4500);
  assert.equal(engine.isOutdated, true);
});

test("what is destroyed reads no more", async (t) => {
  const { engine, asked, wait, breakOff } = begin(t, WITH_SOUND);
  breakOff();
  await wait(250);
  engine.destroy();
  await wait(10_000);
  assert.equal(asked.length, 1);
});
