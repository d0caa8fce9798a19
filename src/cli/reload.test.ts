import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { Logger } from "../base/log.ts";
import { loadConfig } from "../config/load.ts";
import { wholeFile } from "../config/place.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { problem } from "../config/problem.ts";
import type { Problem } from "../config/problem.ts";
import type { ConfigFiles } from "../server/config/files.ts";
import { isEmptyConfig } from "./config-source.ts";
import { Reloads } from "./reload.ts";

const START = "http 80;\nstream old { input publish://; }\n";

/** A server that takes what it is told to take, and files that a test changes. */
class World {
  readonly clock = new FakeClock();
  readonly lines: string[] = [];
  readonly taken: ResolvedConfig[] = [];
  readonly refused: string[] = [];
  readonly remembered: string[] = [];
  files: ConfigFiles = filesOf(START);
  reads = 0;
  /** What the server says to a configuration: nothing when it takes it. */
  fault: string | null = null;
  /** Configurations wait for this. */
  gate: Promise<void> = Promise.resolve();
  isWatching = false;
  readonly reloads: Reloads;

  constructor(env: Record<string, string> = {}) {
    this.reloads = new Reloads({
      path: "/conf",
      env,
      clock: this.clock,
      read: () => {
        this.reads++;
        return Promise.resolve(this.files);
      },
      watch: {
        remember: (volumes) => void this.remembered.push(volumes),
        start: () => void (this.isWatching = true),
        stop: () => void (this.isWatching = false),
      },
    });
  }

  begin(text = START): void {
    const files = [{ file: "a.conf", text }];
    this.reloads.begin({
      config: loadConfig(files).config!,
      isEmpty: isEmptyConfig(files),
      log: this.#log(),
      threshold: { level: "info" },
      server: {
        configure: async (config) => {
          await this.gate;
          if (this.fault !== null) throw new Error(this.fault);
          this.taken.push(config);
          return config;
        },
        reloadRefused: (problems = []) => void this.refused.push(problems[0]?.message ?? ""),
      },
    });
  }

  /** The names of the streams that are configured last. */
  get streams(): string[] | undefined {
    return this.taken.at(-1)?.streams.map(({ name }) => name);
  }

  #log(): Logger {
    const write = (message: string): void => void this.lines.push(message);
    const log: Logger = {
      debug: write,
      info: write,
      warn: write,
      error: write,
      isEnabled: () => true,
      child: () => log,
    };
    return log;
  }
}

function filesOf(text: string | null, problems: readonly Problem[] = []): ConfigFiles {
  const files = text === null ? [] : [{ file: "a.conf", text }];
  return { found: true, files, problems, volumes: `state of ${text}` };
}

/** Lets what needs no clock run to its end. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

test("a call that comes before the server has started is heard when it has", async () => {
  const world = new World();
  world.files = filesOf("http 80;\nstream new { input publish://; }");
  await world.reloads.now();
  assert.equal(world.reads, 0);
  world.begin();
  await settle();
  assert.deepEqual([world.reads, world.streams, world.isWatching], [1, ["new"], true]);
});

test("a server that nobody calls reads nothing", async () => {
  const world = new World();
  world.begin();
  await settle();
  assert.equal(world.reads, 0);
});

test("of a thousand calls one runs and one waits, and the last edit is in force", async () => {
  const world = new World();
  world.begin();
  const gate = Promise.withResolvers<void>();
  world.gate = gate.promise;
  const calls = [world.reloads.now()];
  await settle();
  world.files = filesOf("http 80;\nstream new { input publish://; }");
  for (let i = 0; i < 1000; i++) calls.push(world.reloads.now());
  gate.resolve();
  await Promise.all(calls);
  assert.deepEqual([world.reads, world.streams], [2, ["new"]]);
});

test("what was read is remembered, good or bad", async () => {
  const world = new World();
  world.begin();
  world.files = filesOf("strem x;");
  await world.reloads.now();
  assert.deepEqual(world.remembered, ["state of strem x;"]);
  assert.deepEqual([world.taken.length, world.refused.length], [0, 1]);
});

test("an edit whose text is wrong is refused once, and not tried again", async () => {
  const world = new World();
  world.begin();
  world.files = filesOf("strem x;");
  await world.reloads.now();
  assert.equal(world.clock.pendingTimers, 0);
  assert.match(world.lines.join("\n"), /strem[^]*not taken/);
});

test("an edit that the system was in the way of is tried again with growing pauses, and said once", async () => {
  const world = new World();
  world.begin();
  world.files = filesOf("http 80;\nstream new { input publish://; }");
  world.fault = "listen EADDRINUSE";
  await world.reloads.now();
  for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    const before = world.reads;
    world.clock.advance(pauseMs - 1);
    await settle();
    assert.equal(world.reads, before, `${pauseMs} ms`);
    world.clock.advance(1);
    await settle();
    assert.equal(world.reads, before + 1, `${pauseMs} ms`);
  }
  assert.deepEqual(world.refused, ["listen EADDRINUSE"]);
  assert.equal(world.lines.length, 1);
  world.fault = "listen EACCES";
  world.clock.advance(30_000);
  await settle();
  assert.deepEqual(world.refused, ["listen EADDRINUSE", "listen EACCES"]);
  world.fault = null;
  world.clock.advance(30_000);
  await settle();
  assert.deepEqual([world.streams, world.clock.pendingTimers], [["new"], 0]);
});

test("a call in a pause tries at once, and the pauses begin anew", async () => {
  const world = new World();
  world.begin();
  world.fault = "listen EADDRINUSE";
  await world.reloads.now();
  world.clock.advance(1000);
  await settle();
  await world.reloads.now();
  assert.deepEqual([world.reads, world.clock.pendingTimers, world.refused.length], [3, 1, 2]);
  world.clock.advance(1000);
  await settle();
  assert.equal(world.reads, 4);
});

test("a file that cannot be read for a moment is read again", async () => {
  const world = new World();
  world.begin();
  const unread = problem("error", "CONFIG_FILE_UNREADABLE", wholeFile("b.conf"), "cannot be read: EIO");
  world.files = filesOf(START, [unread]);
  await world.reloads.now();
  assert.deepEqual([world.taken.length, world.refused], [0, ["cannot be read: EIO"]]);
  world.files = filesOf("http 80;\nstream new { input publish://; }");
  world.clock.advance(1000);
  await settle();
  assert.deepEqual(world.streams, ["new"]);
});

for (const [name, text] of [
  ["no part is left", null],
  ["all parts are empty", "\n \r\n"],
  ["nothing but comments is left", "# http 80;\n\n  # stream x\r\n"],
] as const) {
  test(`an emptied configuration is refused: ${name}`, async () => {
    const world = new World();
    world.begin();
    world.files = filesOf(text);
    await world.reloads.now();
    assert.deepEqual([world.taken.length, world.refused.length, world.clock.pendingTimers], [0, 1, 0]);
    assert.match(world.refused[0]!, /nothing is configured any more/);
    world.files = filesOf("http 81;");
    await world.reloads.now();
    assert.equal(world.taken.length, 1);
  });
}

test("a server that the environment alone configures is read anew from nothing", async () => {
  const world = new World();
  world.begin("");
  world.files = filesOf(null);
  await world.reloads.now();
  assert.deepEqual([world.taken.length, world.refused.length], [1, 0]);
});

test("after the end nothing is read, and what is being taken is waited for", async () => {
  const world = new World();
  world.begin();
  const gate = Promise.withResolvers<void>();
  world.gate = gate.promise;
  void world.reloads.now();
  await settle();
  void world.reloads.now();
  let isOver = false;
  const end = world.reloads.end().then(() => (isOver = true));
  await settle();
  assert.equal(isOver, false);
  gate.resolve();
  await end;
  await world.reloads.now();
  assert.deepEqual([world.reads, world.taken.length, world.isWatching], [1, 1, false]);
  assert.equal(world.clock.pendingTimers, 0);
});

test("the end does not wait for ever, and a refusal behind it is nobody's business", async () => {
  const world = new World();
  world.begin();
  const gate = Promise.withResolvers<void>();
  world.gate = gate.promise;
  void world.reloads.now();
  await settle();
  const end = world.reloads.end();
  world.clock.advance(2000);
  await end;
  world.fault = "the server is stopping";
  gate.resolve();
  await settle();
  assert.deepEqual([world.lines, world.refused, world.clock.pendingTimers], [[], [], 0]);
});
