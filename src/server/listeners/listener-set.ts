import type { Place } from "../../config/place.ts";
import { listenerKeys } from "../../config/plan.ts";
import { serverErrors } from "../errors.ts";
import { listenFailure } from "./listen-failure.ts";

/** What is known of a listener before it is opened. */
export type ListenerPlan = { readonly host?: string; readonly port: number; readonly place: Place };

/** An open port. */
export type Listener = {
  /** Rejects with the system's error. */
  start(): Promise<void>;
  /** The port, also when 0 was asked for, and while it is paused. */
  readonly port: number;
  /** Connections that come now are encrypted; absent: they are not. */
  readonly isTls?: boolean;
  /** Gives the port away and takes no connections; those that are open stay. */
  pause(): void;
  /** After `pause`: takes connections again, on the same port. Rejects with the system's error. */
  resume(): Promise<void>;
  /** Stops accepting at once; resolves when what was open is closed, at the latest a while after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
};

/** Port numbers by `listenerKeys`. */
export type PortsByKey = Readonly<Record<string, number>>;

type Entry<Plan, One> = { readonly inForce: { plan: Plan }; readonly listener: One; isPaused: boolean };

/**
 * The listeners of one protocol in one thread. A listener is known by its address: one whose other settings change keeps
 * its port and its connections.
 *
 * A new configuration comes in two steps, so that one whose ports cannot be opened can be taken back: `open`, in all
 * threads, then `keep`. Until then nobody's connection is closed: what stands in the way of a new listener is paused, and
 * opened again when the configuration before is.
 */
export class ListenerSet<Plan extends ListenerPlan, One extends Listener> {
  readonly #make: (plan: () => Plan, port: number) => One;
  readonly #entries = new Map<string, Entry<Plan, One>>();
  #isStopped = false;

  /** `make`: makes a listener that is not open yet; its plan is the one in force whenever it asks. */
  constructor(make: (plan: () => Plan, port: number) => One) {
    this.#make = make;
  }

  /** The open listeners, and those that are paused. */
  get all(): One[] {
    return [...this.#entries.values()].map(({ listener }) => listener);
  }

  /** Port numbers of those in `plans` that are to be opened; 0, which stands in nobody's way, is not among them. */
  missing(plans: readonly Plan[], ports: PortsByKey): number[] {
    const keys = listenerKeys(plans);
    const missing = keys.map((key, i) => (this.#isOpen(key) ? 0 : (ports[key] ?? plans[i]!.port)));
    return missing.filter((port) => port !== 0);
  }

  /** Port numbers of the open ones that are not in `plans`. */
  leaving(plans: readonly Plan[]): number[] {
    return this.#leaving(plans).map(({ listener }) => listener.port);
  }

  /** Pauses those that are not in `plans` and hold one of these port numbers, on whatever address. */
  makeWay(plans: readonly Plan[], ports: ReadonlySet<number>): void {
    for (const entry of this.#leaving(plans)) {
      if (!ports.has(entry.listener.port)) continue;
      entry.isPaused = true;
      entry.listener.pause();
    }
  }

  /**
   * Opens those that are missing and that `mayOpen` says, each on the port that `ports` has for it, else on its plan's.
   * Those that are not in `plans` stay as they are.
   * Returns: the ports of those in `plans` that are open. Rejects with all closed again that it opened.
   */
  async open(
    plans: readonly Plan[],
    ports: PortsByKey,
    mayOpen: (port: number) => boolean = () => true,
  ): Promise<PortsByKey> {
    const keys = listenerKeys(plans);
    const opened: string[] = [];
    try {
      for (const [i, key] of keys.entries()) {
        const plan = plans[i]!;
        const port = ports[key] ?? plan.port;
        if (this.#isOpen(key) || !mayOpen(port)) continue;
        await this.#openOne(key, plan, port);
        opened.push(key);
      }
    } catch (caught) {
      this.#close((key) => opened.includes(key));
      throw caught;
    }
    return Object.fromEntries(
      keys.flatMap((key) => (this.#isOpen(key) ? [[key, this.#entries.get(key)!.listener.port]] : [])),
    );
  }

  /** These plans are in force: closes what is not among them, and its connections. */
  keep(plans: readonly Plan[]): void {
    const keys = listenerKeys(plans);
    this.#close((key) => !keys.includes(key));
    for (const [i, key] of keys.entries()) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) entry.inForce.plan = plans[i]!;
    }
  }

  /** Closes all, and opens no more; resolves when what was open is closed. `graceMs`: for who has one, in place of its own. */
  async stop(graceMs?: number): Promise<void> {
    this.#isStopped = true;
    const listeners = this.all;
    this.#entries.clear();
    await Promise.all(listeners.map((listener) => listener.stop(graceMs)));
  }

  #isOpen(key: string): boolean {
    return this.#entries.get(key)?.isPaused === false;
  }

  #leaving(plans: readonly Plan[]): Entry<Plan, One>[] {
    const wanted = new Set(listenerKeys(plans));
    return [...this.#entries].flatMap(([key, entry]) => (wanted.has(key) || entry.isPaused ? [] : [entry]));
  }

  async #openOne(key: string, plan: Plan, port: number): Promise<void> {
    if (this.#isStopped) throw serverErrors.error("SERVER_STOPPING");
    const paused = this.#entries.get(key);
    const inForce = { plan };
    const listener = paused?.listener ?? this.#make(() => inForce.plan, port);
    try {
      await (paused === undefined ? listener.start() : listener.resume());
    } catch (caught) {
      throw listenFailure(caught, plan.place);
    }
    if (this.#isStopped) {
      await listener.stop();
      throw serverErrors.error("SERVER_STOPPING");
    }
    if (paused === undefined) this.#entries.set(key, { inForce, listener, isPaused: false });
    else paused.isPaused = false;
  }

  #close(isGone: (key: string) => boolean): void {
    for (const [key, entry] of this.#entries) {
      if (!isGone(key)) continue;
      this.#entries.delete(key);
      // What is left of its connections ends in its own time.
      void entry.listener.stop();
    }
  }
}
