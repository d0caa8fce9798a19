/** A small client of the API: operations by their names, typed by the API's own description. */
import { eventData } from "./event-stream.ts";
import { ADDRESSES } from "./operations.ts";
import type { Error as ErrorReply, Operations } from "./operations.ts";

/** How the API is reached. */
export type ApiClientOptions = {
  /** Up to `/streamer/api/v3`, without a slash behind it. */
  readonly base: string;
  /** The header; without it a browser sends what it knows. */
  readonly authorization?: string;
  readonly fetch?: typeof fetch;
};

/** What an operation is given; what it does not take is left out. */
export type ApiInput<Id extends keyof Operations> = Wanted<"path", Operations[Id]["path"]> &
  (Operations[Id]["body"] extends undefined ? object : { readonly body: Operations[Id]["body"] }) & {
    readonly query?: Operations[Id]["query"];
    /** Ends the request, and events that are followed. */
    readonly signal?: AbortSignal;
  };

type Wanted<Name extends string, Value> = object extends Value
  ? object
  : { readonly [name in Name]: Value };

/**
 * Asks for one operation. Rejects with an `ApiError`, and as `fetch` does. `eventsFollow` resolves as soon as the server has
 * answered, with events to loop over as they come; leaving the loop ends the request.
 */
export type ApiClient = <Id extends keyof Operations>(
  id: Id,
  input: ApiInput<Id>,
) => Promise<Operations[Id]["reply"]>;

/** What the API refuses with. */
export class ApiError extends Error {
  readonly status: number;
  /** As `stream_not_found`. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

/** Makes a client. */
export function apiClient(options: ApiClientOptions): ApiClient {
  const { base, authorization, fetch: send = fetch } = options;
  return async (id, input) => {
    const { method, path } = ADDRESSES[id];
    const given = input as Given;
    const response = await send(base + filled(path, given.path ?? {}) + queryOf(given.query ?? {}), {
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(given.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
      ...(given.signal === undefined ? {} : { signal: given.signal }),
    });
    if (!response.ok) throw await errorOf(response);
    return (await read(response)) as never;
  };
}

type Given = {
  readonly path?: object;
  readonly query?: object;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
};

async function read(response: Response): Promise<unknown> {
  if (response.status === 204) return null;
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) return events(response.body!);
  return type.startsWith("application/json") ? await response.json() : await response.text();
}

async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown, void> {
  for await (const data of eventData(body)) yield JSON.parse(data);
}

/** Names of streams keep their slashes. */
function filled(path: string, values: object): string {
  const given = values as Readonly<Record<string, string | number>>;
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    String(given[name] ?? "")
      .split("/")
      .map(encodeURIComponent)
      .join("/"),
  );
}

function queryOf(query: object): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(
    query as Readonly<Record<string, string | number | undefined>>,
  ))
    if (value !== undefined) search.append(name, String(value));
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const [first] = (JSON.parse(text) as ErrorReply).errors;
    if (first !== undefined) return new ApiError(response.status, first.code, first.title);
  } catch {
    // A line of text then.
  }
  return new ApiError(response.status, "http", text.trim());
}
