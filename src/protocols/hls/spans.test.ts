import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ARCHIVE_START_S, FakeArchive } from "../../../test/support/fake-archive.ts";
import type { RecordedStretch } from "../../../test/support/fake-archive.ts";
import { audioTrack, trackSet, videoTrack } from "../../../test/support/media.ts";
import { parsePlaylistText } from "../../../test/support/media-playlist-text.ts";
import { PlaylistWatch } from "../../../test/support/playlist-rules.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { parseTimeSpan } from "../../packaging/time-span.ts";
import { trackId } from "../../media/ids.ts";
import { hlsOutput } from "./output.ts";

const FROM = ARCHIVE_START_S;
const GERMAN = audioTrack({ id: trackId("audio", 2), language: "de" });

/** What happens to recordings: a restart, hours without a publisher, other tracks, sound that is missing. */
const HISTORY: readonly RecordedStretch[] = [
  { segments: 5 },
  { segments: 3, isBreak: true, tracks: trackSet([videoTrack(), audioTrack()], 2) },
  { segments: 4, gapS: 7200 },
  {
    segments: 3,
    isBreak: true,
    tracks: trackSet([videoTrack({ width: 128, height: 96 }), audioTrack()], 3),
  },
  { segments: 2, hasSound: false },
  { segments: 4, tracks: trackSet([videoTrack({ width: 128, height: 96 })], 4), gapS: 0.5 },
  { segments: 3, isBreak: true, tracks: trackSet([videoTrack(), audioTrack(), GERMAN], 5) },
];

/** Asks as the server does: the path says of which span the presentation is. `null`: nothing was recorded there. */
async function get(archive: FakeArchive, address: string, carriedQuery = ""): Promise<HttpReply | null> {
  const [path, query = ""] = address.split("?") as [string, string?];
  const request = { query: new URLSearchParams(query), remoteAddress: "192.0.2.1" } as HttpRequest;
  const parsed = hlsOutput.parse(`/news/one/${path}`);
  assert.ok(parsed?.span !== undefined, `${path} is of no span`);
  assert.equal(parsed.name, "news/one");
  const presentation = archive.present(parsed.span);
  return presentation === null ? null : await parsed.reply(presentation, { request, carriedQuery });
}

async function textOf(archive: FakeArchive, address: string, carriedQuery = ""): Promise<string> {
  const reply = await get(archive, address, carriedQuery);
  assert.ok(reply !== null, address);
  assert.equal(reply.status, 200, address);
  return Buffer.concat(reply.body).toString();
}

const uris = (text: string): string[] =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test("a complete range, to the letter", async () => {
  const archive = new FakeArchive().record([
    { segments: 2 },
    { segments: 2, gapS: 3600, tracks: trackSet([videoTrack({ width: 32 }), audioTrack()], 2) },
    { segments: 9 },
  ]);
  const init = (index: number): string =>
    archive
      .present({ kind: "archive", fromS: FROM, durationS: null })!
      .initName(archive.segments[index]!.tracks, [trackId("video", 1), trackId("audio", 1)]);
  assert.equal(
    await textOf(archive, `tracks-v1a1/archive-${FROM}-3608.m3u8`, "?token=x"),
    `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-${init(0)}.mp4?token=x"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:2.000000,
seg-1767225600000.m4s?token=x
#EXTINF:2.000000,
seg-1767225602000.m4s?token=x
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-${init(2)}.mp4?token=x"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T01:00:04.000Z
#EXTINF:2.000000,
seg-1767229204000.m4s?token=x
#EXTINF:2.000000,
seg-1767229206000.m4s?token=x
#EXT-X-ENDLIST
`,
  );
});

test("a range that begins behind a break counts those before it", async () => {
  const archive = new FakeArchive().record(HISTORY);
  const { startUs } = archive.segments[9]!;
  const text = await textOf(archive, `tracks-v1a1/archive-${startUs / 1e6}-60.m3u8`);
  const playlist = parsePlaylistText(text);
  assert.deepEqual([playlist.mediaSequence, playlist.discontinuitySequence], [109, 2]);
  const atBreak = await textOf(
    archive,
    `tracks-v1a1/archive-${archive.segments[8]!.startUs / 1e6}-60.m3u8`,
  );
  const { segments, discontinuitySequence } = parsePlaylistText(atBreak);
  assert.deepEqual(
    [discontinuitySequence, segments[0]!.hasDiscontinuity, segments[0]!.discontinuityNumber],
    [1, true, 2],
  );
});

describe("every playlist of what is live is one of a span, and the media playlists are of the same", () => {
  const archive = new FakeArchive().record(HISTORY);
  const spans = [
    `archive-${FROM}-7300`,
    `archive-${FROM}-now`,
    "rewind-30",
    `timeshift_abs-${FROM}`,
    "timeshift_rel-6",
  ];
  for (const span of spans) {
    test(span, async () => {
      for (const [ending, link] of [
        [".m3u8", ".m3u8"],
        [".fmp4.m3u8", ".m3u8"],
        [".ll.m3u8", ".ll.m3u8"],
        [".ts.m3u8", ".ts.m3u8"],
      ] as const) {
        const multivariant = await textOf(archive, `${span}${ending}`, "?token=t");
        const renditions = [...multivariant.matchAll(/URI="([^"]+)"/g)].map(([, uri]) => uri!);
        const media = [...uris(multivariant), ...renditions];
        assert.ok(media.length > 0);
        for (const uri of media) {
          assert.match(uri, /^tracks-[va0-9]+\//);
          assert.ok(uri.endsWith(`/${span}${link}?token=t`), uri);
          const text = await textOf(archive, uri, "?token=t");
          for (const segment of uris(text)) assert.match(segment, /^seg-[0-9]+\.(?:m4s|ts)\?token=t$/);
          assert.equal(
            uris(text).some((segment) => segment.includes(".ts?")),
            ending === ".ts.m3u8",
          );
        }
      }
      const single = await textOf(archive, `video-${span}.m3u8`, "?token=t");
      for (const uri of uris(single))
        assert.match(uri, /^tracks-v1(?:a1)?(?:a2)?\/seg-[0-9]+\.ts\?token=t$/);
    });
  }
});

test("sound that was lost at the end of a range is offered for all of it, and not where a window has lost it", async () => {
  const lost = { segments: 2, tracks: trackSet([videoTrack()], 2), isBreak: true };
  const archive = new FakeArchive().record([{ segments: 5 }, lost]);
  for (const span of [`archive-${FROM}-14`, `archive-${FROM}-now`]) {
    assert.match(
      await textOf(archive, `${span}.m3u8`),
      /CODECS="avc1\.[0-9a-f]+,mp4a\.40\.2"[^]*\ntracks-v1a1\//,
    );
    assert.match(await textOf(archive, `${span}.ts.m3u8`), /\ntracks-v1a1\//);
    const single = uris(await textOf(archive, `video-${span}.m3u8`));
    assert.deepEqual(
      single.map((uri) => uri.split("/")[0]),
      [...Array.from({ length: 5 }, () => "tracks-v1a1"), "tracks-v1", "tracks-v1"],
    );
  }
  assert.match(await textOf(archive, "rewind-14.m3u8"), /\ntracks-v1\//);
});

test("addresses of old name the playlists of today", async () => {
  const archive = new FakeArchive().record(HISTORY);
  const today = await textOf(archive, `archive-${FROM}-7300.m3u8`);
  assert.equal(await textOf(archive, `index-${FROM}-7300.m3u8`), today);
  assert.equal(await textOf(archive, `index-${FROM}000-7300.m3u8`), today);
  assert.equal(
    await textOf(archive, `tracks-v1a1/mono-${FROM}-7300.m3u8`),
    await textOf(archive, `tracks-v1a1/archive-${FROM}-7300.m3u8`),
  );
  assert.equal(
    await textOf(archive, `video-${FROM}-7300.m3u8`),
    await textOf(archive, `video-archive-${FROM}-7300.m3u8`),
  );
  assert.match(await textOf(archive, `video-timeshift_abs-${FROM}.m3u8`), /PLAYLIST-TYPE:EVENT/);
});

/** Watches playlists of spans while a recording goes on. */
class Viewers {
  readonly archive = new FakeArchive();
  readonly watches = new Map<string, PlaylistWatch>();
  readonly last = new Map<string, string>();
  readonly addresses: readonly string[];

  constructor(addresses: readonly string[]) {
    this.addresses = addresses;
  }

  async look(): Promise<void> {
    for (const address of this.addresses) {
      const reply = await get(this.archive, address);
      if (reply === null || reply.status === 404) {
        this.last.delete(address);
        continue;
      }
      const text = Buffer.concat(reply.body).toString();
      const watch = this.watches.get(address) ?? new PlaylistWatch();
      this.watches.set(address, watch);
      const before = this.last.get(address);
      const { segments, hasEnd, mediaSequence } = watch.take(text);
      if (before !== undefined && text !== before) {
        const known = parsePlaylistText(before);
        const oldest = known.mediaSequence + known.segments.length;
        const news = mediaSequence + segments.length - oldest;
        // What stays behind now comes to what was recorded before a gap all at once.
        assert.ok(news <= 1 || address.includes("timeshift_rel"), `${address}: ${news} segments are new`);
        assert.ok(!known.hasEnd, `${address}: it had ended`);
      }
      assert.equal(hasEnd, text.includes("\n#EXT-X-PLAYLIST-TYPE:VOD\n"));
      this.last.set(address, text);
    }
  }

  /** Records segment by segment, and looks behind each. */
  async record(stretches: readonly RecordedStretch[]): Promise<this> {
    for (const stretch of stretches) {
      const { gapS: _gap, isBreak: _break, ...rest } = stretch;
      for (let index = 0; index < stretch.segments; index++) {
        this.archive.record([{ ...(index === 0 ? stretch : rest), segments: 1 }]);
        await this.look();
      }
    }
    return this;
  }
}

const everySpan = [
  `archive-${FROM + 4}-21`,
  `archive-${FROM}-7230`,
  `archive-${FROM + 3}-now`,
  "rewind-11",
  "rewind-100000",
  `timeshift_abs-${FROM + 9}`,
  "timeshift_rel-6",
];

test("playlists of spans keep the rules while the recording goes on, through all that happens to it", async () => {
  const files = [
    "tracks-v1a1/SPAN.m3u8",
    "tracks-v1/SPAN.m3u8",
    "tracks-a1/SPAN.m3u8",
    "tracks-v1a1/SPAN.ts.m3u8",
  ];
  const addresses = everySpan.flatMap((span) =>
    [...files, "video-SPAN.m3u8"].map((file) => file.replace("SPAN", span)),
  );
  const { watches, last, archive } = await new Viewers(addresses).record(HISTORY);
  assert.equal(watches.size, addresses.length);
  const newest = archive.segments.at(-1)!.name;
  for (const address of addresses) {
    const text = last.get(address)!;
    const isComplete = address.includes(`archive-${FROM + 4}-21`) || address.includes("-7230");
    assert.equal(text.endsWith("#EXT-X-ENDLIST\n"), isComplete, address);
    assert.equal(
      text.includes(`seg-${newest}`),
      !isComplete && !address.includes("timeshift_rel"),
      address,
    );
    assert.ok(watches.get(address)!.changes >= 6, address);
  }
});

test("a range that has grown to its end says the same of each segment as before, and that it ends", async () => {
  const viewers = new Viewers([`tracks-v1a1/archive-${FROM + 2}-16.m3u8`]);
  const texts: string[] = [];
  await viewers.record(HISTORY.slice(0, 2));
  texts.push(viewers.last.get(viewers.addresses[0]!)!);
  await viewers.record([{ segments: 1 }]);
  texts.push(viewers.last.get(viewers.addresses[0]!)!);
  await viewers.record([{ segments: 5 }]);
  assert.equal(viewers.last.get(viewers.addresses[0]!), texts[1], "it is what it was");
  const [growing, complete] = texts as [string, string];
  assert.match(growing, /\n#EXT-X-PLAYLIST-TYPE:EVENT\n/);
  assert.doesNotMatch(growing, /ENDLIST/);
  const asComplete = growing.replace("TYPE:EVENT", "TYPE:VOD");
  assert.ok(complete.startsWith(asComplete));
  assert.match(
    complete.slice(asComplete.length),
    /^#EXTINF:2\.000000,\nseg-[0-9]+\.m4s\n#EXT-X-ENDLIST\n$/,
  );
});

test("whatever happens to a recording, playlists of spans keep the rules", async () => {
  const sets = [
    trackSet(),
    trackSet([videoTrack({ width: 32 }), audioTrack()], 7),
    trackSet([videoTrack()], 8),
  ];
  const stretch = fc.record({
    segments: fc.integer({ min: 1, max: 6 }),
    gapS: fc.constantFrom(0, 0, 0.25, 2, 5000),
    isBreak: fc.boolean(),
    hasSound: fc.constantFrom(true, true, false),
    tracks: fc.constantFrom(...sets),
    segmentUs: fc.constantFrom(2_000_000, 2_002_000, 1_234_567, 40_000),
  });
  const span = fc.oneof(
    fc
      .record({ from: fc.integer({ min: -5, max: 30 }), length: fc.integer({ min: 1, max: 5100 }) })
      .map(({ from, length }) => `archive-${FROM + from}-${length}`),
    fc.integer({ min: 0, max: 30 }).map((from) => `archive-${FROM * 1000 + from * 997}-now`),
    fc.integer({ min: 1, max: 60 }).map((ago) => `rewind-${ago}`),
    fc.integer({ min: 1, max: 60 }).map((ago) => `timeshift_rel-${ago}`),
  );
  const file = fc.constantFrom("tracks-v1a1/SPAN.m3u8", "tracks-a1/SPAN.m3u8", "video-SPAN.m3u8");
  await fc.assert(
    fc.asyncProperty(
      fc.array(stretch, { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(span, file), { minLength: 1, maxLength: 3 }),
      async (stretches, spans) => {
        const addresses = spans.map(([time, name]) => name.replace("SPAN", time));
        await new Viewers([...new Set(addresses)]).record(stretches);
      },
    ),
    { seed: 24, numRuns: 60 },
  );
});

test("who asks to play from a time begins there, who asks for a range may begin where it is live", async () => {
  const archive = new FakeArchive().record(HISTORY);
  const start = "\n#EXT-X-START:TIME-OFFSET=0\n";
  for (const file of ["tracks-v1a1/SPAN.m3u8", "tracks-v1a1/SPAN.ts.m3u8", "video-SPAN.m3u8"]) {
    const textAt = (span: string): Promise<string> => textOf(archive, file.replace("SPAN", span));
    assert.ok((await textAt(`timeshift_abs-${FROM}`)).includes(start), file);
    for (const span of [`archive-${FROM}-now`, `archive-${FROM}-60`, "rewind-60", "timeshift_rel-6"])
      assert.ok(!(await textAt(span)).includes("EXT-X-START"), `${file} ${span}`);
  }
});

describe("event=false", () => {
  const archive = new FakeArchive().record(HISTORY);

  test("takes what still grows for complete, in the multivariant playlist and in those that it names", async () => {
    const address = `archive-${FROM}-now.m3u8?event=false`;
    const [media] = uris(await textOf(archive, address, "?token=t"));
    assert.equal(media, `tracks-v1/archive-${FROM}-now.m3u8?token=t&event=false`);
    assert.match(await textOf(archive, address), /\?event=false\n/);
    const text = await textOf(archive, media);
    assert.match(text, /PLAYLIST-TYPE:VOD\n[^]*\n#EXT-X-ENDLIST\n$/);
    const growing = await textOf(archive, media.replace(/\?.*/, ""));
    assert.equal(growing.replace("TYPE:EVENT", "TYPE:VOD"), text.replace("#EXT-X-ENDLIST\n", ""));
    const single = await textOf(archive, `video-${FROM}-now.m3u8?event=false`);
    assert.match(single, /\n#EXT-X-ENDLIST\n$/);
    const transport = await textOf(archive, `archive-${FROM}-now.ts.m3u8?event=false`);
    assert.match(transport, /\/archive-[0-9]+-now\.ts\.m3u8\?event=false\n/);
  });

  test("is kept no longer than what grows, and is told from it by its tag", async () => {
    const address = `tracks-v1/archive-${FROM}-now.m3u8`;
    const [whole, growing] = [await get(archive, `${address}?event=false`), await get(archive, address)];
    const [wholeHeaders, growingHeaders] = [new Map(whole!.headers), new Map(growing!.headers)];
    assert.equal(wholeHeaders.get("cache-control"), "public, max-age=1");
    assert.equal(growingHeaders.get("cache-control"), "public, max-age=1");
    assert.notEqual(wholeHeaders.get("etag"), growingHeaders.get("etag"));
  });

  test("changes nothing where nothing grows or the window slides, nor does any other value", async () => {
    for (const span of [`archive-${FROM}-60`, "rewind-60"]) {
      const address = `tracks-v1/${span}.m3u8`;
      assert.equal(await textOf(archive, `${address}?event=false`), await textOf(archive, address));
    }
    for (const value of ["true", "", "0", "FALSE"])
      assert.match(
        await textOf(archive, `tracks-v1/archive-${FROM}-now.m3u8?event=${value}`),
        /TYPE:EVENT/,
      );
  });
});

test("a complete range may be kept for an hour, and its tag is not that of the same segments without an end", async () => {
  const archive = new FakeArchive().record([{ segments: 3 }]);
  const address = `tracks-v1a1/archive-${FROM}-7.m3u8`;
  const headers = async (): Promise<ReadonlyMap<string, string>> =>
    new Map((await get(archive, address))!.headers);
  const growing = await headers();
  // The range ends in a gap: nothing comes in it any more.
  archive.record([{ segments: 1, gapS: 60 }]);
  const complete = await headers();
  assert.equal(growing.get("cache-control"), "public, max-age=1");
  assert.equal(complete.get("cache-control"), "public, max-age=3600");
  assert.notEqual(growing.get("etag"), complete.get("etag"));
});

test("a day of segments of two seconds is written with one date, and every segment of it", async () => {
  const archive = new FakeArchive().record([{ segments: 43_200 }]);
  const text = await textOf(archive, `tracks-v1a1/archive-${FROM}-86400.m3u8`);
  assert.equal(text.match(/#EXTINF:2\.000000,\nseg-/g)!.length, 43_200);
  assert.equal(text.match(/PROGRAM-DATE-TIME/g)!.length, 1);
  assert.equal(text.match(/EXT-X-MAP/g)!.length, 1);
  assert.ok(text.length < 2_000_000, `${text.length} bytes`);
});

test("what is asked for is the span, whatever the playlist", () => {
  const span = parseTimeSpan("archive-1700000000-60")!;
  for (const path of [
    "/a/archive-1700000000-60.m3u8",
    "/a/index-1700000000-60.m3u8",
    "/a/video-1700000000-60.m3u8",
    "/a/archive-1700000000-60.ts.m3u8",
    "/a/tracks-v1/archive-1700000000-60.m3u8",
    "/a/tracks-v1/archive-1700000000-60.ts.m3u8",
    "/a/tracks-t1/archive-1700000000-60.m3u8",
  ])
    assert.deepEqual([hlsOutput.parse(path)?.name, hlsOutput.parse(path)?.span], ["a", span], path);
  for (const path of [
    "/a/index.m3u8",
    "/a/video.m3u8",
    "/a/tracks-v1/mono.m3u8",
    "/a/tracks-v1/seg-1.m4s",
  ]) {
    const address = hlsOutput.parse(path)!;
    assert.ok(!("span" in address), path);
  }
});

test("a variant of what stays names each codec that its tracks have had, of what slides those of now", async () => {
  const hevc = videoTrack({ codec: "h265", codecString: "hvc1.1.6.L60.90" });
  const archive = new FakeArchive().record([
    { segments: 4 },
    { segments: 4, isBreak: true, tracks: trackSet([hevc, audioTrack()], 2) },
  ]);
  const codecs = async (playlist: string): Promise<string | undefined> =>
    /CODECS="([^"]+)"/.exec(await textOf(archive, playlist))?.[1];
  assert.equal(await codecs(`archive-${FROM}-now.m3u8`), "avc1.64000a,hvc1.1.6.L60.90,mp4a.40.2");
  assert.equal(await codecs("rewind-60.m3u8"), "hvc1.1.6.L60.90,mp4a.40.2");
});
