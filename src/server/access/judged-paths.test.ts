/** Everything that a media thread serves of a stream or file with rules is judged first. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeSessions } from "../../../test/support/fake-sessions.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import type { AccessRules } from "../../auth/rules.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { MediaNode } from "../media-node.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-judged-"));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "a.mp4"), "no film");

const RULES: AccessRules = { ...OPEN_RULES, authorizer: { kind: "nobody" } };
const SOCKET = { upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13" };

/** Paths, the protocol that is claimed, and whether it is of what is past. */
const PATHS: readonly [target: string, proto: string, isDvr?: boolean, isSocket?: "socket"][] = [
  ["/cam/index.m3u8", "hls"],
  ["/cam/video.m3u8", "hls"],
  ["/cam/tracks-v1/mono.m3u8", "hls"],
  ["/cam/tracks-v1/init-0123456789ab.mp4", "hls"],
  ["/cam/tracks-v1/seg-4000.m4s", "hls"],
  ["/cam/tracks-v1/seg-4000.ts", "hls"],
  ["/cam/tracks-t1/mono.m3u8", "hls"],
  ["/cam/tracks-t1/seg-4000.vtt", "hls"],
  ["/cam/index.ll.m3u8", "hls"],
  ["/cam/index.fmp4.m3u8", "hls"],
  ["/cam/archive-1700000000-60.m3u8", "hls", true],
  ["/cam/timeshift_abs-1700000000.m3u8", "hls", true],
  ["/cam/index.mpd", "dash"],
  ["/cam/archive-1700000000-60.mpd", "dash", true],
  ["/cam/utc", "api"],
  ["/cam/index.json", "api"],
  ["/cam/info.json", "api"],
  ["/cam/archive-1700000000-60.json", "api"],
  ["/cam/media_info.json", "api"],
  ["/cam/recording_status.json", "api"],
  ["/cam/preview.jpg", "jpeg"],
  ["/cam/1700000000.jpg", "jpeg"],
  ["/cam/1700000000-preview.jpg", "jpeg"],
  ["/cam/preview.mp4", "jpeg"],
  ["/cam/1700000000-preview.mp4", "jpeg"],
  ["/cam/archive-1700000000-60.mp4", "mp4", true],
  ["/cam/archive-1700000000-60.ts", "tshttp", true],
  ["/cam/timeshift_abs-1700000000.ts", "tshttp", true],
  ["/cam/timeshift_rel-60.ts", "tshttp", true],
  ["/cam.flv", "flv"],
  ["/cam.flv", "flv", false, "socket"],
  ["/cam.flv?from=1700000000", "flv", true],
  ["/cam/archive-1700000000-60.flv", "flv", true],
  ["/cam/mpegts", "tshttp"],
  ["/cam/mpegts?from=1700000000", "tshttp", true],
  ["/cam/mse_ld", "mseld", false, "socket"],
  ["/cam/mse_ld?from=1700000000", "mseld", true, "socket"],
  ["/films/a.mp4", "mp4"],
  ["/films/a.mp4/index.m3u8", "hls"],
  ["/films/a.mp4/index.mpd", "dash"],
  ["/films/a.mp4/media_info.json", "api"],
  ["/films/a.mp4/mse_ld", "mseld", false, "socket"],
];

function configOf(): ResolvedConfig {
  const text = `
    stream cam { input publish://; dvr ${folder}/dvr; }
    vod films { storage ${folder}; download; }
  `;
  const { config, problems } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return {
    ...config,
    streams: config.streams.map((one) => ({ ...one, access: { play: RULES, publish: RULES } })),
    vods: config.vods.map((vod) => ({ ...vod, access: RULES })),
  };
}

function setUp(t: TestContext): { node: MediaNode; sessions: FakeSessions } {
  const sessions = new FakeSessions();
  sessions.verdict = () => ({ kind: "denied", status: 403, reason: "no", forMs: 0 });
  const nobody = (): never => assert.fail("one thread asks no other");
  const node = new MediaNode({
    ...{ config: configOf(), clock: new FakeClock(), log: new RecordingLog() },
    thread: {
      ...{ index: 0, count: 1, heldKib: new Int32Array(1), viewers: new Int32Array(1) },
      homes: { claim: nobody, release: nobody, watch: nobody, unwatch: nobody },
    },
    addresses: new AddressCounter(100),
    ...{ sessions, sessionSalt: "salt" },
  });
  t.after(() => node.stop());
  return { node, sessions };
}

function ask(target: string, headers: Readonly<Record<string, string>> = {}): HttpRequest {
  const url = new URL(target, "http://host");
  return {
    ...{ method: "GET", path: url.pathname, query: url.searchParams, remoteAddress: "192.0.2.1" },
    header: (name) => headers[name],
  };
}

for (const [target, proto, isDvr = false, isSocket] of PATHS) {
  test(`${target}${isSocket === undefined ? "" : " over a WebSocket"} is judged as ${proto}`, async (t) => {
    const { node, sessions } = setUp(t);
    const request = ask(target, isSocket === undefined ? {} : SOCKET);
    await assert.rejects(async () => await node.handle(request), { code: "ACCESS_DENIED" });
    const [claim] = sessions.claims;
    const name = target.startsWith("/films") ? "films/a.mp4" : "cam";
    assert.deepEqual([claim!.name, claim!.proto, claim!.isDvr], [name, proto, isDvr]);
  });
}

test("the player page is judged, and publishing over HTTP", async (t) => {
  const { node, sessions } = setUp(t);
  const page = async (): Promise<HttpReply> =>
    await node.page(ask("/cam/embed.html"), "cam", () => assert.fail("shown"));
  await assert.rejects(page, { code: "ACCESS_DENIED" });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const reply = node.takes({ ...ask("/cam/mpegts"), method: "POST" });
  const connection = { pause: () => {}, resume: () => {}, finish: () => {}, fail: resolve };
  void reply!.upload!(connection);
  assert.equal(((await promise) as { code?: string }).code, "ACCESS_DENIED");
  assert.deepEqual(
    sessions.claims.map(({ kind, proto }) => [kind, proto]),
    [
      ["play", "player"],
      ["publish", "tshttp"],
    ],
  );
});
