/** Wires between threads that are all this one. */
import type { MessageWire } from "../../src/base/channel.ts";

/** Two ends that hand each other structured clones, each in a turn of its own; a closed end takes nothing more. */
export function wirePair(): [MessageWire, MessageWire] {
  const takers: ((message: unknown) => void)[] = [() => {}, () => {}];
  const end = (own: number): MessageWire => ({
    post: (message) => {
      const copy: unknown = structuredClone(message);
      setImmediate(() => takers[1 - own]!(copy));
    },
    listen: (take) => {
      takers[own] = take;
    },
    close: () => {
      takers[own] = () => {};
    },
  });
  return [end(0), end(1)];
}
