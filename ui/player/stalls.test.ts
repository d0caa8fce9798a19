import assert from "node:assert/strict";
import { test } from "node:test";
import { Stalls } from "./stalls.js";

const CALM = { waits: 0, breaks: 0, isGrowing: true, nowMs: 0 };

test("a stall counts once, when nothing has excused it for eight seconds", () => {
  const stalls = new Stalls(3);
  assert.equal(stalls.look({ ...CALM, waits: 3 }), 0, "what was before is not its own");
  assert.equal(stalls.look({ ...CALM, waits: 5 }), 0);
  assert.equal(stalls.look({ ...CALM, waits: 5, nowMs: 7999 }), 0);
  assert.equal(stalls.look({ ...CALM, waits: 5, nowMs: 8000 }), 2);
  assert.equal(stalls.look({ ...CALM, waits: 5, nowMs: 20_000 }), 0);
});

test("a pause of the stream excuses the stalls just before it, in it and just after it", () => {
  for (const pause of [{ isGrowing: false }, { breaks: 1 }]) {
    const after = { ...CALM, breaks: pause.breaks ?? 0 };
    const stalls = new Stalls(0);
    stalls.look(CALM);
    stalls.look({ ...CALM, waits: 1, nowMs: 1000 });
    stalls.look({ ...CALM, waits: 2, nowMs: 4000, ...pause });
    stalls.look({ ...after, waits: 3, nowMs: 8900 });
    assert.equal(stalls.look({ ...after, waits: 3, nowMs: 30_000 }), 0);
    stalls.look({ ...after, waits: 4, nowMs: 31_000 });
    assert.equal(stalls.look({ ...after, waits: 4, nowMs: 40_000 }), 1, "later ones count");
  }
});

test("stalls without number are kept up to a bound", () => {
  const stalls = new Stalls(0);
  stalls.look({ ...CALM, waits: 100_000 });
  assert.equal(stalls.look({ ...CALM, waits: 100_000, nowMs: 8000 }), 16);
});
