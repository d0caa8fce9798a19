/**
 * Leases under every order of events: two processes in all orders of their steps on the volume, and three in random ones,
 * with steps that fail, answers that come late or never, processes that die, sleep and come back, and time that passes
 * in between. At no moment may two of them write.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../test/fuzz/random.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryVolume, systemError } from "../../../test/support/memory-volume.ts";
import type { StepFault, VolumeStep } from "../../../test/support/memory-volume.ts";
import type { Clock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { WriterLeases } from "./writer-lease.ts";
import type { WriterLease } from "./writer-lease.ts";
import { writeClaimRecord } from "./writer-records.ts";

const ROOT = "/archive";
const STREAM = "one";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Something that a process waits for: that a step takes effect, or that it hears of it. */
type Pending = {
  readonly process: Process;
  readonly what: "effect" | "answer";
  readonly step: VolumeStep;
  readonly go: (fault?: StepFault) => void;
  readonly fail: (error: Error) => void;
};

class Process {
  readonly world: World;
  readonly name: string;
  readonly pod: string;
  readonly leases: WriterLeases;
  lease: WriterLease | null = null;
  state: "awake" | "asleep" | "dead" = "awake";
  readonly #overdue: (() => void)[] = [];

  constructor(world: World, name: string, pod: string) {
    this.world = world;
    this.name = name;
    this.pod = pod;
    let writers = 0;
    const { clock, volume } = world;
    const own: Clock = {
      nowUs: () => clock.nowUs(),
      wallUs: () => clock.wallUs(),
      schedule: (delayMs, run) => clock.schedule(delayMs, () => this.#onTimer(run)),
    };
    this.leases = new WriterLeases({
      root: ROOT,
      files: volume.seenBy({
        before: (step) => world.effect(this, step),
        after: (step) => world.answer(this, step),
      }),
      clock: own,
      logger: silentLogger,
      identity: { host: name, pod, machine: "", pid: 1, birth: name },
      isGone: (other) => world.isDead(other.host) && other.pod === pod,
      newWriter: () => `writer-${name}-${++writers}`,
    });
  }

  claim(): void {
    this.lease ??= this.leases.claim(STREAM, { onHeld: () => {}, onLost: () => {} });
  }

  release(): void {
    void this.lease?.release();
    this.lease = null;
  }

  /** Timers that came while it slept, in their order, and at their leisure. */
  runOverdue(): void {
    for (const run of this.#overdue.splice(0)) run();
  }

  #onTimer(run: () => void): void {
    if (this.state === "awake" && this.#overdue.length === 0) run();
    else if (this.state !== "dead") this.#overdue.push(run);
  }
}

class World {
  readonly clock = new FakeClock();
  readonly volume = new MemoryVolume();
  readonly processes: Process[] = [];
  pending: Pending[] = [];
  /** Steps that wait to be chosen; the others happen at once. */
  isChosen: (step: VolumeStep) => boolean = () => false;
  hasLateAnswers = false;

  constructor() {
    this.volume.folders.add(ROOT);
  }

  start(pod = ""): Process {
    const process = new Process(this, `process-${this.processes.length}`, pod);
    this.processes.push(process);
    return process;
  }

  isDead(name: string): boolean {
    return this.processes.some((process) => process.name === name && process.state === "dead");
  }

  effect(process: Process, step: VolumeStep): Promise<StepFault | void> | void {
    // It asked for nothing more.
    if (process.state === "dead") return new Promise(() => {});
    if (!this.isChosen(step)) return;
    return new Promise((go, fail) => this.pending.push({ process, what: "effect", step, go, fail }));
  }

  answer(process: Process, step: VolumeStep): Promise<void> | void {
    // What a dead process asked for may still happen, but it does not hear of it.
    if (process.state === "dead") return new Promise(() => {});
    if (!this.hasLateAnswers || !this.isChosen(step)) return;
    return new Promise((go, fail) =>
      this.pending.push({ process, what: "answer", step, go: () => go(), fail }),
    );
  }

  take(pending: Pending): void {
    this.pending = this.pending.filter((other) => other !== pending);
  }

  writers(): string[] {
    return this.processes
      .filter(({ state, lease }) => state !== "dead" && lease?.mayWrite() === true)
      .map(({ name }) => name);
  }

  checkOneWriter(trail: readonly string[]): void {
    const writers = this.writers();
    assert.ok(writers.length <= 1, `${writers.join(" and ")} may write, after\n${trail.join("\n")}`);
  }

  /** Everything works again: one of those who want to write may. */
  async checkOneIsLeft(trail: readonly string[], withinSeconds: number): Promise<void> {
    this.isChosen = () => false;
    for (const process of this.processes) if (process.state === "asleep") process.state = "awake";
    for (const { go } of this.pending.splice(0)) go();
    for (const process of this.processes) if (process.state === "awake") process.runOverdue();
    for (let second = 0; second < withinSeconds; second++) {
      await settled();
      this.checkOneWriter(trail);
      this.clock.advance(1000);
    }
    await settled();
    assert.equal(this.writers().length, 1, `nobody may write, after\n${trail.join("\n")}`);
  }
}

/** Runs a scenario once for each order of the steps that are chosen. Returns: how many there are. */
async function inEveryOrder(scenario: () => Promise<World>): Promise<number> {
  let [runs, choices]: [number, number[]] = [0, []];
  for (;;) {
    const options: number[] = [];
    const world = await scenario();
    const trail: string[] = [];
    for (;;) {
      await settled();
      world.checkOneWriter(trail);
      if (world.pending.length === 0) break;
      const choice = choices[options.length] ?? 0;
      options.push(world.pending.length);
      choices[options.length - 1] = choice;
      const pending = world.pending[choice]!;
      trail.push(`${pending.process.name} ${pending.step.kind} ${pending.step.path}`);
      world.take(pending);
      pending.go();
    }
    await world.checkOneIsLeft(trail, 11);
    runs++;
    let last = options.length - 1;
    while (last >= 0 && choices[last]! + 1 >= options[last]!) last--;
    if (last < 0) return runs;
    choices = [...choices.slice(0, last), choices[last]! + 1];
  }
}

/** Two processes that give signs of life already; from now on the steps of claims are chosen. */
async function twoAwake(): Promise<World> {
  const world = new World();
  for (const process of [world.start(), world.start()])
    process.leases.claim(`warm-up-${process.name}`, { onHeld: () => {}, onLost: () => {} });
  await settled();
  world.isChosen = ({ kind, path }) =>
    !path.includes("warm-up") && kind !== "makeFolder" && kind !== "remove";
  return world;
}

describe("two processes that claim a stream, in every order of their steps", () => {
  const before = {
    "nobody wrote before": null,
    "the last writer gave it back": { writer: "writer-before", isReleased: true },
    "the last writer is gone": { writer: "writer-before", isReleased: false },
  };
  for (const [name, claim] of Object.entries(before)) {
    test(`where ${name}`, async () => {
      const runs = await inEveryOrder(async () => {
        const world = await twoAwake();
        if (claim !== null)
          world.volume.put(
            `${ROOT}/${STREAM}/.writer/3`,
            writeClaimRecord({ host: "x", claimedAt: 1, ...claim }),
          );
        for (const process of world.processes) process.claim();
        return world;
      });
      assert.ok(runs >= 20, `${runs} orders`);
    });
  }

  test("where one of them has it and gives it back meanwhile", async () => {
    const runs = await inEveryOrder(async () => {
      const world = await twoAwake();
      const [holder, other] = world.processes;
      const { isChosen } = world;
      world.isChosen = () => false;
      holder!.claim();
      await settled();
      assert.equal(holder!.lease?.mayWrite(), true);
      world.isChosen = isChosen;
      other!.claim();
      holder!.release();
      holder!.claim();
      return world;
    });
    assert.ok(runs >= 20, `${runs} orders`);
  });
});

type Action = (world: World, random: Random) => string | null;

const ACTIONS: readonly Action[] = [
  ...Array.from({ length: 60 }, () => happen),
  ...Array.from({ length: 6 }, () => passTime),
  startOne,
  kill,
  sleepOrWake,
  runOverdue,
  claimOrRelease,
];

function happen(world: World, random: Random): string | null {
  const able = world.pending.filter(({ process, what }) => what === "effect" || process.state === "awake");
  if (able.length === 0) return null;
  const pending = random.pick(able);
  world.take(pending);
  const { process, what, step } = pending;
  const words = `${process.name} ${what} ${step.kind} ${step.path}`;
  if (!random.oneIn(40)) {
    pending.go();
    return words;
  }
  const error = systemError(random.pick(["EIO", "ENOSPC", "ESTALE"]));
  if (what === "answer") pending.fail(error);
  else pending.go(random.oneIn(2) ? { error } : { error, wroteBytes: random.below(step.bytes + 1) });
  return `${words} FAILS`;
}

function passTime(world: World, random: Random): string {
  const ms = random.pick([10, 500, 1000, 2000, 5000]);
  world.clock.advance(ms);
  return `${ms} ms pass`;
}

function startOne(world: World, random: Random): string | null {
  const alive = world.processes.filter(({ state }) => state !== "dead");
  if (alive.length >= 3) return null;
  // A pod's name is used again when the pod that had it is gone.
  const pod = random.pick(["", "pod-0", "pod-1"]);
  if (alive.some((process) => process.pod === pod && pod !== "")) return null;
  const process = world.start(pod);
  process.claim();
  return `${process.name} starts as "${pod}"`;
}

function kill(world: World, random: Random): string | null {
  const alive = world.processes.filter(({ state }) => state !== "dead");
  if (alive.length < 2 || !random.oneIn(2)) return null;
  const process = random.pick(alive);
  process.state = "dead";
  return `${process.name} dies`;
}

function sleepOrWake(world: World, random: Random): string | null {
  const alive = world.processes.filter(({ state }) => state !== "dead");
  if (alive.length === 0) return null;
  const process = random.pick(alive);
  process.state = process.state === "asleep" ? "awake" : "asleep";
  return `${process.name} is ${process.state}`;
}

function runOverdue(world: World): string {
  for (const process of world.processes) if (process.state === "awake") process.runOverdue();
  return "late timers run";
}

function claimOrRelease(world: World, random: Random): string | null {
  const awake = world.processes.filter(({ state }) => state === "awake");
  if (awake.length === 0) return null;
  const process = random.pick(awake);
  if (process.lease === null) process.claim();
  else process.release();
  return `${process.name} ${process.lease === null ? "releases" : "claims"}`;
}

describe("three processes that claim a stream, in random order, with everything that goes wrong", () => {
  test("never write both, and one of them does in the end", async () => {
    let held = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Random(seed);
      const world = new World();
      world.isChosen = () => true;
      world.hasLateAnswers = true;
      const trail = [`seed ${seed}`];
      for (let i = 0; i < 400; i++) {
        const words = random.pick(ACTIONS)(world, random);
        if (words === null) continue;
        trail.push(words);
        await settled();
        world.checkOneWriter(trail);
        held += world.writers().length;
      }
      world.start().claim();
      await world.checkOneIsLeft(trail, 60);
    }
    assert.ok(held > 1000, `somebody could write after ${held} events only`);
  });
});
