import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { MseEngine, chooseTracks, rateFor } from "./mse-engine.js";
import type { MseTrack, TrackPlaces } from "./mse-engine.js";

const VIDEO = { id: 1, track_id: "v1", content: "video", mime: 'video/mp4; codecs="avc1.64001f"' } as const;
const AUDIO = { id: 101, track_id: "a1", content: "audio", mime: 'audio/mp4; codecs="mp4a.40.2"' } as const;
const HEVC = { id: 2, track_id: "v2", content: "video", mime: 'video/mp4; codecs="hvc1.1"' } as const;

/** A source buffer in which media is what a test says. */
class FakeBuffer extends EventTarget {
  updating = false;
  readonly appended: number[][] = [];
  readonly removed: [number, number][] = [];
  readonly types: string[] = [];
  aborts = 0;
  ranges: [start: number, end: number][] = [];
  get buffered() {
    const { ranges } = this;
    return {
      length: ranges.length,
      start: (i: number) => ranges[i]![0],
      end: (i: number) => ranges[i]![1],
    };
  }
  /** Appends that are refused for want of room. */
  refusals = 0;
  #isRemoving = false;
  appendBuffer(bytes: ArrayBuffer | Uint8Array): void {
    assert.equal(this.updating, false, "a busy buffer takes nothing");
    if (this.refusals-- > 0) throw new DOMException("full", "QuotaExceededError");
    this.updating = true;
    this.appended.push([...new Uint8Array(bytes as ArrayBuffer)]);
  }
  remove(start: number, end: number): void {
    if (end === Infinity) this.ranges = [];
    this.updating = true;
    this.#isRemoving = true;
    this.removed.push([start, end]);
  }
  abort(): void {
    if (this.#isRemoving) throw new DOMException("it removes", "InvalidStateError");
    this.aborts++;
    this.updating = false;
  }
  changeType(mime: string): void {
    assert.equal(this.updating, false, "a busy buffer is not changed");
    this.types.push(mime);
  }
  /** What was appended is there now. */
  done(...ranges: [number, number][]): void {
    if (ranges.length > 0) this.ranges = ranges;
    this.updating = false;
    this.#isRemoving = false;
    this.dispatchEvent(new Event("updateend"));
  }
}

class FakeMediaSource extends EventTarget {
  static readonly made: FakeMediaSource[] = [];
  static supported: (mime: string) => boolean = () => true;
  static isTypeSupported(mime: string): boolean {
    return FakeMediaSource.supported(mime);
  }
  readyState = "closed";
  readonly buffers: FakeBuffer[] = [];
  readonly mimes: string[] = [];
  constructor() {
    super();
    FakeMediaSource.made.push(this);
  }
  addSourceBuffer(mime: string): FakeBuffer {
    this.mimes.push(mime);
    this.buffers.push(new FakeBuffer());
    return this.buffers.at(-1)!;
  }
  duration = NaN;
  ends = 0;
  endOfStream(): void {
    assert.equal(this.readyState, "open");
    assert.ok(
      this.buffers.every(({ updating }) => !updating),
      "no buffer is busy",
    );
    this.readyState = "ended";
    this.ends++;
  }
  open(): void {
    this.readyState = "open";
    this.dispatchEvent(new Event("sourceopen"));
  }
}

class FakeSocket extends EventTarget {
  static last: FakeSocket;
  readyState = 1;
  binaryType = "";
  readonly sent: string[] = [];
  isClosed = false;
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.last = this;
  }
  send(text: string): void {
    if (this.readyState === 0) throw new DOMException("connecting", "InvalidStateError");
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
  }
  says(data: unknown): void {
    const text = data instanceof ArrayBuffer ? data : JSON.stringify(data);
    this.dispatchEvent(Object.assign(new Event("message"), { data: text }));
  }
}

class FakeVideo extends EventTarget {
  currentTime = 0;
  playbackRate = 1;
  paused = false;
  seeking = false;
  src = "";
  removeAttribute(): void {
    this.src = "";
  }
  load(): void {}
}

mock.method(URL, "createObjectURL", () => "blob:x");
mock.method(URL, "revokeObjectURL", () => {});

let video: FakeVideo;
let happened: string[];
let engine: MseEngine;

beforeEach(() => {
  FakeMediaSource.made.length = 0;
  FakeMediaSource.supported = () => true;
  video = new FakeVideo();
  happened = [];
  engine = make();
});

function make(places?: TrackPlaces): MseEngine {
  return new MseEngine({
    ...(places === undefined ? {} : { places }),
    video: video as unknown as HTMLVideoElement,
    url: "ws://x/cam/mse_ld",
    events: {
      onReady: () => happened.push("ready"),
      onUnavailable: (reason) => happened.push(`unavailable: ${reason}`),
      onEnd: () => happened.push("end"),
      onFailure: (detail) => happened.push(`failure: ${detail}`),
      onTrouble: (detail) => happened.push(detail),
    },
    MediaSource: FakeMediaSource as unknown as typeof MediaSource,
    WebSocket: FakeSocket as unknown as typeof WebSocket,
  });
}

afterEach(() => engine.destroy());

/** The init message of some tracks; each payload is the track's number. */
function init(tracks: readonly (MseTrack & { readonly id: number })[], all: readonly MseTrack[] = tracks) {
  const withPayload = tracks.map((track) => ({ ...track, payload: btoa(String.fromCharCode(track.id)) }));
  FakeSocket.last.says({ type: "mse_init_segment", metadata: { tracks: all }, tracks: withPayload });
}

/** A fragment: its track at byte 47, its UTC at 92, one byte that tells it from others behind that. */
function fragment(track: number, mark: number, utcSeconds = 1000): ArrayBuffer {
  const bytes = new DataView(new ArrayBuffer(101));
  bytes.setUint8(47, track);
  bytes.setUint32(92, utcSeconds);
  bytes.setUint32(96, 500_000);
  bytes.setUint8(100, mark);
  return bytes.buffer;
}

/** The marks of what a buffer was given; an init segment is its one byte. */
const given = ({ appended }: FakeBuffer): (number | undefined)[] => appended.map((bytes) => bytes.at(-1));

function closes(code: number): void {
  FakeSocket.last.dispatchEvent(Object.assign(new Event("close"), { code, reason: "later" }));
}

/** Plays `v1a1` with media from 10 s to 11 s. */
function playing(): { video: FakeBuffer; audio: FakeBuffer } {
  init([VIDEO, AUDIO]);
  const [source] = FakeMediaSource.made;
  source!.open();
  const [first, second] = source!.buffers;
  first!.done([10, 11]);
  second!.done([10, 11.1]);
  return { video: first!, audio: second! };
}

describe("what comes", () => {
  test("goes to the buffer of its track, the init segment first, and waits while that is busy", () => {
    init([VIDEO, AUDIO]);
    FakeSocket.last.says(fragment(1, 7));
    const [source] = FakeMediaSource.made;
    source!.open();
    assert.deepEqual(source!.mimes, [VIDEO.mime, AUDIO.mime]);
    FakeSocket.last.says(fragment(101, 8));
    FakeSocket.last.says(fragment(1, 9));
    FakeSocket.last.says(fragment(99, 1));
    const [first, second] = source!.buffers;
    assert.deepEqual(first!.appended[0]!.slice(0, 1), [1], "init and fragment were joined");
    first!.done();
    second!.done();
    assert.deepEqual(
      [given(first!), given(second!)],
      [
        [7, 9],
        [101, 8],
      ],
    );
    assert.equal(engine.newestUtcSeconds, 1000.5);
  });

  test("that is an event without media is told", () => {
    FakeSocket.last.says({ type: "event", event: "stream_unavailable", reason: "nobody publishes" });
    FakeSocket.last.says({ type: "event", event: "resumed" });
    assert.deepEqual(happened, ["unavailable: nobody publishes"]);
  });

  test("that is an error is told as something that does not end it", () => {
    FakeSocket.last.says({ type: "error", code: "MSE_BAD_COMMAND", reason: "not known" });
    assert.deepEqual(happened, ["refused: MSE_BAD_COMMAND not known"]);
  });

  test("behind a normal end is nothing, and that is no failure", () => {
    closes(1000);
    closes(1006);
    assert.deepEqual(happened, ["end"]);
  });

  test("nothing more when the socket is closed: a failure, told once, unless it was destroyed", () => {
    const close = Object.assign(new Event("close"), { code: 1006, reason: "gone" });
    FakeSocket.last.dispatchEvent(close);
    FakeSocket.last.dispatchEvent(close);
    assert.deepEqual(happened, ["failure: closed: 1006 gone"]);
    engine.destroy();
    FakeSocket.last.dispatchEvent(close);
    FakeSocket.last.says(fragment(1, 1));
    assert.deepEqual([happened.length, FakeSocket.last.isClosed], [1, true]);
  });
});

describe("tracks", () => {
  test("that the browser cannot play are exchanged for others", () => {
    FakeMediaSource.supported = (mime) => !mime.includes("hvc1");
    init([HEVC, AUDIO], [HEVC, VIDEO, AUDIO]);
    assert.deepEqual(FakeSocket.last.sent, ["set_tracks=v1a1"]);
    assert.equal(FakeMediaSource.made.length, 0);
    init([VIDEO, AUDIO], [HEVC, VIDEO, AUDIO]);
    assert.equal(FakeMediaSource.made.length, 1);
  });

  test("none of which the browser can play are a failure", () => {
    FakeMediaSource.supported = () => false;
    init([VIDEO, AUDIO]);
    assert.match(happened.join(), /failure: codec/);
  });

  test("of other kinds need another media source, of the same kinds only another type", () => {
    const { video: buffer } = playing();
    const other = { ...VIDEO, mime: 'video/mp4; codecs="avc1.42001e"' };
    FakeSocket.last.says(fragment(1, 5));
    init([other, AUDIO]);
    assert.deepEqual([buffer.types, FakeMediaSource.made.length], [[other.mime], 1]);
    init([AUDIO]);
    assert.equal(FakeMediaSource.made.length, 2);
  });

  const LATER = { ...AUDIO, track_id: "a2" };
  const wishes: [places: TrackPlaces, all: MseTrack[], asked: string[]][] = [
    [{ video: 0, audio: 0 }, [VIDEO, AUDIO, LATER], []],
    [{ video: 0, audio: 1 }, [VIDEO, AUDIO, LATER], ["set_tracks=v1a2"]],
    [{ video: 0, audio: 8 }, [VIDEO, AUDIO, LATER], []],
    [{ video: 8, audio: 1 }, [VIDEO, AUDIO, LATER], ["set_tracks=v1a2"]],
    [{ video: 1, audio: 1 }, [VIDEO, AUDIO], []],
  ];
  for (const [places, all, asked] of wishes) {
    test(`are asked for by ${JSON.stringify(places)} of ${all.length} as ${asked.join() || "usual"}`, () => {
      engine.destroy();
      engine = make(places);
      init([VIDEO, AUDIO], all);
      assert.deepEqual(FakeSocket.last.sent, asked);
      assert.equal(FakeMediaSource.made.length, asked.length === 0 ? 1 : 0);
    });
  }

  test("that were chosen and are gone leave no kind without one, and are not asked for again and again", () => {
    playing();
    engine.setTracks("v1a2");
    init([VIDEO, LATER], [VIDEO, AUDIO, LATER]);
    for (let i = 0; i < 3; i++) init([VIDEO], [VIDEO, AUDIO]);
    assert.deepEqual(FakeSocket.last.sent, ["set_tracks=v1a2", "set_tracks=v1a1"]);
  });

  test("are told again wherever the stream broke off, and that is counted", () => {
    assert.equal(engine.inits, 0);
    playing();
    init([VIDEO, AUDIO]);
    assert.equal(engine.inits, 2);
  });

  test("are chosen first of each kind", () => {
    const all = [HEVC, VIDEO, AUDIO];
    assert.equal(
      chooseTracks(all, () => true),
      "v2a1",
    );
    assert.equal(
      chooseTracks(all, (mime) => mime.startsWith("audio")),
      "a1",
    );
    assert.equal(
      chooseTracks(all, () => false),
      "",
    );
  });
});

describe("the playing position", () => {
  test("begins just behind the newest frame that all tracks have", () => {
    playing();
    assert.deepEqual(happened, ["ready"]);
    assert.ok(Math.abs(video.currentTime - (11 - engine.targetSeconds)) < 1e-9);
  });

  test("follows by playing faster or slower, and stands when it is right", () => {
    const { video: buffer } = playing();
    for (const [delay, rate] of [
      [engine.targetSeconds, 1],
      [engine.targetSeconds + 0.1, 1.05],
      [engine.targetSeconds + 0.9, 1.1],
      [engine.targetSeconds - 0.1, 0.95],
    ] as const) {
      video.currentTime = 11 - delay;
      buffer.done();
      assert.ok(Math.abs(video.playbackRate - rate) < 0.011, `${video.playbackRate} at ${delay} s`);
    }
  });

  test("jumps when it is far behind, and over a hole", () => {
    const { video: buffer, audio } = playing();
    audio.ranges = [
      [10, 11.1],
      [30, 31],
    ];
    buffer.done([10, 11], [30, 31]);
    assert.ok(Math.abs(video.currentTime - (31 - engine.targetSeconds)) < 1e-9);
    assert.match(happened.at(-1)!, /^jumped/);
  });

  test("is left alone while the person has paused", () => {
    const { video: buffer } = playing();
    video.paused = true;
    video.currentTime = 5;
    buffer.done();
    assert.equal(video.currentTime, 5);
  });

  test("keeps more distance after each stall, up to a bound", () => {
    playing();
    const first = engine.targetSeconds;
    video.dispatchEvent(new Event("waiting"));
    assert.deepEqual([engine.stalls, happened.at(-1)], [1, "stalled"]);
    assert.ok(engine.targetSeconds > first);
    for (let i = 0; i < 100; i++) video.dispatchEvent(new Event("waiting"));
    assert.equal(engine.targetSeconds, 1.5);
  });

  test("has a rate within a tenth of the usual one", () => {
    assert.deepEqual([-9, -0.1, 0, 0.1, 9].map(rateFor), [0.9, 0.95, 1, 1.05, 1.1]);
  });
});

test("what was played long ago is taken out of the buffer", () => {
  const { video: buffer } = playing();
  video.currentTime = 60;
  buffer.done([10, 61]);
  assert.deepEqual(buffer.removed, [[0, 50]]);
});

test("a buffer that takes nothing is a failure, not a memory leak", () => {
  playing();
  const big = new ArrayBuffer(20 * 1024 * 1024);
  new DataView(big).setUint8(47, 1);
  const [source] = FakeMediaSource.made;
  source!.buffers[0]!.updating = true;
  for (let i = 0; i < 3; i++) FakeSocket.last.says(big);
  assert.match(happened.at(-1)!, /failure: media: the video is not taken/);
});

test("commands wait until the socket is open", () => {
  FakeSocket.last.readyState = 0;
  engine.setTracks("v1");
  engine.pause();
  assert.deepEqual(FakeSocket.last.sent, []);
  FakeSocket.last.readyState = 1;
  FakeSocket.last.dispatchEvent(new Event("open"));
  assert.deepEqual(FakeSocket.last.sent, ["set_tracks=v1", "pause"]);
});

test("a server that goes, or says later, is connected to again with the choice that was made", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    engine.setTracks("v1a2");
    for (const [code, seconds] of [
      [1001, 1],
      [1013, 2],
      [1013, 4],
      [1013, 8],
      [1013, 10],
      [1013, 10],
    ] as const) {
      const before = FakeSocket.last;
      closes(code);
      mock.timers.tick(seconds * 1000 - 1);
      assert.equal(FakeSocket.last, before);
      mock.timers.tick(1);
      assert.notEqual(FakeSocket.last, before);
      FakeSocket.last.dispatchEvent(new Event("open"));
      assert.deepEqual(FakeSocket.last.sent, ["set_tracks=v1a2"]);
    }
    assert.ok(happened.every((what) => !what.startsWith("failure")));
    closes(1013);
    assert.equal(happened.at(-1), "failure: closed: 1013 later");
  } finally {
    mock.timers.reset();
  }
});

test("a full buffer makes room and takes what it refused; full again, it is a failure", () => {
  const { video: buffer } = playing();
  video.currentTime = 15;
  buffer.ranges = [[10, 16]];
  buffer.refusals = 1;
  FakeSocket.last.says(fragment(1, 42));
  assert.deepEqual(buffer.removed, [[0, 14]]);
  buffer.done([14, 16]);
  assert.equal(given(buffer).at(-1), 42);
  assert.ok(happened.every((what) => !what.startsWith("failure")));
  buffer.done([14, 16]);
  buffer.refusals = 1;
  FakeSocket.last.says(fragment(1, 43));
  assert.match(happened.at(-1)!, /failure: media: QuotaExceededError/);
});

test("new tracks while a buffer removes what is old wait for that", () => {
  const { video: buffer } = playing();
  video.currentTime = 60;
  buffer.done([10, 61]);
  const other = { ...VIDEO, mime: 'video/mp4; codecs="avc1.42001e"' };
  init([other, AUDIO]);
  assert.deepEqual(buffer.types, []);
  const { aborts } = buffer;
  buffer.done([50, 61]);
  assert.deepEqual([buffer.types, buffer.aborts], [[other.mime], aborts + 1]);
  assert.equal(given(buffer).at(-1), 1, "the init segment");
});

describe("a file", () => {
  const says = (event: string): void => FakeSocket.last.says({ type: "event", event });
  const sent = (): string[] => FakeSocket.last.sent.splice(0);

  function begins(duration = 60): void {
    const tracks = [VIDEO, AUDIO].map((track) => ({
      ...track,
      payload: btoa(String.fromCharCode(track.id)),
    }));
    FakeSocket.last.says({ type: "mse_init_segment", metadata: { tracks, duration }, tracks });
  }

  /** The person moves the picture. */
  function seeks(seconds: number): void {
    video.currentTime = seconds;
    video.dispatchEvent(new Event("seeking"));
  }

  /** Plays a file from its beginning, with media from 0.08 s to 3 s. */
  function playingFile(): { source: FakeMediaSource; video: FakeBuffer; audio: FakeBuffer } {
    begins();
    const source = FakeMediaSource.made[0]!;
    source.open();
    const [first, second] = source.buffers;
    first!.done([0.08, 3]);
    second!.done([0, 3]);
    return { source, video: first!, audio: second! };
  }

  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  test("is as long as the server says, begins with its first picture, and is not followed", () => {
    const { source, video: buffer } = playingFile();
    assert.deepEqual([source.duration, engine.durationSeconds, video.currentTime], [60, 60, 0.08]);
    video.dispatchEvent(new Event("seeking"));
    assert.deepEqual([happened, sent()], [["ready"], []], "a move of its own is no seek");
    video.currentTime = 1;
    buffer.done([0.08, 30]);
    assert.deepEqual([video.currentTime, video.playbackRate], [1, 1]);
  });

  test("is asked for from where it is to begin", () => {
    engine.destroy();
    engine = new MseEngine({
      video: video as unknown as HTMLVideoElement,
      url: "ws://x/a.mp4/mse_ld",
      startSeconds: 20,
      events: { onReady: () => {}, onUnavailable: () => {}, onFailure: () => {}, onTrouble: () => {} },
      MediaSource: FakeMediaSource as unknown as typeof MediaSource,
      WebSocket: FakeSocket as unknown as typeof WebSocket,
    });
    begins();
    FakeSocket.last.says(fragment(1, 7));
    assert.deepEqual([sent(), FakeMediaSource.made.length], [["play_from=20.000"], 0]);
    says("seeked");
    begins();
    const source = FakeMediaSource.made[0]!;
    source.open();
    for (const buffer of source.buffers) buffer.done([18, 23]);
    assert.equal(video.currentTime, 20);
  });

  test("is sought by the server; what comes before its answer is dropped, and what was there is removed", () => {
    const { video: buffer, audio } = playingFile();
    seeks(40);
    assert.deepEqual(sent(), ["play_from=40.000"]);
    FakeSocket.last.says(fragment(1, 7));
    begins();
    says("seeked");
    begins();
    FakeSocket.last.says(fragment(1, 8));
    assert.deepEqual([buffer.removed, audio.removed], [[[0, Infinity]], [[0, Infinity]]]);
    buffer.done();
    assert.deepEqual(given(buffer), [1, 8], "the first init segment, then the second with a fragment");
    assert.deepEqual(buffer.appended[1]!.slice(0, 1), [1]);
    buffer.done([40.2, 43]);
    audio.done([40, 43]);
    assert.equal(video.currentTime, 40.2, "the gap in front of the first picture");
  });

  test("is sought four times a second at most, the last time as the person left it", () => {
    playingFile();
    for (let i = 1; i <= 50; i++) seeks(i);
    assert.deepEqual(sent(), ["play_from=1.000"]);
    says("seeked");
    mock.timers.tick(249);
    assert.deepEqual(sent(), []);
    mock.timers.tick(1);
    assert.deepEqual(sent(), ["play_from=50.000"]);
    mock.timers.tick(10_000);
    assert.deepEqual(sent(), []);
  });

  test("ends when all of it is in the buffers, and can be sought in again", () => {
    const { source, video: buffer } = playingFile();
    FakeSocket.last.says(fragment(1, 9));
    says("recordings_ended");
    assert.equal(source.ends, 0, "a buffer is busy");
    buffer.done([0.08, 60]);
    assert.deepEqual([source.ends, happened], [1, ["ready", "end"]]);
    says("recordings_ended");
    assert.equal(source.ends, 1);
    seeks(5);
    says("recordings_ended");
    source.readyState = "open";
    buffer.done();
    assert.equal(source.ends, 1, "the end of what was left is none");
    says("seeked");
    begins();
    assert.equal(FakeMediaSource.made.length, 1);
    assert.deepEqual(buffer.removed, [[0, Infinity]]);
  });

  test("has other tracks from where the picture is", () => {
    playingFile();
    video.currentTime = 2.5;
    engine.setTracks("v1a2");
    assert.deepEqual(sent(), ["set_tracks=v1a2", "play_from=2.500"]);
  });

  test("goes on where it was with a server that comes back", () => {
    playingFile();
    video.currentTime = 2.5;
    engine.pause();
    closes(1001);
    mock.timers.tick(1000);
    FakeSocket.last.dispatchEvent(new Event("open"));
    assert.deepEqual(sent().toSorted(), ["pause", "play_from=2.500"]);
  });

  test("is left without a timer or a listener", () => {
    playingFile();
    seeks(3);
    seeks(9);
    engine.destroy();
    mock.timers.tick(1000);
    seeks(12);
    assert.deepEqual(sent(), ["play_from=3.000"]);
  });
});
