import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { ApiGate, MAX_SLOW_TOKENS } from "./api-access.ts";
import type { ApiKeys, ApiToken } from "./api-access.ts";
import { MAX_AUTHORIZATION_LENGTH } from "./authorization.ts";
import { PasswordVerifier } from "./password-verifier.ts";
import { accessIn, areaOf } from "./scopes.ts";

const encode = (text: string): string => Buffer.from(text).toString("base64");
const hashOf = (password: string): string =>
  `$scrypt$ln=10,r=8,p=1$c2l4dGVlbi1ieXRlcy1vaw$${createHash("sha256").update(password).digest("base64").slice(0, 43)}`;

const plain: ApiKeys = {
  editAuth: { login: "root", password: "pass:word" },
  viewAuth: { login: "reader", password: "only" },
};

/** A gate whose slow hashes are fast, and counted. */
function gateOf(clock = new FakeClock()): { gate: ApiGate; computed: string[] } {
  const computed: string[] = [];
  const verifier = new PasswordVerifier((password, { hash }) => {
    computed.push(password);
    return Promise.resolve(
      hashOf(password).endsWith(`$${Buffer.from(hash).toString("base64").slice(0, 43)}`),
    );
  });
  return { gate: new ApiGate(clock, verifier), computed };
}

async function ask(
  authorization: string | undefined,
  keys: ApiKeys,
  { gate } = gateOf(),
  method = "GET",
): Promise<string> {
  const verdict = await gate.judge({ authorization, method }, keys);
  return verdict.kind === "allowed" ? `${verdict.access} ${verdict.who}` : verdict.reason;
}

describe("the gate of the API", () => {
  const table: [header: string | undefined, want: string][] = [
    [`Basic ${encode("root:pass:word")}`, "edit root"],
    [`Bearer ${encode("root:pass:word")}`, "edit root"],
    [`basic  ${encode("reader:only")}`, "view reader"],
    [`Bearer ${encode("root:pass:word\n")}`, "edit root"],
    [`Bearer ${encode("reader:only\r\n")}`, "view reader"],
    [`Bearer ${encode("\nreader:only")}`, "wrong"],
    [`Bearer ${encode("reader:only ")}`, "wrong"],
    [`Bearer ${encode("root:only")}`, "wrong"],
    [`Bearer ${encode("\n")}`, "wrong"],
    [`Bearer ${encode("reader:other")}`, "wrong"],
    ["Bearer", "wrong"],
    ["Bearer root:pass:word", "wrong"],
    [`Digest ${encode("root:pass:word")}`, "wrong"],
    [`Basic ${encode("root:pass:word")} x`, "wrong"],
    [`Basic ${"A".repeat(MAX_AUTHORIZATION_LENGTH)}`, "wrong"],
    ["", "absent"],
    [undefined, "absent"],
  ];
  for (const [header, want] of table)
    test(`answers "${header?.slice(0, 40)}" with: ${want}`, async () =>
      assert.equal(await ask(header, plain), want));

  test("lets nobody in where nobody is configured, not even with empty credentials", async () => {
    for (const text of ["", ":", "root:", "\n"]) {
      assert.equal(await ask(`Basic ${encode(text)}`, {}), "wrong");
      assert.equal(await ask(`Basic ${encode(text)}`, { editAuth: { login: "", password: "" } }), "wrong");
    }
    assert.equal(
      await ask(`Basic ${encode("root:")}`, { editAuth: { login: "root", password: "" } }),
      "wrong",
    );
  });

  test("lets in who has the password of a hash, and computes it once", async () => {
    const keys = { editAuth: { login: "root", password: hashOf("secret") } };
    const gated = gateOf();
    for (let i = 0; i < 3; i++)
      assert.equal(await ask(`Basic ${encode("root:secret")}`, keys, gated), "edit root");
    assert.equal(gated.computed.length, 1);
    assert.equal(await ask(`Basic ${encode(`root:${hashOf("secret")}`)}`, keys, gated), "wrong");
  });

  test("computes as much for a wrong login as for a wrong password", async () => {
    const keys = { ...plain, editAuth: { login: "root", password: hashOf("secret") } };
    const gated = gateOf();
    await ask(`Basic ${encode("root:guess")}`, keys, gated);
    assert.equal(gated.computed.length, 1);
    await ask(`Basic ${encode("nobody:guess")}`, keys, gated);
    assert.equal(gated.computed.length, 2);
    assert.equal(await ask(`Basic ${encode("reader:only")}`, keys, gated), "view reader");
    assert.equal(gated.computed.length, 2);
  });

  test("says that it is busy when too many hashes wait", async () => {
    const gate = new ApiGate(new FakeClock(), new PasswordVerifier(() => new Promise<boolean>(() => {})));
    const keys = { editAuth: { login: "root", password: hashOf("secret") } };
    const guesses = Array.from({ length: 35 }, (_, i) => `Basic ${encode(`root:${i}`)}`);
    const verdicts = guesses.map((authorization) => gate.judge({ authorization, method: "GET" }, keys));
    assert.deepEqual(await verdicts.at(-1), { kind: "refused", reason: "busy" });
  });
});

describe("a token of the API", () => {
  const clock = new FakeClock();
  const nowMs = clock.wallUs() / 1000;
  const token: ApiToken = { name: "portal", token: "wt_0123456789", scopes: ["streams"] };
  const withTokens = (...apiTokens: ApiToken[]): ApiKeys => ({ ...plain, apiTokens });

  test("is taken as it is, and with its name as login", async () => {
    const keys = withTokens(token);
    assert.equal(await ask("Bearer wt_0123456789", keys), "edit portal");
    assert.equal(await ask(`Basic ${encode("portal:wt_0123456789")}`, keys), "edit portal");
    assert.equal(await ask(`Bearer ${encode("portal:wt_0123456789")}`, keys), "edit portal");
    for (const header of [
      "Basic wt_0123456789",
      "Bearer wt_012345678",
      `Basic ${encode("root:wt_0123456789")}`,
    ])
      assert.equal(await ask(header, keys), "wrong");
  });

  test("is over when it has expired", async () => {
    const gated = gateOf(clock);
    const bearer = "Bearer wt_0123456789";
    assert.equal(await ask(bearer, withTokens({ ...token, expiresMs: nowMs + 1 }), gated), "edit portal");
    assert.equal(await ask(bearer, withTokens({ ...token, expiresMs: nowMs }), gated), "wrong");
  });

  test("may be hashed; of those that take long few are tried", async () => {
    const fast =
      "$sha256$c2FsdHNhbHQ$" + createHash("sha256").update("saltsaltabc").digest("base64").slice(0, 43);
    assert.equal(await ask("Bearer abc", withTokens({ ...token, token: fast })), "edit portal");
    const slow = Array.from({ length: 20 }, (_, i) => ({
      ...token,
      name: `t${i}`,
      token: hashOf(`t${i}`),
    }));
    const gated = gateOf();
    assert.equal(await ask("Bearer t3", withTokens(...slow), gated), "edit t3");
    assert.equal(await ask(`Basic ${encode("t19:t19")}`, withTokens(...slow), gated), "edit t19");
    gated.computed.length = 0;
    assert.equal(await ask("Bearer none", withTokens(...slow), gated), "wrong");
    assert.equal(gated.computed.length, MAX_SLOW_TOKENS);
  });

  test("says what it may do", async () => {
    const { gate } = gateOf();
    const keys = withTokens({ ...token, scopes: ["view", "metrics"] });
    const question = { authorization: "Bearer wt_0123456789", method: "GET" };
    const want = { kind: "allowed", access: "view", scopes: ["view", "metrics"], who: "portal" };
    assert.deepEqual(await gate.judge(question, keys), want);
  });
});

describe("a server of the cluster", () => {
  const clock = new FakeClock();
  const nowS = clock.wallUs() / 1e6;
  const header = (timeS: number, key = "s3cr3t"): string =>
    `Cluster ${timeS}:${createHash("sha1").update(`${timeS}:${key}`).digest("hex")}`;
  const keys = { clusterKey: "s3cr3t" };

  test("is known by the hash that others make", async () => {
    // echo -n "1767225600:s3cr3t" | sha1sum
    assert.equal(nowS, 1_767_225_600);
    assert.equal(
      await ask("Cluster 1767225600:14ba61cdb8c5fe106d7ae68a8efadcb04ecd38c1", keys),
      "view cluster",
    );
  });

  const table: readonly [what: string, header: string, want: string, keys?: ApiKeys, method?: string][] = [
    ["may look for five minutes", header(nowS - 300), "view cluster"],
    ["may look with a clock ahead", header(nowS + 300), "view cluster"],
    ["may not look later", header(nowS - 301), "wrong"],
    ["may not look earlier", header(nowS + 301), "wrong"],
    ["may ask for a head", header(nowS), "view cluster", keys, "HEAD"],
    ["may change nothing", header(nowS), "wrong", keys, "POST"],
    ["needs the key", header(nowS, "other"), "wrong"],
    ["is nobody where there is no key", header(nowS, "undefined"), "wrong", plain],
    ["is nobody where the key is empty", header(nowS, ""), "wrong", { clusterKey: "" }],
    ["is nobody with half a hash", header(nowS).slice(0, -1), "wrong"],
  ];
  for (const [what, text, want, others = keys, method = "GET"] of table)
    test(what, async () => assert.equal(await ask(text, others, gateOf(clock), method), want));
});

describe("scopes", () => {
  const table: readonly [path: string, area: string | null][] = [
    ["/streams", "streams"],
    ["/streams/a/b", "streams"],
    ["/streams/a/b/dvr/ranges", "archive"],
    ["/episodes/1", "archive"],
    ["/templates/x", "streams"],
    ["/sessions/1", "sessions"],
    ["/config/stats", "config"],
    ["/monitoring/metrics", "metrics"],
    ["/streamsx", null],
    ["/", null],
  ];
  for (const [path, area] of table) test(`${path} is of ${area}`, () => assert.equal(areaOf(path), area));

  test("allow their area, all or nothing", () => {
    assert.equal(accessIn(["edit"], null), "edit");
    assert.equal(accessIn(["view"], "streams"), "view");
    assert.equal(accessIn(["streams"], "streams"), "edit");
    assert.equal(accessIn(["streams"], "config"), null);
    assert.equal(accessIn(["streams", "view"], "config"), "view");
    assert.equal(accessIn(["metrics"], "metrics"), "view");
    assert.equal(accessIn(["metrics"], null), null);
    assert.equal(accessIn([], "streams"), null);
  });
});
