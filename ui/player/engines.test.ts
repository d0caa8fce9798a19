import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineOptions, Failure, HlsClass } from "./engines.js";
import { createEngine } from "./engines.js";

/** A video element as far as engines use it. */
class FakeVideo extends EventTarget {
  src = "";
  readyState = 0;
  duration = NaN;
  currentTime = 0;
  error: { code: number } | null = null;
  seekable = { length: 1, end: () => 42 };
  nativeHls = "";
  loads = 0;
  canPlayType(): string {
    return this.nativeHls;
  }
  removeAttribute(): void {
    this.src = "";
  }
  load(): void {
    this.loads++;
  }
}

type Listener = (event: string, data: unknown) => void;

/** hls.js as far as the engine uses it: what it is told is kept, what it tells is told by the test. */
class FakeHls {
  static Events = {
    MANIFEST_PARSED: "parsed",
    LEVEL_UPDATED: "level",
    BUFFER_CREATED: "buffers",
    ERROR: "error",
  };
  static supported = true;
  static isSupported(): boolean {
    return FakeHls.supported;
  }
  static last: FakeHls;
  readonly calls: string[] = [];
  readonly listeners = new Map<string, Listener>();
  readonly config: unknown;
  liveSyncPosition = 12;
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

function make(t: test.TestContext, hls: "supported" | "unsupported" | "absent", nativeHls = "") {
  FakeHls.supported = hls === "supported";
  const video = Object.assign(new FakeVideo(), { nativeHls });
  const heard: (string | Failure)[] = [];
  const options: EngineOptions = {
    video: video as unknown as HTMLVideoElement,
    url: "http://host/a/index.m3u8",
    startSeconds: 7,
    events: {
      onReady: () => heard.push("ready"),
      onFailure: (failure) => heard.push(failure),
      onTrouble: (detail) => heard.push(detail),
    },
  };
  const engine = createEngine(options, hls === "absent" ? undefined : (FakeHls as unknown as HlsClass));
  t.after(() => (FakeHls.supported = true));
  return { engine: engine!, video, heard };
}

const details = (live: boolean, age = 0) => ({ details: { live, age, targetduration: 4 } });

test("hls.js plays where it can, from where it is told", (t) => {
  const { engine, heard } = make(t, "supported", "maybe");
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

test("a live stream is known by its playlist, and so are its pauses and its end", (t) => {
  const { engine } = make(t, "supported");
  const facts = () => [engine.isLive, engine.isGrowing, engine.isOver, engine.edgeSeconds];
  assert.deepEqual(facts(), [null, true, false, null]);
  FakeHls.last.tell("level", details(true));
  assert.deepEqual(facts(), [true, true, false, 12]);
  FakeHls.last.tell("level", details(true, 12));
  assert.deepEqual(facts(), [true, false, false, 12]);
  FakeHls.last.tell("level", details(false, 99));
  assert.deepEqual(facts(), [true, true, true, 12]);
});

test("a file is not live and has no edge", (t) => {
  const { engine } = make(t, "supported");
  FakeHls.last.tell("level", details(false));
  assert.deepEqual([engine.isLive, engine.isOver, engine.edgeSeconds], [false, false, null]);
});

test("whether there is sound is known from the buffers", (t) => {
  const { engine } = make(t, "supported");
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
  test(`a fatal ${detail} is a ${kind} failure`, (t) => {
    const { heard } = make(t, "supported");
    FakeHls.last.tell("error", { type, details: detail, fatal: true });
    assert.deepEqual(heard, [{ kind, isAtManifest, detail }]);
  });
}

test("what hls.js mends by itself is no failure", (t) => {
  const { heard } = make(t, "supported");
  FakeHls.last.tell("error", { type: "mediaError", details: "bufferStalledError", fatal: false });
  assert.deepEqual(heard, ["bufferStalledError"]);
});

for (const hls of ["unsupported", "absent"] as const) {
  test(`with hls.js ${hls} the browser's own HLS plays`, (t) => {
    const { engine, video, heard } = make(t, hls, "maybe");
    assert.equal(video.src, "http://host/a/index.m3u8");
    assert.equal(engine.isLive, null);
    Object.assign(video, { readyState: 1, duration: Infinity });
    video.dispatchEvent(new Event("loadedmetadata"));
    assert.deepEqual([heard.shift(), video.currentTime], ["ready", 7]);
    assert.deepEqual([engine.isLive, engine.edgeSeconds, engine.hls], [true, 42, null]);
    for (const code of [2, 3, 4]) {
      video.error = { code };
      video.dispatchEvent(new Event("error"));
    }
    assert.deepEqual(
      heard.map((failure) =>
        typeof failure === "string" ? failure : [failure.kind, failure.isAtManifest],
      ),
      [
        ["network", false],
        ["media", false],
        ["network", true],
      ],
    );
    video.src = "";
    engine.resumeLoad();
    assert.equal(video.src, "http://host/a/index.m3u8");
    engine.destroy();
    video.dispatchEvent(new Event("error"));
    assert.deepEqual([heard.length, video.src, video.loads], [3, "", 1]);
  });
}

test("without any HLS there is no engine", (t) => assert.equal(make(t, "absent").engine, null));
