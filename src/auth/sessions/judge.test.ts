import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { playClaim } from "../../../test/support/sessions.ts";
import type { AskLane } from "../backends/ask-queue.ts";
import type { Answer, Question } from "../backends/backend-request.ts";
import type { SessionClaim } from "../claim.ts";
import { OPEN_RULES } from "../rules.ts";
import type { AccessRules, AuthBackendRules, Authorizer } from "../rules.ts";
import { isAllowedPage } from "./domains.ts";
import { Judge, isOpen } from "./judge.ts";
import type { Judgement } from "./judge.ts";
import type { TokenResult } from "../tokens/token-result.ts";

type Given = {
  readonly rules?: Partial<AccessRules>;
  readonly claim?: Partial<SessionClaim>;
  readonly country?: string;
  readonly isUpdate?: boolean;
  /** By URL. */
  readonly answers?: Readonly<Record<string, Answer>>;
  readonly token?: TokenResult | Error;
};

async function judge(given: Given): Promise<{ judgement: Judgement; asked: string[]; lanes: AskLane[] }> {
  const asked: string[] = [];
  const lanes: AskLane[] = [];
  const judging = new Judge({
    askServer: (url, _question, lane) => {
      asked.push(url);
      lanes.push(lane);
      return Promise.resolve(given.answers?.[url] ?? { kind: "failed", reason: "away" });
    },
    checkToken: () =>
      given.token instanceof Error ? Promise.reject(given.token) : Promise.resolve(given.token!),
    wallMs: () => 1_700_000_000_000,
  });
  const question: Question = {
    claim: playClaim(given.claim),
    country: given.country,
    requestType: given.isUpdate === true ? "update_session" : "new_session",
    requestNumber: 0,
    sessionId: "s1",
    streamClients: 0,
    totalClients: 0,
  };
  return { judgement: await judging.judge({ ...OPEN_RULES, ...given.rules }, question), asked, lanes };
}

const HTTP: Authorizer = { kind: "http", url: "http://a/" };
const allowed = (recheckMs: number): Judgement => ({ kind: "allowed", recheckMs });
const denied = (status: 401 | 403 | 503, reason: string, forMs: number): Judgement => ({
  kind: "denied",
  status,
  reason,
  forMs,
});

const block = (rules: Partial<AuthBackendRules>): Authorizer => ({
  kind: "block",
  block: {
    name: "portal",
    allowTokens: [],
    denyTokens: [],
    allowIps: [],
    denyIps: [],
    allowCountries: [],
    denyCountries: [],
    allowUas: [],
    denyUas: [],
    backends: [],
    allowsByDefault: false,
    ...rules,
  },
});
const TWO = { backends: ["http://a/", "http://b/"] };

const CASES: readonly [name: string, given: Given, judgement: Judgement][] = [
  ["without rules everyone may", {}, { kind: "allowed" }],
  ["on_play true: everyone may", { rules: { authorizer: { kind: "everyone" } } }, { kind: "allowed" }],
  [
    "on_play false: nobody may",
    { rules: { authorizer: { kind: "nobody" } } },
    denied(403, "nobody may", 10_000),
  ],
  [
    "a server allows",
    {
      rules: { authorizer: HTTP },
      answers: { "http://a/": { kind: "allowed", userId: "u", maxSessions: 2 } },
    },
    { kind: "allowed", recheckMs: 180_000, userId: "u", maxSessions: 2 },
  ],
  [
    "a server allows for a time",
    { rules: { authorizer: HTTP }, answers: { "http://a/": { kind: "allowed", authDurationMs: 9000 } } },
    allowed(9000),
  ],
  [
    "a server denies",
    { rules: { authorizer: HTTP }, answers: { "http://a/": { kind: "denied" } } },
    denied(403, "who is asked denies it", 180_000),
  ],
  [
    "a server denies for a time",
    { rules: { authorizer: HTTP }, answers: { "http://a/": { kind: "denied", authDurationMs: 1000 } } },
    denied(403, "who is asked denies it", 1000),
  ],
  [
    "a server sends elsewhere",
    { rules: { authorizer: HTTP }, answers: { "http://a/": { kind: "redirected", location: "/b" } } },
    { kind: "redirected", location: "/b", forMs: 180_000 },
  ],
  [
    "a server fails: a new session is refused, and soon asked about again",
    { rules: { authorizer: HTTP } },
    denied(403, "who is asked does not answer", 5000),
  ],
  [
    "a server fails: a session that there is goes on",
    { rules: { authorizer: HTTP }, isUpdate: true },
    { kind: "failed", reason: "away" },
  ],
  [
    "a block's list allows",
    { rules: { authorizer: block({ ...TWO, allowTokens: ["t1"] }) } },
    allowed(180_000),
  ],
  [
    "a block's list denies",
    { rules: { authorizer: block({ ...TWO, denyIps: ["192.0.2.0/24"] }) } },
    denied(403, "auth_backend portal denies it", 10_000),
  ],
  [
    "a block without servers denies",
    { rules: { authorizer: block({}) } },
    denied(403, "auth_backend portal does not allow it", 10_000),
  ],
  [
    "a block without servers and allow default",
    { rules: { authorizer: block({ allowsByDefault: true }) } },
    allowed(180_000),
  ],
  [
    "one server of a block allows",
    { rules: { authorizer: block(TWO) }, answers: { "http://b/": { kind: "allowed" } } },
    allowed(180_000),
  ],
  [
    "one server of a block denies and one fails: allow default does not count",
    {
      rules: { authorizer: block({ ...TWO, allowsByDefault: true }) },
      answers: { "http://b/": { kind: "denied" } },
    },
    denied(403, "who is asked denies it", 180_000),
  ],
  [
    "all servers of a block fail and allow default",
    { rules: { authorizer: block({ ...TWO, allowsByDefault: true }) } },
    allowed(30_000),
  ],
  [
    "all servers of a block fail",
    { rules: { authorizer: block(TWO) } },
    denied(403, "who is asked does not answer", 5000),
  ],
  [
    "all servers of a block fail: a session that there is goes on",
    { rules: { authorizer: block({ ...TWO, allowsByDefault: true }) }, isUpdate: true },
    { kind: "failed", reason: "away" },
  ],
  [
    "a token is good",
    {
      rules: { authorizer: { kind: "signed", key: "k" } },
      token: { allowed: true, userId: "u", maxSessions: 1, expiresMs: 1_700_000_100_000 },
    },
    { kind: "allowed", recheckMs: 180_000, userId: "u", maxSessions: 1, expiresMs: 1_700_000_100_000 },
  ],
  [
    "a token is bad",
    {
      rules: { authorizer: { kind: "securetoken", key: "k", checksAddress: true } },
      token: { allowed: false, reason: "it is out of date" },
    },
    denied(403, "it is out of date", 10_000),
  ],
  [
    "a token cannot be checked",
    { rules: { authorizer: { kind: "signed", key: "k" } }, token: new Error("no keys") },
    denied(503, "the token could not be checked", 5000),
  ],
  [
    "the keys of tokens cannot be had",
    {
      rules: { authorizer: { kind: "signed", key: "k" } },
      token: { allowed: false, reason: "no keys yet", isUnavailable: true },
    },
    denied(503, "no keys yet", 5000),
  ],
  [
    "a token cannot be checked again: the session goes on",
    { rules: { authorizer: { kind: "signed", key: "k" } }, token: new Error("no keys"), isUpdate: true },
    { kind: "failed", reason: "the token could not be checked" },
  ],
  [
    "a password is missing",
    { rules: { password: "p" }, claim: { kind: "publish", token: "" } },
    denied(401, "a password is asked for", 0),
  ],
  [
    "a password is another",
    { rules: { password: "p" }, claim: { kind: "publish", password: "q", token: "p" } },
    denied(403, "the password is another", 0),
  ],
  [
    "a password is right",
    { rules: { password: "p" }, claim: { kind: "publish", password: "p" } },
    { kind: "allowed" },
  ],
  [
    "a token is the password",
    { rules: { password: "p" }, claim: { kind: "publish", token: "p" } },
    { kind: "allowed" },
  ],
  ["a viewer needs no password", { rules: { password: "p" } }, { kind: "allowed" }],
  [
    "a right password, and a server denies",
    {
      rules: { password: "p", authorizer: HTTP },
      claim: { kind: "publish", password: "p" },
      answers: { "http://a/": { kind: "denied" } },
    },
    denied(403, "who is asked denies it", 180_000),
  ],
  [
    "a page of another site",
    { rules: { domains: ["example.com"] }, claim: { referer: "https://evil.test/example.com" } },
    denied(403, "pages of this site may not play it", 0),
  ],
  [
    "a page of the site",
    { rules: { domains: ["example.com"] }, claim: { referer: "https://example.com:8443/x" } },
    { kind: "allowed" },
  ],
  [
    "a country that is not listed",
    { rules: { allowedCountries: ["DE"] }, country: "FR" },
    denied(403, "it may not be played in this country", 10_000),
  ],
  [
    "a country that is not known where some are listed that may",
    { rules: { allowedCountries: ["DE"] } },
    denied(403, "it may not be played in this country", 10_000),
  ],
  ["a country that is listed", { rules: { allowedCountries: ["DE"] }, country: "DE" }, { kind: "allowed" }],
  [
    "a country that is listed as one that may not",
    { rules: { disallowedCountries: ["FR"] }, country: "FR" },
    denied(403, "it may not be played in this country", 10_000),
  ],
  [
    "a country that is not known where some may not",
    { rules: { disallowedCountries: ["FR"] } },
    { kind: "allowed" },
  ],
];

describe("a claim is judged", () => {
  for (const [name, given, judgement] of CASES) {
    test(name, async () => {
      assert.deepEqual((await judge(given)).judgement, judgement);
    });
  }

  test("and nobody is asked who does not have to be", async () => {
    const refused = { rules: { authorizer: HTTP, domains: ["example.com"] }, country: "FR" };
    assert.deepEqual((await judge(refused)).asked, []);
    const wrong = {
      rules: { authorizer: HTTP, password: "p" },
      claim: { kind: "publish", token: "q" },
    } as const;
    assert.deepEqual((await judge(wrong)).asked, []);
    const listed = { rules: { authorizer: block({ ...TWO, denyTokens: ["t1"] }) } };
    assert.deepEqual((await judge(listed)).asked, []);
  });

  test("and all servers of a block are asked at once, updates behind new sessions", async () => {
    const { asked, lanes } = await judge({ rules: { authorizer: block(TWO) }, isUpdate: true });
    assert.deepEqual(asked, TWO.backends);
    assert.deepEqual(lanes, ["update", "update"]);
  });
});

test("rules are open where everyone may, and any number", () => {
  assert.ok(isOpen(OPEN_RULES, "play"));
  assert.ok(isOpen({ ...OPEN_RULES, authorizer: { kind: "everyone" } }, "play"));
  assert.ok(isOpen({ ...OPEN_RULES, password: "p" }, "play"));
  const closed: readonly Partial<AccessRules>[] = [
    { authorizer: HTTP },
    { password: "p" },
    { maxSessions: 1 },
    { maxStreamSessions: 1 },
    { domains: ["example.com"] },
    { allowedCountries: ["DE"] },
    { disallowedCountries: ["DE"] },
  ];
  for (const rules of closed)
    assert.ok(!isOpen({ ...OPEN_RULES, ...rules }, "publish"), JSON.stringify(rules));
});

const PAGES: readonly [domain: string, referer: string | undefined, isAllowed: boolean][] = [
  ["example.com", "https://example.com/", true],
  ["example.com", "https://EXAMPLE.com", true],
  ["Example.com", "http://example.com:81/x?y#z", true],
  ["example.com", "https://www.example.com/", false],
  ["*.example.com", "https://www.example.com/", true],
  ["*.example.com", "https://a.b.example.com/", true],
  ["*.example.com", "https://example.com/", false],
  ["*.example.com", "https://badexample.com/", false],
  ["example.com", "https://example.com.evil.test/", false],
  ["example.com", "https://example.com@evil.test/", false],
  ["example.com", "https://evil.test/?https://example.com/", false],
  ["example.com", "example.com", false],
  ["example.com", "null", false],
  ["example.com", "", false],
  ["example.com", undefined, false],
];

test("a page may play where it is of the site, and none is of no site", () => {
  for (const [domain, referer, expected] of PAGES)
    assert.equal(isAllowedPage([domain], referer), expected, `${domain} ${referer}`);
});
