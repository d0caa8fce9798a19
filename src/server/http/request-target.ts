import { apiPath } from "../../api/base-path.ts";
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

const NO_QUERY = new URLSearchParams();

/**
 * Reads a request target. Of an absolute one what follows the host is the path. In an address of the API an encoded slash is
 * a slash: clients that are made from a schema write the name of a stream as one segment.
 *
 * Spec: RFC 9112 section 3.2.
 */
export function readTarget(target: string): RequestTarget {
  const questionMark = target.indexOf("?");
  const path = questionMark < 0 ? target : target.slice(0, questionMark);
  const rawPath = path.startsWith("/") ? path : pathOfAbsolute(path);
  return {
    rawPath,
    path: decodePath(apiPath(rawPath) === null ? rawPath : rawPath.replaceAll(/%2f/gi, "/")),
    query: questionMark < 0 ? NO_QUERY : new URLSearchParams(target.slice(questionMark + 1)),
  };
}

function pathOfAbsolute(target: string): string {
  const absolute = /^https?:\/\/[^/]*(\/.*)?$/i.exec(target);
  return absolute === null ? target : (absolute[1] ?? "/");
}
