import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeRequest } from "../../../test/support/fake-request.ts";
import { followed } from "../../../test/support/followed-window.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import { audioTrack } from "../../../test/support/media.ts";
import type { HttpReply } from "../../base/http-message.ts";
import type { TrackId } from "../../media/ids.ts";
import { makeTrackSet } from "../../media/track.ts";
import { EdgeWaiters } from "../../packaging/edge-waiters.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import { renderLowLatencyPlaylist } from "./ll-playlist.ts";
import { hlsReply } from "./reply.ts";

const selection = ["v1", "a1"] as TrackId[];

const textOf = (reply: HttpReply): string => new TextDecoder().decode(reply.body[0]);
const headerOf = (reply: HttpReply, name: string): string | undefined => new Map(reply.headers).get(name);

describe("a low-latency playlist", () => {
  let clock: FakeClock;
  let window: LiveWindow;
  let source: LiveSource;

  beforeEach(() => {
    clock = new FakeClock();
    window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 4, chunkDurationUs: 200_000, clock });
    source = new LiveSource(followed(window));
    // Four segments are complete, and five parts of the next one.
    source.play({ seconds: 9.04 });
  });

  const get = (query: string, request = new FakeRequest(query), carried = ""): Promise<HttpReply> =>
    Promise.resolve(hlsReply({ kind: "media", isLowLatency: true, selection }, window, carried, request));
  const open = () => window.edge!.now()!.open!;
  const lastMsn = (): number => window.timeline().segments.at(-1)!.sequence;

  test("to the letter", async () => {
    const text = textOf(await get(""));
    const init = window.initName(window.timeline().tracks, selection);
    const parts = (name: string, count: number): string =>
      Array.from({ length: count }, (_, index) => {
        const uri = `URI="part-${name}-${index}.m4s"`;
        return `#EXT-X-PART:DURATION=0.200000,${uri}${index === 0 ? ",INDEPENDENT=YES" : ""}\n`;
      }).join("");
    assert.equal(
      text,
      `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6,PART-HOLD-BACK=0.624
#EXT-X-PART-INF:PART-TARGET=0.208
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:1767225600
#EXT-X-DISCONTINUITY-SEQUENCE:560
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-${init}.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:2.000000,
seg-1767225600000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z
${parts("1767225602000", 10)}#EXTINF:2.000000,
seg-1767225602000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
${parts("1767225604000", 10)}#EXTINF:2.000000,
seg-1767225604000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:06.000Z
${parts("1767225606000", 10)}#EXTINF:2.000000,
seg-1767225606000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
${parts("1767225608000", 5)}#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-1767225608000-5.m4s"
`,
    );
  });

  test("does not end with a segment where none grows: hls.js would take it for the one to come", async () => {
    window.onPause();
    const lines = textOf(await get(""))
      .trimEnd()
      .split("\n");
    assert.match(lines.at(-2)!, /^seg-\d+\.m4s$/);
    assert.match(lines.at(-1)!, /^# /, "a comment: RFC 8216 section 4.1");
  });

  test("is held until the part is there, and is one reply for all who waited", async () => {
    const query = `_HLS_msn=${open().sequence}&_HLS_part=5`;
    const waiting = [get(query), get(query)];
    assert.equal(window.heldRequests, 2);
    source.play({ seconds: 0.2 });
    const [one, other] = await Promise.all(waiting);
    assert.equal(one, other);
    assert.match(textOf(one!), /URI="part-1767225608000-5\.m4s"\n#EXT-X-PRELOAD-HINT.*-6\.m4s/);
    assert.deepEqual(gunzipSync(one!.gzip!()), Buffer.from(one!.body[0]!));
    assert.equal(one!.gzip!(), one!.gzip!());
    assert.equal(window.heldRequests, 0);
  });

  test("is held until a segment is complete, and comes whole although it goes further", async () => {
    const waiting = get(`_HLS_msn=${open().sequence}`);
    source.play({ seconds: 1.1 });
    assert.match(textOf(await waiting), /seg-1767225608000\.m4s\n/);
    const past = await get(`_HLS_msn=${lastMsn() - 2}&_HLS_part=1`);
    assert.equal(textOf(past), textOf(await get(`_HLS_msn=${lastMsn()}`)));
  });

  test("may be kept by caches: long where it was waited for, else for half a target duration", async () => {
    const seconds = async (query: string) => headerOf(await get(query), "cache-control");
    assert.equal(await seconds(""), "public, max-age=1");
    assert.equal(await seconds(`_HLS_msn=${lastMsn()}`), "public, max-age=12");
    assert.equal(headerOf(await get(""), "etag"), '"1767225600-1767225606000-1767225608000.5-560"');
  });

  test("is another one for each way to ask, and for each move of the edge", async () => {
    const { sequence } = open();
    const ways = ["", "_HLS_skip=YES", `_HLS_msn=${sequence}&_HLS_part=0`];
    const askAll = (): Promise<HttpReply[]> => Promise.all(ways.map((way) => get(way)));
    const first = await askAll();
    assert.equal(new Set(first).size, ways.length);
    assert.deepEqual(new Set(await askAll()), new Set(first));
    const withToken = await get("", new FakeRequest(""), "?token=a");
    assert.ok(!first.includes(withToken));
    assert.ok(!first.includes(await get("", new FakeRequest(""), "?token=a")));
    source.play({ seconds: 0.2 });
    for (const reply of await askAll()) {
      assert.ok(!first.includes(reply));
      assert.match(textOf(reply), new RegExp(`part-${open().name}-5[.]m4s",?`));
    }
  });

  test("carries a token on", async () => {
    const text = textOf(await get("", new FakeRequest(""), "?token=t"));
    assert.match(text, /part-1767225608000-4\.m4s\?token=t"/);
    assert.match(text, /TYPE=PART,URI="part-1767225608000-5\.m4s\?token=t"/);
    assert.match(text, /\nseg-1767225606000\.m4s\?token=t\n/);
  });

  const refused: [what: string, query: () => string, code: string][] = [
    ["a segment more than two ahead", () => `_HLS_msn=${lastMsn() + 3}`, "HLS_TOO_FAR"],
    [
      "a part more than three seconds ahead",
      () => `_HLS_msn=${open().sequence}&_HLS_part=20`,
      "HLS_TOO_FAR",
    ],
    ["a part without a segment", () => "_HLS_part=1", "HLS_BAD_DIRECTIVE"],
  ];
  for (const [what, query, code] of refused) {
    test(`${what} is refused`, async () => {
      await assert.rejects(async () => get(query()), { code, httpStatus: 400 });
      assert.equal(window.heldRequests, 0);
    });
  }

  test("two segments ahead, and a part within three seconds, are waited for", async () => {
    const waiting = [get(`_HLS_msn=${lastMsn() + 2}`), get(`_HLS_msn=${open().sequence}&_HLS_part=19`)];
    assert.equal(window.heldRequests, 2);
    source.play({ seconds: 5 });
    assert.deepEqual(
      (await Promise.all(waiting)).map(({ status }) => status),
      [200, 200],
    );
  });

  test("that never comes is unavailable after three target durations", async () => {
    const waiting = assert.rejects(get(`_HLS_msn=${open().sequence}`), {
      code: "HLS_HELD_TOO_LONG",
      httpStatus: 503,
    });
    clock.advance(5999);
    assert.equal(window.heldRequests, 1);
    clock.advance(1);
    await waiting;
    assert.deepEqual([window.heldRequests, clock.pendingTimers], [0, 0]);
  });

  test("of a stream that ends is unavailable at once", async () => {
    const waiting = assert.rejects(get(`_HLS_msn=${open().sequence + 1}`), { code: "HLS_HELD_TOO_LONG" });
    window.onEnd();
    await waiting;
    await assert.rejects(get(`_HLS_msn=${lastMsn() + 1}`), { code: "HLS_HELD_TOO_LONG", httpStatus: 503 });
  });

  test("is forgotten when its client leaves", () => {
    const request = new FakeRequest(`_HLS_msn=${open().sequence}`);
    void get("", request);
    assert.equal(window.heldRequests, 1);
    request.leave();
    assert.deepEqual([window.heldRequests, clock.pendingTimers], [0, 0]);
  });

  test("is not held for more than an address may have", async () => {
    const query = `_HLS_msn=${open().sequence}`;
    for (let n = 0; n < EdgeWaiters.MAX_HELD_PER_ADDRESS; n++) void get(query);
    await assert.rejects(get(query), { code: "HLS_TOO_MANY_HELD", httpStatus: 503 });
    assert.equal(window.heldRequests, EdgeWaiters.MAX_HELD_PER_ADDRESS);
    source.play({ seconds: 2 });
    assert.equal(window.heldRequests, 0);
  });

  test("is the plain one where there is no edge, and for one who sends no request", async () => {
    const plain = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 4 });
    new LiveSource(plain).play({ seconds: 9 });
    const resource = { kind: "media", isLowLatency: true, selection } as const;
    const reply = await hlsReply(resource, plain, "", new FakeRequest("_HLS_msn=x"));
    assert.doesNotMatch(textOf(reply), /PART|SKIP/);
    assert.doesNotMatch(textOf(await hlsReply(resource, window)), /PART|SKIP/);
  });

  test("is named by its own multivariant playlist, and never mixed with the plain one", async () => {
    const index = async (isLowLatency: boolean): Promise<string> =>
      textOf(await hlsReply({ kind: "multivariant", isLowLatency }, window));
    assert.match(await index(true), /\ntracks-v1a1\/mono\.ll\.m3u8\n$/);
    assert.match(await index(false), /\ntracks-v1a1\/mono\.m3u8\n$/);
    const plain = await hlsReply(
      { kind: "media", isLowLatency: false, selection },
      window,
      "",
      new FakeRequest(""),
    );
    assert.doesNotMatch(textOf(plain), /PART|SKIP/);
  });

  const part = (name: string, index: number, request: FakeRequest | null = new FakeRequest("")) =>
    Promise.resolve(hlsReply({ kind: "part", selection, name, index }, window, "", request));

  test("a part that is there is sent, and kept by caches for ever", async () => {
    const reply = await part(open().name, 4);
    assert.equal(reply.status, 200);
    assert.match(headerOf(reply, "cache-control")!, /immutable/);
    assert.equal(headerOf(reply, "content-type"), "video/mp4");
    assert.equal(headerOf(reply, "etag"), '"1767225608000.4-v1a1"');
    assert.equal(await part(open().name, 4), reply);
  });

  test("the part that is hinted at is sent when it is there", async () => {
    const waiting = part(open().name, 5);
    assert.equal(window.heldRequests, 1);
    source.play({ seconds: 0.2 });
    const reply = await waiting;
    assert.equal(reply.status, 200);
    assert.equal(await part("1767225608000", 5), reply);
  });

  test("the part that is hinted at is the last one when the publisher leaves, and those behind it are not found", async () => {
    source.play({ seconds: 0.9 });
    const waiting = part(open().name, open().parts.length);
    window.onPause();
    source.play({ seconds: 3, begins: "track-change" });
    assert.equal((await waiting).status, 200, "the last part before the break");
    const never = part("1767225608000", 40);
    assert.equal((await never).status, 404);
  });

  test("a part that nobody hinted at is not found", async () => {
    for (const [name, index] of [
      [open().name, 6],
      [open().name, 99_999],
      ["1767225610000", 0],
      ["1", 0],
    ] as const)
      assert.equal((await part(name, index)).status, 404);
    assert.equal((await part(open().name, 5, null)).status, 404);
    assert.equal(window.heldRequests, 0);
  });
});

test("each playlist reports the others of its presentation", () => {
  const window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 4, chunkDurationUs: 200_000 });
  const source = new LiveSource(window);
  const second = audioTrack({ id: "a2" as TrackId, language: "en" });
  const tracks = makeTrackSet(1, [source.video, source.audio, second]);
  const onTracks = window.onTracks.bind(window);
  window.onTracks = () => onTracks(tracks);
  source.play({ seconds: 9.04 });
  const edge = window.edge!.now()!;
  const text = (chosen: string[]): string =>
    renderLowLatencyPlaylist({
      presentation: window,
      edge,
      selection: chosen as TrackId[],
      query: "?token=1",
      skips: false,
    })!;
  const report = (other: string): string =>
    `#EXT-X-RENDITION-REPORT:URI="../tracks-${other}/mono.ll.m3u8?token=1",LAST-MSN=${edge.open!.sequence},LAST-PART=4\n`;
  assert.ok(text(["a1"]).endsWith(report("v1") + report("a2")));
  assert.ok(text(["v1"]).endsWith(report("a1") + report("a2")));
  assert.doesNotMatch(text(["v1", "a1"]), /REPORT/);
  assert.equal(
    renderLowLatencyPlaylist({
      presentation: window,
      edge,
      selection: ["v7"] as TrackId[],
      query: "",
      skips: false,
    }),
    null,
  );
});
