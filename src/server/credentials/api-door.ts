import type { ApiGrant } from "../../api/access.ts";
import { errorReply } from "../../api/error-reply.ts";
import { apiErrors } from "../../api/errors.ts";
import { isPrivateAddress, Networks } from "../../auth/addresses.ts";
import { ApiGate } from "../../auth/credentials/api-access.ts";
import type { ApiKeys } from "../../auth/credentials/api-access.ts";
import { readAuthorization } from "../../auth/credentials/authorization.ts";
import { Failures } from "../../auth/credentials/failures.ts";
import type { RepeatedFailures } from "../../auth/credentials/failures.ts";
import { isWellKnown } from "../../auth/credentials/well-known.ts";
import { authErrors } from "../../auth/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";

const CHALLENGE = ["www-authenticate", 'Basic realm="weir", charset="UTF-8"'] as const;

/** Who came in, or what they are told. */
export type Entrance =
  | { readonly kind: "in"; readonly grant: ApiGrant; readonly who: string }
  | { readonly kind: "out"; readonly reply: HttpReply };

/** Who was refused though the credentials are right. */
export type WellKnownRefusal = { readonly ip: string; readonly who: string };

/** What the door is made of. */
export type ApiDoorOptions = {
  readonly clock: Clock;
  /** Whom the API lets in now; asked for each request. */
  readonly keys: () => ApiKeys;
  /** Networks that may call the API; empty: all. Asked for each request. */
  readonly allowedFrom: () => readonly string[];
  /** Credentials that everybody knows are refused; else they work from inside alone. */
  readonly isProduction?: () => boolean;
  /** Somebody came with credentials that are right, and were refused since everybody knows them. */
  readonly onWellKnown?: (what: WellKnownRefusal) => void;
  /** Credentials are wrong. */
  readonly onFailure?: () => void;
  /** Somebody tries credentials: told once a burst. */
  readonly onRepeated: (what: RepeatedFailures) => void;
};

/** Lets requests into the API: from where they come, who they are, and no faster than `Failures` allows. */
export class ApiDoor {
  readonly #options: ApiDoorOptions;
  readonly #gate: ApiGate;
  readonly #failures: Failures;
  /** Read once for each configuration. */
  #networks: { readonly texts: readonly string[]; readonly networks: Networks } | null = null;

  constructor(options: ApiDoorOptions) {
    this.#options = options;
    this.#gate = new ApiGate(options.clock);
    this.#failures = new Failures(options.clock, options.onRepeated);
  }

  /** The answer may take some 10 s for who fails again and again. */
  async enter(request: HttpRequest): Promise<Entrance> {
    if (!this.#isFromAllowed(request.remoteAddress))
      return { kind: "out", reply: errorReply(apiErrors.error("API_ADDRESS")) };
    const authorization = request.header("authorization");
    if (authorization === undefined) return refused();
    const admission = this.#failures.admit(request.remoteAddress);
    if (admission.kind === "refused") return tooMany(admission.retryAfterMs);
    const { attempt } = admission;
    try {
      const verdict = await this.#gate.judge(
        { authorization, method: request.method },
        this.#options.keys(),
      );
      if (verdict.kind === "allowed" && !this.#isRefused(request, authorization, verdict.who)) {
        const { access, scopes, who } = verdict;
        return { kind: "in", grant: { access, scopes }, who };
      }
      if (verdict.kind === "refused" && verdict.reason === "busy")
        return { kind: "out", reply: errorReply(authErrors.error("AUTH_BUSY")) };
      // Who guessed what everybody knows is not told that it was right.
      if (verdict.kind === "allowed" || verdict.reason === "wrong") {
        this.#options.onFailure?.();
        await attempt.failed();
      }
      return refused();
    } finally {
      attempt.done();
    }
  }

  /** Looks at what was said, so that it holds for credentials from files, from a Secret and behind a hash too. */
  #isRefused({ remoteAddress: ip }: HttpRequest, authorization: string, who: string): boolean {
    const read = readAuthorization(authorization);
    if (read === null || read.scheme === "cluster") return false;
    const { login, password, text } = read;
    if (!isWellKnown({ login, password }) && !isWellKnown({ login: who, password: text })) return false;
    const isRefused = this.#options.isProduction?.() === true || !isPrivateAddress(ip);
    if (isRefused) this.#options.onWellKnown?.({ ip, who });
    return isRefused;
  }

  #isFromAllowed(ip: string): boolean {
    const texts = this.#options.allowedFrom();
    if (texts.length === 0) return true;
    if (this.#networks?.texts !== texts) this.#networks = { texts, networks: new Networks(texts) };
    return this.#networks.networks.has(ip);
  }
}

function refused(): Entrance {
  return {
    kind: "out",
    reply: errorReply(apiErrors.error("API_NO_CREDENTIALS"), { headers: [CHALLENGE] }),
  };
}

function tooMany(retryAfterMs: number): Entrance {
  const seconds = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  const error = authErrors.error("AUTH_TOO_MANY_FAILURES", { seconds });
  return { kind: "out", reply: errorReply(error, { headers: [["retry-after", seconds]] }) };
}
