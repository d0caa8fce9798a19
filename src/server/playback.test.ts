import assert from "node:assert/strict";
import { test } from "node:test";
import { openAccess } from "../../test/support/open-access.ts";
import type { HttpRequest } from "../base/http-message.ts";
import { loadConfig } from "../config/load.ts";
import { Playback } from "./playback.ts";
import type { PlaybackParts } from "./playback.ts";

/** Playback that comes as far as the live window, and no further. */
function playback(): Playback {
  const text = "template pub { prefix pub; input publish://; }";
  const { config } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined);
  const parts: Partial<PlaybackParts> = {
    access: openAccess(),
    config: () => config,
    window: () => {
      throw new RangeError("asked for the window");
    },
  };
  return new Playback(parts as PlaybackParts);
}

function requestWith(token: string): HttpRequest {
  return {
    method: "GET",
    path: "/pub/a/tracks-v1/mono.m3u8",
    query: new URLSearchParams([["token", token]]),
    header: () => undefined,
    remoteAddress: "192.0.2.1",
  };
}

test("a token is as long as it is in a URL: nine bytes for a sign of three", () => {
  const tokens: [what: string, token: string, isTaken: boolean][] = [
    ["2048 letters", "x".repeat(2048), true],
    ["2049 letters", "x".repeat(2049), false],
    ["227 euro signs, 2043 bytes", "\u20ac".repeat(227), true],
    ["228 euro signs, 2052 bytes", "\u20ac".repeat(228), false],
    ["512 euro signs", "\u20ac".repeat(512), false],
    ["half a pair of surrogates", "\ud800", true],
  ];
  for (const [what, token, isTaken] of tokens) {
    const ask = () => playback().handle(requestWith(token));
    if (isTaken) {
      assert.throws(ask, /asked for the window/, what);
      continue;
    }
    const reply = ask();
    assert.ok(reply !== null && !(reply instanceof Promise) && reply.status === 400, what);
  }
});

test("a file of a vod whose name is that of a picture of a stream is the file", async () => {
  const { config } = loadConfig([{ file: "a.conf", text: "vod films { storage /films; download; }" }]);
  assert.ok(config !== undefined);
  const asked: string[] = [];
  const parts = {
    access: openAccess(),
    config: () => config,
    vods: {
      find: (path: string) => (path.endsWith(".mp4") ? { vod: "films", rest: path.slice(6) } : null),
      download: (path: string) => {
        asked.push(path);
        return Promise.reject(new RangeError("asked for the file"));
      },
    },
  };
  for (const name of [
    "films/preview.mp4",
    "films/1700000000-preview.mp4",
    "films/archive-1700000000-60.mp4",
  ]) {
    const request = { ...requestWith(""), path: `/${name}` };
    await assert.rejects(
      async () => await new Playback(parts as never).handle(request),
      /asked for the file/,
      name,
    );
    assert.equal(asked.at(-1), name);
  }
});
