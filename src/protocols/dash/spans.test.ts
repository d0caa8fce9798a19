import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ARCHIVE_START_S, FakeArchive } from "../../../test/support/fake-archive.ts";
import type { RecordedStretch } from "../../../test/support/fake-archive.ts";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import {
  mpdProblems,
  parseMpd,
  schemaProblems,
  successionProblems,
} from "../../../test/support/mpd-rules.ts";
import type { MpdRepresentation, ParsedMpd } from "../../../test/support/mpd-rules.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { dashOutput } from "./output.ts";

const FROM = ARCHIVE_START_S;
const FROM_MS = FROM * 1000;
const SAME = [videoTrack(), audioTrack()];

/** A restart, hours without a publisher, another size of the picture, sound that is missing. */
const HISTORY: readonly RecordedStretch[] = [
  { segments: 5 },
  { segments: 3, isBreak: true, tracks: trackSet(SAME, 2) },
  { segments: 4, gapS: 7200, tracks: trackSet(SAME, 3) },
  {
    segments: 3,
    isBreak: true,
    tracks: trackSet([videoTrack({ width: 128, height: 96 }), audioTrack()], 4),
  },
  { segments: 2, hasSound: false },
  { segments: 3, isBreak: true, tracks: trackSet(SAME, 5) },
];

/** Asks as the server does: the path says of which span the presentation is. `null`: nothing was recorded there. */
async function get(archive: FakeArchive, address: string, carriedQuery = ""): Promise<HttpReply | null> {
  const [path, query = ""] = address.split("?") as [string, string?];
  const request = { query: new URLSearchParams(query), remoteAddress: "192.0.2.1" } as HttpRequest;
  const parsed = dashOutput.parse(`/news/one/${path}`);
  assert.ok(parsed?.span !== undefined, `${path} is of no span`);
  const presentation = archive.present(parsed.span);
  return presentation === null ? null : await parsed.reply(presentation, { request, carriedQuery });
}

async function textOf(archive: FakeArchive, address: string, carriedQuery = ""): Promise<string> {
  const reply = await get(archive, address, carriedQuery);
  assert.ok(reply !== null && reply.status === 200, address);
  return Buffer.concat(reply.body).toString();
}

const startsOf = ({ periods }: ParsedMpd): number[] => periods.map(({ startMs }) => startMs);

/** The Representations of one track in all Periods. */
function representations({ periods }: ParsedMpd, id: string): (MpdRepresentation | undefined)[] {
  return periods.map((period) => period.representations.find((one) => one.id === id));
}

test("a complete range is static, from its first segment on, with a Period for each stretch", async () => {
  const archive = new FakeArchive().record(HISTORY);
  const mpd = parseMpd(await textOf(archive, `archive-${FROM + 4}-7215.mpd`));
  assert.deepEqual(mpdProblems(mpd), []);
  assert.equal(mpd.isDynamic, false);
  assert.deepEqual(startsOf(mpd), [0, 6000, 7_212_000]);
  // The first stretch began before the range does.
  assert.deepEqual(
    mpd.periods.map(({ id }) => id),
    [FROM_MS, FROM_MS + 10_000, FROM_MS + 7_216_000].map(String),
  );
  assert.equal(mpd.attributes["mediaPresentationDuration"], "PT7216S");
  assert.deepEqual(
    representations(mpd, "v1").map((one) => one!.presentationTimeOffset),
    [FROM_MS + 4000, FROM_MS + 10_000, FROM_MS + 7_216_000],
  );
  assert.doesNotMatch(mpd.text, /availabilityStartTime|UTCTiming|minimumUpdatePeriod|timeShiftBufferDepth/);
});

test("a range that grows is dynamic, begins with its first segment, and keeps all that it had when it is complete", async () => {
  const archive = new FakeArchive().record(HISTORY.slice(0, 2));
  const address = `archive-${FROM + 3}-7226.mpd`;
  const texts: string[] = [];
  const look = async (): Promise<void> => void texts.push(await textOf(archive, address));
  await look();
  for (const stretch of HISTORY.slice(2)) {
    archive.record([stretch]);
    await look();
  }
  const mpds = texts.map(parseMpd);
  const first = mpds[0]!;
  assert.equal(first.attributes["availabilityStartTime"], "2026-01-01T00:00:04Z");
  assert.equal(first.attributes["publishTime"], "2026-01-01T00:00:16.000Z");
  assert.equal(first.attributes["timeShiftBufferDepth"], undefined);
  assert.deepEqual(startsOf(first), [0, 6000]);
  assert.deepEqual(
    mpds.map(({ isDynamic }) => isDynamic),
    [true, true, false, false, false],
  );
  for (const [index, mpd] of mpds.entries()) {
    assert.deepEqual(mpdProblems(mpd), []);
    const { periods } = mpd;
    const before = mpds[index - 1];
    for (const [at, period] of before?.periods.entries() ?? []) {
      const { id, startMs } = periods[at]!;
      assert.deepEqual([id, startMs], [period.id, period.startMs]);
      for (const { id: track, presentationTimeOffset, segments } of period.representations) {
        const now = periods[at]!.representations.find((one) => one.id === track)!;
        assert.equal(now.presentationTimeOffset, presentationTimeOffset);
        assert.deepEqual(now.segments.slice(0, segments.length), segments);
      }
    }
  }
  assert.deepEqual(await schemaProblems(texts), []);
});

test("a window that slides is as a live one: the clock's own time, and as deep as it is", async () => {
  const archive = new FakeArchive().record(HISTORY);
  const mpd = parseMpd(await textOf(archive, "rewind-20.mpd"));
  assert.equal(mpd.attributes["availabilityStartTime"], "1970-01-01T00:00:00Z");
  assert.equal(mpd.attributes["timeShiftBufferDepth"], "PT22S");
  const [first] = mpd.periods;
  assert.equal(String(first!.startMs), first!.id);
  const deep = parseMpd(await textOf(archive, "rewind-86400.mpd"));
  assert.equal(deep.attributes["timeShiftBufferDepth"], `PT${archive.nowS - FROM + 2}S`);
});

test("a window that is kept behind now is so for players that look for its edge by the clock", async () => {
  const archive = new FakeArchive().record([{ segments: 100 }]);
  const mpd = parseMpd(await textOf(archive, "timeshift_rel-60.mpd"));
  assert.deepEqual(mpdProblems(mpd), []);
  const startS = Date.parse(mpd.attributes["availabilityStartTime"]!) / 1000;
  assert.equal(startS, 60);
  const { segments } = representations(mpd, "v1")[0]!;
  const newest = segments.at(-1)!;
  assert.equal((newest.timeMs + newest.durationMs) / 1000, archive.nowS - startS);
});

describe("period=mono", () => {
  test("is one Period of all that has the same tracks, with holes where the time breaks", async () => {
    const archive = new FakeArchive().record(HISTORY);
    const text = await textOf(archive, `archive-${FROM}-7228.mpd?period=mono`);
    const mpd = parseMpd(text);
    assert.deepEqual(mpdProblems(mpd), []);
    assert.deepEqual(startsOf(mpd), [0, 7_224_000]);
    assert.deepEqual(text.match(/<S [^>]*>/g)!.slice(0, 2), [
      `<S t="${FROM_MS}" d="2000" r="7"/>`,
      `<S t="${FROM_MS + 7_216_000}" d="2000" r="3"/>`,
    ]);
    assert.deepEqual(
      mpd.periods.map(({ id }) => id),
      [FROM_MS, FROM_MS + 7_224_000].map(String),
    );
    // Those that it merges, one behind the other.
    const usual = parseMpd(await textOf(archive, `archive-${FROM}-7228.mpd`));
    const all = (of: ParsedMpd): unknown => representations(of, "a1").flatMap((one) => one?.segments ?? []);
    assert.deepEqual(all(mpd), all(usual));
    assert.equal(usual.periods.length, 4);
  });

  test("does not merge stretches of which one has sound and one has none", async () => {
    const archive = new FakeArchive().record([
      { segments: 2 },
      { segments: 2, hasSound: false },
      { segments: 2 },
    ]);
    const mpd = parseMpd(await textOf(archive, `archive-${FROM}-12.mpd?period=mono`));
    assert.deepEqual(startsOf(mpd), [0, 4000, 8000]);
    assert.equal(representations(mpd, "a1")[1], undefined);
  });

  test("goes with a choice of tracks, and is another MPD than the usual one", async () => {
    const archive = new FakeArchive().record(HISTORY);
    const address = `archive-${FROM}-7230.mpd`;
    const usual = await textOf(archive, address);
    const merged = parseMpd(await textOf(archive, `${address}?filter.tracks=a1&period=mono`));
    assert.ok(
      merged.periods.every(
        ({ representations: [only, ...rest] }) => only!.id === "a1" && rest.length === 0,
      ),
    );
    assert.equal(await textOf(archive, `${address}?period=multi`), usual);
  });

  test("keeps its Period in a window that slides past the stretches in it", async () => {
    const archive = new FakeArchive();
    let before: ParsedMpd | null = null;
    const texts: string[] = [];
    for (let index = 0; index < 12; index++) {
      archive.record([{ segments: 1, isBreak: true, tracks: trackSet(SAME, index) }, { segments: 2 }]);
      const now = parseMpd(await textOf(archive, "rewind-9.mpd?period=mono"));
      assert.deepEqual(
        [...mpdProblems(now), ...(before === null ? [] : successionProblems(before, now))],
        [],
      );
      assert.deepEqual([now.periods.length, now.periods[0]!.startMs], [1, 0]);
      before = now;
      texts.push(now.text);
    }
    assert.deepEqual(await schemaProblems(texts), []);
  });
});

/** Follows MPDs of spans while a recording goes on. */
async function follow(
  addresses: readonly string[],
  stretches: readonly RecordedStretch[],
): Promise<string[]> {
  const archive = new FakeArchive();
  const last = new Map<string, ParsedMpd>();
  const texts: string[] = [];
  for (const stretch of stretches) {
    const { gapS: _gap, isBreak: _break, ...rest } = stretch;
    for (let index = 0; index < stretch.segments; index++) {
      archive.record([{ ...(index === 0 ? stretch : rest), segments: 1 }]);
      for (const address of addresses) {
        const reply = await get(archive, address);
        if (reply === null) continue;
        const text = Buffer.concat(reply.body).toString();
        const before = last.get(address);
        if (text === before?.text) continue;
        const now = parseMpd(text);
        const isOther = before === undefined || before.isDynamic !== now.isDynamic;
        const problems = [...mpdProblems(now), ...(isOther ? [] : successionProblems(before, now))];
        assert.deepEqual(problems, [], `${address}\n${before?.text}\n${text}`);
        last.set(address, now);
        texts.push(text);
      }
    }
  }
  return texts;
}

test("MPDs of spans keep the rules while the recording goes on, through all that happens to it", async () => {
  const addresses = [
    `archive-${FROM + 4}-21.mpd`,
    `archive-${FROM}-7230.mpd`,
    `archive-${FROM + 3}-now.mpd`,
    `archive-${FROM + 3}-now.mpd?period=mono`,
    `timeshift_abs-${FROM + 9}.mpd`,
    "rewind-11.mpd",
    "rewind-100000.mpd",
    "timeshift_rel-6.mpd",
  ];
  const texts = await follow(addresses, HISTORY);
  assert.ok(texts.length > 100);
  assert.deepEqual(await schemaProblems(texts), []);
});

test("whatever happens to a recording, MPDs of spans keep the rules", async () => {
  const sets = [trackSet(), trackSet(SAME, 6), trackSet([videoTrack({ width: 32 }), audioTrack()], 7)];
  const stretch = fc.record({
    segments: fc.integer({ min: 1, max: 5 }),
    gapS: fc.constantFrom(0, 0, 0.25, 2, 5000),
    isBreak: fc.boolean(),
    hasSound: fc.constantFrom(true, true, false),
    tracks: fc.constantFrom(...sets),
    segmentUs: fc.constantFrom(2_000_000, 2_002_000, 1_234_567, 40_000),
  });
  const address = fc.oneof(
    fc
      .record({ from: fc.integer({ min: -5, max: 30 }), length: fc.integer({ min: 1, max: 5100 }) })
      .map(({ from, length }) => `archive-${FROM + from}-${length}.mpd`),
    fc.integer({ min: 0, max: 30 }).map((from) => `archive-${FROM_MS + from * 997}-now.mpd?period=mono`),
    fc.integer({ min: 1, max: 60 }).map((ago) => `rewind-${ago}.mpd`),
    fc.integer({ min: 1, max: 60 }).map((ago) => `timeshift_rel-${ago}.mpd`),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(stretch, { minLength: 1, maxLength: 5 }),
      fc.uniqueArray(address, { minLength: 1, maxLength: 3 }),
      async (stretches, addresses) => void (await follow(addresses, stretches)),
    ),
    { seed: 9, numRuns: 40 },
  );
});

test("a day is a run of equal segments", async () => {
  const archive = new FakeArchive().record([{ segments: 43_200 }]);
  const text = await textOf(archive, `archive-${FROM}-86400.mpd`);
  assert.deepEqual(text.match(/<S .*>/g), Array(2).fill(`<S t="${FROM_MS}" d="2000" r="43199"/>`));
  assert.ok(text.length < 4000);
});

test("a token is carried on in every address", async () => {
  const archive = new FakeArchive().record(HISTORY);
  const text = await textOf(archive, `archive-${FROM}-now.mpd`, "?token=t");
  const addresses = [
    ...text.matchAll(/ (?:initialization|media)="([^"]*)"|<UTCTiming [^>]*value="([^"]*)"/g),
  ];
  assert.ok(addresses.length > 10);
  for (const [, media, clock] of addresses) assert.match((media ?? clock)!, /^[^?]+\?token=t$/);
});

test("complete MPDs may be kept longer than growing ones, under another tag", async () => {
  const archive = new FakeArchive().record([{ segments: 3 }]);
  const headers = async (): Promise<ReadonlyMap<string, string>> =>
    new Map((await get(archive, `archive-${FROM}-7.mpd`))!.headers);
  const growing = await headers();
  archive.record([{ segments: 1, gapS: 60 }]);
  const complete = await headers();
  assert.equal(growing.get("cache-control"), "public, max-age=1");
  assert.equal(complete.get("cache-control"), "public, max-age=3600");
  assert.notEqual(growing.get("etag"), complete.get("etag"));
});

test("what is asked for is the span", () => {
  const span = { kind: "archive", fromS: 1_700_000_000, durationS: 60 };
  for (const path of ["/a/archive-1700000000-60.mpd", "/a/archive-1700000000-60.ll.mpd"])
    assert.deepEqual([dashOutput.parse(path)?.name, dashOutput.parse(path)?.span], ["a", span], path);
  for (const path of ["/a/index.mpd", "/a/Manifest.mpd", "/a/utc", "/a/tracks-v1/seg-1.m4s"])
    assert.ok(!("span" in dashOutput.parse(path)!), path);
});
