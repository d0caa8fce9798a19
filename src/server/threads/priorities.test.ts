import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LINUX_TASKS, MediaFirst } from "./priorities.ts";
import type { Task, TaskScheduler } from "./priorities.ts";

const CONTROL = process.pid;
const [MEDIA_0, MEDIA_1, HELPER, DISK] = [2, 3, 4, 5];
const TASKS: readonly Task[] = [
  { id: CONTROL, name: "MainThread", isMain: true },
  { id: MEDIA_0, name: "media-0", isMain: false },
  { id: MEDIA_1, name: "media-1", isMain: false },
  { id: HELPER, name: "V8Worker", isMain: false },
  { id: DISK, name: "libuv-worker", isMain: false },
];

/** A system that lets threads down, and up where it is said so. */
class FakeScheduler implements TaskScheduler {
  readonly priorities = new Map<number, number>();
  readonly gone = new Set<number>();
  readonly #mayRaise: boolean;

  constructor(given: number, mayRaise: boolean) {
    for (const { id } of TASKS) this.priorities.set(id, given);
    this.#mayRaise = mayRaise;
  }

  list(): readonly Task[] {
    return TASKS;
  }

  get(id: number): number {
    if (this.gone.has(id)) throw systemError("ESRCH");
    return this.priorities.get(id)!;
  }

  set(id: number, priority: number): void {
    if (priority < this.get(id) && !this.#mayRaise) throw systemError("EACCES");
    this.priorities.set(id, priority);
  }

  all(): number[] {
    return [...this.priorities.values()];
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code: "ERR_SYSTEM_ERROR", info: { code } });
}

describe("which threads go first", () => {
  for (const { given, expected } of [
    { given: 0, expected: [10, 0, 0, 10, 0] },
    { given: 5, expected: [15, 5, 5, 15, 5] },
    { given: 15, expected: [19, 15, 15, 19, 15] },
    { given: 19, expected: [19, 19, 19, 19, 19] },
    { given: -5, expected: [5, -5, -5, 5, -5] },
  ])
    test(`of a process that was started at ${given}, control and helpers stand behind media`, () => {
      const scheduler = new FakeScheduler(given, false);
      const first = new MediaFirst(scheduler);
      first.arrange();
      assert.deepEqual(scheduler.all(), expected);
      first.arrange();
      assert.deepEqual(scheduler.all(), expected, "again");
    });

  test("a thread that was replaced is raised where the system lets us", () => {
    const scheduler = new FakeScheduler(0, true);
    const first = new MediaFirst(scheduler);
    first.arrange();
    scheduler.priorities.set(MEDIA_1, 10);
    first.arrange();
    assert.deepEqual(scheduler.all(), [10, 0, 0, 10, 0]);
  });

  test("where it does not, the other media threads come down: none of them waits for another", () => {
    const scheduler = new FakeScheduler(0, false);
    const first = new MediaFirst(scheduler);
    first.arrange();
    scheduler.priorities.set(MEDIA_1, 10);
    first.arrange();
    assert.deepEqual(scheduler.all(), [10, 10, 10, 10, 0]);
  });

  test("a thread that has ended meanwhile is no reason for the others to come down", () => {
    const scheduler = new FakeScheduler(0, false);
    const first = new MediaFirst(scheduler);
    scheduler.gone.add(MEDIA_1);
    first.arrange();
    assert.deepEqual(scheduler.all(), [10, 0, 0, 10, 0]);
  });

  test("the system's own list has this thread, and it is the main one", () => {
    const main = LINUX_TASKS.list().filter(({ isMain }) => isMain);
    const expected = process.platform === "linux" ? [process.pid] : [];
    assert.deepEqual(
      main.map(({ id }) => id),
      expected,
    );
  });
});
