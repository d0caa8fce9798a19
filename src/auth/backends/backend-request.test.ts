import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { playClaim } from "../../../test/support/sessions.ts";
import { buildBackendRequest, readBackendReply } from "./backend-request.ts";
import type { Answer, Question } from "./backend-request.ts";

const question: Question = {
  claim: playClaim({ name: "sport/one" }),
  country: undefined,
  requestType: "new_session",
  requestNumber: 0,
  sessionId: "6217fd62",
  streamClients: 3,
  totalClients: 9,
};

function queryOf(url: string, asked: Question): Record<string, string> {
  const request = buildBackendRequest(url, asked, 3000);
  assert.ok(request !== null);
  return Object.fromEntries(new URL(request.url).searchParams);
}

describe("a request to a backend", () => {
  test("asks about a new session with what is known", () => {
    assert.deepEqual(queryOf("http://portal.test/auth", question), {
      name: "sport/one",
      proto: "hls",
      ip: "192.0.2.1",
      token: "t1",
      request_type: "new_session",
      request_number: "0",
      session_id: "6217fd62",
      stream_clients: "3",
      total_clients: "9",
    });
  });

  test("tells of an update how long it has gone on and what was sent, and all that the client said", () => {
    const claim = playClaim({
      queryString: "token=t1&a=b",
      userAgent: "VLC/3",
      referer: "https://example.com/x",
      isDvr: true,
    });
    const got = queryOf("http://portal.test/auth", {
      ...question,
      claim,
      country: "DE",
      host: "edge1",
      requestType: "update_session",
      requestNumber: 2,
      durationMs: 61_900,
      bytes: 5000,
    });
    assert.deepEqual(
      [got["request_type"], got["request_number"], got["duration"], got["bytes"], got["dvr"]],
      ["update_session", "2", "61", "5000", "true"],
    );
    assert.deepEqual(
      [got["qs"], got["user_agent"], got["referer"], got["country"], got["host"]],
      ["token=t1&a=b", "VLC/3", "https://example.com/x", "DE", "edge1"],
    );
  });

  test("keeps the query of the address, and moves login and password into a header", () => {
    const request = buildBackendRequest("http://us%40er:p%3Aw@portal.test:8080/a?key=1#x", question, 3000)!;
    assert.match(request.url, /^http:\/\/portal\.test:8080\/a\?key=1&name=sport%2Fone&proto=hls/);
    assert.equal(request.headers["authorization"], `Basic ${Buffer.from("us@er:p:w").toString("base64")}`);
    assert.equal(
      buildBackendRequest("http://portal.test/", question, 1)?.headers["authorization"],
      undefined,
    );
  });

  test("cannot be broken out of by what a client says", () => {
    const claim = playClaim({ name: "a&ip=1#\r\nX: y", token: "&request_type=x" });
    const request = buildBackendRequest("http://portal.test/auth", { ...question, claim }, 3000)!;
    assert.doesNotMatch(request.url, /[\r\n #]/);
    assert.deepEqual(new URL(request.url).searchParams.getAll("ip"), ["192.0.2.1"]);
  });

  test("is not made of an address that is none of http or https", () => {
    for (const url of ["", "portal", "ftp://portal.test/", "file:///etc/passwd", "/auth.lua", "http://"])
      assert.equal(buildBackendRequest(url, question, 3000), null, url);
  });
});

const failed = (reason: string): Answer => ({ kind: "failed", reason });

const REPLIES: readonly [
  name: string,
  status: number,
  headers: Readonly<Record<string, string>>,
  answer: Answer,
][] = [
  ["200 allows", 200, {}, { kind: "allowed" }],
  [
    "all headers count",
    200,
    { "x-authduration": "60", "x-userid": " u7 ", "x-max-sessions": "2", "x-unique": "true" },
    { kind: "allowed", authDurationMs: 60_000, userId: "u7", maxSessions: 2 },
  ],
  ["X-Unique is a limit of one", 200, { "x-unique": "true" }, { kind: "allowed", maxSessions: 1 }],
  [
    "a limit of 0 is none, also where the rules have one",
    200,
    { "x-max-sessions": "0", "x-unique": "1" },
    { kind: "allowed", maxSessions: 0 },
  ],
  [
    "empty headers count as none",
    200,
    { "x-authduration": "", "x-max-sessions": " " },
    { kind: "allowed" },
  ],
  ["0 seconds are one", 200, { "x-authduration": "0" }, { kind: "allowed", authDurationMs: 1000 }],
  [
    "nothing holds for years",
    200,
    { "x-authduration": "999999999999" },
    { kind: "allowed", authDurationMs: 30 * 24 * 3600 * 1000 },
  ],
  ["403 denies", 403, {}, { kind: "denied" }],
  ["403 denies for a time", 403, { "x-authduration": "7.5" }, { kind: "denied", authDurationMs: 7500 }],
  ["302 sends elsewhere", 302, { location: "/other" }, { kind: "redirected", location: "/other" }],
  ["302 without a place", 302, {}, failed("it replied with 302 and no Location that can be used")],
  [
    "302 with a line break",
    302,
    { location: "/a\nb" },
    failed("it replied with 302 and no Location that can be used"),
  ],
  [
    "302 to a place too long",
    302,
    { location: `/${"a".repeat(2048)}` },
    failed("it replied with 302 and no Location that can be used"),
  ],
  ["404", 404, {}, failed("it replied with status 404")],
  ["401", 401, {}, failed("it replied with status 401")],
  ["500", 500, {}, failed("it replied with status 500")],
  ["204", 204, {}, failed("it replied with status 204")],
  [
    "a duration in words",
    200,
    { "x-authduration": "long" },
    failed("its X-AuthDuration is no number of seconds"),
  ],
  [
    "a duration below 0",
    200,
    { "x-authduration": "-5" },
    failed("its X-AuthDuration is no number of seconds"),
  ],
  [
    "a duration twice",
    403,
    { "x-authduration": "5, 6" },
    failed("its X-AuthDuration is no number of seconds"),
  ],
  ["a limit in words", 200, { "x-max-sessions": "two" }, failed("its X-Max-Sessions is no number")],
  ["a limit without end", 200, { "x-max-sessions": "1e9" }, failed("its X-Max-Sessions is no number")],
  [
    "a user's name without end",
    200,
    { "x-userid": "u".repeat(257) },
    failed("its X-UserId is too long, or has control characters in it"),
  ],
  [
    "a user's name with control characters",
    200,
    { "x-userid": "a\u0001b" },
    failed("its X-UserId is too long, or has control characters in it"),
  ],
];

describe("the reply of a backend", () => {
  for (const [name, status, headers, answer] of REPLIES) {
    test(name, () => {
      assert.deepEqual(readBackendReply({ kind: "replied", status, headers }), answer);
    });
  }

  test("that did not come is a failure", () => {
    assert.deepEqual(readBackendReply({ kind: "failed", reason: "away", isTimeout: true }), failed("away"));
  });
});
