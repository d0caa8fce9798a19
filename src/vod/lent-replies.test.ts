import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { MemorySource } from "../../test/support/memory-source.ts";
import { concatBytes, totalBytes } from "../base/bytes.ts";
import { mediaFileReply } from "../packaging/media-reply.ts";
import { parseTrackSelection } from "../packaging/presentation.ts";
import { tsSegmentReply } from "../packaging/ts-segments.ts";
import { BlockPool } from "./block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "./busy.ts";
import { FilePresentation } from "./file-presentation.ts";
import { readMediaFile } from "./media-file.ts";
import { BlockCache } from "./segment-reading.ts";

const SAMPLE = readFileSync(new URL("../../samples/sample.mp4", import.meta.url));
const selection = parseTrackSelection("v1a1")!;

async function present() {
  const pool = new BlockPool(2 ** 30);
  const blocks = new BlockCache({ bytes: 0, items: 0 });
  const reading = { pool, blocks, work: new BoundedWork({ running: 4, waiting: 100 }, vodBusy) };
  const file = await readMediaFile(new MemorySource(SAMPLE));
  const options = { file, segmentDurationMs: 2000, reading, cacheKey: "k" };
  return { pool, presentation: new FilePresentation(options) };
}

describe("a reply with a segment of a file", () => {
  test("has the segment's bytes until it is released, and gives them back then", async () => {
    const { pool, presentation } = await present();
    const { name } = presentation.timeline().segments[0]!;
    const expected = concatBytes((await presentation.segment(name, selection))!);
    const reply = await mediaFileReply({ kind: "segment", name, selection }, presentation);
    assert.deepEqual(concatBytes(reply.body), expected);
    assert.equal(reply.ownBytes, totalBytes(reply.body));
    assert.equal(pool.freeBytes, 0);
    reply.release!();
    reply.release!();
    assert.ok(pool.freeBytes > 0 && pool.freeBytes < expected.byteLength * 1.5);
  });

  test("holds nothing when there is none of that name", async () => {
    const { presentation } = await present();
    const reply = await mediaFileReply({ kind: "segment", name: "12345678", selection }, presentation);
    assert.deepEqual([reply.status, reply.release], [404, undefined]);
  });

  test("holds nothing when it is an init segment, which is shared", async () => {
    const { presentation } = await present();
    const name = presentation.initName(presentation.timeline().tracks, selection);
    const reply = await mediaFileReply({ kind: "init", name, selection }, presentation);
    assert.deepEqual([reply.status, reply.release], [200, undefined]);
  });

  test("as a transport stream has bytes of its own, and the segment is given back at once", async () => {
    const { pool, presentation } = await present();
    const [first, next] = presentation.timeline().segments;
    const reply = await tsSegmentReply({ name: first!.name, selection }, presentation);
    assert.ok(pool.freeBytes > 0);
    assert.equal(reply.release, undefined);
    const before = concatBytes(reply.body);
    (await presentation.lendSegment(next!.name, selection))!.release();
    assert.deepEqual(concatBytes(reply.body), before);
  });
});
