import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { Hover } from "./hover.js";
import { Recording } from "./recording.js";
import { Scale } from "./scale.js";

/** An element as far as the card needs one. */
class Element extends EventTarget {
  hidden = true;
  src = "";
  textContent = "";
  readonly style = { setProperty: (): void => {} };

  removeAttribute(): void {
    this.src = "";
  }

  load(): void {}
}

/** A card, and the server that it asks. */
class Bench {
  status = 404;
  readonly asked: string[] = [];
  readonly picture = new Element();
  readonly keyFrame = new Element();
  readonly hover: Hover;

  constructor() {
    const { picture, keyFrame } = this;
    const parts = { hover: new Element(), picture, keyFrame, hoverTime: new Element() };
    this.hover = new Hover(parts as never, {
      words: String,
      pictureUrl: (timeMs) => `${timeMs}.jpg`,
      keyFrameUrl: (timeMs) => `${timeMs}.mp4`,
      statusOf: (url) => {
        this.asked.push(url);
        return Promise.resolve(this.status);
      },
    });
  }

  point(timeMs: number | null): void {
    const recording = new Recording([{ fromMs: 0, toMs: 100_000 }]);
    this.hover.show(timeMs, 0.5, new Scale(0, 120_000), recording);
  }
}

describe("what stands above the timeline", () => {
  test("is a picture when it has come, and none where nothing is recorded", async () => {
    const bench = new Bench();
    bench.point(50_000);
    await eventually(() => assert.equal(bench.picture.src, "50000.jpg"));
    assert.equal(bench.picture.hidden, true);
    bench.picture.dispatchEvent(new Event("load"));
    assert.equal(bench.picture.hidden, false);
    bench.point(110_000);
    assert.deepEqual([bench.picture.src, bench.picture.hidden, bench.keyFrame.src], ["", true, ""]);
  });

  test("is the key frame where the server makes no pictures", async () => {
    const bench = new Bench();
    bench.status = 501;
    bench.point(50_000);
    await eventually(() => assert.equal(bench.picture.src, "50000.jpg"));
    bench.picture.dispatchEvent(new Event("error"));
    await eventually(() => assert.equal(bench.keyFrame.src, "50000.mp4"));
    bench.keyFrame.dispatchEvent(new Event("loadeddata"));
    assert.deepEqual([bench.keyFrame.hidden, bench.picture.hidden], [false, true]);
    bench.point(60_000);
    await eventually(() => assert.equal(bench.keyFrame.src, "60000.mp4"));
    bench.keyFrame.dispatchEvent(new Event("error"));
    assert.equal(bench.keyFrame.hidden, true);
    bench.point(110_000);
    assert.deepEqual([bench.keyFrame.src, bench.asked], ["", ["50000.jpg"]]);
  });

  test("is a picture again after one that was not there", async () => {
    const bench = new Bench();
    bench.point(50_000);
    await eventually(() => assert.equal(bench.picture.src, "50000.jpg"));
    bench.picture.dispatchEvent(new Event("error"));
    await eventually(() => assert.equal(bench.asked.length, 1));
    bench.point(60_000);
    await eventually(() => assert.equal(bench.picture.src, "60000.jpg"));
    assert.equal(bench.keyFrame.src, "");
  });
});
