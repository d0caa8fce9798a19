import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { audioTrack, sourcePacket, videoTrack } from "../../test/support/media.ts";
import { MediaError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import type { StreamName } from "../media/ids.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import type { PublishRequest, Publisher } from "./directory.ts";
import { LocalDirectory } from "./local-directory.ts";
import type { StreamRules } from "./rules.ts";
import { SendPace } from "./send-pace.ts";
import type { ByteSink, SubscriptionEnd, WireFormatFactory } from "./wire-format.ts";

const name = "pub/camera" as StreamName;
const video = videoTrack();
const audio = audioTrack();
const GRACE_MS = 10_000;

const rules: StreamRules = {
  name,
  disabled: false,
  acceptsPublisher: true,
  secondPublisher: "refuse",
  sourceTimeoutMs: GRACE_MS,
  prepushMs: 0,
  allowsProtocol: (protocol) => protocol !== "dash",
};

const oneByte: WireFormatFactory = {
  id: "test",
  create: () => ({
    tracks: () => Uint8Array.of(0),
    packet: (_packet, room) => void room.reserve(1).fill(1, room.offset, room.offset + 1),
  }),
};

class Recorder implements PacketSink {
  readonly tracks: TrackSet[] = [];
  readonly packets: MediaPacket[] = [];
  readonly events: string[] = [];
  onTracks(tracks: TrackSet): void {
    this.tracks.push(tracks);
  }
  onPacket(packet: MediaPacket): void {
    this.packets.push(packet);
  }
  onPause(): void {
    this.events.push("pause");
  }
  onEnd(): void {
    this.events.push("end");
  }
}

let clock: FakeClock;
let recorder: Recorder;
let directory: LocalDirectory;
let current: StreamRules | null;
let closed: string[];

beforeEach(() => {
  clock = new FakeClock();
  recorder = new Recorder();
  current = rules;
  closed = [];
  directory = new LocalDirectory({
    clock,
    log: silentLogger,
    rulesOf: () => current,
    pace: new SendPace((run) => void clock.schedule(0, run)),
    maxStreams: 2,
    equip: (stream) => stream.attach(recorder),
    onClosed: (gone) => closed.push(gone),
  });
});

function request(overrides: Partial<PublishRequest> = {}): PublishRequest {
  return { name, protocol: "rtmp", remoteAddress: "192.0.2.1", onRevoked: () => {}, ...overrides };
}

function publishFrames(publisher: Publisher, count: number, startDts = 0): void {
  publisher.setTracks([video, audio]);
  for (let i = 0; i < count; i++) {
    publisher.write(sourcePacket({ track: video, dts: startDts + i * 3600, isSync: i % 25 === 0 }));
    clock.advance(40);
  }
}

function subscribe(end: (reason: SubscriptionEnd) => void = () => {}): { bytes: number; close(): void } {
  const state = { bytes: 0, close: () => {} };
  const sink: ByteSink = {
    write: (bytes) => void (state.bytes += bytes.byteLength),
    queuedBytes: () => 0,
    end,
  };
  const subscription = directory.subscribe({ name, protocol: "rtmp", format: oneByte, sink });
  state.close = () => subscription.close();
  return state;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (caught) {
    assert.ok(caught instanceof MediaError);
    return caught.code;
  }
  return "none";
}

test("packets carry the epoch, the stream's clock and where GOPs start", () => {
  publishFrames(directory.publish(request()), 26);
  assert.equal(recorder.tracks.length, 1);
  assert.deepEqual(recorder.packets.map((packet) => packet.startsGop).filter(Boolean).length, 2);
  assert.ok(recorder.packets.every((packet) => packet.epoch === 1));
  assert.equal(recorder.packets[25]!.dts - recorder.packets[0]!.dts, 25 * 3600);
  assert.equal(directory.find(name)!.summary().status, "live");
});

test("a publisher is told once when viewers can begin: at the first picture that stands alone", () => {
  let told = 0;
  const publisher = directory.publish(request({ onPlayable: () => void told++ }));
  publisher.setTracks([video, audio]);
  publisher.write(sourcePacket({ track: audio, isSync: true }));
  publisher.write(sourcePacket({ track: video, isSync: false }));
  assert.equal(told, 0);
  publisher.write(sourcePacket({ track: video, dts: 3600, isSync: true }));
  publisher.write(sourcePacket({ track: video, dts: 7200, isSync: true }));
  assert.equal(told, 1);
  publisher.close("left");
  const sound = directory.publish(request({ onPlayable: () => void told++ }));
  sound.setTracks([audio]);
  sound.write(sourcePacket({ track: audio, isSync: true }));
  assert.equal(told, 2, "of sound alone it is the first packet");
});

test("a publisher that returns in time continues the stream under a new epoch, later in time", () => {
  const first = directory.publish(request());
  publishFrames(first, 10);
  const viewer = subscribe();
  first.close("gone");
  assert.deepEqual(recorder.events, ["pause"]);
  assert.equal(directory.find(name)!.summary().status, "waiting");
  clock.advance(GRACE_MS - 1);
  publishFrames(directory.publish(request()), 10);
  assert.equal(recorder.tracks[1]!.epoch, 2);
  const [before, after] = [recorder.packets[9]!, recorder.packets[10]!];
  assert.ok(after.dts - before.dts >= (GRACE_MS - 1) * 90 - 3600, "the gap is as long as the absence");
  assert.ok(viewer.bytes > 0);
  assert.deepEqual(closed, []);
});

test("a publisher that stays away ends the stream, its viewers and its timers", () => {
  const ends: string[] = [];
  const publisher = directory.publish(request());
  publishFrames(publisher, 3);
  subscribe((reason) => ends.push(reason));
  publisher.close("gone");
  clock.advance(GRACE_MS + 1);
  assert.deepEqual([ends, closed, recorder.events.at(-1)], [["stream-ended"], [name], "end"]);
  assert.equal(directory.find(name), null);
  assert.equal(clock.pendingTimers, 0);
});

test("a second publisher is refused by name of the first", () => {
  directory.publish(request());
  assert.throws(() => directory.publish(request()), /already has a publisher from 192\.0\.2\.1/);
  assert.equal(
    codeOf(() => directory.publish(request())),
    "STREAM_BUSY",
  );
});

test("a second publisher replaces the first where the rules say so, and the first can no longer write", () => {
  current = { ...rules, secondPublisher: "replace" };
  const revoked: string[] = [];
  const first = directory.publish(request({ onRevoked: (reason) => revoked.push(reason) }));
  publishFrames(first, 3);
  publishFrames(directory.publish(request()), 2);
  const count = recorder.packets.length;
  first.write(sourcePacket({ track: video, dts: 0, isSync: true }));
  first.close("late");
  assert.equal(recorder.packets.length, count);
  assert.deepEqual(revoked, ["replaced by another publisher"]);
  assert.equal(directory.find(name)!.summary().status, "live");
});

test("a publisher that fell silent gives way to a newcomer, one that sends does not", () => {
  const told: string[] = [];
  const hanging = directory.publish(request({ onRevoked: (reason) => told.push(reason) }));
  publishFrames(hanging, 3);
  clock.advance(2500);
  assert.equal(
    codeOf(() => directory.publish(request())),
    "STREAM_BUSY",
  );
  clock.advance(1000);
  publishFrames(directory.publish(request()), 3);
  assert.deepEqual(told, ["silent, and another publisher came"]);
  assert.equal(recorder.tracks.length, 2);
});

test("source_timeout counts from the last packet of a publisher whose connection hangs", () => {
  const told: string[] = [];
  publishFrames(directory.publish(request({ onRevoked: (reason) => told.push(reason) })), 100);
  clock.advance(GRACE_MS - 100);
  assert.deepEqual(closed, []);
  clock.advance(200);
  assert.deepEqual([closed, told], [[name], ["it has sent nothing for source_timeout"]]);
  assert.equal(clock.pendingTimers, 0);
});

test("a publisher that is taken off leaves a stream that waits for the next one as long as source_timeout says", () => {
  const told: string[] = [];
  publishFrames(directory.publish(request({ onRevoked: (reason) => told.push(reason) })), 10);
  const stream = directory.find(name)!;
  assert.equal(stream.publishedOver, "rtmp");
  stream.takeOff("not wanted");
  stream.takeOff("twice");
  assert.deepEqual([told, stream.publishedOver, stream.isOnAir, closed], [["not wanted"], null, false, []]);
  clock.advance(GRACE_MS - 1);
  assert.deepEqual(closed, []);
  clock.advance(1);
  assert.deepEqual(closed, [name]);
});

test("a directory that drains takes no publishers, and keeps what those leave who are there", () => {
  const publisher = directory.publish(request());
  publishFrames(publisher, 10);
  const gone = "pub/gone" as StreamName;
  current = { ...rules, name: gone };
  const earlier = directory.publish(request({ name: gone }));
  earlier.setTracks([video]);
  earlier.close("gone before the drain");
  current = rules;
  directory.refusePublishers();
  directory.find(name)!.configure(rules);
  assert.equal(
    codeOf(() => directory.publish(request({ name: "pub/other" as StreamName }))),
    "STREAM_DRAINING",
  );
  current = { ...rules, name: gone };
  directory.publishInternally(request({ name: gone })).close("a file may still play");
  current = rules;
  publishFrames(publisher, 10, 36_000);
  assert.equal(recorder.packets.length, 20);
  publisher.close("gone");
  clock.advance(100 * GRACE_MS);
  assert.equal(directory.find(gone)?.summary().status, "waiting");
  const viewer = subscribe();
  assert.equal(directory.find(name)?.summary().status, "waiting");
  assert.equal(
    codeOf(() => directory.publish(request())),
    "STREAM_DRAINING",
  );
  viewer.close();
  directory.close("the test ends");
});

test("viewers who wait for a publisher can be ended, while what it left stays", () => {
  const ends: SubscriptionEnd[] = [];
  const publisher = directory.publish(request());
  publishFrames(publisher, 10);
  subscribe((reason) => ends.push(reason));
  directory.endWaiting();
  assert.equal(ends.length, 0, "who has a publisher goes on");
  publisher.close("gone");
  assert.deepEqual(ends, ["server-stopping"]);
  subscribe((reason) => ends.push(reason));
  assert.deepEqual(ends, ["server-stopping", "server-stopping"], "nor does one who comes later wait");
  assert.equal(directory.find(name)?.summary().status, "waiting");
  assert.deepEqual([recorder.events, closed], [["pause"], []]);
  directory.close("the test ends");
});

const refusals: { name: string; rules: StreamRules | null; code: string }[] = [
  { name: "an unknown name", rules: null, code: "STREAM_NOT_FOUND" },
  { name: "a disabled stream", rules: { ...rules, disabled: true }, code: "STREAM_DISABLED" },
  {
    name: "a stream without publish://",
    rules: { ...rules, acceptsPublisher: false },
    code: "STREAM_NOT_PUBLISHABLE",
  },
];
for (const { name: what, rules: given, code } of refusals) {
  test(`publishing to ${what} is refused`, () => {
    current = given;
    assert.equal(
      codeOf(() => directory.publish(request())),
      code,
    );
    assert.equal(directory.list().length, 0);
  });
}

test("a protocol that is off may not play, but still publish", () => {
  current = { ...rules, allowsProtocol: () => false };
  publishFrames(directory.publish(request()), 2);
  assert.equal(
    codeOf(() => subscribe()),
    "STREAM_PROTOCOL_OFF",
  );
});

test("the bound on streams holds", () => {
  const names = ["a", "b", "c"] as StreamName[];
  const publish = (wanted: StreamName) => {
    current = { ...rules, name: wanted };
    return directory.publish(request({ name: wanted }));
  };
  publish(names[0]!);
  publish(names[1]!);
  assert.equal(
    codeOf(() => publish(names[2]!)),
    "STREAM_LIMIT",
  );
});

test("a viewer may come first; it waits a bounded time", () => {
  const ends: string[] = [];
  subscribe((reason) => ends.push(reason));
  clock.advance(GRACE_MS + 1);
  assert.deepEqual([ends, directory.list().length, clock.pendingTimers], [["not-on-air"], 0, 0]);
});

test("a viewer who waited and left leaves nothing behind", () => {
  subscribe().close();
  assert.deepEqual([directory.list().length, clock.pendingTimers], [0, 0]);
});

test("a publisher that changes its tracks stays on its timeline", () => {
  const publisher = directory.publish(request());
  publishFrames(publisher, 5);
  clock.stepWall(60_000);
  const larger = videoTrack({ width: 1920, height: 1080 });
  publisher.setTracks([larger, audio]);
  publisher.write(sourcePacket({ track: larger, dts: 5 * 3600, isSync: true }));
  assert.deepEqual(
    recorder.tracks.map((set) => set.epoch),
    [1, 2],
  );
  assert.equal(recorder.packets[5]!.dts - recorder.packets[4]!.dts, 3600);
});

test("a source that changes its tracks and its clock at once loses nothing, not its first key frame either", () => {
  const publisher = directory.publish({
    ...{ name, protocol: "rtmp", remoteAddress: "192.0.2.1" },
    onRevoked: () => {},
  });
  publisher.setTracks([video, audio]);
  const feed = (picture: typeof video, fromS: number): void => {
    for (let i = 0; i < 200; i++) {
      publisher.write(
        sourcePacket({ track: picture, dts: fromS * 90_000 + i * 3600, isSync: i % 25 === 0 }),
      );
      publisher.write(sourcePacket({ track: audio, dts: fromS * 48_000 + i * 1920 }));
    }
  };
  feed(video, 5000);
  const before = recorder.packets.length;
  const larger = videoTrack({ width: 128 });
  publisher.setTracks([larger, audio]);
  feed(larger, 0);
  const after = recorder.packets.slice(before);
  assert.deepEqual([before, after.length], [400, 400]);
  assert.deepEqual([after[0]!.track, after[0]!.startsGop], [larger, true]);
  const epoch = recorder.tracks.at(-1)!.epoch;
  assert.ok(after.every((packet) => packet.epoch === epoch));
  assert.ok(after[0]!.dts >= recorder.packets[before - 2]!.dts, "time does not go back");
});

test("when the source's clock jumps the stream goes on under a new epoch", () => {
  const publisher = directory.publish(request());
  publishFrames(publisher, 5, 90_000_000);
  publisher.write(sourcePacket({ track: video, dts: 0, isSync: true }));
  assert.equal(recorder.tracks.length, 2);
  const times = recorder.packets.map((packet) => packet.dts);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
});

test("10 000 publishers come and go, and the directory is empty again", () => {
  current = { ...rules, sourceTimeoutMs: 1 };
  for (let i = 0; i < 10_000; i++) {
    const publisher = directory.publish(request());
    publisher.setTracks([video]);
    publisher.close("gone");
    clock.advance(2);
  }
  assert.deepEqual([directory.list().length, clock.pendingTimers, closed.length], [0, 0, 10_000]);
});

test("closing the directory ends publishers and viewers once", () => {
  const told: string[] = [];
  publishFrames(directory.publish(request({ onRevoked: (reason) => told.push(reason) })), 2);
  subscribe((reason) => told.push(reason));
  directory.close("the server stops");
  directory.close("again");
  assert.deepEqual(told, ["the server stops", "stream-ended"]);
});

test("for want of memory viewers go, and what they cost, and the publisher stays", () => {
  publishFrames(directory.publish(request()), 30);
  const ends: string[] = [];
  subscribe((reason) => ends.push(reason));
  const stream = directory.find(name)!;
  assert.ok(stream.sentBytes > 0);
  const ownBytes = stream.heldBytes - stream.sentBytes;
  stream.endViewers();
  assert.deepEqual([ends, stream.sentBytes, stream.heldBytes], [["no-room"], 0, ownBytes]);
  assert.equal(stream.isLive, true);
});

test("a publisher hears how far the stream's end is ahead of the clock, by whomever", () => {
  const first = directory.publish(request());
  first.setTracks([video]);
  for (let i = 0; i <= 250; i++) first.write(sourcePacket({ track: video, dts: i * 3600 }));
  const leadMs = first.leadMs!();
  assert.ok(leadMs >= 10_000 && leadMs < 10_100, `${leadMs}`);
  first.close("gone");
  clock.advance(4000);
  assert.equal(directory.publish(request()).leadMs!(), leadMs - 4000);
});
