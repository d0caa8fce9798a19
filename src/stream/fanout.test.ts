import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { audioTrack, mediaPacket, videoTrack } from "../../test/support/media.ts";
import type { MediaPacket } from "../media/packet.ts";
import { makeTrackSet } from "../media/track.ts";
import { Fanout } from "./fanout.ts";
import { DEFAULT_GOP_LIMITS, GopCache } from "./gop-cache.ts";
import type { SendWindow } from "./rules.ts";
import { SendPace } from "./send-pace.ts";
import { DEFAULT_FANOUT_LIMITS } from "./subscriber.ts";
import type { ByteSink, WireFormat } from "./wire-format.ts";

const track = videoTrack();
const audio = audioTrack();
const text = new TextDecoder();
const encoder = new TextEncoder();

/** One letter a packet: K for a GOP start, p for others; `[epoch]` for the configuration. */
const format: WireFormat & { calls: number } = {
  calls: 0,
  tracks: (tracks) => encoder.encode(`[${tracks.epoch}]`),
  packet(packet, room) {
    this.calls++;
    const bytes = room.reserve(Math.max(1, packet.payload.byteLength));
    bytes.fill((packet.startsGop ? "K" : packet.track === track ? "p" : "a").charCodeAt(0), room.offset);
  },
};

class Viewer implements ByteSink {
  got = "";
  writes = 0;
  readonly buffers: ArrayBufferLike[] = [];
  ended: string | null = null;
  queued = 0;
  write(bytes: Uint8Array): void {
    this.got += text.decode(bytes);
    this.writes++;
    this.buffers.push(bytes.buffer);
  }
  queuedBytes(): number {
    return this.queued;
  }
  end(reason: string): void {
    this.ended = reason;
  }
}

let clock: FakeClock;
let cache: GopCache;
let pace: SendPace;
let fanout: Fanout;
let frame: number;

beforeEach(() => {
  clock = new FakeClock();
  cache = new GopCache();
  pace = new SendPace((run) => void clock.schedule(0, run));
  fanout = new Fanout({ format, cache, clock, pace });
  fanout.onTracks(makeTrackSet(1, [track, audio]));
  frame = 0;
  format.calls = 0;
});

/** `K`: a picture that starts a GOP, `p`: another, `a`: sound. */
function send(kind: string, bytes = 0): MediaPacket {
  const packet = mediaPacket({
    track: kind === "a" ? audio : track,
    dts: frame++ * 3600,
    startsGop: kind === "K",
    epoch: 1,
    payload: new Uint8Array(bytes),
  });
  cache.push(packet);
  fanout.onPacket(packet);
  return packet;
}

function sendAll(kinds: string): void {
  for (const kind of kinds) send(kind);
  clock.advance(1);
}

test("a viewer that joins in the middle gets the configuration and the GOP so far, then what comes", () => {
  sendAll("Kppp");
  const viewer = new Viewer();
  fanout.join(viewer, true);
  assert.equal(viewer.got, "[1]Kppp");
  sendAll("pK");
  assert.equal(viewer.got, "[1]KppppK");
});

test("without prepush a viewer starts with the next GOP", () => {
  sendAll("Kpp");
  const viewer = new Viewer();
  fanout.join(viewer, false);
  sendAll("pp");
  assert.equal(viewer.got, "");
  sendAll("pKp");
  assert.equal(viewer.got, "[1]Kp");
});

test("a viewer that came first loses nothing of a burst: it starts with the first GOP in it", () => {
  const viewer = new Viewer();
  fanout.join(viewer, true);
  sendAll("pKppKp");
  assert.equal(viewer.got, "[1]KppKp");
});

test("each packet is serialised once, however many watch and join", () => {
  const viewers = Array.from({ length: 50 }, () => new Viewer());
  for (const viewer of viewers.slice(0, 25)) fanout.join(viewer, true);
  sendAll("Kppp");
  clock.advance(10);
  for (const viewer of viewers.slice(25)) fanout.join(viewer, true);
  sendAll("p");
  clock.advance(10);
  assert.equal(format.calls, 5);
  assert.deepEqual(
    new Set(viewers.map((viewer) => viewer.got.replace(/^(\[1\])+/, ""))),
    new Set(["Kpppp"]),
  );
});

test("a new epoch puts its configuration before its first packet", () => {
  const viewer = new Viewer();
  fanout.join(viewer, true);
  sendAll("Kp");
  fanout.onTracks(makeTrackSet(2, [track]));
  sendAll("Kp");
  assert.equal(viewer.got, "[1]Kp[2]Kp");
});

test("a slow viewer loses whole GOPs, never a part of one, and the others lose nothing", () => {
  const slow = new Viewer();
  const quick = new Viewer();
  fanout.join(slow, true);
  fanout.join(quick, true);
  sendAll("Kp");
  slow.queued = DEFAULT_FANOUT_LIMITS.maxQueuedBytes + 1;
  sendAll("ppKpp");
  slow.queued = 0;
  sendAll("pp");
  sendAll("Kp");
  assert.equal(slow.got, "[1]Kp[1]Kp");
  assert.equal(quick.got, "[1]KpppKppppKp");
  assert.equal(fanout.droppedFlushes, 1);
});

test("a viewer is not behind because of the long GOP that it was given at once", () => {
  send("K", 3_000_000);
  send("p", 3_000_000);
  clock.advance(1);
  const viewer = new Viewer();
  fanout.join(viewer, true);
  const given = viewer.got.length;
  for (let left = given; left > 0; left -= 500_000) {
    viewer.queued = left;
    send("p", 10);
    clock.advance(1);
  }
  assert.equal(
    viewer.got.length,
    given + 10 * Math.ceil(given / 500_000),
    "it fell back while it was catching up",
  );
  assert.equal(fanout.droppedFlushes, 0);
});

test("a viewer who takes nothing for half a minute is ended, and only this one", () => {
  const dead = new Viewer();
  const quick = new Viewer();
  fanout.join(dead, true);
  fanout.join(quick, true);
  dead.queued = DEFAULT_FANOUT_LIMITS.maxQueuedBytes + 1;
  for (let second = 0; second < 32; second++) {
    sendAll("Kp");
    clock.advance(999);
  }
  assert.equal(dead.ended, "too-slow");
  assert.equal(quick.ended, null);
  assert.equal(fanout.size, 1);
});

test("a viewer who reads slowly is not taken for one who takes nothing", () => {
  const viewer = new Viewer();
  fanout.join(viewer, true);
  for (let second = 0; second < 60; second++) {
    viewer.queued = DEFAULT_FANOUT_LIMITS.maxQueuedBytes * 2 - second * 1000;
    sendAll("Kp");
    clock.advance(999);
  }
  assert.equal(viewer.ended, null);
});

test("a viewer who falls back again and again is ended", () => {
  const viewer = new Viewer();
  fanout.join(viewer, true);
  for (let i = 0; i <= DEFAULT_FANOUT_LIMITS.maxResyncs; i++) {
    viewer.queued = 0;
    sendAll("K");
    viewer.queued = DEFAULT_FANOUT_LIMITS.maxQueuedBytes + 1;
    sendAll("p");
  }
  assert.equal(viewer.ended, "too-slow");
});

test("the bound on a queue follows the bit rate, from its floor up", () => {
  const viewer = new Viewer();
  fanout.join(viewer, true);
  viewer.queued = DEFAULT_FANOUT_LIMITS.minQueuedBytes + 1;
  sendAll("K");
  assert.equal(viewer.got, "", "a slow stream's viewer may not hoard");
  viewer.queued = 0;
  for (let i = 0; i < 3; i++) {
    send("K", 1_000_000);
    clock.advance(1000);
  }
  const before = viewer.got.length;
  viewer.queued = 2_000_000;
  send("p", 10);
  clock.advance(1);
  assert.ok(viewer.got.length > before, "a fast stream's viewer may queue four seconds");
});

test("many viewers are written to once per window, few at once", () => {
  const viewers = Array.from({ length: 1000 }, () => new Viewer());
  for (const viewer of viewers) fanout.join(viewer, true);
  send("K");
  clock.advance(50);
  assert.equal(viewers[0]!.got, "");
  send("p");
  clock.advance(WINDOW_TIMER(90) - 50);
  assert.equal(viewers[999]!.got, "[1]Kp");
});

test("after the last viewer left nothing is queued and no timer is left", () => {
  const viewer = new Viewer();
  const subscription = fanout.join(viewer, true);
  send("K");
  subscription.close();
  subscription.close();
  clock.advance(10);
  assert.equal(viewer.got, "");
  assert.equal(viewer.ended, null);
  sendAll("Kp");
  assert.equal(clock.pendingTimers, 0);
});

test("the end of the stream flushes, then ends everyone once", () => {
  const viewer = new Viewer();
  fanout.join(viewer, true);
  send("K");
  fanout.onEnd();
  assert.equal(viewer.got, "[1]K");
  assert.equal(viewer.ended, "stream-ended");
  assert.equal(clock.pendingTimers, 0);
});

/** When the timer ends a window that no read has ended: an eighth later. */
const WINDOW_TIMER = (windowMs: number): number => Math.ceil((windowMs * 9) / 8);

function join(window: SendWindow = "auto", prepush = true): Viewer {
  const viewer = new Viewer();
  fanout.join(viewer, prepush, window);
  return viewer;
}

test("viewers of different windows read the same log, each at its own pace", () => {
  const fast = join(0);
  const slow = join(100);
  const other = join(350);
  send("K");
  clock.advance(1);
  assert.deepEqual([fast.got, slow.got, other.got], ["[1]K", "", ""]);
  send("p");
  clock.advance(98);
  assert.deepEqual([fast.got, slow.got], ["[1]Kp", ""]);
  clock.advance(WINDOW_TIMER(100) - 99);
  assert.equal(slow.got, "[1]Kp");
  send("p");
  clock.advance(WINDOW_TIMER(350) - WINDOW_TIMER(100));
  assert.deepEqual([fast.got, slow.got, other.got], ["[1]Kpp", "[1]Kpp", "[1]Kpp"]);
  assert.deepEqual([slow.writes, other.writes], [3, 2], "the configuration and one write for each window");
  assert.equal(format.calls, 3);
});

test("bytes are shared: the same buffer for all, also for one who joins later", () => {
  const first = join();
  const second = join(0);
  sendAll("Kpp");
  const third = join();
  assert.equal(third.got, "[1]Kpp");
  assert.equal(first.buffers.at(-1), second.buffers.at(-1));
  assert.equal(first.buffers.at(-1), third.buffers.at(-1));
});

test("what comes when a window is over goes at once, and so does what comes after a pause", async () => {
  const viewer = join(100);
  clock.advance(100);
  send("K");
  send("p");
  assert.equal(viewer.got, "");
  await turn();
  assert.equal(viewer.got, "[1]Kp");
  send("p");
  await turn();
  assert.equal(viewer.got, "[1]Kp");
  clock.advance(500);
  send("p");
  await turn();
  assert.equal(viewer.got, "[1]Kppp");
});

test("a fan-out knows how long nobody will be sent anything", async () => {
  assert.equal(fanout.patienceMs(), Infinity);
  join(350);
  join(100);
  clock.advance(100);
  send("K");
  assert.equal(fanout.patienceMs(), 100, "the flush of this turn is counted as done");
  await turn();
  clock.advance(30);
  assert.equal(fanout.patienceMs(), 70);
  join("auto");
  assert.ok(fanout.patienceMs() < 1);
});

test("one who joins between two flushes gets each byte once", () => {
  const first = join(100);
  sendAll("K");
  clock.advance(WINDOW_TIMER(100));
  send("p");
  const second = join(100);
  assert.equal(second.got, "[1]K");
  send("p");
  clock.advance(WINDOW_TIMER(100));
  assert.deepEqual([first.got, second.got], ["[1]Kpp", "[1]Kpp"]);
});

test("one who joins when the new GOP has not been flushed yet begins with that GOP", () => {
  const first = join(100);
  sendAll("Kp");
  clock.advance(WINDOW_TIMER(100));
  send("p");
  send("K");
  const second = join(100);
  assert.equal(second.got, "");
  clock.advance(WINDOW_TIMER(100));
  assert.deepEqual([first.got, second.got], ["[1]KppK", "[1]K"]);
});

test("a small audience gets a picture in the turn that brought it, and the sound with it", () => {
  const viewer = join();
  clock.advance(40);
  send("K");
  assert.equal(viewer.got, "");
  clock.advance(0);
  assert.equal(viewer.got, "[1]K");
  clock.advance(20);
  send("a");
  clock.advance(20);
  assert.equal(viewer.got, "[1]K", "the sound waits for the next picture");
  send("p");
  send("a");
  clock.advance(0);
  assert.equal(viewer.got, "[1]Kapa");
  assert.equal(viewer.writes, 3);
});

test("sound without pictures goes with the sound that comes 50 ms later", () => {
  const viewer = join();
  clock.advance(40);
  sendAll("K");
  for (const expected of ["", "", "", "aaaa"]) {
    send("a");
    clock.advance(0);
    assert.equal(viewer.got, `[1]K${expected}`);
    clock.advance(20);
  }
});

test("the last sound of a source that went silent is sent after 150 ms", () => {
  const viewer = join();
  clock.advance(40);
  sendAll("K");
  send("a");
  clock.advance(149);
  assert.equal(viewer.got, "[1]K");
  clock.advance(1);
  assert.equal(viewer.got, "[1]Ka");
  assert.equal(clock.pendingTimers, 0);
});

test("the adaptive window counts the viewers of the whole thread", () => {
  const viewer = join();
  const elsewhere = new Fanout({ format, cache: new GopCache(), clock, pace });
  const others = Array.from({ length: 999 }, () => elsewhere.join(new Viewer(), true));
  sendAll("K");
  clock.advance(WINDOW_TIMER(90) - 2);
  assert.equal(viewer.got, "");
  clock.advance(2);
  assert.equal(viewer.got, "[1]K");
  for (const other of others) other.close();
  assert.equal(pace.viewers, 1);
  send("p");
  clock.advance(1);
  assert.equal(viewer.got, "[1]Kp");
});

test("what no newcomer would be given is forgotten, and nothing is kept when nobody watches", () => {
  const viewer = new Viewer();
  const subscription = fanout.join(viewer, true);
  for (let gop = 0; gop < 20; gop++) {
    send("K", 100_000);
    for (let i = 0; i < 4; i++) send("p", 50_000);
    clock.advance(2000);
    assert.ok(fanout.heldBytes <= 1_000_000, `${fanout.heldBytes} bytes, of 300 000 a GOP`);
  }
  assert.equal(viewer.got.length, 20 * 300_000 + "[1]".length);
  subscription.close();
  assert.equal(fanout.heldBytes, 0);
  sendAll("Kp");
  assert.equal(fanout.heldBytes, 0);
  assert.equal(join().got, "[1]Kp", "the log is made from the cache again");
});

test("where the cache keeps more than a GOP, a newcomer gets all of it", () => {
  cache = new GopCache({ ...DEFAULT_GOP_LIMITS, keepUs: 200_000 });
  fanout = new Fanout({ format, cache, clock, pace });
  fanout.onTracks(makeTrackSet(1, [track, audio]));
  const first = join();
  for (const gop of ["Kpp", "Kpp", "Kpp", "Kpp"]) sendAll(gop);
  assert.equal(first.got, "[1]KppKppKppKpp");
  assert.equal(join().got, "[1]KppKppKpp");
  clock.advance(100);
  assert.equal(join(350).got, "[1]KppKppKpp");
});

test("when the cache has given up on a GOP, a newcomer waits for the next", () => {
  cache = new GopCache({ ...DEFAULT_GOP_LIMITS, maxPackets: 3 });
  fanout = new Fanout({ format, cache, clock, pace });
  fanout.onTracks(makeTrackSet(1, [track, audio]));
  const first = join();
  sendAll("Kpppp");
  const second = join();
  assert.deepEqual([first.got, second.got], ["[1]Kpppp", ""]);
  sendAll("pK");
  assert.equal(second.got, "[1]K");
});

test("a preamble comes once, in front of all else, and not again after falling back", () => {
  const preambled = { ...format, preamble: () => encoder.encode("#") };
  fanout = new Fanout({ format: preambled, cache, clock, pace });
  fanout.onTracks(makeTrackSet(1, [track, audio]));
  const viewer = join();
  sendAll("K");
  viewer.queued = DEFAULT_FANOUT_LIMITS.maxQueuedBytes;
  sendAll("p");
  viewer.queued = 0;
  sendAll("Kp");
  assert.equal(viewer.got, "#[1]K[1]Kp");
  assert.equal(join().got, "#[1]Kp");
});

test("a resync in the middle of a change of configuration uses the configuration of its GOP", () => {
  const slow = join(100);
  const quick = join(100);
  sendAll("K");
  clock.advance(WINDOW_TIMER(100));
  slow.queued = DEFAULT_FANOUT_LIMITS.maxQueuedBytes;
  send("p");
  clock.advance(WINDOW_TIMER(100));
  slow.queued = 0;
  send("K");
  fanout.onTracks(makeTrackSet(2, [track, audio]));
  send("p");
  clock.advance(WINDOW_TIMER(100));
  assert.deepEqual([slow.got, quick.got], ["[1]K[1]K[2]p", "[1]KpK[2]p"]);
});

test("the last viewer's end is told once, before the viewer hears of it", () => {
  const events: string[] = [];
  fanout = new Fanout({ format, cache, clock, pace, onEmpty: () => events.push(`empty ${fanout.size}`) });
  const sink = { write: () => {}, queuedBytes: () => 0, end: (reason: string) => void events.push(reason) };
  fanout.join(sink, true);
  fanout.join(sink, true, 100);
  fanout.onEnd();
  assert.deepEqual(events, ["empty 0", "stream-ended", "stream-ended"]);
  assert.equal(pace.viewers, 0);
});

test("a format that keeps one sequence is told of each epoch once, before its first packet, whoever joins", () => {
  const calls: string[] = [];
  const sequence: WireFormat = {
    begin: ({ epoch }) => void calls.push(`begin ${epoch}`),
    tracks: () => new Uint8Array(0),
    packet(packet, room) {
      calls.push(packet.startsGop ? "K" : "p");
      room.reserve(1).fill(1, room.offset, room.offset + 1);
    },
  };
  const one = new Fanout({ format: sequence, cache, clock, pace });
  const sendTo = (epoch: number, startsGop: boolean): void => {
    const packet = mediaPacket({ track, epoch, isSync: startsGop, dts: calls.length * 3600 });
    cache.push(packet);
    one.onPacket(packet);
  };
  one.onTracks(makeTrackSet(1, [track]));
  sendTo(1, true);
  sendTo(1, false);
  assert.deepEqual(calls, [], "nobody listens");
  one.join(new Viewer(), true);
  one.join(new Viewer(), true);
  sendTo(1, true);
  one.join(new Viewer(), true);
  cache.clear();
  one.onTracks(makeTrackSet(2, [track]));
  sendTo(2, true);
  one.join(new Viewer(), true);
  assert.deepEqual(calls, ["begin 1", "K", "p", "K", "begin 2", "K"]);
});
