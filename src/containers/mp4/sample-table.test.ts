import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SampleTableBuilder } from "./sample-table-builder.ts";
import type { SampleTable } from "./sample-table.ts";

type Sample = {
  durationTicks: number;
  sizeBytes: number;
  ctsOffset: number;
  isSync: boolean;
  gapBytes: number;
};

/** Few different values, so that runs of equal ones come up. */
const sampleOf: fc.Arbitrary<Sample> = fc.record({
  durationTicks: fc.constantFrom(0, 20, 40, 40, 40),
  sizeBytes: fc.constantFrom(0, 1, 10, 300),
  ctsOffset: fc.constantFrom(-40, 0, 0, 80),
  isSync: fc.boolean(),
  gapBytes: fc.constantFrom(0, 0, 0, 500),
});

/** A table, and what it must say of each sample. */
function tableOf(samples: readonly Sample[]) {
  const builder = new SampleTableBuilder({ fileBytes: 2 ** 40, timescale: 1000, notice: () => {} });
  let dts = 0;
  let place = 100;
  const rows = samples.map((sample) => {
    place += sample.gapBytes;
    builder.moveToPlace(place);
    builder.add(sample.durationTicks, sample.sizeBytes, sample.ctsOffset, sample.isSync);
    const row = { ...sample, dts, place };
    dts += sample.durationTicks;
    place += sample.sizeBytes;
    return row;
  });
  // Without a key frame at all, the first sample counts as one.
  if (!rows.some(({ isSync }) => isSync)) rows[0]!.isSync = true;
  return { table: builder.finish(), rows, endDts: dts };
}

function bytesIn(table: SampleTable, first: number, end: number): number[] {
  const all: number[] = [];
  table.visitRanges(first, end, (offset, lengthBytes) => {
    for (let i = 0; i < lengthBytes; i++) all.push(offset + i);
  });
  return all;
}

describe("SampleTable", () => {
  test("says of any samples what was put in", () => {
    fc.assert(
      fc.property(
        fc.array(sampleOf, { minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.nat(),
        (samples, a, b) => {
          const { table, rows, endDts } = tableOf(samples);
          const [first, end] = [a % rows.length, b % (rows.length + 1)].toSorted((x, y) => x - y) as [
            number,
            number,
          ];
          assert.equal(table.count, rows.length);
          assert.equal(table.dtsAt(rows.length), endDts);
          assert.equal(table.minCtsOffset(), Math.min(...rows.map(({ ctsOffset }) => ctsOffset)));
          assert.equal(table.maxCtsOffset(), Math.max(...rows.map(({ ctsOffset }) => ctsOffset)));
          for (const [i, row] of rows.entries()) {
            assert.deepEqual(
              [table.dtsAt(i), table.ctsOffsetAt(i), table.sizeAt(i), table.offsetAt(i), table.isSync(i)],
              [row.dts, row.ctsOffset, row.sizeBytes, row.place, row.isSync],
            );
          }
          const run = table.read(first, end);
          const part = rows.slice(first, end);
          assert.deepEqual(
            [...run.sizes],
            part.map(({ sizeBytes }) => sizeBytes),
          );
          assert.deepEqual(
            [...run.durations],
            part.map(({ durationTicks }) => durationTicks),
          );
          assert.deepEqual(
            [...run.ctsOffsets],
            part.map(({ ctsOffset }) => ctsOffset),
          );
          assert.deepEqual(
            [...run.syncFlags],
            part.map(({ isSync }) => (isSync ? 1 : 0)),
          );
          assert.equal(run.dataBytes, table.bytesBetween(first, end));
          assert.equal(
            table.durationBetween(first, end),
            part.reduce((sum, { durationTicks }) => sum + durationTicks, 0),
          );
          const expected = part.flatMap(({ place, sizeBytes }) =>
            Array.from({ length: sizeBytes }, (_, i) => place + i),
          );
          assert.deepEqual(bytesIn(table, first, end), expected);
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  test("finds samples by time and key frames by place", () => {
    fc.assert(
      fc.property(
        fc.array(sampleOf, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: -10, max: 1700 }),
        (samples, dts) => {
          const { table, rows } = tableOf(samples);
          const found = rows.findIndex((row) => row.dts >= dts);
          assert.equal(table.sampleAtOrAfter(dts), found < 0 ? rows.length : found);
          for (let i = 0; i < rows.length; i++) {
            const after = rows.findIndex((row, at) => at >= i && row.isSync);
            assert.equal(table.syncAtOrAfter(i), after < 0 ? rows.length : after);
            assert.equal(
              table.syncAtOrBefore(i),
              rows.findLastIndex((row, at) => at <= i && row.isSync),
            );
          }
        },
      ),
      { numRuns: 300, seed: 8 },
    );
  });

  test("takes less than 20 bytes a picture and 10 bytes a sound frame", () => {
    const pictures = Array.from({ length: 9000 }, (_, i) => ({
      durationTicks: 40,
      sizeBytes: 1000 + i,
      ctsOffset: [80, 200, 80, 0, 40][i % 5]!,
      isSync: i % 50 === 0,
      gapBytes: i % 25 === 0 ? 1 : 0,
    }));
    assert.ok(tableOf(pictures).table.memoryBytes < 9000 * 20);
    const frames = pictures.map((picture) => ({ ...picture, ctsOffset: 0, isSync: true }));
    assert.ok(tableOf(frames).table.memoryBytes < 9000 * 10);
  });
});
