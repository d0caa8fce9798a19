import { textReply } from "../base/http-message.ts";
import type { HttpBodySink, HttpReply, HttpRequest } from "../base/http-message.ts";
import { growingSegments } from "./growing-segments.ts";
import type { GrowingSegment } from "./growing-segments.ts";
import type { MediaFile } from "./media-path.ts";
import { CORS, notFound } from "./playlist-replies.ts";
import type { EdgePoint, EdgeSource, HoldEnd, LiveEdge, MediaBody, Presentation } from "./presentation.ts";

/** Of one body, so much may wait for a client: who takes less than comes holds old segments in memory. */
export const MAX_QUEUED_BYTES = 32 * 1024 * 1024;

type MaybeLater = Promise<HttpReply> | HttpReply;

/**
 * The reply to a request for a segment that still grows, or is expected next: its parts in chunks, each as it comes.
 * `null`: the presentation has none of that name. `whole`: the reply with the complete segment, for one who cannot take
 * chunks: without them, and without a length, a body that breaks off looks whole.
 *
 * Whoever waits is answered 503, or cut off where something was sent, when nothing has come for three target durations.
 */
export function growingReply(
  file: MediaFile,
  presentation: Presentation,
  request: HttpRequest,
  whole: () => MaybeLater,
): MaybeLater | null {
  const source = presentation.edge;
  const edge = source?.now() ?? null;
  if (source === undefined || edge === null) return null;
  const growing = growingSegments(edge).find(({ name }) => name === file.name) ?? awaited(edge, file);
  if (growing === null) return null;
  if (!growing.tracks.tracks.some(({ id }) => file.selection.includes(id))) return null;
  const { sequence } = growing;
  if (request.takesChunks === false && request.method !== "HEAD")
    return whenComplete(source, sequence, request).then((how) =>
      how === "late" || how === "full" ? unavailable(how) : whole(),
    );
  const kind = file.selection.some((id) => id.startsWith("v")) ? "video" : "audio";
  return {
    status: 200,
    headers: [
      ["content-type", `${kind}/mp4`],
      // A cache in front may keep what came whole.
      ["cache-control", "public, max-age=31536000, immutable"],
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

/**
 * While the stream waits for its publisher, the segment that was announced last: players go on asking for it, several
 * times a second where they are told at once that it is not there. Whether it comes, the publisher's return tells.
 */
function awaited(
  { timeline, open }: LiveEdge,
  { name }: MediaFile,
): Pick<GrowingSegment, "sequence" | "tracks"> | null {
  const newest = timeline.segments.at(-1)!;
  if (open !== null || Number(name) <= Number(newest.name)) return null;
  return { sequence: newest.sequence + 1, tracks: newest.tracks };
}

/** How a wait ended; `full`: there was no place to wait. */
type WaitEnd = HoldEnd | "full";

/** Resolves when a segment is complete or will not be, or never when the client leaves first. */
function whenComplete(source: EdgeSource, sequence: number, request: HttpRequest): Promise<WaitEnd> {
  const { promise, resolve } = Promise.withResolvers<WaitEnd>();
  const held = source.hold({ sequence, part: null, address: request.remoteAddress, end: resolve });
  if (held === null) resolve("full");
  else request.onLeave?.(() => held.cancel());
  return promise;
}

function unavailable(how: "late" | "full"): HttpReply {
  const reason =
    how === "late"
      ? "the stream has not gone on to this segment in three target durations: ask again"
      : "too many requests wait for this stream, from all addresses together or from yours: ask again";
  return textReply(503, reason, [["retry-after", "2"], ...CORS]);
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
  /** How the last wait ended. */
  #waited: WaitEnd = "reached";
  /** The edge as it was last seen: what is complete in it stays so, also when nobody tells of it any more. */
  #edge: LiveEdge | null = null;
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
        this.#edge = this.#source.now() ?? this.#edge;
        const step = stepOf(this.#edge, this.#wanted, index);
        if (step === "end") return this.#sink.end();
        if (step === "gone" || (step === "wait" && this.#waited !== "reached")) return this.#giveUp();
        if (step === "wait") {
          await this.#wait(index);
          continue;
        }
        const found = this.#source.part(file.name, index, file.selection);
        if (!this.#write(found instanceof Promise ? await found : found, index)) return this.#giveUp();
        index++;
      }
    } catch {
      // The thread that has the stream has ended: what came is not the whole segment.
      this.#giveUp();
    }
  }

  /** Nobody, and no cache on the way, takes what was sent for the whole. */
  #giveUp(): void {
    if (this.#isClosed) return;
    const how = this.#waited;
    if (this.#hasSent) this.#sink.abort();
    else this.#sink.end(how === "late" || how === "full" ? unavailable(how) : notFound("segment"));
  }

  /** Returns: whether the client has the part, or there is nothing of it that it should have. */
  #write(body: MediaBody | null, index: number): boolean {
    if (this.#isClosed) return true;
    if (body === null) return !hasTracks(this.#edge, this.#wanted, index);
    if (this.#sink.queuedBytes() > MAX_QUEUED_BYTES) return false;
    this.#hasSent = true;
    for (const bytes of body) this.#sink.write(bytes);
    return true;
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
        const end = (how: WaitEnd): void => {
          this.#waited = how;
          stop();
        };
        const hold = this.#source.hold({ ...point, address, end });
        if (hold === null) return end("full");
        held.push(hold);
      }
    });
  }
}

/** Whether a part that is listed has any of the tracks. */
function hasTracks(edge: LiveEdge | null, { file, sequence }: Wanted, index: number): boolean {
  const open = edge?.open?.sequence === sequence ? edge.open : null;
  const segment = open ?? edge?.timeline.segments.find((entry) => entry.sequence === sequence);
  const tracks = segment?.parts?.[index]?.tracks ?? [];
  return tracks.some(({ id }) => file.selection.includes(id));
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
