import type { SessionRow } from "../../api/metrics/figures.ts";
import type { StreamCrowd } from "../../api/sessions-view.ts";
import { isTold } from "../../auth/sessions/session-index.ts";
import type { Session } from "../../auth/sessions/session.ts";
import type { SessionChange } from "../../auth/sessions/table-options.ts";
import { dropOldest } from "../../base/oldest.ts";

/** Protocols by which sessions are counted; more would be somebody's invention. */
const MAX_KINDS = 100;

/** Streams of which it is known when somebody played them last. */
const MAX_STREAMS = 10_000;

type Count = { readonly kind: string; readonly proto: string; opened: number; closedBytes: number };

/** What there was of a stream's sessions that are over. */
type Past = { bytesOut: number; lastAccessAtMs: number };

/** Counts sessions as they come and go, for metrics and for the figures of streams: once a session, never once a request. */
export class SessionCounts {
  readonly denied: Record<string, number> = { play: 0, publish: 0 };
  readonly #kinds = new Map<string, Count>();
  readonly #past = new Map<string, Past>();

  /** Something became of a session. */
  changed(change: SessionChange): void {
    if (change.kind === "denied") {
      this.denied[change.claim.kind] = (this.denied[change.claim.kind] ?? 0) + 1;
      return;
    }
    const { session } = change;
    const count = this.#countOf(session);
    if (change.kind === "opened" && count !== null) count.opened++;
    if (change.kind !== "closed") return;
    if (count !== null) count.closedBytes += session.bytes;
    if (isPlay(session)) this.#keepPast(session);
  }

  /** By kind and protocol, with the sessions that are open now. */
  rows(open: Iterable<Session>): SessionRow[] {
    const rows = new Map(
      [...this.#kinds].map(([key, { kind, proto, opened, closedBytes }]) => [
        key,
        { kind, proto, count: 0, opened, bytes: closedBytes },
      ]),
    );
    for (const session of open) {
      const row = rows.get(keyOf(session));
      if (row === undefined) continue;
      row.count++;
      row.bytes += session.bytes;
    }
    return [...rows.values()];
  }

  /** By stream, with the sessions that are open now. */
  crowds(open: Iterable<Session>): ReadonlyMap<string, StreamCrowd> {
    const crowds = new Map<string, { clients: number; bytesOut: number; lastAccessAtMs: number }>();
    for (const [name, past] of this.#past) crowds.set(name, { clients: 0, ...past });
    for (const session of open) {
      if (!isPlay(session)) continue;
      const { name } = session.claim;
      const crowd = crowds.get(name) ?? { clients: 0, bytesOut: 0, lastAccessAtMs: 0 };
      crowd.clients++;
      crowd.bytesOut += session.bytes;
      crowd.lastAccessAtMs = Math.max(crowd.lastAccessAtMs, session.updatedAtMs);
      crowds.set(name, crowd);
    }
    return crowds;
  }

  #countOf(session: Session): Count | null {
    const key = keyOf(session);
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    if (this.#kinds.size >= MAX_KINDS) return null;
    const { kind, proto } = session.claim;
    const count = { kind, proto, opened: 0, closedBytes: 0 };
    this.#kinds.set(key, count);
    return count;
  }

  #keepPast({ claim, bytes, updatedAtMs }: Session): void {
    const past = this.#past.get(claim.name);
    this.#past.delete(claim.name);
    dropOldest(this.#past, MAX_STREAMS - 1);
    this.#past.set(claim.name, {
      bytesOut: (past?.bytesOut ?? 0) + bytes,
      lastAccessAtMs: Math.max(past?.lastAccessAtMs ?? 0, updatedAtMs),
    });
  }
}

function isPlay({ claim }: Session): boolean {
  return claim.kind === "play" && !isTold(claim);
}

function keyOf({ claim }: Session): string {
  return `${claim.kind} ${claim.proto}`;
}
