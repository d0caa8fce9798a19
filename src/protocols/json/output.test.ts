import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ARCHIVE_START_S, FakeArchive } from "../../../test/support/fake-archive.ts";
import { audioTrack, mediaPacket, videoTrack } from "../../../test/support/media.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { makeTrackSet } from "../../media/track.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import type { AbstractManifest } from "./manifest.ts";
import { jsonOutput } from "./output.ts";
import { parseJsonPath } from "./path.ts";

const START_S = 1_767_225_600;
const video = videoTrack();
const audio = audioTrack({ language: "nb" });

const request: HttpRequest = {
  method: "GET",
  path: "/",
  query: new URLSearchParams(),
  header: () => undefined,
  remoteAddress: "127.0.0.1",
};

/** Two-second segments of 25 pictures of 1000 bytes a second, with audio of 46.875 frames of 100 bytes. */
function feed(window: LiveWindow, fromS: number, toS: number, epoch = 1): void {
  for (let frame = fromS * 25; frame < toS * 25; frame++) {
    const isSync = frame % 50 === 0;
    const dts = START_S * 90_000 + frame * 3600;
    window.onPacket(mediaPacket({ track: video, dts, isSync, epoch, payload: new Uint8Array(1000) }));
    const sound = { track: audio, dts: START_S * 48_000 + frame * 1920, startsGop: false, epoch };
    window.onPacket(mediaPacket({ ...sound, payload: new Uint8Array(100) }));
  }
}

function liveWindow(): LiveWindow {
  const window = new LiveWindow({ segmentDurationUs: 2_000_000, segmentCount: 4 });
  window.onTracks(makeTrackSet(1, [video, audio]));
  return window;
}

async function ask(path: string, window: LiveWindow, carriedQuery = ""): Promise<unknown> {
  const address = jsonOutput.parse(path);
  assert.ok(address !== null);
  const reply = await address.reply(window, { request, carriedQuery });
  assert.equal(reply.status, 200);
  assert.deepEqual(
    reply.headers.filter(([name]) => name === "access-control-allow-origin"),
    [["access-control-allow-origin", "*"]],
  );
  return JSON.parse(new TextDecoder().decode(reply.body[0]));
}

describe("paths", () => {
  const good = [
    ["/demo/media_info.json", "demo", "media-info"],
    ["/a/b/c/info.json", "a/b/c", "media-info"],
    ["/vod/film.mp4/index.json", "vod/film.mp4", "manifest"],
  ] as const;
  for (const [path, name, resource] of good) {
    test(`${path} is ${resource} of ${name}`, () =>
      assert.deepEqual(parseJsonPath(path), { name, resource }));
  }
  const spans = [
    ["/a/b/archive-1700000000-60.json", { kind: "archive", fromS: 1_700_000_000, durationS: 60 }],
    ["/a/b/archive-1700000000-now.json", { kind: "archive", fromS: 1_700_000_000, durationS: null }],
    ["/a/b/rewind-60.json", { kind: "rewind", agoS: 60 }],
    ["/a/b/timeshift_abs-1700000000.json", { kind: "timeshift_abs", fromS: 1_700_000_000 }],
    ["/a/b/timeshift_rel-60.json", { kind: "timeshift_rel", agoS: 60 }],
  ] as const;
  for (const [path, span] of spans) {
    test(`${path} is the manifest of a span`, () => {
      assert.deepEqual(parseJsonPath(path), { name: "a/b", resource: "manifest", span });
      assert.deepEqual(jsonOutput.parse(path)!.span, span);
    });
  }
  test("what is live is of no span", () => assert.ok(!("span" in jsonOutput.parse("/a/index.json")!)));
  for (const path of [
    "/archive-1700000000-60.json",
    "/a/archive-1700000000.json",
    "/a/rewind-0.json",
    "/a/rewind-60.jsonx",
    "",
    "/",
    "/index.json",
    "index.json",
    "demo/index.json",
    "/demo/index.json/",
    "/x/a.json",
  ])
    test(`${JSON.stringify(path)} is nobody's`, () => assert.equal(parseJsonPath(path), null));
});

test("media_info.json says what each track is", async () => {
  const window = liveWindow();
  feed(window, 0, 7);
  assert.deepEqual(await ask("/demo/media_info.json", window), {
    flow_type: "stream",
    tracks: [
      {
        track_id: "v1",
        content: "video",
        codec: "h264",
        codecs: "avc1.64000a",
        bitrate: 204,
        bandwidth: 204,
        width: 64,
        height: 64,
        fps: 25,
      },
      {
        track_id: "a1",
        content: "audio",
        codec: "aac",
        codecs: "mp4a.40.2",
        language: "nb",
        bitrate: 24,
        bandwidth: 24,
        sample_rate: 48_000,
        channels: 2,
      },
    ],
  });
});

test("what has not changed is written once, with a tag, for as long as a playlist", async () => {
  const window = liveWindow();
  feed(window, 0, 5);
  for (const path of ["/demo/index.json", "/demo/media_info.json"]) {
    const askAgain = (): unknown => jsonOutput.parse(path)!.reply(window, { request, carriedQuery: "" });
    const first = (await askAgain()) as HttpReply;
    assert.equal(await askAgain(), first, "the same object again");
    const headers = new Map(first.headers);
    assert.equal(headers.get("cache-control"), "public, max-age=1");
    assert.equal(headers.get("content-type"), "application/json");
    feed(window, 5, 9);
    const next = (await askAgain()) as HttpReply;
    assert.notEqual(new Map(next.headers).get("etag"), headers.get("etag"));
    window.onPause();
    window.onTracks(makeTrackSet(1, [video, audio]));
  }
});

test("index.json has a period for each stretch without a break, and addresses that can be asked for", async () => {
  const window = liveWindow();
  feed(window, 0, 4);
  window.onPause();
  window.onTracks(makeTrackSet(2, [video, audio]));
  feed(window, 10, 13, 2);
  const manifest = (await ask("/demo/index.json", window, "?token=x")) as {
    mutability: string;
    target_duration: number;
    periods: {
      start: number;
      duration: number;
      init: string;
      tracks: unknown[];
      segments: { start: number; duration: number; url: string; sequence: number }[];
    }[];
  };
  assert.deepEqual([manifest.mutability, manifest.target_duration], ["live", 2000]);
  const [first, second] = manifest.periods;
  assert.equal(manifest.periods.length, 2);
  assert.deepEqual([first!.start, first!.duration], [START_S * 1000, 4000]);
  assert.deepEqual([second!.start, second!.duration], [(START_S + 10) * 1000, 2000]);
  assert.deepEqual(
    first!.segments.map(({ start, duration }) => [start, duration]),
    [
      [START_S * 1000, 2000],
      [(START_S + 2) * 1000, 2000],
    ],
  );
  assert.match(first!.init, /^tracks-v1a1\/init-[0-9a-f]{12}\.mp4\?token=x$/);
  for (const { segments } of manifest.periods) {
    for (const { url } of segments) {
      const [, name] = /^tracks-v1a1\/seg-([0-9]+)\.m4s\?token=x$/.exec(url)!;
      assert.ok(window.segment(name!, ["v1", "a1"] as never) !== null, url);
    }
  }
});

test("the manifest of a recording has its mutability, a period for each stretch, and is measured once", async () => {
  const archive = new FakeArchive();
  const stretches = Array.from({ length: 40 }, () => ({ segments: 2, isBreak: true }));
  archive.record(stretches);
  let asked = 0;
  const trackBytes = (): number => {
    asked++;
    return 1000;
  };
  for (const segment of archive.segments) Object.assign(segment, { trackBytes });
  const read = async (name: string): Promise<AbstractManifest> => {
    const address = jsonOutput.parse(`/demo/${name}.json`)!;
    const reply = await address.reply(archive.present(address.span!)!, { request, carriedQuery: "" });
    return JSON.parse(new TextDecoder().decode(reply.body[0])) as AbstractManifest;
  };
  const whole = await read(`archive-${ARCHIVE_START_S}-160`);
  assert.deepEqual([whole.mutability, whole.periods.length], ["static", 40]);
  assert.ok(asked <= archive.segments.length * 2, `${asked} questions`);
  assert.equal((await read(`archive-${ARCHIVE_START_S}-161`)).mutability, "event");
  const window = await read("rewind-4");
  assert.deepEqual([window.mutability, window.periods[0]!.segments[0]!.sequence], ["live", 178]);
});
