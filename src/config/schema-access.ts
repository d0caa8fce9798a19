import { API_SCOPES } from "./plan.ts";
import type { DirectiveSpec, OptionSpec, Scope } from "./schema.ts";
import type { ValueType } from "./values.ts";

const MINUTE_MS = 60_000;
const MOST_SESSIONS = 1_000_000;

/** How long a session above its limit goes on where `soft_limitation true` does not say it. */
export const SOFT_LIMITATION_MS = 30_000;

/** Most servers of one `auth_backend`: each new session asks them all. */
export const MAX_BACKENDS = 8;

/** One thing that is said of viewers: a directive, and an option of `on_play`. */
type Setting = {
  readonly name: string;
  readonly label: string;
  readonly type: ValueType;
  readonly doc: string;
  /** A directive may have several of them; an option has them in one word, with commas. */
  readonly isList?: true;
  /** The name alone means true. */
  readonly isFlag?: true;
};

const SETTINGS: readonly Setting[] = [
  {
    name: "max_sessions",
    label: "N",
    type: { kind: "integer", min: 1, max: MOST_SESSIONS },
    doc: "Most sessions of one user at a time; what a server answers in `X-Max-Sessions` wins.",
  },
  {
    name: "max_stream_sessions",
    label: "N",
    type: { kind: "integer", min: 1, max: MOST_SESSIONS },
    doc: "Most sessions of one stream, or of one file, at a time.",
  },
  {
    name: "soft_limitation",
    label: "SECONDS|true|false",
    type: { kind: "duration", minMs: 0, maxMs: 60 * MINUTE_MS, words: ["true", "false"] },
    isFlag: true,
    doc: "How long a session above its user's limit may go on; `true` is 30, `false` and without it not at all.",
  },
  {
    name: "session_keys",
    label: "KEY",
    type: { kind: "access", of: "session-keys" },
    isList: true,
    doc:
      "What makes two requests one session: `name`, `ip` and `proto`, which are always in, `token`, `header.NAME` and " +
      "`query.NAME`. Without it `name,ip,proto,token`.",
  },
  {
    name: "domains",
    label: "HOST|*.HOST",
    type: { kind: "access", of: "domains" },
    isList: true,
    doc: "The sites whose pages may play it, by the header Referer.",
  },
  {
    name: "allowed_countries",
    label: "CODE",
    type: { kind: "access", of: "countries" },
    isList: true,
    doc: "The only countries, as two letters, that may play it; needs `geoip`.",
  },
  {
    name: "disallowed_countries",
    label: "CODE",
    type: { kind: "access", of: "countries" },
    isList: true,
    doc: "The countries that may not play it; needs `geoip`.",
  },
];

/** The names of what can be said of viewers in the line of `on_play` and beside it. */
export const ACCESS_SETTINGS: readonly string[] = SETTINGS.map(({ name }) => name);

/** Options of `on_play`. */
export const PLAY_OPTIONS: readonly OptionSpec[] = SETTINGS.map(
  ({ name, type, doc, isFlag }): OptionSpec => ({
    name,
    type,
    doc,
    ...(isFlag === true ? { flag: true } : {}),
    status: "works",
  }),
);

const LIVE: readonly Scope[] = ["stream", "template"];
const PLAYED: readonly Scope[] = ["stream", "template", "vod"];
const AUTHORIZER = { label: "WHO", type: { kind: "access", of: "authorizer" } } as const;

const WHO =
  "`http://...` or `https://...` a server that is asked, `auth://NAME` an `auth_backend`, `jwt://NAME` a `jwt`, " +
  "`securetoken://KEY` and `signed://KEY` signed links, `true` everyone, `false` nobody";

type Common = Pick<DirectiveSpec, "onChange" | "since" | "status">;
const NEW: Common & { status: "works" } = { onChange: "nothing", since: "0.3", status: "works" };

const OF_STREAMS: readonly DirectiveSpec[] = [
  {
    ...NEW,
    name: "on_play",
    scopes: PLAYED,
    arguments: [AUTHORIZER],
    options: PLAY_OPTIONS,
    repeat: "once",
    doc: `Who decides whether a viewer may play: ${WHO}. Its options may also be directives of their own.`,
  },
  {
    ...NEW,
    name: "auth",
    scopes: PLAYED,
    arguments: [AUTHORIZER],
    options: PLAY_OPTIONS,
    repeat: "once",
    doc: "Old spelling of `on_play`; `on_play` of a stream's template wins over it, with all its options.",
  },
  {
    ...NEW,
    name: "securetoken",
    scopes: PLAYED,
    arguments: [{ label: "KEY", type: { kind: "text", minLength: 1 }, secret: true }],
    repeat: "once",
    doc: "The same as `on_play securetoken://KEY`.",
  },
  {
    ...NEW,
    name: "on_publish",
    scopes: LIVE,
    arguments: [AUTHORIZER],
    repeat: "once",
    doc: `Who decides whether a publisher may publish: ${WHO}.`,
  },
  {
    ...NEW,
    name: "password",
    scopes: LIVE,
    arguments: [{ label: "PASSWORD", type: { kind: "text", minLength: 1 }, secret: true }],
    repeat: "once",
    doc: "What a publisher has to know.",
  },
  ...SETTINGS.map(({ name, label, type, doc, isList, isFlag }): DirectiveSpec => ({
    ...NEW,
    name,
    scopes: PLAYED,
    arguments: [
      {
        label,
        type,
        ...(isList === true ? { many: true } : {}),
        ...(isFlag === true ? { optional: true } : {}),
      },
    ],
    repeat: "once",
    doc,
  })),
];

/** What `allow` and `deny` speak of. */
const RULE_KINDS: ValueType = { kind: "choice", values: ["token", "ip", "country", "ua", "default"] };

const BACKEND: readonly DirectiveSpec[] = [
  ...["allow", "deny"].map((name): DirectiveSpec => ({
    ...NEW,
    name,
    scopes: ["auth-backend"],
    usage: `${name} token|ip|country|ua VALUE ...; or ${name} default;`,
    arguments: [
      { label: "token|ip|country|ua|default", type: RULE_KINDS },
      { label: "VALUE", type: { kind: "text", minLength: 1 }, optional: true, many: true },
    ],
    repeat: "often",
    doc:
      name === "allow"
        ? "Lets in who has one of the values: a token, an address in a network, a country, a part of the User-Agent; " +
          "`default` who nothing else decides about, also when no server answers."
        : "The same for those who are refused; `deny default` is what is done without any `default`.",
  })),
  {
    ...NEW,
    name: "backend",
    scopes: ["auth-backend"],
    arguments: [{ label: "URL", type: { kind: "access", of: "web-url" }, many: true }],
    repeat: "often",
    doc: `Servers that are asked, all at once, when no rule decides; one that allows is enough. ${MAX_BACKENDS} at most.`,
  },
];

const JWT: readonly DirectiveSpec[] = [
  {
    ...NEW,
    name: "algorithms",
    scopes: ["jwt"],
    arguments: [{ label: "ALGORITHM", type: { kind: "access", of: "algorithm" }, many: true }],
    repeat: "once",
    doc: "Which algorithms tokens may be signed with; without it all that the keys are good for.",
  },
  {
    ...NEW,
    name: "secret",
    scopes: ["jwt"],
    arguments: [{ label: "SECRET", type: { kind: "text", minLength: 1 }, secret: true }],
    repeat: "once",
    doc: "The key of HS256; 32 bytes at random or more.",
  },
  {
    ...NEW,
    name: "key_file",
    scopes: ["jwt"],
    arguments: [{ label: "PATH", type: { kind: "path" } }],
    repeat: "once",
    doc: "A file with a public key in PEM, for RS256, ES256 or EdDSA; read anew when it changes.",
  },
  {
    ...NEW,
    name: "jwks",
    scopes: ["jwt"],
    arguments: [{ label: "URL", type: { kind: "access", of: "web-url" } }],
    repeat: "once",
    doc: "A server that has the public keys, as a JWK Set.",
  },
  {
    ...NEW,
    name: "issuer",
    scopes: ["jwt"],
    arguments: [{ label: "TEXT", type: { kind: "text", minLength: 1 } }],
    repeat: "once",
    doc: "What a token's `iss` has to be.",
  },
  {
    ...NEW,
    name: "audience",
    scopes: ["jwt"],
    arguments: [{ label: "TEXT", type: { kind: "text", minLength: 1 } }],
    repeat: "once",
    doc: "What has to be among a token's `aud`.",
  },
];

const API_TOKEN: readonly DirectiveSpec[] = [
  {
    ...NEW,
    name: "token",
    scopes: ["api-token"],
    arguments: [{ label: "TOKEN", type: { kind: "text", minLength: 8 }, secret: true }],
    repeat: "once",
    doc: "The token itself, or its hash as `weir hash-password` writes it.",
  },
  {
    ...NEW,
    name: "scope",
    scopes: ["api-token"],
    arguments: [{ label: "SCOPE", type: { kind: "choice", values: API_SCOPES }, many: true }],
    repeat: "once",
    doc: "What may be done with it: `view` reads everything, `edit` changes everything, the others one part of the API.",
  },
  {
    ...NEW,
    name: "expires",
    scopes: ["api-token"],
    arguments: [{ label: "TIME", type: { kind: "access", of: "time" } }],
    repeat: "once",
    doc: "When it ends, as in `2027-01-31T00:00:00Z`; without it never.",
  },
];

const OF_SERVER: readonly DirectiveSpec[] = [
  {
    ...NEW,
    name: "api_allowed_from",
    scopes: ["server"],
    arguments: [{ label: "NETWORK", type: { kind: "access", of: "network" }, many: true }],
    repeat: "often",
    doc: "The networks that may call the API, as `10.0.0.0/8`, `10/8`, `192.0.2.1` or `2001:db8::/32`; without it all.",
  },
  {
    ...NEW,
    name: "trusted_proxies",
    scopes: ["server"],
    arguments: [{ label: "ADDRESS|NETWORK", type: { kind: "access", of: "network" }, many: true }],
    repeat: "often",
    doc:
      "Proxies in front, such as an Ingress: of requests that come from there, `X-Forwarded-For` or `Forwarded` says whose " +
      "they are, `X-Forwarded-Proto` and `X-Forwarded-Host` what was asked of the proxy. Without it of none. " +
      "Listeners with `proxy_protocol` take connections from these alone.",
  },
  {
    ...NEW,
    name: "api_token",
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "name" } }],
    block: { scope: "api-token" },
    repeat: "once-per-name",
    doc: "A token for the API that may do less than the administrator, as `Authorization: Bearer TOKEN`.",
  },
  {
    ...NEW,
    name: "allowed_hosts",
    scopes: ["server"],
    arguments: [{ label: "HOST|*.HOST|NETWORK", type: { kind: "access", of: "host" }, many: true }],
    repeat: "often",
    doc: "The hosts that the server connects to, and that URLs given by API may lead to: of servers that are asked, keys, sinks, traces, buckets, peers. Without it all but those at which clouds keep credentials. The API makes it no wider.",
  },
  {
    ...NEW,
    name: "auth_token",
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "access", of: "query-key" } }],
    repeat: "once",
    default: "token",
    doc: "Name of the key in the query string that has the viewer's token.",
  },
  {
    ...NEW,
    name: "auth_backend",
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "name" } }],
    block: { scope: "auth-backend" },
    repeat: "once-per-name",
    doc: "Rules, and servers that are asked where no rule decides; `auth://NAME` names it.",
  },
  {
    ...NEW,
    name: "jwt",
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "name" } }],
    block: { scope: "jwt" },
    repeat: "once-per-name",
    doc: "How JSON Web Tokens are checked; `jwt://NAME` names it.",
  },
  {
    ...NEW,
    name: "geoip",
    scopes: ["server"],
    arguments: [{ label: "PATH", type: { kind: "path" } }],
    repeat: "once",
    doc: "A file in MaxMind's format that knows countries by addresses; read anew when it changes.",
  },
];

/** Who may do what: directives of the top level, of streams, templates and vods, and of blocks of their own. */
export const ACCESS_DIRECTIVES: readonly DirectiveSpec[] = [
  ...OF_SERVER,
  ...API_TOKEN,
  ...BACKEND,
  ...JWT,
  ...OF_STREAMS,
];
