import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { silentLogger } from "../../base/log.ts";
import { RtmpSession } from "./session.ts";
import { RtmpIngest } from "./to-stream.ts";
import { DEFAULT_CHUNK_LIMITS } from "./wire/chunk-reader.ts";

type Expectation = {
  readonly role: "publish" | "play";
  readonly stream: string;
  /** Codec, packets and random access points of each track, e.g. `h264 30 3`. */
  readonly tracks?: Readonly<Record<string, string>>;
};

const FOLDER = new URL("../../../test/vectors/rtmp/", import.meta.url);
const NAMES = [
  "ffmpeg-publish-h264-aac",
  "ffmpeg-publish-mp3",
  "gst-rtmp2sink-publish",
  "gst-rtmpsink-publish",
  "ffmpeg-play",
  "rtmpdump-play",
  "gst-rtmp2src-play",
];

type Outcome = { closes: string[]; streams: string[]; tracks: Record<string, string> };

/** Replays recorded client bytes, in the pieces given. */
function replay(pieces: readonly Uint8Array[]): Outcome {
  const directory = new FakeDirectory();
  const closes: string[] = [];
  const host = {
    write: () => {},
    holdReading: () => {},
    admit: () => undefined,
    moved: () => {},
    publish: ({ name }: { name: string }) => {
      const request = { name, protocol: "rtmp", remoteAddress: "", onRevoked: () => {} } as never;
      return new RtmpIngest(directory.publish(request), silentLogger);
    },
    play: ({ name }: { name: string }) => directory.subscribe({ name } as never),
    closed: (reason: string, error: Error | null) => void closes.push(`${reason} ${error?.message}`),
  };
  const timeouts = { handshakeTimeoutMs: 1, idleTimeoutMs: 1, publishTimeoutMs: 1, pauseTimeoutMs: 1 };
  const session = new RtmpSession(
    host,
    { chunkLimits: DEFAULT_CHUNK_LIMITS, ...timeouts },
    silentLogger,
    0,
  );
  for (const piece of pieces) session.feed(piece, 0);
  const tracks: Record<string, string> = {};
  const [publisher] = directory.publishers;
  for (const track of publisher?.trackSets.at(-1) ?? []) {
    const packets = publisher!.of(track.id);
    const sync = packets.filter((packet) => packet.isSync).length;
    tracks[track.id] = `${track.codec} ${packets.length} ${sync}`;
  }
  const streams = [...directory.publishRequests, ...directory.subscribeRequests].map(({ name }) =>
    String(name),
  );
  return { closes, streams, tracks };
}

for (const name of NAMES) {
  const bytes = Uint8Array.from(readFileSync(new URL(`${name}.bin`, FOLDER)));
  const { expect } = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8")) as {
    expect: Expectation;
  };

  test(`${name}: what a real client sent is understood whole`, () => {
    const { closes, streams, tracks } = replay([bytes]);
    assert.deepEqual(closes, []);
    assert.deepEqual(streams, [expect.stream]);
    assert.deepEqual(tracks, expect.tracks ?? {});
  });

  test(`${name}: cut in two places, and byte by byte, it is understood the same`, () => {
    const whole = replay([bytes]);
    // Every byte would take long with the handshake in it; a step that shares no factor with the chunk size meets all.
    for (let cut = 3060; cut <= bytes.byteLength; cut += 37) {
      assert.deepEqual(replay([bytes.subarray(0, cut), bytes.subarray(cut)]), whole, `cut at ${cut}`);
    }
    assert.deepEqual(replay([...bytes].map((byte) => Uint8Array.of(byte))), whole, "byte by byte");
  });
}
