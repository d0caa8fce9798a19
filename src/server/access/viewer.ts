import type { SessionEnd } from "../../auth/claim.ts";
import type { NameRules } from "./access-rules.ts";
import type { ServedSession, SessionUser } from "./served-sessions.ts";

/** What is asked for over HTTP, in a word of the `protocols` directive. */
export type Wanted = {
  /** Of the stream, or of the file with its vod's prefix. */
  readonly name: string;
  readonly proto: string;
  /** Protocols whose sessions go for this request as well: they share its path, or it only tells of what they play. */
  readonly also: readonly string[];
  /** It only tells or shows something: on a name without rules it is no session. */
  readonly isTold: boolean;
  readonly isDvr: boolean;
};

/** What makes a viewer. */
export type ViewerFacts = {
  readonly name: string;
  readonly proto: string;
  readonly rules: NameRules;
  /** Of the URL's token, as addresses in replies have it; "" where they carry none; `null`: too long to be kept. */
  readonly carriedQuery: string | null;
  /** What the viewer's requests may have as their token, or what stands for a long one: "" for none. */
  readonly tokens: readonly string[];
  /** Told by it too where no token tells more; or what stands for a long one. */
  readonly userAgent: string;
  /** The token was made here: requests without one are this viewer's. */
  readonly isTokenMade: boolean;
};

/** One who plays by request after request: whose session they are. */
export class Viewer implements SessionUser {
  readonly isConnection = false;
  readonly facts: ViewerFacts;
  /** By what it is found. */
  readonly keys: readonly string[];
  /** `false`: to be asked anew, since it ended, was put out of memory, or its rules are others. */
  isKnown = true;
  readonly #onEnded: (viewer: Viewer, end: SessionEnd) => void;
  #session: ServedSession | null = null;

  constructor(
    facts: ViewerFacts,
    keys: readonly string[],
    onEnded: (viewer: Viewer, end: SessionEnd) => void,
  ) {
    this.facts = facts;
    this.keys = keys;
    this.#onEnded = onEnded;
  }

  /** In whose name it is served. */
  get session(): ServedSession {
    return this.#session!;
  }

  /** To be called once, before anybody sees the viewer. */
  serveAs(session: ServedSession): void {
    this.#session = session;
  }

  /** Whether a request for `wanted` of the same connection, with that token, is this viewer's. `userAgent` is asked if need be. */
  fits({ name, proto, also }: Wanted, token: string, userAgent: () => string): boolean {
    const { facts } = this;
    if (!this.isKnown || facts.name !== name || facts.rules.extraKeys.length > 0) return false;
    if (facts.proto !== proto && !also.includes(facts.proto)) return false;
    if (!facts.tokens.includes(token)) return false;
    const isToldByToken = facts.rules.isGuarded && token !== "";
    return isToldByToken || facts.userAgent === userAgent();
  }

  ended(end: SessionEnd): void {
    this.#onEnded(this, end);
  }
}
