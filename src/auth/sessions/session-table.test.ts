import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { TableUnderTest, askedRules, playClaim, settle } from "../../../test/support/sessions.ts";
import type { Verdict } from "../claim.ts";
import { OPEN_RULES } from "../rules.ts";

const idOf = (verdict: Verdict | null): string => (verdict?.kind === "allowed" ? verdict.id : "none");
const reasonOf = (verdict: Verdict | null): string =>
  verdict?.kind === "denied" ? verdict.reason : "none";

describe("a session is judged", () => {
  test("once, however many threads ask while the answer is on its way", async () => {
    const it = new TableUnderTest();
    it.judgement = null;
    const waiting = [0, 1, 2, 1].map((thread) => it.table.open(thread, playClaim()));
    await settle();
    assert.equal(it.put.length, 1);
    assert.equal(it.table.stats().waiting, 4);
    it.put[0]!.answer({ kind: "allowed", userId: "u" });
    const verdicts = await Promise.all(waiting);
    for (const verdict of verdicts) assert.deepEqual(verdict, { kind: "allowed", id: "s1", userId: "u" });
    assert.deepEqual(await it.table.open(3, playClaim()), verdicts[0]);
    assert.equal(it.put.length, 1);
    assert.deepEqual(it.table.get("s1")?.threads, [0, 1, 2, 3]);
    assert.equal(it.table.stats().waiting, 0);
    assert.deepEqual(it.changes, ["opened s1 establishing"]);
  });

  test("with what the server knows of it", async () => {
    const it = new TableUnderTest({ countryOf: () => "DE", host: "edge1", namedByOf: () => "config" });
    await it.table.open(0, playClaim());
    await it.table.open(0, playClaim({ ip: "192.0.2.2" }));
    await it.table.open(0, playClaim({ name: "sport" }));
    const { question } = it.put[2]!;
    const { country, host, streamClients, totalClients, requestNumber, requestType, sessionId } = question;
    assert.deepEqual(
      { country, host, streamClients, totalClients, requestNumber, requestType, sessionId },
      {
        country: "DE",
        host: "edge1",
        streamClients: 0,
        totalClients: 2,
        requestNumber: 0,
        requestType: "new_session",
        sessionId: "s3",
      },
    );
    assert.equal(it.put[1]!.question.streamClients, 1);
    assert.equal(it.table.get("s1")?.namedBy, "config");
  });

  test("and a refusal is kept for as long as it says", async () => {
    const it = new TableUnderTest();
    it.judgement = { kind: "denied", status: 403, reason: "no", forMs: 5000 };
    assert.equal(reasonOf(await it.table.open(0, playClaim())), "no");
    it.clock.advance(4000);
    assert.deepEqual(await it.table.open(1, playClaim()), { ...it.judgement, forMs: 1000 });
    assert.equal(it.put.length, 1);
    it.clock.advance(1000);
    await it.table.open(1, playClaim());
    assert.equal(it.put.length, 2);
    assert.equal(it.table.stats().sessions, 0);
    assert.deepEqual(it.changes, ["denied news: no", "denied news: no"]);
  });

  test("and one who is sent elsewhere is sent there again", async () => {
    const it = new TableUnderTest();
    it.judgement = { kind: "redirected", location: "/b", forMs: 5000 };
    assert.deepEqual(await it.table.open(0, playClaim()), it.judgement);
    assert.deepEqual(await it.table.open(0, playClaim()), it.judgement);
    assert.equal(it.put.length, 1);
  });

  test("and a judge that throws refuses", async () => {
    const log = new RecordingLog();
    const it = new TableUnderTest({ judge: { judge: () => Promise.reject(new Error("odd")) }, log });
    const verdict = await it.table.open(0, playClaim());
    assert.deepEqual([verdict.kind, verdict.kind === "denied" && verdict.status], ["denied", 503]);
    // As where somebody guesses faster than hashes are computed.
    for (let guess = 0; guess < 100; guess++)
      await it.table.open(0, playClaim({ token: `guess ${guess}` }));
    assert.equal(log.lines.length, 1, "one line a second, however many come");
  });
});

describe("a session", () => {
  test("does not run for playlists, nor go on running for them, and counts them", () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    const id = idOf(it.table.begin(0, playClaim()));
    const report = (more: { hasNoMedia?: true; mediaUs?: number }): void => {
      it.table.report(0, [{ id, bytes: 100, seenUs: it.clock.wallUs(), ...more }]);
      it.clock.advance(6000);
    };
    report({ hasNoMedia: true });
    const session = it.table.get(id)!;
    assert.deepEqual([session.state, session.startedAtMs, session.bytes], ["establishing", undefined, 100]);
    report({ mediaUs: it.clock.wallUs() - 500_000 });
    assert.equal(session.startedAtMs! - session.openedAtMs, 5500);
    for (let i = 0; i < 2; i++) report({ hasNoMedia: true });
    assert.equal(session.state, "running", "two segments may be 15 s apart");
    report({ hasNoMedia: true });
    assert.deepEqual([session.state, session.bytes], ["stalling", 500]);
    assert.deepEqual(it.changes, ["opened s1 establishing", "started s1 running", "updated s1 stalling"]);
  });

  test("runs with its first bytes, stalls without, runs again, and ends with its viewer", async () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    const id = idOf(it.table.begin(0, playClaim()));
    const report = (bytes: number): void => it.table.report(0, [{ id, bytes, seenUs: it.clock.wallUs() }]);
    it.clock.advance(2000);
    report(1000);
    it.clock.advance(5000);
    report(500);
    it.clock.advance(12_000);
    report(0);
    it.clock.advance(12_000);
    report(500);
    const session = it.table.get(id)!;
    assert.deepEqual([session.bytes, session.state], [2000, "running"]);
    assert.deepEqual(
      [session.startedAtMs! - session.openedAtMs, session.updatedAtMs - session.openedAtMs],
      [2000, 31_000],
    );
    it.clock.advance(31_000);
    assert.equal(it.table.get(id), undefined);
    assert.deepEqual(it.changes, [
      "opened s1 establishing",
      "started s1 running",
      "updated s1 stalling",
      "updated s1 running",
      "updated s1 stalling",
      "closed s1 inactivity",
    ]);
    await settle();
    assert.deepEqual(it.ended, [{ id, reason: "inactivity", forMs: 0, threads: [0] }]);
    assert.equal(session.closedAtMs! - session.openedAtMs, 61_000);
    assert.equal(it.clock.pendingTimers, 0);
    report(7);
    it.table.report(0, [{ id: "never counted", bytes: 7, seenUs: 0 }]);
    await settle();
    assert.deepEqual(
      it.ended.map((ended) => ended.id),
      [id, id],
      "who goes on reporting it is told again, who reports what had no room is not",
    );
  });

  test("of recordings has more time", () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    it.table.begin(0, playClaim({ isDvr: true }));
    it.table.begin(0, playClaim({ proto: "mp4" }));
    it.table.begin(0, playClaim());
    it.clock.advance(32_000);
    assert.equal(it.table.stats().sessions, 2);
    it.clock.advance(30_000);
    assert.equal(it.table.stats().sessions, 0);
  });

  test("of a connection lasts as long as one of its connections", () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    const claim = playClaim({ proto: "rtmp" });
    const ids = [0, 0, 1].map((thread) => idOf(it.table.begin(thread, claim)));
    assert.deepEqual(ids, ["s1", "s1", "s1"]);
    it.clock.advance(3_600_000);
    it.table.closed(1, { id: "s1", reason: "gone" });
    it.table.closed(1, { id: "s1", reason: "gone twice" });
    it.table.closed(0, { id: "s1", reason: "gone", connections: 1 });
    assert.equal(it.table.stats().sessions, 1);
    it.table.closed(0, { id: "s1", reason: "the client has closed", connections: 1 });
    assert.deepEqual(it.changes.slice(1), ["closed s1 the client has closed"]);
    assert.deepEqual(it.ended, [], "no thread has to be told");
    it.table.closed(0, { id: "s1", reason: "again" });
    it.table.closed(0, { id: "unknown", reason: "again" });
  });

  test("of a connection is over when its thread says so without a number", () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    for (let i = 0; i < 3; i++) it.table.begin(0, playClaim({ proto: "rtmp" }));
    it.table.closed(0, { id: "s1", reason: "all gone" });
    assert.equal(it.table.stats().sessions, 0);
  });

  test("that threads begin by themselves has the id that they give it", async () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    const begun = { id: "viewer7", claim: playClaim() };
    for (const thread of [0, 1, 0]) it.table.begun(thread, begun);
    it.table.begun(0, { id: "viewer8", claim: playClaim() });
    assert.deepEqual(
      [...it.table.list()].map(({ id, threads }) => `${id} ${threads.join()}`),
      ["viewer7 0,1", "viewer8 0"],
    );
    it.table.kick("viewer7", "by the admin");
    it.clock.advance(4000);
    it.table.begun(2, begun);
    await settle();
    assert.deepEqual(it.ended, [
      { id: "viewer7", reason: "by the admin", forMs: 10_000, threads: [0, 1] },
      { id: "viewer7", reason: "by the admin", forMs: 6000, threads: [2] },
    ]);
    it.clock.advance(6000);
    it.table.begun(2, begun);
    it.table.report(2, [{ ...begun, bytes: 5, seenUs: 0 }]);
    assert.equal(it.table.get("viewer7")?.bytes, 5);
  });

  test("of a connection ends with its thread, one of requests goes on elsewhere", () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    it.table.begin(0, playClaim({ proto: "rtmp" }));
    it.table.begin(0, playClaim({ proto: "hls" }));
    it.table.begin(0, playClaim({ proto: "flv" }));
    it.table.begin(1, playClaim({ proto: "flv" }));
    it.table.threadLost(0);
    assert.deepEqual(
      [...it.table.list()].map(({ claim, threads }) => `${claim.proto} ${threads.join()}`),
      ["hls ", "flv 1"],
    );
    assert.deepEqual(it.ended, []);
  });

  test("is counted without rules when the server itself pushes or records", () => {
    const it = new TableUnderTest();
    const id = idOf(it.table.begin(0, { ...playClaim(), kind: "push", proto: "rtmp" }));
    assert.equal(it.table.countOf("push", "news"), 1);
    assert.equal(it.table.stats().plays, 0);
    assert.equal(it.table.reauth(), 0);
    it.table.closed(0, { id, reason: "done" });
    assert.equal(it.table.stats().sessions, 0);
  });

  test("that is kicked is refused for ten seconds, in every way", async () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    const id = idOf(it.table.begin(0, playClaim()));
    it.table.begin(2, playClaim());
    assert.ok(it.table.kick(id, "by the admin"));
    assert.ok(!it.table.kick(id));
    await settle();
    assert.deepEqual(it.ended, [{ id, reason: "by the admin", forMs: 10_000, threads: [0, 2] }]);
    assert.equal(reasonOf(it.table.begin(1, playClaim())), "by the admin");
    assert.equal(reasonOf(await it.table.open(1, playClaim())), "by the admin");
    it.clock.advance(10_000);
    assert.equal(idOf(it.table.begin(1, playClaim())), "s2");
  });

  test("that is kicked as its answer comes is not given to anybody", async () => {
    const it = new TableUnderTest({
      onChange: (change) => {
        if (change.kind === "opened") it.table.kick(change.session.id, "at once");
      },
    });
    assert.equal(reasonOf(await it.table.open(0, playClaim())), "at once");
    assert.equal(it.table.stats().sessions, 0);
    assert.equal(it.clock.pendingTimers, 0);
  });
});

describe("a session is judged again", () => {
  test("when its time is over, with what has become of it", async () => {
    const it = new TableUnderTest();
    it.judgement = { kind: "allowed", recheckMs: 5000, userId: "u" };
    const id = idOf(await it.table.open(0, playClaim({ proto: "rtmp" })));
    it.table.report(0, [{ id, bytes: 700, seenUs: 0 }]);
    await it.clock.advanceSettling(4900);
    assert.equal(it.put.length, 1);
    it.judgement = null;
    await it.clock.advanceSettling(1200);
    assert.equal(it.put.length, 2);
    const { requestType, requestNumber, durationMs, bytes, sessionId } = it.put[1]!.question;
    assert.deepEqual(
      { requestType, requestNumber, durationMs, bytes, sessionId },
      { requestType: "update_session", requestNumber: 1, durationMs: 5000, bytes: 700, sessionId: id },
    );
    await it.clock.advanceSettling(60_000, 1000);
    assert.equal(it.put.length, 2, "never twice at once");
    it.put[1]!.answer({ kind: "allowed", recheckMs: 5000, userId: "v" });
    await settle();
    assert.equal(it.table.get(id)?.allowance.userId, "v");
    await it.clock.advanceSettling(6000);
    assert.equal(it.put[2]?.question.requestNumber, 2);
  });

  test("and ends where it is denied, or sent elsewhere, and stays refused", async () => {
    for (const judgement of [
      { kind: "denied", status: 403, reason: "no money", forMs: 60_000 },
      { kind: "redirected", location: "/pay", forMs: 60_000 },
    ] as const) {
      const it = new TableUnderTest();
      it.judgement = { kind: "allowed", recheckMs: 5000 };
      const id = idOf(await it.table.open(0, playClaim()));
      it.judgement = judgement;
      await it.clock.advanceSettling(6000);
      assert.equal(it.table.get(id), undefined);
      assert.deepEqual(
        it.ended.map(({ forMs, threads }) => ({ forMs, threads })),
        [{ forMs: judgement.kind === "denied" ? 60_000 : 0, threads: [0] }],
      );
      assert.equal((await it.table.open(0, playClaim())).kind, judgement.kind);
      assert.equal(it.put.length, 2);
    }
  });

  test("and goes on where nobody can be asked, who is asked again after half a minute", async () => {
    const it = new TableUnderTest();
    it.judgement = { kind: "allowed", recheckMs: 5000 };
    const id = idOf(await it.table.open(0, playClaim({ proto: "rtmp" })));
    it.judgement = { kind: "failed", reason: "away" };
    await it.clock.advanceSettling(34_000);
    assert.equal(it.put.length, 2);
    await it.clock.advanceSettling(2000);
    assert.equal(it.put.length, 3);
    assert.ok(it.table.get(id) !== undefined);
  });

  test("when its token is out of date", async () => {
    const it = new TableUnderTest();
    const expiresMs = it.clock.wallUs() / 1000 + 3000;
    it.judgement = { kind: "allowed", recheckMs: 180_000, expiresMs };
    await it.table.open(0, playClaim());
    await it.clock.advanceSettling(3500);
    assert.equal(it.put.length, 2);
  });

  test("when somebody asks for it, of one stream or of all", async () => {
    const it = new TableUnderTest();
    await it.table.open(0, playClaim());
    await it.table.open(0, playClaim({ name: "sport" }));
    assert.equal(it.table.reauth("sport"), 1);
    it.judgement = { kind: "denied", status: 403, reason: "no", forMs: 1000 };
    await it.clock.advanceSettling(1000);
    assert.deepEqual(
      [...it.table.list()].map(({ claim }) => claim.name),
      ["news"],
    );
    assert.equal(it.table.reauth(), 1);
    await it.clock.advanceSettling(1000);
    assert.equal(it.table.stats().sessions, 0);
  });

  test("once more when the rules change while it is judged", async () => {
    const it = new TableUnderTest();
    await it.table.open(0, playClaim({ proto: "rtmp" }));
    it.judgement = null;
    it.table.reauth();
    await it.clock.advanceSettling(1000);
    it.table.reauth();
    await it.clock.advanceSettling(3000);
    assert.equal(it.put.length, 2);
    it.put[1]!.answer({ kind: "allowed" });
    await it.clock.advanceSettling(2000);
    assert.equal(it.put.length, 3);
  });

  test("when its rules are others than before, and no refusal outlives them", async () => {
    const it = new TableUnderTest();
    await it.table.open(0, playClaim());
    it.judgement = { kind: "denied", status: 403, reason: "no", forMs: 60_000 };
    await it.table.open(0, playClaim({ ip: "192.0.2.2" }));
    it.table.configure(() => askedRules());
    assert.equal(it.table.stats().denials, 1);
    await it.clock.advanceSettling(2000);
    assert.equal(it.put.length, 2, "the same rules in another object change nothing");
    it.table.configure(() => askedRules({ authorizer: { kind: "nobody" } }));
    assert.equal(it.table.stats().denials, 0);
    await it.clock.advanceSettling(2000);
    assert.equal(it.table.stats().sessions, 0);
  });

  test("when the rules changed while it was judged for the first time", async () => {
    const it = new TableUnderTest();
    it.judgement = null;
    const waiting = it.table.open(0, playClaim());
    await settle();
    it.table.configure(() => askedRules({ authorizer: { kind: "nobody" } }));
    it.put[0]!.answer({ kind: "allowed" });
    assert.equal((await waiting).kind, "allowed");
    await it.clock.advanceSettling(1000);
    assert.equal(it.put.length, 2);
  });

  test("soon, when a thread took the rules for open that are not any more", async () => {
    const it = new TableUnderTest();
    it.table.begin(0, playClaim());
    await it.clock.advanceSettling(1000);
    assert.equal(it.put.length, 1);
  });
});

describe("limits of sessions", () => {
  test("the oldest session of a user goes, and is refused for as long as an answer holds", async () => {
    const it = new TableUnderTest();
    it.judgement = { kind: "allowed", userId: "u", maxSessions: 2, recheckMs: 77_000 };
    for (const name of ["a", "b", "c"]) await it.table.open(0, playClaim({ name }));
    assert.deepEqual(
      [...it.table.list()].map(({ id }) => id),
      ["s2", "s3"],
    );
    assert.deepEqual(
      it.ended.map(({ id, forMs }) => ({ id, forMs })),
      [{ id: "s1", forMs: 77_000 }],
    );
    assert.equal((await it.table.open(0, playClaim({ name: "a" }))).kind, "denied");
    assert.equal(it.put.length, 3);
  });

  test("users without a name are known by their token, and nobody by nothing", async () => {
    const it = new TableUnderTest();
    it.rules = askedRules({ maxSessions: 1 });
    const { token: _, ...nameless } = playClaim();
    for (const ip of ["192.0.2.1", "192.0.2.2"]) {
      await it.table.open(0, playClaim({ ip, token: "one" }));
      await it.table.open(0, playClaim({ ip, token: ip }));
      await it.table.open(0, { ...nameless, ip });
    }
    assert.deepEqual(
      [...it.table.list()].map(({ claim }) => `${claim.token} ${claim.ip}`),
      [
        "192.0.2.1 192.0.2.1",
        "undefined 192.0.2.1",
        "one 192.0.2.2",
        "192.0.2.2 192.0.2.2",
        "undefined 192.0.2.2",
      ],
    );
  });

  test("with a time of grace the oldest goes when it is over, unless another has gone", async () => {
    for (const isOtherGone of [false, true]) {
      const it = new TableUnderTest();
      it.rules = askedRules({ maxSessions: 1, softLimitationMs: 30_000 });
      for (const name of ["a", "b"]) await it.table.open(0, playClaim({ name, proto: "rtmp" }));
      await it.clock.advanceSettling(29_000, 1000);
      assert.equal(it.table.stats().sessions, 2);
      if (isOtherGone) it.table.closed(0, { id: "s2", reason: "gone" });
      await it.clock.advanceSettling(2000, 1000);
      assert.deepEqual(
        [...it.table.list()].map(({ id }) => id),
        [isOtherGone ? "s1" : "s2"],
      );
    }
  });

  test("a limit that comes with a later answer counts", async () => {
    const it = new TableUnderTest();
    it.judgement = { kind: "allowed", userId: "u", recheckMs: 5000 };
    for (const name of ["a", "b"]) await it.table.open(0, playClaim({ name, proto: "rtmp" }));
    it.judgement = { kind: "allowed", userId: "u", recheckMs: 5000, maxSessions: 1 };
    await it.clock.advanceSettling(6000);
    assert.equal(it.table.stats().sessions, 1);
  });

  test("a full stream takes no new session, also where several are judged at once", async () => {
    const it = new TableUnderTest();
    it.rules = askedRules({ maxStreamSessions: 2 });
    it.judgement = null;
    const waiting = ["1", "2", "3"].map((ip) => it.table.open(0, playClaim({ ip })));
    await settle();
    for (const { answer } of it.put) answer({ kind: "allowed" });
    const verdicts = await Promise.all(waiting);
    assert.deepEqual(
      verdicts.map(({ kind }) => kind),
      ["allowed", "allowed", "denied"],
    );
    await it.table.open(0, playClaim({ ip: "4" }));
    assert.equal(it.put.length, 3, "nobody is asked for what cannot be");
    assert.equal((await it.table.open(0, playClaim({ ip: "1" }))).kind, "allowed");
    it.table.kick("s1");
    it.judgement = { kind: "allowed" };
    assert.equal((await it.table.open(0, playClaim({ ip: "5" }))).kind, "allowed");
  });
});

describe("bounds of the table", () => {
  test("sessions", async () => {
    const it = new TableUnderTest({ limits: { sessions: 2 } });
    it.judgement = null;
    const first = it.table.open(0, playClaim({ ip: "1" }));
    it.table.begin(0, { ...playClaim(), kind: "push" });
    assert.equal(it.table.begin(0, { ...playClaim(), kind: "record" }), null);
    const refused = await it.table.open(0, playClaim({ ip: "2" }));
    assert.deepEqual([refused.kind, refused.kind === "denied" && refused.status], ["denied", 503]);
    assert.equal(it.table.stats().denials, 0);
    it.put[0]!.answer({ kind: "allowed" });
    assert.equal((await first).kind, "allowed");
  });

  test("refusals", async () => {
    const it = new TableUnderTest({ limits: { denials: 2 } });
    it.judgement = { kind: "denied", status: 403, reason: "no", forMs: 60_000 };
    for (const ip of ["1", "2", "3", "3", "2", "1"]) await it.table.open(0, playClaim({ ip }));
    assert.equal(it.table.stats().denials, 2);
    assert.equal(it.put.length, 4, "the oldest was forgotten");
  });

  test("claims that wait", async () => {
    const it = new TableUnderTest({ limits: { waiting: 2 } });
    it.judgement = null;
    const waiting = [it.table.open(0, playClaim()), it.table.open(1, playClaim())];
    assert.equal((await it.table.open(2, playClaim())).kind, "denied");
    it.put[0]!.answer({ kind: "allowed" });
    await Promise.all(waiting);
    assert.equal((await it.table.open(2, playClaim())).kind, "allowed");
  });

  test("sessions that are judged again", async () => {
    const it = new TableUnderTest({ limits: { rechecks: 3 } });
    for (let ip = 0; ip < 8; ip++) await it.table.open(0, playClaim({ ip: `${ip}`, proto: "rtmp" }));
    it.judgement = null;
    it.table.reauth();
    await it.clock.advanceSettling(5000);
    assert.equal(it.put.length, 8 + 3);
    assert.equal(it.table.stats().rechecking, 3);
    for (const { answer } of it.put) answer({ kind: "allowed" });
    await it.clock.advanceSettling(2000);
    assert.equal(it.put.length, 8 + 6);
  });

  test("sessions that are over and known to be", async () => {
    const it = new TableUnderTest();
    it.rules = OPEN_RULES;
    for (let viewer = 0; viewer <= 10_000; viewer++) {
      it.table.begun(0, { id: `v${viewer}`, claim: playClaim() });
      it.table.kick(`v${viewer}`);
    }
    await settle();
    it.ended.length = 0;
    it.table.report(
      0,
      ["v0", "v1"].map((id) => ({ id, bytes: 1, seenUs: 0 })),
    );
    await settle();
    assert.deepEqual(
      it.ended.map(({ id }) => id),
      ["v1"],
    );
  });
});
