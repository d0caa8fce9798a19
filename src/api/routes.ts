/** Which request to the API is answered by what. Without schemas, so that a server that nobody asks does without them. */
import { asMediaError } from "../base/errors.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import { grantOf, isInScope } from "./access.ts";
import type { ApiGrant } from "./access.ts";
import type { ApiScope } from "../auth/credentials/scopes.ts";
import { errorReply } from "./error-reply.ts";
import { apiErrors } from "./errors.ts";
import { isOfAnotherSite } from "./other-site.ts";

/** Methods that the API knows; HEAD is answered as GET. */
export type ApiMethod = "GET" | "POST" | "PUT" | "DELETE";

/** One request that a row answers. */
export type ApiCall = {
  readonly request: HttpRequest;
  /** Of who asks. */
  readonly grant: ApiGrant;
  /** What stands in the path for each `{name}`. */
  readonly params: Readonly<Record<string, string>>;
  /** The body as JSON; `undefined` where there is none. */
  readonly body: unknown;
};

/** What answers one method at one address. */
export type ApiRoute = {
  /** Tokens with this scope reach it; absent: only those with `edit`, or `view` where it changes nothing. */
  readonly scope?: ApiScope;
  /** It changes something though its method is GET. */
  readonly changes?: true;
  readonly method: ApiMethod;
  /** Behind the base path, as `/streams/{name}/dvr/ranges`. Those of `WIDE` may have slashes in them, any other may not. */
  readonly path: string;
  /** A body of text/plain is taken too, and is a string then. */
  readonly takesText?: true;
  /** May throw or reject with a `MediaError`, which becomes the reply. */
  handle(call: ApiCall): Promise<HttpReply> | HttpReply;
};

/** Parameters of paths that are names with slashes in them. */
const WIDE: readonly string[] = ["name", "prefix", "subpath"];

type Row = { readonly route: ApiRoute; readonly pattern: RegExp; readonly names: readonly string[] };

/** A table of routes. */
export class ApiRoutes {
  readonly #rows: readonly Row[];

  constructor(routes: readonly ApiRoute[]) {
    this.#rows = routes.map((route) => ({ route, ...patternOf(route.path) }));
  }

  /** Methods and paths of all rows, as `GET /episodes/{id}`. */
  get addresses(): string[] {
    return this.#rows.map(({ route }) => `${route.method} ${route.path}`);
  }

  /**
   * Answers a request at a path behind the base path; `null` where the table has nothing at that address. Who may only
   * look is answered what changes nothing. Never rejects with a `MediaError`.
   */
  async answer(
    request: HttpRequest,
    path: string,
    access: ApiGrant | ApiGrant["access"],
  ): Promise<HttpReply | null> {
    const grant = typeof access === "string" ? grantOf(access) : access;
    const found = mostExact(this.#rows.filter(({ pattern }) => pattern.test(path)));
    if (found.length === 0) return null;
    const method = request.method === "HEAD" ? "GET" : request.method;
    const row = found.find(({ route }) => route.method === method);
    try {
      if (row === undefined) return refuseMethod(request.method, found);
      const { scope, changes = method !== "GET" } = row.route;
      if (changes) requireEdit(request, grant.access);
      if (!isInScope(grant, scope, changes))
        throw apiErrors.error("API_SCOPE", { scope: scope ?? (changes ? "edit" : "view") });
      const values = row.pattern.exec(path)!.slice(1);
      const params = Object.fromEntries(row.names.map((name, i) => [name, values[i]!]));
      return await row.route.handle({ request, grant, params, body: readBody(request, row.route) });
    } catch (caught) {
      const error = asMediaError(caught);
      if (error === null) throw caught;
      return errorReply(error);
    }
  }
}

/** `/streams/a/stop` is what `/streams/{name}/stop` says, whatever methods that has, and not a stream named `a/stop`. */
function mostExact(rows: readonly Row[]): Row[] {
  const literal = ({ route }: Row): number => route.path.replaceAll(/\{\w+\}/g, "").length;
  const most = Math.max(...rows.map(literal));
  return rows.filter((row) => literal(row) === most);
}

function patternOf(path: string): Pick<Row, "pattern" | "names"> {
  const names: string[] = [];
  const source = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return WIDE.includes(name) ? "(.+)" : "([^/]+)";
  });
  return { pattern: new RegExp(`^${source}$`, "s"), names };
}

function refuseMethod(method: string, rows: readonly Row[]): HttpReply {
  const methods = rows.flatMap(({ route }) => (route.method === "GET" ? ["GET", "HEAD"] : [route.method]));
  const allow = methods.join(", ");
  return errorReply(apiErrors.error("API_METHOD", { method, allow }), { headers: [["allow", allow]] });
}

/** Browsers say where a request comes from, and send credentials that they know along with it. Spec: Fetch Metadata. */
function requireEdit(request: HttpRequest, access: ApiGrant["access"]): void {
  if (access !== "edit") throw apiErrors.error("API_READ_ONLY");
  const site = request.header("sec-fetch-site");
  if (site === "cross-site" || site === "same-site" || isOfAnotherSite(request))
    throw apiErrors.error("API_OTHER_SITE");
}

function readBody(request: HttpRequest, { takesText }: ApiRoute): unknown {
  const { body } = request;
  if (body === undefined || body.byteLength === 0) return undefined;
  const type = request.header("content-type") ?? "";
  if (takesText === true && /^text\/plain *(;|$)/i.test(type)) return readText(body);
  if (!/^application\/json *(;|$)/i.test(type)) throw apiErrors.error("API_NO_JSON");
  try {
    return JSON.parse(decode(body)) as unknown;
  } catch (caught) {
    // What the parser says has pieces of the body in it, and there may be a secret in these.
    const reason = caught instanceof SyntaxError ? "it does not parse" : "it is not UTF-8";
    throw apiErrors.error("API_BAD_JSON", { reason }, caught);
  }
}

function readText(body: Uint8Array): string {
  try {
    return decode(body);
  } catch (caught) {
    throw apiErrors.error("API_BAD_JSON", { reason: "it is not UTF-8" }, caught);
  }
}

function decode(body: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(body);
}
