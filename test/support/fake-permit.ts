/** Leave to play or publish, as a test takes it back. */
import type { Permit } from "../../src/stream/permit.ts";

/** Keeps what it is told. */
export class FakePermit implements Permit {
  readonly log: string[] = [];
  bytes = 0;
  #end: (reason: string) => void = () => {};

  begun(): void {
    this.log.push("begun");
  }

  media(): void {
    this.log.push("media");
  }

  count(bytes: number): void {
    this.bytes += bytes;
  }

  onEnd(run: (reason: string) => void): void {
    this.#end = run;
  }

  close(reason: string): void {
    this.log.push(`closed: ${reason}`);
  }

  /** Takes it back. */
  end(reason: string): void {
    this.#end(reason);
  }
}
