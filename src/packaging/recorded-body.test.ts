import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Film, pictureTimes, settle } from "../../test/support/film.ts";
import { audioTrack, videoTrack } from "../../test/support/media.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { defineErrors } from "../base/errors.ts";
import type { HttpBodySource, HttpReply, WebSocketPeer } from "../base/http-message.ts";
import { ticksToUs } from "../base/time.ts";
import { trackId } from "../media/ids.ts";
import { makeTrackSet } from "../media/track.ts";
import type { PacketRun } from "../stream/recorded-packets.ts";
import type { WireFormatFactory } from "../stream/wire-format.ts";
import { recordedBodyReply, recordedSocketReply } from "./recorded-body.ts";
import type { RecordedBodyParts } from "./recorded-body.ts";

const errors = defineErrors({
  DVR_BAD_MEDIA: { disposition: "reject", httpStatus: 500, message: "it is gone", doc: "For this test." },
});

/** Each thing that is said is a word of its own; pictures are their times in milliseconds. */
const format: WireFormatFactory = {
  id: "words",
  create: () => ({
    preamble: () => Buffer.from("head "),
    begin: () => {},
    tracks: ({ tracks }, atUs) => Buffer.from(`${tracks.map(({ id }) => id).join("")}@${atUs / 1000} `),
    packet: ({ track, dts }, room) => {
      if (track.kind !== "video") return;
      const word = Buffer.from(`${ticksToUs(dts, track.timescale) / 1000} `);
      room.reserve(word.byteLength).set(word, room.offset);
    },
  }),
};

let clock: FakeClock;
let film: Film;
let viewers: number;
let log: RecordingLog;

beforeEach(() => {
  clock = new FakeClock();
  film = new Film();
  viewers = 0;
  log = new RecordingLog();
});

class Client {
  sent = "";
  queued = 0;
  isQueueing = false;
  ended: (HttpReply | undefined)[] = [];
  aborted = 0;
  closedWith: readonly [number, string] | null = null;
  source: (HttpBodySource & WebSocketPeer) | null = null;
  #take(bytes: Uint8Array): void {
    assert.ok(bytes.byteLength > 0);
    this.sent += Buffer.from(bytes).toString();
    if (this.isQueueing) this.queued += 200_000;
  }
  get(reply: HttpReply): this {
    this.source = reply.stream!({
      write: (bytes) => this.#take(bytes),
      queuedBytes: () => this.queued,
      end: (instead) => void this.ended.push(instead),
      abort: () => void this.aborted++,
    });
    return this;
  }
  connect(reply: HttpReply): this {
    this.source = reply.webSocket!({
      accept: () => {},
      write: (bytes) => this.#take(bytes),
      sendText: () => assert.fail("nothing is said"),
      queuedBytes: () => this.queued,
      close: (...end) => (this.closedWith = [end[0], end[1]]),
    });
    return this;
  }
  get words(): string[] {
    return this.sent.trim().split(" ");
  }
}

const parts = (changes: Partial<RecordedBodyParts> = {}): RecordedBodyParts => ({
  ...{ name: "cam", packets: film, startUs: 0, playedUs: 0, format, clock, log },
  onViewer: (change) => (viewers += change),
  ...changes,
});

const pass = async (ms: number): Promise<void> => {
  await clock.advanceSettling(ms, 100);
  await settle();
};

const words = (count: number, from = 0): string[] => pictureTimes(count, from).map(String);

describe("a recording as a body", () => {
  test("comes three seconds ahead of the clock, and ends with the recording", async () => {
    const reply = recordedBodyReply("video/x-flv", parts());
    assert.deepEqual(reply.headers[0], ["content-type", "video/x-flv"]);
    const client = new Client().get(reply);
    assert.equal(viewers, 1);
    await settle();
    assert.deepEqual(client.words, ["head", "v1a1@0", ...words(76)]);
    await pass(2000);
    assert.ok(client.words.length > 115 && client.words.length <= 128, `${client.words.length}`);
    await pass(10_000);
    assert.deepEqual(client.words, ["head", "v1a1@0", ...words(250)]);
    assert.deepEqual([client.ended, client.aborted, viewers], [[undefined], 0, 0]);
    assert.equal(clock.pendingTimers, 0);
  });

  test("comes at once up to where the viewer's clock begins", async () => {
    const client = new Client().get(
      recordedBodyReply("video/mp2t", parts({ startUs: 2e6, playedUs: 4e6 })),
    );
    await settle();
    assert.deepEqual(client.words, ["head", "v1a1@2000", ...words(126, 2000)]);
  });

  test("is not sent to who takes nothing, and goes on when that is over", async () => {
    const client = new Client();
    client.isQueueing = true;
    client.get(recordedBodyReply("video/x-flv", parts()));
    await pass(10_000);
    const { length } = client.words;
    assert.ok(length < 80, `${length}`);
    client.queued = 0;
    client.source!.drained!();
    await settle();
    assert.ok(client.words.length > length && client.words.length < 2 * length + 80);
    client.source!.close();
    client.source!.close();
    assert.deepEqual([viewers, clock.pendingTimers], [0, 0]);
  });

  test("tells other tracks where they begin, and no others", async () => {
    const sets = [makeTrackSet(1, [videoTrack(), audioTrack()]), makeTrackSet(2, [videoTrack()])];
    const changing = Object.assign(Object.create(film) as Film, {
      read: async (fromUs: number): Promise<PacketRun> => ({
        ...(await Film.prototype.read.call(film, fromUs)),
        tracks: sets[fromUs < 1_000_000 ? 0 : 1]!,
      }),
    });
    const client = new Client().get(recordedBodyReply("video/x-flv", parts({ packets: changing })));
    await settle();
    const want = ["head", "v1a1@0", ...words(25), "v1@1000", ...words(51, 1000)];
    assert.deepEqual(client.words, want);
  });

  test("that cannot be read is told to who has got nothing, and cut off for who has", async () => {
    film.failure = errors.error("DVR_BAD_MEDIA", {});
    const first = new Client().get(recordedBodyReply("video/x-flv", parts()));
    await settle();
    assert.deepEqual([first.ended.map((reply) => reply?.status), first.aborted, viewers], [[500], 0, 0]);
    film.failure = null;
    const later = new Client().get(recordedBodyReply("video/x-flv", parts()));
    await settle();
    film.failure = new Error("a fault");
    await pass(2000);
    assert.deepEqual([later.ended, later.aborted, viewers], [[], 1, 0]);
    assert.equal(log.lines.length, 2);
  });

  test("over a WebSocket is closed in order", async () => {
    const client = new Client().connect(recordedSocketReply(parts()));
    await pass(12_000);
    assert.equal(client.words.length, 252);
    assert.deepEqual([client.closedWith, viewers], [[1000, "the recording has ended"], 0]);
    film.failure = errors.error("DVR_BAD_MEDIA", {});
    const failed = new Client().connect(recordedSocketReply(parts()));
    await settle();
    assert.deepEqual(failed.closedWith, [1013, "it is gone"]);
    film.failure = new Error("a fault");
    const broken = new Client().connect(recordedSocketReply(parts()));
    await settle();
    assert.deepEqual([broken.closedWith?.[0], viewers], [1011, 0]);
  });

  test("is refused where there is nothing in it for this viewer", () => {
    const none = { ...format, carries: () => false };
    assert.throws(() => recordedBodyReply("video/x-flv", parts({ format: none })), {
      code: "STREAM_NOT_CARRIED",
    });
    const other = { ...format, choice: new Set([trackId("video", 3)]) };
    assert.throws(() => recordedSocketReply(parts({ format: other })), {
      code: "TRACKS_NOT_THERE",
      message: /asks for v3.*has v1a1/,
    });
    assert.equal(viewers, 0);
  });
});
