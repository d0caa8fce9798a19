/**
 * Who may play and publish, as data. The configuration makes these plans; the control thread follows them
 * (`sessions/`), and every media thread knows from them whom it has to ask about.
 */

/** Where a key of a session's identity is read; all of them together name one session. */
export type SessionKey =
  | { readonly kind: "name" | "ip" | "proto" | "token" }
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "query"; readonly name: string };

/** Who answers whether a session may be. */
export type Authorizer =
  /** `on_play true`, and `false`. */
  | { readonly kind: "everyone" }
  | { readonly kind: "nobody" }
  /** A server that is asked, see `backend-request.ts`. `url` may have user and password in it. */
  | { readonly kind: "http"; readonly url: string }
  /** `auth://NAME`: rules in an order, and servers. */
  | { readonly kind: "block"; readonly block: AuthBackendRules }
  /** `securetoken://KEY`. */
  | { readonly kind: "securetoken"; readonly key: string; readonly checksAddress: boolean }
  /** `signed://KEY`: URLs signed with HMAC-SHA-256. */
  | { readonly kind: "signed"; readonly key: string }
  /** `jwt://NAME`. */
  | { readonly kind: "jwt"; readonly rules: JwtRules };

/** One `auth_backend NAME { ... }`. Of the lists, the first that has what the session brings decides, in this order. */
export type AuthBackendRules = {
  readonly name: string;
  readonly allowTokens: readonly string[];
  readonly denyTokens: readonly string[];
  /** Networks in CIDR form. */
  readonly allowIps: readonly string[];
  readonly denyIps: readonly string[];
  /** Two letters, upper case. Spec: ISO 3166-1 alpha-2. */
  readonly allowCountries: readonly string[];
  readonly denyCountries: readonly string[];
  /** Parts of the User-Agent header. */
  readonly allowUas: readonly string[];
  readonly denyUas: readonly string[];
  /** Asked all at once; one that allows is enough. */
  readonly backends: readonly string[];
  /** What is said where no rule decides and no server answers. */
  readonly allowsByDefault: boolean;
};

/** Algorithms of tokens. Spec: RFC 7518 section 3.1, RFC 8037 section 3.1. */
export const JWT_ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"] as const;

/** One of `JWT_ALGORITHMS`. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** One `jwt NAME { ... }`: with which keys tokens are checked. At least one of `secret`, `keyFile`, `jwksUrl` is there. */
export type JwtRules = {
  readonly name: string;
  readonly algorithms: readonly JwtAlgorithm[];
  /** For HS256. */
  readonly secret?: string;
  /** A public key in PEM; read anew when the file changes. */
  readonly keyFile?: string;
  readonly jwksUrl?: string;
  readonly issuer?: string;
  readonly audience?: string;
};

/** Who may play, or publish, a stream or a vod's files. */
export type AccessRules = {
  /** Absent: nobody is asked, everyone may. */
  readonly authorizer?: Authorizer;
  /** What a publisher has to say; absent: nothing. */
  readonly password?: string;
  /** Sessions of one user, unless a server says otherwise. */
  readonly maxSessions?: number;
  /** Sessions of one stream. */
  readonly maxStreamSessions?: number;
  /** How long a session above its user's limit may go on. Units: milliseconds; 0: not at all. */
  readonly softLimitationMs: number;
  readonly sessionKeys: readonly SessionKey[];
  /** Sites whose pages may play it, as `example.com` and `*.example.com`; empty: all. */
  readonly domains: readonly string[];
  /** Empty: all. */
  readonly allowedCountries: readonly string[];
  readonly disallowedCountries: readonly string[];
};

/** Nobody is asked. */
export const OPEN_RULES: AccessRules = {
  softLimitationMs: 0,
  sessionKeys: [{ kind: "name" }, { kind: "ip" }, { kind: "proto" }, { kind: "token" }],
  domains: [],
  allowedCountries: [],
  disallowedCountries: [],
};
