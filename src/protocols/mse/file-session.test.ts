import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FILM_MS, Film, pictureTimes, settle } from "../../../test/support/film.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { readI32, readU16, readU32, readU64 } from "../../base/bytes.ts";
import { defineErrors } from "../../base/errors.ts";
import type { WebSocketSink } from "../../base/http-message.ts";
import { MseFileSession } from "./file-session.ts";
import { parseMseSelection } from "./selection.ts";

const errors = defineErrors({
  VOD_READ_FAILED: { disposition: "reject", message: "the disk is gone", doc: "For this test." },
  VOD_BUSY: { disposition: "retry", message: "too many", doc: "For this test." },
});

const SYNC = 0x0200_0000;

/** One fragment as a player reads it. */
type Fragment = { track: number; dtsMs: number; ptsMs: number; utcS: number; isSync: boolean };

/** The payloads of whole frames behind each other. */
function* payloads(frames: Uint8Array): Generator<{ isText: boolean; bytes: Uint8Array }> {
  for (let at = 0; at < frames.byteLength;) {
    const short = frames[at + 1]!;
    const [begin, length] =
      short < 126
        ? [at + 2, short]
        : short === 126
          ? [at + 4, readU16(frames, at + 2)]
          : [at + 10, readU64(frames, at + 2)];
    yield { isText: frames[at] === 0x81, bytes: frames.subarray(begin, begin + length) };
    at = begin + length;
  }
}

function fragmentOf(bytes: Uint8Array): Fragment {
  const track = bytes[47]!;
  const perMs = track === 1 ? 90 : 48;
  const dtsMs = readU64(bytes, 72) / perMs;
  return {
    ...{ track, dtsMs, ptsMs: dtsMs + readI32(bytes, 120) / perMs },
    utcS: readU32(bytes, 92) + readU32(bytes, 96) / 1_000_000,
    isSync: readU32(bytes, 56) === SYNC,
  };
}

type Said = {
  type: string;
  event?: string;
  code?: string;
  reason?: string;
  metadata?: { duration: number };
};

class Socket implements WebSocketSink {
  readonly messages: Said[] = [];
  readonly fragments: Fragment[] = [];
  closedWith: [code: number, reason: string] | null = null;
  queued = 0;
  isQueueing = false;
  accept(): void {}
  write(frames: Uint8Array): void {
    if (this.isQueueing) this.queued += frames.byteLength;
    for (const { isText, bytes } of payloads(frames)) {
      if (isText) this.sendText(new TextDecoder().decode(bytes));
      else this.fragments.push(fragmentOf(bytes));
    }
  }
  sendText(text: string): void {
    this.messages.push(JSON.parse(text) as Said);
  }
  queuedBytes(): number {
    return this.queued;
  }
  close(code: number, reason: string): void {
    this.closedWith = [code, reason];
  }
  /** Events, types of other messages, and codes of errors. */
  get said(): string[] {
    return this.messages.map(({ event, code, type }) => event ?? code ?? type);
  }
  pictures(from = 0): number[] {
    return this.fragments
      .filter(({ track }) => track === 1)
      .slice(from)
      .map(({ dtsMs }) => dtsMs);
  }
}

let clock: FakeClock;
let socket: Socket;
let log: RecordingLog;
let over: number;

beforeEach(() => {
  clock = new FakeClock();
  socket = new Socket();
  log = new RecordingLog();
  over = 0;
});

function open(film = new Film(), { tracks = "", fromSeconds = 0 } = {}): MseFileSession {
  const session = new MseFileSession(socket, {
    ...{ name: "vod/film.mp4", packets: film, fromSeconds, clock, log },
    selection: parseMseSelection(tracks)!,
    over: () => over++,
  });
  session.play();
  return session;
}

async function pass(ms: number): Promise<void> {
  await clock.advanceSettling(ms, 100);
  await settle();
}

test("an init message with the length, three seconds at once, and the rest as it plays", async () => {
  open();
  await settle();
  assert.deepEqual(socket.said, ["mse_init_segment"]);
  assert.equal(socket.messages[0]?.metadata?.duration, FILM_MS / 1000);
  assert.deepEqual(socket.pictures(), pictureTimes(76));
  assert.ok(socket.fragments.some(({ track }) => track === 101));
  assert.deepEqual(
    socket.fragments.filter(({ isSync, track }) => isSync && track === 1).map(({ utcS }) => utcS),
    [0, 1, 2, 3],
  );
  await pass(2000);
  const count = socket.pictures().length;
  assert.ok(count >= 120 && count <= 126, `${count} pictures after 2 s`);
});

test("every frame comes once, then the end is told, and the socket stays", async () => {
  const film = new Film();
  open(film);
  await pass(8000);
  assert.deepEqual(socket.pictures(), pictureTimes(250));
  assert.equal(socket.fragments.length, film.packets.length);
  assert.deepEqual(socket.said, ["mse_init_segment", "recordings_ended"]);
  assert.deepEqual([socket.closedWith, clock.pendingTimers, over], [null, 0, 0]);
});

test("a seek begins with the key frame before it and sends at once what leads to its time and beyond", async () => {
  const session = open();
  await settle();
  const before = socket.pictures().length;
  session.onText("play_from=5.9");
  await settle();
  assert.deepEqual(socket.said.slice(1), ["seeked", "mse_init_segment"]);
  assert.deepEqual(socket.pictures(before), pictureTimes(98, 5000));
});

test("with B-frames it is the last key frame that is shown by then, not the last one that is decoded", async () => {
  const session = open(new Film({ reorderMs: 80 }));
  await settle();
  for (const [seconds, fromMs] of [
    ["5.05", 4000],
    ["5.08", 5000],
    ["0", 0],
  ] as const) {
    const before = socket.pictures().length;
    session.onText(`play_from=${seconds}`);
    await settle();
    assert.equal(socket.pictures(before)[0], fromMs, seconds);
  }
  const offsets = socket.fragments.map(({ track, ptsMs, dtsMs }) => [track, ptsMs - dtsMs]);
  assert.ok(offsets.every(([track, offsetMs]) => offsetMs === (track === 1 ? 80 : 0)));
});

test("it begins where the address says; beyond the end with the last key frame, and may be sought after the end", async () => {
  const session = open(new Film(), { fromSeconds: 3.5 });
  await settle();
  assert.equal(socket.pictures()[0], 3000);
  const before = socket.pictures().length;
  session.onText("play_from=1700000000");
  await settle();
  assert.deepEqual(socket.pictures(before), pictureTimes(25, 9000));
  assert.equal(socket.said.at(-1), "recordings_ended");
  session.onText("play_from=8");
  await pass(1000);
  assert.deepEqual(socket.pictures(before + 25), pictureTimes(50, 8000));
});

test("a pause stops the clock; going on repeats and omits nothing, without another init message", async () => {
  const session = open();
  await settle();
  session.onText("pause");
  const before = socket.fragments.length;
  await pass(20_000);
  assert.equal(socket.fragments.length, before);
  assert.equal(clock.pendingTimers, 0);
  session.onText("resume");
  await pass(8000);
  assert.deepEqual(socket.pictures(), pictureTimes(250));
  assert.deepEqual(socket.said, ["mse_init_segment", "paused", "resumed", "recordings_ended"]);
});

test("a seek while it has paused sends the picture of that time, and no more until it goes on", async () => {
  const session = open();
  await settle();
  session.onText("pause");
  const before = socket.pictures().length;
  session.onText("play_from=4.5");
  await pass(20_000);
  assert.deepEqual(socket.pictures(before), pictureTimes(88, 4000));
  session.onText("resume");
  await pass(8000);
  assert.deepEqual(socket.pictures(before), pictureTimes(150, 4000));
});

test("a pause behind the end holds for the seek that follows", async () => {
  const session = open(new Film(), { fromSeconds: 9 });
  await pass(2000);
  session.onText("pause");
  session.onText("resume");
  assert.deepEqual(socket.said.slice(-4), ["recordings_ended", "paused", "resumed", "recordings_ended"]);
  session.onText("pause");
  const before = socket.pictures().length;
  session.onText("play_from=1");
  await pass(20_000);
  assert.deepEqual(socket.pictures(before), pictureTimes(76, 1000));
});

test("tracks are switched where the viewer is; of tracks that the file has not, it says so and reads nothing", async () => {
  const film = new Film();
  const session = open(film, { tracks: "v1" });
  await pass(2000);
  assert.ok(socket.fragments.every(({ track }) => track === 1));
  const before = socket.fragments.length;
  session.onText("set_tracks=a1");
  await settle();
  assert.deepEqual(socket.said.slice(1), ["tracks_switched", "mse_init_segment"]);
  const after = socket.fragments.slice(before);
  assert.deepEqual([...new Set(after.map(({ track }) => track))], [101]);
  assert.ok(after[0]!.dtsMs >= 2000 && after[0]!.dtsMs < 2022, `${after[0]!.dtsMs}`);
  session.onText("set_tracks=a9");
  const reads = film.reads.length;
  await pass(20_000);
  assert.deepEqual(socket.said.slice(3), ["tracks_switched", "stream_unavailable"]);
  assert.equal(film.reads.length, reads);
  session.onText("set_tracks=v1a1");
  await pass(12_000);
  assert.equal(socket.said.at(-1), "recordings_ended");
});

test("a slow connection is sent no more than its queue may hold, and everything in the end", async () => {
  const film = new Film({ payloadBytes: 40_000 });
  socket.isQueueing = true;
  const session = open(film);
  await pass(60_000);
  for (let i = 0; !socket.said.includes("recordings_ended"); i++) {
    assert.ok(i < 1000, "it never ends");
    assert.ok(socket.queued <= 128 * 1024 + 45_000, `${socket.queued} bytes wait`);
    socket.queued = 0;
    session.drained();
    await settle();
  }
  assert.equal(socket.fragments.length, film.packets.length);
  assert.equal(film.mostRunning, 1);
});

test("a read that may succeed later is tried again; one that fails ends the socket with one line", async () => {
  const film = new Film();
  film.failure = errors.error("VOD_BUSY", {});
  open(film);
  await pass(1000);
  assert.deepEqual([socket.closedWith, film.reads.length > 1], [null, true]);
  film.failure = errors.error("VOD_READ_FAILED", {});
  await pass(1000);
  assert.deepEqual(socket.closedWith, [1013, "the disk is gone"]);
  assert.deepEqual(socket.said, ["mse_init_segment", "stream_unavailable"]);
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields["name"], fields["code"]]),
    [["warn", "vod/film.mp4", "VOD_READ_FAILED"]],
  );
  assert.deepEqual([clock.pendingTimers, over], [0, 1]);
});

test("a fault of the server closes with 1011, and says nothing of its insides", async () => {
  const film = new Film();
  film.failure = new TypeError("undefined is no function");
  open(film);
  await settle();
  assert.deepEqual(socket.closedWith, [1011, "the server failed"]);
  assert.match(log.text, /undefined is no function/);
});

test("live is not for files, another word is answered, and commands without pause end it", async () => {
  const session = open();
  await settle();
  session.onText("live");
  session.onText("rewind");
  session.onText("{}");
  assert.deepEqual(socket.said.slice(1), ["stream_unavailable", "MSE_BAD_COMMAND"]);
  assert.match(socket.messages[1]?.reason ?? "", /play_from=0/);
  for (let i = 0; i < 31; i++) session.onText("play_from=1");
  assert.equal(socket.closedWith?.[0], 1008);
  const count = socket.messages.length;
  session.onText("resume");
  await pass(5000);
  assert.deepEqual([socket.messages.length, over, clock.pendingTimers], [count, 1, 0]);
});

test("who leaves while a read runs is sent nothing more", async () => {
  const film = new Film();
  const gate = Promise.withResolvers<void>();
  film.gate = gate.promise;
  const session = open(film);
  session.close();
  session.close();
  gate.resolve();
  await pass(5000);
  assert.deepEqual([socket.fragments.length, film.reads.length, clock.pendingTimers, over], [0, 1, 0, 1]);
});
