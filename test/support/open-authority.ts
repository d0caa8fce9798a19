import { randomUUID } from "node:crypto";
import type { SessionAuthority } from "../../src/server/access/session-authority.ts";

/** Everyone may, and nothing is kept. */
export function openAuthority(): SessionAuthority {
  return {
    open: () => Promise.resolve({ kind: "allowed", id: randomUUID() }),
    begun: () => {},
    report: () => {},
    closed: () => {},
    threadLost: () => {},
    onEnds: () => {},
  };
}
