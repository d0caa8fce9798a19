/** Which threads of the process go first where there are fewer cores than threads that want one. */
import { readdirSync, readFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";
import { join } from "node:path";

const TASKS = "/proc/self/task";
const LAST = constants.priority.PRIORITY_LOW;
/** So much behind: for the system, whoever is ten steps before another has nine times its share of a core that both want. */
const STEPS_BEHIND = 10;
/** Media threads are named so by whoever launches them; V8 names its helpers. */
const MEDIA = /^media-/;
const HELPER = /^V8Worker/;

/** A thread as the system knows it. */
export type Task = { readonly id: number; readonly name: string; readonly isMain: boolean };

/** What the system does about threads. Priorities as `nice` has them: 19 comes last. */
export type TaskScheduler = {
  list(): readonly Task[];
  get(id: number): number;
  /** Throws where the system does not let us: without CAP_SYS_NICE a thread goes down and never up again. */
  set(id: number, priority: number): void;
};

/** Linux's, of this process. Elsewhere there are no threads to be listed, and all stay as they are. */
export const LINUX_TASKS: TaskScheduler = {
  list: () => {
    try {
      return readdirSync(TASKS).map(taskOf);
    } catch {
      return [];
    }
  },
  get: getPriority,
  set: setPriority,
};

/**
 * Media goes first: the control thread, and what collects garbage and compiles for all threads, stand behind the media threads.
 * A segment does not wait for the question whether somebody else may play, nor for a page of the API; those wait for media, and
 * have still a tenth of a core that media threads could fill.
 */
export class MediaFirst {
  readonly #scheduler: TaskScheduler;
  /** What whoever started the process chose for it. */
  readonly #given: number;
  readonly #behind: number;

  /** Before anything was moved. */
  constructor(scheduler: TaskScheduler = LINUX_TASKS) {
    this.#scheduler = scheduler;
    this.#given = scheduler.get(process.pid);
    this.#behind = Math.min(LAST, this.#given + STEPS_BEHIND);
  }

  /**
   * Moves the threads that there are. A thread has the priority of the thread that began it, so this is called when the media
   * threads run, and again when one was replaced: where that one cannot be raised, the others come down to it, since none of
   * them is to wait for another.
   */
  arrange(): void {
    const tasks = this.#scheduler.list();
    const media = tasks.filter(({ name }) => MEDIA.test(name));
    const areFirst = media.map(({ id }) => this.#move(id, this.#given)).every(Boolean);
    if (!areFirst) for (const { id } of media) this.#move(id, this.#behind);
    for (const { id, name, isMain } of tasks) if (isMain || HELPER.test(name)) this.#move(id, this.#behind);
  }

  /** Returns: whether the thread has this priority now, or is gone. */
  #move(id: number, priority: number): boolean {
    try {
      if (this.#scheduler.get(id) !== priority) this.#scheduler.set(id, priority);
      return true;
    } catch (caught) {
      return (caught as { readonly info?: { readonly code?: string } }).info?.code === "ESRCH";
    }
  }
}

function taskOf(id: string): Task {
  return { id: Number(id), name: nameOf(id), isMain: Number(id) === process.pid };
}

function nameOf(id: string): string {
  try {
    return readFileSync(join(TASKS, id, "comm"), "utf8").trimEnd();
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
