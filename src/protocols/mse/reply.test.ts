import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import type { HttpReply, HttpRequest, WebSocketSink } from "../../base/http-message.ts";
import { streamErrors } from "../../stream/errors.ts";
import { mseReply } from "./reply.ts";

function request(query = "", upgrade: string | null = "websocket"): HttpRequest {
  const header = (name: string): string | undefined =>
    name === "upgrade" ? (upgrade ?? undefined) : undefined;
  const remoteAddress = "192.0.2.1";
  return { method: "GET", path: "/cam/mse_ld", query: new URLSearchParams(query), header, remoteAddress };
}

function reply(directory: FakeDirectory, query = "", name = "cam"): HttpReply {
  return mseReply(name, request(query), { directory, isFile: (file) => file === "vod/a.mp4" });
}

/** Starts the socket of a reply. Returns: what was done to it. */
function open(of: HttpReply): string[] {
  const done: string[] = [];
  const socket: WebSocketSink = {
    accept: () => done.push("accept"),
    write: () => done.push("write"),
    sendText: (text) => done.push((JSON.parse(text) as { event: string }).event),
    queuedBytes: () => 0,
    close: (code) => done.push(`close ${code}`),
  };
  of.webSocket!(socket);
  return done;
}

test("a socket is accepted and plays the tracks that are asked for", () => {
  for (const [query, format] of [
    ["", "mse-first"],
    ["tracks=v1a2", "mse-v1a2"],
    ["tracks=v1a1from=NaN", "mse-v1a1"],
    ["from=NaN", "mse-first"],
    ["token=x&tracks=a1", "mse-a1"],
  ]) {
    const directory = new FakeDirectory();
    assert.deepEqual(open(reply(directory, query)), ["accept"]);
    assert.equal(directory.subscribeRequests[0]?.format.id, format);
  }
});

test("a time is refused in an event, and nothing plays", () => {
  const directory = new FakeDirectory();
  assert.deepEqual(open(reply(directory, "from=1700000000")), ["accept", "stream_unavailable"]);
  assert.deepEqual(
    directory.subscribeRequests.map(({ format }) => format.id),
    ["mse-paused"],
  );
});

test("a file says where it is played instead", () => {
  const done = open(reply(new FakeDirectory(), "", "vod/a.mp4"));
  assert.deepEqual(done, ["stream_unavailable", "close 1000"]);
});

test("asked for like a page, it says that it is for WebSockets", () => {
  const plain = mseReply("cam", request("", null), {
    directory: new FakeDirectory(),
    isFile: () => false,
  });
  assert.equal(plain.status, 426);
  assert.deepEqual(
    plain.headers.find(([name]) => name === "x-error-code"),
    ["x-error-code", "MSE_NEEDS_WEBSOCKET"],
  );
});

test("what cannot be played is refused before the handshake", () => {
  const directory = new FakeDirectory();
  assert.throws(() => reply(directory, "tracks=t1"), { code: "MSE_BAD_TRACKS", httpStatus: 400 });
  assert.throws(() => reply(directory, "", "a b"), { code: "STREAM_BAD_NAME" });
  directory.refusal = streamErrors.error("STREAM_NOT_FOUND", { name: "cam" });
  assert.throws(() => reply(directory), { code: "STREAM_NOT_FOUND" });
});
