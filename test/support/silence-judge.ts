/** What may come out of a stage that fills missing sound, whatever went in. */
import assert from "node:assert/strict";
import { ticksToUs } from "../../src/base/time.ts";
import { silentFrameOf } from "../../src/codecs/silence.ts";
import type { TrackId } from "../../src/media/ids.ts";
import type { MediaPacket, PacketSink } from "../../src/media/packet.ts";
import type { TrackSet } from "../../src/media/track.ts";

/** Microseconds that may be lost to rounding where tracks of different timescales meet. */
const ROUNDING_US = 25;

/**
 * Keeps what it is given, and asserts of every packet that it is of the set in force, that its track's times rise, and that
 * silence overlaps nothing. What counts as silence is told by `isSilence`.
 */
export class SilenceJudge implements PacketSink {
  readonly sets: TrackSet[] = [];
  readonly packets: MediaPacket[] = [];
  pauses = 0;
  ends = 0;
  /** Packets since the last call of `taken`. */
  #fresh = 0;
  readonly #isSilence: (packet: MediaPacket) => boolean;
  readonly #ends = new Map<
    TrackId,
    { readonly us: number; readonly startUs: number; readonly silent: boolean }
  >();

  constructor(isSilence: (packet: MediaPacket) => boolean) {
    this.#isSilence = isSilence;
  }

  onTracks(tracks: TrackSet): void {
    this.sets.push(tracks);
    // Of what has no silence nothing is promised, and nothing is known after it.
    for (const track of tracks.tracks) if (silentFrameOf(track) === null) this.#ends.delete(track.id);
  }

  onPacket(packet: MediaPacket): void {
    const { track, dts, durationTicks, epoch } = packet;
    const set = this.sets.at(-1)!;
    assert.equal(epoch, set.epoch);
    assert.ok(set.tracks.includes(track), `${track.id} is not in the set`);
    const us = ticksToUs(dts, track.timescale);
    const before = this.#ends.get(track.id);
    const silent = this.#isSilence(packet);
    if (before !== undefined) {
      assert.ok(us > before.startUs, `${track.id} goes back from ${before.startUs} to ${us}`);
      if (silent || before.silent)
        assert.ok(us >= before.us - ROUNDING_US, `${track.id} at ${us} begins before ${before.us}`);
    }
    this.#ends.set(track.id, { us: ticksToUs(dts + durationTicks, track.timescale), startUs: us, silent });
    this.packets.push(packet);
    this.#fresh++;
  }

  onPause(): void {
    this.pauses++;
  }

  onEnd(): void {
    this.ends++;
  }

  /** Packets that have come since it was last asked. */
  taken(): number {
    const fresh = this.#fresh;
    this.#fresh = 0;
    return fresh;
  }
}
