/** Who guesses passwords of publishers and tokens of viewers. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { playClaim } from "../../../test/support/sessions.ts";
import type { SessionClaim, Verdict } from "../../auth/claim.ts";
import { DELAYED_FROM, REFUSED_FROM, REFUSED_MS } from "../../auth/credentials/failures.ts";
import { signToken } from "../../auth/tokens/signed-url.ts";
import { loadConfig } from "../../config/load.ts";
import { ServerSessions } from "./server-sessions.ts";

const TEXT = `
  stream cam { input publish://; password opensesame; }
  stream film { input publish://; on_play signed://0123456789abcdef0123456789abcdef; }
`;
const THREAD = 0;
const WRONG = { kind: "denied", status: 403, reason: "the password is another", forMs: 0 };

let clock: FakeClock;
let sessions: ServerSessions;
let events: [string, unknown][];

beforeEach(() => {
  const { config, problems } = loadConfig([{ file: "a.conf", text: TEXT }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  clock = new FakeClock();
  events = [];
  sessions = new ServerSessions({
    ...{ config, clock, log: new RecordingLog() },
    bus: { emit: (name, fields) => (name === "auth_failed" ? events.push([name, fields]) : 0) },
  });
});

const publish = (fields: Partial<SessionClaim>): SessionClaim => {
  const { token: _, ...claim } = playClaim({ kind: "publish", name: "cam", proto: "rtmp", ...fields });
  return claim;
};

/** Claims, and lets time pass until there is an answer: at most 9 s. Gives how long it took, in tenths of a second. */
async function answerTo(wanted: SessionClaim): Promise<{ verdict: Verdict; tenths: number }> {
  const verdicts: Verdict[] = [];
  void sessions.table.open(THREAD, wanted).then((verdict) => verdicts.push(verdict));
  for (let tenths = 0; tenths <= 90; tenths++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (verdicts[0] !== undefined) return { verdict: verdicts[0], tenths };
    clock.advance(100);
  }
  return assert.fail("no answer within 9 s");
}

const guess = (i: number, proto = "rtmp"): SessionClaim => publish({ password: `guess ${i}`, proto });

describe("passwords of publishers", () => {
  test("are answered later and later from the fifth wrong one on, over whatever protocol, and told of", async () => {
    const took: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { verdict, tenths } = await answerTo(guess(i, i % 2 === 0 ? "rtmp" : "tshttp"));
      assert.deepEqual(verdict, WRONG);
      took.push(tenths);
    }
    assert.deepEqual(took, [0, 0, 0, 0, 5, 10, 20, 40, 80, 80, 80, 80]);
    assert.deepEqual(events, [
      ["auth_failed", { what: "password", ip: "192.0.2.1", attempts: DELAYED_FROM }],
    ]);
    assert.equal(sessions.totals().wrong["password"], 12);
    const right = await answerTo(publish({ password: "opensesame" }));
    assert.equal(right.verdict.kind, "allowed");
    assert.equal(right.tenths, 0);
  });

  test("are not judged for half a minute behind the twentieth, and other addresses' are", async () => {
    const running = await answerTo(publish({ password: "opensesame" }));
    assert.ok(running.verdict.kind === "allowed");
    for (let i = 0; i < REFUSED_FROM; i++) await answerTo(guess(i));
    const right = publish({ password: "opensesame", proto: "rtmps" });
    const { verdict, tenths } = await answerTo(right);
    assert.deepEqual([verdict.kind, tenths], ["denied", 0]);
    assert.ok(verdict.kind === "denied" && /too many wrong passwords/.test(verdict.reason));
    assert.equal((await answerTo({ ...right, ip: "192.0.2.2" })).verdict.kind, "allowed");
    sessions.table.reauth("cam");
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.notEqual(sessions.table.get(running.verdict.id), undefined, "who publishes goes on");
    clock.advance(REFUSED_MS);
    assert.equal((await answerTo(right)).verdict.kind, "allowed");
  });

  test("an encoder that was left with an old one locks nobody out", async () => {
    for (let i = 0; i < 100; i++) {
      assert.equal((await answerTo(publish({ password: "old" }))).tenths, 0);
      clock.advance(3000);
    }
    assert.equal((await answerTo(publish({ password: "opensesame" }))).tenths, 0);
    assert.deepEqual(events, []);
  });

  test("none at all is no guess", async () => {
    for (let i = 0; i < 2 * REFUSED_FROM; i++) {
      const { verdict, tenths } = await answerTo(publish({}));
      assert.ok(verdict.kind === "denied" && verdict.status === 401 && tenths === 0);
    }
    assert.equal(sessions.totals().wrong["password"], 0);
  });
});

describe("tokens of viewers", () => {
  const ofKey = (key: string, i: number): SessionClaim =>
    playClaim({ name: "film", token: signToken(key, { expiresS: 2e9 + i }) });

  test("whose signature is wrong are told of and slow nobody down: the address may be a CDN's", async () => {
    for (let i = 0; i < 100; i++) {
      const { verdict, tenths } = await answerTo(ofKey("another key", i));
      assert.ok(verdict.kind === "denied" && tenths === 0);
    }
    assert.deepEqual(events, [["auth_failed", { what: "token", ip: "192.0.2.1", attempts: DELAYED_FROM }]]);
    assert.equal(sessions.totals().wrong["token"], 100);
    assert.equal((await answerTo(ofKey("0123456789abcdef0123456789abcdef", 0))).verdict.kind, "allowed");
  });

  test("that have expired, and those that the server made up, are no guesses", async () => {
    const late = (i: number): string =>
      signToken("0123456789abcdef0123456789abcdef", { expiresS: 1000 + i });
    for (let i = 0; i < 20; i++) {
      assert.equal((await answerTo(playClaim({ name: "film", token: late(i) }))).verdict.kind, "denied");
      const madeUp = i.toString(16).padStart(32, "0");
      assert.equal((await answerTo(playClaim({ name: "film", token: madeUp }))).verdict.kind, "denied");
    }
    assert.deepEqual(events, []);
    assert.equal(sessions.totals().wrong["token"], 0);
  });
});
