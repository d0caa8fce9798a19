import assert from "node:assert/strict";
import { MediaError } from "../../base/errors.ts";
import { trackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import { makeTrackSet } from "../../media/track.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { tsSource } from "../../../test/support/ts-packets.ts";
import { TsDemuxer } from "./demuxer.ts";
import { TsMuxer } from "./muxer.ts";

const OPUS_HEAD = Uint8Array.from([...Buffer.from("OpusHead"), 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Streams of every kind of audio framing, as short as they can be with tables, pictures and sound. */
function seedOf(audio: Track, payload: (i: number) => Uint8Array): Uint8Array {
  const video = videoTrack();
  const muxer = new TsMuxer({ audioDelayMs: 0 });
  muxer.setTracks(makeTrackSet(1, [video, audio]));
  for (const [i, packet] of tsSource({ durationMs: 60, video, audio, pictureBytes: 220 }).entries())
    muxer.write(packet.track === audio ? { ...packet, payload: payload(i) } : packet);
  return muxer.take();
}

const bytes = (hex: string, length: number): Uint8Array => {
  const out = new Uint8Array(length).fill(0x11);
  out.set(Buffer.from(hex, "hex"));
  return out;
};

/** Transport streams in two pieces; the first byte says where the cut is. */
export const fuzz = {
  name: "mpegts",
  seeds: [
    seedOf(audioTrack(), (i) => new Uint8Array(40).fill(i)),
    seedOf(audioTrack({ codec: "mp3", config: new Uint8Array(0) }), () => bytes("fffb1464", 96)),
    seedOf(audioTrack({ codec: "ac3", config: bytes("", 3) }), () => bytes("0b770000004043", 128)),
    seedOf(audioTrack({ codec: "eac3", config: bytes("", 5) }), () => bytes("0b77001f3486", 64)),
    seedOf(audioTrack({ codec: "opus", config: OPUS_HEAD, id: trackId("audio", 1) }), () =>
      bytes("fc", 30),
    ),
  ],
  dictionary: ["47", "47400010", "000001e0", "000001c0", "fff1", "0b77", "7fe0", "00b00d"].map((word) =>
    Uint8Array.from(Buffer.from(word, "hex")),
  ),
  run(input: Uint8Array): void {
    let known: readonly Track[] = [];
    let payloadBytes = 0;
    const sink = {
      setTracks(tracks: readonly Track[]): void {
        known = tracks;
      },
      write(packet: SourcePacket): void {
        assert.ok(known.includes(packet.track));
        assert.ok(Number.isSafeInteger(packet.dts) && Number.isSafeInteger(packet.pts));
        payloadBytes += packet.payload.byteLength;
      },
    };
    const demuxer = new TsDemuxer(sink);
    const cut = Math.min(input[0] ?? 0, input.byteLength);
    try {
      demuxer.push(input.subarray(0, cut));
      demuxer.push(input.subarray(cut));
      demuxer.end();
    } catch (caught) {
      if (!(caught instanceof MediaError)) throw caught;
    }
    // A start code of three bytes becomes a length of four.
    assert.ok(payloadBytes <= input.byteLength * 2);
    assert.equal(demuxer.stats.packets === 0, payloadBytes === 0);
  },
};
