import { decodePath } from "./request-path.ts";
import type { PathProblem } from "./request-path.ts";

/** A request target, read. Shared by the requests that have it: nobody changes the query. */
export type RequestTarget = {
  /** The path as it was sent, for the log. */
  readonly rawPath: string;
  /** The path decoded, or why it is refused. */
  readonly path: string | PathProblem;
  readonly query: URLSearchParams;
};

/** Longer targets are read anew each time, and so many are kept: with their parts some 2 MB at most. */
const MAX_KEPT_LENGTH = 512;
const MAX_KEPT = 1024;

/**
 * Reads a request target. Of an absolute one what follows the host is the path.
 *
 * Spec: RFC 9112 section 3.2.
 */
export function readTarget(target: string): RequestTarget {
  const questionMark = target.indexOf("?");
  const path = questionMark < 0 ? target : target.slice(0, questionMark);
  const absolute = /^https?:\/\/[^/]*(\/.*)?$/i.exec(path);
  const rawPath = absolute === null ? path : (absolute[1] ?? "/");
  return {
    rawPath,
    path: decodePath(rawPath),
    query: new URLSearchParams(questionMark < 0 ? "" : target.slice(questionMark + 1)),
  };
}

/** Keeps the targets that were asked for lately: players ask for the same playlist again and again. */
export class TargetCache {
  readonly #known = new Map<string, RequestTarget>();

  /** What `readTarget` gives. */
  read(target: string): RequestTarget {
    const found = this.#known.get(target);
    if (found !== undefined) return found;
    const read = readTarget(target);
    if (target.length > MAX_KEPT_LENGTH) return read;
    if (this.#known.size >= MAX_KEPT) this.#known.clear();
    this.#known.set(target, read);
    return read;
  }
}
