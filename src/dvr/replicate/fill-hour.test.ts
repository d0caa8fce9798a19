import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import { storedFills } from "../format/fill.ts";
import type { StoredFill } from "../format/fill.ts";
import { HourIndex, MAX_HOUR_RECORDS } from "../format/hour-index.ts";
import { diskKeepFiles } from "../keep/storages/disk-keep-files.ts";
import { diskFiles } from "../storages/disk-files.ts";
import { FillHour } from "./fill-hour.ts";
import type { FillHourPlace } from "./fill-hour.ts";

const HOUR = 496_640;
const INIT = buildInitSegment([videoTrack(), audioTrack()]);

async function place(t: TestContext): Promise<FillHourPlace> {
  const folder = await mkdtemp(join(tmpdir(), "weir-fill-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { files: diskFiles, keepFiles: diskKeepFiles, folder, hour: HOUR };
}

/** Appends a segment that begins at a second of the hour, and gives it as it is stored. */
async function add(fill: FillHour, second: number, init = INIT): Promise<StoredFill> {
  const made = new ArchiveHour(HOUR).segment({ atUs: second * 1_000_000 });
  const [segment] = storedFills(HourIndex.parse(made.index));
  const [first] = segment!.chunks;
  const file = await fill.fileFor(init);
  const at = await fill.append(file, made.media[0]!.subarray(first!.offset));
  const chunks = segment!.chunks.map((chunk) => ({ ...chunk, offset: chunk.offset - first!.offset + at }));
  assert.equal(await fill.hasChunks(file, chunks), true);
  assert.equal(await fill.hasChunks(file, [{ ...chunks[0]!, offset: at + 1 }]), false);
  return { ...segment!, file, chunks };
}

describe("the fills of an hour", () => {
  test("come in any order, and are shown in that of their starts", async (t) => {
    const where = await place(t);
    const fill = await FillHour.open(where);
    await fill.commit([await add(fill, 40), await add(fill, 60)]);
    await fill.commit([await add(fill, 20)]);
    await fill.close();
    const again = await FillHour.open(where);
    assert.deepEqual(
      again.segments.map(({ startUs }) => startUs / 1e6 - HOUR * 3600),
      [20, 40, 60],
    );
    await again.commit([await add(again, 0)]);
    assert.equal(again.segments.length, 4);
    await again.close();
  });

  test("have a media file for each set of tracks, and the same one again", async (t) => {
    const where = await place(t);
    const other = buildInitSegment([videoTrack()]);
    const fill = await FillHour.open(where);
    await fill.commit([await add(fill, 0), await add(fill, 10, other), await add(fill, 20)]);
    assert.deepEqual(
      fill.segments.map(({ file }) => file),
      [0, 1, 0],
    );
    await fill.close();
    const again = await FillHour.open(where);
    assert.equal(await again.fileFor(other), 1);
    assert.equal(await again.fileFor(INIT), 0);
    await again.close();
  });

  test("lose what was never shown, when more is added", async (t) => {
    const where = await place(t);
    const fill = await FillHour.open(where);
    await fill.commit([await add(fill, 0)]);
    const path = `${where.folder}/2026/08/28/08.fill.mp4`;
    const { size } = await stat(path);
    await add(fill, 10);
    await fill.close();
    assert.ok((await stat(path)).size > size);
    const again = await FillHour.open(where);
    const segment = await add(again, 20);
    assert.equal(segment.chunks[0]!.offset, size);
    await again.close();
  });

  test("are not added to where media is lost that was shown", async (t) => {
    const where = await place(t);
    const fill = await FillHour.open(where);
    await fill.commit([await add(fill, 0)]);
    await fill.close();
    const path = `${where.folder}/2026/08/28/08.fill.mp4`;
    await truncate(path, (await stat(path)).size - 1);
    const again = await FillHour.open(where);
    await assert.rejects(again.fileFor(INIT), { code: "DVR_BAD_MEDIA" });
    await again.close();
  });

  test("are not added to where their index is damaged, at any byte", async (t) => {
    const where = await place(t);
    const fill = await FillHour.open(where);
    await fill.commit([await add(fill, 0), await add(fill, 10)]);
    await fill.close();
    const path = `${where.folder}/2026/08/28/08.fill`;
    const whole = await readFile(path);
    for (let at = 0; at < whole.byteLength; at += 7) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x10;
      await writeFile(path, bytes);
      await assert.rejects(FillHour.open(where), { code: /^DVR_(?:BAD_INDEX|INDEX_VERSION)$/ });
    }
    await writeFile(path, whole);
    await (await FillHour.open(where)).close();
  });

  test("are no more than an index may have", async (t) => {
    const fill = await FillHour.open(await place(t));
    const chunk = storedFills(HourIndex.parse(new ArchiveHour(HOUR).segment().index))[0]!;
    const each = chunk.chunks.length + 1;
    const most = Math.floor(MAX_HOUR_RECORDS / each);
    assert.equal(fill.hasRoomFor(Array.from({ length: most }, () => chunk)), true);
    assert.equal(fill.hasRoomFor(Array.from({ length: most + 1 }, () => chunk)), false);
  });

  test("have so many media files, and no more", async (t) => {
    const fill = await FillHour.open(await place(t));
    const init = (n: number): Uint8Array => Uint8Array.from([...INIT, n]);
    for (let n = 0; n < 256; n++) assert.equal(await fill.fileFor(init(n % 256)), n);
    await assert.rejects(fill.fileFor(INIT), { code: "DVR_TOO_MANY_TRACK_SETS" });
    await fill.close();
  });
});
