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
  readonly packets: MediaPacket[] = [];
  readonly news: string[] = [];
  onTracks(tracks: TrackSet): void {
    this.news.push(`tracks ${tracks.epoch}`);
  }
  onPacket(packet: MediaPacket): void {
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
      const bytes = receiver.packets(cloned(batch));
      if (isTaking) sender.taken(bytes);
    },
    tracks: (link, tracks) => receiver.tracks(link, cloned(tracks)),
    pause: (link) => receiver.pause(link),
    end: (link, reason) => receiver.end(link, reason),
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

function sharedPayload(memory: SharedArrayBuffer, offset: number, ...bytes: number[]): Uint8Array {
  const view = new Uint8Array(memory, offset, bytes.length);
  view.set(bytes);
  return view;
}

describe("packets that cross to another thread", () => {
  test("arrive as they were, in the same memory", async () => {
    const { out, sink } = crossing();
    const memory = new SharedArrayBuffer(16);
    out.onTracks(makeTrackSet(3, [video]));
    out.onPacket(packetOf(0, sharedPayload(memory, 2, 5, 6, 7)));
    await turn();
    const [arrived] = sink.packets;
    assert.ok(arrived !== undefined);
    assert.deepEqual([...arrived.payload], [5, 6, 7]);
    assert.deepEqual(
      [arrived.dts, arrived.pts, arrived.durationTicks, arrived.isSync, arrived.startsGop, arrived.epoch],
      [0, 80, 40, true, true, 3],
    );
    assert.deepEqual(arrived.track, video);
    new Uint8Array(memory)[2] = 9;
    assert.equal(arrived.payload[0], 9);
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

  test("are copied once where their memory is not shared", async () => {
    const { out, sink } = crossing();
    out.onTracks(makeTrackSet(3, [video]));
    out.onPacket(packetOf(0, Uint8Array.of(1, 2)));
    await turn();
    assert.ok(sink.packets[0]!.payload.buffer instanceof SharedArrayBuffer);
    assert.deepEqual([...sink.packets[0]!.payload], [1, 2]);
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

  test("may lie in more slabs than are remembered, within one message and over many", async () => {
    const { out, sink } = crossing();
    out.onTracks(makeTrackSet(3, [video]));
    const memories = Array.from({ length: 30 }, () => new SharedArrayBuffer(1));
    for (let round = 0; round < 3; round++) {
      for (const [i, memory] of memories.entries()) out.onPacket(packetOf(i, sharedPayload(memory, 0, i)));
      await turn();
    }
    assert.deepEqual(
      sink.packets.map(({ payload }) => payload[0]),
      [...memories.keys(), ...memories.keys(), ...memories.keys()],
    );
  });

  test("are left out from the first that finds no room to the next GOP that does", async () => {
    const { out, sink, sender } = crossing(false);
    out.onTracks(makeTrackSet(3, [video]));
    const half = new Uint8Array(new SharedArrayBuffer(PacketSender.MAX_UNTAKEN_BYTES / 2));
    out.onPacket(packetOf(0, half));
    out.onPacket(packetOf(1, half, false));
    out.onPacket(packetOf(2, new Uint8Array(1), false));
    out.onPacket(packetOf(3, new Uint8Array(1), true));
    await turn();
    assert.deepEqual([sink.packets.length, sender.droppedPackets], [2, 2]);
    sender.taken(PacketSender.MAX_UNTAKEN_BYTES);
    out.onPacket(packetOf(4, new Uint8Array(1), false));
    out.onPacket(packetOf(5, new Uint8Array(1), true));
    await turn();
    assert.deepEqual([sink.packets.map(({ dts }) => dts / 40), sender.droppedPackets], [[0, 1, 5], 3]);
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
