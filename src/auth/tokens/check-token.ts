import type { Clock } from "../../base/clock.ts";
import { dropOldest } from "../../base/oldest.ts";
import type { SessionClaim } from "../claim.ts";
import type { JwtRules } from "../rules.ts";
import { jwksSource } from "./jwks.ts";
import type { FetchText } from "./jwks.ts";
import { judgeJwtClaims } from "./jwt-claims.ts";
import { keyOfSecret, keysOfPem } from "./jwt-keys.ts";
import type { JwtKey } from "./jwt-keys.ts";
import { isSignedBy, parseJwt } from "./jwt.ts";
import { KeySource } from "./key-source.ts";
import { checkSecuretoken } from "./securetoken.ts";
import { checkSigned } from "./signed-url.ts";
import { refuseForged, refuseToken } from "./token-result.ts";
import type { TokenAuthorizer, TokenCheck, TokenResult } from "./token-result.ts";

/** How the check reaches what is outside. */
export type TokenCheckOptions = {
  readonly clock: Clock;
  /** Gets a JWK Set. */
  readonly fetchText: FetchText;
  /** Reads a file of at most so many bytes; rejects when it cannot. */
  readonly readText: (path: string, maxBytes: number) => Promise<string>;
};

/** Files and URLs whose keys are kept. */
export const MAX_KEY_SOURCES = 64;

/** Longest file of keys. */
const MAX_PEM_BYTES = 256 * 1024;

/** A file is looked at anew after so long. */
const PEM_TTL_MS = 5000;

/** Makes the function that judges tokens, with the keys that it keeps: one for the process. */
export function createTokenCheck(options: TokenCheckOptions): TokenCheck {
  const keys = new JwtKeys(options);
  return async (authorizer, claim, nowMs) => {
    switch (authorizer.kind) {
      case "securetoken":
        return checkSecuretoken(authorizer, claim, nowMs);
      case "signed":
        return checkSigned(authorizer.key, claim.token, claim, nowMs);
      case "jwt":
        return checkJwt(authorizer, claim, nowMs, keys);
    }
  };
}

type JwtAuthorizer = Extract<TokenAuthorizer, { readonly kind: "jwt" }>;

async function checkJwt(
  { rules }: JwtAuthorizer,
  claim: SessionClaim,
  nowMs: number,
  keys: JwtKeys,
): Promise<TokenResult> {
  if (claim.token === undefined || claim.token === "") return refuseToken("there is no token");
  const read = parseJwt(claim.token, rules.algorithms);
  if ("fault" in read) return refuseToken(read.fault);
  const { jwt } = read;
  let isUnavailable = false;
  for (const source of keys.sourcesOf(rules)) {
    const known = await source(jwt.kid);
    isUnavailable ||= known === null;
    if (known !== null && isSignedBy(jwt, known)) return judgeJwtClaims(jwt.claims, rules, claim, nowMs);
  }
  if (isUnavailable) return { allowed: false, reason: "the keys of tokens cannot be had", isUnavailable };
  return refuseForged("the token is signed with another key");
}

type Source = (kid: string | undefined) => Promise<readonly JwtKey[] | null>;

/** Keys of all rules, by where they come from: rules that name the same file or URL share them. */
class JwtKeys {
  readonly #options: TokenCheckOptions;
  readonly #sources = new Map<string, KeySource>();

  constructor(options: TokenCheckOptions) {
    this.#options = options;
  }

  sourcesOf(rules: JwtRules): Source[] {
    const { secret, keyFile, jwksUrl } = rules;
    const sources: Source[] = [];
    if (secret !== undefined) sources.push(() => Promise.resolve([keyOfSecret(secret)]));
    if (keyFile !== undefined) sources.push((kid) => this.#file(keyFile).keysFor(kid));
    if (jwksUrl !== undefined) sources.push((kid) => this.#url(jwksUrl).keysFor(kid));
    return sources;
  }

  #file(path: string): KeySource {
    return this.#kept(`file ${path}`, () => {
      const { clock, readText } = this.#options;
      const load = async (): Promise<JwtKey[]> => keysOfPem(await readText(path, MAX_PEM_BYTES));
      return new KeySource({ clock, load, ttlMs: PEM_TTL_MS, retryMs: PEM_TTL_MS });
    });
  }

  #url(url: string): KeySource {
    return this.#kept(`url ${url}`, () => jwksSource(url, this.#options.fetchText, this.#options.clock));
  }

  #kept(key: string, make: () => KeySource): KeySource {
    const source = this.#sources.get(key) ?? make();
    // The one used last is the youngest.
    this.#sources.delete(key);
    this.#sources.set(key, source);
    dropOldest(this.#sources, MAX_KEY_SOURCES);
    return source;
  }
}
