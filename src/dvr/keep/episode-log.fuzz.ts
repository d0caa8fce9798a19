import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { readLog, writeLog } from "./episode-log.ts";
import type { LogEntry } from "./episode-log.ts";

/** Changes of every kind. */
export const LOG_ENTRIES: readonly LogEntry[] = [
  {
    op: "episode",
    episode: {
      episodeId: "news",
      openedAtMs: 1_700_000_000_000,
      closedAtMs: 1_700_003_600_000,
      updatedAtMs: 1_700_003_600_001,
      title: 'The \u00e9vening \u2028 "news"\n\ud83d\ude00 \ud800',
      expiresAtMs: null,
    },
  },
  {
    op: "episode",
    episode: {
      episodeId: "2",
      openedAtMs: 0,
      closedAtMs: null,
      updatedAtMs: 1,
      title: "",
      expiresAtMs: 253_402_300_800_000,
    },
  },
  { op: "lock", fromMs: 5, toMs: 10 },
  { op: "delete", episodeId: "news" },
  { op: "unlock", fromMs: 6, toMs: 7 },
];

/** Files of episodes: what is read can be written and is then read the same, and what is good stays so when it is cut off. */
export const fuzz: FuzzTarget = {
  name: "dvr-episode-log",
  seeds: [writeLog(LOG_ENTRIES), writeLog([]), ...LOG_ENTRIES.map((entry) => writeLog([entry, entry]))],
  dictionary: ["\n", '00000000 {"op":"lock"}\n', "\u2028", "null", "-0", "1e400"].map((words) =>
    new TextEncoder().encode(words),
  ),
  run(input) {
    check(input);
    check(withRightChecksums(input));
  },
};

function check(input: Uint8Array): void {
  const { entries, goodBytes, damagedLine } = readLog(input);
  assert.ok(goodBytes <= input.byteLength);
  assert.deepEqual(readLog(writeLog(entries)).entries, entries);
  const good = readLog(input.subarray(0, goodBytes));
  assert.deepEqual(good, { entries, goodBytes, damagedLine: null });
  if (damagedLine !== null) assert.ok(damagedLine > entries.length);
}

/** The same lines, each behind the checksum of what it says by now: mutants get past it no other way. */
function withRightChecksums(input: Uint8Array): Uint8Array {
  const lines = new TextDecoder().decode(input).split("\n");
  const texts = lines.map((line) => line.replace(/^[0-9a-f]{8} /, ""));
  return Buffer.from(
    texts.map((text) => `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`).join(""),
  );
}
