import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakePublisher } from "../../../test/support/fake-directory.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { audioTrack, livePackets, mediaPacket, trackSet, videoTrack } from "../../../test/support/media.ts";
import { packetBytes } from "../../../test/support/wire-room.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { HttpBodySink } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { TsDemuxer } from "../../containers/mpegts/demuxer.ts";
import type { StreamName } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Publisher } from "../../stream/directory.ts";
import { LocalDirectory } from "../../stream/local-directory.ts";
import { tsFormat } from "./from-stream.ts";
import { tsReply } from "./reply.ts";

const PACKET_BYTES = 188;
const video = videoTrack();
const audio = audioTrack();

class Body implements HttpBodySink {
  readonly chunks: Uint8Array[] = [];
  ends = 0;
  write(bytes: Uint8Array): void {
    this.chunks.push(bytes);
  }
  queuedBytes(): number {
    return 0;
  }
  end(): void {
    this.ends++;
  }
  abort(): void {
    this.ends++;
  }
  get packets(): Uint8Array[] {
    const bytes = concatBytes(this.chunks);
    assert.equal(bytes.byteLength % PACKET_BYTES, 0, "whole TS packets");
    return Array.from({ length: bytes.byteLength / PACKET_BYTES }, (_, i) =>
      bytes.subarray(i * PACKET_BYTES, (i + 1) * PACKET_BYTES),
    );
  }
}

const pidOf = (packet: Uint8Array): number => ((packet[1]! & 0x1f) << 8) | packet[2]!;

/** Places where a PID's counter is not the next one. Spec: ISO/IEC 13818-1 section 2.4.3.3. */
function continuityErrors(packets: readonly Uint8Array[]): string[] {
  const counters = new Map<number, number>();
  return packets.flatMap((packet, i) => {
    const hasPayload = (packet[3]! & 0x10) !== 0;
    const [pid, counter] = [pidOf(packet), packet[3]! & 15];
    const last = counters.get(pid);
    counters.set(pid, counter);
    const want = last === undefined ? counter : hasPayload ? (last + 1) & 15 : last;
    return counter === want ? [] : [`packet ${i} of PID ${pid}: ${last} then ${counter}`];
  });
}

let clock: FakeClock;
let directory: LocalDirectory;

beforeEach(() => {
  clock = new FakeClock();
  directory = new LocalDirectory({
    clock,
    log: silentLogger,
    rulesOf: (name) => ({
      name,
      disabled: false,
      acceptsPublisher: true,
      secondPublisher: "refuse",
      sourceTimeoutMs: 5000,
      prepushMs: 0,
      sendWindow: 40,
      allowsProtocol: (word) => word === "tshttp",
    }),
    maxStreams: 10,
    equip: () => {},
    onClosed: () => {},
  });
});

function publish(): Publisher {
  const name = "cam" as StreamName;
  return directory.publish({ name, protocol: "rtmp", remoteAddress: "192.0.2.1", onRevoked: () => {} });
}

async function play(): Promise<Body> {
  const body = new Body();
  const { stream } = await tsReply("cam", { directory });
  stream!(body);
  return body;
}

/** Three bytes of a picture that a muxer takes, behind their length: an IDR picture, or another one. */
const PICTURE = Uint8Array.of(0, 0, 0, 3, 0x65, 0x88, 0x84);
const NEXT_PICTURE = Uint8Array.of(0, 0, 0, 3, 0x41, 0x9a, 0x24);

function feed(publisher: Publisher, packets: readonly SourcePacket[]): void {
  for (const packet of packets) {
    const payload = packet.isSync ? PICTURE : NEXT_PICTURE;
    publisher.write(packet.track.kind === "video" ? { ...packet, payload } : packet);
    clock.advance(20);
  }
}

test("the first viewer, and one who joins later, begin with tables and a key frame, and miss no count", async () => {
  const publisher = publish();
  publisher.setTracks([video, audio]);
  const packets = livePackets({ video, audio, durationMs: 4000 });
  feed(publisher, packets.slice(0, 90));
  const first = await play();
  feed(publisher, packets.slice(90, 150));
  const later = await play();
  feed(publisher, packets.slice(150));
  for (const [who, body] of Object.entries({ first, later })) {
    const pids = body.packets.map(pidOf);
    assert.deepEqual(pids.slice(0, 2), [0, 0x1000], `${who} begins with PAT and PMT`);
    const picture = body.packets[pids.indexOf(0x100)]!;
    assert.equal(picture[5]! & 0x40, 0x40, `${who} begins with a random access point`);
    assert.deepEqual(continuityErrors(body.packets), [], who);
  }
});

test("what comes out is read as what went in", async () => {
  const publisher = publish();
  publisher.setTracks([video, audio]);
  const packets = livePackets({ video, audio, durationMs: 2000 });
  feed(publisher, packets.slice(0, 2));
  const body = await play();
  feed(publisher, packets.slice(2));
  const sink = new FakePublisher();
  const demuxer = new TsDemuxer(sink);
  for (const packet of body.packets) demuxer.push(packet);
  demuxer.end();
  assert.equal(demuxer.stats.continuityErrors, 0);
  assert.equal(demuxer.stats.skippedBytes, 0);
  const pictures = packets.filter(({ track }) => track.kind === "video");
  assert.equal(sink.of("v1").length, pictures.length);
  const steps = sink.of("v1").map(({ dts }, i, all) => dts - (all[i - 1]?.dts ?? dts));
  assert.deepEqual(
    steps,
    pictures.map((_, i) => (i === 0 ? 0 : 3600)),
  );
  assert.deepEqual(
    sink.of("v1").map(({ isSync }) => isSync),
    pictures.map(({ isSync }) => isSync),
  );
});

test("other tracks make other tables, in the same sequence", async () => {
  const publisher = publish();
  publisher.setTracks([video]);
  const pictures = livePackets({ video, audio: null, durationMs: 400 });
  feed(publisher, pictures.slice(0, 5));
  const body = await play();
  publisher.setTracks([video, audio]);
  feed(publisher, livePackets({ video, audio, durationMs: 400, gopPictures: 5 }));
  assert.deepEqual(continuityErrors(body.packets), []);
  const versions = body.packets
    .filter((packet) => pidOf(packet) === 0x1000)
    .map((packet) => (packet[5 + 5]! >> 1) & 31);
  assert.deepEqual([...new Set(versions)], [0, 1]);
});

test("a format has no bytes in front, and none for what it does not carry", () => {
  const format = tsFormat.create(0);
  const av1 = videoTrack({ codec: "av1" });
  format.begin!(trackSet([av1]));
  assert.equal(format.tracks(trackSet([av1]), 0).byteLength, 0);
  assert.equal(packetBytes(format, mediaPacket({ track: av1 })), null);
});

test("a configuration that cannot be written breaks nothing", () => {
  const format = tsFormat.create(0);
  const broken = videoTrack({ config: Uint8Array.of(1, 2, 3) });
  format.begin!(trackSet([broken]));
  format.begin!(trackSet([video], 2));
  const bytes = packetBytes(format, mediaPacket({ track: video, payload: PICTURE }));
  assert.ok(bytes !== null && bytes[0] === 0x47);
});

test("the reply is a body without end of the protocol's own word", async () => {
  const publisher = publish();
  const { status, headers } = await tsReply("cam", { directory });
  assert.deepEqual([status, Object.fromEntries(headers)["content-type"]], [200, "video/mp2t"]);
  publisher.close("done");
  await assert.rejects(play, { code: "STREAM_NOT_ON_AIR" });
});

async function playChosen(filter: string): Promise<Body> {
  const body = new Body();
  const reply = await tsReply("cam", {
    directory,
    query: new URLSearchParams({ "filter.tracks": filter }),
  });
  reply.stream!(body);
  return body;
}

for (const { filter, kinds } of [
  { filter: "v1", kinds: ["video"] },
  { filter: "a1", kinds: ["audio"] },
  { filter: "a1v1", kinds: ["audio", "video"] },
  { filter: "v1a9", kinds: ["video"] },
]) {
  test(`filter.tracks=${filter} is sent those tracks alone, without a gap in any count`, async () => {
    const publisher = publish();
    publisher.setTracks([video, audio]);
    const body = await playChosen(filter);
    feed(publisher, livePackets({ video, audio, durationMs: 2000 }));
    // What comes later than a window is sent at the end of the turn.
    await eventually(() => assert.ok(body.packets.length > 20, `${body.packets.length} packets`));
    const { packets } = body;
    assert.deepEqual(continuityErrors(packets), []);
    const taken = new FakePublisher();
    const demuxer = new TsDemuxer(taken);
    demuxer.push(concatBytes(packets));
    demuxer.end();
    assert.equal(demuxer.stats.continuityErrors + demuxer.stats.skippedBytes, 0);
    assert.deepEqual([...new Set(taken.packets.map(({ track }) => track.kind))].toSorted(), kinds);
  });
}

test("a choice of tracks that are not there, or are none, is refused as HLS does", async () => {
  publish().setTracks([video, audio]);
  await assert.rejects(playChosen("v2a7"), { code: "TRACKS_NOT_THERE", httpStatus: 404 });
  await assert.rejects(playChosen("all"), { code: "TRACKS_BAD_FILTER", httpStatus: 400 });
});

test("behind a configuration that cannot be written nothing goes on under the one before", () => {
  const format = tsFormat.create(0);
  format.begin!(trackSet([video]));
  assert.ok(packetBytes(format, mediaPacket({ track: video })) !== null);
  const broken = videoTrack({ config: new Uint8Array(0) });
  format.begin!(trackSet([broken]));
  assert.equal(packetBytes(format, mediaPacket({ track: video, dts: 3600 })), null);
  assert.equal(packetBytes(format, mediaPacket({ track: broken, dts: 7200 })), null);
});
