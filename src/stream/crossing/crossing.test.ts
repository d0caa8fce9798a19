import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { videoTrack } from "../../../test/support/media.ts";
import type { MediaPacket, PacketSink } from "../../media/packet.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { TrackSet } from "../../media/track.ts";
import { PacketReceiver } from "./packet-receiver.ts";
import { PacketSender } from "./packet-sender.ts";

const LINK = 7;
const video = videoTrack();

class Recorder implements PacketSink {
  readonly releasesSlabs = true;
  readonly packets: MediaPacket[] = [];
  readonly news: string[] = [];
  onTracks(tracks: TrackSet): void {
    this.news.push(`tracks ${tracks.epoch}`);
  }
  onPacket(packet: MediaPacket): void {
    packet.slab?.retain();
    this.packets.push(packet);
  }
  onPause(): void {
    this.news.push(`pause after ${this.packets.length}`);
  }
  onEnd(reason: string): void {
    this.news.push(`end: ${reason}`);
  }
}

/** A sender and a receiver with nothing but clones between them; `isTaking` false leaves packets untaken. */
function crossing(isTaking = true): {
  out: PacketSink;
  sink: Recorder;
  sender: PacketSender;
  receiver: PacketReceiver;
  batches: () => number;
} {
  const receiver = new PacketReceiver(new FakeClock());
  const sink = new Recorder();
  receiver.open(LINK, sink);
  let batches = 0;
  const sender: PacketSender = new PacketSender({
    packets: (batch) => {
      batches++;
      const longBytes = receiver.packets(cloned(batch));
      if (isTaking) sender.taken(batch.span, longBytes);
    },
    tracks: (link, tracks) => receiver.tracks(link, cloned(tracks)),
    pause: (link) => receiver.pause(link),
    end: (link, reason) => receiver.end(link, reason),
    forgetRing: () => receiver.forgetRing(),
    defer: (run) => void setImmediate(run),
  });
  return { out: sender.open(LINK), sink, sender, receiver, batches: () => batches };
}

/** A structured clone shares shared memory, as posting it does. */
function cloned<T>(value: T): T {
  return structuredClone(value);
}

function packetOf(index: number, payload: Uint8Array, startsGop = index === 0): MediaPacket {
  const dts = index * 40;
  return {
    track: video,
    dts,
    pts: dts + 80,
    durationTicks: 40,
    isSync: startsGop,
    startsGop,
    epoch: 3,
    arrivalUs: 0,
    payload,
  };
}

describe("packets that cross to another thread", () => {
  test("arrive as they were", async () => {
    const { out, sink } = crossing();
    out.onTracks(makeTrackSet(3, [video]));
    out.onPacket(packetOf(0, Uint8Array.of(5, 6, 7)));
    await turn();
    const [arrived] = sink.packets;
    assert.ok(arrived !== undefined);
    assert.deepEqual([...arrived.payload], [5, 6, 7]);
    const { dts, pts, durationTicks, isSync, startsGop, epoch, track } = arrived;
    assert.deepEqual([dts, pts, durationTicks, isSync, startsGop, epoch], [0, 80, 40, true, true, 3]);
    assert.deepEqual(track, video);
  });

  test("have memory of their own where they arrive, so that the ring is used again", async () => {
    const { out, sink } = crossing();
    out.onTracks(makeTrackSet(3, [video]));
    const rounds = 40;
    for (let i = 0; i < rounds; i++) {
      out.onPacket(packetOf(i, new Uint8Array(PacketSender.MAX_RING_PAYLOAD_BYTES - (i % 9)).fill(i)));
      await turn();
    }
    assert.equal(sink.packets.length, rounds);
    for (const [i, { payload }] of sink.packets.entries())
      assert.deepEqual([payload[0], payload.at(-1)], [i, i]);
  });

  test("may be longer than the ring takes", async () => {
    const { out, sink } = crossing();
    out.onTracks(makeTrackSet(3, [video]));
    const long = new Uint8Array(PacketSender.RING_BYTES * 2).fill(7);
    out.onPacket(packetOf(0, long));
    out.onPacket(packetOf(1, Uint8Array.of(1), false));
    out.onPacket(packetOf(2, long, false));
    await turn();
    assert.deepEqual(
      sink.packets.map(({ payload }) => payload.byteLength),
      [long.byteLength, 1, long.byteLength],
    );
    assert.equal(sink.packets[2]!.payload.at(-1), 7);
  });

  test("have as their track the object that the tracks came with", async () => {
    const { out, sink } = crossing();
    let announced: TrackSet | null = null;
    sink.onTracks = (tracks) => (announced = tracks);
    out.onTracks(makeTrackSet(3, [video]));
    out.onPacket(packetOf(0, new Uint8Array(1)));
    await turn();
    assert.ok(announced !== null);
    assert.equal(sink.packets[0]!.track, (announced as TrackSet).reference);
  });

  test("go as one message for each turn of the event loop, and before the news that follows them", async () => {
    const { out, sink, batches } = crossing();
    out.onTracks(makeTrackSet(3, [video]));
    for (let i = 0; i < 50; i++) out.onPacket(packetOf(i, new Uint8Array(4)));
    await turn();
    assert.deepEqual([sink.packets.length, batches()], [50, 1]);
    out.onPacket(packetOf(50, new Uint8Array(4)));
    out.onPause();
    out.onEnd("over");
    assert.deepEqual(sink.news, ["tracks 3", "pause after 51", "end: over"]);
  });

  for (const [kind, size, fitting] of [
    [
      "short",
      PacketSender.MAX_RING_PAYLOAD_BYTES,
      PacketSender.RING_BYTES / PacketSender.MAX_RING_PAYLOAD_BYTES,
    ],
    ["long", PacketSender.MAX_LONG_BYTES / 4, 4],
  ] as const) {
    test(`that are ${kind} are left out from the first that finds no room to the next GOP that does`, async () => {
      const { out, sink, sender } = crossing(false);
      out.onTracks(makeTrackSet(3, [video]));
      const payload = new Uint8Array(size);
      for (let i = 0; i < fitting; i++) out.onPacket(packetOf(i, payload, i === 0));
      out.onPacket(packetOf(90, payload, false));
      out.onPacket(packetOf(91, new Uint8Array(1), false));
      out.onPacket(packetOf(92, payload, true));
      await turn();
      assert.deepEqual([sink.packets.length, sender.droppedPackets], [fitting, 3]);
      if (kind === "short") sender.taken(PacketSender.RING_BYTES, 0);
      else sender.taken(0, PacketSender.MAX_LONG_BYTES);
      out.onPacket(packetOf(93, payload, false));
      out.onPacket(packetOf(94, payload, true));
      await turn();
      assert.deepEqual(
        [sink.packets.at(-1)!.dts / 40, sink.packets.length, sender.droppedPackets],
        [94, fitting + 1, 4],
      );
    });
  }

  test("leave no shared memory behind when the last link is closed and all is taken", async () => {
    const { out, sender, sink } = crossing(false);
    out.onTracks(makeTrackSet(3, [video]));
    out.onPacket(packetOf(0, new Uint8Array(8)));
    await turn();
    sender.close(LINK);
    assert.equal(sender.heldBytes, PacketSender.RING_BYTES);
    sender.taken(8, 0);
    assert.equal(sender.heldBytes, 0);
    const again = sender.open(LINK);
    again.onTracks(makeTrackSet(3, [video]));
    again.onPacket(packetOf(1, Uint8Array.of(9)));
    await turn();
    assert.deepEqual([sink.packets.length, sink.packets.at(-1)!.payload[0]], [2, 9]);
  });

  test("reach nobody once the link is closed", async () => {
    const { out, sink, receiver } = crossing();
    out.onTracks(makeTrackSet(3, [video]));
    receiver.close(LINK);
    out.onPacket(packetOf(0, new Uint8Array(4)));
    out.onEnd("over");
    await turn();
    assert.deepEqual([sink.packets.length, sink.news, receiver.size], [0, ["tracks 3"], 0]);
  });
});
