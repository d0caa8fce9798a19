import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { audioTrack, mediaPacket, trackSet, videoTrack } from "../../test/support/media.ts";
import { CLOCK_START_US } from "../../test/support/presentation.ts";
import { concatBytes } from "../base/bytes.ts";
import type { HttpBodySink, HttpReply, HttpRequest } from "../base/http-message.ts";
import type { TrackId } from "../media/ids.ts";
import { MAX_QUEUED_BYTES } from "./growing-reply.ts";
import { growingSegments } from "./growing-segments.ts";
import { LiveWindow } from "./live-window.ts";
import { mediaFileReply } from "./media-reply.ts";
import type { EdgeSource, Hold, LiveEdge, Presentation } from "./presentation.ts";

const video = videoTrack();
const audio = audioTrack();
const START_S = CLOCK_START_US / 1_000_000;
const request: HttpRequest = {
  method: "GET",
  path: "/",
  query: new URLSearchParams(),
  header: () => undefined,
  remoteAddress: "127.0.0.1",
};

/** A window of segments of a second with parts of 200 ms. */
function openWindow(clock?: FakeClock): LiveWindow {
  const window = new LiveWindow({
    ...{ segmentDurationUs: 1e6, segmentCount: 4, chunkDurationUs: 200_000 },
    ...(clock === undefined ? {} : { clock }),
  });
  window.onTracks(trackSet([video, audio]));
  return window;
}

/** 25 pictures a second with a GOP every so many, and sound, from one time up to another in seconds. */
function feed(window: LiveWindow, from: number, to: number, gopFrames = 25): void {
  const packets = [];
  for (let frame = Math.ceil(from * 25 - 1e-6); frame < to * 25 - 1e-6; frame++) {
    const dts = START_S * 90_000 + frame * 3600;
    const isSync = frame % gopFrames === 0;
    packets.push({
      at: frame / 25,
      packet: mediaPacket({ track: video, dts, isSync, payload: Buffer.alloc(500, frame) }),
    });
  }
  for (let n = Math.ceil(from * 46.875 - 1e-6); n < to * 46.875 - 1e-6; n++) {
    const dts = START_S * 48_000 + n * 1024;
    const payload = Buffer.alloc(50, n);
    packets.push({
      at: n / 46.875,
      packet: mediaPacket({ track: audio, dts, isSync: true, startsGop: false, payload }),
    });
  }
  for (const { packet } of packets.toSorted((a, b) => a.at - b.at)) window.onPacket(packet);
}

/** The name of the segment that begins that many seconds after the clock's start. */
function nameAt(seconds: number): string {
  return String(CLOCK_START_US / 1000 + seconds * 1000);
}

/** A client's end of a body. */
class Body implements HttpBodySink {
  readonly chunks: Uint8Array[] = [];
  end_: "open" | "ended" | "aborted" | number = "open";
  close = (): void => {};

  write(bytes: Uint8Array): void {
    this.chunks.push(bytes);
  }
  queuedBytes(): number {
    return 0;
  }
  end(instead?: HttpReply): void {
    this.end_ = instead?.status ?? "ended";
  }
  abort(): void {
    this.end_ = "aborted";
  }
  get text(): string {
    return Buffer.from(concatBytes(this.chunks)).toString("latin1");
  }
  get bytes(): number {
    return concatBytes(this.chunks).byteLength;
  }
}

function ask(window: Presentation, name: string, selection = ["v1"]): HttpReply {
  const reply = mediaFileReply(
    { kind: "segment", name, selection: selection as TrackId[] },
    window,
    request,
  );
  assert.ok(!(reply instanceof Promise));
  return reply;
}

/** As an HTTP/1.0 client asks. */
function askWithoutChunks(
  window: Presentation,
  name: string,
  changes: Partial<HttpRequest> = {},
): Promise<HttpReply> {
  const file = { kind: "segment", name, selection: ["v1"] as TrackId[] } as const;
  return Promise.resolve(mediaFileReply(file, window, { ...request, takesChunks: false, ...changes }));
}

function start(reply: HttpReply): Body {
  assert.equal(reply.isChunked, true);
  const body = new Body();
  const source = reply.stream!(body);
  body.close = () => source.close();
  return body;
}

/** How often each picture's or sound's payload stands in a body: by its bytes. */
function moofs(body: Body): number {
  return body.text.split("moof").length - 1;
}

test("a segment that grows is sent part by part, and ends when it is complete", async () => {
  const window = openWindow();
  feed(window, 0, 3.44);
  const body = start(ask(window, nameAt(3)));
  await eventually(() => assert.equal(moofs(body), 2));
  feed(window, 3.44, 3.84);
  await eventually(() => assert.equal(moofs(body), 4));
  assert.equal(body.end_, "open");
  feed(window, 3.84, 4.24);
  await eventually(() => assert.equal(body.end_, "ended"));
  assert.equal(moofs(body), 5);
  for (let frame = 75; frame < 100; frame++)
    assert.equal(
      body.text.split(Buffer.alloc(500, frame).toString("latin1")).length,
      2,
      `picture ${frame}`,
    );
});

test("who comes in the middle gets all parts, and each selection its own tracks", async () => {
  const window = openWindow();
  feed(window, 0, 3.84);
  const bodies = [["v1"], ["a1"], ["v1", "a1"]].map((tracks) => start(ask(window, nameAt(3), tracks)));
  feed(window, 3.84, 4.5);
  await eventually(() =>
    assert.deepEqual(
      bodies.map((body) => body.end_),
      ["ended", "ended", "ended"],
    ),
  );
  const [pictures, sound, both] = bodies;
  assert.ok(pictures!.bytes > 25 * 500 && sound!.bytes > 46 * 50 && sound!.bytes < 10_000);
  assert.ok(both!.bytes > pictures!.bytes + 46 * 50);
});

test("a segment that is expected is waited for; one that begins elsewhere is not there", async () => {
  const window = openWindow();
  feed(window, 0, 3.5);
  assert.deepEqual(
    growingSegments(window.edge!.now()!).map(({ name, isExpected }) => [name, isExpected]),
    [
      [nameAt(3), false],
      [nameAt(4), true],
    ],
  );
  const body = start(ask(window, nameAt(4)));
  feed(window, 3.5, 4.5);
  await eventually(() => assert.ok(moofs(body) >= 2));
  const late = start(ask(window, nameAt(5)));
  // The next GOP comes after 30 pictures.
  feed(window, 4.5, 6.6, 30);
  await eventually(() => assert.equal(body.end_, "ended"));
  await eventually(() => assert.equal(late.end_, 404));
});

test("segments that are not as long as each other make nobody expect another one", () => {
  const window = openWindow();
  feed(window, 0, 3);
  feed(window, 3, 5, 40);
  assert.deepEqual(
    growingSegments(window.edge!.now()!).map(({ isExpected }) => isExpected),
    [false],
  );
});

test("a complete segment is sent whole, and one that nobody can know of is not there", () => {
  const window = openWindow();
  feed(window, 0, 3.5);
  const whole = ask(window, nameAt(2));
  assert.deepEqual([whole.status, whole.isChunked], [200, undefined]);
  for (const name of [nameAt(60), nameAt(3.2), "1", "9999999999999999"])
    assert.equal(ask(window, name).status, 404, name);
  assert.equal(ask(window, nameAt(3), ["v2"]).status, 404);
});

test("the announced segment is held while the publisher is away, and is not there when it returns", async () => {
  const clock = new FakeClock();
  const window = openWindow(clock);
  feed(window, 0, 3.5);
  window.onPause();
  assert.equal(window.edge!.now()!.open, null);
  const held = start(ask(window, nameAt(4)));
  await eventually(() => assert.equal(window.heldRequests, 2));
  for (const name of [nameAt(60), nameAt(3.2), nameAt(2.5)])
    assert.equal(ask(window, name, ["v2"]).status, 404, "a track that was not there is none to wait for");
  feed(window, 6.5, 7.3);
  assert.notEqual(window.edge!.now()!.open, null);
  await eventually(() => assert.equal(held.end_, 404));
  assert.equal(window.heldRequests, 0);
});

test("nobody is held for longer than three target durations by a publisher that stays away", async () => {
  const clock = new FakeClock();
  const window = openWindow(clock);
  feed(window, 0, 3.5);
  window.onPause();
  const held = start(ask(window, nameAt(4)));
  await eventually(() => assert.equal(window.heldRequests, 2));
  clock.advance(2999);
  assert.equal(held.end_, "open");
  clock.advance(1);
  await eventually(() => assert.equal(held.end_, 503));
  assert.deepEqual([window.heldRequests, clock.pendingTimers], [0, 0]);
});

test("who leaves is forgotten, and is written nothing more", async () => {
  const window = openWindow();
  feed(window, 0, 3.44);
  const body = start(ask(window, nameAt(3)));
  await eventually(() => assert.equal(moofs(body), 2));
  body.close();
  feed(window, 3.44, 5);
  const other = start(ask(window, nameAt(5)));
  feed(window, 5, 6.5);
  await eventually(() => assert.equal(other.end_, "ended"));
  assert.deepEqual([moofs(body), body.end_], [2, "open"]);
});

test("a publisher that leaves completes the segment", async () => {
  const window = openWindow();
  feed(window, 0, 3.5);
  const bodies = [start(ask(window, nameAt(3))), start(ask(window, nameAt(4)))];
  window.onEnd();
  await eventually(() => assert.equal(bodies[0]!.end_, "ended"));
  assert.equal(moofs(bodies[0]!), 3);
  await eventually(() => assert.equal(bodies[1]!.end_, 404));
});

test("an edge that is lost in the middle leaves nobody with half a segment that looks whole", async () => {
  const window = openWindow();
  feed(window, 0, 3.5);
  let isLost = false;
  const source = window.edge!;
  const presentation: Presentation = {
    version: null,
    timeline: () => window.timeline(),
    initName: () => "",
    initSegment: () => null,
    segment: (name, selection) => window.segment(name, selection),
    edge: { ...source, now: () => (isLost ? null : source.now()) },
  };
  const body = start(ask(presentation, nameAt(3)));
  await eventually(() => assert.equal(moofs(body), 2));
  isLost = true;
  feed(window, 3.5, 3.9);
  await eventually(() => assert.equal(body.end_, "aborted"));
});

/** That window, with another edge. */
function presentationWith(window: LiveWindow, edge: Partial<EdgeSource>): Presentation {
  return {
    version: null,
    timeline: () => window.timeline(),
    initName: () => "",
    initSegment: () => null,
    segment: (name, selection) => window.segment(name, selection),
    edge: { ...window.edge!, ...edge },
  };
}

test("one who finds no place to wait is told so, or cut off where something was sent", async () => {
  const window = openWindow();
  feed(window, 0, 3.5);
  const presentation = presentationWith(window, { hold: () => null });
  const [begun, expected] = [start(ask(presentation, nameAt(3))), start(ask(presentation, nameAt(4)))];
  await eventually(() => assert.deepEqual([begun.end_, expected.end_], ["aborted", 503]));
  assert.equal(moofs(begun), 2);
});

test("a segment on which nothing more comes for three target durations is given up", async () => {
  const clock = new FakeClock();
  const window = openWindow(clock);
  feed(window, 0, 3.5);
  const [begun, expected] = [start(ask(window, nameAt(3))), start(ask(window, nameAt(4)))];
  await eventually(() => assert.deepEqual([moofs(begun), window.heldRequests], [2, 4]));
  clock.advance(2999);
  assert.deepEqual([begun.end_, expected.end_], ["open", "open"]);
  clock.advance(1);
  await eventually(() => assert.deepEqual([begun.end_, expected.end_], ["aborted", 503]));
  assert.deepEqual([window.heldRequests, clock.pendingTimers], [0, 0]);
});

test("who cannot take chunks gets the whole segment, once it is complete", async () => {
  const window = openWindow();
  feed(window, 0, 3.5);
  const names = [nameAt(3), nameAt(4)];
  const waiting = names.map((name) => askWithoutChunks(window, name));
  assert.equal(window.heldRequests, 2);
  feed(window, 3.5, 5.1);
  const replies = await Promise.all(waiting);
  for (const [index, reply] of replies.entries()) {
    assert.deepEqual([reply.status, reply.stream], [200, undefined]);
    assert.equal(reply.body, window.segment(names[index]!, ["v1"] as TrackId[]));
    assert.equal(new Map(reply.headers).get("etag"), `"${names[index]}-v1"`);
  }
});

test("who cannot take chunks waits as long as others, and no longer than he stays", async () => {
  const clock = new FakeClock();
  const window = openWindow(clock);
  feed(window, 0, 3.5);
  let leave = (): void => {};
  void askWithoutChunks(window, nameAt(3), { onLeave: (run) => void (leave = run) });
  const late = askWithoutChunks(window, nameAt(3));
  assert.equal(window.heldRequests, 2);
  leave();
  assert.equal(window.heldRequests, 1);
  clock.advance(3000);
  assert.equal((await late).status, 503);
  const full = presentationWith(window, { hold: () => null });
  assert.equal((await askWithoutChunks(full, nameAt(3))).status, 503);
  const ended = askWithoutChunks(window, nameAt(4));
  window.onEnd();
  assert.equal((await ended).status, 404);
  assert.equal(clock.pendingTimers, 0);
});

test("a part that is listed and cannot be had any more is not left out in silence", async () => {
  const window = openWindow();
  feed(window, 0, 3.5);
  const presentation = presentationWith(window, {
    part: (name, index, selection) => (index === 1 ? null : window.edge!.part(name, index, selection)),
  });
  const body = start(ask(presentation, nameAt(3)));
  await eventually(() => assert.equal(body.end_, "aborted"));
  assert.equal(moofs(body), 1);
});

test("a client that takes nothing is cut off when more waits for it than may", async () => {
  const window = openWindow();
  feed(window, 0, 3.44);
  const body = start(ask(window, nameAt(3)));
  await eventually(() => assert.equal(moofs(body), 2));
  body.queuedBytes = () => MAX_QUEUED_BYTES;
  feed(window, 3.44, 3.64);
  await eventually(() => assert.equal(moofs(body), 3));
  body.queuedBytes = () => MAX_QUEUED_BYTES + 1;
  feed(window, 3.64, 3.84);
  await eventually(() => assert.equal(body.end_, "aborted"));
  assert.equal(moofs(body), 3);
});

test("what an edge said last is sent to its end, also when nobody tells of it any more", async () => {
  const window = openWindow();
  feed(window, 0, 3.5);
  let told: LiveEdge | null = window.edge!.now();
  const ends: Hold[] = [];
  const presentation = presentationWith(window, {
    now: () => told,
    hold: (hold) => {
      ends.push(hold);
      return { cancel: () => {} };
    },
    part: (name, index, selection) => {
      told = null;
      return Promise.resolve(window.edge!.part(name, index, selection));
    },
  });
  const body = start(ask(presentation, nameAt(3)));
  await eventually(() => assert.equal(moofs(body), 2));
  await eventually(() => assert.equal(ends.length, 2));
  window.onEnd();
  told = window.edge!.now();
  ends[1]!.end("reached");
  await eventually(() => assert.equal(body.end_, "ended"));
  assert.equal(moofs(body), 3);
});
