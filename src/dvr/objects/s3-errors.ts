import { asMediaError } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { objectErrors } from "./errors.ts";

/** What was asked of a host, for messages. */
export type Asked = {
  readonly location: string;
  /** Behind "cannot" and "refuses to": `read "live/2026/11/23/08.mp4"`. */
  readonly operation: string;
};

/** Hides what must not be seen in whatever a host says. */
export type Redactor = (text: string) => string;

/** What is shown of what a host says, in characters. */
const MAX_SHOWN = 300;
/** What is read of it: a proxy may answer with a page. */
const MAX_READ = 65_536;
/** A shorter one would hide letters of ordinary words. */
const MIN_SECRET_LENGTH = 4;

/** Takes the given texts out, as they are and as URLs have them. */
export function redactorOf(secrets: readonly (string | null | undefined)[]): Redactor {
  const hidden = secrets
    .flatMap((secret = null) => {
      if (secret === null || secret.length < MIN_SECRET_LENGTH) return [];
      return [secret, encodeURIComponent(secret)];
    })
    .toSorted((a, b) => b.length - a.length);
  return (text) => hidden.reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
}

/** What the SDK and Node put on the errors that they throw, as far as it is read here. */
type Thrown = {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly message?: unknown;
  readonly Region?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly $response?: { readonly statusCode?: unknown };
};

/** How a host's refusal is known: by its name, or by its status where the name says nothing. */
type Facts = { readonly names: readonly string[]; readonly status: number | null; readonly reason: string };

type Code =
  | "OBJECT_NO_CREDENTIALS"
  | "OBJECT_CLOCK_SKEW"
  | "OBJECT_WRONG_REGION"
  | "OBJECT_NO_BUCKET"
  | "OBJECT_ACCESS_DENIED"
  | "OBJECT_STORE_BUSY"
  | "OBJECT_UNREACHABLE"
  | "OBJECT_REFUSED";

/**
 * Names by what they mean; the first row that has one decides.
 * Spec: Amazon S3 API Reference, "Error responses"; the credential providers' own names.
 */
const BY_NAME: readonly (readonly [Code, readonly string[]])[] = [
  ["OBJECT_NO_CREDENTIALS", ["CredentialsProviderError", "ProviderError", "TokenProviderError"]],
  ["OBJECT_CLOCK_SKEW", ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]],
  [
    "OBJECT_WRONG_REGION",
    ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"],
  ],
  ["OBJECT_NO_BUCKET", ["NoSuchBucket"]],
  [
    "OBJECT_STORE_BUSY",
    [
      "SlowDown",
      "SlowDownRead",
      "SlowDownWrite",
      "ServiceUnavailable",
      "InternalError",
      "RequestTimeout",
      "Throttling",
    ],
  ],
  [
    "OBJECT_ACCESS_DENIED",
    [
      "AccessDenied",
      "InvalidAccessKeyId",
      "SignatureDoesNotMatch",
      "ExpiredToken",
      "InvalidToken",
      "Forbidden",
    ],
  ],
];

/**
 * Puts whatever a request ended with into our words. The cause that is kept has the name and the message alone: the
 * SDK's own error has the request on it, with headers that are nobody's business.
 */
export function storeError(caught: unknown, asked: Asked, redact: Redactor): MediaError {
  const known = asMediaError(caught);
  if (known !== null) return known;
  const facts = factsOf(caught, redact);
  const cause = new Error(facts.reason);
  cause.stack = `Error: ${facts.reason}`;
  return objectErrors.error(codeOf(facts), { ...asked, reason: facts.reason }, cause);
}

/** Whether a host says that there is no such object, or no such upload. */
export function isMissing(caught: unknown): boolean {
  const { names, status } = factsOf(caught, (text) => text);
  if (names.includes("NoSuchBucket")) return false;
  return status === 404 || names.includes("NoSuchKey") || names.includes("NotFound");
}

/** Whether a host says that the object is not the one that was asked for. */
export function isOtherObject(caught: unknown): boolean {
  const { names, status } = factsOf(caught, (text) => text);
  return status === 412 || names.includes("PreconditionFailed");
}

/** Whether a host does not know the headers that carry CRC-32s, and may do without. */
export function isChecksumUnsupported(caught: unknown): boolean {
  const { names, status, reason } = factsOf(caught, (text) => text);
  if (names.includes("NotImplemented") || status === 501) return true;
  return status === 400 && /x-amz-(sdk-)?checksum/i.test(reason) && !names.includes("BadDigest");
}

function codeOf({ names, status }: Facts): Code {
  const named = BY_NAME.find(([, known]) => known.some((name) => names.includes(name)));
  if (named !== undefined) return named[0];
  if (status === null) return "OBJECT_UNREACHABLE";
  if (status === 301 || status === 307) return "OBJECT_WRONG_REGION";
  if (status === 401 || status === 403) return "OBJECT_ACCESS_DENIED";
  return status === 408 || status === 429 || status >= 500 ? "OBJECT_STORE_BUSY" : "OBJECT_REFUSED";
}

function factsOf(caught: unknown, redact: Redactor): Facts {
  const thrown: Thrown =
    typeof caught === "object" && caught !== null ? caught : { message: String(caught) };
  const names = [thrown.name, thrown.code, thrown.Code].filter((name) => typeof name === "string");
  const statuses = [thrown.$response?.statusCode, thrown.$metadata?.httpStatusCode];
  const status = statuses.find((value) => typeof value === "number") ?? null;
  const said = typeof thrown.message === "string" ? thrown.message.slice(0, MAX_READ) : "";
  // The SDK's advice to whoever debugs it.
  const message = said.replace(/\s*Deserialization error: [^]*$/, "");
  const region = typeof thrown.Region === "string" ? `the bucket is in ${thrown.Region}` : "";
  const name = names.findLast((one) => one !== "Error" && one !== "AggregateError");
  const parts = [status === null ? "" : `status ${status}`, name ?? "", message, region];
  const reason = plain(redact(parts.filter((part) => part !== "").join(", ")));
  return { names, status, reason: reason.slice(0, MAX_SHOWN) };
}

/** One line, of characters that can be shown. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  return text.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
}
