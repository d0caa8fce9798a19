import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ArchiveFilm, FILM_UTC_S } from "../../../test/support/archive-film.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { settle } from "../../../test/support/film.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { defineErrors } from "../../base/errors.ts";
import type { WebSocketSink } from "../../base/http-message.ts";
import { readU32 } from "../../base/bytes.ts";
import type { StreamName } from "../../media/ids.ts";
import { MseArchiveSession } from "./archive-session.ts";
import { FIRST_TRACKS } from "./selection.ts";

const errors = defineErrors({
  DVR_NOTHING_RECORDED: { disposition: "reject", message: "nothing is recorded", doc: "For this test." },
});

class Socket implements WebSocketSink {
  readonly said: string[] = [];
  readonly reasons: (string | undefined)[] = [];
  /** UTC of each fragment. Units: seconds. */
  readonly fragments: number[] = [];
  closedWith: readonly [number, string] | null = null;
  accept(): void {}
  write(frames: Uint8Array): void {
    for (let at = 0; at < frames.byteLength;) {
      const view = new DataView(frames.buffer, frames.byteOffset);
      const length = frames[at + 1]! < 126 ? frames[at + 1]! : view.getUint16(at + 2);
      const begin = at + (frames[at + 1]! < 126 ? 2 : 4);
      const bytes = frames.subarray(begin, begin + length);
      if (frames[at] === 0x81) this.sendText(new TextDecoder().decode(bytes));
      else this.fragments.push(readU32(bytes, 92) + readU32(bytes, 96) / 1_000_000);
      at = begin + length;
    }
  }
  sendText(text: string): void {
    const message = JSON.parse(text) as { type: string; event?: string; code?: string; reason?: string };
    this.said.push(message.event ?? message.code ?? message.type);
    this.reasons.push(message.reason);
  }
  queuedBytes(): number {
    return 0;
  }
  close(code: number, reason: string): void {
    this.closedWith = [code, reason];
  }
}

let clock: FakeClock;
let socket: Socket;
let directory: FakeDirectory;
let log: RecordingLog;
let film: ArchiveFilm;
let viewers: number;
let asked: number[];
/** Thrown by the next opening, when set. */
let failure: Error | null;
/** Openings wait for this. */
let gate: Promise<void>;

beforeEach(() => {
  clock = new FakeClock();
  socket = new Socket();
  directory = new FakeDirectory();
  log = new RecordingLog();
  film = new ArchiveFilm();
  viewers = 0;
  asked = [];
  failure = null;
  gate = Promise.resolve();
});

function open(utcSeconds: number | null = null): MseArchiveSession {
  const session = new MseArchiveSession(socket, {
    live: { name: "cam" as StreamName, directory, selection: FIRST_TRACKS },
    open: async (seconds) => {
      asked.push(seconds);
      await gate;
      if (failure !== null) throw failure;
      return film;
    },
    onFileViewer: (change) => (viewers += change),
    ...{ clock, log },
  });
  session.start(utcSeconds);
  return session;
}

async function pass(ms: number): Promise<void> {
  await clock.advanceSettling(ms, 100);
  await settle();
}

const formats = (): string[] => directory.subscribeRequests.map(({ format }) => format.id);
const T = FILM_UTC_S;

describe("a viewer of a recorded stream over MSE-LD", () => {
  test("who asks for no time plays live", () => {
    const session = open();
    assert.deepEqual([formats(), socket.said, asked, viewers], [["mse-first"], [], [], 0]);
    session.onText("pause");
    session.onText("resume");
    assert.deepEqual(socket.said, ["paused", "resumed"]);
    session.close();
    assert.equal(directory.closedSubscriptions, 3);
  });

  test("who asks for a time plays from the key frame before, with UTC, into other tracks", async () => {
    const session = open(T + 3.5);
    await settle();
    assert.deepEqual([asked, formats(), viewers], [[T + 3.5], [], 1]);
    assert.deepEqual(socket.said, ["mse_init_segment", "mse_init_segment"], "the second set comes at 5 s");
    assert.equal(socket.fragments[0], T + 3);
    await pass(10_000);
    assert.deepEqual(socket.said.slice(2), ["recordings_ended"]);
    assert.ok(socket.fragments.at(-1)! > T + 9.9);
    session.close();
    assert.deepEqual([viewers, clock.pendingTimers, socket.closedWith], [0, 0, null]);
  });

  test("goes from live to a time, from there to another one, and back", async () => {
    const session = open();
    session.onText(`play_from=${T + 1}`);
    assert.equal(directory.closedSubscriptions, 0, "live goes on until the archive is open");
    await settle();
    assert.deepEqual(socket.said, ["seeked", "mse_init_segment"]);
    assert.deepEqual([directory.closedSubscriptions, viewers], [1, 1]);
    const before = socket.fragments.length;
    session.onText(`play_from=${T + 6}`);
    await settle();
    assert.deepEqual(socket.said.slice(2), ["seeked", "mse_init_segment"]);
    assert.equal(socket.fragments[before], T + 6);
    assert.deepEqual(asked, [T + 1], "it is opened once");
    session.onText("set_tracks=v1");
    await settle();
    session.onText("live");
    assert.deepEqual(socket.said.slice(4), ["tracks_switched", "mse_init_segment", "switched_to_live"]);
    assert.deepEqual([formats(), viewers], [["mse-first", "mse-v1"], 0]);
    const { length } = socket.fragments;
    await pass(5000);
    assert.equal(socket.fragments.length, length, "nothing comes from the archive any more");
    session.close();
    assert.equal(clock.pendingTimers, 0);
  });

  test("what is not recorded is told, and live goes on; with a time in the address nothing plays", async () => {
    failure = errors.error("DVR_NOTHING_RECORDED", {});
    const session = open();
    session.onText(`play_from=5`);
    await settle();
    assert.deepEqual([socket.said, socket.reasons], [["stream_unavailable"], ["nothing is recorded"]]);
    assert.deepEqual([formats(), directory.closedSubscriptions], [["mse-first"], 0]);
    open(5);
    await settle();
    assert.deepEqual([socket.said.length, formats()], [2, ["mse-first", "mse-paused"]]);
    assert.equal(log.lines.length, 0);
    failure = new Error("a fault");
    session.onText(`play_from=5`);
    await settle();
    assert.deepEqual([socket.reasons.at(-1), log.lines.length], ["the server failed", 1]);
  });

  test("an archive that opens after the viewer went elsewhere is of no use", async () => {
    const opened = Promise.withResolvers<void>();
    gate = opened.promise;
    const session = open(T + 1);
    session.onText("live");
    opened.resolve();
    await settle();
    assert.deepEqual([socket.said, viewers, formats()], [["switched_to_live"], 0, ["mse-first"]]);
    session.onText(`play_from=${T}`);
    session.close();
    await settle();
    assert.deepEqual([socket.fragments, viewers], [[], 0]);
  });

  test("a pause while it opens stays one: the picture is sent, and no more until it goes on", async () => {
    const session = open(T);
    session.onText("pause");
    await settle();
    const { length } = socket.fragments;
    assert.ok(length > 0);
    await pass(20_000);
    assert.equal(socket.fragments.length, length);
    session.onText("resume");
    await pass(8000);
    assert.deepEqual(socket.said, [
      "paused",
      "mse_init_segment",
      "resumed",
      "mse_init_segment",
      "recordings_ended",
    ]);
    session.close();
  });

  test("of two seeks behind each other the last one counts, and one that fails ends the viewer in order", async () => {
    const session = open(T);
    await settle();
    const looked = Promise.withResolvers<void>();
    film.gate = looked.promise;
    const before = socket.said.length;
    session.onText(`play_from=${T + 8}`);
    session.onText(`play_from=${T + 1}`);
    const { length } = socket.fragments;
    looked.resolve();
    await settle();
    assert.deepEqual(socket.said.slice(before), ["seeked", "mse_init_segment"]);
    assert.equal(socket.fragments[length], T + 1);
    film.failure = errors.error("DVR_NOTHING_RECORDED", {});
    session.onText(`play_from=${T + 3}`);
    await settle();
    assert.deepEqual(socket.closedWith, [1013, "nothing is recorded"]);
    assert.deepEqual([socket.said.at(-1), viewers, clock.pendingTimers], ["stream_unavailable", 0, 0]);
    session.onText("resume");
    assert.equal(socket.said.at(-1), "stream_unavailable");
  });

  test("who says too much is closed", () => {
    const session = open();
    for (let i = 0; i < 40; i++) session.onText("nonsense");
    assert.equal(socket.closedWith?.[0], 1008);
    assert.equal(directory.closedSubscriptions, 1);
  });
});
