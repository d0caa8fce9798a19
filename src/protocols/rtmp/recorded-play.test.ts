import assert from "node:assert/strict";
import { before as beforeAll, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { eventually } from "../../../test/support/eventually.ts";
import { ArchiveFilm } from "../../../test/support/archive-film.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { Film, pictureTimes } from "../../../test/support/film.ts";
import { trackSet, videoTrack } from "../../../test/support/media.ts";
import { concatBytes, readU32 } from "../../base/bytes.ts";
import { defineErrors } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import type { RtmpRecording } from "./recorded-play.ts";
import { RtmpSession } from "./session.ts";
import type { RtmpSessionHost } from "./session.ts";
import {
  clientCommand,
  clientConnect,
  clientHandshake,
  clientMessage,
  joined,
  serverMessages,
  statusCodes,
} from "./test-client.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { DEFAULT_CHUNK_LIMITS } from "./wire/chunk-reader.ts";
import type { RtmpMessage } from "./wire/chunk-reader.ts";
import { MESSAGE } from "./wire/messages.ts";

const errors = defineErrors({
  VOD_NOT_FOUND: { disposition: "reject", message: "there is no file", doc: "For this test." },
  DVR_NOTHING_RECORDED: { disposition: "reject", message: "nothing is recorded", doc: "For this test." },
  VOD_BUSY: { disposition: "retry", message: "too many", doc: "For this test." },
});

const OPTIONS = {
  chunkLimits: DEFAULT_CHUNK_LIMITS,
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  publishTimeoutMs: 30_000,
  pauseTimeoutMs: 600_000,
};
const CONTROL = { begin: 0, eof: 1, dry: 2, recorded: 4 };

class Viewer implements RtmpSessionHost {
  readonly clock = new FakeClock();
  readonly film: Film;
  /** Played in place of the film. */
  archive: ArchiveFilm | null = null;
  readonly written: Uint8Array[] = [];
  readonly closedBy: string[] = [];
  queued = 0;
  /** What is written stays in the queue. */
  isQueueing = false;
  openFailure: Error | null = null;
  readonly session: RtmpSession;

  constructor(film = new Film()) {
    this.film = film;
    this.session = new RtmpSession(this, OPTIONS, silentLogger, 0);
    this.session.feed(concatBytes([clientHandshake(), clientConnect("vod")]), 0);
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
    if (this.isQueueing) this.queued += bytes.byteLength;
  }
  publish(): never {
    throw new Error("not here");
  }
  holdReading(): void {}
  admit(): undefined {}
  moved(): void {}
  play(): RtmpRecording {
    return {
      open: async () => {
        await Promise.resolve();
        if (this.openFailure !== null) throw this.openFailure;
        return this.archive ?? this.film;
      },
      clock: this.clock,
      queuedBytes: () => this.queued,
    };
  }
  closed(reason: string): void {
    this.closedBy.push(reason);
  }

  /** Says something, and lets what follows from it happen. */
  async say(name: string, ...args: readonly AmfValue[]): Promise<void> {
    this.session.feed(clientCommand(name, 0, null, ...args), this.clock.nowUs());
    await this.settle();
  }
  async settle(): Promise<void> {
    for (let i = 0; i < 40; i++) await turn();
  }
  async pass(ms: number): Promise<void> {
    await this.clock.advanceSettling(ms, 100);
    await this.settle();
  }
  async setBuffer(lengthMs: number): Promise<void> {
    const body = new Uint8Array(10);
    body[1] = 3;
    new DataView(body.buffer).setUint32(6, lengthMs);
    this.session.feed(clientMessage(MESSAGE.userControl, body, 0, 2), this.clock.nowUs());
    await this.settle();
  }

  /** Forgets what came so far, but for the handshake and the chunk size. */
  messages(): RtmpMessage[] {
    return serverMessages(joined(this.written));
  }
  /** Times of the pictures that came, without configurations. */
  pictures(from = 0): number[] {
    const video = this.messages().filter(({ typeId, body }) => typeId === MESSAGE.video && body[1] === 1);
    return video.slice(from).map(({ timestampMs }) => timestampMs);
  }
  sounds(): number {
    return this.messages().filter(({ typeId, body }) => typeId === MESSAGE.audio && body[1] === 1).length;
  }
  codes(): string[] {
    return statusCodes(joined(this.written)).slice(1);
  }
  controls(): number[] {
    return this.messages()
      .filter(({ typeId }) => typeId === MESSAGE.userControl)
      .map(({ body }) => (body[0]! << 8) | body[1]!);
  }
  state(): string {
    return this.session.facts().state;
  }
}

// What paces packets is loaded when somebody first plays a recording; from then on it is there at once.
beforeAll(async () => {
  const first = new Viewer();
  await first.say("play", "film.mp4");
  await eventually(() => assert.ok(first.codes().includes("NetStream.Play.Start")), { intervalMs: 1 });
  first.session.close("peer-closed");
  assert.equal(first.clock.pendingTimers, 0);
});

test("a film is announced, then sent ahead as far as the player's buffer and on at real time", async () => {
  const viewer = new Viewer();
  await viewer.setBuffer(2000);
  await viewer.say("play", "film.mp4", -2000);
  assert.deepEqual(viewer.controls(), [CONTROL.recorded, CONTROL.begin]);
  assert.deepEqual(viewer.codes(), ["NetStream.Play.Reset", "NetStream.Play.Start"]);
  assert.deepEqual(viewer.pictures(), pictureTimes(51));
  await viewer.pass(3000);
  const count = viewer.pictures().length;
  assert.ok(count >= 120 && count <= 126, `${count} pictures after 3 s`);
  await viewer.setBuffer(4000);
  assert.ok(viewer.pictures().length >= 170, "a larger buffer is filled at once");
});

test("every frame comes once, and at the end the player is told in this order", async () => {
  const viewer = new Viewer();
  await viewer.say("play", "film.mp4");
  await viewer.pass(8000);
  assert.deepEqual(viewer.pictures(), pictureTimes(250));
  assert.equal(viewer.sounds(), viewer.film.packets.length - 250);
  assert.deepEqual(viewer.codes().slice(2), ["NetStream.Play.Stop"]);
  const last = viewer.messages().slice(-3);
  assert.deepEqual(
    last.map(({ typeId }) => typeId),
    [MESSAGE.dataAmf0, MESSAGE.userControl, MESSAGE.commandAmf0],
  );
  assert.match(Buffer.from(last[0]!.body).toString("latin1"), /onPlayStatus.*NetStream\.Play\.Complete/s);
  assert.equal(readU32(last[1]!.body, 0), (CONTROL.eof << 16) >>> 0);
  assert.equal(viewer.clock.pendingTimers, 0);
  assert.equal(viewer.state(), "paused");
});

test("a seek goes on at the key frame before, and says so", async () => {
  const viewer = new Viewer();
  await viewer.say("play", "film.mp4");
  const before = viewer.pictures().length;
  await viewer.say("seek", 6600);
  assert.deepEqual(viewer.pictures(before), pictureTimes(76, 6000));
  assert.deepEqual(viewer.controls().slice(2), [CONTROL.eof, CONTROL.recorded, CONTROL.begin]);
  assert.deepEqual(viewer.codes().slice(2), ["NetStream.Seek.Notify", "NetStream.Play.Start"]);
  const configurations = viewer.messages().filter(({ typeId, body }) => typeId === 9 && body[1] === 0);
  assert.deepEqual(
    configurations.map(({ timestampMs }) => timestampMs),
    [0, 6000],
  );
  const metadata = viewer.messages().filter(({ typeId }) => typeId === MESSAGE.dataAmf0);
  assert.deepEqual(metadata.length, 1);
});

test("seeking to a key frame's own time finds it, beyond the end the last one, and after the end it plays again", async () => {
  const viewer = new Viewer();
  await viewer.say("play", "film.mp4");
  for (const [toMs, fromMs] of [
    [4000, 4000],
    [3999, 3000],
    [99_999_999, 9000],
  ] as const) {
    const before = viewer.pictures().length;
    await viewer.say("seek", toMs);
    assert.equal(viewer.pictures(before)[0], fromMs);
  }
  await viewer.pass(2000);
  assert.equal(viewer.state(), "paused");
  const before = viewer.pictures().length;
  await viewer.say("seek", 1000);
  assert.equal(viewer.state(), "playing");
  assert.equal(viewer.pictures(before)[0], 1000);
});

test("a seek to what is no time fails without harm", async () => {
  const viewer = new Viewer();
  await viewer.say("play", "film.mp4");
  for (const nonsense of [NaN, -1, "a", null]) await viewer.say("seek", nonsense);
  assert.deepEqual(viewer.codes().slice(2), Array(4).fill("NetStream.Seek.Failed"));
  await viewer.pass(8000);
  assert.deepEqual(viewer.pictures(), pictureTimes(250));
});

test("a pause sends nothing, and playing goes on with the next frame", async () => {
  const viewer = new Viewer();
  await viewer.say("play", "film.mp4");
  await viewer.say("pause", true, 0);
  const before = viewer.pictures().length;
  await viewer.pass(20_000);
  assert.equal(viewer.pictures().length, before);
  assert.equal(viewer.clock.pendingTimers, 0);
  await viewer.say("pause", false, 0);
  assert.equal(viewer.pictures().length, before);
  await viewer.pass(8000);
  assert.deepEqual(viewer.pictures(), pictureTimes(250));
  assert.deepEqual(viewer.codes().slice(2), [
    "NetStream.Pause.Notify",
    "NetStream.Unpause.Notify",
    "NetStream.Play.Stop",
  ]);
});

test("a pause and a seek before the file is open are heeded when it is", async () => {
  const viewer = new Viewer();
  const { session, clock } = viewer;
  const play = clientCommand("play", 0, null, "film.mp4");
  const pause = clientCommand("pause", 0, null, true, 0);
  session.feed(concatBytes([play, clientCommand("seek", 0, null, 5000), pause]), clock.nowUs());
  await viewer.settle();
  assert.deepEqual(viewer.pictures(), []);
  assert.equal(viewer.state(), "paused");
  await viewer.say("pause", false, 0);
  assert.equal(viewer.film.reads[0], 5_000_000);
  assert.ok(viewer.pictures().length > 0);
});

test("a part is played from the key frame before, on a clock of its own, and ends where it was asked to", async () => {
  const viewer = new Viewer();
  await viewer.say("play", "film.mp4", 3500, 2000);
  await viewer.pass(4000);
  assert.deepEqual(viewer.pictures(), pictureTimes(63));
  assert.equal(viewer.codes().at(-1), "NetStream.Play.Stop");
});

test("a slow connection is sent no more than its queue may hold, and everything in the end", async () => {
  const viewer = new Viewer(new Film({ payloadBytes: 4000 }));
  await viewer.setBuffer(36_000_000);
  viewer.queued = 128 * 1024;
  await viewer.say("play", "film.mp4");
  await viewer.pass(5000);
  assert.deepEqual(viewer.pictures(), []);
  for (let i = 0; viewer.state() === "playing"; i++) {
    assert.ok(i < 100, "it never ends");
    const before = viewer.written.reduce((sum, bytes) => sum + bytes.byteLength, 0);
    viewer.queued = 0;
    viewer.isQueueing = true;
    viewer.session.stream.drained();
    await viewer.settle();
    const after = viewer.written.reduce((sum, bytes) => sum + bytes.byteLength, 0);
    assert.ok(after - before <= 128 * 1024 + 5000, `${after - before} bytes at once`);
  }
  assert.deepEqual(viewer.pictures(), pictureTimes(250));
  assert.equal(viewer.film.mostRunning, 1);
});

test("however often a player seeks, one read runs at a time, and what is stale is not sent", async () => {
  const viewer = new Viewer();
  const gate = Promise.withResolvers<void>();
  viewer.film.gate = gate.promise;
  await viewer.say("play", "film.mp4");
  for (let i = 0; i < 50; i++) await viewer.say("seek", (i % 9) * 1000);
  assert.deepEqual([viewer.film.reads.length, viewer.film.mostRunning], [1, 1]);
  gate.resolve();
  await viewer.settle();
  assert.equal(viewer.film.mostRunning, 1);
  assert.equal(viewer.pictures()[0], 4000);
});

test("a storage that is slow leaves the player dry, and the player is told once", async () => {
  const viewer = new Viewer();
  const gate = Promise.withResolvers<void>();
  viewer.film.gate = gate.promise;
  await viewer.say("play", "film.mp4");
  await viewer.pass(5000);
  assert.deepEqual(viewer.controls(), [CONTROL.recorded, CONTROL.begin, CONTROL.dry]);
  gate.resolve();
  await viewer.pass(5000);
  assert.deepEqual(viewer.pictures(), pictureTimes(250));
});

test("a file that is not there is told like a stream that is not there", async () => {
  const viewer = new Viewer();
  viewer.openFailure = errors.error("VOD_NOT_FOUND");
  await viewer.say("play", "film.mp4");
  assert.deepEqual(viewer.codes(), ["NetStream.Play.StreamNotFound"]);
  assert.deepEqual(viewer.closedBy, ["refused"]);
});

test("a time at which nothing is recorded is told in the same word", async () => {
  const viewer = new Viewer();
  viewer.openFailure = errors.error("DVR_NOTHING_RECORDED");
  await viewer.say("play", "cam?from=5");
  assert.deepEqual(viewer.codes(), ["NetStream.Play.StreamNotFound"]);
});

test("a read that may succeed later is tried again; one that fails for good ends this player", async () => {
  const viewer = new Viewer();
  await viewer.say("play", "film.mp4");
  viewer.film.failure = errors.error("VOD_BUSY");
  await viewer.pass(3000);
  viewer.film.failure = null;
  await viewer.pass(8000);
  assert.deepEqual(viewer.pictures(), pictureTimes(250));
  const broken = new Viewer();
  await broken.say("play", "film.mp4");
  broken.film.failure = new Error("not one of ours");
  await broken.pass(3000);
  assert.deepEqual(broken.closedBy, ["internal-error"]);
  assert.equal(broken.clock.pendingTimers, 0);
});

test("a storage that stays busy is given up at last", async () => {
  const viewer = new Viewer();
  viewer.film.failure = errors.error("VOD_BUSY");
  await viewer.say("play", "film.mp4");
  await viewer.pass(15_000);
  assert.deepEqual(viewer.codes().slice(2), ["NetStream.Play.Failed"]);
  assert.deepEqual(viewer.closedBy, ["refused"]);
});

test("whoever leaves, at any point, leaves nothing behind", async () => {
  for (const leave of [
    async (viewer: Viewer) => viewer.session.close("peer-closed"),
    (viewer: Viewer) => viewer.say("deleteStream", 1),
    (viewer: Viewer) => viewer.say("closeStream"),
  ]) {
    for (const whenMs of [0, 100, 2500, 20_000]) {
      const viewer = new Viewer();
      const play = viewer.say("play", "film.mp4");
      if (whenMs > 0) {
        await play;
        await viewer.pass(whenMs);
      }
      await leave(viewer);
      await play;
      await viewer.settle();
      const count = viewer.written.length;
      await viewer.pass(2000);
      assert.equal(viewer.written.length, count);
      assert.equal(viewer.clock.pendingTimers, 0);
    }
  }
});

test("a film without sound that a player can take is sent without it", async () => {
  const film = new Film();
  Object.assign(film, { tracks: trackSet([videoTrack()]) });
  const viewer = new Viewer(film);
  await viewer.say("play", "film.mp4");
  assert.ok(viewer.pictures().length > 0);
});

/** Everything that can happen to a player of a film. */
const STEPS: Readonly<Record<string, (viewer: Viewer) => Promise<void>>> = {
  play: (viewer) => viewer.say("play", "film.mp4"),
  playPart: (viewer) => viewer.say("play", "film.mp4", 2500, 1500),
  seek: (viewer) => viewer.say("seek", 4200),
  seekBeyond: (viewer) => viewer.say("seek", 1e12),
  seekNonsense: (viewer) => viewer.say("seek", "x"),
  pause: (viewer) => viewer.say("pause", true, 0),
  resume: (viewer) => viewer.say("pause", false, 0),
  stop: (viewer) => viewer.say("deleteStream", 1),
  wait: (viewer) => viewer.pass(700),
  waitLong: (viewer) => viewer.pass(6000),
  hugeBuffer: (viewer) => viewer.setBuffer(0xffff_ffff),
  noBuffer: (viewer) => viewer.setBuffer(0),
  fill: async (viewer) => void (viewer.queued = 1e6),
  drain: async (viewer) => {
    viewer.queued = 0;
    viewer.session.stream.drained();
    await viewer.settle();
  },
  busy: async (viewer) => void (viewer.film.failure = errors.error("VOD_BUSY")),
  free: async (viewer) => void (viewer.film.failure = null),
  close: async (viewer) => viewer.session.close("peer-closed"),
};

test("whatever happens in whatever order, a player keeps its bounds and leaves nothing behind", async () => {
  const steps = fc.array(fc.constantFrom(...Object.keys(STEPS)), { maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(steps, async (names) => {
      const viewer = new Viewer();
      for (const name of names) {
        if (viewer.state() === "closed") break;
        await STEPS[name]!(viewer);
        assert.ok(viewer.clock.pendingTimers <= 2, `${viewer.clock.pendingTimers} timers`);
        if (viewer.state() !== "playing") assert.equal(viewer.clock.pendingTimers, 0);
        assert.ok(viewer.film.mostRunning <= 1, "one read at a time");
      }
      viewer.session.close("peer-closed");
      await viewer.settle();
      assert.equal(viewer.clock.pendingTimers, 0);
      assert.ok(!viewer.closedBy.includes("internal-error"), "nothing unforeseen");
    }),
    { numRuns: 60 },
  );
});

/** A viewer of what has no end yet, with points that are looked for. */
async function archiveViewer(): Promise<Viewer & { readonly archive: ArchiveFilm }> {
  const viewer = Object.assign(new Viewer(), { archive: new ArchiveFilm() });
  await viewer.say("play", "cam?from=1767225600");
  return viewer;
}

test("an archive tells no length, and other tracks where they begin", async () => {
  const viewer = await archiveViewer();
  await viewer.pass(9000);
  assert.deepEqual(viewer.pictures(), pictureTimes(250));
  const told = viewer.messages().filter(({ typeId }) => typeId === MESSAGE.dataAmf0);
  const metadata = told.map(({ body }) => Buffer.from(body).toString("latin1"));
  assert.equal(metadata.filter((text) => text.includes("onMetaData")).length, 2);
  assert.ok(metadata.every((text) => !text.includes("onMetaData") || !text.includes("duration")));
  const configurations = viewer.messages().filter(({ typeId, body }) => typeId === 9 && body[1] === 0);
  assert.deepEqual(
    configurations.map(({ timestampMs }) => timestampMs),
    [0, 5000],
  );
});

test("a seek whose point is looked for goes there, and of several the last one counts", async () => {
  const viewer = await archiveViewer();
  const looked = Promise.withResolvers<void>();
  viewer.archive.gate = looked.promise;
  const before = viewer.pictures().length;
  await viewer.say("seek", 3000);
  await viewer.say("seek", 6600);
  assert.equal(viewer.codes().length, 2, "nothing is said before it is known where");
  looked.resolve();
  await viewer.settle();
  assert.deepEqual(viewer.codes().slice(2), ["NetStream.Seek.Notify", "NetStream.Play.Start"]);
  assert.deepEqual(viewer.pictures(before), pictureTimes(76, 6000));
});

test("a pause while a point is looked for stays one, also behind the end", async () => {
  const viewer = await archiveViewer();
  await viewer.pass(9000);
  assert.equal(viewer.state(), "paused");
  const looked = Promise.withResolvers<void>();
  viewer.archive.gate = looked.promise;
  const before = viewer.pictures().length;
  await viewer.say("seek", 2000);
  await viewer.say("pause", true, 0);
  looked.resolve();
  await viewer.pass(5000);
  assert.equal(viewer.state(), "paused");
  assert.deepEqual(viewer.pictures(before), []);
  await viewer.say("pause", false, 0);
  assert.deepEqual(viewer.pictures(before).slice(0, 2), [2000, 2040]);
});

test("a seek that cannot be made refuses the player; one that left is not told", async () => {
  const viewer = await archiveViewer();
  viewer.archive.failure = errors.error("VOD_NOT_FOUND", {});
  await viewer.say("seek", 2000);
  assert.deepEqual(viewer.closedBy, ["refused"]);
  const leaving = await archiveViewer();
  const looked = Promise.withResolvers<void>();
  leaving.archive.gate = looked.promise;
  await leaving.say("seek", 2000);
  leaving.session.close("peer-closed");
  looked.resolve();
  await leaving.pass(1000);
  assert.deepEqual([leaving.closedBy, leaving.clock.pendingTimers], [["peer-closed"], 0]);
});
