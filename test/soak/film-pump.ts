/** Sends the film to the server for all publishers, in real time, from one timer. */
import type { Film } from "./film.ts";
import type { RtmpPeer } from "./rtmp-peer.ts";

const TICK_MS = 40;
/** A publisher that could not send for so long goes on with what is due then, as a camera does. */
const MAX_LATE_MS = 2000;

/** Plays one film to any number of publishers. */
export class FilmPump {
  readonly #film: Film;
  readonly #sendings = new Set<Sending>();
  readonly #timer: NodeJS.Timeout;

  constructor(film: Film) {
    this.#film = film;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Sends the film from its beginning, until the returned function is called. */
  play(peer: RtmpPeer): () => void {
    const sending = new Sending(this.#film, peer, performance.now());
    this.#sendings.add(sending);
    return () => {
      this.#sendings.delete(sending);
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#sendings.clear();
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const sending of this.#sendings) sending.advance(nowMs);
  }
}

/** One publisher's place in the film. */
class Sending {
  readonly #film: Film;
  readonly #peer: RtmpPeer;
  #startMs: number;
  #round = 0;
  #next = 0;

  constructor(film: Film, peer: RtmpPeer, startMs: number) {
    this.#film = film;
    this.#peer = peer;
    this.#startMs = startMs;
    for (const config of film.configs) peer.send(config, 0);
  }

  advance(nowMs: number): void {
    const { socket } = this.#peer.wire;
    if (socket.writableNeedDrain) return;
    socket.cork();
    for (let due = this.#dueMs(); this.#startMs + due <= nowMs; due = this.#dueMs()) {
      if (this.#startMs + due < nowMs - MAX_LATE_MS) this.#startMs = nowMs - due;
      this.#peer.send(this.#film.messages[this.#next]!, due);
      this.#next++;
      if (this.#next < this.#film.messages.length) continue;
      this.#next = 0;
      this.#round++;
    }
    socket.uncork();
  }

  /** When the next message is due, in the time of the publication. */
  #dueMs(): number {
    return this.#round * this.#film.durationMs + this.#film.messages[this.#next]!.timeMs;
  }
}
