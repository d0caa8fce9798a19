import type { SessionEnd, SessionProgress } from "../../auth/claim.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { SessionControl } from "./session-authority.ts";

/** How often it is said what sessions had. */
const REPORT_MS = 1000;
/** So many reports later connections on which nothing moves are told of, too: they are there. */
const QUIET_REPORTS = 10;

/** Who uses a session: its viewer's requests, or a connection. */
export type SessionUser = {
  /** It holds a connection, which the session lasts as long as. */
  readonly isConnection: boolean;
  /** The session was ended. */
  ended(end: SessionEnd): void;
};

/** A session as the thread that serves it has it. */
export class ServedSession {
  readonly id: string;
  readonly users = new Set<SessionUser>();
  /** Since the last report. */
  bytes = 0;
  /** Some of them were media. */
  hasMedia = false;
  isChanged = false;
  /** When its first media flowed, UTC; 0: none has. Units: microseconds. */
  mediaUs = 0;
  isMediaTold = false;
  /** Ended by the authority. */
  isEnded = false;
  /** Bodies on their way; `null`: none has been. */
  #endings: Set<() => void> | null = null;

  constructor(id: string) {
    this.id = id;
  }

  /** Calls `run` when the authority ends the session. Returns: takes that back. */
  onEnd(run: () => void): () => void {
    const endings = (this.#endings ??= new Set());
    endings.add(run);
    return () => void endings.delete(run);
  }

  /** The authority has ended it. */
  end(): void {
    this.isEnded = true;
    const endings = this.#endings ?? [];
    this.#endings = null;
    for (const run of endings) run();
  }
}

/** The sessions that a thread serves now, and what they had since it was last said. */
export class ServedSessions {
  readonly #clock: Clock;
  readonly #control: SessionControl;
  readonly #byId = new Map<string, ServedSession>();
  #changed: ServedSession[] = [];
  #timer: Timer | null = null;
  #reports = 0;

  constructor(clock: Clock, control: SessionControl) {
    this.#clock = clock;
    this.#control = control;
  }

  /** Sessions that have a user. */
  get size(): number {
    return this.#byId.size;
  }

  /** The session of that id, from here on with one more user. */
  use(id: string, user: SessionUser): ServedSession {
    let session = this.#byId.get(id);
    if (session === undefined) {
      session = new ServedSession(id);
      this.#byId.set(id, session);
    }
    session.users.add(user);
    this.#timer ??= this.#schedule();
    return session;
  }

  /** Something was sent or had in the name of a session, media or not. */
  count(session: ServedSession, bytes: number, isMedia = true): void {
    session.bytes += bytes;
    if (isMedia && bytes > 0) session.hasMedia = true;
    if (session.isChanged) return;
    session.isChanged = true;
    this.#changed.push(session);
  }

  /** Media flows in the name of a session; only when it first does is told. */
  media(session: ServedSession): void {
    if (session.mediaUs > 0) return;
    session.mediaUs = this.#clock.wallUs();
    this.count(session, 0);
  }

  /** A user needs a session no more. The authority counts connections; what only had requests ends by itself. */
  leave(session: ServedSession, user: SessionUser, reason: string): void {
    if (!session.users.delete(user) || session.isEnded) return;
    if (session.isChanged) this.#report();
    if (session.users.size === 0) this.#forget(session);
    if (user.isConnection) this.#control.closed({ id: session.id, reason, connections: 1 });
  }

  /** The authority has ended sessions; those that are not served here are not known. */
  end(ends: readonly SessionEnd[]): void {
    for (const end of ends) {
      const session = this.#byId.get(end.id);
      if (session === undefined) continue;
      session.end();
      this.#forget(session);
      for (const user of session.users) user.ended(end);
    }
  }

  /** Says at once what has not been said, and nothing more by itself. */
  close(): void {
    this.#report();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #forget(session: ServedSession): void {
    if (this.#byId.get(session.id) === session) this.#byId.delete(session.id);
    if (this.#byId.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #schedule(): Timer {
    return this.#clock.schedule(REPORT_MS, () => {
      if (++this.#reports % QUIET_REPORTS === 0) this.#noteConnections();
      this.#report();
      this.#timer = this.#byId.size === 0 ? null : this.#schedule();
    });
  }

  #noteConnections(): void {
    for (const session of this.#byId.values()) {
      for (const { isConnection } of session.users) {
        if (isConnection) this.count(session, 0);
        break;
      }
    }
  }

  #report(): void {
    if (this.#changed.length === 0) return;
    const seenUs = this.#clock.wallUs();
    const progress: SessionProgress[] = [];
    for (const session of this.#changed) {
      if (!session.isEnded) progress.push(progressOf(session, seenUs));
      session.bytes = 0;
      session.hasMedia = false;
      session.isChanged = false;
    }
    this.#changed = [];
    if (progress.length > 0) this.#control.report(progress);
  }
}

function progressOf(session: ServedSession, seenUs: number): SessionProgress {
  const { id, bytes, hasMedia, mediaUs, isMediaTold } = session;
  if (bytes > 0 && !hasMedia) return { id, bytes, hasNoMedia: true, seenUs };
  if (mediaUs === 0 || isMediaTold) return { id, bytes, seenUs };
  session.isMediaTold = true;
  return { id, bytes, seenUs, mediaUs };
}
