import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { audioTrack, mediaPacket, videoTrack } from "../../../test/support/media.ts";
import { SilenceJudge } from "../../../test/support/silence-judge.ts";
import { trackId } from "../../media/ids.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { Track } from "../../media/track.ts";
import { SilenceFiller } from "./silence-filler.ts";

/** Sets that a publisher may come with, some without video, some with sound of which there is no silence. */
const video = videoTrack();
const second = trackId("audio", 2);
const SETS: readonly (readonly Track[])[] = [
  [video, audioTrack()],
  [video],
  [video, audioTrack({ timescale: 90_000 }), audioTrack({ id: second })],
  [audioTrack()],
  [video, audioTrack({ codec: "ac3" })],
  [audioTrack({ codec: "mp3", config: new Uint8Array(), codecString: "mp4a.40.34" }), video],
  [video, audioTrack({ id: second, timescale: 1000 })],
];

/** What may be filled at once and what may follow in one step, of two tracks of 47 frames a second. */
const MAX_FRAMES = 2 * (15 + 2) * 47 + 4;
/** The payload of all that is sent. */
const SOUND = Uint8Array.of(0xee);
const START_US = 1_767_225_600_000_000;

/** A sender that two bytes at a time tell what to do. */
class Sender {
  readonly judge: SilenceJudge;
  readonly #filler: SilenceFiller;
  #tracks = SETS[0]!;
  #epoch = 0;
  #us = START_US;
  /** Behind the last packet of each id: a stream's timeline rises. */
  readonly #lastUs = new Map<string, number>();

  constructor() {
    this.judge = new SilenceJudge(({ payload }) => payload !== SOUND);
    this.#filler = new SilenceFiller(this.judge);
    this.#begin(0);
  }

  act(what: number, much: number): void {
    const kind = what % 8;
    if (kind === 0) this.#picture(much);
    else if (kind === 1) this.#sound(what >> 3, much * 1000);
    else if (kind === 2) this.#sound(what >> 3, much * 60_000);
    else if (kind === 3) for (let n = 0; n < much % 64; n++) this.#picture(40);
    else if (kind === 4) this.#us += much * 20_000;
    else if (kind === 5 && what > 200) this.#us += much * 3_600_000_000;
    else if (kind === 6) this.#begin(much);
    else if (kind === 7 && what > 128) this.#filler.onPause();
    assert.ok(this.judge.taken() <= MAX_FRAMES * (kind === 3 ? 64 : 1));
  }

  #begin(which: number): void {
    this.#tracks = SETS[which % SETS.length]!;
    this.#filler.onTracks(makeTrackSet(++this.#epoch, this.#tracks));
    this.judge.taken();
  }

  #picture(stepMs: number): void {
    const before = this.judge.packets.length;
    this.#us += stepMs * 1000;
    this.#send(video, this.#us, stepMs % 5 !== 3);
    const sent = this.judge.packets.length - before;
    assert.ok(sent <= MAX_FRAMES, `${sent} packets for one picture`);
  }

  #sound(which: number, lateUs: number): void {
    const sounds = this.#tracks.filter(({ kind }) => kind === "audio");
    const track = sounds[which % Math.max(1, sounds.length)];
    if (track !== undefined) this.#send(track, this.#us - lateUs, true);
  }

  #send(track: Track, wantedUs: number, isSync: boolean): void {
    if (!this.#tracks.includes(track)) return;
    const us = Math.max(wantedUs, (this.#lastUs.get(track.id) ?? 0) + 2000);
    this.#lastUs.set(track.id, us);
    const dts = Math.floor((us / 1e6) * track.timescale);
    const startsGop = isSync && track === this.#tracks.find(({ kind }) => kind === "video");
    const [epoch, payload] = [this.#epoch, SOUND];
    this.#filler.onPacket(mediaPacket({ track, dts, isSync, startsGop, epoch, payload }));
  }
}

/** The stage in front of a segmenter, fed with packets of any times, late, early, out of order and not at all. */
export const fuzz: FuzzTarget = {
  name: "silence-filler",
  seeds: [
    Uint8Array.of(3, 50, 1, 20, 3, 63, 3, 63, 1, 10, 3, 25, 6, 1, 3, 63, 6, 0, 1, 0, 3, 63),
    Uint8Array.of(6, 2, 0, 40, 9, 0, 3, 60, 205, 200, 0, 40, 3, 60, 255, 0, 6, 3, 1, 0, 6, 5, 3, 60),
    Uint8Array.of(6, 6, 3, 60, 6, 1, 3, 60, 6, 4, 3, 60, 4, 150, 0, 40, 0, 255, 0, 255, 10, 100, 3, 60),
  ],
  run(input) {
    const sender = new Sender();
    for (let at = 0; at + 1 < input.byteLength && at < 400; at += 2) sender.act(input[at]!, input[at + 1]!);
  },
};
