import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup as lookupName } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { dropOldest } from "../../base/oldest.ts";

/** A name is not asked for again for so long. Units: milliseconds. */
const KEEP_MS = 10_000;
/** One that was not found is asked for again sooner. Units: milliseconds. */
const KEEP_FAILURE_MS = 1000;
const MAX_NAMES = 256;

/** Finds all addresses of a name. Rejects where there are none. */
export type ResolveName = (name: string) => Promise<LookupAddress[]>;

/**
 * Addresses of names, each asked for once however many connections want it: the machine looks up two names at a time, so
 * hundreds of connections that begin at once would wait for each other.
 */
export class NameCache {
  readonly #clock: Clock;
  readonly #resolve: ResolveName;
  readonly #fault: (found: readonly LookupAddress[]) => string | undefined;
  readonly #found = new Map<string, { readonly answer: Promise<LookupAddress[]>; untilUs: number }>();

  /** `fault`: what is wrong with addresses that are about to be connected to; asked each time, also of kept ones. */
  constructor(
    clock: Clock,
    resolve: ResolveName = (name) => lookupName(name, { all: true }),
    fault: (found: readonly LookupAddress[]) => string | undefined = () => undefined,
  ) {
    this.#clock = clock;
    this.#resolve = resolve;
    this.#fault = fault;
  }

  get size(): number {
    return this.#found.size;
  }

  /** The `lookup` of a connection's options. */
  readonly lookup: LookupFunction = (name, options, callback) => {
    void this.#answer(name, options, callback);
  };

  async #answer(...[name, options, callback]: Parameters<LookupFunction>): Promise<void> {
    let found: LookupAddress[];
    try {
      const all = await this.#find(name);
      const fault = this.#fault(all);
      if (fault !== undefined) throw new Error(fault);
      found = fitting(all, options);
    } catch (caught) {
      callback(caught as NodeJS.ErrnoException, "", 0);
      return;
    }
    answer(found, options, callback);
  }

  #find(name: string): Promise<LookupAddress[]> {
    const nowUs = this.#clock.nowUs();
    const known = this.#found.get(name);
    if (known !== undefined && nowUs < known.untilUs) return known.answer;
    this.#found.delete(name);
    // While it is looked up its time does not run.
    const entry = { answer: this.#resolve(name), untilUs: Infinity };
    this.#found.set(name, entry);
    dropOldest(this.#found, MAX_NAMES);
    const keep = (forMs: number): void => void (entry.untilUs = this.#clock.nowUs() + forMs * 1000);
    entry.answer.then(
      () => keep(KEEP_MS),
      () => keep(KEEP_FAILURE_MS),
    );
    return entry.answer;
  }
}

function fitting(all: readonly LookupAddress[], { family }: LookupOptions): LookupAddress[] {
  return all.filter((one) => (family !== 4 && family !== 6) || one.family === family);
}

function answer(
  addresses: readonly LookupAddress[],
  { all }: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  const first = addresses[0];
  if (first === undefined) {
    const error: NodeJS.ErrnoException = new Error("the name has no address of this kind");
    error.code = "ENOTFOUND";
    callback(error, "", 0);
  } else if (all === true) callback(null, [...addresses]);
  else callback(null, first.address, first.family);
}
