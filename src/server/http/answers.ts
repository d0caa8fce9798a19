import { apiPath } from "../../api/base-path.ts";
import { errorReply } from "../../api/error-reply.ts";
import { DATA_HEADERS } from "../../api/data-headers.ts";
import { apiErrors } from "../../api/errors.ts";
import { isOfAnotherSite } from "../../api/other-site.ts";
import { systemClock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpHeaders, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import { requestErrors } from "./errors.ts";
import { refusalPage } from "./refusal-page.ts";
import type { RequestTarget } from "./request-target.ts";

/** What answers the requests of a listener; may throw a `MediaError`, whose status and message become the reply. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpReply> | HttpReply;

/** Answers a request that brings something; `null` where nothing is taken. Throws as an `HttpHandler` does. */
export type UploadHandler = (request: HttpRequest) => HttpReply | null;

/** Methods that may bring something, or change something. */
const TAKEN: ReadonlySet<string> = new Set(["POST", "PUT", "DELETE"]);

const CORS: HttpHeaders = [["access-control-allow-origin", "*"]];

/** Encoders that were not asked for a password send none. Spec: RFC 7617 section 2. */
const CHALLENGE = ["www-authenticate", 'Basic realm="weir", charset="UTF-8"'] as const;

/** From requests to replies, whatever goes wrong. */
export class Answers {
  readonly #handle: HttpHandler;
  readonly #log: Logger;
  readonly #failures: PerSecondLog;
  readonly #takes: UploadHandler;

  constructor(handle: HttpHandler, log: Logger, takes: UploadHandler = () => null) {
    this.#handle = handle;
    this.#takes = takes;
    this.#log = log;
    this.#failures = new PerSecondLog(log, "HTTP requests failed");
  }

  /** The reply, at once where the handler has it at once. Never throws and never rejects. */
  reply(request: HttpRequest, target: RequestTarget): Promise<HttpReply> | HttpReply {
    const { method } = request;
    if (typeof target.path !== "string") return refusedPath(target.rawPath, target.path.problem);
    if (method === "OPTIONS") return apiPath(target.path) === null ? preflight() : apiOptions();
    if (TAKEN.has(method)) return this.#take(request, target);
    if (method !== "GET" && method !== "HEAD") return refusedMethod(method);
    try {
      const reply = this.#handle(request);
      return reply instanceof Promise
        ? reply.catch((caught: unknown) => refusalPage(this.failure(caught, target.rawPath), request))
        : reply;
    } catch (caught) {
      return refusalPage(this.failure(caught, target.rawPath), request);
    }
  }

  #take(request: HttpRequest, target: RequestTarget): HttpReply {
    try {
      const reply = this.#takes(request);
      if (reply === null) return refusedMethod(request.method);
      return isOfAnotherSite(request) ? refusedSite(target.rawPath) : reply;
    } catch (caught) {
      return this.failure(caught, target.rawPath);
    }
  }

  /** What is said of an error: a `MediaError` has its status and words, all else is a fault that the log has. */
  failure(caught: unknown, rawPath: string): HttpReply {
    const error = asMediaError(caught);
    if (error !== null) {
      if (error.httpStatus !== 404) {
        const fields = { path: rawPath, code: error.code, reason: error.message };
        this.#failures.add(systemClock.nowUs(), fields);
      }
      if (apiPath(rawPath) !== null) return apiRefusal(error);
      const words = INTERNAL.test(error.code) ? internalWords(error.code) : error.message;
      return textReply(error.httpStatus, words, [
        ["x-error-code", error.code],
        ["access-control-expose-headers", "x-error-code"],
        ...(error.httpStatus === 401 ? [CHALLENGE] : []),
        ...(error.httpStatus === 503 ? [["retry-after", "2"] as const] : []),
        ...CORS,
      ]);
    }
    this.#log.error("HTTP request failed by a fault of the server", {
      path: rawPath,
      reason: messageOf(caught),
      stack: caught instanceof Error ? caught.stack : undefined,
    });
    return textReply(500, "the server made a mistake; its log says which");
  }

  /** What is said while slow readers hold all the memory that replies may hold. */
  busy(): HttpReply {
    const words = "too many slow readers: ask again in a few seconds";
    return textReply(503, words, [["retry-after", "3"], ...CORS]);
  }
}

/** Their words name folders, hosts and buckets of the server, which are nobody's business who plays. The log has them. */
const INTERNAL = /^(?:DVR_(?:BAD_INDEX|INDEX_VERSION|DISK_FAILED|BAD_MEDIA)|OBJECT_[A-Z_]+)$/;

function internalWords(code: string): string {
  return `the server cannot read what this is made of; its log says why: ${code}`;
}

function refusedPath(rawPath: string, problem: string): HttpReply {
  const error = requestErrors.error("HTTP_BAD_PATH", { problem });
  if (apiPath(rawPath) !== null) return apiRefusal(error);
  return textReply(error.httpStatus, error.message, [
    ["x-error-code", error.code],
    ["access-control-expose-headers", "x-error-code"],
    ...CORS,
  ]);
}

/** As the API tells its errors, and as closed to other sites as all that it says. */
function apiRefusal(error: MediaError): HttpReply {
  return errorReply(error, { headers: DATA_HEADERS });
}

function refusedSite(rawPath: string): HttpReply {
  if (apiPath(rawPath) !== null) return apiRefusal(apiErrors.error("API_OTHER_SITE"));
  const words = "a web page of another site may not do this here: its Origin is not this host";
  return textReply(403, words, [["x-error-code", "API_OTHER_SITE"]]);
}

function refusedMethod(method: string): HttpReply {
  return textReply(405, `this server answers GET, HEAD and OPTIONS here, not ${method}`, [
    ["allow", "GET, HEAD, OPTIONS"],
    ...CORS,
  ]);
}

/** Without a word of other sites: no page of theirs may read the API, or send it a header of its own. */
function apiOptions(): HttpReply {
  return { status: 204, headers: [["allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS"]], body: [] };
}

function preflight(): HttpReply {
  return {
    status: 204,
    headers: [
      ["access-control-allow-origin", "*"],
      ["access-control-allow-methods", "GET, HEAD, OPTIONS"],
      ["access-control-allow-headers", "range, authorization, if-none-match"],
      ["access-control-max-age", "86400"],
    ],
    body: [],
  };
}
