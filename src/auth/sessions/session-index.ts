import { TOLD_PROTOCOLS } from "../claim.ts";
import type { CountedClaim, Session, SessionType } from "./session.ts";

/** All sessions, and those of one stream and one user in the order in which they came. */
export class SessionIndex {
  readonly #byId = new Map<string, Session>();
  readonly #byIdentity = new Map<string, Session>();
  readonly #byStream = new Map<string, Set<Session>>();
  readonly #byUser = new Map<string, Set<Session>>();
  #plays = 0;

  get size(): number {
    return this.#byId.size;
  }

  /** Sessions that play. */
  get plays(): number {
    return this.#plays;
  }

  /** Names and users that have sessions, for what has to end empty. */
  get groups(): number {
    return this.#byStream.size + this.#byUser.size;
  }

  all(): IterableIterator<Session> {
    return this.#byId.values();
  }

  byId(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  byIdentity(identity: string): Session | undefined {
    return this.#byIdentity.get(identity);
  }

  ofStream(type: SessionType, name: string): ReadonlySet<Session> {
    return this.#byStream.get(`${type} ${name}`) ?? NONE;
  }

  /** The sessions of a session's user that count for its limit, the oldest first. */
  ofSameUser(session: Session): ReadonlySet<Session> {
    return session.userKey === undefined ? NONE : (this.#byUser.get(session.userKey) ?? NONE);
  }

  add(session: Session): void {
    this.#byId.set(session.id, session);
    this.#byIdentity.set(session.identity, session);
    addTo(this.#byStream, streamKey(session), session);
    if (isPlay(session)) this.#plays++;
    this.sortUser(session);
  }

  remove(session: Session): void {
    this.#byId.delete(session.id);
    this.#byIdentity.delete(session.identity);
    removeFrom(this.#byStream, streamKey(session), session);
    if (isPlay(session)) this.#plays--;
    if (session.userKey !== undefined) removeFrom(this.#byUser, session.userKey, session);
  }

  /** Puts a session to its user, which may have become another one with what a server said. */
  sortUser(session: Session): void {
    const key = userKeyOf(session);
    const group = key === undefined ? undefined : this.#byUser.get(key);
    if (key === session.userKey && (key === undefined || group?.has(session) === true)) return;
    if (session.userKey !== undefined) removeFrom(this.#byUser, session.userKey, session);
    session.userKey = key;
    if (key !== undefined) addTo(this.#byUser, key, session);
  }
}

/** How many sessions the user of this one may have: as who was asked says (0: any number), else as the rules say; absent: any number. */
export function maxSessionsOf({ allowance, rules }: Session): number | undefined {
  return allowance.maxSessions === 0 ? undefined : (allowance.maxSessions ?? rules.maxSessions);
}

/** A user is known by what a server calls them, else by the token; without both nobody can be told apart. */
function userKeyOf(session: Session): string | undefined {
  if (maxSessionsOf(session) === undefined || isTold(session.claim)) return undefined;
  const { kind, token } = session.claim;
  const { userId } = session.allowance;
  if (userId !== undefined) return `${kind} user ${userId}`;
  return token === undefined ? undefined : `${kind} token ${token}`;
}

const NONE: ReadonlySet<Session> = new Set();

/** What a player page asks for beside its media is no session more, where sessions are counted. */
export function isTold({ proto }: Pick<CountedClaim, "proto">): boolean {
  return TOLD_PROTOCOLS.includes(proto);
}

function isPlay({ claim }: Session): boolean {
  return claim.kind === "play" && !isTold(claim);
}

function streamKey({ claim }: Session): string {
  return `${isTold(claim) ? "told" : claim.kind} ${claim.name}`;
}

function addTo(groups: Map<string, Set<Session>>, key: string, session: Session): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, new Set([session]));
  else group.add(session);
}

function removeFrom(groups: Map<string, Set<Session>>, key: string, session: Session): void {
  const group = groups.get(key);
  group?.delete(session);
  if (group?.size === 0) groups.delete(key);
}
