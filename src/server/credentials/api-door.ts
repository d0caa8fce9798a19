import { errorReply } from "../../api/error-reply.ts";
import { apiErrors } from "../../api/errors.ts";
import { ApiGate } from "../../auth/credentials/api-access.ts";
import type { ApiKeys } from "../../auth/credentials/api-access.ts";
import { Failures } from "../../auth/credentials/failures.ts";
import type { RepeatedFailures } from "../../auth/credentials/failures.ts";
import { accessIn, areaOf } from "../../auth/credentials/scopes.ts";
import type { ApiAccess } from "../../auth/credentials/scopes.ts";
import { authErrors } from "../../auth/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";

const CHALLENGE = ["www-authenticate", 'Basic realm="weir", charset="UTF-8"'] as const;

/** Who came in, or what they are told. */
export type Entrance =
  | { readonly kind: "in"; readonly access: ApiAccess; readonly who: string }
  | { readonly kind: "out"; readonly reply: HttpReply };

/** What the door is made of. */
export type ApiDoorOptions = {
  readonly clock: Clock;
  /** Whom the API lets in now; asked for each request. */
  readonly keys: () => ApiKeys;
  /** Somebody tries credentials: told once a burst. */
  readonly onRepeated: (what: RepeatedFailures) => void;
};

/** Lets requests into the API: who they are, what they may do at this path, and no faster than `Failures` allows. */
export class ApiDoor {
  readonly #options: ApiDoorOptions;
  readonly #gate: ApiGate;
  readonly #failures: Failures;

  constructor(options: ApiDoorOptions) {
    this.#options = options;
    this.#gate = new ApiGate(options.clock);
    this.#failures = new Failures(options.clock, options.onRepeated);
  }

  /** `path`: behind the base path. The answer may take some 10 s for who fails again and again. */
  async enter(request: HttpRequest, path: string): Promise<Entrance> {
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
      if (verdict.kind === "allowed") return entered(verdict, path);
      if (verdict.reason === "busy")
        return { kind: "out", reply: errorReply(authErrors.error("AUTH_BUSY")) };
      if (verdict.reason === "wrong") await attempt.failed();
      return refused();
    } finally {
      attempt.done();
    }
  }
}

function entered({ scopes, who }: Pick<Verdict, "scopes" | "who">, path: string): Entrance {
  const access = accessIn(scopes, areaOf(path));
  if (access === null) return { kind: "out", reply: errorReply(authErrors.error("AUTH_SCOPE")) };
  return { kind: "in", access, who };
}

type Verdict = Extract<Awaited<ReturnType<ApiGate["judge"]>>, { kind: "allowed" }>;

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
