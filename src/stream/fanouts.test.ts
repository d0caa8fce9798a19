import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { audioTrack, mediaPacket, videoTrack } from "../../test/support/media.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { trackId } from "../media/ids.ts";
import type { StreamName, TrackId } from "../media/ids.ts";
import { makeTrackSet } from "../media/track.ts";
import type { Track, TrackSet } from "../media/track.ts";
import type { SubscribeRequest } from "./directory.ts";
import { Fanouts, MAX_CHOICES } from "./fanouts.ts";
import { LeftOutLog } from "./left-out-log.ts";
import { GopCache } from "./gop-cache.ts";
import { SendPace } from "./send-pace.ts";
import type { ByteSink, WireFormatFactory } from "./wire-format.ts";

const name = "cam" as StreamName;
const video = videoTrack();
const sounds = Array.from({ length: 40 }, (_, i) => audioTrack({ id: trackId("audio", i + 1) }));
const encoder = new TextEncoder();

/** The bytes of some tracks: `[id,id]` for the configuration, then the id of each packet's track. */
function choice(...ids: string[]): WireFormatFactory {
  const present = (tracks: TrackSet | null): string[] =>
    (tracks?.tracks ?? []).map(({ id }) => id as string).filter((id) => ids.includes(id));
  return {
    id: `choice-${ids.join("")}`,
    create: () => ({
      tracks: (tracks) => encoder.encode(`[${present(tracks).join()}]`),
      packet: ({ track }, room) => {
        if (!ids.includes(track.id)) return;
        const bytes = encoder.encode(track.id);
        room.reserve(bytes.byteLength).set(bytes, room.offset);
      },
    }),
    resolve: (tracks) => choice(...present(tracks)),
  };
}

class Viewer implements ByteSink {
  got = "";
  ended: string | null = null;
  write(bytes: Uint8Array): void {
    this.got += new TextDecoder().decode(bytes);
  }
  queuedBytes(): number {
    return 0;
  }
  end(reason: string): void {
    this.ended = reason;
  }
}

let cache: GopCache;
let fanouts: Fanouts;
let log: RecordingLog;
let emptied: number;
let frame: number;

beforeEach(() => {
  const clock = new FakeClock();
  cache = new GopCache();
  log = new RecordingLog();
  emptied = 0;
  frame = 0;
  const leftOut = new LeftOutLog(name, log);
  fanouts = new Fanouts({
    rules: {
      name,
      disabled: false,
      acceptsPublisher: true,
      secondPublisher: "refuse",
      sourceTimeoutMs: 10_000,
      prepushMs: 0,
      allowsProtocol: () => true,
    },
    cache,
    clock,
    pace: new SendPace((run) => void clock.schedule(0, run)),
    originUs: () => 0,
    leavesOut: (output, tracks) => leftOut.note(output, tracks),
    onEmpty: () => emptied++,
  });
});

function change(epoch: number, ...of: readonly Track[]): void {
  cache.clear();
  fanouts.onTracks(makeTrackSet(epoch, of));
}

/** A picture that starts a GOP and a sound, sent at once. */
function send(sound = sounds[0]!): void {
  const pictures = { track: video, dts: frame++ * 3600, isSync: true, startsGop: true };
  const sounding = { track: sound, dts: frame * 1920, startsGop: false };
  for (const packet of [mediaPacket(pictures), mediaPacket(sounding)]) {
    cache.push(packet);
    fanouts.onPacket(packet);
  }
  fanouts.onPause();
}

function watch(...ids: string[]): { viewer: Viewer; close(): void } {
  const viewer = new Viewer();
  const request: SubscribeRequest = { name, protocol: "x", format: choice(...ids), sink: viewer };
  const subscription = fanouts.subscribe(request);
  return { viewer, close: () => subscription.close() };
}

test("choices of tracks that are not there share one log, so that nobody makes many of them", () => {
  change(1, video, sounds[0]!);
  send();
  const first = watch("v1");
  const oneBytes = fanouts.heldBytes;
  assert.ok(oneBytes > 0);
  for (let i = 2; i < 500; i++) watch("v1", `a${i}`);
  assert.equal(fanouts.heldBytes, oneBytes);
  assert.equal(fanouts.size, 499);
  assert.equal(first.viewer.ended, null);
});

test("choices that are there have a bound; one too many is ended, and room is made by who leaves", () => {
  change(1, video, ...sounds);
  send();
  const open = Array.from({ length: MAX_CHOICES }, (_, i) => watch("v1", `a${i + 1}`));
  assert.ok(open.every(({ viewer }) => viewer.ended === null));
  const more = watch("v1", "a40");
  assert.equal(more.viewer.ended, "no-room");
  more.close();
  assert.equal(watch("v1", "a1").viewer.ended, null, "a choice that is played already costs nothing");
  open[3]!.close();
  assert.equal(watch("v1", "a40").viewer.ended, null);
  assert.equal(emptied, 0);
});

/** The bytes of a choice that stays what it is, in the same form. */
function fixedChoice(carries: (track: Track) => boolean, ...ids: string[]): WireFormatFactory {
  const bytes = choice(...ids);
  return {
    id: `fixed-${ids.join("")}`,
    create: (originUs) => bytes.create(originUs),
    carries,
    choice: new Set(ids) as Set<TrackId>,
  };
}

function watchFixed(carries: (track: Track) => boolean, ...ids: string[]): Viewer {
  const viewer = new Viewer();
  fanouts.subscribe({ name, protocol: "x", format: fixedChoice(carries, ...ids), sink: viewer });
  return viewer;
}

test("a choice that stays is refused where none of its tracks is there, or none is carried", () => {
  const early = watchFixed(() => true, "a7");
  assert.equal(early.ended, null, "nothing is known yet");
  change(1, video, sounds[0]!);
  assert.equal(early.ended, "tracks-not-there");
  assert.equal(watchFixed(() => true, "a7", "a8").ended, "tracks-not-there");
  assert.equal(watchFixed(({ kind }) => kind === "video", "a1", "a7").ended, "not-carried");
  const some = watchFixed(({ kind }) => kind === "video", "v1", "a1", "a7");
  send();
  assert.deepEqual([some.ended, some.got], [null, "[v1,a1]v1a1"]);
  assert.deepEqual(log.lines, [], "what a viewer did not ask for is no news");
  change(2, sounds[1]!);
  assert.equal(some.ended, "tracks-not-there", "and when the last of them goes");
  assert.equal(fanouts.size, 0);
});

test("a choice that stays goes on in one log when a track of it comes or goes", () => {
  change(1, video);
  const viewer = watchFixed(() => true, "v1", "a1");
  change(2, video, sounds[0]!);
  send();
  change(3, video);
  cache.clear();
  fanouts.onPacket(mediaPacket({ track: video, dts: 90_000 }));
  fanouts.onPause();
  assert.deepEqual([viewer.ended, viewer.got], [null, "[v1,a1]v1a1[v1]v1"]);
});

test("choices that stay have the same bound as others, and no choice is no choice", () => {
  change(1, video, ...sounds);
  send();
  const all = Array.from({ length: MAX_CHOICES }, (_, i) => watchFixed(() => true, "v1", `a${i + 1}`));
  assert.ok(all.every(({ ended }) => ended === null));
  assert.equal(watchFixed(() => true, "v1", "a30").ended, "no-room");
  assert.equal(watchFixed(() => true, "v1", "a2").ended, null, "one that is played already");
  assert.equal(watch("v1", "a30").viewer.ended, "no-room");
  const { choice: none, ...unchosen } = fixedChoice(() => true, "v1", "a31");
  const viewer = new Viewer();
  fanouts.subscribe({ name, protocol: "x", format: unchosen, sink: viewer });
  assert.deepEqual([none?.size, viewer.ended], [2, null]);
});

test("when the tracks change, a choice is looked at again, and nobody has to come anew", () => {
  const early = watch("v1", "a2").viewer;
  change(1, video, sounds[0]!);
  send();
  const plain = watch("v1").viewer;
  assert.equal(early.got, "[v1]v1");
  change(2, video, sounds[0]!, sounds[1]!);
  send(sounds[1]);
  assert.equal(early.got, "[v1]v1[v1,a2]v1a2");
  assert.equal(plain.got, "[v1]v1[v1]v1");
  change(3, video);
  send();
  assert.equal(early.got, "[v1]v1[v1,a2]v1a2[v1]v1");
  assert.equal(emptied, 0, "the stream never seemed to have no viewer");
  assert.equal(fanouts.size, 2);
});

test("who is moved can leave, and is told the end once", () => {
  const gone = watch("v1", "a1");
  const stays = watch("a1").viewer;
  change(1, video, sounds[0]!);
  gone.close();
  gone.close();
  send();
  fanouts.endAll("stream-ended");
  assert.deepEqual([gone.viewer.ended, stays.ended, fanouts.size, emptied], [null, "stream-ended", 0, 1]);
  change(2, video);
  assert.equal(fanouts.size, 0);
});

test("one too many after a change of tracks is ended, and the others go on", () => {
  change(1, video);
  const viewers = Array.from({ length: MAX_CHOICES + 3 }, (_, i) => watch("v1", `a${i + 1}`).viewer);
  change(2, video, ...sounds);
  send();
  const ended = viewers.map(({ ended: reason }) => reason);
  // The choice that all left gives its room back only when the last has gone.
  assert.equal(ended.filter((reason) => reason === "no-room").length, 4);
  assert.equal(fanouts.size, MAX_CHOICES - 1);
});

test("what an output leaves out is said once; who could be given nothing is ended", () => {
  const ofSound = choice("a1");
  const sound: WireFormatFactory = {
    id: "sound",
    create: (originUs) => ofSound.create(originUs),
    carries: ({ kind }) => kind === "audio",
  };
  const listen = (): Viewer => {
    const viewer = new Viewer();
    fanouts.subscribe({ name, protocol: "x", format: sound, sink: viewer });
    return viewer;
  };
  const early = listen();
  change(1, video, sounds[0]!);
  send();
  const late = listen();
  change(2, video, sounds[0]!);
  assert.deepEqual([early.ended, late.ended], [null, null]);
  assert.deepEqual(
    log.lines.map(({ message, fields }) => [message, fields["output"], fields["tracks"]]),
    [["an output leaves out tracks that it cannot carry", "sound", "v1 (h264)"]],
  );
  change(3, video);
  assert.deepEqual([early.ended, late.ended, listen().ended], Array(3).fill("not-carried"));
  assert.equal(fanouts.size, 0);
});
