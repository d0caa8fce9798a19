/**
 * Lets so many pass in one turn of the event loop and keeps the rest for the turns behind it, in their order. What arrives in
 * a heap, such as answers that came while the thread did something else, does not hold up what sockets bring.
 *
 * Not bounded by itself: who waits here has been let in by a bound elsewhere.
 */
export class TurnShare {
  readonly #perTurn: number;
  readonly #defer: (run: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #passed = 0;

  /** `defer`: calls back in the next turn, behind what sockets have brought by then. */
  constructor(perTurn: number, defer: (run: () => void) => void = (run) => void setImmediate(run)) {
    this.#perTurn = perTurn;
    this.#defer = defer;
  }

  /** Those that have to wait for another turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs it in this turn, at once, or in a later one. It does not throw. */
  pass(run: () => void): void {
    if (this.#passed === 0) this.#defer(() => this.#nextTurn());
    if (this.#passed++ < this.#perTurn) run();
    else this.#waiting.push(run);
  }

  #nextTurn(): void {
    const next = this.#waiting.splice(0, this.#perTurn);
    this.#passed = next.length;
    if (next.length === 0) return;
    this.#defer(() => this.#nextTurn());
    for (const run of next) run();
  }
}
