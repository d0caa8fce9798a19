import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { mediaPacket, videoTrack } from "../../test/support/media.ts";
import type { MediaPacket } from "../media/packet.ts";
import { makeTrackSet } from "../media/track.ts";
import { DEFAULT_FANOUT_LIMITS, Fanout } from "./fanout.ts";
import { GopCache } from "./gop-cache.ts";
import type { ByteSink, WireFormat } from "./wire-format.ts";

const track = videoTrack();
const text = new TextDecoder();
const encoder = new TextEncoder();

/** One letter a packet: K for a GOP start, p for others; `[epoch]` for the configuration. */
const format: WireFormat & { calls: number } = {
  calls: 0,
  tracks: (tracks) => encoder.encode(`[${tracks.epoch}]`),
  packet(packet) {
    this.calls++;
    return encoder.encode((packet.startsGop ? "K" : "p").repeat(Math.max(1, packet.payload.byteLength)));
  },
};

class Viewer implements ByteSink {
  got = "";
  ended: string | null = null;
  queued = 0;
  write(bytes: Uint8Array): void {
    this.got += text.decode(bytes);
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
let fanout: Fanout;
let frame: number;

beforeEach(() => {
  clock = new FakeClock();
  cache = new GopCache();
  fanout = new Fanout(format, cache, clock);
  fanout.onTracks(makeTrackSet(1, [track]));
  frame = 0;
  format.calls = 0;
});

function send(kind: string, bytes = 0): MediaPacket {
  const packet = mediaPacket({
    track,
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
  for (const viewer of viewers.slice(25)) fanout.join(viewer, true);
  sendAll("p");
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
  clock.advance(41);
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
