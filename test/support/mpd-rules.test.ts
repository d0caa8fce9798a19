import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { renderMpd } from "../../src/protocols/dash/mpd.ts";
import type { SegmentEntry } from "../../src/packaging/presentation.ts";
import { mpdProblems, parseMpd, schemaProblems, successionProblems } from "./mpd-rules.ts";
import { CLOCK_START_US, presentationOf, segmentEntry, timelineOf } from "./presentation.ts";

function mpdOf(...segments: SegmentEntry[]): string {
  const timeline = timelineOf({ segments });
  return renderMpd({ presentation: presentationOf(timeline), timeline, query: "", lowLatency: null })!;
}

const again = { stretchStartUs: CLOCK_START_US + 8e6, discontinuity: true };
const GOOD = mpdOf(segmentEntry(0), segmentEntry(1), segmentEntry(2, again));

test("what the server writes has no problems", async () => {
  assert.deepEqual(await schemaProblems([GOOD]), []);
  assert.deepEqual(mpdProblems(parseMpd(GOOD)), []);
});

describe("the schema refuses", () => {
  const wrong = [
    ["what is not well-formed", GOOD.replace("</Period>", "")],
    ["an attribute that nobody knows", GOOD.replace("<Role ", '<Role color="red" ')],
    [
      "an element in the wrong place",
      GOOD.replace(/(<Role [^>]*>)([^]*?)(<Representation [^]*?<\/Representation>)/, "$3$2$1"),
    ],
    ["a missing bandwidth", GOOD.replace(/ bandwidth="\d+"/, "")],
    ["a time that is none", GOOD.replace(/publishTime="[^"]*"/, 'publishTime="today"')],
    ["a segment of no length", GOOD.replace(/ d="4000"/, ' d="0"')],
    ["a Period without a set", GOOD.replace(/<AdaptationSet[^]*?<\/Period>/, "</Period>")],
    ["another namespace", GOOD.replace("mpd:2011", "mpd:2031")],
  ] as const;
  for (const [what, text] of wrong) {
    test(what, async () => {
      assert.notEqual(text, GOOD);
      assert.notDeepEqual(await schemaProblems([text]), []);
    });
  }
});

describe("the rules refuse", () => {
  const wrong = [
    [
      "a dynamic MPD without publishTime",
      GOOD.replace(/ publishTime="[^"]*"/, ""),
      /publishTime is missing/,
    ],
    ["a dynamic MPD without a clock", GOOD.replaceAll(/<UTCTiming[^>]*>/g, ""), /no UTCTiming/],
    [
      "segments that overlap",
      GOOD.replace('d="4000" r="1"', 'd="4000"/><S t="1767225601000" d="1"'),
      /begins before/,
    ],
    ["a Period that the one before goes beyond", GOOD.replace('r="1"', 'r="2"'), /after the next Period/],
    ["two Periods of one id", GOOD.replace('id="1767225608000"', 'id="1767225600000"'), /have one id/],
  ] as const;
  for (const [what, text, problem] of wrong) {
    test(what, () => {
      assert.notEqual(text, GOOD);
      assert.match(mpdProblems(parseMpd(text)).join("\n"), problem);
    });
  }
});

describe("from one MPD to the next the rules", () => {
  const first = mpdOf(segmentEntry(0), segmentEntry(1));
  const problems = (after: string): string =>
    successionProblems(parseMpd(first), parseMpd(after)).join("\n");

  test("allow segments to come at the end and to go at the begin, and Periods likewise", () => {
    for (const after of [
      first,
      mpdOf(segmentEntry(0), segmentEntry(1), segmentEntry(2)),
      mpdOf(segmentEntry(1), segmentEntry(2, again)),
      mpdOf(segmentEntry(5, again)),
    ])
      assert.equal(problems(after), "");
  });

  const wrong = [
    ["another length", mpdOf(segmentEntry(0), segmentEntry(1, { durationUs: 4_001_000 })), /became/],
    ["a segment that went from the middle", mpdOf(segmentEntry(0), segmentEntry(2)), /became/],
    [
      "a segment that comes back",
      mpdOf(segmentEntry(-1), segmentEntry(0), segmentEntry(1)),
      /before|came back/,
    ],
    [
      "other content under the same publishTime",
      first.replace('width="64"', 'width="32"'),
      /does not rise/,
    ],
    [
      "another codec",
      mpdOf(segmentEntry(1), segmentEntry(2)).replaceAll("avc1.64000a", "avc1.4d4028"),
      /v1 has changed/,
    ],
    [
      "a Period that moves",
      mpdOf(segmentEntry(1), segmentEntry(2)).replace('start="PT1767225600S"', 'start="PT1767225601S"'),
      /moved/,
    ],
    [
      "a set that goes from its Period",
      mpdOf(segmentEntry(0), segmentEntry(1), segmentEntry(2)).replace(
        /<AdaptationSet id="101"[^]*?<.AdaptationSet>/,
        "",
      ),
      /a1 of set 101 has gone/,
    ],
    [
      "a set that comes to its Period",
      mpdOf(segmentEntry(0), segmentEntry(1), segmentEntry(2)).replace(
        /<AdaptationSet id="101"[^]*?<.AdaptationSet>/,
        (set) => set + set.replace('id="101"', 'id="102"').replace('id="a1"', 'id="a2"'),
      ),
      /a2 of set 102 has come/,
    ],
  ] as const;
  for (const [what, after, problem] of wrong)
    test(`refuse ${what}`, () => assert.match(problems(after), problem));
});
