/** Random walks over the table of sessions: what must hold whatever happens in whatever order. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { TableUnderTest, askedRules, playClaim, settle } from "../../../test/support/sessions.ts";
import type { SessionClaim } from "../claim.ts";
import { OPEN_RULES } from "../rules.ts";
import type { SessionTable } from "./session-table.ts";
import type { SessionChange } from "./table-options.ts";

const THREADS = 3;
const LIMITS = { sessions: 12, denials: 4, waiting: 20, rechecks: 2 };
const MAX_STREAM_SESSIONS = 5;

const claims: fc.Arbitrary<SessionClaim> = fc
  .record({
    name: fc.constantFrom("a", "b"),
    ip: fc.constantFrom("1", "2", "3", "4"),
    proto: fc.constantFrom("hls", "rtmp"),
    token: fc.constantFrom("t1", "t2"),
  })
  .map((fields) => playClaim(fields));

const thread = fc.nat(THREADS - 1);
const pick = fc.nat(1000);

type Step =
  | { readonly do: "open" | "begin"; readonly thread: number; readonly claim: SessionClaim }
  | { readonly do: "answer"; readonly pick: number; readonly how: number }
  | { readonly do: "closed" | "report" | "kick"; readonly thread: number; readonly pick: number }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "lost"; readonly thread: number }
  | { readonly do: "reauth" }
  | { readonly do: "configure"; readonly maxSessions: number | undefined };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("open", "begin"), thread, claim: claims }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("answer"), pick, how: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("closed", "report", "kick"), thread, pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("advance"), ms: fc.constantFrom(1, 900, 7000, 31_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lost"), thread }) },
  { weight: 1, arbitrary: fc.constant({ do: "reauth" } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("configure"), maxSessions: fc.constantFrom(undefined, 1, 2) }),
  },
);

/** One table, and what is known of it from outside. */
class Walk {
  readonly it: TableUnderTest;
  readonly open = new Set<string>();
  /** Questions that are not answered yet, by session. */
  readonly asking = new Set<string>();
  answered = 0;
  waiting = 0;

  constructor() {
    this.it = new TableUnderTest({ limits: LIMITS, onChange: (change) => this.#note(change) });
    this.it.judgement = null;
    this.it.rules = askedRules({ maxStreamSessions: MAX_STREAM_SESSIONS });
  }

  async take(step: Step): Promise<void> {
    const { table, clock } = this.it;
    const ids = [...table.list()].map(({ id }) => id);
    switch (step.do) {
      case "open":
        this.waiting++;
        void table.open(step.thread, step.claim).then((verdict) => {
          this.waiting--;
          return assert.ok(verdict.kind !== "allowed" || verdict.id !== "");
        });
        break;
      case "begin":
        table.begun(step.thread, { id: `${step.claim.ip} ${step.claim.proto}`, claim: step.claim });
        break;
      case "answer":
        this.#answer(step.pick, step.how);
        break;
      case "closed":
        table.closed(step.thread, {
          id: ids[step.pick % ids.length] ?? "",
          reason: "gone",
          ...(step.pick % 2 === 0 ? {} : { connections: 1 }),
        });
        break;
      case "report":
        table.report(step.thread, [
          { id: ids[step.pick % ids.length] ?? "", bytes: step.pick % 3, seenUs: 0 },
        ]);
        break;
      case "kick":
        table.kick(ids[step.pick % ids.length] ?? "");
        break;
      case "advance":
        clock.advance(step.ms);
        break;
      case "lost":
        table.threadLost(step.thread);
        break;
      case "reauth":
        table.reauth();
        break;
      case "configure":
        this.it.rules = askedRules({
          maxStreamSessions: MAX_STREAM_SESSIONS,
          ...(step.maxSessions === undefined ? {} : { maxSessions: step.maxSessions }),
        });
        table.configure(() => this.it.rules);
    }
    await settle();
    this.check();
  }

  check(): void {
    const { table, put } = this.it;
    const stats = table.stats();
    const sessions = [...table.list()];
    const asking = put.slice(0).map(({ question }) => question.sessionId);
    assert.equal(new Set(asking).size, asking.length, "a session is asked about once at a time");
    assert.ok(stats.sessions <= LIMITS.sessions && stats.denials <= LIMITS.denials);
    assert.ok(stats.waiting <= LIMITS.waiting && stats.rechecking <= LIMITS.rechecks);
    assert.equal(stats.waiting, this.waiting);
    assert.deepEqual(new Set(sessions.map(({ id }) => id)), this.open, "events tell what there is");
    assert.equal(new Set(sessions.map(({ identity }) => identity)).size, sessions.length);
    for (const name of ["a", "b"]) {
      const judged = sessions.filter(({ claim, id }) => claim.name === name && id.startsWith("s"));
      assert.ok(judged.length <= MAX_STREAM_SESSIONS);
    }
    assert.equal(stats.plays, sessions.filter(({ claim }) => claim.kind === "play").length);
  }

  /** Answers everything and lets time go by until nobody is left. */
  async end(): Promise<void> {
    for (let round = 0; round < 40; round++) {
      while (this.it.put.length > 0) this.#answer(0, 0);
      for (let lost = 0; lost < THREADS; lost++) this.it.table.threadLost(lost);
      this.it.clock.advance(10_000);
      await settle();
    }
    assert.deepEqual(
      { ...this.it.table.stats(), denials: 0 },
      { sessions: 0, plays: 0, waiting: 0, denials: 0, rechecking: 0 },
    );
    assert.equal(this.open.size, 0);
    assert.equal(this.it.clock.pendingTimers, 0);
  }

  #answer(which: number, how: number): void {
    const { put } = this.it;
    const [asked] = put.splice(which % Math.max(1, put.length), 1);
    if (asked === undefined) return;
    if (how === 0) asked.answer({ kind: "denied", status: 403, reason: "no", forMs: 3000 });
    else if (how === 1) asked.answer({ kind: "failed", reason: "away" });
    else if (how === 2) asked.answer({ kind: "redirected", location: "/", forMs: 3000 });
    else if (how < 6) asked.answer({ kind: "allowed", recheckMs: 5000 });
    else asked.answer({ kind: "allowed", recheckMs: 5000, userId: `u${how % 2}`, maxSessions: how - 5 });
  }

  #note(change: SessionChange): void {
    if (change.kind === "denied") return;
    const { id } = change.session;
    if (change.kind === "opened") {
      assert.ok(!this.open.has(id));
      this.open.add(id);
      return;
    }
    assert.ok(this.open.has(id), `${change.kind} ${id}`);
    if (change.kind === "closed") this.open.delete(id);
  }
}

test("whatever happens, nobody is asked twice at once, bounds hold, and all ends empty", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 60 }), async (all) => {
      const walk = new Walk();
      for (const step of all) await walk.take(step);
      await walk.end();
    }),
    { numRuns: 150 },
  );
});

test("whatever is opened and ended, no user has more sessions than they may", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(claims, { maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      async (all, max) => {
        const it = new TableUnderTest();
        it.rules = askedRules({ maxSessions: max });
        for (const claim of all) {
          await it.table.open(0, claim);
          for (const token of ["t1", "t2"]) {
            const own = [...it.table.list()].filter((session) => session.claim.token === token);
            assert.ok(own.length <= max);
          }
        }
      },
    ),
    { numRuns: 100 },
  );
});

test("10 000 viewers come and go, and nothing is left of them", () => {
  const it = new TableUnderTest();
  it.rules = OPEN_RULES;
  const table: SessionTable = it.table;
  for (let viewer = 0; viewer < 10_000; viewer++) {
    table.begin(viewer % THREADS, playClaim({ ip: `${viewer}`, name: `stream${viewer % 97}` }));
    if (viewer % 100 === 0) it.clock.advance(1000);
  }
  assert.ok(table.stats().sessions > 2000);
  it.clock.advance(31_000);
  assert.equal(table.stats().sessions, 0);
  assert.equal(it.clock.pendingTimers, 0);
});
