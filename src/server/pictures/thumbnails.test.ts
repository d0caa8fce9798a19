import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeRequest } from "../../../test/support/fake-request.ts";
import { LiveSource, SOURCE_START_US } from "../../../test/support/live-source.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import type { HttpReply } from "../../base/http-message.ts";
import { dvrPictureErrors } from "../../dvr/pictures/errors.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import { pictureWidth, Thumbnails } from "./thumbnails.ts";
import type { PictureSource } from "./thumbnails.ts";

const START_S = SOURCE_START_US / 1e6;

/** Pictures of a stream that is live; what is drawn says how. */
class Bench {
  readonly clock = new FakeClock(SOURCE_START_US + 3_600_000_000);
  readonly log = new RecordingLog();
  readonly window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 4, clock: this.clock });
  readonly source = new LiveSource(this.window);
  readonly drawn: { widthPx: number; bytes: number }[] = [];
  failure: Error | null = null;
  /** Drawing waits for it. */
  gate: Promise<void> = Promise.resolve();
  /** Key frames that were read of what is recorded. */
  reads = 0;
  /** Whether `ask` asks for a video of one picture. */
  isVideo = false;
  readonly thumbnails = new Thumbnails({
    clock: this.clock,
    log: this.log,
    stopped: new AbortController().signal,
    draw: async (file, widthPx) => {
      await this.gate;
      if (this.failure !== null) throw this.failure;
      this.drawn.push({ widthPx, bytes: file.byteLength });
      return Uint8Array.of(0xff, 0xd8, widthPx / 10);
    },
  });

  ask(atS: number | null, query = "", isSmall = true): Promise<HttpReply> {
    const source: PictureSource = {
      key: "/dvr/cam",
      name: "cam",
      recorded: (atUs) =>
        Promise.resolve({
          startUs: atUs - 500_000,
          read: () => {
            this.reads++;
            return Promise.resolve(new Uint8Array(9));
          },
        }),
      live: () => this.window,
    };
    return this.thumbnails.reply(
      { name: "cam", atS, isSmall, isVideo: this.isVideo },
      source,
      new FakeRequest(query),
    );
  }
}

const header = (reply: HttpReply, name: string): string | undefined => new Map(reply.headers).get(name);

test("pictures are made in a few widths, whatever is asked for", () => {
  const widths = ["1", "160", "161", "640", "1000", "99999"].map((asked) => pictureWidth(asked, true));
  assert.deepEqual(widths, [160, 160, 320, 640, 1280, 1280]);
  assert.deepEqual([pictureWidth(null, true), pictureWidth(null, false)], [320, 1280]);
  for (const asked of ["", "0", "-5", "1.5", "x", "100000"]) assert.equal(pictureWidth(asked, true), null);
});

describe("the picture of a time", () => {
  test("is one for caches: its key frame and width are its tag, and what is past is kept", async () => {
    const bench = new Bench();
    const reply = await bench.ask(START_S + 10, "width=300");
    assert.deepEqual([reply.status, [...reply.body[0]!]], [200, [0xff, 0xd8, 32]]);
    assert.equal(header(reply, "etag"), `"${(SOURCE_START_US + 9_500_000).toString(36)}-320"`);
    assert.equal(header(reply, "cache-control"), "public, max-age=86400");
    assert.equal(header(reply, "access-control-allow-origin"), "*");
    const recent = await bench.ask(START_S + 3590, "", false);
    assert.equal(header(recent, "cache-control"), "public, max-age=5");
    assert.deepEqual(
      bench.drawn.map(({ widthPx }) => widthPx),
      [320, 1280],
    );
  });

  test("is refused where the width is none", async () => {
    const reply = await new Bench().ask(START_S, "width=wide");
    assert.equal(reply.status, 400);
  });
});

describe("the picture of what is live", () => {
  test("is its newest key frame", async () => {
    const bench = new Bench();
    bench.source.play({ seconds: 7 });
    const first = await bench.ask(null);
    bench.source.play({ seconds: 2 });
    const second = await bench.ask(null);
    assert.notEqual(header(first, "etag"), header(second, "etag"));
    assert.equal(header(first, "cache-control"), "public, max-age=2");
    assert.equal(bench.drawn.length, 2);
  });

  test("is none where there is only sound", async () => {
    const bench = new Bench();
    bench.source.play({ seconds: 7, hasVideo: false });
    await assert.rejects(bench.ask(null), { code: "DVR_PICTURE_NO_KEY_FRAME", httpStatus: 404 });
  });
});

test("a server without ffmpeg says so to all who ask, and once in its log", async () => {
  const bench = new Bench();
  bench.failure = dvrPictureErrors.error("DVR_PICTURE_NO_FFMPEG", {});
  for (let i = 0; i < 3; i++) {
    const reply = await bench.ask(START_S + i);
    assert.deepEqual([reply.status, header(reply, "x-error-code")], [501, "DVR_PICTURE_NO_FFMPEG"]);
  }
  assert.equal(bench.log.lines.length, 1);
});

describe("a picture that is not ready", () => {
  test("is answered with 503 after five seconds; once drawn it is there for who asks again", async () => {
    const bench = new Bench();
    const slow = Promise.withResolvers<void>();
    bench.gate = slow.promise;
    const first = bench.ask(START_S);
    const waiting = bench.ask(START_S + 60);
    await eventually(() => assert.equal(bench.reads, 1));
    bench.clock.advance(5000);
    for (const late of [first, waiting])
      await assert.rejects(late, { code: "DVR_PICTURE_UNAVAILABLE", httpStatus: 503 });
    slow.resolve();
    const again = await bench.ask(START_S);
    assert.deepEqual([again.status, bench.reads, bench.drawn.length], [200, 1, 1]);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  test("is not waited for longer where what is live does not come, or a disk hangs", async () => {
    const bench = new Bench();
    const never = new Promise<never>(() => {});
    const source = { key: "cam", name: "cam", recorded: () => never, live: () => never };
    for (const [atS, isVideo] of [
      [null, false],
      [START_S, false],
      [START_S, true],
    ] as const) {
      const address = { name: "cam", atS, isSmall: true, isVideo };
      const asked = bench.thumbnails.reply(address, source, new FakeRequest(""));
      bench.clock.advance(5000);
      await assert.rejects(asked, { code: "DVR_PICTURE_UNAVAILABLE" });
    }
  });

  test("and never will be, is none: 404, with ffmpeg's words in the log too", async () => {
    const bench = new Bench();
    bench.failure = dvrPictureErrors.error("DVR_PICTURE_FAILED", { reason: "no such decoder" });
    await assert.rejects(bench.ask(START_S), { code: "DVR_PICTURE_FAILED", httpStatus: 404 });
    assert.equal(bench.log.lines.length, 1);
  });
});

describe("a video of one picture", () => {
  test("is the key frame as it was recorded, for caches as the picture of it is, without ffmpeg", async () => {
    const bench = new Bench();
    bench.isVideo = true;
    bench.failure = dvrPictureErrors.error("DVR_PICTURE_NO_FFMPEG", {});
    const reply = await bench.ask(START_S + 10, "width=wide");
    assert.deepEqual([reply.status, reply.body[0]!.byteLength], [200, 9]);
    assert.equal(header(reply, "content-type"), "video/mp4");
    assert.equal(header(reply, "etag"), `"${(SOURCE_START_US + 9_500_000).toString(36)}-mp4"`);
    assert.equal(header(reply, "cache-control"), "public, max-age=86400");
    assert.equal(bench.log.lines.length, 0);
  });

  test("is read once for all who ask for it", async () => {
    const bench = new Bench();
    bench.isVideo = true;
    const replies = await Promise.all(Array.from({ length: 300 }, () => bench.ask(START_S + 10)));
    assert.ok(replies.every(({ status }) => status === 200));
    await bench.ask(START_S + 10);
    assert.equal(bench.reads, 1);
    // As many others as may wait, and no more.
    const many = await Promise.allSettled(
      Array.from({ length: 210 }, (_, i) => bench.ask(START_S + 100 + i)),
    );
    assert.equal(many.filter(({ status }) => status === "rejected").length, 6);
  });

  test("of what is live is a file with one frame", async () => {
    const bench = new Bench();
    bench.isVideo = true;
    bench.source.play({ seconds: 7 });
    const reply = await bench.ask(null);
    assert.equal(header(reply, "cache-control"), "public, max-age=2");
    const text = Buffer.from(reply.body[0]!).toString("latin1");
    for (const box of ["ftyp", "moov", "moof", "mdat"]) assert.equal(text.split(box).length, 2, box);
    const silent = new Bench();
    silent.isVideo = true;
    silent.source.play({ seconds: 7, hasVideo: false });
    await assert.rejects(silent.ask(null), { code: "DVR_PICTURE_NO_KEY_FRAME" });
  });
});
