import { setMaxListeners } from "node:events";
import { S3Client } from "@aws-sdk/client-s3";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { Clock } from "../../base/clock.ts";
import { lookupOf } from "../../base/outside-hosts.ts";
import type { OutsideHosts } from "../../base/outside-hosts.ts";
import { backOffMs, pause } from "./back-off.ts";
import { objectErrors } from "./errors.ts";
import { locationOf, urlOf } from "./object-store.ts";
import type { S3Place } from "./object-store.ts";
import { redactorOf, storeError } from "./s3-errors.ts";
import type { Redactor } from "./s3-errors.ts";

/** How requests are sent. */
export type S3RequestOptions = {
  readonly clock: Clock;
  /** Of 0 up to, not including, 1; `Math.random` unless given. */
  readonly random?: (() => number) | undefined;
  /** How often a request that failed for the moment is sent in all; 3 unless given. */
  readonly attempts?: number | undefined;
  /** How long a host may be silent. 30 s unless given. */
  readonly silenceMs?: number | undefined;
  /** How long a host may take for one part of an upload, or to put parts together. 5 minutes unless given. */
  readonly uploadMs?: number | undefined;
  /** Where the bucket may be; absent: everywhere. Credentials come from where the environment says. */
  readonly hosts?: OutsideHosts | undefined;
};

/** One request under way. */
export type Attempt = {
  readonly client: S3Client;
  /** Ends the request. */
  readonly signal: AbortSignal;
  /** The host said something: its time begins anew. */
  alive(): void;
};

/** What is asked. */
export type AskOptions = {
  /** For messages: `read "live/2026/11/23/08.mp4"`. */
  readonly operation: string;
  readonly signal?: AbortSignal | undefined;
  /** Whether the host may take as long as uploads take. */
  readonly isUpload?: boolean;
  /** Instead of what holds for all requests. */
  readonly attempts?: number;
};

/** Failures after which the same request may well succeed at once. */
const TRANSIENT: ReadonlySet<string> = new Set([
  "OBJECT_UNREACHABLE",
  "OBJECT_STORE_BUSY",
  "OBJECT_BAD_REPLY",
  "OBJECT_CLOCK_SKEW",
]);
const PAUSES = { firstMs: 200, longestMs: 5000 };
const ATTEMPTS = 3;
const SILENCE_MS = 30_000;
const UPLOAD_MS = 300_000;
const CONNECT_MS = 10_000;
const MAX_SOCKETS = 16;
/** What `allowed_hosts` has to have where no endpoint is named. */
const AWS_HOST = "s3.amazonaws.com";

/** Requests to one bucket: each with a limit of time, sent again when it failed for the moment, errors in our words. */
export class S3Connection {
  readonly location: string;
  readonly bucket: string;
  readonly #client: S3Client;
  /** Of the endpoint; `null`: AWS's own. */
  readonly #hostname: string | null;
  readonly #options: S3RequestOptions;
  readonly #redact: Redactor;
  readonly #closing = new AbortController();

  /** Throws: OBJECT_BAD_PLACE. */
  constructor(place: S3Place, options: S3RequestOptions) {
    this.#redact = redactorOf([place.accessKey, place.secretKey, place.sessionToken]);
    const endpoint = endpointOf(place);
    assertPlace(place);
    this.#hostname = endpoint?.hostname ?? null;
    const config = configOf(place, endpoint, options.hosts);
    this.#client = new S3Client(config);
    setMaxListeners(0, this.#closing.signal); // as many as there are requests, which others bound
    this.#options = options;
    this.bucket = place.bucket;
    this.location = locationOf(place);
  }

  /** Sends a request, again where that helps. Throws what `ObjectStore` says, and whatever of ours `run` throws. */
  async ask<T>(ask: AskOptions, run: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { clock, random = Math.random } = this.#options;
    this.#assertHost();
    const attempts = ask.attempts ?? this.#options.attempts ?? ATTEMPTS;
    const asked = { location: this.location, operation: ask.operation };
    for (let failures = 1; ; failures++) {
      try {
        return await this.#attempt(ask, run);
      } catch (caught) {
        const error = storeError(caught, asked, this.#redact);
        if (failures >= attempts || !TRANSIENT.has(error.code)) throw error;
        await pause(clock, backOffMs(failures, PAUSES, random()), this.#signalOf(ask));
      }
    }
  }

  /** An error of this host; `reason` is ours, not the host's. */
  badReply(operation: string, reason: string): Error {
    return objectErrors.error("OBJECT_BAD_REPLY", { location: this.location, operation, reason });
  }

  close(): void {
    this.#closing.abort();
    this.#client.destroy();
  }

  /** Each time: stores stay open, and `allowed_hosts` may become another list. */
  #assertHost(): void {
    const host = this.#hostname ?? AWS_HOST;
    const refusal = this.#options.hosts?.refusal(host);
    if (refusal !== undefined) throw badPlace(`no connection is made to ${host}: ${refusal}`);
  }

  #signalOf({ signal }: AskOptions): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }

  async #attempt<T>(ask: AskOptions, run: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { operation, isUpload = false } = ask;
    const { clock, silenceMs = SILENCE_MS, uploadMs = UPLOAD_MS } = this.#options;
    const outer = this.#signalOf(ask);
    if (outer.aborted) throw objectErrors.error("OBJECT_CLOSED", { operation });
    const limitMs = isUpload ? uploadMs : silenceMs;
    const controller = new AbortController();
    const ended = Promise.withResolvers<never>();
    const end = (error: Error): void => {
      ended.reject(error);
      controller.abort();
    };
    const onTimeout = (): void =>
      end(objectErrors.error("OBJECT_TIMEOUT", { location: this.location, operation, limitMs }));
    const onClose = (): void => end(objectErrors.error("OBJECT_CLOSED", { operation }));
    let timer = clock.schedule(limitMs, onTimeout);
    let isOver = false;
    const alive = (): void => {
      if (isOver) return; // bytes that were on their way when it was given up
      timer.cancel();
      timer = clock.schedule(limitMs, onTimeout);
    };
    outer.addEventListener("abort", onClose, { once: true });
    const running = run({ client: this.#client, signal: controller.signal, alive });
    // The one that comes second has nobody to tell.
    running.catch(() => {});
    ended.promise.catch(() => {});
    try {
      return await Promise.race([running, ended.promise]);
    } finally {
      isOver = true;
      timer.cancel();
      outer.removeEventListener("abort", onClose);
    }
  }
}

/** The endpoint as a URL; `null` for AWS. Throws: OBJECT_BAD_PLACE. */
function endpointOf({ endpoint }: S3Place): URL | null {
  if (endpoint === null) return null;
  const text = urlOf(endpoint);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw badPlace("the endpoint is neither a URL of http or https nor a host");
  // Not shown: what stands there may be a secret that was put in the wrong place.
  if (url.username !== "" || url.password !== "")
    throw badPlace("the endpoint has a user or a password in it; credentials are given apart");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw badPlace(`the endpoint ${url.origin} has a path or a query behind it`);
  return url;
}

/** Spec: Amazon S3 User Guide, "Bucket naming rules", as wide as other hosts and old buckets have them. */
function assertPlace({ bucket, prefix, accessKey, secretKey }: S3Place): void {
  if (!/^[A-Za-z0-9][\w.-]{1,254}$/.test(bucket)) throw badPlace("it has no name of a bucket");
  const isOdd = prefix !== "" && prefix.split("/").some((part) => ["", ".", ".."].includes(part));
  if (isOdd)
    throw badPlace(
      `the prefix "${prefix}" begins or ends with a slash, or has an empty segment, "." or ".."`,
    );
  if (isGiven(accessKey) !== isGiven(secretKey))
    throw badPlace("of the key and its secret only one is given");
}

function isGiven(value: string | null | undefined): value is string {
  return value !== null && value !== undefined && value !== "";
}

function badPlace(reason: string): Error {
  return objectErrors.error("OBJECT_BAD_PLACE", { reason });
}

function configOf(place: S3Place, endpoint: URL | null, hosts?: OutsideHosts): S3ClientConfig {
  const { accessKey, secretKey, sessionToken } = place;
  const hasKeys = isGiven(accessKey) && isGiven(secretKey);
  const isAws = endpoint === null || /\.amazonaws\.com(\.cn)?$/.test(endpoint.hostname);
  const region = regionOf(place, endpoint);
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS, ...lookupOf(hosts) };
  return {
    ...(endpoint === null ? {} : { endpoint: endpoint.origin }),
    ...(region === null ? {} : { region }),
    ...(hasKeys
      ? {
          credentials: {
            accessKeyId: accessKey,
            secretAccessKey: secretKey,
            ...(isGiven(sessionToken) ? { sessionToken } : {}),
          },
        }
      : {}),
    forcePathStyle: !isAws,
    maxAttempts: 1,
    // We send sums that we made while reading; what else the SDK would add, many hosts refuse.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}

/** `null`: the SDK finds it in the environment or in a profile. */
function regionOf({ region }: S3Place, endpoint: URL | null): string | null {
  if (isGiven(region)) return region;
  if (endpoint === null) return null;
  const ofName = /(?:^|\.)s3[.-]([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$/.exec(
    endpoint.hostname,
  )?.[1];
  return ofName ?? process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? "us-east-1";
}
