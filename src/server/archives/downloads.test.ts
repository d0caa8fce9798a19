import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HttpBodySink } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { mp4DownloadReply, parseArchiveDownload, tsDownloadReply } from "./downloads.ts";

describe("the address of a download", () => {
  const good = {
    "/cam/archive-1700000000-3600.mp4": [
      "cam",
      "mp4",
      { kind: "archive", fromS: 1_700_000_000, durationS: 3600 },
    ],
    "/a/b/c/archive-1700000000-now.ts": [
      "a/b/c",
      "ts",
      { kind: "archive", fromS: 1_700_000_000, durationS: null },
    ],
    "/cam/timeshift_abs-1700000000.ts": ["cam", "ts", { kind: "timeshift_abs", fromS: 1_700_000_000 }],
    "/cam/timeshift_rel-60.ts": ["cam", "ts", { kind: "timeshift_rel", agoS: 60 }],
  } as const;
  for (const [path, [name, format, span]] of Object.entries(good)) {
    test(path, () => assert.deepEqual(parseArchiveDownload(path), { name, format, span }));
  }
  for (const path of [
    "/archive-1700000000-3600.mp4",
    "/cam/archive-1700000000.mp4",
    "/cam/archive-1700000000-3600.m3u8",
    "/cam/archive-1700000000-0.mp4",
    "/cam/film.mp4",
    "/cam/archive-1700000000-3600.mp4/x",
    "",
  ]) {
    test(`${path} is none`, () => assert.equal(parseArchiveDownload(path), null));
  }
});

test("an MP4 has a name that no header is broken by", () => {
  const file = { sizeBytes: 5, read: () => Promise.resolve(new Uint8Array(5)) };
  const { headers } = mp4DownloadReply({ file, version: "v", isOver: true }, '/a/b"\r\nx/archive-1-2.mp4');
  const found = new Map(headers);
  assert.equal(found.get("content-disposition"), 'attachment; filename="b___x-archive-1-2.mp4"');
  assert.equal(found.get("etag"), '"v"');
});

test("an MP4 that still grows is asked for again by caches: the clip up to now is not that of a minute ago", () => {
  const file = { sizeBytes: 5, read: () => Promise.resolve(new Uint8Array(5)) };
  const cache = (isOver: boolean): string | undefined =>
    new Map(mp4DownloadReply({ file, version: "v", isOver }, "/a/rewind-60.mp4").headers).get(
      "cache-control",
    );
  assert.deepEqual([cache(true), cache(false)], ["public, max-age=60", "public, no-cache"]);
});

describe("a transport stream that is made while it is sent", () => {
  /** A client that takes what it is given when it is told to. */
  class Client implements HttpBodySink {
    readonly got: number[] = [];
    queued = 0;
    ended = 0;
    aborted = 0;

    write(bytes: Uint8Array): void {
      this.got.push(bytes.byteLength);
      this.queued += bytes.byteLength;
    }

    queuedBytes(): number {
      return this.queued;
    }

    end(): void {
      this.ended++;
    }

    abort(): void {
      this.aborted++;
    }
  }

  async function* pieces(count: number, fail = false): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < count; n++) yield await Promise.resolve(new Uint8Array(1024 * 1024));
    if (fail) throw new Error("the disk is gone");
  }
  const turns = async (): Promise<void> => {
    for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve));
  };

  test("waits for a client that takes nothing, and goes on when it does", async () => {
    const client = new Client();
    let waits = 0;
    const pause = async (): Promise<void> => {
      if (++waits === 5) client.queued = 0;
      await new Promise((resolve) => setImmediate(resolve));
    };
    tsDownloadReply({ read: () => pieces(4), pause }, "/cam/x.ts", silentLogger).stream!(client);
    await turns();
    assert.deepEqual([client.got.length, client.ended, waits], [4, 1, 5]);
  });

  test("ends without an end when it fails, and says nothing to one who left", async () => {
    const failed = new Client();
    const pause = (): Promise<void> => Promise.resolve();
    tsDownloadReply({ read: () => pieces(1, true), pause }, "/cam/x.ts", silentLogger).stream!(failed);
    await turns();
    assert.deepEqual([failed.aborted, failed.ended], [1, 0]);
    const left = new Client();
    tsDownloadReply({ read: () => pieces(9), pause }, "/cam/x.ts", silentLogger).stream!(left).close();
    await turns();
    assert.deepEqual([left.aborted, left.ended, left.got.length], [0, 0, 0]);
  });
});
