import { systemClock } from "../base/clock.ts";
import type { HttpBodySink, HttpReply, HttpRequest } from "../base/http-message.ts";
import { growingSegments } from "./growing-segments.ts";
import type { MediaFile } from "./media-path.ts";
import { CORS, notFound } from "./playlist-replies.ts";
import type { EdgePoint, EdgeSource, HoldEnd, LiveEdge, MediaBody, Presentation } from "./presentation.ts";

/** How long one who found no place to wait stays away. */
const NO_PLACE_MS = 100;

/**
 * The reply to a request for a segment that still grows, or is expected next: its parts in chunks, each as it comes.
 * `null`: the presentation has none of that name.
 */
export function growingReply(
  file: MediaFile,
  presentation: Presentation,
  request: HttpRequest,
): HttpReply | null {
  const source = presentation.edge;
  const edge = source?.now() ?? null;
  if (source === undefined || edge === null) return null;
  const growing = growingSegments(edge).find(({ name }) => name === file.name);
  if (growing === undefined) return null;
  if (!growing.tracks.tracks.some(({ id }) => file.selection.includes(id))) return null;
  const kind = file.selection.some((id) => id.startsWith("v")) ? "video" : "audio";
  const { sequence } = growing;
  return {
    status: 200,
    headers: [
      ["content-type", `${kind}/mp4`],
      // A cache in front may keep what came whole, and must not wait for the end before it gives the beginning.
      ["cache-control", "public, max-age=31536000, immutable"],
      ["x-accel-buffering", "no"],
      ...CORS,
    ],
    body: [],
    isChunked: true,
    stream: (sink) => {
      const body = new GrowingBody(source, { file, sequence, address: request.remoteAddress }, sink);
      void body.send();
      return body;
    },
  };
}

type Wanted = { readonly file: MediaFile; readonly sequence: number; readonly address: string };

/** Whether a part is there, may come, is none since the segment is complete, or never comes under this name. */
type Step = "there" | "wait" | "end" | "gone";

/** One segment on its way to one client, part by part. */
class GrowingBody {
  readonly #source: EdgeSource;
  readonly #wanted: Wanted;
  readonly #sink: HttpBodySink;
  #isClosed = false;
  #hasSent = false;
  /** What is waited for will never come. */
  #isOver = false;
  #stopWaiting: (() => void) | null = null;

  constructor(source: EdgeSource, wanted: Wanted, sink: HttpBodySink) {
    this.#source = source;
    this.#wanted = wanted;
    this.#sink = sink;
  }

  /** The client has left. */
  close(): void {
    this.#isClosed = true;
    this.#stopWaiting?.();
  }

  /** Sends all parts. Resolves when the last one is sent or the client has left; never rejects. */
  async send(): Promise<void> {
    const { file } = this.#wanted;
    try {
      for (let index = 0; !this.#isClosed;) {
        const step = stepOf(this.#source.now(), this.#wanted, index);
        if (step === "end") return this.#sink.end();
        if (step === "gone" || (step === "wait" && this.#isOver)) return this.#giveUp();
        if (step === "wait") {
          await this.#wait(index);
          continue;
        }
        const found = this.#source.part(file.name, index++, file.selection);
        this.#write(found instanceof Promise ? await found : found);
      }
    } catch {
      // The thread that has the stream has ended: what came is not the whole segment.
      this.#giveUp();
    }
  }

  /** Nobody, and no cache on the way, takes what was sent for the whole. */
  #giveUp(): void {
    if (this.#isClosed) return;
    if (this.#hasSent) this.#sink.abort();
    else this.#sink.end(notFound("segment"));
  }

  #write(body: MediaBody | null): void {
    if (body === null || this.#isClosed) return;
    this.#hasSent = true;
    for (const bytes of body) this.#sink.write(bytes);
  }

  /** Resolves when the part may have come, or the segment may be complete, or the client has left. */
  #wait(part: number): Promise<void> {
    const { sequence, address } = this.#wanted;
    return new Promise((resolve) => {
      const held: { cancel(): void }[] = [];
      const stop = (): void => {
        for (const hold of held) hold.cancel();
        this.#stopWaiting = null;
        resolve();
      };
      this.#stopWaiting = stop;
      for (const point of [
        { sequence, part },
        { sequence, part: null },
      ] satisfies EdgePoint[]) {
        const end = (how: HoldEnd): void => {
          this.#isOver = how === "over";
          stop();
        };
        const hold = this.#source.hold({ ...point, address, end });
        held.push(hold ?? systemClock.schedule(NO_PLACE_MS, stop));
      }
    });
  }
}

function stepOf(edge: LiveEdge | null, { file, sequence }: Wanted, index: number): Step {
  if (edge === null) return "gone";
  const { open, timeline } = edge;
  const newest = timeline.segments.at(-1)!;
  if (open !== null && open.sequence === sequence) {
    if (open.name !== file.name) return "gone";
    return index < open.parts.length ? "there" : "wait";
  }
  if (sequence > newest.sequence) return "wait";
  const done = timeline.segments.find((segment) => segment.sequence === sequence);
  if (done?.name !== file.name) return "gone";
  return index < (done.parts?.length ?? 0) ? "there" : "end";
}
