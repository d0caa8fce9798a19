import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { audioTrack, livePackets, videoTrack } from "../../../test/support/media.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { HttpBodySink, HttpReply, WebSocketSink } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { FlvFileReader } from "../../containers/flv/file-reader.ts";
import { trackId } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import type { Publisher } from "../../stream/directory.ts";
import { MAX_CHOICES } from "../../stream/fanouts.ts";
import { LocalDirectory } from "../../stream/local-directory.ts";
import type { StreamRules } from "../../stream/rules.ts";
import { flvReply, flvSocketReply } from "./reply.ts";

const video = videoTrack();
const audio = audioTrack();

class Body implements HttpBodySink {
  readonly chunks: Uint8Array[] = [];
  queued = 0;
  ends = 0;
  instead: HttpReply | undefined;
  write(bytes: Uint8Array): void {
    this.chunks.push(bytes);
  }
  queuedBytes(): number {
    return this.queued;
  }
  end(instead?: HttpReply): void {
    this.ends++;
    this.instead = instead;
  }
  abort(): void {
    this.ends++;
  }
  tagTypes(): number[] {
    const reader = new FlvFileReader();
    const types: number[] = [];
    reader.feed(concatBytes(this.chunks));
    for (let tag = reader.next(); tag !== null; tag = reader.next()) types.push(tag.type);
    return types;
  }
}

let clock: FakeClock;
let directory: LocalDirectory;
let rules: Partial<StreamRules> | null;

beforeEach(() => {
  clock = new FakeClock();
  rules = {};
  directory = new LocalDirectory({
    clock,
    log: silentLogger,
    rulesOf: (name) => rules && { ...rulesOf(name), ...rules },
    maxStreams: 10,
    equip: () => {},
    onClosed: () => {},
  });
});

function rulesOf(name: StreamName): StreamRules {
  return {
    name,
    disabled: false,
    acceptsPublisher: true,
    secondPublisher: "refuse",
    sourceTimeoutMs: 5000,
    prepushMs: 0,
    sendWindow: 100,
    allowsProtocol: () => true,
  };
}

function publish(): Publisher {
  const name = "cam" as StreamName;
  return directory.publish({ name, protocol: "rtmp", remoteAddress: "192.0.2.1", onRevoked: () => {} });
}

function play(body: Body, name = "cam"): { close(): void } {
  return flvReply(name, { directory }).stream!(body);
}

test("the reply says what it is, that nothing keeps it, and that any page may read it", () => {
  const { status, headers, body, stream } = flvReply("cam", { directory });
  assert.equal(status, 200);
  assert.deepEqual(Object.fromEntries(headers), {
    "content-type": "video/x-flv",
    "cache-control": "no-store",
    "access-control-allow-origin": "*",
  });
  assert.deepEqual(body, []);
  assert.equal(typeof stream, "function");
});

test("a viewer gets a whole FLV file from the GOP's start on, then what comes", () => {
  const publisher = publish();
  publisher.setTracks([video, audio]);
  for (const packet of livePackets({ video, audio, durationMs: 400 })) publisher.write(packet);
  const body = new Body();
  play(body);
  const before = body.tagTypes();
  assert.deepEqual(before.slice(0, 3), [18, 9, 8], "metadata and both configurations");
  assert.equal(before.filter((type) => type === 9).length, 1 + 10);
  for (const packet of livePackets({ video, audio, durationMs: 80 })) publisher.write(packet);
  clock.advance(120);
  assert.ok(body.tagTypes().length > before.length);
});

test("a viewer of a stream that has begun nothing yet waits for its first picture", () => {
  const publisher = publish();
  const body = new Body();
  play(body);
  assert.deepEqual([body.chunks.length, body.ends], [0, 0]);
  publisher.setTracks([video, audio]);
  for (const packet of livePackets({ video, audio, durationMs: 40 })) publisher.write(packet);
  clock.advance(120);
  assert.deepEqual(body.tagTypes().slice(0, 3), [18, 9, 8]);
});

const refusals: readonly [what: string, code: string, rules: Partial<StreamRules> | null][] = [
  ["an unknown name", "STREAM_NOT_FOUND", null],
  ["a disabled stream", "STREAM_DISABLED", { disabled: true }],
  [
    "a stream that is not played over it",
    "STREAM_PROTOCOL_OFF",
    { allowsProtocol: (word) => word !== "flv" },
  ],
  ["a stream without a publisher", "STREAM_NOT_ON_AIR", {}],
];
for (const [what, code, changes] of refusals) {
  test(`${what} is refused with ${code} before the body begins`, () => {
    rules = changes;
    const body = new Body();
    assert.throws(() => play(body), { code });
    assert.deepEqual([body.chunks.length, body.ends], [0, 0]);
    assert.equal(directory.list().length, 0, "asking makes no stream");
  });
}

test("what cannot be a name is refused with STREAM_BAD_NAME", () => {
  assert.throws(() => flvReply("a/../b", { directory }), { code: "STREAM_BAD_NAME" });
});

test("a stream whose publisher left is not on air for a newcomer, and goes on for who watches", () => {
  const publisher = publish();
  publisher.setTracks([video]);
  for (const packet of livePackets({ video, audio: null, durationMs: 80 })) publisher.write(packet);
  const first = new Body();
  play(first);
  publisher.close("gone");
  assert.throws(() => play(new Body()), { code: "STREAM_NOT_ON_AIR" });
  assert.equal(first.ends, 0);
  clock.advance(5000);
  assert.equal(first.ends, 1);
});

test("a viewer who waited for nothing is told so", () => {
  const publisher = publish();
  const body = new Body();
  play(body);
  publisher.close("gone");
  clock.advance(5000);
  assert.equal(body.ends, 1);
  assert.equal(body.instead?.status, 404);
  assert.ok(
    body.instead.headers.some(([name, value]) => name === "x-error-code" && value === "STREAM_NOT_ON_AIR"),
  );
});

test("a viewer who takes nothing is ended without another word", () => {
  const publisher = publish();
  publisher.setTracks([video]);
  const body = new Body();
  play(body);
  const packets = livePackets({ video, audio: null, durationMs: 40_000 });
  for (const packet of packets) {
    publisher.write(packet);
    body.queued = 64 * 1024 * 1024;
    clock.advance(40);
  }
  assert.equal(body.ends, 1);
  assert.equal(body.instead, undefined);
});

test("a viewer who left gets nothing more and is not told of an end", () => {
  const publisher = publish();
  publisher.setTracks([video]);
  const body = new Body();
  const playing = play(body);
  playing.close();
  playing.close();
  for (const packet of livePackets({ video, audio: null, durationMs: 80 })) publisher.write(packet);
  clock.advance(100);
  directory.close("test");
  assert.deepEqual([body.chunks.length, body.ends], [0, 0]);
});

/** A WebSocket that keeps what is done to it. */
class Socket implements WebSocketSink {
  readonly frames: Uint8Array[] = [];
  readonly closes: [code: number, status: number | undefined][] = [];
  readonly reasons: string[] = [];
  accept(): void {}
  write(frames: Uint8Array): void {
    this.frames.push(frames);
  }
  sendText(): void {}
  queuedBytes(): number {
    return 0;
  }
  close(code: number, reason: string, instead?: HttpReply): void {
    this.closes.push([code, instead?.status]);
    this.reasons.push(reason);
  }
}

const german = audioTrack({ id: trackId("audio", 2), language: "de" });

function publishTwoSounds(): void {
  const publisher = publish();
  publisher.setTracks([video, audio, german]);
  const packets = [
    ...livePackets({ video, audio, durationMs: 200 }),
    ...livePackets({ video: null, audio: german, durationMs: 200, payloadBytes: 9 }),
  ];
  for (const packet of packets) publisher.write(packet);
}

function playChosen(filter: string, body = new Body()): Body {
  const query = new URLSearchParams({ "filter.tracks": filter });
  flvReply("cam", { directory, query }).stream!(body);
  return body;
}

const choices: readonly { filter: string; types: number[]; audioBytes: number | null }[] = [
  { filter: "v1a1", types: [18, 9, 8], audioBytes: 64 },
  { filter: "v1a2", types: [18, 9, 8], audioBytes: 9 },
  { filter: "a2a1v1", types: [18, 9, 8], audioBytes: 9 },
  { filter: "v1", types: [18, 9], audioBytes: null },
  { filter: "a2", types: [18, 8], audioBytes: 9 },
  { filter: "v1a9", types: [18, 9], audioBytes: null },
];
for (const { filter, types, audioBytes } of choices) {
  test(`filter.tracks=${filter} is sent those tracks alone`, () => {
    publishTwoSounds();
    const body = playChosen(filter);
    const reader = new FlvFileReader();
    reader.feed(concatBytes(body.chunks));
    const tags = [];
    for (let tag = reader.next(); tag !== null; tag = reader.next()) tags.push(tag);
    assert.deepEqual(
      tags.slice(0, types.length).map(({ type }) => type),
      types,
    );
    const sounds = tags.filter(({ type }) => type === 8).slice(1);
    assert.equal(sounds.length > 0, audioBytes !== null);
    // A legacy AAC frame has two bytes in front.
    for (const { body: frame } of sounds) assert.equal(frame.byteLength, audioBytes! + 2);
    assert.equal(
      tags.some(({ type }) => type === 9),
      types.includes(9),
    );
  });
}

test("viewers with the same choice share its bytes, and the usual choice is no choice", () => {
  publishTwoSounds();
  const [first, second] = [playChosen("v1a2"), playChosen("a2v1")];
  const chunks = [first, second].map((body) => body.chunks.at(-1)!);
  assert.equal(chunks[0]!.buffer, chunks[1]!.buffer);
  const [usual, unchosen] = [playChosen("v1a1"), new Body()];
  play(unchosen);
  assert.equal(usual.chunks.at(-1)!.buffer, unchosen.chunks.at(-1)!.buffer);
});

test("a choice of tracks that are not there, or are none, is refused as HLS does", () => {
  publishTwoSounds();
  assert.throws(() => playChosen("a7"), { code: "TRACKS_NOT_THERE", httpStatus: 404, message: /a7/ });
  for (const filter of ["", "v1,a1", "v1v1", "x1"])
    assert.throws(() => playChosen(filter), { code: "TRACKS_BAD_FILTER", httpStatus: 400 });
});

test("a choice is refused as soon as it is known that none of its tracks is there", () => {
  const publisher = publish();
  const body = playChosen("a7");
  assert.equal(body.ends, 0);
  publisher.setTracks([video, audio]);
  assert.deepEqual([body.ends, body.instead?.status], [1, 404]);
  assert.equal(new Map(body.instead!.headers).get("x-error-code"), "TRACKS_NOT_THERE");
});

test("one choice too many is refused for now", () => {
  const publisher = publish();
  const sounds = Array.from({ length: 20 }, (_, i) => audioTrack({ id: trackId("audio", i + 1) }));
  publisher.setTracks([video, ...sounds]);
  for (let i = 2; i <= MAX_CHOICES + 1; i++) playChosen(`v1a${i}`);
  assert.throws(() => playChosen("v1a19"), { code: "STREAM_NO_ROOM", httpStatus: 503 });
});

test("over a WebSocket a choice is sent the same tags", () => {
  publishTwoSounds();
  const socket = new Socket();
  const query = new URLSearchParams("filter.tracks=v1a2");
  flvSocketReply("cam", { directory, query }).webSocket!(socket);
  const [, configuration] = socket.frames;
  assert.equal(configuration?.[0], 0x82);
  const file = playChosen("v1a2");
  const bytes = (chunks: readonly Uint8Array[]): number => concatBytes(chunks).byteLength;
  assert.ok(bytes(socket.frames) > bytes(file.chunks));
});

test("where the server stops, viewers are told to connect again", () => {
  const publisher = publish();
  publisher.setTracks([video]);
  const [body, socket, late] = [new Body(), new Socket(), new Socket()];
  play(body);
  flvSocketReply("cam", { directory }).webSocket!(socket);
  flvSocketReply("cam", { directory }).webSocket!(late);
  directory.endWaiting();
  assert.deepEqual([body.ends, socket.closes], [0, []]);
  publisher.close("the server stops");
  assert.deepEqual([body.ends, body.instead?.status], [1, 503]);
  const headers = new Map(body.instead!.headers);
  assert.deepEqual([headers.get("x-error-code"), headers.get("retry-after")], ["STREAM_STOPPING", "2"]);
  assert.deepEqual(socket.closes, [[1001, 503]]);
  assert.deepEqual(late.reasons, ["the server stops"]);
});

test("over a WebSocket a viewer gets binary messages, and a close when the stream ends", () => {
  const publisher = publish();
  publisher.setTracks([video, audio]);
  for (const packet of livePackets({ video, audio, durationMs: 200 })) publisher.write(packet);
  const socket = new Socket();
  flvSocketReply("cam", { directory }).webSocket!(socket);
  assert.equal(socket.frames[0]?.[0], 0x82);
  const bytes = concatBytes(socket.frames).byteLength;
  for (const packet of livePackets({ video, audio, durationMs: 80 })) publisher.write(packet);
  clock.advance(120);
  assert.ok(concatBytes(socket.frames).byteLength > bytes);
  directory.close("test");
  assert.deepEqual(socket.closes, [[1000, 404]]);
});

test("over a WebSocket a stream that is not on air is refused before the handshake", () => {
  const start = flvSocketReply("cam", { directory }).webSocket!;
  assert.throws(() => start(new Socket()), { code: "STREAM_NOT_ON_AIR" });
  assert.throws(() => flvSocketReply("a b", { directory }), { code: "STREAM_BAD_NAME" });
});

test("a stream that has nothing for FLV is refused with the reason, and the log names the tracks", () => {
  const publisher = publish();
  publisher.setTracks([videoTrack({ codec: "vp9" as never })]);
  assert.throws(() => play(new Body()), { code: "STREAM_NOT_CARRIED", httpStatus: 415 });
});
