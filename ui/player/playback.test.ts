import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import type { Engine, EngineEvents, Failure } from "./engines.js";
import { Playback } from "./playback.js";
import type { Finding } from "./findings.js";
import type { Probe } from "./probe.js";

/** A video element as far as playback uses it; the picture moves when the test says so. */
class FakeVideo extends EventTarget {
  currentTime = 0;
  paused = true;
  muted = true;
  ended = false;
  seeking = false;
  readyState = 4;
  /** What the browser lets a page do before a click. */
  allows: "all" | "muted" | "nothing" = "all";
  plays = 0;
  play(): Promise<void> {
    this.plays++;
    if (this.allows === "nothing" || (this.allows === "muted" && !this.muted)) {
      return Promise.reject(new DOMException("not allowed", "NotAllowedError"));
    }
    this.paused = false;
    return Promise.resolve();
  }
  pause(): void {
    this.paused = true;
    this.tell("pause");
  }
  tell(event: string): void {
    this.dispatchEvent(new Event(event));
  }
}

class FakeEngine implements Engine {
  hls = null;
  isLive: boolean | null = true;
  isGrowing = true;
  isOver = false;
  hasSound = true;
  edgeSeconds: number | null = null;
  pictureTimeMs: number | null = null;
  breaks = 0;
  isOutdated = false;
  canResume = true;
  choices: Engine["choices"] = [];
  choose = (kind: string, index: number): unknown => this.calls.push(`choose ${kind} ${index}`);
  readonly calls: string[] = [];
  readonly startSeconds: number;
  readonly events: EngineEvents;
  constructor(startSeconds: number, events: EngineEvents) {
    this.startSeconds = startSeconds;
    this.events = events;
  }
  resumeLoad = (): unknown => this.calls.push("resumeLoad");
  recoverMedia = (): unknown => this.calls.push("recoverMedia");
  destroy = (): unknown => this.calls.push("destroy");
  fail(kind: Failure["kind"], isAtManifest = false): void {
    this.events.onFailure({ kind, isAtManifest, detail: `${kind}Error` });
  }
}

/** A page with everything around playback in the test's hands. */
class Stage {
  readonly video = new FakeVideo();
  readonly engines: FakeEngine[] = [];
  readonly log: string[] = [];
  server: Finding = "there";
  codecs: string[] = [];
  newest = "1";
  asked = 0;
  isOnline = true;
  isHidden = false;
  hasEngine = true;
  isLive = true;
  /** Kinds of players that there are, and the present one. */
  kinds = 1;
  kind = 0;
  nowMs = 0;
  changes = 0;
  readonly playback: Playback;
  readonly #t: test.TestContext;

  constructor(t: test.TestContext) {
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    this.#t = t;
    this.playback = new Playback({
      video: this.video as unknown as HTMLVideoElement,
      name: "pub/camera",
      createEngine: (startSeconds, events) => this.#createEngine(startSeconds, events),
      probe: () => Promise.resolve(this.#answer()),
      fallBack: () => this.#fallBack(),
      beginAnew: () => void (this.kind = 0),
      isImpatient: () => this.kind + 1 < this.kinds,
      serverMs: () => 100_000,
      canDecode: (codec) => codec.startsWith("avc1"),
      isOnline: () => this.isOnline,
      isHidden: () => this.isHidden,
      nowMs: () => this.nowMs,
      log: (text) => this.log.push(text),
      onChange: () => this.changes++,
    });
  }

  #createEngine(startSeconds: number, events: EngineEvents): Engine | null {
    if (!this.hasEngine) return null;
    const engine = new FakeEngine(startSeconds, events);
    engine.isLive = this.isLive;
    this.engines.push(engine);
    // A new source begins at its beginning, and paused.
    Object.assign(this.video, { currentTime: 0, paused: true, ended: false });
    return engine;
  }

  #fallBack(): boolean {
    if (this.kind + 1 >= this.kinds) return false;
    this.kind++;
    return true;
  }

  #answer(): Probe {
    this.asked++;
    return {
      finding: this.server,
      status: 404,
      reason: "the server's words",
      codecs: this.codecs,
      newest: this.newest,
    };
  }

  get engine(): FakeEngine {
    return this.engines.at(-1)!;
  }

  get view(): Playback["view"] {
    return this.playback.view;
  }

  get words(): string | undefined {
    return this.view.message?.title;
  }

  /** Lets time pass, with a picture that moves or stands. */
  async pass(ms: number, picture: "moves" | "stands" = "stands"): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      this.nowMs += 250;
      if (picture === "moves" && !this.video.paused) this.video.currentTime += 0.25;
      this.#t.mock.timers.tick(250);
      await settled();
    }
  }

  /** From the opening of the page to the first picture. */
  async begin(): Promise<void> {
    this.playback.play();
    this.ready();
    await this.pass(1000, "moves");
    assert.equal(this.view.phase, "playing");
  }

  /** The engine has its playlist, and the video its first data. */
  ready(): void {
    this.engine.events.onReady();
    if (!this.video.paused) this.video.tell("playing");
  }

  /** The stream goes away, and what was buffered comes to its end. */
  async lose(finding: Finding, atManifest = false): Promise<void> {
    this.server = finding;
    this.engine.fail("network", atManifest);
    await this.pass(1500);
  }
}

describe("playback", () => {
  test("plays when the page opens, and says nothing", async (t) => {
    const stage = new Stage(t);
    assert.equal(stage.view.phase, "idle");
    stage.playback.play();
    assert.deepEqual([stage.view.phase, stage.view.isBusy], ["starting", true]);
    stage.ready();
    await stage.pass(10_000, "moves");
    const { phase, isBusy, message, waits, recoveries } = stage.view;
    assert.deepEqual([phase, isBusy, message, waits, recoveries], ["playing", false, null, 0, 0]);
    assert.deepEqual([stage.engines.length, stage.engine.startSeconds, stage.asked], [1, -1, 0]);
  });

  test("says that a stream is not on air, asks again, and starts by itself", async (t) => {
    const stage = new Stage(t);
    stage.playback.play();
    await stage.lose("waiting", true);
    assert.equal(stage.view.phase, "absent");
    assert.equal(stage.words, "pub/camera is not on air.");
    assert.equal(stage.view.message!.note, "the server's words");
    await stage.pass(58_500);
    assert.ok(stage.asked > 12 && stage.asked < 20, `asked ${stage.asked} times in a minute`);
    stage.server = "there";
    await stage.pass(5000);
    assert.equal(stage.view.phase, "starting");
    assert.equal(stage.words, "pub/camera is not on air.", "the words stay until there is a picture");
    stage.ready();
    assert.deepEqual([stage.view.phase, stage.words, stage.engines.length], ["playing", undefined, 2]);
    assert.deepEqual(stage.engines[0]!.calls, ["destroy"]);
  });

  test("lets the buffer play out before it says that the stream went away", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.server = "waiting";
    stage.engine.fail("network");
    await stage.pass(4000, "moves");
    assert.deepEqual([stage.view.phase, stage.words], ["absent", undefined]);
    await stage.pass(1500);
    assert.equal(stage.words, "pub/camera is not on air.");
  });

  test("comes back at the live edge", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    await stage.lose("waiting");
    stage.server = "there";
    await stage.pass(5000);
    assert.equal(stage.engine.startSeconds, -1);
    stage.ready();
    assert.equal(stage.view.phase, "playing");
  });

  test("goes on loading after a failure of the network that is over already", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.engine.fail("network");
    await stage.pass(250, "moves");
    assert.deepEqual(stage.engine.calls, ["resumeLoad"]);
    await stage.pass(1000, "moves");
    assert.deepEqual([stage.view.phase, stage.view.recoveries, stage.words], ["playing", 1, undefined]);
  });

  test("resumes three times a minute, then begins anew", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    for (let i = 0; i < 4; i++) {
      stage.engine.fail("network");
      await stage.pass(750, "moves");
    }
    assert.deepEqual(stage.engines[0]!.calls, ["resumeLoad", "resumeLoad", "resumeLoad", "destroy"]);
    assert.equal(stage.engines.length, 2);
  });

  test("recovers the decoder twice a minute, then begins anew", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    for (let i = 0; i < 3; i++) {
      stage.engine.fail("media");
      await stage.pass(750, "moves");
    }
    assert.deepEqual(stage.engines[0]!.calls, ["recoverMedia", "recoverMedia", "destroy"]);
    assert.equal(stage.engines.length, 2);
    stage.ready();
    await stage.pass(60_000, "moves");
    stage.engine.fail("media");
    assert.deepEqual(stage.engine.calls, ["recoverMedia"], "a minute later there is a new budget");
  });

  test("stops trying for half a minute when nothing helps, and says so", async (t) => {
    const stage = new Stage(t);
    stage.playback.play();
    for (let i = 0; i < 6; i++) {
      stage.engine.fail("other");
      await stage.pass(5000);
    }
    assert.deepEqual([stage.view.phase, stage.engines.length], ["broken", 6]);
    assert.equal(stage.words, "Playing pub/camera keeps failing.");
    await stage.pass(30_000);
    assert.deepEqual([stage.view.phase, stage.engines.length], ["starting", 7]);
  });

  test("a click on the button tries at once, with new budgets", async (t) => {
    const stage = new Stage(t);
    stage.playback.play();
    for (let i = 0; i < 6; i++) {
      stage.engine.fail("other");
      await stage.pass(5000);
    }
    stage.playback.retry();
    assert.equal(stage.view.phase, "starting");
    stage.engine.fail("other");
    await stage.pass(250);
    assert.equal(stage.view.phase, "starting");
  });

  for (const finding of ["refused", "rejected", "off", "unservable"] as const) {
    test(`asks only once when the stream is ${finding}, and again for a click`, async (t) => {
      const stage = new Stage(t);
      stage.playback.play();
      await stage.lose(finding, true);
      await stage.pass(60_000);
      assert.deepEqual([stage.asked, stage.view.message!.canRetry], [1, true]);
      stage.server = "there";
      stage.playback.retry();
      stage.ready();
      assert.equal(stage.view.phase, "playing");
    });
  }

  test("asks every other second while the first segments are being made, and says that it starts", async (t) => {
    const stage = new Stage(t);
    stage.playback.play();
    await stage.lose("starting", true);
    assert.equal(stage.words, "pub/camera is starting.");
    await stage.pass(30_000);
    assert.ok(stage.asked > 15 && stage.asked < 24, `asked ${stage.asked} times in half a minute`);
    stage.server = "there";
    await stage.pass(2000);
    stage.ready();
    assert.deepEqual([stage.view.phase, stage.words], ["playing", undefined]);
  });

  test("asks slowly about what is switched off, and starts when it is switched on", async (t) => {
    const stage = new Stage(t);
    stage.playback.play();
    await stage.lose("disabled", true);
    assert.equal(stage.words, "pub/camera is switched off.");
    await stage.pass(120_000);
    assert.ok(stage.asked > 4 && stage.asked < 10, `asked ${stage.asked} times in two minutes`);
    stage.server = "there";
    await stage.pass(30_000);
    assert.equal(stage.view.phase, "starting");
  });

  test("looks at once when the network is back", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.isOnline = false;
    await stage.lose("unreachable");
    assert.equal(stage.words, "This device is offline.");
    await stage.pass(20_000);
    const { asked } = stage;
    Object.assign(stage, { isOnline: true, server: "there" });
    stage.playback.poke();
    await stage.pass(250);
    assert.deepEqual([stage.asked, stage.view.phase], [asked + 1, "starting"]);
  });

  test("a live stream that ends is waited for; its old playlist is not its return", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.server = "ended";
    stage.video.tell("ended");
    await stage.pass(10_000);
    assert.deepEqual([stage.view.phase, stage.words], ["absent", "pub/camera has ended."]);
    stage.server = "there";
    await stage.pass(5000);
    assert.deepEqual([stage.view.phase, stage.engines.length], ["starting", 2]);
  });

  test("a live stream is over too when the browser waits for a last frame that never comes", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.server = "ended";
    stage.engine.isOver = true;
    await stage.pass(4000);
    assert.equal(stage.words, "pub/camera has ended.");
  });

  test("says why the picture stands", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    await stage.pass(4000);
    assert.equal(stage.words, "Waiting for pub/camera.");
    stage.engine.isGrowing = false;
    await stage.pass(500);
    assert.equal(stage.words, "Nothing new from pub/camera.");
    await stage.pass(120_000);
    assert.equal(stage.engines.length, 1, "a publisher's pause is no reason to begin anew");
    await stage.pass(1000, "moves");
    assert.equal(stage.words, undefined);
  });

  test("begins anew when the picture stands for twenty seconds while the stream grows", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    await stage.pass(20_000);
    assert.equal(stage.engines.length, 1);
    await stage.pass(1000);
    assert.equal(stage.engines.length, 2);
  });

  test("has patience from the moment on when the stream grows again", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.engine.isGrowing = false;
    await stage.pass(60_000);
    stage.engine.isGrowing = true;
    await stage.pass(19_000);
    assert.equal(stage.engines.length, 1);
    await stage.pass(2000);
    assert.equal(stage.engines.length, 2);
  });

  test("gives a start up that brings no picture: the engine, then its kind, then until a click", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    stage.playback.play();
    await stage.pass(14_500);
    assert.deepEqual([stage.engines.length, stage.kind], [1, 0]);
    await stage.pass(1500);
    assert.deepEqual([stage.engines.length, stage.kind], [2, 0], "another engine of the kind");
    await stage.pass(16_000);
    assert.deepEqual([stage.engines.length, stage.kind], [3, 1], "one of another kind");
    await stage.pass(16_000);
    assert.deepEqual([stage.view.phase, stage.view.message!.canRetry], ["broken", true]);
    stage.playback.retry();
    stage.ready();
    assert.deepEqual([stage.view.phase, stage.kind, stage.words], ["playing", 0, undefined]);
  });

  test("does not give a start up while the stream does not grow, or nobody is to see it", async (t) => {
    const stage = new Stage(t);
    stage.playback.play();
    stage.engine.isGrowing = false;
    await stage.pass(120_000);
    stage.engine.isGrowing = true;
    stage.isOnline = false;
    await stage.pass(60_000);
    assert.equal(stage.engines.length, 1);
  });

  test("begins anew when a jump to the live edge brought nothing", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.engine.edgeSeconds = 100;
    await stage.pass(7000);
    assert.equal(stage.video.currentTime, 100);
    await stage.pass(7000);
    assert.equal(stage.engines.length, 1);
    await stage.pass(2000);
    assert.equal(stage.engines.length, 2);
  });

  test("takes a new engine once the stream moves again, where the old one cannot go on", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    await stage.begin();
    stage.engine.canResume = false;
    stage.engine.fail("network");
    await stage.pass(8000);
    assert.deepEqual(
      [stage.view.phase, stage.words, stage.engines.length],
      ["absent", "Nothing new from pub/camera.", 1],
    );
    stage.newest = "2";
    await stage.pass(6000);
    assert.deepEqual([stage.view.phase, stage.engines.length, stage.kind], ["starting", 2, 0]);
    assert.deepEqual(stage.engines[0]!.calls, ["destroy"]);
    stage.ready();
    assert.deepEqual([stage.view.phase, stage.words], ["playing", undefined]);
  });

  test("takes a new engine after a media failure, where the old one cannot go on", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.engine.canResume = false;
    stage.engine.fail("media");
    await stage.pass(250);
    assert.deepEqual([stage.engines.length, stage.engines[0]!.calls], [2, ["destroy"]]);
  });

  test("keeps the picture of who has paused, though the stream has other tracks", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.playback.pause();
    stage.engine.isOutdated = true;
    await stage.pass(5000);
    assert.equal(stage.engines.length, 1);
    stage.playback.play();
    await stage.pass(500);
    assert.equal(stage.engines.length, 2);
  });

  test("does not take new engines for ever where the stream moves and each of them fails", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    stage.playback.play();
    for (let i = 0; i < 8 && stage.kind === 0; i++) {
      stage.engine.canResume = false;
      stage.engine.fail("network");
      await stage.pass(1000);
      stage.newest += "1";
      await stage.pass(3000);
    }
    assert.equal(stage.kind, 1);
  });

  test("takes a new engine where the stream has other tracks, and not without end", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    for (let i = 0; i < 4; i++) {
      stage.engine.isOutdated = true;
      await stage.pass(500, "moves");
      assert.equal(stage.engines.length, i + 2);
      stage.ready();
      await stage.pass(500, "moves");
    }
    stage.engine.isOutdated = true;
    await stage.pass(10_000, "moves");
    assert.deepEqual([stage.engines.length, stage.view.phase], [5, "playing"]);
  });

  test("jumps to the live edge when it is stuck far behind, and not again at once", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.engine.edgeSeconds = 100;
    await stage.pass(7000);
    assert.equal(stage.video.currentTime, 100);
    await stage.pass(2000, "moves");
    stage.engine.edgeSeconds = 200;
    await stage.pass(7000);
    assert.equal(stage.video.currentTime, 102, "stuck again, too soon");
    await stage.pass(8000);
    assert.deepEqual([stage.video.currentTime, stage.engines.length], [200, 1]);
  });

  test("does not jump while nothing comes, nor into what has just begun", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    Object.assign(stage.engine, { isGrowing: false, edgeSeconds: 100 });
    const { currentTime } = stage.video;
    await stage.pass(30_000);
    stage.engine.isGrowing = true;
    await stage.pass(5000);
    assert.equal(stage.video.currentTime, currentTime);
    await stage.pass(2000);
    assert.equal(stage.video.currentTime, 100);
  });
});

describe("a viewer", () => {
  test("who pauses is left alone, and goes on where he was or at the live edge", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.playback.pause();
    await stage.pass(120_000);
    assert.deepEqual([stage.video.paused, stage.words, stage.engines.length], [true, undefined, 1]);
    stage.engine.edgeSeconds = stage.video.currentTime + 9;
    stage.playback.play();
    const seen = () => [stage.view.behindSeconds, stage.video.paused, stage.view.isAtEdge];
    assert.deepEqual(seen(), [9, false, false]);
    stage.playback.pause();
    stage.engine.edgeSeconds += 60;
    stage.playback.play();
    assert.deepEqual(seen(), [0, false, true]);
  });

  test("who has chosen keeps it with every engine that follows", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    const choices: Engine["choices"] = [
      { kind: "quality", names: ["360p", "720p"], selected: -1 },
      { kind: "sound", names: ["English", "Suomi"], selected: 0 },
    ];
    stage.engine.choices = choices;
    stage.playback.choose("sound", 1);
    stage.playback.choose("quality", 1);
    stage.engine.isOutdated = true;
    await stage.pass(500);
    assert.equal(stage.engines.length, 2);
    await stage.pass(1000);
    assert.deepEqual(stage.engine.calls, [], "it does not know its tracks yet");
    stage.engine.choices = [choices[0]!, { kind: "sound", names: ["Suomi", "English"], selected: 1 }];
    await stage.pass(2000);
    assert.deepEqual(stage.engine.calls, ["choose quality 1", "choose sound 0"], "each is told once");
  });

  test("who comes back to a sleeping tab sees the live edge", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.isHidden = true;
    stage.video.pause();
    await stage.pass(600_000);
    assert.equal(stage.words, undefined);
    stage.isHidden = false;
    stage.engine.edgeSeconds = 600;
    stage.playback.poke();
    assert.deepEqual([stage.video.currentTime, stage.video.paused], [600, false]);
  });

  test("who paused finds the picture paused when he comes back to the tab", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.video.muted = false;
    stage.isHidden = true;
    stage.video.pause();
    stage.isHidden = false;
    stage.playback.poke();
    assert.equal(stage.video.paused, true);
  });

  test("who paused is not played to when the stream comes back", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    stage.playback.pause();
    await stage.lose("waiting");
    stage.server = "there";
    await stage.pass(5000);
    stage.ready();
    assert.deepEqual([stage.view.phase, stage.video.paused, stage.words], ["idle", true, undefined]);
    stage.playback.play();
    stage.video.tell("playing");
    assert.equal(stage.view.phase, "playing");
  });

  test("whose browser refuses sound gets the picture without", async (t) => {
    const stage = new Stage(t);
    Object.assign(stage.video, { muted: false, allows: "muted" });
    stage.playback.play();
    stage.engine.events.onReady();
    await stage.pass(250);
    assert.deepEqual([stage.video.muted, stage.video.paused, stage.view.phase], [true, false, "starting"]);
  });

  test("whose browser refuses to play gets a button", async (t) => {
    const stage = new Stage(t);
    stage.video.allows = "nothing";
    stage.playback.play();
    stage.engine.events.onReady();
    await stage.pass(30_000);
    assert.deepEqual([stage.view.phase, stage.words, stage.engines.length], ["idle", undefined, 1]);
    stage.video.allows = "all";
    stage.playback.play();
    stage.video.tell("playing");
    assert.equal(stage.view.phase, "playing");
  });

  test("without a decoder is told which, and sees the stream once it is another", async (t) => {
    const stage = new Stage(t);
    stage.codecs = ["hvc1.1.6.L93.B0", "avc1.42c01e"];
    stage.playback.play();
    stage.engine.fail("codec", true);
    await stage.pass(250);
    assert.equal(stage.words, "This browser cannot play pub/camera.");
    assert.match(stage.view.message!.detail, /no decoder for H\.265 \(HEVC\)\./);
    stage.server = "waiting";
    stage.codecs = [];
    await stage.pass(20_000);
    assert.equal(stage.words, "This browser cannot play pub/camera.");
    stage.server = "there";
    stage.codecs = ["avc1.42c01e"];
    await stage.pass(5000);
    stage.ready();
    assert.deepEqual([stage.view.phase, stage.words], ["playing", undefined]);
  });

  test("whose browser knows no HLS at all is told", async (t) => {
    const stage = new Stage(t);
    stage.hasEngine = false;
    stage.playback.play();
    await stage.pass(250);
    assert.deepEqual(
      [stage.view.phase, stage.words],
      ["unplayable", "This browser cannot play pub/camera."],
    );
  });
});

describe("a file", () => {
  function stageWithFile(t: test.TestContext): Stage {
    const stage = new Stage(t);
    stage.isLive = false;
    stage.server = "ended";
    return stage;
  }

  test("comes to its end, and plays again for a click", async (t) => {
    const stage = stageWithFile(t);
    await stage.begin();
    Object.assign(stage.video, { ended: true, paused: true });
    stage.video.tell("pause");
    stage.video.tell("ended");
    assert.deepEqual([stage.view.phase, stage.words], ["finished", undefined]);
    await stage.pass(60_000);
    stage.playback.play();
    assert.deepEqual([stage.view.phase, stage.engines.length, stage.video.paused], ["playing", 1, false]);
  });

  test("goes on where its last picture was, however often it fails on the way", async (t) => {
    const stage = stageWithFile(t);
    await stage.begin();
    stage.video.currentTime = 30;
    stage.engine.fail("other");
    await stage.pass(250);
    assert.equal(stage.engine.startSeconds, 30);
    stage.engine.fail("other");
    await stage.pass(5000);
    assert.deepEqual([stage.engines.length, stage.engine.startSeconds], [3, 30]);
  });

  test("goes on where it was when the server was away", async (t) => {
    const stage = stageWithFile(t);
    await stage.begin();
    stage.video.currentTime = 30;
    await stage.lose("unreachable");
    assert.equal(stage.words, "The server does not answer.");
    stage.server = "ended";
    await stage.pass(5000);
    assert.equal(stage.engine.startSeconds, 30);
  });
});

describe("the counters", () => {
  test("count what a viewer sees as a stall: not the start, not seeking, not a return", async (t) => {
    const stage = new Stage(t);
    stage.playback.play();
    stage.video.tell("waiting");
    stage.ready();
    stage.video.seeking = true;
    stage.video.tell("waiting");
    stage.video.seeking = false;
    assert.equal(stage.view.waits, 0);
    stage.video.tell("waiting");
    assert.deepEqual([stage.view.waits, stage.view.isBusy], [1, true]);
    stage.video.tell("playing");
    assert.equal(stage.view.isBusy, false);
    await stage.lose("waiting");
    stage.server = "there";
    await stage.pass(5000);
    stage.video.tell("waiting");
    stage.ready();
    assert.equal(stage.view.waits, 1);
  });

  test("count what hls.js calls a stall", async (t) => {
    const stage = new Stage(t);
    await stage.begin();
    for (const detail of ["bufferStalledError", "fragLoadError", "bufferStalledError"]) {
      stage.engine.events.onTrouble(detail);
    }
    assert.equal(stage.view.bufferStalls, 2);
  });
});

test("no order of events leads where no way leads, and the stream plays in the end", async (t) => {
  const findings: Finding[] = [
    "there",
    "ended",
    "waiting",
    "starting",
    "disabled",
    "refused",
    "failing",
    "unreachable",
  ];
  const kinds = ["network", "media", "codec", "other"] as const;
  let seed = 5;
  const random = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below;
  for (let walk = 0; walk < 60; walk++) {
    await t.test(`walk ${walk}`, async (step) => {
      const stage = new Stage(step);
      stage.isLive = walk % 2 === 0;
      const acts: (() => unknown)[] = [
        () => stage.playback.play(),
        () => stage.playback.pause(),
        () => stage.playback.retry(),
        () => stage.playback.seekToLive(),
        () => stage.playback.poke(),
        () => (stage.server = findings[random(findings.length)]!),
        () => stage.engines.at(-1)?.fail(kinds[random(kinds.length)]!, random(2) === 0),
        () => stage.engines.length > 0 && stage.playback.view.phase !== "broken" && stage.ready(),
        () => stage.video.tell(["waiting", "playing", "pause", "ended", "seeked"][random(5)]!),
        () => (stage.isHidden = random(2) === 0),
        () => (stage.video.allows = (["all", "muted", "nothing"] as const)[random(3)]!),
      ];
      for (let i = 0; i < 40; i++) {
        acts[random(acts.length)]!();
        await stage.pass(random(3) * 1000, random(2) === 0 ? "moves" : "stands");
      }
      Object.assign(stage, { server: "there", isHidden: false, codecs: [] });
      stage.video.allows = "all";
      stage.playback.retry();
      stage.ready();
      await stage.pass(2000, "moves");
      assert.equal(stage.view.phase, "playing");
    });
  }
});

describe("other kinds of players", () => {
  test("are tried where one has no decoder", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    stage.playback.play();
    stage.engine.fail("codec", true);
    assert.deepEqual([stage.kind, stage.engines.length, stage.view.phase], [1, 2, "starting"]);
    stage.engine.fail("codec", true);
    await stage.pass(500);
    assert.deepEqual([stage.kind, stage.view.phase], [1, "unplayable"]);
  });

  test("are tried where one fails twice", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    stage.playback.play();
    stage.engine.fail("other");
    await stage.pass(250);
    assert.equal(stage.kind, 0, "once is an accident");
    stage.engine.fail("other");
    await stage.pass(1500);
    assert.deepEqual([stage.kind, stage.engines.length], [1, 3]);
  });

  test("are tried where the server has the stream, and one finds no beginning twice", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    stage.playback.play();
    stage.engine.fail("network", true);
    await stage.pass(500);
    stage.engine.fail("network", true);
    await stage.pass(1500);
    assert.deepEqual([stage.kind, stage.engines.length, stage.view.phase], [1, 3, "starting"]);
  });

  test("are tried at once where the server has switched one off", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    stage.playback.play();
    await stage.lose("off", true);
    assert.deepEqual([stage.kind, stage.words], [1, undefined]);
    await stage.lose("off", true);
    assert.equal(stage.words, "pub/camera cannot be played on this page.");
  });

  test("take over from one that stalls again and again, and not from the last", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    await stage.begin();
    const stall = async (): Promise<void> => {
      stage.video.tell("waiting");
      await stage.pass(1000, "moves");
      stage.video.tell("playing");
    };
    for (let i = 0; i < 4; i++) await stall();
    await stage.pass(9000, "moves");
    assert.equal(stage.kind, 0);
    await stall();
    await stage.pass(9000, "moves");
    assert.deepEqual([stage.kind, stage.engines.length], [1, 2]);
    stage.ready();
    for (let i = 0; i < 8; i++) await stall();
    await stage.pass(9000, "moves");
    assert.deepEqual([stage.kind, stage.engines.length], [1, 2]);
  });

  test("do not take over because the publisher paused, however often", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    await stage.begin();
    for (let i = 0; i < 8; i++) {
      stage.video.tell("waiting");
      await stage.pass(2000);
      if (i % 2 === 0) stage.engine.breaks++;
      else stage.engine.isGrowing = false;
      await stage.pass(500);
      stage.engine.isGrowing = true;
      stage.video.tell("playing");
      stage.video.tell("waiting");
      await stage.pass(500, "moves");
      stage.video.tell("playing");
      await stage.pass(9000, "moves");
    }
    assert.deepEqual([stage.kind, stage.engines.length], [0, 1]);
  });

  test("do not take a file over from one that stalls: it plays as calmly as they do", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    await stage.begin();
    stage.engine.isLive = false;
    for (let i = 0; i < 8; i++) {
      stage.video.tell("waiting");
      await stage.pass(1000, "moves");
      stage.video.tell("playing");
    }
    assert.deepEqual([stage.kind, stage.engines.length], [0, 1]);
  });

  test("make room for the first when the stream returns, and when the viewer tries again", async (t) => {
    const stage = new Stage(t);
    stage.kinds = 2;
    stage.playback.play();
    stage.engine.fail("codec", true);
    assert.equal(stage.kind, 1);
    await stage.lose("waiting");
    stage.server = "there";
    await stage.pass(5000);
    assert.equal(stage.kind, 0);
    stage.kind = 1;
    stage.playback.retry();
    assert.equal(stage.kind, 0);
  });
});

test("the delay is that of the picture against the server's clock, of a live stream only", async (t) => {
  const stage = new Stage(t);
  await stage.begin();
  assert.equal(stage.view.delaySeconds, null);
  stage.engine.pictureTimeMs = 98_500;
  assert.equal(stage.view.delaySeconds, 1.5);
  stage.engine.pictureTimeMs = 100_500;
  assert.equal(stage.view.delaySeconds, 0, "a clock that is a little off makes no picture of the future");
  stage.engine.isLive = false;
  assert.equal(stage.view.delaySeconds, null);
});

test("what a viewer chooses goes to the engine", async (t) => {
  const stage = new Stage(t);
  await stage.begin();
  stage.playback.choose("sound", 1);
  assert.deepEqual(stage.engine.calls, ["choose sound 1"]);
});
