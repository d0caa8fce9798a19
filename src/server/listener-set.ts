import type { Place } from "../config/place.ts";
import { listenerKeys } from "../config/plan.ts";
import { listenFailure } from "./listen-failure.ts";

/** What is known of a listener before it is opened. */
export type ListenerPlan = { readonly host?: string; readonly port: number; readonly place: Place };

/** An open port. */
export type Listener = {
  /** Rejects with the system's error. */
  start(): Promise<void>;
  /** The port, also when 0 was asked for. */
  readonly port: number;
  /** Stops accepting at once; resolves when what was open is closed, at the latest a while after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
};

type Entry<Plan, One> = { readonly inForce: { plan: Plan }; readonly listener: One };

/**
 * The listeners of one protocol in one thread. A listener is known by its address: one whose other settings change keeps
 * its port and its connections.
 *
 * A new configuration comes in two steps, so that one whose ports cannot be opened can be taken back: `open`, in all
 * threads, then `keep`.
 */
export class ListenerSet<Plan extends ListenerPlan, One extends Listener> {
  readonly #make: (plan: () => Plan, port: number) => One;
  #entries = new Map<string, Entry<Plan, One>>();

  /** `make`: makes a listener that is not open yet; its plan is the one in force whenever it asks. */
  constructor(make: (plan: () => Plan, port: number) => One) {
    this.#make = make;
  }

  /** The open listeners. */
  get all(): One[] {
    return [...this.#entries.values()].map(({ listener }) => listener);
  }

  /** Port numbers of those in `plans` that are not open. */
  missing(plans: readonly Plan[]): number[] {
    return listenerKeys(plans).flatMap((key, i) => (this.#entries.has(key) ? [] : [plans[i]!.port]));
  }

  /** Closes those that `plans` does not have and that hold one of these port numbers, on whatever address. */
  makeWay(plans: readonly Plan[], ports: readonly number[]): void {
    const wanted = new Set(listenerKeys(plans));
    this.#close((key, { inForce }) => !wanted.has(key) && ports.includes(inForce.plan.port));
  }

  /**
   * Opens those that are missing, each on its port of `ports`. Those that are not in `plans` stay open.
   * Returns: the ports in the order of the plans. Rejects with all closed again that it opened.
   */
  async open(plans: readonly Plan[], ports: readonly number[]): Promise<number[]> {
    const opened: string[] = [];
    try {
      for (const [i, key] of listenerKeys(plans).entries()) {
        if (this.#entries.has(key)) continue;
        await this.#openOne(key, plans[i]!, ports[i]!);
        opened.push(key);
      }
    } catch (caught) {
      this.#close((key) => opened.includes(key));
      throw caught;
    }
    return listenerKeys(plans).map((key) => this.#entries.get(key)!.listener.port);
  }

  /** These plans are in force: closes what is not among them. */
  keep(plans: readonly Plan[]): void {
    const keys = listenerKeys(plans);
    this.#close((key) => !keys.includes(key));
    for (const [i, key] of keys.entries()) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) entry.inForce.plan = plans[i]!;
    }
  }

  /** Closes all; resolves when what was open is closed. `graceMs`: for who has one, in place of its own. */
  async stop(graceMs?: number): Promise<void> {
    const listeners = this.all;
    this.#entries.clear();
    await Promise.all(listeners.map((listener) => listener.stop(graceMs)));
  }

  async #openOne(key: string, plan: Plan, port: number): Promise<void> {
    const inForce = { plan };
    const listener = this.#make(() => inForce.plan, port);
    try {
      await listener.start();
    } catch (caught) {
      throw listenFailure(caught, plan.place);
    }
    this.#entries.set(key, { inForce, listener });
  }

  #close(isGone: (key: string, entry: Entry<Plan, One>) => boolean): void {
    for (const [key, entry] of this.#entries) {
      if (!isGone(key, entry)) continue;
      this.#entries.delete(key);
      // What is left of its connections ends in its own time.
      void entry.listener.stop();
    }
  }
}
