import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../test/fuzz/random.ts";
import { Schedule } from "./schedule.ts";
import type { ScheduleSpan } from "./schedule.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const DAY = Date.UTC(2026, 10, 23);

/** "0800-1800" as the configuration has it. */
function span(text: string): ScheduleSpan {
  const minute = (hhmm: string): number => Number(hhmm.slice(0, 2)) * 60 + Number(hhmm.slice(2));
  return { fromMinute: minute(text.slice(0, 4)), toMinute: minute(text.slice(5)) };
}

function schedule(...spans: readonly string[]): Schedule {
  return new Schedule(spans.map(span));
}

const at = (text: string, day = DAY): number => day + span(`${text}-0000`).fromMinute * MINUTE_MS;

describe("a schedule", () => {
  const cases: readonly { spans: readonly string[]; on: readonly string[]; off: readonly string[] }[] = [
    { spans: ["0800-1800"], on: ["0800", "1200", "1759"], off: ["0000", "0759", "1800", "2359"] },
    { spans: ["2200-0600"], on: ["2200", "2359", "0000", "0559"], off: ["0600", "1200", "2159"] },
    { spans: ["0800-1000", "1200-1400"], on: ["0900", "1300"], off: ["1000", "1159", "1400"] },
    { spans: ["0800-1200", "1100-1400"], on: ["0800", "1130", "1359"], off: ["0759", "1400"] },
    { spans: ["0800-1200", "1200-1400"], on: ["1159", "1200"], off: ["1400"] },
    { spans: ["2200-0200", "0100-0300"], on: ["0000", "0230"], off: ["0300"] },
    { spans: ["0000-2400"], on: ["0000", "2359"], off: [] },
    { spans: ["0800-0800"], on: ["0000", "0759", "0800"], off: [] },
    { spans: ["0000-0000"], on: ["0000", "1200"], off: [] },
    { spans: ["1800-2400"], on: ["1800", "2359"], off: ["0000", "1759"] },
    { spans: ["2400-0600"], on: ["0000", "0559"], off: ["0600", "2359"] },
    { spans: [], on: ["0000", "1200"], off: [] },
  ];
  for (const { spans, on, off } of cases)
    test(`of ${spans.join(", ") || "nothing"}`, () => {
      const times = schedule(...spans);
      for (const time of on) assert.equal(times.isRecordingAt(at(time)), true, time);
      for (const time of off) assert.equal(times.isRecordingAt(at(time)), false, time);
      if (off.length === 0) assert.equal(times.nextChangeAt(DAY), null);
    });

  test("is to the millisecond", () => {
    const times = schedule("0800-1800");
    assert.equal(times.isRecordingAt(at("0800") - 1), false);
    assert.equal(times.isRecordingAt(at("1800") - 1), true);
    assert.equal(times.isRecordingAt(at("1800") - 0.5), true);
  });

  test("says when it changes next", () => {
    const times = schedule("0800-1000", "2200-0600");
    const changes: number[] = [];
    for (let ms = DAY; changes.length < 5; ms = changes.at(-1)!) changes.push(times.nextChangeAt(ms)!);
    const tomorrow = DAY + DAY_MS;
    assert.deepEqual(changes, [at("0600"), at("0800"), at("1000"), at("2200"), at("0600", tomorrow)]);
    assert.equal(times.nextChangeAt(at("0600") - 1), at("0600"));
  });

  test("does not change at midnight when it is on before and behind", () => {
    assert.equal(schedule("2200-2400", "0000-0600").nextChangeAt(at("2300")), at("0600", DAY + DAY_MS));
  });

  test("is the same on days on which clocks are changed somewhere, and before 1970", () => {
    for (const day of [Date.UTC(2026, 2, 29), Date.UTC(2026, 9, 25), -3 * DAY_MS]) {
      const times = schedule("0100-0300");
      const on = [0, 1, 2, 3].map((hour) => times.isRecordingAt(day + hour * 60 * MINUTE_MS));
      assert.deepEqual(on, [false, true, true, false]);
      assert.equal(times.nextChangeAt(day), day + 60 * MINUTE_MS);
    }
  });

  for (const wrong of [-1, 1441, 1.5, Number.NaN])
    test(`has no minute ${wrong}`, () => {
      assert.throws(() => new Schedule([{ fromMinute: wrong, toMinute: 5 }]));
      assert.throws(() => new Schedule([{ fromMinute: 5, toMinute: wrong }]));
    });

  test("of any spans is on when one of them is, and changes when it says", () => {
    const random = new Random(7);
    for (let round = 0; round < 100; round++) {
      const spans = Array.from({ length: 1 + random.below(5) }, () => ({
        fromMinute: random.below(1441),
        toMinute: random.below(1441),
      }));
      const times = new Schedule(spans);
      const isOn = (minute: number): boolean =>
        spans.some(({ fromMinute, toMinute }) =>
          toMinute > fromMinute
            ? minute >= fromMinute && minute < toMinute
            : minute >= fromMinute || minute < toMinute,
        );
      for (let minute = 0; minute < 1440; minute++)
        assert.equal(
          times.isRecordingAt(DAY + minute * MINUTE_MS),
          isOn(minute),
          JSON.stringify({ spans, minute }),
        );
      const from = random.below(1440);
      const next = times.nextChangeAt(DAY + from * MINUTE_MS);
      let ahead = 1;
      while (ahead <= 1440 && isOn((from + ahead) % 1440) === isOn(from)) ahead++;
      const expected = ahead > 1440 ? null : DAY + (from + ahead) * MINUTE_MS;
      assert.equal(next, expected, JSON.stringify({ spans, from }));
    }
  });
});
