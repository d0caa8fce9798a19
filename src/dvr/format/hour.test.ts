import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HOUR_US, MAX_MEDIA_FILES, hourOf, hourPath, indexFile, isHour, mediaFile } from "./hour.ts";
import { parseHourFile, parseHourPath } from "./hour.ts";

const LAST_HOUR = 70_389_527;
const badTime = { code: "DVR_BAD_TIME" };

describe("the path of an hour", () => {
  const cases = [
    { name: "the first there is", hour: 0, path: "1970/01/01/00" },
    { name: "one of today", hour: 498_728, path: "2026/11/23/08" },
    { name: "the 29th of February", hour: 474_791, path: "2024/02/29/23" },
    { name: "the end of a year", hour: 490_895, path: "2025/12/31/23" },
    { name: "the last there is", hour: LAST_HOUR, path: "9999/12/31/23" },
  ];
  for (const { name, hour, path } of cases) {
    test(`is its UTC date and hour: ${name}`, () => {
      assert.equal(hourPath(hour), path);
      assert.equal(parseHourPath(path), hour);
      assert.equal(indexFile(hour), `${path}.idx`);
      assert.deepEqual(parseHourFile(`${path}.idx`), { hour, file: null });
      assert.equal(mediaFile(hour, 0), `${path}.mp4`);
      assert.equal(mediaFile(hour, 17), `${path}.17.mp4`);
      assert.deepEqual(parseHourFile(`${path}.17.mp4`), { hour, file: 17 });
    });
  }

  test("is read back, whichever hour it is of", () => {
    fc.assert(
      fc.property(fc.nat(LAST_HOUR), fc.nat(MAX_MEDIA_FILES - 1), (hour, file) => {
        assert.equal(parseHourPath(hourPath(hour)), hour);
        assert.deepEqual(parseHourFile(mediaFile(hour, file)), { hour, file });
        assert.deepEqual(parseHourFile(indexFile(hour)), { hour, file: null });
      }),
    );
  });

  test("sorts as hours do", () => {
    fc.assert(
      fc.property(fc.nat(LAST_HOUR), fc.nat(LAST_HOUR), (a, b) => {
        assert.equal(hourPath(a) < hourPath(b), a < b);
      }),
    );
  });

  for (const hour of [-1, LAST_HOUR + 1, 1.5, NaN, Infinity]) {
    test(`is refused of hour ${hour}`, () => {
      assert.equal(isHour(hour), false);
      assert.throws(() => hourPath(hour), badTime);
      assert.throws(() => indexFile(hour), badTime);
      assert.throws(() => mediaFile(hour, 0), badTime);
    });
  }

  const strangers = [
    "",
    "2026/11/23",
    "2026/11/23/8",
    "2026/11/23/24",
    "2026/11/31/00",
    "2025/02/29/00",
    "2026/00/01/00",
    "2026/13/01/00",
    "0026/01/01/00",
    "1969/12/31/23",
    "12026/01/01/00",
    "2026/11/23/08/",
    "/2026/11/23/08",
    "2026-11-23-08",
    "2026/11/23/ 8",
    "2026/11/23/08\n",
  ];
  for (const path of strangers) {
    test(`is not "${path.replace("\n", "\\n")}"`, () => {
      assert.equal(parseHourPath(path), null);
      assert.equal(parseHourFile(`${path}.idx`), null);
    });
  }

  const files = [
    "08",
    "08.idx.",
    "08.0.mp4",
    "08.01.mp4",
    "08.256.mp4",
    "08.1000.mp4",
    "08.1.idx",
    "08.copied",
  ];
  for (const name of files) {
    test(`has no file "${name}"`, () => assert.equal(parseHourFile(`2026/11/23/${name}`), null));
  }

  test("has 256 media files at most", () => {
    assert.equal(mediaFile(0, MAX_MEDIA_FILES - 1), "1970/01/01/00.255.mp4");
    for (const file of [-1, MAX_MEDIA_FILES, 0.5]) assert.throws(() => mediaFile(0, file), RangeError);
  });
});

describe("the hour of a time", () => {
  test("begins with its first microsecond and ends before the next one's", () => {
    const hour = 498_728;
    assert.equal(hourOf(hour * HOUR_US - 1), hour - 1);
    assert.equal(hourOf(hour * HOUR_US), hour);
    assert.equal(hourOf(hour * HOUR_US + HOUR_US - 1), hour);
    assert.equal(hourOf(0), 0);
    assert.equal(hourPath(hourOf(Number.MAX_SAFE_INTEGER)), "2255/06/05/23");
  });

  for (const us of [-1, 0.5, NaN, Infinity, Number.MAX_SAFE_INTEGER + 1]) {
    test(`is refused where that is ${us}`, () => assert.throws(() => hourOf(us), badTime));
  }

  // Summer time begins and ends: on a wall an hour is missing, and another one is there twice.
  for (const day of ["2026-03-29", "2026-10-25", "2026-11-01"]) {
    test(`is one of 24 on ${day}, as on every other day`, () => {
      const midnight = hourOf(Date.parse(`${day}T00:00:00Z`) * 1000);
      const paths = Array.from({ length: 24 }, (_, hour) => hourPath(midnight + hour));
      assert.deepEqual(
        paths,
        paths.map((_, hour) => `${day.replaceAll("-", "/")}/${String(hour).padStart(2, "0")}`),
      );
      assert.equal(parseHourPath(paths[23]!), midnight + 23);
    });
  }
});
