import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../player/engines.js";
import { NativeEngine } from "./native-engine.js";

/** A video element as far as engines use it. */
class FakeVideo extends EventTarget {
  src = "";
  readyState = 0;
  duration = NaN;
  currentTime = 0;
  error: { code: number } | null = null;
  seekable = { length: 1, end: () => 42 };
  loads = 0;
  removeAttribute(): void {
    this.src = "";
  }
  load(): void {
    this.loads++;
  }
}

test("the browser's own HLS plays, and its failures are told apart", () => {
  const video = new FakeVideo();
  const heard: (string | Failure)[] = [];
  const engine = new NativeEngine({
    video: video as unknown as HTMLVideoElement,
    url: "http://host/a/index.m3u8",
    startSeconds: 7,
    events: {
      onReady: () => heard.push("ready"),
      onFailure: (failure) => heard.push(failure),
      onTrouble: (detail) => heard.push(detail),
    },
  });
  assert.equal(video.src, "http://host/a/index.m3u8");
  assert.equal(engine.isLive, null);
  Object.assign(video, { readyState: 1, duration: Infinity });
  video.dispatchEvent(new Event("loadedmetadata"));
  assert.deepEqual([heard.shift(), video.currentTime], ["ready", 7]);
  assert.deepEqual(
    [engine.isLive, engine.edgeSeconds, engine.hls, engine.pictureTimeMs],
    [true, 42, null, null],
  );
  for (const code of [2, 3, 4]) {
    video.error = { code };
    video.dispatchEvent(new Event("error"));
  }
  assert.deepEqual(
    heard.map((failure) => (typeof failure === "string" ? failure : [failure.kind, failure.isAtManifest])),
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
