import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { RecordedExtent } from "../../dvr/reader/recorded-ranges.ts";
import { readAskedSpan, RecordingStatuses, statusOf } from "./recording-status.ts";

const S = 1_000_000;

function extent(ranges: readonly (readonly [number, number])[], isCut = false): RecordedExtent {
  return { ranges: ranges.map(([fromUs, toUs]) => ({ fromUs, toUs })), mediaBytes: 77, isCut };
}

describe("what recording_status.json says", () => {
  test("are ranges in whole seconds, with what they come to", () => {
    const status = statusOf(
      extent([
        [100.2 * S, 160.5 * S],
        [200 * S, 210 * S],
      ]),
    );
    assert.deepEqual(status, {
      from: 100,
      depth: 110,
      duration: 71,
      ranges: [
        { from: 100, duration: 61 },
        { from: 200, duration: 10 },
      ],
      bytes: 77,
      disk_size: 77,
    });
  });

  test("is one range where two are less than a second apart", () => {
    const { ranges } = statusOf(
      extent([
        [10 * S, 20.3 * S],
        [20.9 * S, 30 * S],
      ]),
    );
    assert.deepEqual(ranges, [{ from: 10, duration: 20 }]);
  });

  test("may be nothing, and may be cut", () => {
    const nothing = statusOf(extent([]));
    assert.deepEqual([nothing.from, nothing.depth, nothing.duration, nothing.ranges], [null, 0, 0, []]);
    assert.equal(statusOf(extent([[0, S]], true)).is_cut, true);
  });
});

describe("what is asked of it", () => {
  const read = (query: string): unknown => readAskedSpan(new URLSearchParams(query));

  test("is all, or a span", () => {
    assert.deepEqual(read(""), { fromUs: 0, toUs: 9_007_199_254 * S });
    assert.deepEqual(read("from=10&to=20"), { fromUs: 10 * S, toUs: 20 * S });
    assert.deepEqual(read("from=10&to=999999999999"), { fromUs: 10 * S, toUs: 9_007_199_254 * S });
  });

  test("may make no sense", () => {
    for (const query of ["from=x", "to=1.5", "from=-1", "from=", "from=1e3", "to=1234567890123"])
      assert.match(String(read(query)), /seconds since 1970/, query);
    for (const query of ["from=20&to=20", "from=30&to=20", "to=0"])
      assert.match(String(read(query)), /before/, query);
  });
});

describe("those who ask", () => {
  test("are answered together for a second, and a failure is not kept", async () => {
    const clock = new FakeClock();
    let reads = 0;
    let failure: Error | null = null;
    const statuses = new RecordingStatuses(clock, () => {
      reads++;
      return failure === null ? Promise.resolve(extent([[0, S]])) : Promise.reject(failure);
    });
    const ask = (query = ""): Promise<{ status: number }> =>
      statuses.reply("/a", new URLSearchParams(query));
    await Promise.all([ask(), ask(), ask()]);
    assert.equal(reads, 1);
    clock.advance(1001);
    failure = new Error("no disk");
    await assert.rejects(ask(), /no disk/);
    failure = null;
    assert.equal((await ask()).status, 200);
    assert.equal(reads, 3);
    assert.equal((await ask("from=y")).status, 400);
  });

  test("for ever other spans take no more memory than a bound", async () => {
    const statuses = new RecordingStatuses(new FakeClock(), () => Promise.resolve(extent([])));
    for (let i = 0; i < 1000; i++) await statuses.reply("/a", new URLSearchParams({ from: String(i) }));
    assert.equal(statuses.size, 256);
  });
});
