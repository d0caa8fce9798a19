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
  /** Its connections are closed. */
  isStopped = false;
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

  pause(): void {
    this.#machine.taken.delete(this.port);
    this.isOpen = false;
  }

  resume(): Promise<void> {
    return this.start();
  }

  stop(): Promise<void> {
    if (this.isOpen) this.#machine.taken.delete(this.port);
    this.isOpen = false;
    this.isStopped = true;
    return Promise.resolve();
  }
}

function planOf(port: number, rest: Partial<Plan> = {}): Plan {
  return { port, place: { file: "ports.conf", line: 7, column: 1, length: 4 }, ...rest };
}

function makeSet(machine: Machine): ListenerSet<Plan, FakeListener> {
  return new ListenerSet((plan, port) => new FakeListener(machine, plan, port));
}

test("a listener that stays is not touched, and sees its new plan once that is in force", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  const before = [planOf(80, { word: "old" }), planOf(81)];
  assert.deepEqual(await set.open(before, {}), { "*:80": 80, "*:81": 81 });
  const [kept] = set.all;
  const after = [planOf(82), planOf(80, { word: "new" })];
  assert.deepEqual([set.missing(after, {}), set.leaving(after)], [[82], [81]]);
  assert.deepEqual(await set.open(after, {}), { "*:82": 82, "*:80": 80 });
  assert.deepEqual([kept!.plan().word, set.all.length], ["old", 3]);
  set.keep(after);
  assert.deepEqual([kept!.plan().word, kept!.isOpen, machine.made.length], ["new", true, 3]);
  assert.deepEqual(machine.ports, [80, 82]);
});

test("one port that cannot be opened closes what was opened with it, and says where it is configured", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  await set.open([planOf(80)], {});
  machine.taken.set(90, "a stranger's");
  await assert.rejects(set.open([planOf(82), planOf(90)], {}), /EADDRINUSE \(ports\.conf:7\)/);
  assert.deepEqual(machine.ports, [80, 90]);
});

test("another address on the same port makes the old one give way, whose connections stay until the end", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  await set.open([planOf(80), planOf(81)], {});
  const [old, other] = set.all;
  const after = [planOf(80, { host: "127.0.0.1" })];
  set.makeWay(after, new Set(set.missing(after, {})));
  assert.deepEqual([machine.ports, old!.isStopped, set.all.length], [[81], false, 2]);
  assert.deepEqual([set.leaving(after), set.missing([planOf(80)], {})], [[81], [80]]);
  assert.deepEqual(await set.open(after, {}), { "127.0.0.1:80": 80 });
  assert.deepEqual([old!.isStopped, other!.isStopped], [false, false]);
  set.keep(after);
  assert.deepEqual([old!.isStopped, other!.isStopped, machine.ports], [true, true, [80]]);
});

test("what made way is open again with its connections when the configuration before stays", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  const before = [planOf(80), planOf(0)];
  const ports = await set.open(before, {});
  assert.deepEqual(ports, { "*:80": 80, "*:0": 5000 });
  const after = [planOf(80, { host: "127.0.0.1" }), planOf(5000)];
  set.makeWay(after, new Set(set.missing(after, {})));
  assert.deepEqual(machine.ports, []);
  const opened = await set.open(after, {}, (port) => port === 80);
  assert.deepEqual(opened, { "127.0.0.1:80": 80 });
  set.makeWay(before, new Set(set.missing(before, ports)));
  assert.deepEqual(await set.open(before, ports), ports);
  set.keep(before);
  assert.deepEqual([machine.ports, machine.made.length], [[80, 5000], 3]);
  assert.deepEqual(
    set.all.map(({ isOpen, isStopped }) => [isOpen, isStopped]),
    [
      [true, false],
      [true, false],
    ],
  );
});

test("what may not be opened yet is left, and nothing is said of its port", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  assert.deepEqual(await set.open([planOf(80), planOf(81)], {}, (port) => port !== 80), { "*:81": 81 });
  assert.deepEqual(machine.ports, [81]);
});

test("listeners on any free port are told apart by their rank, and keep their ports", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  assert.deepEqual(await set.open([planOf(0), planOf(0)], {}), { "*:0": 5000, "*:0#2": 5001 });
  assert.deepEqual(await set.open([planOf(0)], {}), { "*:0": 5000 });
  set.keep([planOf(0)]);
  assert.deepEqual(machine.ports, [5000]);
});

test("a listener that another thread opened on any port is opened on that one", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  assert.deepEqual(await set.open([planOf(0)], { "*:0": 7000 }), { "*:0": 7000 });
});

test("after stop nothing is open, and nothing is opened any more", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  await set.open([planOf(80), planOf(81)], {});
  await set.stop();
  assert.deepEqual([machine.taken.size, set.all.length], [0, 0]);
  await assert.rejects(set.open([planOf(82)], {}), { code: "SERVER_STOPPING" });
});

test("a listener that opens while all are stopped is closed again", async () => {
  const machine = new Machine();
  const set = makeSet(machine);
  const opening = set.open([planOf(80)], {});
  await set.stop();
  await assert.rejects(opening, { code: "SERVER_STOPPING" });
  assert.deepEqual([machine.ports, set.all.length], [[], 0]);
});
