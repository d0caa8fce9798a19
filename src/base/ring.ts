/**
 * A bounded first-in first-out queue over an array whose size is a power of two; grows up to its bound.
 * `shift` is constant time at any depth.
 */
export class Ring<T> {
  readonly #limit: number;
  #slots: (T | undefined)[];
  #head = 0;
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#slots = Array.from({ length: 16 });
  }

  /** How many items wait. */
  get length(): number {
    return this.#length;
  }

  /** Appends; `false` and nothing done when the bound is reached. */
  push(item: T): boolean {
    if (this.#length >= this.#limit) return false;
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length++;
    return true;
  }

  /** Takes the oldest, or `undefined` when empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length--;
    return item;
  }

  /** The item `index` places behind the oldest, without taking it. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.#length) return undefined;
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)];
  }

  /** Drops everything and the memory that it held. */
  clear(): void {
    this.#slots = Array.from({ length: 16 });
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const wider: (T | undefined)[] = Array.from({ length: this.#slots.length * 2 });
    for (let i = 0; i < this.#length; i++) wider[i] = this.at(i);
    this.#slots = wider;
    this.#head = 0;
  }
}
