import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineOptions, Failure } from "../player/engines.js";
import { HlsJsEngine } from "./hls-engine.js";
import type { HlsClass } from "./hls-engine.js";

type Listener = (event: string, data: unknown) => void;

/** hls.js as far as the engine uses it: what it is told is kept, what it tells is told by the test. */
class FakeHls {
  static Events = {
    MANIFEST_PARSED: "parsed",
    LEVEL_UPDATED: "level",
    BUFFER_CREATED: "buffers",
    ERROR: "error",
  };
  static last: FakeHls;
  readonly calls: string[] = [];
  readonly listeners = new Map<string, Listener>();
  readonly config: unknown;
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
  tell(event: string, data: unknown = {}): void {
    this.listeners.get(event)!(event, data);
  }
  loadSource = (url: string): unknown => this.calls.push(`load ${url}`);
  attachMedia = (): unknown => this.calls.push("attach");
  startLoad = (): unknown => this.calls.push("startLoad");
  recoverMediaError = (): unknown => this.calls.push("recoverMediaError");
  destroy = (): unknown => this.calls.push("destroy");
}

function make(startTracks?: EngineOptions["startTracks"]) {
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
  const engine = new HlsJsEngine(FakeHls as unknown as HlsClass, options);
  return { engine, hls: FakeHls.last, heard };
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
  assert.deepEqual([hls.startLevel, hls.audioTrack], [1, 1]);
  const other = make({ video: 11, audio: 9 }).hls;
  other.tell("parsed");
  assert.deepEqual([other.startLevel, other.audioTrack], [-1, 0]);
});

test("when a picture came to the server, its date in the playlist says", () => {
  const { engine, hls } = make();
  assert.equal(engine.pictureTimeMs, null);
  hls.playingDate = new Date(5000);
  assert.equal(engine.pictureTimeMs, 5000);
});
