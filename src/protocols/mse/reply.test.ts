import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { Film } from "../../../test/support/film.ts";
import { defineErrors } from "../../base/errors.ts";
import type { HttpReply, HttpRequest, WebSocketPeer, WebSocketSink } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import { mseReply } from "./reply.ts";
import type { MseReplyParts } from "./reply.ts";

function request(query = "", upgrade: string | null = "websocket"): HttpRequest {
  const header = (name: string): string | undefined =>
    name === "upgrade" ? (upgrade ?? undefined) : undefined;
  const remoteAddress = "192.0.2.1";
  return { method: "GET", path: "/cam/mse_ld", query: new URLSearchParams(query), header, remoteAddress };
}

const errors = defineErrors({
  VOD_NOT_FOUND: { disposition: "reject", message: "there is no file", doc: "For this test." },
});

let fileViewers = 0;

function parts(directory: FakeDirectory): MseReplyParts {
  return {
    directory,
    file: (name) => {
      if (!name.startsWith("vod/")) return null;
      return async () => {
        if (name === "vod/none.mp4") throw errors.error("VOD_NOT_FOUND", {});
        return new Film();
      };
    },
    archive: () => null,
    onFileViewer: (change) => (fileViewers += change),
    clock: new FakeClock(),
    log: silentLogger,
  };
}

function reply(directory: FakeDirectory, query = "", name = "cam"): HttpReply {
  const made = mseReply(name, request(query), parts(directory));
  assert.ok(!(made instanceof Promise), "a stream is answered at once");
  return made;
}

/** Starts the socket of a reply. Returns: what was done to it, and who hears what the client says. */
function start(of: HttpReply): { done: string[]; peer: WebSocketPeer } {
  const done: string[] = [];
  const socket: WebSocketSink = {
    accept: () => done.push("accept"),
    write: () => done.push("write"),
    sendText: (text) => done.push((JSON.parse(text) as { event: string }).event),
    queuedBytes: () => 0,
    close: (code) => done.push(`close ${code}`),
  };
  return { done, peer: of.webSocket!(socket) };
}

function open(of: HttpReply): string[] {
  return start(of).done;
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
  for (const query of ["from=1700000000", "play_from=1700000000"]) {
    const directory = new FakeDirectory();
    assert.deepEqual(open(reply(directory, query)), ["accept", "stream_unavailable"]);
    assert.deepEqual(
      directory.subscribeRequests.map(({ format }) => format.id),
      ["mse-paused"],
    );
  }
});

test("a file is opened, then accepted, and counted as long as somebody watches", async () => {
  const directory = new FakeDirectory();
  const opened = await mseReply("vod/a.mp4", request("from=5"), parts(directory));
  assert.equal(fileViewers, 0);
  const { done, peer } = start(opened);
  assert.deepEqual([opened.status, done, fileViewers], [101, ["accept", "write"], 1]);
  peer.close();
  peer.close();
  assert.deepEqual([fileViewers, directory.subscribeRequests.length], [0, 0]);
});

test("a file that is not there is refused before the handshake", async () => {
  const asked = mseReply("vod/none.mp4", request(), parts(new FakeDirectory()));
  await assert.rejects(async () => await asked, { code: "VOD_NOT_FOUND" });
});

test("asked for like a page, it says that it is for WebSockets", () => {
  const plain = mseReply("cam", request("", null), parts(new FakeDirectory()));
  assert.ok(!(plain instanceof Promise));
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
