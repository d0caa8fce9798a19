/** docs/archive-format.md is what the code does: its example, its reader, and what it says of media files. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { BufferSource, EncodedPacketSink, Input, MP4 } from "mediabunny";
import { readProjectFile } from "../../../test/house/tree.ts";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { findProgram } from "../../../test/support/tools.ts";
import { concatBytes } from "../../base/bytes.ts";
import { buildDeletedSpan, readDeletedSpans } from "./deleted-spans.ts";
import { HOUR_US, hourPath, indexFile, mediaFile } from "./hour.ts";
import { HourIndex } from "./hour-index.ts";
import { INDEX_HEADER_BYTES, INDEX_VERSION, buildIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "./index-record.ts";
import { emptyRecord, readIndexRecord, writeIndexRecord } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";
import { recoverHour } from "./recover.ts";

const page = readProjectFile("docs/archive-format.md");
const folder = mkdtempSync(join(tmpdir(), "weir-archive-format-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** 2025-12-01T00:00:00Z. */
const HOUR = 490_152;
const START_US = 1_764_547_200_000_000;

describe("the example of docs/archive-format.md", () => {
  const hex = /^```\n((?:[0-9a-f]{4} {2}[0-9a-f ]+\n)+)```$/m.exec(page)?.[1] ?? "";
  const bytes = Buffer.from(hex.replaceAll(/^[0-9a-f]{4} {2}/gm, "").replaceAll(/\s/g, ""), "hex");
  const { groupEnd, segmentStart, sync, independent } = RECORD_FLAG;
  const common = {
    ...emptyRecord(),
    ordinal: 7000,
    startUs: START_US,
    utcUs: START_US + 150_000,
    durationUs: 2_000_000,
    discontinuities: 3,
    sequence: 14_011,
  };
  const records: readonly IndexRecord[] = [
    {
      ...common,
      kind: RECORD_KIND.chunk,
      trackNumber: 1,
      flags: segmentStart | sync | independent,
      offset: 1313,
      size: 250_123,
      headerBytes: 412,
      samples: 50,
    },
    {
      ...common,
      kind: RECORD_KIND.chunk,
      trackNumber: 101,
      flags: sync,
      startUs: START_US + 5333,
      durationUs: 2_005_333,
      offset: 251_436,
      size: 33_000,
      headerBytes: 560,
      samples: 94,
    },
    { ...common, kind: RECORD_KIND.segmentEnd, flags: groupEnd | independent },
  ];

  test("is what the code writes", () => {
    const written = new Uint8Array(records.length * INDEX_RECORD_BYTES);
    for (const [number, record] of records.entries())
      writeIndexRecord(written, number * INDEX_RECORD_BYTES, record);
    const whole = concatBytes([buildIndexHeader(HOUR), written]);
    assert.equal(Buffer.from(whole).toString("hex"), bytes.toString("hex"));
  });

  test("is what the code reads", () => {
    assert.equal(bytes.byteLength, INDEX_HEADER_BYTES + records.length * INDEX_RECORD_BYTES);
    for (const [number, record] of records.entries())
      assert.deepEqual(readIndexRecord(bytes, INDEX_HEADER_BYTES + number * INDEX_RECORD_BYTES), record);
    const index = HourIndex.parse(bytes);
    assert.equal(index.hour, HOUR);
    assert.equal(index.segment(0).name, "1764547200000");
    assert.equal(index.chunks(0).length, 2);
  });
});

describe("what docs/archive-format.md says", () => {
  test("of numbers is so", () => {
    assert.match(page, new RegExp(`version ${INDEX_VERSION}:`));
    for (const [name, kind] of Object.entries(RECORD_KIND)) {
      const words = name.replace(/[A-Z]/, (letter) => ` ${letter.toLowerCase()}`);
      assert.match(page, new RegExp(`\\b${kind} ${words}\\b`));
    }
    for (const [name, flag] of Object.entries(RECORD_FLAG)) {
      const words = name.replace(/[A-Z]/, (letter) => `_${letter}`).toUpperCase();
      assert.match(page, new RegExp(`^\\| ${flag} \\| ${words}:`, "m"));
    }
    assert.ok(page.includes(`ROOT/STREAM/${indexFile(498_728)} `));
    for (const file of [0, 1, 2]) assert.ok(page.includes(`ROOT/STREAM/${mediaFile(498_728, file)} `));
  });

  test("of media files is so: one is an MP4 at the end of every chunk, also when it was torn", async () => {
    const hour = new ArchiveHour(HOUR).segment().segment({ groups: 2, leadUs: 80_000 }).segment();
    const path = `/a/${mediaFile(HOUR, 0)}`;
    for (const cut of [0, 1, 100]) {
      const files = new MemoryFiles(hour.files("/a"));
      files.contents.set(path, files.contents.get(path)!.slice(0, -cut || undefined));
      await recoverHour(files, "/a", HOUR);
      const index = HourIndex.parse(files.contents.get(`/a/${indexFile(HOUR)}`)!);
      const segments = cut === 0 ? 3 : 2;
      assert.equal(index.segmentCount, segments);
      const chunks = [...Array(segments).keys()].flatMap((place) => index.chunks(place));
      const input = new Input({ source: new BufferSource(files.contents.get(path)!), formats: [MP4] });
      for (const track of await input.getTracks()) {
        const number = track.type === "video" ? 1 : 101;
        const own = chunks.filter(({ trackNumber }) => trackNumber === number);
        let packets = 0;
        for await (const packet of new EncodedPacketSink(track).packets()) {
          assert.equal(packet.byteLength, 20);
          packets++;
        }
        assert.equal(
          packets,
          own.reduce((sum, { samples }) => sum + samples, 0),
        );
        assert.ok(packets > 0);
      }
    }
  });
});

describe("the reader of docs/archive-format.md", () => {
  const python = findProgram("python3");
  const script = join(folder, "reader.py");
  const program = /^```python\n([^]*?)^```$/m.exec(page)?.[1] ?? "";
  writeFileSync(script, program);

  /** What the reader has to print. */
  function listed(index: HourIndex): string[] {
    return [...index.segments()].map((segment, place) => {
      const { name, startUs, durationUs, ordinal, discontinuity, file } = segment;
      const chunks = index
        .chunks(place)
        .map((chunk) => `${chunk.trackNumber}:${chunk.offset}:${chunk.size}`);
      return [name, startUs, durationUs, ordinal, discontinuity ? "True" : "False", file, ...chunks].join(
        " ",
      );
    });
  }

  test("is short", () => {
    assert.ok(program.includes("def segments(path)"));
    assert.ok(program.split("\n").length <= 65);
  });

  const plain = new ArchiveHour(HOUR).segment().segment({ groups: 3, end: "apart", leadUs: 80_000 });
  const changed = new ArchiveHour(HOUR).segment().newFile().clockStep(9).segment({ discontinuity: true });
  const odd = new ArchiveHour(HOUR)
    .segment({ end: "none" })
    .segment()
    .append([plain.records[4]!])
    .segment({ atUs: 0 })
    .segment({ atUs: 3_600_000_000 })
    .segment({ atUs: 9_000_000 });
  const last = plain.index.byteLength - INDEX_RECORD_BYTES;
  const long = new ArchiveHour(HOUR).segment().segment().segment().segment().segment();
  const second = (s: number): number => HOUR * HOUR_US + s * 1_000_000;
  const spans = [
    { fromUs: second(0), toUs: second(0) },
    { fromUs: second(2), toUs: second(6) },
    { fromUs: second(9), toUs: second(3600) },
  ].map((span) => buildDeletedSpan(span, second(7200)));
  const damaged = Buffer.concat([spans[1]!.map((byte, at) => (at === 9 ? byte ^ 1 : byte)), spans[0]!]);
  type Case = {
    readonly name: string;
    readonly bytes: Uint8Array;
    readonly segments: number;
    readonly deleted?: Uint8Array;
  };
  const cases: readonly Case[] = [
    { name: "a plain hour", bytes: plain.index, segments: 2 },
    { name: "other tracks, and a break", bytes: changed.index, segments: 2 },
    { name: "segments that do not count", bytes: odd.index, segments: 2 },
    { name: "no segment", bytes: buildIndexHeader(HOUR), segments: 0 },
    { name: "an end that was torn off", bytes: plain.index.subarray(0, last + 63), segments: 1 },
    { name: "an end that is zeros", bytes: plain.index.fill(0, last), segments: 1 },
    { name: "deleted spans", bytes: long.index, segments: 3, deleted: Buffer.concat(spans) },
    { name: "a damaged span, and a whole one", bytes: long.index, segments: 5, deleted: damaged },
    { name: "a torn span", bytes: long.index, segments: 5, deleted: spans[1]!.subarray(0, 31) },
    { name: "a group that was torn", bytes: changed.index.subarray(0, -INDEX_RECORD_BYTES), segments: 1 },
  ];
  for (const { name, bytes, segments, deleted = new Uint8Array(0) } of cases) {
    test(
      `lists what the code lists: ${name}`,
      { skip: python === null ? "python3 is not installed" : false },
      () => {
        const path = join(folder, hourPath(HOUR));
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(`${path}.idx`, bytes);
        writeFileSync(`${path}.del`, deleted);
        const output = execFileSync(python!, [script, path], { encoding: "utf8" });
        const wanted = listed(HourIndex.parse(bytes, { deleted: readDeletedSpans(deleted) }));
        assert.equal(wanted.length, segments);
        assert.deepEqual(output.split("\n").slice(0, -1), wanted);
      },
    );
  }
});
