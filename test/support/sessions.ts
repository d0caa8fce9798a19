/** Claims, rules and a table of sessions for tests. */
import type { Question } from "../../src/auth/backends/backend-request.ts";
import type { SessionClaim } from "../../src/auth/claim.ts";
import { OPEN_RULES } from "../../src/auth/rules.ts";
import type { AccessRules } from "../../src/auth/rules.ts";
import type { Judgement } from "../../src/auth/sessions/judge.ts";
import type {
  SessionChange,
  SessionEnded,
  SessionTableOptions,
} from "../../src/auth/sessions/table-options.ts";
import { SessionTable } from "../../src/auth/sessions/session-table.ts";
import { silentLogger } from "../../src/base/log.ts";
import { FakeClock } from "./fake-clock.ts";

/** A viewer of `news` over HLS. */
export function playClaim(fields: Partial<SessionClaim> = {}): SessionClaim {
  return {
    kind: "play",
    name: "news",
    proto: "hls",
    ip: "192.0.2.1",
    token: "t1",
    extraKeys: "",
    isTls: false,
    isDvr: false,
    ...fields,
  };
}

/** Rules under which a server is asked. */
export function askedRules(fields: Partial<AccessRules> = {}): AccessRules {
  return { ...OPEN_RULES, authorizer: { kind: "http", url: "http://portal.test/auth" }, ...fields };
}

/** One question that a table has put, and how to answer it. */
export type PutQuestion = { readonly question: Question; readonly answer: (judgement: Judgement) => void };

/** A table whose judge is the test: it answers at once by `judgement`, or, where that is `null`, when the test does. */
export class TableUnderTest {
  readonly clock = new FakeClock();
  readonly table: SessionTable;
  readonly put: PutQuestion[] = [];
  readonly ended: SessionEnded[] = [];
  readonly changes: string[] = [];
  rules: AccessRules = askedRules();
  judgement: Judgement | null = { kind: "allowed" };

  constructor(options: Partial<SessionTableOptions> = {}) {
    let ids = 0;
    this.table = new SessionTable({
      rulesOf: () => this.rules,
      judge: { judge: (_rules, question) => this.#judge(question) },
      clock: this.clock,
      log: silentLogger,
      makeId: () => `s${++ids}`,
      onChange: (change) => void this.changes.push(describeChange(change)),
      ...options,
    });
    this.table.onEnds((ends) => void this.ended.push(...ends));
  }

  #judge(question: Question): Promise<Judgement> {
    const { promise, resolve } = Promise.withResolvers<Judgement>();
    this.put.push({ question, answer: resolve });
    if (this.judgement !== null) resolve(this.judgement);
    return promise;
  }
}

/** Lets promises settle. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function describeChange(change: SessionChange): string {
  if (change.kind === "denied") return `denied ${change.claim.name}: ${change.reason}`;
  const { id, state, closeReason } = change.session;
  return `${change.kind} ${id} ${closeReason ?? state}`;
}
