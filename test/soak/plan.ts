/** Who comes when, and how they behave: all of it follows from a seed, whatever the machine's timing is. */
import { Random } from "../fuzz/random.ts";

/** How many of each there are at a time, and how wild they are. */
export type Crowd = {
  readonly publishers: number;
  readonly viewers: number;
  readonly intruders: number;
  /** Connections a second that are opened and dropped at once. */
  readonly churnPerSecond: number;
};

/** The crowd that the soak is named for. */
export const CROWD: Crowd = { publishers: 50, viewers: 500, intruders: 20, churnPerSecond: 20 };

/** How a client goes: with a word, with a TCP reset, or by falling silent until it is thrown out. */
export type Leaving = "polite" | "reset" | "freeze";

/** One appearance of a publisher. */
export type PublisherLife = {
  readonly pauseMs: number;
  readonly lifeMs: number;
  readonly leaving: Leaving;
  /** Which stream it publishes: its own, or now and then one that is another publisher's. */
  readonly stream: number;
};

/** How a viewer gets its media. */
export type ViewerKind = "rtmp" | "flv" | "hls";

/** A stretch in which a viewer does not read. */
export type Stall = {
  readonly afterMs: number;
  /** `null`: it never reads again. */
  readonly lastsMs: number | null;
};

/** One appearance of a viewer. */
export type ViewerLife = {
  readonly pauseMs: number;
  readonly lifeMs: number;
  readonly leaving: Leaving;
  readonly stream: number;
  readonly kind: ViewerKind;
  readonly stall: Stall | null;
};

/** One appearance of somebody who means no good. */
export type IntruderLife = {
  readonly pauseMs: number;
  /** How long it holds on when the server lets it. */
  readonly holdMs: number;
  /** An index that is taken modulo the number of attacks. */
  readonly attack: number;
  readonly seed: number;
};

/** Lives of all roles, one after the other, without end. */
export type Plan = {
  readonly seed: number;
  readonly crowd: Crowd;
  publisher(slot: number): Generator<PublisherLife, never>;
  viewer(slot: number): Generator<ViewerLife, never>;
  intruder(slot: number): Generator<IntruderLife, never>;
};

/** Makes the plan of a seed. Every slot draws from random numbers of its own, so no slot's timing changes another's. */
export function makePlan(seed: number, crowd: Crowd = CROWD): Plan {
  return {
    seed,
    crowd,
    publisher: (slot) => publisherLives(slotRandom(seed, 1, slot), slot, crowd),
    viewer: (slot) => viewerLives(slotRandom(seed, 2, slot), slot, crowd),
    intruder: (slot) => intruderLives(slotRandom(seed, 3, slot)),
  };
}

function slotRandom(seed: number, role: number, slot: number): Random {
  return new Random(
    Math.imul(seed, 0x9e3779b1) ^ Math.imul(role, 0x85ebca6b) ^ Math.imul(slot + 1, 0xc2b2ae35),
  );
}

function* publisherLives(random: Random, slot: number, crowd: Crowd): Generator<PublisherLife, never> {
  for (;;) {
    yield {
      pauseMs: between(random, 200, 4000),
      lifeMs: between(random, 5000, 60_000),
      leaving: random.pick(["polite", "polite", "reset", "freeze"] as const),
      stream: random.oneIn(12) ? random.below(crowd.publishers) : slot,
    };
  }
}

function* viewerLives(random: Random, slot: number, crowd: Crowd): Generator<ViewerLife, never> {
  // Not all at once: half a thousand connections in one moment are a test of its own, which the churn is.
  let pauseMs = between(random, 0, 8000);
  for (;;) {
    yield {
      pauseMs,
      lifeMs: between(random, 3000, 45_000),
      leaving: random.pick(["polite", "reset"] as const),
      stream: random.below(crowd.publishers),
      kind: random.pick(["rtmp", "rtmp", "rtmp", "flv", "hls"] as const),
      // Even slots stall in every life: so half of those who watch at any time are of that kind.
      stall: slot % 2 === 0 ? stallOf(random) : null,
    };
    pauseMs = between(random, 100, 3000);
  }
}

function stallOf(random: Random): Stall {
  const afterMs = between(random, 500, 6000);
  return { afterMs, lastsMs: random.oneIn(3) ? null : between(random, 1000, 12_000) };
}

function* intruderLives(random: Random): Generator<IntruderLife, never> {
  for (;;) {
    yield {
      pauseMs: between(random, 50, 1500),
      holdMs: between(random, 100, 6000),
      attack: random.below(2 ** 16),
      seed: random.next(),
    };
  }
}

function between(random: Random, least: number, most: number): number {
  return least + random.below(most - least + 1);
}
