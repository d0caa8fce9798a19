/** What is made of an archive has the fills, and nothing of what somebody has deleted, whatever is made. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFiles } from "../../test/support/archive-files.ts";
import { ArchiveHour } from "../../test/support/archive-hour.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { concatBytes } from "../base/bytes.ts";
import { silentLogger } from "../base/log.ts";
import { ticksToUs } from "../base/time.ts";
import { Archives } from "./archives.ts";
import { buildDeletedSpan, deletedFile } from "./format/deleted-spans.ts";
import { buildFillIndex, fillIndexFile, storedFills, storedMediaFile } from "./format/fill.ts";
import { FIRST_FILL_FILE } from "./format/fill.ts";
import { HOUR_US } from "./format/hour.ts";
import { HourIndex } from "./format/hour-index.ts";

const HOUR = 496_640;
const START_US = HOUR * HOUR_US;
const FOLDER = "/dvr/cam";
const NOW_US = START_US + 10 * HOUR_US;

/** Segments of two seconds. Units: seconds of the hour. */
function recorded(seconds: readonly number[]): ArchiveHour {
  const made = new ArchiveHour(HOUR);
  let endS = -1;
  for (const second of seconds) {
    // Whose bytes are whose can be seen by their number.
    made.segment({ atUs: second * 1e6, discontinuity: second !== endS, sampleBytes: 50 + second });
    endS = second + 2;
  }
  return made;
}

function archivesOf(contents: Record<string, Uint8Array>): Archives {
  const clock = new FakeClock(NOW_US);
  return new Archives({ clock, log: silentLogger, files: new MemoryFiles(contents) });
}

/** Recorded, copied from a peer, and deleted; and the same as if only what is left had ever been recorded. */
function both(): { readonly mixed: Archives; readonly plain: Archives } {
  const [own, copied] = [recorded([0, 2, 10, 12, 14]), recorded([20, 22, 24])];
  const fills = buildFillIndex(HOUR, storedFills(HourIndex.parse(copied.index)));
  const deleted = [
    { fromUs: START_US + 12e6, toUs: START_US + 14e6 },
    { fromUs: START_US + 22e6, toUs: START_US + 23e6 },
  ];
  const mixed = archivesOf({
    ...own.files(FOLDER),
    [`${FOLDER}/${fillIndexFile(HOUR)}`]: fills,
    [`${FOLDER}/${storedMediaFile(HOUR, FIRST_FILL_FILE)}`]: copied.media[0]!,
    [`${FOLDER}/${deletedFile(HOUR)}`]: concatBytes(deleted.map((span) => buildDeletedSpan(span, 0))),
  });
  return { mixed, plain: archivesOf(recorded([0, 2, 10, 14, 20, 24]).files(FOLDER)) };
}

const REQUEST = {
  span: { kind: "archive", fromS: HOUR * 3600, durationS: 60 },
  ...{ name: "cam", nowUs: NOW_US, segmentDurationUs: 2e6, segmentCount: 3 },
} as const;

async function mp4Of(archives: Archives): Promise<Buffer> {
  const { file } = await archives.mp4(FOLDER, REQUEST, null);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < file.sizeBytes;) {
    const piece = await file.read(at, file.sizeBytes);
    pieces.push(piece);
    at += piece.byteLength;
  }
  return Buffer.concat(pieces);
}

async function tsOf(archives: Archives): Promise<Buffer> {
  const made = await archives.ts(FOLDER, REQUEST, null);
  const pieces: Uint8Array[] = [];
  for await (const piece of made.read()) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

/** What a player over RTMP, MSE or an endless transport stream is given: bytes of each frame, and when. */
async function playOf(archives: Archives): Promise<string[]> {
  const play = await archives.play(FOLDER, { ...REQUEST, isUtc: true, patienceUs: () => 10e6 });
  const frames: string[] = [];
  for (let at = play.startUs, isLast = false; !isLast;) {
    const run = await play.read(at);
    for (const { track, dts, payload } of run.packets)
      frames.push(`${track.id} ${ticksToUs(dts, track.timescale)} ${payload.byteLength}`);
    [at, isLast] = [run.toUs, run.isLast];
  }
  return frames;
}

describe("an archive with fills, of which something is deleted", () => {
  test("is exported as if only what is left had been recorded", async () => {
    const { mixed, plain } = both();
    const [mp4, ts] = [await mp4Of(plain), await tsOf(plain)];
    assert.ok(mp4.byteLength > 2000 && ts.byteLength > 2000);
    assert.ok((await mp4Of(mixed)).equals(mp4));
    assert.ok((await tsOf(mixed)).equals(ts));
  });

  test("is played so, over RTMP and MSE", async () => {
    const { mixed, plain } = both();
    const frames = await playOf(plain);
    assert.equal(frames.length, 6 * 2 * 3);
    assert.deepEqual(await playOf(mixed), frames);
  });

  test("has pictures of fills, and none of what is deleted", async () => {
    const { mixed } = both();
    const pictureAt = async (second: number): Promise<number> =>
      ((await mixed.keyFrame(FOLDER, START_US + second * 1e6, "cam")).startUs - START_US) / 1e6;
    assert.deepEqual(await Promise.all([11, 13, 14, 21, 23, 25].map(pictureAt)), [10, 10, 14, 20, 20, 24]);
  });

  test("is listed so", async () => {
    const { mixed, plain } = both();
    const names = async (archives: Archives): Promise<string[]> =>
      (await archives.span(FOLDER, REQUEST)).timeline().segments.map(({ name }) => name);
    assert.deepEqual(await names(mixed), await names(plain));
    const ranges = async (archives: Archives): Promise<unknown> =>
      (await archives.ranges(FOLDER, START_US, START_US + HOUR_US)).ranges;
    assert.deepEqual(await ranges(mixed), await ranges(plain));
  });
});
