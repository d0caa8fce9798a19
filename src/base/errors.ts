/**
 * Errors of the whole project: one class, and per layer a catalogue of codes that is data.
 * What happens after an error is decided by its disposition, in one place per layer, not by `instanceof` chains.
 */

/** What the layer that catches an error does about it; see `docs/errors.md`. */
export type Disposition =
  /** Count it, drop this packet, PES packet or sample, go on. */
  | "skip-unit"
  /** Drop up to the next random access point. */
  | "resync"
  /** The peer violates the protocol or a limit: close its connection. */
  | "close-session"
  /** Tell the peer why: an HTTP status, an RTMP `onStatus`. */
  | "reject"
  /** A transient failure of something outside: try again with a back-off. */
  | "retry"
  /** The process cannot serve. */
  | "fatal";

/** One row of a catalogue. `message` may name context fields as `{field}`. */
export type ErrorSpec = {
  readonly disposition: Disposition;
  readonly message: string;
  /** One sentence for `docs/errors.md`: what it means and what to do. */
  readonly doc: string;
  /** HTTP status where an error of this code is told to an HTTP client; 500 otherwise. */
  readonly httpStatus?: number;
};

/** Structured facts about one occurrence, shown in the message and in the log line. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>;

/** The only error class that our own code throws on bad input. Programmer errors use `node:assert`. */
export class MediaError extends Error {
  readonly code: string;
  readonly disposition: Disposition;
  readonly httpStatus: number;
  readonly context: ErrorContext;

  constructor(code: string, spec: ErrorSpec, context: ErrorContext, cause?: unknown) {
    super(renderMessage(spec.message, context), cause === undefined ? undefined : { cause });
    this.name = "MediaError";
    this.code = code;
    this.disposition = spec.disposition;
    this.httpStatus = spec.httpStatus ?? 500;
    this.context = context;
  }
}

/** A layer's codes, and the function that makes an error of one of them. */
export type ErrorCatalogue<Code extends string = string> = {
  readonly specs: Readonly<Record<Code, ErrorSpec>>;
  /** Makes (does not throw) the error; `cause` is kept on it. */
  error(code: Code, context?: ErrorContext, cause?: unknown): MediaError;
};

/** Declares a layer's error codes. Codes are UPPER_SNAKE, begin with the layer's name, and are unique in the project. */
export function defineErrors<const Specs extends Record<string, ErrorSpec>>(
  specs: Specs,
): ErrorCatalogue<keyof Specs & string> {
  return {
    specs,
    error: (code, context = {}, cause) => new MediaError(code, specs[code]!, context, cause),
  };
}

/** The error of a caught value: a `MediaError` as it is, anything else as `null`. */
export function asMediaError(caught: unknown): MediaError | null {
  return caught instanceof MediaError ? caught : null;
}

/** The message of whatever was thrown, for log fields and replies. */
export function messageOf(caught: unknown): string {
  return caught instanceof Error ? caught.message : String(caught);
}

function renderMessage(template: string, context: ErrorContext): string {
  return template.replace(/\{(\w+)\}/g, (whole, field: string) => String(context[field] ?? whole));
}
