import assert from "node:assert/strict";
import { test } from "node:test";
import { rescueOf } from "./rescue.js";
import type { StandFacts } from "./rescue.js";

const CALM: StandFacts = {
  phase: "playing",
  stuckMs: 0,
  growingMs: Infinity,
  jumpedMs: Infinity,
  isLive: true,
  isOver: false,
  isFarBehind: false,
};
const START: Partial<StandFacts> = { phase: "starting" };

const cases: [name: string, facts: Partial<StandFacts>, rescue: ReturnType<typeof rescueOf>][] = [
  ["a picture that moves is let be", {}, "wait"],
  ["a live picture has twenty seconds", { stuckMs: 20_000 }, "wait"],
  ["a live picture that stands longer is begun anew", { stuckMs: 20_001 }, "anew"],
  ["unless nothing comes", { stuckMs: 90_000, growingMs: 0 }, "wait"],
  ["or came until a moment ago", { stuckMs: 90_000, growingMs: 20_000 }, "wait"],
  ["a file has a minute", { stuckMs: 60_000, isLive: false }, "wait"],
  ["a file that stands longer is begun anew", { stuckMs: 60_001, isLive: false }, "anew"],
  ["the end of a live stream is its end", { stuckMs: 2001, isOver: true }, "over"],
  ["a picture far behind jumps", { stuckMs: 6001, isFarBehind: true }, "jump"],
  ["not again at once", { stuckMs: 9000, isFarBehind: true, jumpedMs: 14_000 }, "wait"],
  ["not while nothing comes", { stuckMs: 30_000, isFarBehind: true, growingMs: 0 }, "wait"],
  ["nor just after that", { stuckMs: 30_000, isFarBehind: true, growingMs: 6000 }, "wait"],
  ["a jump has eight seconds", { stuckMs: 14_000, jumpedMs: 8000 }, "wait"],
  ["a jump in vain is the engine's last", { stuckMs: 14_100, jumpedMs: 8100 }, "anew"],
  ["a jump of long ago says nothing", { stuckMs: 8900, jumpedMs: 10_000 }, "wait"],
  ["a jump while nothing comes says nothing", { stuckMs: 14_100, jumpedMs: 8100, growingMs: 0 }, "wait"],
  ["a live start has fifteen seconds", { ...START, stuckMs: 15_000 }, "wait"],
  ["a live start that takes longer is begun anew", { ...START, stuckMs: 15_001 }, "anew"],
  ["a start of what nobody knows has thirty", { ...START, stuckMs: 30_000, isLive: null }, "wait"],
  ["and not more", { ...START, stuckMs: 30_001, isLive: null }, "anew"],
  ["a start neither jumps nor ends", { ...START, stuckMs: 9000, isFarBehind: true, isOver: true }, "wait"],
];
for (const [name, facts, rescue] of cases) {
  test(name, () => assert.equal(rescueOf({ ...CALM, ...facts }), rescue));
}
