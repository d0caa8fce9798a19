/** Admits connections of each address up to a limit. */
export type AddressLimit = {
  readonly limit: number;
  /** Counts a new connection; `false`, and not counted, when the address has its limit already. */
  acquire(address: string): boolean;
  /** Gives back what `acquire` counted. */
  release(address: string): void;
};

/**
 * Counts the connections of each address over all listeners of one kind, up to a limit per address. Entries exist only
 * while an address has connections, so the map is bounded by the connections themselves.
 */
export class AddressCounter implements AddressLimit {
  readonly limit: number;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** All connections that are counted now. */
  get total(): number {
    return this.#total;
  }

  /** Connections of one address. */
  countOf(address: string): number {
    return this.#counts.get(address) ?? 0;
  }

  /** Counts a new connection; `false`, and not counted, when the address has its limit already. */
  acquire(address: string): boolean {
    const count = this.countOf(address);
    if (count >= this.limit) return false;
    this.#counts.set(address, count + 1);
    this.#total++;
    return true;
  }

  /** Gives back what `acquire` counted. */
  release(address: string): void {
    const count = this.countOf(address);
    if (count === 0) return;
    this.#total--;
    if (count === 1) this.#counts.delete(address);
    else this.#counts.set(address, count - 1);
  }
}
