import assert from "node:assert/strict";
import { test } from "node:test";
import type { MseEngine, MseEngineOptions } from "../live/mse-engine.js";
import type { EngineOptions, Failure } from "../player/engines.js";
import { MseLdEngine } from "./mse-ld-engine.js";

/** The engine below, as far as this one uses it. */
class FakeMse {
  delaySeconds = 0.5;
  targetSeconds = 0.2;
  newestUtcSeconds = 0;
  durationSeconds: number | null = null;
  tracks: object[] = [];
  readonly calls: string[] = [];
  readonly options: MseEngineOptions;
  constructor(options: MseEngineOptions) {
    this.options = options;
  }
  setTracks = (tracks: string): unknown => this.calls.push(`set ${tracks}`);
  pause = (): unknown => this.calls.push("pause");
  resume = (): unknown => this.calls.push("resume");
  destroy = (): unknown => this.calls.push("destroy");
}

function make(url = "http://host/a/mse_ld?token=x", more: Partial<EngineOptions> = {}) {
  const video = Object.assign(new EventTarget(), { currentTime: 50, playbackRate: 1.1 });
  const heard: (string | Failure)[] = [];
  const made: FakeMse[] = [];
  let nowMs = 0;
  const engine = new MseLdEngine(
    {
      video: video as unknown as HTMLVideoElement,
      url,
      startSeconds: -1,
      events: {
        onReady: () => heard.push("ready"),
        onFailure: (failure) => heard.push(failure),
        onTrouble: (detail) => heard.push(detail),
      },
      ...more,
    },
    (options) => {
      const fake = new FakeMse(options);
      made.push(fake);
      return fake as unknown as MseEngine;
    },
    () => nowMs,
  );
  return { engine, video, heard, made, first: made[0]!, pass: (ms: number) => (nowMs += ms) };
}

test("opens the socket beside the page, and begins with the tracks that it is told", () => {
  assert.equal(make().first.options.url, "ws://host/a/mse_ld?token=x");
  assert.deepEqual(make().first.options.places, { video: 0, audio: 0 });
  const { first } = make("https://host/a/mse_ld", { startTracks: { video: 2, audio: null } });
  assert.equal(first.options.url, "wss://host/a/mse_ld");
  assert.deepEqual(first.options.places, { video: 1, audio: 0 }, "a kind that is not named is as usual");
});

test("is live from its first media on, and knows its edge and its time", () => {
  const { engine, first, heard } = make();
  assert.deepEqual([engine.isLive, engine.edgeSeconds, engine.pictureTimeMs], [null, null, null]);
  assert.equal(engine.hasSound, true);
  first.options.events.onReady();
  first.newestUtcSeconds = 1000;
  assert.deepEqual([heard, engine.isLive, engine.pictureTimeMs], [["ready"], true, 999_500]);
  assert.equal(engine.edgeSeconds, 50.3);
  assert.equal(engine.hasSound, false);
});

test("frames that do not come are overdue", () => {
  const { engine, first, pass } = make();
  pass(2900);
  assert.equal(engine.isGrowing, true);
  pass(200);
  assert.equal(engine.isGrowing, false);
  first.newestUtcSeconds = 1;
  assert.equal(engine.isGrowing, true);
});

test("the server keeps its frames while the video is paused", () => {
  const { engine, video, first } = make();
  video.dispatchEvent(new Event("pause"));
  assert.deepEqual(first.calls, [], "there is no socket to say it on");
  first.options.events.onReady();
  for (const name of ["play", "pause", "pause", "play"]) video.dispatchEvent(new Event(name));
  engine.destroy();
  video.dispatchEvent(new Event("pause"));
  assert.deepEqual([first.calls, video.playbackRate], [["pause", "resume", "destroy"], 1]);
});

test("a file is not live, ends without being over, and begins anew where it was", () => {
  const { engine, video, first, made, pass } = make("http://host/a.mp4/mse_ld", { startSeconds: 7 });
  assert.equal(first.options.startSeconds, 7);
  first.durationSeconds = 20;
  first.newestUtcSeconds = 3;
  first.options.events.onReady();
  assert.deepEqual([engine.isLive, engine.edgeSeconds, engine.pictureTimeMs], [false, null, null]);
  pass(10_000);
  assert.equal(engine.isGrowing, true);
  first.options.events.onEnd?.();
  assert.equal(engine.isOver, false);
  video.currentTime = 12;
  engine.recoverMedia();
  assert.equal(made[1]!.options.startSeconds, 12);
});

test("a live stream that has ended is over", () => {
  const { engine, first } = make();
  assert.equal(first.options.startSeconds, 0);
  first.options.events.onReady();
  first.options.events.onEnd?.();
  assert.equal(engine.isOver, true);
});

test("what there is to choose is told, and chosen by the server", () => {
  const { engine, first } = make();
  first.tracks = [
    { track_id: "v1", content: "video", height: 720, bitrate: 3000, lang: "" },
    { track_id: "a1", content: "audio", lang: "en", bitrate: 96 },
    { track_id: "v2", content: "video", height: 360, bitrate: 800, lang: "" },
    { track_id: "a2", content: "audio", lang: "", bitrate: 64 },
  ];
  assert.deepEqual(engine.choices, [
    { kind: "quality", names: ["720p", "360p"], selected: 0 },
    { kind: "sound", names: ["English", "64 kbit/s"], selected: 0 },
  ]);
  engine.choose("quality", 1);
  engine.choose("sound", 1);
  engine.choose("subtitles", 0);
  assert.deepEqual(first.calls, ["set v2a1", "set v2a2"]);
  assert.deepEqual(
    engine.choices.map(({ selected }) => selected),
    [1, 1],
  );
});

test("a bit rate that the server does not know yet names nothing", () => {
  const { engine, first } = make();
  first.tracks = [1, 1].map((bitrate) => ({ track_id: "a1", content: "audio", lang: "", bitrate }));
  const { names } = engine.choices.find(({ kind }) => kind === "sound")!;
  assert.equal(new Set(names).size, 2);
  assert.doesNotMatch(names.join(), /kbit/);
});

test("failures are told apart by the words of the engine below", () => {
  const { first, heard } = make();
  const { events } = first.options;
  events.onUnavailable("nobody publishes");
  events.onFailure("closed: 1013 later");
  events.onFailure("codec: none");
  events.onFailure("media: broken");
  events.onTrouble("stalled");
  assert.deepEqual(heard, [
    { kind: "network", isAtManifest: true, detail: "nobody publishes" },
    { kind: "network", isAtManifest: true, detail: "closed: 1013 later" },
    { kind: "codec", isAtManifest: true, detail: "codec: none" },
    { kind: "media", isAtManifest: false, detail: "media: broken" },
    "stalled",
  ]);
});

test("a number of a track that does not exist means the first one", () => {
  const { engine, first } = make(undefined, { startTracks: { video: 1, audio: 9 } });
  first.tracks = [
    { track_id: "v1", content: "video", height: 720 },
    { track_id: "a1", content: "audio", lang: "en" },
  ];
  assert.deepEqual(
    engine.choices.map(({ selected }) => selected),
    [0, 0],
  );
  engine.choose("quality", 0);
  assert.deepEqual(first.calls, ["set v1a1"]);
});

test("what the viewer chose is kept when it begins anew, and breaks of the stream are counted", () => {
  const { engine, first, made } = make();
  first.tracks = [1, 2].map((n) => ({ track_id: `a${n}`, content: "audio", lang: ["en", "fi"][n - 1] }));
  engine.choose("sound", 1);
  engine.recoverMedia();
  assert.deepEqual(made[1]!.options.places, { video: 0, audio: 1 });
  Object.assign(made[1]!, { inits: 2 });
  assert.deepEqual([engine.breaks, engine.isOutdated, engine.canResume], [2, false, true]);
});

test("begins anew with a socket of its own", () => {
  const { engine, made } = make();
  made[0]!.options.events.onReady();
  engine.recoverMedia();
  assert.deepEqual([made.length, made[0]!.calls, engine.isLive], [2, ["destroy"], null]);
  engine.resumeLoad();
  assert.deepEqual([made.length, made[1]!.calls], [3, ["destroy"]]);
});
