/** What an address of the API takes and answers, as data: requests are checked by it, and OpenAPI is made of it. */
import type { ZodObject, ZodType } from "zod";
import type { ApiScope } from "../auth/credentials/scopes.ts";
import type { ApiCall, ApiMethod, ApiRoute } from "./routes.ts";
import type { HttpReply } from "../base/http-message.ts";

/** One method at one address. */
export type ApiOperation = {
  readonly method: ApiMethod;
  /** As in `ApiRoute`. */
  readonly path: string;
  /** The name of the client's function, as `streamsList`; unique. */
  readonly id: string;
  /** Operations of one tag stand together on pages. */
  readonly tag: string;
  readonly summary: string;
  readonly scope: ApiScope;
  /** Nobody is asked for credentials. */
  readonly isPublic?: true;
  /** A GET that changes something. */
  readonly changes?: true;
  /** Parameters of the query. */
  readonly query?: ZodObject;
  /** The query is that of a list, see docs/api.md: `item` is the schema of its objects, which are called `name`. */
  readonly list?: { readonly name: string; readonly item: ZodObject };
  /** The body, as JSON. */
  readonly body?: ZodType;
  /** The body may be text/plain instead. */
  readonly takesText?: true;
  /** `schema` null: there is no body. `type`: other than JSON. */
  readonly reply: {
    readonly status: number;
    readonly schema: ZodType | null;
    readonly type?: "text/html" | "text/plain" | "text/event-stream";
    /** Types that the same may be asked for in. */
    readonly otherTypes?: readonly string[];
  };
  /** Other replies with a body that is no error, by their status. */
  readonly otherReplies?: Readonly<Record<number, ZodType>>;
  /** Statuses of errors beside those that any address has: 401, 403, 503, and 400 and 404 where they make sense. */
  readonly errors?: readonly number[];
};

/** The route that answers an operation. */
export function routeOf(
  { method, path, scope, changes, takesText }: ApiOperation,
  handle: (call: ApiCall) => Promise<HttpReply> | HttpReply,
): ApiRoute {
  return {
    ...{ method, path, scope, handle },
    ...(changes === true ? { changes } : {}),
    ...(takesText === true ? { takesText } : {}),
  };
}
