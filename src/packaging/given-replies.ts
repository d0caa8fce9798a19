import type { HttpReply } from "../base/http-message.ts";

/**
 * Replies that were given of a snapshot, found by the very object that stands for what was asked: many ask for the same,
 * and comparing objects costs less than writing down a key. Kept as long as the snapshot.
 *
 * Bounded: `MAX_KEPT` for each snapshot, as a reply may hold the bytes of a part that nobody else keeps any more.
 */
export class GivenReplies<Snapshot extends object> {
  static readonly MAX_KEPT = 64;

  readonly #given = new WeakMap<Snapshot, Map<object, HttpReply>>();

  /** The reply that was given to that question, if any. */
  find(snapshot: Snapshot, asked: object): HttpReply | undefined {
    return this.#given.get(snapshot)?.get(asked);
  }

  /** Remembers a reply that is right for that question as long as the snapshot is. Returns: the reply. */
  keep(snapshot: Snapshot, asked: object, reply: HttpReply): HttpReply {
    let given = this.#given.get(snapshot);
    if (given === undefined) this.#given.set(snapshot, (given = new Map()));
    if (given.size >= GivenReplies.MAX_KEPT) given.clear();
    given.set(asked, reply);
    return reply;
  }
}
