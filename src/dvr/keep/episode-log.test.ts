import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crc32 } from "node:zlib";
import { LOG_ENTRIES } from "./episode-log.fuzz.ts";
import { LATEST_MS, readLog, writeLog } from "./episode-log.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** A line as another program would write it. */
function line(json: string): string {
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

const LOCK = '{"op":"lock","from":1,"to":2}';

describe("a file of episodes", () => {
  test("is read as it was written", () => {
    const bytes = writeLog(LOG_ENTRIES);
    assert.deepEqual(readLog(bytes), {
      entries: LOG_ENTRIES,
      goodBytes: bytes.byteLength,
      damagedLine: null,
    });
    assert.equal(Buffer.from(bytes).toString().split("\n").length, LOG_ENTRIES.length + 1);
  });

  test("has lines that anybody can write", () => {
    // The checksum was counted by zlib.crc32 of Python 3.
    const known = '9155ac59 {"op":"delete","episode_id":"7"}\n';
    assert.deepEqual(readLog(text(known)).entries, [{ op: "delete", episodeId: "7" }]);
  });

  test("that is cut off anywhere has the lines before the cut", () => {
    const bytes = writeLog(LOG_ENTRIES);
    const ends = LOG_ENTRIES.map((_entry, i) => writeLog(LOG_ENTRIES.slice(0, i + 1)).byteLength);
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      const whole = ends.filter((end) => end <= cut);
      const { entries, goodBytes, damagedLine } = readLog(bytes.subarray(0, cut));
      assert.deepEqual(entries, LOG_ENTRIES.slice(0, whole.length), `cut at ${cut}`);
      assert.deepEqual([goodBytes, damagedLine], [whole.at(-1) ?? 0, null], `cut at ${cut}`);
    }
  });

  for (const [name, tail] of Object.entries({
    zeros: new Uint8Array(5000),
    "line feeds": text("\n\n\n\n"),
    garbage: text("0000 garbage\n{}\n\u0000\n"),
    "a line without an end": text(line(LOCK).trimEnd()),
    "bytes that are no text": Uint8Array.of(0xff, 0xfe, 0x0a, 0xc3),
  }))
    test(`ends in front of ${name}`, () => {
      const good = writeLog(LOG_ENTRIES);
      const { entries, goodBytes, damagedLine } = readLog(Buffer.concat([good, tail]));
      assert.deepEqual(entries, LOG_ENTRIES);
      assert.deepEqual([goodBytes, damagedLine], [good.byteLength, null]);
    });

  test("is damaged where a good line follows one that is not", () => {
    const bytes = writeLog(LOG_ENTRIES);
    const firstEnd = bytes.indexOf(0x0a);
    for (const at of [firstEnd + 3, firstEnd + 20]) {
      const broken = bytes.slice();
      broken[at]! ^= 1;
      const { entries, goodBytes, damagedLine } = readLog(broken);
      assert.deepEqual([entries.length, goodBytes, damagedLine], [1, firstEnd + 1, 2]);
    }
  });

  const refused = [
    '{"op":"lock","from":2,"to":2}',
    '{"op":"lock","from":-1,"to":2}',
    `{"op":"lock","from":1,"to":${LATEST_MS + 1}}`,
    '{"op":"lock","from":1.5,"to":2}',
    '{"op":"lock","from":"1","to":2}',
    '{"op":"unlock","from":1}',
    '{"op":"delete"}',
    '{"op":"delete","episode_id":""}',
    '{"op":"delete","episode_id":"../x"}',
    '{"op":"other"}',
    "{}",
    '{"op":"episode","episode_id":"a","opened_at":1,"closed_at":0,"updated_at":1,"title":"","expires_at":null}',
    '{"op":"episode","episode_id":"a","opened_at":1,"updated_at":1,"title":"","expires_at":null}',
    '{"op":"episode","episode_id":"a","opened_at":1,"closed_at":null,"updated_at":1,"title":7,"expires_at":null}',
    '{"op":"episode","episode_id":7,"opened_at":1,"closed_at":null,"updated_at":1,"title":"","expires_at":null}',
    '{"op":"episode","episode_id":"a","opened_at":"1","closed_at":null,"updated_at":1,"title":"","expires_at":null}',
    '{"op":"episode","episode_id":"a","opened_at":1,"closed_at":null,"updated_at":1,"title":"","expires_at":"x"}',
  ];
  for (const json of refused)
    test(`has no line ${json.slice(0, 70)}, however right its checksum`, () => {
      assert.deepEqual(readLog(text(line(json))).entries, []);
      assert.equal(readLog(text(line(json) + line(LOCK))).damagedLine, 1);
    });

  test("is read in time that grows with its length only", () => {
    const bad = text("x\n".repeat(200_000));
    assert.deepEqual(readLog(bad), { entries: [], goodBytes: 0, damagedLine: null });
  });
});
