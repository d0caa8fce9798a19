import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaPacket, trackSet, videoTrack } from "../../../test/support/media.ts";
import { packetBytes } from "../../../test/support/wire-room.ts";
import { trackId } from "../../media/ids.ts";
import { flvFormat } from "./from-stream.ts";
import { flvMessages } from "./messages.ts";

/** The payload of one binary message; the whole input must be it. */
function unframed(frame: Uint8Array): Uint8Array {
  assert.equal(frame[0], 0x82);
  const short = frame[1]!;
  const length = short < 126 ? short : (frame[2]! << 8) | frame[3]!;
  const payload = frame.subarray(short < 126 ? 2 : 4);
  assert.equal(payload.byteLength, length);
  return payload;
}

test("each message is what the file has at that place", () => {
  const file = flvFormat.create(0);
  const messages = flvMessages(flvFormat).create(0);
  const tracks = trackSet();
  assert.deepEqual(unframed(messages.preamble!(tracks)), file.preamble!(tracks));
  assert.deepEqual(unframed(messages.tracks(tracks, 5_000_000)), file.tracks(tracks, 5_000_000));
  for (const payload of [Uint8Array.of(1, 2), new Uint8Array(3000).fill(5)]) {
    const packet = mediaPacket({ dts: 9000, payload });
    assert.deepEqual(unframed(packetBytes(messages, packet)!), packetBytes(file, packet));
  }
});

test("what the file does not carry is no message", () => {
  const track = videoTrack({ id: trackId("video", 2) });
  assert.equal(packetBytes(flvMessages(flvFormat).create(0), mediaPacket({ track })), null);
});
