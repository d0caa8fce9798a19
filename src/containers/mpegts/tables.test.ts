import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MediaError } from "../../base/errors.ts";
import { mpegCrc32 } from "./crc32.ts";
import { MAX_SECTION_BYTES, SectionAssembler } from "./section-assembler.ts";
import { MAX_STREAM_ENTRIES, parsePat, parsePmt, readDescriptors } from "./table-reader.ts";
import { buildPat, buildPmt } from "./tables.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const program = { programNumber: 1, pmtPid: 0x1000 };
const refuses = (reason: RegExp) => (error: unknown) =>
  error instanceof MediaError && error.code === "TS_SECTION_BROKEN" && reason.test(error.message);

/** The first section of: ffmpeg -f lavfi -i testsrc2 -f mpegts a.ts (FFmpeg 5.1). */
const FFMPEG_PAT = hex("00b00d0001c100000001f0002ab104b2");

/** A section with a right CRC around any body. */
function sectionOf(body: Uint8Array): Uint8Array {
  const section = new Uint8Array(body.byteLength + 4);
  section.set(body);
  new DataView(section.buffer).setUint16(1, 0xb000 | (section.byteLength - 3));
  new DataView(section.buffer).setUint32(body.byteLength, mpegCrc32(section, 0, body.byteLength));
  return section;
}

test("the CRC is the one of the catalogues' check value", () => {
  assert.equal(mpegCrc32(Buffer.from("123456789"), 0, 9), 0x0376e6e7);
});

test("a PAT is built as ffmpeg builds it, and read", () => {
  assert.deepEqual(buildPat(1, 0x1000), FFMPEG_PAT);
  assert.deepEqual(parsePat(FFMPEG_PAT), [program]);
});

test("a PMT is read as it was built", () => {
  const streams = [
    { pid: 0x100, streamType: 0x1b, descriptors: hex("") },
    { pid: 0x200, streamType: 0x81, descriptors: hex("050441432d33 0a04656e6700") },
  ];
  const section = buildPmt({ programNumber: 1, version: 31, pcrPid: 0x100, streams });
  assert.deepEqual(parsePmt(section, program), streams);
  assert.equal((section[5]! >> 1) & 31, 31);
  assert.deepEqual(
    readDescriptors(streams[1]!.descriptors).map(({ tag }) => tag),
    [5, 10],
  );
});

test("a PMT that would be longer than a section is not built", () => {
  const streams = Array.from({ length: 60 }, (_, i) => ({
    pid: 256 + i,
    streamType: 15,
    descriptors: new Uint8Array(15),
  }));
  assert.throws(() => buildPmt({ programNumber: 1, version: 0, pcrPid: 256, streams }), RangeError);
});

test("tables of another kind, another program, or of a time to come are passed over", () => {
  const next = sectionOf(hex("00b00d0001c000000001f000"));
  assert.equal(parsePat(next), null);
  assert.equal(parsePat(hex("42f00d")), null);
  const pmt = buildPmt({ programNumber: 2, version: 0, pcrPid: 256, streams: [] });
  assert.equal(parsePmt(pmt, program), null);
});

test("broken tables are refused", () => {
  assert.throws(() => parsePat(FFMPEG_PAT.subarray(0, 8)), refuses(/cut off/));
  const flipped = FFMPEG_PAT.slice();
  flipped[9]! ^= 1;
  assert.throws(() => parsePat(flipped), refuses(/CRC/));
  const bodies = [
    ["entries that end early", "02b0000001c10000e100f0001be100", /cut off/],
    ["descriptors past the end", "02b0000001c10000e100f0001be100f009", /past the end/],
    ["program descriptors past the end", "02b0000001c10000e100f0ff", /past the end/],
    ["no room for a PCR PID", "02b0000001c10000", /cut off/],
  ] as const;
  for (const [name, body, reason] of bodies)
    assert.throws(() => parsePmt(sectionOf(hex(body)), program), refuses(reason), name);
});

test("no more streams are read of a program map than the bound says", () => {
  const body = new Uint8Array(12 + 190 * 5);
  body.set(hex("02b0000001c10000e100f000"));
  for (let at = 12; at < body.byteLength; at += 5) body.set(hex("1be100f000"), at);
  assert.equal(parsePmt(sectionOf(body), program)!.length, MAX_STREAM_ENTRIES);
});

/** Feeds payloads of packets, the first with a pointer field. */
function assemble(payloads: readonly Uint8Array[]): Uint8Array[] {
  const sections: Uint8Array[] = [];
  const assembler = new SectionAssembler(0, (section) => sections.push(section.slice()));
  payloads.forEach((bytes, i) => assembler.payload(bytes, 0, bytes.byteLength, i === 0));
  return sections;
}

test("a section is put together wherever it is cut, with others behind it", () => {
  const pmt = buildPmt({ programNumber: 1, version: 0, pcrPid: 256, streams: [] });
  const bytes = Uint8Array.of(0, ...FFMPEG_PAT, ...pmt, 0xff, 0xff);
  for (let cut = 1; cut <= bytes.byteLength; cut++) {
    assert.deepEqual(
      assemble([bytes.subarray(0, cut), bytes.subarray(cut)]),
      [FFMPEG_PAT, pmt],
      `cut at ${cut}`,
    );
  }
});

test("a section that a pointer field ends is finished, one that lost a packet is not", () => {
  const sections: Uint8Array[] = [];
  const assembler = new SectionAssembler(0, (section) => sections.push(section.slice()));
  const feed = (bytes: Uint8Array, isStart: boolean) =>
    assembler.payload(bytes, 0, bytes.byteLength, isStart);
  feed(Uint8Array.of(0, ...FFMPEG_PAT.subarray(0, 10)), true);
  feed(Uint8Array.of(6, ...FFMPEG_PAT.subarray(10), ...FFMPEG_PAT), true);
  assert.deepEqual(sections, [FFMPEG_PAT, FFMPEG_PAT]);
  feed(Uint8Array.of(0, ...FFMPEG_PAT.subarray(0, 10)), true);
  assembler.lost();
  feed(FFMPEG_PAT.subarray(10), false);
  assert.equal(sections.length, 2);
});

test("sections that are too long and pointers that lead out of the packet are refused", () => {
  const tooLong = Uint8Array.of(0, 2, 0xb0 | (MAX_SECTION_BYTES >> 8), 0xff);
  assert.throws(() => assemble([tooLong]), refuses(/longer than 1024/));
  assert.throws(() => assemble([Uint8Array.of(9, 1)]), refuses(/pointer/));
});

test("no bytes make the parsers throw anything but a refusal", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (body) => {
      const section = sectionOf(Uint8Array.of(2, 0, 0, 0, 1, 1, 0, 0, ...body));
      try {
        parsePmt(section, program);
      } catch (caught) {
        assert.ok(caught instanceof MediaError);
      }
    }),
    { seed: 5, numRuns: 500 },
  );
});
