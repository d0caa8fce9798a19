import { messageOf } from "../../base/errors.ts";
import { ticksToUs, usToTicks } from "../../base/time.ts";
import {
  OPCODE,
  buildFrame,
  buildTextFrame,
  frameHeaderBytes,
  writeFrameHeader,
} from "../../base/web-socket/frame-writer.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import type { WireFormat, WireFormatFactory, WireRoom } from "../../stream/wire-format.ts";
import { FRAGMENT_HEADER_BYTES, writeFragmentHeader } from "./fragment.ts";
import { eventText, initText } from "./messages.ts";
import { isNothing, isSelected, resolveSelection, selectedTracks, selectionKey } from "./selection.ts";
import type { MseSelection } from "./selection.ts";

/** Until a track's bit rate is measured. Units: kbit/s. */
const UNKNOWN_KBPS = 1;
/** Says nothing, and may come unasked. Spec: RFC 6455 section 5.5.3. */
const SIGN_OF_LIFE = buildFrame(OPCODE.pong, new Uint8Array(0));
/** Over less media than this no bit rate is measured. */
const MIN_MEASURED_US = 200_000;

/**
 * A stream as messages of a WebSocket: a text with the init segments, then a fragment for each frame, all in the shape of
 * the MSE-LD socket. Whoever plays the same tracks is sent the same bytes. Decode times count from the stream's beginning.
 *
 * Spec: W3C Media Source Extensions, ISO BMFF byte stream format; RFC 6455 section 5.
 */
export function mseFormat(selection: MseSelection): WireFormatFactory {
  return {
    id: `mse-${selectionKey(selection)}`,
    create: (originUs) => new MseFormat(originUs, selection),
    resolve: (tracks) => mseFormat(resolveSelection(selection, tracks)),
  };
}

/** A recording as messages. */
export type MseFileFormat = WireFormat & {
  /** What is added to the times of packets for the UTC that is told of them; 0 at first. Units: microseconds. */
  utcOffsetUs: number;
};

/**
 * A recording in the same messages, for one player; decode times and UTC are those of its clock, which for a file counts from
 * its beginning, and its length is in the init message where it has one: `Infinity` for what goes on.
 */
export function mseFileFormat(selection: MseSelection, durationUs: number): MseFileFormat {
  return new MseFormat(0, selection, Number.isFinite(durationUs) ? durationUs : null);
}

const NOTHING = new Uint8Array(0);

/** For who watches nothing now, but wants to hear that the stream has ended. */
export const pausedFormat: WireFormatFactory = {
  id: "mse-paused",
  create: () => ({ tracks: () => NOTHING, packet: () => {} }),
};

class MseFormat implements MseFileFormat {
  utcOffsetUs = 0;
  readonly #originUs: number;
  readonly #selection: MseSelection;
  readonly #durationUs: number | null;
  readonly #clocks = new Map<string, TrackClock>();
  #sequence = 0;

  constructor(originUs: number, selection: MseSelection, durationUs: number | null = null) {
    this.#originUs = originUs;
    this.#selection = selection;
    this.#durationUs = durationUs;
  }

  tracks(tracks: TrackSet): Uint8Array {
    const selected = selectedTracks(tracks, this.#selection);
    return buildTextFrame(
      selected.length === 0
        ? eventText("stream_unavailable", nothingOf(tracks))
        : this.#initText(tracks, selected),
    );
  }

  packet(packet: MediaPacket, room: WireRoom): void {
    const { track, payload } = packet;
    let clock = this.#clocks.get(track.id);
    if (clock === undefined || clock.timescale !== track.timescale) {
      clock = new TrackClock(track, this.#originUs);
      this.#clocks.set(track.id, clock);
    }
    clock.note(packet);
    // Where nothing is sent, nobody who comes would be told that.
    if (packet.startsGop && isNothing(this.#selection)) {
      room.reserve(SIGN_OF_LIFE.byteLength).set(SIGN_OF_LIFE, room.offset);
    }
    if (!isSelected(track, this.#selection)) return;
    const messageBytes = FRAGMENT_HEADER_BYTES + payload.byteLength;
    const out = room.reserve(frameHeaderBytes(messageBytes) + messageBytes);
    const at = writeFrameHeader(out, room.offset, OPCODE.binary, messageBytes);
    this.#sequence = (this.#sequence + 1) >>> 0;
    writeFragmentHeader(out, at, {
      trackNumber: clock.number,
      sequence: this.#sequence,
      dts: clock.decodeTime(packet.dts),
      durationTicks: clock.durationTicks,
      ctsOffset: packet.pts - packet.dts,
      isSync: packet.isSync,
      sizeBytes: payload.byteLength,
      utcUs: ticksToUs(packet.dts, track.timescale) + this.utcOffsetUs,
    });
    out.set(payload, at + FRAGMENT_HEADER_BYTES);
  }

  /** A track that cannot be described is told to the viewers; the others of the stream go on. */
  #initText(tracks: TrackSet, selected: readonly Track[]): string {
    try {
      return initText(tracks, selected, {
        kbpsOf: ({ id }) => this.#clocks.get(id)?.kbps ?? UNKNOWN_KBPS,
        durationUs: this.#durationUs,
      });
    } catch (caught) {
      return eventText("stream_unavailable", messageOf(caught));
    }
  }
}

function nothingOf({ tracks }: TrackSet): string {
  return `the stream has none of the tracks that were asked for: it has ${tracks.map(({ id }) => id).join(", ")}`;
}

/** The times of one track, and what it weighs. */
class TrackClock {
  readonly number: number;
  readonly timescale: number;
  /** Of the frame noted last, as far as anybody knows before the next one is there. */
  durationTicks: number;
  readonly #originTicks: number;
  #lastDts: number | null = null;
  #firstDts = 0;
  #bytes = 0;
  #lastBytes = 0;

  constructor(track: Track, originUs: number) {
    this.number = track.kind === "text" ? 0 : trackNumber(track.id);
    this.timescale = track.timescale;
    this.#originTicks = usToTicks(originUs, track.timescale);
    this.durationTicks = usualDuration(track);
  }

  /** Ticks since the stream's beginning. */
  decodeTime(dts: number): number {
    return Math.max(0, dts - this.#originTicks);
  }

  /** Measured over all frames but the newest. Units: kbit/s; 1 at least. */
  get kbps(): number {
    const us = ticksToUs((this.#lastDts ?? 0) - this.#firstDts, this.timescale);
    if (us < MIN_MEASURED_US) return UNKNOWN_KBPS;
    return Math.max(UNKNOWN_KBPS, Math.round(((this.#bytes - this.#lastBytes) * 8000) / us));
  }

  /**
   * Takes note of the next frame. A frame without a duration of its own is taken to be as long as the one before: the next
   * one is not waited for.
   */
  note({ dts, durationTicks, payload }: MediaPacket): void {
    const stepTicks = this.#lastDts === null ? 0 : dts - this.#lastDts;
    if (this.#lastDts === null) this.#firstDts = dts;
    this.#lastDts = dts;
    this.#lastBytes = payload.byteLength;
    this.#bytes += payload.byteLength;
    if (durationTicks > 0) this.durationTicks = durationTicks;
    else if (stepTicks > 0 && stepTicks < this.timescale) this.durationTicks = stepTicks;
  }
}

/** Of a first frame that does not say. */
function usualDuration({ frameRate, timescale }: Track): number {
  return Math.max(1, Math.round(timescale / (frameRate > 0 ? frameRate : 25)));
}
