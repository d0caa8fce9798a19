import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPEN_RULES } from "../auth/rules.ts";
import { loadConfig } from "./load.ts";
import { MAX_BACKENDS } from "./schema-access.ts";
import type { AccessRules } from "../auth/rules.ts";
import type { AccessPlan, ResolvedConfig } from "./plan.ts";

function load(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "t", text: `geoip /g; ${text}` }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

function codesOf(text: string): string[] {
  const { problems } = loadConfig([{ file: "t", text }]);
  return problems.map(({ severity, code }) => `${severity} ${code}`);
}

/** What stream "a" of a config says beyond "everyone may". */
function said(text: string): { play: Partial<AccessRules>; publish: Partial<AccessRules> } {
  const stream = load(text).streams.find(({ name }) => name === "a");
  assert.ok(stream !== undefined);
  const { play, publish }: AccessPlan = stream.access;
  return { play: beyond(play), publish: beyond(publish) };
}

function beyond(rules: AccessRules): Partial<AccessRules> {
  const usual = new Map<string, unknown>(Object.entries(OPEN_RULES));
  return Object.fromEntries(Object.entries(rules).filter(([name, value]) => usual.get(name) !== value));
}

const EVERYONE = { authorizer: { kind: "everyone" } } as const;
const NOBODY = { authorizer: { kind: "nobody" } } as const;
const http = (url: string) => ({ authorizer: { kind: "http", url } }) as const;
const secure = (key: string) =>
  ({ authorizer: { kind: "securetoken", key, checksAddress: true } }) as const;

const CASES: readonly {
  readonly name: string;
  readonly template?: string;
  readonly stream: string;
  readonly play?: Partial<AccessRules>;
  readonly publish?: Partial<AccessRules>;
}[] = [
  { name: "nothing said: everyone may", stream: "" },
  {
    name: "options of on_play and directives are one",
    stream: "on_play http://p/ max_sessions=2 soft_limitation; max_stream_sessions 9; domains a.com b.com;",
    play: {
      ...http("http://p/"),
      maxSessions: 2,
      softLimitationMs: 30_000,
      maxStreamSessions: 9,
      domains: ["a.com", "b.com"],
    },
  },
  {
    name: "lists of options have commas",
    stream: "on_play true domains=a.com,*.B.com allowed_countries=de,at,DE;",
    play: { ...EVERYONE, domains: ["a.com", "*.b.com"], allowedCountries: ["DE", "AT"] },
  },
  { name: "soft_limitation in seconds", stream: "soft_limitation 90;", play: { softLimitationMs: 90_000 } },
  {
    name: "what is said once for viewers is not said for publishers",
    stream: "on_play false; on_publish true; password x;",
    play: NOBODY,
    publish: { ...EVERYONE, password: "x" },
  },
  {
    name: "a template's words count where the stream says nothing",
    template: "on_play http://t/ max_sessions=2; domains t.com; password t; on_publish false;",
    stream: "max_sessions 5; password own;",
    play: { ...http("http://t/"), maxSessions: 5, domains: ["t.com"] },
    publish: { ...NOBODY, password: "own" },
  },
  {
    name: "on_play of the stream wins over that of its template",
    template: "on_play http://t/ max_sessions=2;",
    stream: "on_play true;",
    play: { ...EVERYONE, maxSessions: 2 },
  },
  {
    name: "on_play of the template wins over auth of the stream, with its options",
    template: "on_play http://t/ max_sessions=2;",
    stream: "auth http://own/ max_sessions=9 domains=own.com; max_stream_sessions 3;",
    play: { ...http("http://t/"), maxSessions: 2, maxStreamSessions: 3 },
  },
  {
    name: "securetoken of the template is on_play too",
    template: "securetoken KEY;",
    stream: "auth http://own/;",
    play: secure("KEY"),
  },
  {
    name: "auth of the stream wins over auth of its template",
    template: "auth http://t/ max_sessions=2 domains=t.com;",
    stream: "auth http://own/ max_sessions=9;",
    play: { ...http("http://own/"), maxSessions: 9, domains: ["t.com"] },
  },
  {
    name: "on_play of the stream wins over auth of its template",
    template: "auth http://t/;",
    stream: "on_play securetoken://k;",
    play: secure("k"),
  },
  {
    name: "auth counts under a template that says nothing of it",
    template: "max_sessions 2;",
    stream: "auth true session_keys=ip,proto,name,token,header.X-Id;",
    play: {
      ...EVERYONE,
      maxSessions: 2,
      sessionKeys: [
        ...(["name", "ip", "proto", "token"] as const).map((kind) => ({ kind })),
        { kind: "header", name: "x-id" },
      ],
    },
  },
  {
    name: "session keys without a token",
    stream: "session_keys query.device;",
    play: {
      sessionKeys: [
        ...(["name", "ip", "proto"] as const).map((kind) => ({ kind })),
        { kind: "query", name: "device" },
      ],
    },
  },
];

for (const { name, template = "", stream, play = {}, publish = {} } of CASES) {
  test(name, () => {
    const text = `template t { input publish://; ${template} } stream a { template t; ${stream} }`;
    assert.deepEqual(said(text), { play, publish });
  });
}

test("a vod has rules for viewers, and templates have their own", () => {
  const config = load(
    "vod v { storage /v; auth jwt://j; max_sessions 3; } jwt j { secret s; } template t { password x; }",
  );
  const rules = { name: "j", algorithms: ["HS256"], secret: "s" };
  assert.deepEqual(beyond(config.vods[0]!.access), { authorizer: { kind: "jwt", rules }, maxSessions: 3 });
  assert.equal(config.templates[0]?.access.publish.password, "x");
});

test("lines of an auth_backend add up, and whoever names it has its rules", () => {
  const config = load(`
    stream a { input publish://; on_play auth://b; on_publish auth://b; }
    auth_backend b {
      allow token one two; allow token two three; deny token bad;
      allow ip 10/8; deny ip 0/0 ::/0; allow country de; deny country ru US;
      allow ua "a b"; deny ua curl;
      backend http://one/ http://two/; backend http://one/ https://three/x?y=z;
      allow default;
    }
    auth_backend empty { deny default; }
  `);
  const { place: _place, ...block } = config.authBackends[0]!;
  assert.deepEqual(block, {
    name: "b",
    allowTokens: ["one", "two", "three"],
    denyTokens: ["bad"],
    allowIps: ["10.0.0.0/8"],
    denyIps: ["0.0.0.0/0", "::/0"],
    allowCountries: ["DE"],
    denyCountries: ["RU", "US"],
    allowUas: ["a b"],
    denyUas: ["curl"],
    backends: ["http://one/", "http://two/", "https://three/x?y=z"],
    allowsByDefault: true,
  });
  assert.deepEqual(config.streams[0]?.access.play.authorizer, { kind: "block", block });
  assert.deepEqual(config.streams[0]?.access.publish.authorizer, { kind: "block", block });
  assert.equal(config.authBackends[1]?.allowsByDefault, false);
});

test("servers of one auth_backend are bounded", () => {
  const urls = Array.from({ length: MAX_BACKENDS + 1 }, (_, index) => `http://h${index}/`);
  assert.deepEqual(codesOf(`auth_backend b { backend ${urls.slice(1).join(" ")}; }`), []);
  assert.deepEqual(codesOf(`auth_backend b { backend ${urls.join(" ")}; }`), ["error CONFIG_BAD_VALUE"]);
});

describe("the algorithms of a jwt", () => {
  for (const [text, algorithms] of [
    ["secret s;", ["HS256"]],
    ["key_file /k;", ["RS256", "ES256", "EdDSA"]],
    ["secret s; jwks http://k;", ["HS256", "RS256", "ES256", "EdDSA"]],
    ["jwks http://k; algorithms eddsa EdDSA;", ["EdDSA"]],
  ] as const) {
    test(`with ${text} are ${algorithms.join(" ")}`, () => {
      assert.deepEqual(load(`jwt j { ${text} }`).jwts[0]?.algorithms, algorithms);
    });
  }

  test("are those that there is a key for: a public key is never taken for a secret", () => {
    assert.deepEqual(codesOf("jwt j { key_file /k; algorithms HS256; }"), ["error CONFIG_BAD_VALUE"]);
    assert.deepEqual(codesOf("jwt j { secret s; algorithms RS256 HS256; }"), ["error CONFIG_BAD_VALUE"]);
    assert.deepEqual(codesOf("jwt j { issuer x; }"), ["error CONFIG_NOTHING_INSIDE"]);
  });
});

const PROBLEMS: readonly [text: string, codes: readonly string[]][] = [
  ["stream a { input publish://; on_play auth://b; }", ["error CONFIG_UNKNOWN_AUTH"]],
  ["vod a { storage /a; on_play jwt://b; }", ["error CONFIG_UNKNOWN_AUTH"]],
  ["template a { on_publish jwt://b; } auth_backend b { }", ["error CONFIG_UNKNOWN_AUTH"]],
  ["stream a { input publish://; on_play true; auth true; }", ["error CONFIG_DEFINED_TWICE"]],
  ["vod a { storage /a; securetoken k; on_play true; }", ["error CONFIG_DEFINED_TWICE"]],
  [
    "stream a { input publish://; on_play true max_sessions=1; max_sessions 1; }",
    ["error CONFIG_DEFINED_TWICE"],
  ],
  ["stream a { input publish://; on_play true max_session=1; }", ["error CONFIG_UNKNOWN_OPTION"]],
  ["vod a { storage /a; password x; }", ["error CONFIG_WRONG_PLACE"]],
  ["allow ip 10/8;", ["error CONFIG_WRONG_PLACE"]],
  ["auth_backend a { allow ip; }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["auth_backend a { allow default x; }", ["error CONFIG_TOO_MANY_ARGUMENTS"]],
  ["auth_backend a { allow default; allow default; }", ["error CONFIG_DEFINED_TWICE"]],
  ["auth_backend a;", ["error CONFIG_MISSING_BLOCK"]],
  [
    "api_token a { token 12345678; scope view; } api_token a { token 12345678; scope view; }",
    ["error CONFIG_DEFINED_TWICE"],
  ],
  ["api_token a { token 1234567; scope view; }", ["error CONFIG_BAD_VALUE"]],
  // What nobody's country is known for.
  ["stream a { input publish://; allowed_countries DE; }", ["warning CONFIG_NEVER_USED"]],
  ["vod a { storage /a; on_play true disallowed_countries=DE; }", ["warning CONFIG_NEVER_USED"]],
  ["auth_backend a { deny country DE; }", ["warning CONFIG_NEVER_USED"]],
  ["geoip /g; auth_backend a { deny country DE; }", []],
  [
    "template t { on_play true; } stream a { template t; input publish://; auth http://x/; }",
    ["warning CONFIG_NEVER_USED"],
  ],
];

for (const [text, codes] of PROBLEMS) {
  test(`${text} gives ${codes.join(", ") || "no problem"}`, () => assert.deepEqual(codesOf(text), codes));
}

test("an unknown auth_backend or jwt is told with the one that was meant", () => {
  for (const [text, hint] of [
    ["auth_backend portal { } vod a { storage /a; on_play auth://potral; }", "did you mean auth://portal?"],
    ["jwt login { secret s; } vod a { storage /a; on_play jwt://logim; }", "did you mean jwt://login?"],
    [
      "jwt x { secret s; } vod a { storage /a; on_play auth://x; }",
      "add at the top level: auth_backend x { ... }",
    ],
  ] as const) {
    const { problems } = loadConfig([{ file: "t", text }]);
    assert.equal(problems.find(({ code }) => code === "CONFIG_UNKNOWN_AUTH")?.hint, hint);
  }
});

test("hashes of passwords stand without quotes, from the config and from the environment", () => {
  const scrypt = "$scrypt$ln=17,r=8,p=1$c2FsdHNhbHQ$aGFzaC8raGFzaA==";
  const argon = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g";
  const config = load(
    `edit_auth root ${scrypt}; view_auth viewer ${argon}; api_token t { token ${argon}; scope view; }`,
  );
  assert.deepEqual(config.editAuth, { login: "root", password: scrypt });
  assert.deepEqual(config.viewAuth, { login: "viewer", password: argon });
  assert.equal(config.apiTokens[0]?.token, argon);
  const { config: ofVariable } = loadConfig([], { FLUSSONIC_EDIT_AUTH: `root:${scrypt}` });
  assert.deepEqual(ofVariable?.editAuth, { login: "root", password: scrypt });
});

test("tokens of the API, networks and hosts reach the plan, each once", () => {
  const config = load(`
    api_token ci { token "c0ffee c0ffee"; scope streams streams config; expires 2027-01-01; }
    api_allowed_from 10.10/16 ::1; api_allowed_from 10.10.1.1/16;
    trusted_proxies 10.1.2.3/16 fd00::1; trusted_proxies 10.1/16;
    allowed_hosts A.com 10/8; allowed_hosts *.b.com;
    auth_token key;
  `);
  const { place: _place, ...token } = config.apiTokens[0]!;
  assert.deepEqual(token, {
    name: "ci",
    token: "c0ffee c0ffee",
    scopes: ["streams", "config"],
    expiresMs: Date.UTC(2027, 0, 1),
  });
  assert.deepEqual(config.apiAllowedFrom, ["10.10.0.0/16", "::1/128"]);
  assert.deepEqual(config.trustedProxies, ["10.1.0.0/16", "fd00::1/128"]);
  assert.deepEqual(config.allowedHosts, ["a.com", "10.0.0.0/8", "*.b.com"]);
  assert.equal(config.authToken, "key");
  assert.equal(config.geoip, "/g");
});
