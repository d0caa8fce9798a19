import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { mediaPacket, trackSet, videoTrack } from "../../../test/support/media.ts";
import { packetBytes } from "../../../test/support/wire-room.ts";
import type { WebSocketSink } from "../../base/http-message.ts";
import type { StreamName } from "../../media/ids.ts";
import { streamErrors } from "../../stream/errors.ts";
import { mseErrors } from "./errors.ts";
import { parseMseSelection } from "./selection.ts";
import { MseSession } from "./session.ts";

class Socket implements WebSocketSink {
  readonly said: string[] = [];
  readonly written: Uint8Array[] = [];
  closedWith: [code: number, reason: string] | null = null;
  queued = 0;
  accept(): void {}
  write(frames: Uint8Array): void {
    this.written.push(frames);
  }
  sendText(text: string): void {
    const { event, code } = JSON.parse(text) as { event?: string; code?: string };
    this.said.push(event ?? code ?? "?");
  }
  queuedBytes(): number {
    return this.queued;
  }
  close(code: number, reason: string): void {
    this.closedWith = [code, reason];
  }
}

let clock: FakeClock;
let directory: FakeDirectory;
let socket: Socket;
let session: MseSession;

beforeEach(() => {
  clock = new FakeClock();
  directory = new FakeDirectory();
  socket = new Socket();
  session = new MseSession(socket, {
    name: "cam" as StreamName,
    directory,
    selection: parseMseSelection("")!,
    sendWindow: 40,
    clock,
  });
});

function formats(): string[] {
  return directory.subscribeRequests.map(({ format }) => format.id);
}

test("it plays from its beginning on, without waiting for a publisher", () => {
  session.play();
  const [request] = directory.subscribeRequests;
  assert.deepEqual(
    [request?.name, request?.protocol, request?.waitsForPublisher, request?.sendWindow],
    ["cam", "mseld", false, 40],
  );
  request!.sink.write(Uint8Array.of(1));
  socket.queued = 77;
  assert.deepEqual([socket.written.length, request!.sink.queuedBytes()], [1, 77]);
});

test("resume while it plays changes nothing, and is answered", () => {
  session.play();
  session.onText("resume");
  assert.deepEqual([formats().length, directory.closedSubscriptions, socket.said], [1, 0, ["resumed"]]);
});

test("pause gives the subscription up, resume takes a new one", () => {
  session.play();
  session.onText("pause");
  session.onText("pause");
  assert.deepEqual([formats(), directory.closedSubscriptions], [["mse-first", "mse-paused"], 1]);
  session.onText("resume");
  assert.deepEqual([formats().at(-1), directory.closedSubscriptions], ["mse-first", 2]);
  assert.deepEqual(socket.said, ["paused", "paused", "resumed"]);
});

test("tracks are switched by a new subscription, while it plays or for later", () => {
  session.play();
  session.onText("set_tracks=v1a2");
  session.onText("pause");
  session.onText("set_tracks=a2");
  session.onText("resume");
  assert.deepEqual(formats(), ["mse-first", "mse-v1a2", "mse-paused", "mse-a2"]);
  assert.equal(directory.closedSubscriptions, 3);
});

test("where the server stops the player is told to connect again", () => {
  for (const begin of [() => session.play(), () => session.wait()]) {
    session = new MseSession(socket, {
      ...{ name: "cam" as StreamName, directory, selection: parseMseSelection("")!, clock },
    });
    begin();
    directory.subscribeRequests.at(-1)!.sink.end("server-stopping");
    assert.deepEqual(socket.said, ["stream_unavailable"]);
    assert.deepEqual(socket.closedWith, [1001, "the server stops"]);
    socket = new Socket();
  }
});

test("who has paused hears that the stream has ended, and is sent nothing before", () => {
  session.play();
  session.onText("pause");
  const { format, sink } = directory.subscribeRequests[1]!;
  const paused = format.create(0);
  const packet = mediaPacket({ track: videoTrack(), startsGop: true });
  assert.equal(packetBytes(paused, packet), null);
  assert.equal(paused.tracks(trackSet(), 0).byteLength, 0);
  sink.end("stream-ended");
  assert.deepEqual([socket.said, socket.closedWith?.[0]], [["paused", "stream_unavailable"], 1000]);
});

test("live begins anew at the edge", () => {
  session.play();
  session.onText("live");
  assert.deepEqual([formats().length, directory.closedSubscriptions], [2, 1]);
  assert.deepEqual(socket.said, ["switched_to_live"]);
});

test("a time of the past is refused, and what plays goes on", () => {
  session.play();
  session.onText("play_from=1700000000");
  assert.deepEqual([socket.said, directory.closedSubscriptions], [["stream_unavailable"], 0]);
});

test("a player's figures are ignored, another word is answered, the socket stays", () => {
  session.play();
  session.onText('{"type":"statistics","stalls":3}');
  assert.deepEqual(socket.said, []);
  session.onText("rewind");
  assert.deepEqual([socket.said, socket.closedWith], [["MSE_BAD_COMMAND"], null]);
});

test("commands without pause end it with code 1008; as many over some time do not", () => {
  session.play();
  for (let i = 0; i < 200; i++) {
    session.onText("pause");
    session.onText("resume");
    clock.advance(500);
  }
  assert.equal(socket.closedWith, null);
  for (let i = 0; i < 31; i++) session.onText("live");
  const { message } = mseErrors.error("MSE_TOO_MANY_COMMANDS", { limit: 30 });
  assert.deepEqual(socket.closedWith, [1008, message]);
  const subscriptions = formats().length;
  session.onText("live");
  assert.equal(formats().length, subscriptions, "nothing is heard behind the end");
  assert.equal(directory.closedSubscriptions, subscriptions);
});

const ENDS = [
  { reason: "not-on-air", code: 1013, said: ["stream_unavailable"] },
  { reason: "stream-ended", code: 1000, said: ["stream_unavailable"] },
  { reason: "too-slow", code: 1013, said: [] },
  { reason: "no-room", code: 1013, said: ["stream_unavailable"] },
] as const;
for (const { reason, code, said } of ENDS) {
  test(`the end "${reason}" is told and closes with ${code}`, () => {
    session.play();
    directory.subscribeRequests[0]!.sink.end(reason);
    assert.deepEqual([socket.said, socket.closedWith?.[0]], [said, code]);
    session.onText("resume");
    session.close();
    assert.equal(formats().length, 1);
    assert.equal(directory.closedSubscriptions, 0, "what has ended is not closed");
  });
}

test("a stream that is not on air ends the session while it begins", () => {
  directory.onSubscribe = ({ sink }) => sink.end("not-on-air");
  session.play();
  assert.deepEqual([socket.said, socket.closedWith?.[0]], [["stream_unavailable"], 1013]);
});

test("a stream that the configuration took away meanwhile is told with the reason", () => {
  session.play();
  session.onText("pause");
  directory.refusal = streamErrors.error("STREAM_NOT_FOUND", { name: "cam" });
  session.onText("resume");
  assert.deepEqual(socket.said, ["paused", "resumed", "stream_unavailable"]);
  assert.match(socket.closedWith![1], /no stream "cam"/);
});

test("the client's leaving closes the subscription once, without a word", () => {
  session.play();
  session.close();
  session.close();
  assert.deepEqual([directory.closedSubscriptions, socket.said, socket.closedWith], [1, [], null]);
});
