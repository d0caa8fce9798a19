import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListenerPlan } from "./listener-set.ts";
import { ListenerSet } from "./listener-set.ts";

type Plan = ListenerPlan & { readonly word?: string };

/** A machine's ports: one listener each, as the system has it, whatever the address. */
class Machine {
  readonly taken = new Map<number, string>();
  readonly made: FakeListener[] = [];
  next = 5000;

  get ports(): number[] {
    return [...this.taken.keys()].toSorted((a, b) => a - b);
  }
}

class FakeListener {
  readonly plan: () => Plan;
  port: number;
  isOpen = false;
  readonly #machine: Machine;

  constructor(machine: Machine, plan: () => Plan, port: number) {
    this.#machine = machine;
    this.plan = plan;
    this.port = port;
    machine.made.push(this);
  }

  start(): Promise<void> {
    if (this.port === 0) this.port = this.#machine.next++;
    if (this.#machine.taken.has(this.port)) return Promise.reject(new Error("EADDRINUSE"));
    this.#machine.taken.set(this.port, "ours");
    this.isOpen = true;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#machine.taken.delete(this.port);
    this.isOpen = false;
    return Promise.resolve();
  }
}

function planOf(port: number, rest: Partial<Plan> = {}): Plan {
  return { port, place: { file: "ports.conf", line: 7, column: 1, length: 4 }, ...rest };
}

function makeSet(machine: Machine): ListenerSet<Plan, FakeListener> {
  return new ListenerSet((plan, port) => new FakeListener(machine, plan, port));
}

function portsOf(plans: readonly Plan[]): number[] {
  return plans.map(({ port }) => port);
}

test("a listener that stays is not touched, and sees its new plan once that is in force", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  const before = [planOf(80, { word: "old" }), planOf(81)];
  assert.deepEqual(await set.open(before, portsOf(before)), [80, 81]);
  const [kept] = set.all;
  const after = [planOf(82), planOf(80, { word: "new" })];
  assert.deepEqual(set.missing(after), [82]);
  assert.deepEqual(await set.open(after, portsOf(after)), [82, 80]);
  assert.deepEqual([kept!.plan().word, set.all.length], ["old", 3]);
  set.keep(after);
  assert.deepEqual([kept!.plan().word, kept!.isOpen, machine.made.length], ["new", true, 3]);
  assert.deepEqual(machine.ports, [80, 82]);
});

test("one port that cannot be opened closes what was opened with it, and says where it is configured", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  await set.open([planOf(80)], [80]);
  machine.taken.set(90, "a stranger's");
  const after = [planOf(82), planOf(90)];
  await assert.rejects(set.open(after, portsOf(after)), /EADDRINUSE \(ports\.conf:7\)/);
  assert.deepEqual(machine.ports, [80, 90]);
});

test("another address on the same port makes the old one give way first", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  await set.open([planOf(80), planOf(81)], [80, 81]);
  const after = [planOf(80, { host: "127.0.0.1" })];
  set.makeWay(after, set.missing(after));
  assert.deepEqual(machine.ports, [81]);
  assert.deepEqual(await set.open(after, [80]), [80]);
  set.keep(after);
  assert.deepEqual(machine.ports, [80]);
});

test("listeners on any free port are told apart by their rank, and keep their ports", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  const plans = [planOf(0), planOf(0)];
  assert.deepEqual(await set.open(plans, [0, 0]), [5000, 5001]);
  assert.deepEqual(await set.open([planOf(0)], [0]), [5000]);
  set.keep([planOf(0)]);
  assert.deepEqual(machine.ports, [5000]);
});

test("after stop nothing is open", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  await set.open([planOf(80), planOf(81)], [80, 81]);
  await set.stop();
  assert.deepEqual([machine.taken.size, set.all.length], [0, 0]);
});
