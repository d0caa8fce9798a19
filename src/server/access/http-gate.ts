import { hash, randomBytes } from "node:crypto";
import type { SessionClaim, SessionEnd, SessionKind } from "../../auth/claim.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { ownText } from "../../base/own-text.ts";
import type { Permit } from "../../stream/permit.ts";
import type { ExtraKey, NameRules } from "./access-rules.ts";
import { accessErrors } from "./errors.ts";
import { claimKey, endedRefusal, refusalError } from "./gate.ts";
import type { AccessGate, Refusal } from "./gate.ts";
import { plainAddress } from "../../base/plain-address.ts";
import { countedReply, permittedReply } from "./session-replies.ts";
import { Viewer } from "./viewer.ts";
import type { Wanted } from "./viewer.ts";

/**
 * It stands behind every address of a playlist, so it counts as it stands there: a sign may be nine bytes. Enough for a JWT with
 * a signature of RSA and what identity providers write into it.
 */
const MAX_TOKEN_BYTES = 2048;
/** Where no addresses carry it on. As long as the longest token that is read. */
const MAX_LONE_TOKEN_BYTES = 8192;
/** Viewers that a thread knows by themselves; one that was put out of memory is asked about anew. */
const MAX_VIEWERS = 50_000;
const MAX_QUERY_CHARACTERS = 4096;
/** Headers are cut for the same reason: a claim is data between threads. */
const MAX_HEADER_CHARACTERS = 1024;
/** What tells a viewer is kept as a hash where clients made it longer. */
const MAX_PLAIN_KEY = 256;

type Serve = (carriedQuery: string) => Promise<HttpReply> | HttpReply;
type Answer = Promise<HttpReply> | HttpReply;

/** Who asks: what makes a viewer of a request. */
type Asker = { readonly token: string; readonly userAgent: string; readonly extraKeys: string };

/** Whom a request is of, and by which rules. `key`: what tells them. */
type Who = { readonly rules: NameRules; readonly asker: Asker; readonly key: string };

/** What an HTTP gate is given. */
export type HttpGateOptions = {
  readonly gate: AccessGate;
  /** Name of the query's key that has the viewer's token. */
  readonly tokenKey: () => string;
};

/**
 * Who may play over HTTP. Requests of one viewer are one session: told by its token, and without one by address, user agent
 * and protocol. A viewer of a name with rules who brings no token is given one, which the addresses of playlists carry.
 *
 * Bounded: `MAX_VIEWERS`, the oldest is forgotten.
 */
export class HttpGate {
  readonly #gate: AccessGate;
  readonly #tokenKeyOf: () => string;
  #tokenKey: string;
  /** By what tells them; several keys may be of one viewer. A promise: it is being asked about. */
  readonly #viewers = new Map<string, Viewer | Promise<Viewer | Refusal>>();

  constructor({ gate, tokenKey }: HttpGateOptions) {
    this.#gate = gate;
    this.#tokenKeyOf = tokenKey;
    this.#tokenKey = tokenKey();
  }

  /** Viewers that are known, each by every key that it is found by. */
  get size(): number {
    return this.#viewers.size;
  }

  /** Another configuration is in force, and the gate knows it. */
  configure(): void {
    const isOtherKey = this.#tokenKey !== this.#tokenKeyOf();
    this.#tokenKey = this.#tokenKeyOf();
    for (const viewer of [...this.#viewers.values()]) {
      if (viewer instanceof Promise) continue;
      const { name, rules } = viewer.facts;
      if (isOtherKey || this.#gate.rules("play", name) !== rules) this.#forget(viewer);
    }
  }

  /**
   * Answers a request of which there will be more: `serve` makes the reply, whose addresses carry on a query. At once where
   * nobody has to be asked. Throws or rejects with ACCESS_*, and with what `serve` does.
   */
  play(request: HttpRequest, wanted: Wanted, serve: Serve): Answer {
    const token = this.#tokenOf(request, MAX_TOKEN_BYTES);
    if (token === null) return tokenTooLong(MAX_TOKEN_BYTES);
    const kept = request.memory?.kept;
    const isSame = (viewer: Viewer): boolean =>
      viewer.fits(wanted, shortText(token), () => shortText(agentOf(request)));
    if (kept instanceof Viewer && isSame(kept)) return this.#served(kept, request, token, serve);
    const rules = this.#gate.rules("play", wanted.name);
    if (!rules.isGuarded && wanted.isTold) return serve(this.#carried(token));
    const asker = { token, userAgent: agentOf(request), extraKeys: extraOf(request, rules.extraKeys) };
    const who = { rules, asker, key: viewerKey(request, wanted.name, wanted.proto, rules, asker) };
    const known = this.#find(request, wanted, who);
    if (known instanceof Viewer) return this.#keptFor(request, known, token, serve);
    if (known !== undefined) return this.#answered(known, request, wanted, token, serve);
    const refusal = this.#gate.refused(who.key);
    if (refusal !== null) return refusedReply({ kind: "play", name: wanted.name }, refusal);
    return rules.isGuarded
      ? this.#asked(request, wanted, who, serve)
      : this.#begun(request, wanted, who, serve);
  }

  /**
   * Answers a request that becomes a connection: a session of its own, which ends with it. Throws or rejects as `play` does.
   */
  connect(request: HttpRequest, wanted: Wanted, serve: Serve): Answer {
    const token = this.#tokenOf(request, MAX_LONE_TOKEN_BYTES);
    if (token === null) return tokenTooLong(MAX_LONE_TOKEN_BYTES);
    const rules = this.#gate.rules("play", wanted.name);
    const asker = {
      token: token === "" && rules.isGuarded ? newToken() : token,
      userAgent: agentOf(request),
      extraKeys: extraOf(request, rules.extraKeys),
    };
    const claimed = this.#claim(request, wanted, asker);
    const claim: SessionClaim = asker.token === token ? claimed : { ...claimed, isTokenMade: true };
    const serveWith = (permit: Permit): Answer =>
      permittedReply(permit, () => serve(this.#carried(asker.token)));
    if (!rules.isGuarded) return serveWith(this.#gate.openPermit(claim));
    const key = claimKey(token === "" ? withoutToken(claim) : claim);
    const refusal = this.#gate.refused(key);
    if (refusal !== null) return refusedReply(claim, refusal);
    return this.#gate.ask(claim, key, true).then((verdict) => {
      if (verdict.kind !== "allowed") return refusedReply(claim, verdict);
      return serveWith(this.#gate.allowedPermit(verdict.id));
    });
  }

  /** Leave to publish by a request's body. Throws or rejects with ACCESS_*. */
  publish(request: HttpRequest, name: string, proto: string): Permit | Promise<Permit> {
    const rules = this.#gate.rules("publish", name);
    const password = passwordOf(request);
    const asker = {
      token: this.#tokenOf(request, MAX_LONE_TOKEN_BYTES) ?? "",
      userAgent: agentOf(request),
      extraKeys: extraOf(request, rules.extraKeys),
    };
    const wanted = { name, proto, also: [], isTold: false, isDvr: false };
    const claim = this.#claim(request, wanted, asker, "publish");
    return this.#gate.permit(password === null ? claim : { ...claim, password });
  }

  /** A viewer that the request is of; what is known of whom it is of, where that is being found out; `undefined`: nothing. */
  #find(
    request: HttpRequest,
    wanted: Wanted,
    { rules, asker, key }: Who,
  ): Viewer | Promise<Viewer | Refusal> | undefined {
    const own = this.#viewers.get(key);
    if (own instanceof Viewer) return own;
    for (const proto of wanted.also) {
      const other = this.#viewers.get(viewerKey(request, wanted.name, proto, rules, asker));
      if (other instanceof Viewer) return other;
    }
    return own;
  }

  #keptFor(request: HttpRequest, viewer: Viewer, token: string, serve: Serve): Answer {
    if (request.memory !== undefined) request.memory.kept = viewer;
    return this.#served(viewer, request, token, serve);
  }

  #served(viewer: Viewer, request: HttpRequest, token: string, serve: Serve): Answer {
    const reply = serve(viewer.facts.carriedQuery ?? this.#carried(token));
    return reply instanceof Promise
      ? reply.then((late) => this.#counted(viewer, request, token, late))
      : this.#counted(viewer, request, token, reply);
  }

  #counted(viewer: Viewer, request: HttpRequest, token: string, reply: HttpReply): HttpReply {
    if (reply.status >= 400) return reply;
    const { session, facts } = viewer;
    if (session.isEnded) {
      reply.release?.();
      const { name } = facts;
      throw accessErrors.error("ACCESS_DENIED", { name, reason: "the session was ended meanwhile" });
    }
    const counted = countedReply(this.#gate.served, session, request, reply);
    // A cache would give the token in its addresses to all.
    return facts.isTokenMade && token === "" ? uncached(counted) : counted;
  }

  /** Nobody is asked: it is a session as soon as there was something to serve. */
  #begun(request: HttpRequest, wanted: Wanted, who: Who, serve: Serve): Answer {
    const { asker, key } = who;
    const carriedQuery = this.#carried(asker.token);
    const begin = (reply: HttpReply): HttpReply => {
      if (reply.status >= 400) return reply;
      const claim = this.#claim(request, wanted, asker);
      // Several of its requests may have been under way at once.
      const meanwhile = this.#viewers.get(key);
      if (meanwhile instanceof Viewer) return this.#counted(meanwhile, request, asker.token, reply);
      const id = this.#gate.beginViewer(claim, key);
      if (typeof id !== "string") {
        reply.release?.();
        return refusedReply(claim, id);
      }
      const facts = { carriedQuery, tokens: [asker.token], isTokenMade: false };
      const viewer = this.#keep(id, [key], { ...facts, ...who, wanted });
      if (request.memory !== undefined) request.memory.kept = viewer;
      return this.#counted(viewer, request, asker.token, reply);
    };
    const reply = serve(carriedQuery);
    return reply instanceof Promise ? reply.then(begin) : begin(reply);
  }

  /** The first of a viewer's requests asks; those that come meanwhile wait for the same answer. */
  #asked(request: HttpRequest, wanted: Wanted, who: Who, serve: Serve): Answer {
    const { rules, asker, key } = who;
    const isTokenMade = asker.token === "";
    // The same in all threads, so that a player whose every request is another connection is one session.
    const token = isTokenMade ? this.#gate.tokenOf(key) : asker.token;
    const claim = this.#claim(request, wanted, { ...asker, token });
    const byToken = viewerKey(request, wanted.name, wanted.proto, rules, { ...asker, token });
    const answer = this.#gate.ask(claim, key).then((verdict): Viewer | Refusal => {
      if (this.#viewers.get(key) === answer) this.#viewers.delete(key);
      if (verdict.kind !== "allowed") return verdict;
      const facts = { carriedQuery: this.#carried(token), isTokenMade };
      const tokens = isTokenMade ? [token, ""] : [token];
      const keys = isTokenMade ? [key, byToken] : [key];
      return this.#keep(verdict.id, keys, { ...facts, tokens, ...who, wanted });
    });
    this.#put(key, answer);
    return this.#answered(answer, request, wanted, asker.token, serve);
  }

  #answered(
    answer: Promise<Viewer | Refusal>,
    request: HttpRequest,
    wanted: Wanted,
    token: string,
    serve: Serve,
  ): Promise<HttpReply> {
    return answer.then((known) =>
      known instanceof Viewer
        ? this.#keptFor(request, known, token, serve)
        : refusedReply({ kind: "play", name: wanted.name }, known),
    );
  }

  #keep(
    id: string,
    keys: readonly string[],
    about: {
      readonly carriedQuery: string;
      readonly tokens: readonly string[];
      readonly isTokenMade: boolean;
      readonly rules: NameRules;
      readonly asker: Asker;
      readonly wanted: Wanted;
    },
  ): Viewer {
    const { carriedQuery, tokens, isTokenMade, rules, asker, wanted } = about;
    const { name, proto } = wanted;
    const facts = {
      ...{ name: ownText(name), proto, rules, isTokenMade },
      carriedQuery: carriedQuery.length <= MAX_PLAIN_KEY ? carriedQuery : null,
      tokens: tokens.map(shortText),
      userAgent: shortText(asker.userAgent),
    };
    const viewer = new Viewer(facts, keys, (ended, end) => this.#ended(ended, end));
    viewer.serveAs(this.#gate.served.use(id, viewer));
    for (const key of keys) this.#put(key, viewer);
    // Other rules came while it was asked about, or served: this request is, the next is asked about.
    if (this.#gate.rules("play", name) !== rules) this.#forget(viewer);
    return viewer;
  }

  #put(key: string, value: Viewer | Promise<Viewer | Refusal>): void {
    this.#viewers.set(key, value);
    if (this.#viewers.size <= MAX_VIEWERS) return;
    for (const [oldest, viewer] of this.#viewers) {
      if (this.#viewers.size <= MAX_VIEWERS) return;
      if (viewer instanceof Promise) this.#viewers.delete(oldest);
      else this.#forget(viewer);
    }
  }

  #forget(viewer: Viewer): void {
    viewer.isKnown = false;
    for (const key of viewer.keys) if (this.#viewers.get(key) === viewer) this.#viewers.delete(key);
    this.#gate.served.leave(viewer.session, viewer, "forgotten");
  }

  #ended(viewer: Viewer, end: SessionEnd): void {
    const { name, rules } = viewer.facts;
    const of = { kind: "play", name, rules } as const;
    for (const key of viewer.keys) this.#gate.refuse(key, endedRefusal(end), of);
    this.#forget(viewer);
  }

  #claim(
    request: HttpRequest,
    { name, proto, isDvr }: Wanted,
    { token, userAgent, extraKeys }: Asker,
    kind: SessionKind = "play",
  ): SessionClaim {
    const query = request.query.size === 0 ? "" : request.query.toString();
    const referer = request.header("referer") ?? request.header("origin");
    return {
      ...{ kind, name, proto, extraKeys, isDvr },
      ip: plainAddress(request.remoteAddress),
      isTls: request.isTls ?? false,
      ...(token === "" ? {} : { token }),
      ...(query === "" ? {} : { queryString: ownText(query, MAX_QUERY_CHARACTERS) }),
      ...(userAgent === "" ? {} : { userAgent }),
      ...(referer === undefined ? {} : { referer: ownText(referer, MAX_HEADER_CHARACTERS) }),
      ...(isOfHost(referer, request.header("host")) ? { isOwnPage: true } : {}),
    };
  }

  /** "" where there is none; `null` where it is too long. */
  #tokenOf({ query }: HttpRequest, maxBytes: number): string | null {
    const token = query.size === 0 ? null : query.get(this.#tokenKey);
    if (token === null || token === "") return "";
    const isShort = token.length * 9 <= maxBytes;
    return isShort || this.#encoded(token).length <= maxBytes ? token : null;
  }

  /** What the addresses in a reply carry on. */
  #carried(token: string): string {
    return token === "" ? "" : `?${this.#tokenKey}=${this.#encoded(token)}`;
  }

  /** A lone surrogate has no form in a URL. */
  #encoded(token: string): string {
    return encodeURIComponent(token.toWellFormed());
  }
}

/** What tells a viewer: a token does, and without one, or where nobody knows tokens, its user agent too. */
function viewerKey(
  { remoteAddress }: HttpRequest,
  name: string,
  proto: string,
  { isGuarded }: NameRules,
  { token, userAgent, extraKeys }: Asker,
): string {
  const agent = isGuarded && token !== "" ? "" : userAgent;
  // Lengths go before what clients choose: no text can take over the place of another.
  const chosen = `${token.length}:${token}${extraKeys.length}:${extraKeys}${agent}`;
  return `${shortText(name)}\n${proto}\n${remoteAddress}\n${shortText(chosen)}`;
}

/** What tells one long text from another. */
function shortText(text: string): string {
  return text.length <= MAX_PLAIN_KEY ? text : `${text.length} ${hash("sha256", text, "base64url")}`;
}

/** What a client calls itself. */
function agentOf(request: HttpRequest): string {
  const text = request.header("user-agent") ?? "";
  return text.length <= MAX_HEADER_CHARACTERS ? text : ownText(text, MAX_HEADER_CHARACTERS);
}

function extraOf(request: HttpRequest, keys: readonly ExtraKey[]): string {
  if (keys.length === 0) return "";
  const values = keys.map(({ kind, name }) =>
    kind === "header" ? request.header(name.toLowerCase()) : request.query.get(name),
  );
  if (values.every((value) => value === undefined || value === null)) return "";
  return values.map((value) => (value ?? "").slice(0, MAX_HEADER_CHARACTERS)).join("\n");
}

/** What a publisher says as its password: in the query, or as HTTP has it. Spec: RFC 7617 section 2. */
function passwordOf(request: HttpRequest): string | null {
  const asked = request.query.get("password") ?? request.query.get("pass");
  if (asked !== null) return asked;
  const [, basic] = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(request.header("authorization") ?? "") ?? [];
  if (basic === undefined) return null;
  const text = Buffer.from(basic, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

function refusedReply(claim: Pick<SessionClaim, "kind" | "name">, refusal: Refusal): HttpReply {
  if (refusal.kind !== "redirected" || !/^[\x21-\x7e]{1,2048}$/.test(refusal.location))
    throw refusalError(claim, refusal);
  return {
    status: 302,
    headers: [
      ["location", refusal.location],
      ["cache-control", "no-store"],
      ["access-control-allow-origin", "*"],
    ],
    body: [],
  };
}

function uncached(reply: HttpReply): HttpReply {
  const headers = reply.headers.filter(([name]) => name !== "cache-control");
  return { ...reply, headers: [...headers, ["cache-control", "private, no-store"]] };
}

function withoutToken({ token: _, ...claim }: SessionClaim): SessionClaim {
  return claim;
}

function newToken(): string {
  return randomBytes(16).toString("hex");
}

function tokenTooLong(maxBytes: number): HttpReply {
  return textReply(400, `the token is longer than ${maxBytes} bytes as a URL has it`);
}

/** Whether a page came from the host that is asked. */
function isOfHost(referer: string | undefined, host: string | undefined): boolean {
  const page = referer === undefined ? null : URL.parse(referer);
  return page !== null && host !== undefined && page.host === host.toLowerCase();
}
