/** What a `ByteLru` keeps at most. */
export type ByteLruLimits = { readonly bytes: number; readonly items: number };

/** A cache that is bounded in bytes and in number; what was not used for the longest time goes first. */
export class ByteLru<T> {
  readonly #limits: ByteLruLimits;
  readonly #onEvict: (value: T) => void;
  readonly #entries = new Map<string, { value: T; bytes: number }>();
  #bytes = 0;

  constructor(limits: ByteLruLimits, onEvict: (value: T) => void = () => {}) {
    this.#limits = limits;
    this.#onEvict = onEvict;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value, which counts as used now. */
  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value of `bytes`, in place of one with the same key; one that is over the limit alone is not kept. */
  set(key: string, value: T, bytes: number): void {
    this.delete(key);
    if (bytes > this.#limits.bytes || this.#limits.items < 1) {
      this.#onEvict(value);
      return;
    }
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limits.bytes && this.#entries.size <= this.#limits.items) return;
      this.delete(oldest);
    }
  }

  /** Drops one value. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    this.#onEvict(entry.value);
  }

  /** Drops every value whose key is chosen. */
  deleteWhere(isChosen: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (isChosen(key)) this.delete(key);
  }
}
