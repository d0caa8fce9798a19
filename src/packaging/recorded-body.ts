/** A recording as one body that is sent as it plays: the counterpart of `live-body.ts`. */
import type { Clock } from "../base/clock.ts";
import { asMediaError, messageOf } from "../base/errors.ts";
import { textReply } from "../base/http-message.ts";
import type { HttpBodySource, HttpReply } from "../base/http-message.ts";
import type { Logger } from "../base/log.ts";
import { ticksToUs } from "../base/time.ts";
import { CLOSE_CODE } from "../base/web-socket/errors.ts";
import type { TrackSet } from "../media/track.ts";
import { streamErrors } from "../stream/errors.ts";
import { PacedPackets } from "../stream/paced-packets.ts";
import type { PacketRun, RecordedPackets } from "../stream/recorded-packets.ts";
import type { WireFormat, WireFormatFactory } from "../stream/wire-format.ts";
import { packagingErrors } from "./errors.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { TrackSelection } from "./presentation.ts";

/** What is sent to one viewer. */
export type RecordedBodyParts = {
  /** Of the stream, for messages. */
  readonly name: string;
  readonly packets: RecordedPackets;
  /** Where it begins, and where the viewer's clock stands then: what is between comes at once. Units: microseconds. */
  readonly startUs: number;
  readonly playedUs: number;
  readonly format: WireFormatFactory;
  readonly clock: Clock;
  readonly log: Logger;
  /** A viewer has come, or is gone. */
  readonly onViewer: (change: 1 | -1) => void;
};

/** So much is sent ahead of the viewer's clock. */
const HEAD_START_US = 3_000_000;

/**
 * A reply that is a recording, no faster than it plays and than the viewer takes it: a body that ends with the recording.
 * Throws: STREAM_NOT_CARRIED, TRACKS_NOT_THERE.
 */
export function recordedBodyReply(contentType: string, parts: RecordedBodyParts): HttpReply {
  checkTracks(parts);
  return {
    status: 200,
    headers: [
      ["content-type", contentType],
      ["cache-control", "no-store"],
      ["access-control-allow-origin", "*"],
    ],
    body: [],
    stream: (body) =>
      new RecordedBody(parts, {
        write: (bytes) => body.write(bytes),
        queuedBytes: () => body.queuedBytes(),
        ended: () => body.end(),
        failed: (caught, hasBegun) => {
          if (hasBegun) body.abort();
          else body.end(failureReply(caught));
        },
      }),
  };
}

/** The same over a WebSocket, of a format whose bytes are whole frames. Throws as `recordedBodyReply`. */
export function recordedSocketReply(parts: RecordedBodyParts): HttpReply {
  checkTracks(parts);
  return {
    status: 101,
    headers: [],
    body: [],
    webSocket: (socket) =>
      new RecordedBody(parts, {
        write: (frames) => socket.write(frames),
        queuedBytes: () => socket.queuedBytes(),
        ended: () => socket.close(CLOSE_CODE.normal, "the recording has ended"),
        failed: (caught) => {
          const error = asMediaError(caught);
          const code = error === null ? CLOSE_CODE.internalError : CLOSE_CODE.tryAgainLater;
          socket.close(code, error?.message ?? "the server failed", failureReply(caught));
        },
      }),
  };
}

/** How bytes go to a viewer. */
type Way = {
  write(bytes: Uint8Array): void;
  queuedBytes(): number;
  ended(): void;
  failed(caught: unknown, hasBegun: boolean): void;
};

class RecordedBody implements HttpBodySource {
  readonly #parts: RecordedBodyParts;
  readonly #way: Way;
  readonly #format: WireFormat;
  readonly #paced: PacedPackets;
  #tracks: TrackSet | null = null;
  #isOver = false;

  constructor(parts: RecordedBodyParts, way: Way) {
    const { packets, clock, format, startUs, playedUs } = parts;
    this.#parts = parts;
    this.#way = way;
    this.#format = format.create(0);
    this.#paced = new PacedPackets(
      { packets, clock, bufferUs: HEAD_START_US, stopUs: Infinity, pauseStops: "sending" },
      {
        begin: (run) => this.#begin(run),
        packet: (packet, room) => this.#format.packet(packet, room),
        write: (bytes) => way.write(bytes),
        queuedBytes: () => way.queuedBytes(),
        ended: () => this.#end(),
        failed: (caught) => this.#fail(caught),
      },
    );
    parts.onViewer(1);
    this.#paced.jump(startUs, playedUs);
    this.#paced.pump();
  }

  drained(): void {
    this.#paced.pump();
  }

  close(): void {
    this.#over();
  }

  #begin({ tracks = this.#parts.packets.tracks, packets: [first] }: PacketRun): void {
    if (tracks === this.#tracks || first === undefined) return;
    const pieces: Uint8Array[] = [];
    if (this.#tracks === null && this.#format.preamble !== undefined)
      pieces.push(this.#format.preamble(tracks));
    this.#tracks = tracks;
    this.#format.begin?.(tracks);
    pieces.push(this.#format.tracks(tracks, ticksToUs(first.dts, first.track.timescale)));
    for (const bytes of pieces) if (bytes.byteLength > 0) this.#way.write(bytes);
  }

  #end(): void {
    this.#over();
    this.#way.ended();
  }

  #fail(caught: unknown): void {
    const { name, log } = this.#parts;
    log.warn("a recording cannot be played on", {
      name,
      error: messageOf(caught),
      code: asMediaError(caught)?.code,
    });
    this.#over();
    this.#way.failed(caught, this.#tracks !== null);
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#paced.close();
    this.#parts.onViewer(-1);
  }
}

function checkTracks({ name, packets, format }: RecordedBodyParts): void {
  const { tracks } = packets.tracks;
  const { choice } = format;
  if (choice !== undefined && !tracks.some(({ id }) => choice.has(id))) {
    throw packagingErrors.error("TRACKS_NOT_THERE", {
      asked: formatTrackSelection([...choice]),
      tracks: formatTrackSelection(tracks.map(({ id }) => id) satisfies TrackSelection),
    });
  }
  if (format.carries !== undefined && !tracks.some((track) => format.carries!(track)))
    throw streamErrors.error("STREAM_NOT_CARRIED", { name });
}

function failureReply(caught: unknown): HttpReply {
  const error = asMediaError(caught);
  return error === null
    ? textReply(500, "the server failed")
    : textReply(error.httpStatus, error.message, [["x-error-code", error.code]]);
}
