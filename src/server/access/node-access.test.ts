/** Whom a media thread asks about, by its configuration, and what it says of RTMP clients. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeSessions } from "../../../test/support/fake-sessions.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import type { AccessRules } from "../../auth/rules.ts";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { RtmpAdmission } from "../../protocols/rtmp/connection.ts";
import { resolveTarget } from "../../protocols/rtmp/names.ts";
import { isGuarded } from "../../auth/guarded.ts";
import { accessRulesOf } from "./access-rules.ts";
import { NodeAccess } from "./node-access.ts";

const PLAY: AccessRules = { ...OPEN_RULES, maxSessions: 3 };
const PUBLISH: AccessRules = { ...OPEN_RULES, password: "secret" };
const VOD: AccessRules = { ...OPEN_RULES, domains: ["example.com"] };

/** A stream, a template and two vods of which the second is inside the first; some of them with rules. */
function configOf(): ResolvedConfig {
  const text = `
    stream cam { input publish://; }
    template live { prefix live; input publish://; }
    vod films { storage /films; }
    vod films/mine { storage /mine; }
  `;
  const { config, problems } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  const access = { play: PLAY, publish: PUBLISH };
  return {
    ...config,
    streams: config.streams.map((stream) => ({ ...stream, access })),
    vods: config.vods.map((vod) => (vod.name === "films/mine" ? { ...vod, access: VOD } : vod)),
  };
}

test("a name has the rules of its stream, template or longest vod; any other has none", () => {
  const config = configOf();
  const rows: [string, AccessRules, AccessRules][] = [
    ["cam", PLAY, PUBLISH],
    ["live/a", OPEN_RULES, OPEN_RULES],
    ["films/a.mp4", OPEN_RULES, OPEN_RULES],
    ["films/mine/a.mp4", VOD, OPEN_RULES],
    ["nowhere", OPEN_RULES, OPEN_RULES],
    ["no name!", OPEN_RULES, OPEN_RULES],
  ];
  for (const [name, play, publish] of rows) {
    const rules = [accessRulesOf(config, "play", name), accessRulesOf(config, "publish", name)];
    assert.deepEqual(rules, [play, publish], name);
  }
});

test("each rule of its own makes a name guarded", () => {
  const rows: [Partial<AccessRules>, boolean, boolean][] = [
    [{}, false, false],
    [{ authorizer: { kind: "everyone" } }, false, false],
    [{ authorizer: { kind: "nobody" } }, true, true],
    [{ authorizer: { kind: "http", url: "http://a/" } }, true, true],
    [{ authorizer: { kind: "securetoken", key: "k", checksAddress: true } }, true, true],
    [{ password: "p" }, false, true],
    [{ maxSessions: 1 }, true, true],
    [{ maxStreamSessions: 1 }, true, true],
    [{ domains: ["a"] }, true, true],
    [{ allowedCountries: ["DE"] }, true, true],
    [{ disallowedCountries: ["DE"] }, true, true],
    [{ softLimitationMs: 5000, sessionKeys: [{ kind: "ip" }] }, false, false],
  ];
  for (const [some, play, publish] of rows) {
    const rules = { ...OPEN_RULES, ...some };
    assert.deepEqual(
      [isGuarded(rules, "play"), isGuarded(rules, "publish")],
      [play, publish],
      JSON.stringify(some),
    );
  }
});

describe("an RTMP client", () => {
  function setUp() {
    const [clock, sessions] = [new FakeClock(), new FakeSessions()];
    const config = configOf();
    const isFile = (name: string): boolean => name.startsWith("films/");
    const access = new NodeAccess({ clock, sessions, sessionSalt: "s", config: () => config, isFile });
    return { access, sessions, clock };
  }

  function asked(app: string, name: string, more: Partial<RtmpAdmission> = {}): RtmpAdmission {
    const target = resolveTarget(app, name);
    assert.ok(target !== null);
    const caller = { password: null, pageUrl: null, flashVersion: "LNX 9" };
    return { kind: "play", target, remoteAddress: "::ffff:192.0.2.1", ...caller, ...more };
  }

  test("is described by its address, queries and what it said in connect", async () => {
    const { access, sessions } = setUp();
    const pageUrl = "http://example.com/page";
    void (await access.admitRtmp(asked("static?pass=p", "cam?token=t", { pageUrl }), true));
    assert.deepEqual(sessions.claims, [
      {
        ...{ kind: "play", name: "cam", proto: "rtmp", ip: "192.0.2.1", token: "t", password: "p" },
        ...{ extraKeys: "", queryString: "token=t&pass=p", userAgent: "LNX 9", referer: pageUrl },
        ...{ isTls: true, isDvr: false },
      },
    ]);
  });

  test("says its password in front of the host, unless it says one in the query", async () => {
    const { access, sessions } = setUp();
    const password = "of the url";
    void (await access.admitRtmp(asked("static", "cam", { kind: "publish", password }), false));
    void (await access.admitRtmp(asked("static", "cam?password=q", { kind: "publish", password }), false));
    assert.deepEqual(
      sessions.claims.map((claim) => claim.password),
      [password, "q"],
    );
  });

  test("who wants what is past of a stream has the stream's rules", async () => {
    const { access, sessions } = setUp();
    for (const name of ["cam/archive-1700000000-60", "cam?from=1700000000", "cam"])
      void (await access.admitRtmp(asked("static", name), false));
    assert.deepEqual(
      sessions.claims.map(({ name, isDvr }) => [name, isDvr]),
      [
        ["cam", true],
        ["cam", true],
        ["cam", false],
      ],
    );
    void (await access.admitRtmp(asked("films", "mine/archive-1700000000-60"), false));
    assert.deepEqual(sessions.claims.at(-1)!.name, "films/mine/archive-1700000000-60");
  });

  test("is judged by the name of the file that it is given, whether it takes the extension off or not", async () => {
    const { access, sessions } = setUp();
    for (const name of ["mp4:one", "one.mp4", "mp4:one.mp4"])
      void (await access.admitRtmp(asked("films/mine", name), false));
    assert.deepEqual(
      sessions.claims.map(({ name }) => name),
      ["films/mine/one.mp4", "films/mine/one.mp4", "films/mine/one.mp4"],
    );
  });

  test("of a name without rules is let in at once and told of when media flows", () => {
    const { access, sessions } = setUp();
    const permit = access.admitRtmp(asked("live", "a"), false);
    assert.ok(!(permit instanceof Promise));
    assert.deepEqual(sessions.begunSessions, []);
    permit.begun();
    permit.begun();
    permit.count(10);
    permit.close("over");
    permit.close("again");
    const { id } = sessions.begunSessions[0]!;
    assert.deepEqual(
      [sessions.begunSessions.length, sessions.closings],
      [1, [{ id, reason: "over", connections: 1 }]],
    );
    assert.deepEqual(sessions.bytes(), { [id]: 10 });
  });

  test("is told once when its session ends, also before it took its leave up", async () => {
    const { access, sessions, clock } = setUp();
    const permit = await access.admitRtmp(asked("static", "cam"), false);
    access.end([{ id: "asked-1", reason: "kicked", forMs: 1000 }]);
    const reasons: string[] = [];
    permit.onEnd((reason) => reasons.push(reason));
    permit.begun();
    permit.close("left");
    assert.deepEqual([reasons, sessions.closings, clock.pendingTimers], [["kicked"], [], 0]);
  });

  test("two connections of one session: each is told of when it is over", async () => {
    const { access, sessions } = setUp();
    sessions.verdict = () => ({ kind: "allowed", id: "same" });
    const one = await access.admitRtmp(asked("static", "cam"), false);
    const other = await access.admitRtmp(asked("static", "cam"), false);
    one.begun();
    other.begun();
    one.close("first");
    const first = { id: "same", reason: "first", connections: 1 };
    assert.deepEqual(sessions.closings, [first]);
    other.count(5);
    other.close("last");
    assert.deepEqual(sessions.closings, [first, { ...first, reason: "last" }]);
    assert.deepEqual(sessions.bytes(), { same: 5 });
  });

  test("of a session that was ended stays out as long as it is said", () => {
    const { access, sessions, clock } = setUp();
    const first = access.admitRtmp(asked("live", "a"), false);
    assert.ok(!(first instanceof Promise));
    first.begun();
    access.end([{ id: sessions.begunSessions[0]!.id, reason: "kicked", forMs: 1000 }]);
    assert.throws(() => access.admitRtmp(asked("live", "a"), false), { code: "ACCESS_DENIED" });
    void access.admitRtmp(asked("live", "b"), false);
    clock.advance(1001);
    void access.admitRtmp(asked("live", "a"), false);
  });
});

test("what the server does itself is a session as long as it lasts, whatever the rules of the name", () => {
  const clock = new FakeClock();
  const sessions = new FakeSessions();
  const access = new NodeAccess({
    clock,
    sessions,
    sessionSalt: "s",
    config: configOf,
    isFile: () => false,
  });
  const one = access.beginOwn("record", "cam", "dvr");
  const other = access.beginOwn("record", "cam", "dvr");
  one.count(70);
  clock.advance(1000);
  one.close("it is not recorded any more");
  const ids = sessions.begunSessions.map(({ id }) => id);
  assert.equal(new Set(ids).size, 2, "each is one of its own");
  assert.deepEqual(sessions.begunSessions[0]!.claim, {
    ...{ kind: "record", name: "cam", proto: "dvr", ip: "", extraKeys: "", isTls: false, isDvr: false },
  });
  assert.deepEqual(sessions.bytes(), { [ids[0]!]: 70 });
  assert.deepEqual(sessions.closings, [
    { id: ids[0], reason: "it is not recorded any more", connections: 1 },
  ]);
  other.close("it is not recorded any more");
  access.close();
  assert.equal(sessions.claims.length, 0, "nobody is asked");
});
