/** A server that takes batches of events and fails half of the time, and what it has had. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { seededRandom } from "./seeded-random.ts";

/** An event as it was had. */
export type HadEvent = {
  readonly event: string;
  readonly event_id: number;
  readonly media: string;
  /** Absent: none of those that are counted. */
  readonly n?: number;
  readonly run?: number;
};

/** What became of a batch. */
type Fate = "taken" | "refused" | "lost-reply" | "cut-off";

/** Takes events. `had`: each number, in the order in which it first came; `mayComeTwice`: those whose reply was lost. */
export class FailingSink {
  readonly had = new Map<number, HadEvent>();
  readonly duplicates: number[] = [];
  readonly mayComeTwice = new Set<number>();
  readonly order: HadEvent[] = [];
  readonly batches = { taken: 0, refused: 0, lostReply: 0, cutOff: 0 };
  /** Half of the batches fail while this is set. */
  isFailing = true;
  readonly #random: () => number;
  /** A sender that is killed may not have read the answer. */
  #lastAnswered: readonly HadEvent[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return;
    }
    const fate = this.#fate();
    if (fate === "cut-off") {
      this.batches.cutOff++;
      request.socket.destroy();
      return;
    }
    if (fate === "refused") {
      this.batches.refused++;
      response.writeHead(503).end();
      return;
    }
    const events = JSON.parse(Buffer.concat(pieces).toString()) as HadEvent[];
    this.#take(events);
    if (fate === "lost-reply") {
      this.batches.lostReply++;
      for (const { event_id: id } of events) this.mayComeTwice.add(id);
      request.socket.destroy();
      return;
    }
    this.batches.taken++;
    this.#lastAnswered = events;
    response.writeHead(200).end();
  }

  /** The sender was killed: what was answered last may not have been read. */
  senderKilled(): void {
    for (const { event_id: id } of this.#lastAnswered) this.mayComeTwice.add(id);
  }

  #fate(): Fate {
    if (!this.isFailing || this.#random() < 0.5) return "taken";
    const kinds = ["refused", "lost-reply", "cut-off"] as const;
    return kinds[Math.floor(this.#random() * kinds.length)]!;
  }

  #take(events: readonly HadEvent[]): void {
    for (const event of events) {
      if (this.had.has(event.event_id)) {
        this.duplicates.push(event.event_id);
        continue;
      }
      this.had.set(event.event_id, event);
      this.order.push(event);
    }
  }
}

/** What is wrong with what a sink had. `stored`: greatest `n` of each stream that was said to be on disk. */
export function judgeEvents(sink: FailingSink, stored: ReadonlyMap<string, number>): string[] {
  const wrong: string[] = [];
  const seen = new Map<string, { lastId: number; ns: Set<number>; told: Set<string> }>();
  for (const { media, event_id: id, n, run } of sink.order) {
    if (n === undefined) continue;
    const stream = seen.get(media) ?? { lastId: 0, ns: new Set<number>(), told: new Set<string>() };
    seen.set(media, stream);
    if (id <= stream.lastId) wrong.push(`${media}: event ${id} came behind ${stream.lastId}`);
    // Who was killed did not say how far he came, and who comes after tells it anew: as another event.
    if (stream.told.has(`${run} ${n}`)) wrong.push(`${media}: number ${n} is there twice`);
    stream.told.add(`${run} ${n}`);
    stream.lastId = id;
    stream.ns.add(n);
  }
  for (const [media, last] of stored) {
    const ns = seen.get(media)?.ns ?? new Set();
    for (let n = 0; n <= last; n++) if (!ns.has(n)) wrong.push(`${media}: number ${n} never came`);
  }
  for (const id of sink.duplicates) {
    if (!sink.mayComeTwice.has(id)) wrong.push(`event ${id} came twice, and no reply was lost`);
  }
  return wrong;
}
