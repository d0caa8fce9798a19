import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clipBefore, clipResource, moveEnd } from "./clip.js";

const bounds = { fromMs: 1_000_000, toMs: 2_000_000, mostMs: 600_000 };

describe("a clip", () => {
  test("begins with what came before the picture", () => {
    assert.deepEqual(clipBefore(1_500_400, 60_000, bounds), { fromMs: 1_470_000, toMs: 1_500_000 });
  });

  test("begins within what is recorded", () => {
    assert.deepEqual(clipBefore(1_000_000, 60_000, bounds), { fromMs: 1_000_000, toMs: 1_030_000 });
    assert.deepEqual(clipBefore(9_000_000, 60_000, bounds), { fromMs: 1_970_000, toMs: 2_000_000 });
    const little = { fromMs: 5000, toMs: 9000, mostMs: 600_000 };
    assert.deepEqual(clipBefore(6000, 60_000, little), { fromMs: 5000, toMs: 9000 });
  });

  test("is never longer than it may be", () => {
    const short = { ...bounds, mostMs: 10_000 };
    const clip = clipBefore(1_500_000, 60_000, short);
    assert.equal(clip.toMs - clip.fromMs, 10_000);
    assert.deepEqual(moveEnd(clip, "from", 1_400_000, short), { fromMs: 1_400_000, toMs: 1_410_000 });
    assert.deepEqual(moveEnd(clip, "to", 1_600_000, short), { fromMs: 1_590_000, toMs: 1_600_000 });
  });

  test("has ends that push each other, and stay within what is recorded", () => {
    const clip = { fromMs: 1_400_000, toMs: 1_500_000 };
    assert.deepEqual(moveEnd(clip, "from", 1_600_000, bounds), { fromMs: 1_600_000, toMs: 1_601_000 });
    assert.deepEqual(moveEnd(clip, "to", 1_300_000, bounds), { fromMs: 1_299_000, toMs: 1_300_000 });
    assert.deepEqual(moveEnd(clip, "from", 0, bounds), { fromMs: 1_000_000, toMs: 1_500_000 });
    assert.deepEqual(moveEnd(clip, "to", 9e9, bounds), { fromMs: 1_400_000, toMs: 2_000_000 });
  });

  test("has a file of whole seconds", () => {
    assert.equal(clipResource({ fromMs: 1_470_000, toMs: 1_500_000 }), "archive-1470-30.mp4");
  });
});
