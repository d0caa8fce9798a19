import type { StreamName } from "../../media/ids.ts";

/**
 * Which media thread is the home of which stream, and which threads want to know. Lives in the control thread, which
 * hears all claims one after the other: that order decides between two publishers of one name.
 *
 * Bounded by the threads' own limits: a home stands for a stream of its thread, a watch for viewers of one.
 */
export class StreamHomes {
  readonly #homes = new Map<StreamName, number>();
  readonly #watchers = new Map<StreamName, Set<number>>();
  readonly #tell: (thread: number, name: StreamName, home: number | null) => void;

  /** `tell`: brings the news of a home to a watching thread. */
  constructor(tell: (thread: number, name: StreamName, home: number | null) => void) {
    this.#tell = tell;
  }

  /** Streams that have a home. */
  get size(): number {
    return this.#homes.size;
  }

  /** Names that some thread watches. */
  get watched(): number {
    return this.#watchers.size;
  }

  /** Makes `thread` the home unless there is one. Returns: the home. */
  claim(thread: number, name: StreamName): number {
    const home = this.#homes.get(name);
    if (home !== undefined) return home;
    this.#move(name, thread);
    return thread;
  }

  /** `thread` is the home no more; nothing happens where another one is. */
  release(thread: number, name: StreamName): void {
    if (this.#homes.get(name) === thread) this.#move(name, null);
  }

  /** Tells `thread` of every change from now on. Returns: the home as it is. */
  watch(thread: number, name: StreamName): number | null {
    const watchers = this.#watchers.get(name);
    if (watchers === undefined) this.#watchers.set(name, new Set([thread]));
    else watchers.add(thread);
    return this.#homes.get(name) ?? null;
  }

  /** Ends `watch`. */
  unwatch(thread: number, name: StreamName): void {
    const watchers = this.#watchers.get(name);
    if (watchers?.delete(thread) === true && watchers.size === 0) this.#watchers.delete(name);
  }

  /** A thread is gone, and with it its streams. Returns: their names. */
  forget(thread: number): StreamName[] {
    for (const name of [...this.#watchers.keys()]) this.unwatch(thread, name);
    const lost = [...this.#homes].filter(([, home]) => home === thread).map(([name]) => name);
    for (const name of lost) this.#move(name, null);
    return lost;
  }

  #move(name: StreamName, home: number | null): void {
    if (home === null) this.#homes.delete(name);
    else this.#homes.set(name, home);
    for (const watcher of this.#watchers.get(name) ?? []) this.#tell(watcher, name, home);
  }
}
