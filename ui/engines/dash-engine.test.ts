import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineOptions, Failure } from "../player/engines.js";
import { DashEngine } from "./dash-engine.js";
import type { Dashjs } from "./dash-engine.js";

type Listener = (event: object) => void;
type Track = { id: string; labels: { text: string }[]; lang: string };

const track = (id: string, lang: string): Track => ({ id, labels: [], lang });

/** dash.js as far as the engine uses it. */
class FakePlayer {
  readonly calls: unknown[][] = [];
  readonly listeners = new Map<string, Listener>();
  settings: { streaming?: { abr?: { autoSwitchBitrate: { video: boolean } } } } = {};
  isLive = true;
  latency = 3;
  audio: Track[] = [];
  currentAudio: Track | null = null;
  initialize = (...given: unknown[]): void => this.#note("initialize", given.slice(1));
  updateSettings(settings: object): void {
    this.settings = settings;
  }
  on = (name: string, listener: Listener): unknown => this.listeners.set(name, listener);
  tell = (name: string, event: object = {}): void => this.listeners.get(name)!(event);
  attachSource = (...given: unknown[]): void => this.#note("attach", given);
  destroy = (): void => this.#note("destroy", []);
  isDynamic = (): boolean => this.isLive;
  getCurrentLiveLatency = (): number => this.latency;
  getTargetLiveDelay = (): number => 2;
  timeAsUTC = (): number => 1000;
  getSettings = (): object => this.settings;
  getRepresentationsByType = (): object[] => [
    { id: "low", height: 360 },
    { id: "high", height: 720 },
  ];
  getCurrentRepresentationForType = (): object => ({ id: "high" });
  getTracksFor = (type: string): Track[] => (type === "audio" ? this.audio : []);
  getCurrentTrackFor = (): Track | null => this.currentAudio;
  getCurrentTextTrackIndex = (): number => -1;
  setTextTrack = (index: number): void => this.#note("text", [index]);
  setCurrentTrack = ({ id }: Track): void => this.#note("track", [id]);
  setRepresentationForTypeById = (...given: unknown[]): void => this.#note("quality", given);
  #note(name: string, given: unknown[]): void {
    this.calls.push([name, ...given]);
  }
}

function make(more: Partial<EngineOptions> = {}) {
  const player = new FakePlayer();
  const events = {
    STREAM_INITIALIZED: "ready",
    ERROR: "error",
    PLAYBACK_STALLED: "stalled",
    MANIFEST_LOADED: "mpd",
  };
  const MediaPlayer = Object.assign(() => ({ create: () => player }), { events });
  const video = Object.assign(new EventTarget(), {
    currentTime: 50,
    playbackRate: 1.2,
    removeAttribute() {},
    load() {},
  });
  const heard: (string | Failure)[] = [];
  let nowMs = 0;
  const engine = new DashEngine(
    { MediaPlayer, Debug: { LOG_LEVEL_NONE: 0 } } as unknown as Dashjs,
    {
      video: video as unknown as HTMLVideoElement,
      url: "http://host/a/index.mpd",
      startSeconds: -1,
      events: {
        onReady: () => heard.push("ready"),
        onFailure: (failure) => heard.push(failure),
        onTrouble: (detail) => heard.push(detail),
      },
      ...more,
    },
    () => nowMs,
  );
  return { engine, player, video, heard, pass: (ms: number) => (nowMs += ms) };
}

test("asks for the MPD, and knows nothing before that is read", () => {
  const { engine, player, heard } = make();
  assert.deepEqual(player.calls, [
    ["initialize", undefined, false],
    ["attach", "http://host/a/index.mpd", undefined],
  ]);
  assert.deepEqual([engine.isLive, engine.isGrowing, engine.isOver], [null, true, false]);
  assert.deepEqual([engine.edgeSeconds, engine.pictureTimeMs, engine.choices], [null, null, []]);
  player.tell("ready");
  assert.deepEqual([heard, engine.isLive, engine.hasSound], [["ready"], true, false]);
  assert.deepEqual([engine.edgeSeconds, engine.pictureTimeMs], [51, 1_000_000]);
  assert.match(JSON.stringify(player.settings), /http:\/\/host\/a\/utc/);
  assert.match(JSON.stringify(player.settings), /"text":\{"defaultEnabled":false\}/);
});

test("a file begins where it is told, and has no edge", () => {
  const { engine, player } = make({ startSeconds: 7 });
  player.isLive = false;
  player.tell("ready");
  assert.deepEqual(player.calls[1], ["attach", "http://host/a/index.mpd", 7]);
  assert.deepEqual(
    [engine.isLive, engine.edgeSeconds, engine.pictureTimeMs, engine.isOver],
    [false, null, null, false],
  );
});

test("a live stream that does not grow is overdue, and one that became a file is over", () => {
  const { engine, player, pass } = make();
  player.tell("ready");
  assert.equal(engine.isGrowing, true);
  pass(14_000);
  assert.equal(engine.isGrowing, true);
  pass(2000);
  assert.equal(engine.isGrowing, false);
  const mpd = (publishTime: Date) =>
    player.tell("mpd", { data: { publishTime, minimumUpdatePeriod: 0.5, Period: [{ id: "1" }] } });
  mpd(new Date(1000));
  assert.equal(engine.isGrowing, true);
  pass(3900);
  mpd(new Date(1000));
  assert.equal(engine.isGrowing, true);
  pass(200);
  assert.equal(engine.isGrowing, false, "the same MPD again is no growth, and segments are short");
  mpd(new Date(2000));
  assert.equal(engine.isGrowing, true);
  player.isLive = false;
  assert.deepEqual([engine.isLive, engine.isOver, engine.edgeSeconds], [true, true, null]);
});

test("a new Period is a break, and a live MPD is not gone on with", () => {
  const { engine, player } = make();
  assert.equal(engine.canResume, true);
  for (const ids of [["1"], ["1"], ["1", "2"], ["2"]])
    player.tell("mpd", { data: { Period: ids.map((id) => ({ id })) } });
  assert.equal(engine.breaks, 1);
  player.tell("ready");
  assert.equal(engine.canResume, false);
  const file = make();
  file.player.isLive = false;
  file.player.tell("ready");
  assert.equal(file.engine.canResume, true);
});

test("a Period with other kinds of media wants another engine, once the delay lies behind its begin", () => {
  const { engine, player, pass } = make();
  player.tell("ready");
  let published = 0;
  const mpd = (...periods: string[][]) =>
    player.tell("mpd", {
      data: {
        publishTime: new Date(++published),
        Period: periods.map((kinds, i) => ({
          id: String(i),
          AdaptationSet: kinds.map((contentType) => ({ contentType })),
        })),
      },
    });
  mpd(["video", "audio"]);
  mpd(["video", "audio"], ["audio", "video"]);
  pass(10_000);
  assert.deepEqual([engine.breaks, engine.isOutdated], [1, false], "the same kinds");
  mpd(["video", "audio"], ["audio", "video"], ["video"]);
  pass(3500);
  assert.equal(engine.isOutdated, false);
  pass(100);
  assert.equal(engine.isOutdated, true);
});

test("a Period after a long pause wants another engine, one after a short pause does not", () => {
  const { engine, player, pass } = make();
  player.tell("ready");
  const mpd = (seconds: number, ...ids: string[]) =>
    player.tell("mpd", {
      data: {
        publishTime: new Date(seconds * 1000),
        minimumUpdatePeriod: 0.5,
        Period: ids.map((id) => ({ id, AdaptationSet: [{ contentType: "video" }] })),
      },
    });
  mpd(1, "1");
  pass(3900);
  mpd(1, "1");
  mpd(5, "1", "2");
  pass(60_000);
  assert.equal(engine.isOutdated, false);
  mpd(66, "1", "2");
  pass(4100);
  mpd(67, "2");
  pass(60_000);
  assert.equal(engine.isOutdated, false, "nothing has broken off");
  mpd(131, "2", "3");
  pass(3600);
  assert.equal(engine.isOutdated, true);
});

test("what there is to choose is told, and the choice is dash.js' own", () => {
  const { engine, player } = make({ startTracks: { video: null, audio: 2 } });
  player.audio = [track("1", "en"), track("2", "fi")];
  player.currentAudio = player.audio[1]!;
  player.tell("ready");
  assert.deepEqual(player.calls.at(-1), ["track", "2"]);
  assert.deepEqual(engine.choices, [
    { kind: "quality", names: ["360p", "720p"], selected: -1 },
    { kind: "sound", names: ["English", "Finnish"], selected: 1 },
    { kind: "subtitles", names: [], selected: -1 },
  ]);
  engine.choose("quality", 1);
  assert.deepEqual(player.calls.at(-1), ["quality", "video", "high", true]);
  assert.equal(engine.choices[0]!.selected, 1);
  engine.choose("quality", -1);
  assert.equal(engine.choices[0]!.selected, -1);
  engine.choose("sound", 0);
  assert.deepEqual(player.calls.at(-1), ["track", "1"]);
  engine.choose("sound", 9);
  engine.choose("subtitles", -1);
  assert.deepEqual(player.calls.slice(-2), [
    ["track", "1"],
    ["text", -1],
  ]);
});

const errors: [code: number, kind: string, isAtManifest: boolean][] = [
  [10, "network", true],
  [25, "network", true],
  [27, "network", false],
  [20, "media", false],
  [35, "codec", false],
  [100, "other", false],
];
for (const [code, kind, isAtManifest] of errors) {
  test(`error ${code} is a ${kind} failure`, () => {
    const { player, heard } = make();
    player.tell("error", { error: { code, message: "words" } });
    assert.deepEqual(heard, [{ kind, isAtManifest, detail: `dash.js ${code} words` }]);
  });
}

test("what dash.js mends by itself is no failure", () => {
  const { player, heard } = make();
  player.tell("error", { error: { code: 16, message: "no clock" } });
  player.tell("stalled");
  assert.deepEqual(heard, ["dash.js 16 no clock", "stalled"]);
});

test("begins anew on demand, and leaves the video as it was", () => {
  const { engine, player, video } = make();
  video.addEventListener("canplay", () => player.calls.push(["waited"]));
  engine.resumeLoad();
  engine.recoverMedia();
  engine.destroy();
  const attach = ["attach", "http://host/a/index.mpd"];
  assert.deepEqual(player.calls.slice(2), [attach, attach, ["waited"], ["destroy"]]);
  assert.equal(video.playbackRate, 1);
});
