/** Refusals and bans: what outlives other rules, strangers and threads that are lost. */
import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { TableUnderTest, askedRules, playClaim, settle } from "../../../test/support/sessions.ts";
import { OPEN_RULES } from "../rules.ts";

const NO = { kind: "denied", status: 403, reason: "no", forMs: 60_000 } as const;

describe("a refusal", () => {
  test("outlives other rules of other names, and is forgotten with the rules that it came by", async () => {
    const it = new TableUnderTest();
    it.judgement = NO;
    await it.table.open(0, playClaim({ name: "news" }));
    await it.table.open(0, playClaim({ name: "sport" }));
    it.table.configure((_, name) => askedRules(name === "sport" ? { maxSessions: 2 } : {}));
    it.judgement = { kind: "allowed" };
    assert.equal((await it.table.open(0, playClaim({ name: "news" }))).kind, "denied");
    assert.equal((await it.table.open(0, playClaim({ name: "sport" }))).kind, "allowed");
    assert.equal(it.put.length, 3);
  });

  test("by rules that became others meanwhile is not kept", async () => {
    const it = new TableUnderTest();
    it.judgement = null;
    const waiting = it.table.open(0, playClaim());
    await settle();
    it.table.configure(() => askedRules({ maxSessions: 2 }));
    it.put[0]!.answer(NO);
    assert.equal((await waiting).kind, "denied");
    it.judgement = { kind: "allowed" };
    assert.equal((await it.table.open(0, playClaim())).kind, "allowed");
  });

  test("of a session that there was is not driven out by strangers", async () => {
    const it = new TableUnderTest({ limits: { denials: 3 } });
    await it.table.open(0, playClaim());
    it.table.kick("s1");
    it.judgement = NO;
    for (let token = 0; token < 9; token++)
      await it.table.open(0, playClaim({ token: `made up ${token}` }));
    it.judgement = { kind: "allowed" };
    assert.equal((await it.table.open(0, playClaim())).kind, "denied");
  });

  test("of a push that was ended outlives any rules", () => {
    const it = new TableUnderTest();
    const push = { ...playClaim(), kind: "push", proto: "rtmp" } as const;
    it.table.begin(0, push);
    it.table.kick("s1");
    it.table.configure(() => OPEN_RULES);
    assert.equal(it.table.begin(0, push)?.kind, "denied");
  });
});

describe("a session that nobody was asked about and whose token is known in part", () => {
  const claim = playClaim({ token: "the beginn", isTokenCut: true });

  test("ends when it is to be judged, so that its viewer brings the whole", async () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    it.table.begin(0, claim, "its own");
    it.table.configure(() => askedRules());
    await it.clock.advanceSettling(1000);
    assert.equal(it.put.length, 0);
    assert.deepEqual(
      it.ended.map(({ id, forMs, threads }) => [id, forMs, threads]),
      [["its own", 0, [0]]],
    );
    assert.equal((await it.table.open(0, playClaim({ token: "the beginning" }))).kind, "allowed");
  });

  test("goes on when it is judged again by no rules", async () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    it.table.begin(0, claim, "its own");
    it.table.reauth();
    await it.clock.advanceSettling(1000);
    assert.deepEqual([it.ended.length, it.table.stats().sessions], [0, 1]);
  });
});

describe("a thread that is lost while it waits for an answer", () => {
  test("holds nothing of it, so a connection's session does not stay for ever", async () => {
    const it = new TableUnderTest();
    it.judgement = null;
    const waiting = [0, 1].map((thread) =>
      it.table.open(thread, playClaim({ proto: "rtmp", ip: `${thread}` })),
    );
    await settle();
    it.table.threadLost(0);
    for (const { answer } of it.put) answer({ kind: "allowed" });
    const [lost, other] = await Promise.all(waiting);
    assert.deepEqual([lost!.kind, other!.kind], ["denied", "allowed"]);
    assert.deepEqual(
      [...it.table.list()].map(({ threads }) => threads),
      [[1]],
    );
    // The one that takes its place is another.
    it.judgement = { kind: "allowed" };
    assert.equal((await it.table.open(0, playClaim({ proto: "rtmp", ip: "0" }))).kind, "allowed");
  });

  test("leaves the session to the others that wait for the same", async () => {
    const it = new TableUnderTest();
    it.judgement = null;
    const waiting = [0, 1].map((thread) => it.table.open(thread, playClaim()));
    await settle();
    it.table.threadLost(0);
    it.put[0]!.answer({ kind: "allowed" });
    assert.equal((await waiting[1])!.kind, "allowed");
    assert.deepEqual(it.table.get("s1")?.threads, [1]);
  });
});

describe("a limit of 0 that a server says", () => {
  test("is none, whatever the rules say", async () => {
    const it = new TableUnderTest();
    it.rules = askedRules({ maxSessions: 1 });
    it.judgement = { kind: "allowed", userId: "u", maxSessions: 0 };
    for (const name of ["a", "b", "c"]) await it.table.open(0, playClaim({ name }));
    assert.equal(it.table.stats().sessions, 3);
  });
});

describe("sessions that nobody judges", () => {
  test("leave a quarter of the room to those of names with rules", async () => {
    const it = new TableUnderTest({ limits: { sessions: 8 } });
    it.rules = OPEN_RULES;
    for (let viewer = 0; viewer < 9; viewer++) it.table.begun(0, { id: `v${viewer}`, claim: playClaim() });
    assert.equal(it.table.stats().sessions, 6);
    it.rules = askedRules();
    for (const ip of ["1", "2"])
      assert.equal((await it.table.open(0, playClaim({ ip, name: "paid" }))).kind, "allowed");
    assert.equal((await it.table.open(0, playClaim({ ip: "3", name: "paid" }))).kind, "denied");
  });
});
