import { messageOf } from "../../base/errors.ts";
import type { Place } from "../../config/place.ts";

/** What to do about it, by the system's code. */
const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program, or another listener of this one, has the port: stop it, or choose another",
  EACCES:
    'the user that the server runs as may not open it: choose a port from 1024 on, or see "Ports below 1024" in docs/kubernetes.md',
  EADDRNOTAVAIL: "this machine, or pod, has no such address: leave the address out to listen on all",
  ENOTFOUND: "nobody knows that name: write an address, or leave it out to listen on all",
};

/** Of a port that cannot be opened: what the system says, where the listener is configured, and what to do. */
export function listenFailure(caught: unknown, { file, line }: Place): Error {
  const code = caught instanceof Error && "code" in caught ? String(caught.code) : "";
  const remedy = REMEDIES[code];
  const what = `${messageOf(caught)} (${file}:${line})`;
  return new Error(remedy === undefined ? what : `${what}: ${remedy}`, { cause: caught });
}
