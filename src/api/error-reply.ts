import { randomUUID } from "node:crypto";
import type { MediaError } from "../base/errors.ts";
import { jsonReply } from "../base/http-message.ts";
import type { HttpHeaders, HttpReply } from "../base/http-message.ts";

/** What the API says more of an error. */
export type ErrorDetails = {
  /** Where in the request it lies: a JSON pointer into the body, or the name of a parameter of the query. */
  readonly source?: { readonly pointer: string } | { readonly parameter: string };
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly headers?: HttpHeaders;
};

/** An error as the API tells it: `{"errors": [{id, status, code, title, source, meta}]}`, the code in lower case. */
export function errorReply(error: MediaError, details: ErrorDetails = {}): HttpReply {
  const { httpStatus: status, code, message: title } = error;
  const { source = sourceOf(error), meta, headers = [] } = details;
  const shown = { id: randomUUID(), status: String(status), code: code.toLowerCase(), title };
  const saysWhen = headers.some(([name]) => name === "retry-after");
  const retry: HttpHeaders = (status === 429 || status === 503) && !saysWhen ? [["retry-after", "2"]] : [];
  const told = {
    ...shown,
    ...(source === undefined ? {} : { source }),
    ...(meta === undefined ? {} : { meta }),
  };
  return jsonReply(status, { errors: [told] }, [["x-error-code", code], ...retry, ...headers]);
}

function sourceOf({ context }: MediaError): ErrorDetails["source"] {
  const { pointer, parameter } = context;
  if (typeof pointer === "string") return { pointer };
  return typeof parameter === "string" ? { parameter } : undefined;
}
