/** When the first media of a session flows, as the thread that serves it tells of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeRequest } from "../../../test/support/fake-request.ts";
import { FakeSessions } from "../../../test/support/fake-sessions.ts";
import { playClaim } from "../../../test/support/sessions.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import type { HttpBodySink, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { AccessGate } from "./gate.ts";
import { HttpGate } from "./http-gate.ts";

const HLS = { name: "cam", proto: "hls", also: [], isTold: false, isDvr: false };
const START_US = 1_795_420_800_000_000;

function setUp() {
  const clock = new FakeClock(START_US);
  const sessions = new FakeSessions();
  const gate = new AccessGate({ clock, control: sessions, rulesOf: () => OPEN_RULES, salt: "salt" });
  const http = new HttpGate({ gate, tokenKey: () => "token" });
  /** What has been told of first media, with the seconds since the start. */
  const told = (): [string, number][] =>
    sessions.reports
      .flat()
      .flatMap(({ id, mediaUs }) => (mediaUs === undefined ? [] : [[id, (mediaUs - START_US) / 1e6]]));
  return { clock, sessions, gate, http, told };
}

function asked(path: string, method = "GET"): HttpRequest {
  return Object.assign(new FakeRequest(""), { path, method });
}

function replied(type: string, status = 200): HttpReply {
  return { status, headers: [["content-type", type]], body: [new Uint8Array(9)] };
}

test("of a viewer who asks again and again it is the first segment: no playlist, no set-up of decoders", () => {
  const { clock, sessions, http, told } = setUp();
  const serve = (path: string, reply: HttpReply, method = "GET"): void => {
    void http.play(asked(path, method), HLS, () => reply);
    clock.advance(1000);
  };
  serve("/cam/index.m3u8", replied("application/vnd.apple.mpegurl"));
  serve("/cam/tracks-v1/init-1f.mp4", replied("video/mp4"));
  serve("/cam/tracks-v1/seg-1.m4s", replied("video/mp4"), "HEAD");
  serve("/cam/tracks-v1/seg-1.m4s", replied("video/mp4", 304));
  assert.deepEqual(told(), []);
  serve("/cam/tracks-v1/seg-1.m4s", replied("video/mp4"));
  serve("/cam/tracks-v1/seg-2.m4s", replied("video/mp4"));
  assert.deepEqual(told(), [[sessions.begunSessions[0]!.id, 4]]);
  serve("/cam/index.m3u8", replied("application/vnd.apple.mpegurl"));
  serve("/cam/preview.jpg", replied("image/jpeg"));
  const media = sessions.reports
    .flat()
    .flatMap(({ bytes, hasNoMedia }) => (bytes > 0 ? [!hasNoMedia] : []));
  assert.deepEqual(media, [false, false, false, true, true, false, true]);
});

test("of a connection it is its first bytes, told of even when it ends at once", async () => {
  const { clock, sessions, http, told } = setUp();
  const sinks: HttpBodySink[] = [];
  const source = { close: () => {}, drained: () => {} };
  const reply = await http.connect(asked("/cam"), { ...HLS, proto: "flv" }, () => ({
    ...{ status: 200, headers: [], body: [] },
    stream: (sink) => {
      sinks.push(sink);
      return source;
    },
  }));
  const body = reply.stream!({
    ...{ write: () => {}, queuedBytes: () => 0, end: () => {}, abort: () => {} },
  });
  clock.advance(2500);
  sinks[0]!.write(new Uint8Array(10));
  sinks[0]!.write(new Uint8Array(10));
  body.close();
  assert.deepEqual(told(), [[sessions.begunSessions[0]!.id, 2.5]]);
  assert.equal(sessions.closings.length, 1);
});

test("of a publisher it is when viewers can begin, whenever its permit is begun, and its bytes are none", () => {
  const { clock, sessions, gate, told } = setUp();
  const [early, late] = [1, 2].map((n) =>
    gate.openPermit(playClaim({ kind: "publish", ip: `192.0.2.${n}` })),
  );
  early!.media();
  early!.begun();
  late!.begun();
  late!.count(1000);
  clock.advance(1000);
  late!.media();
  late!.media();
  clock.advance(2000);
  const [first, second] = sessions.begunSessions.map(({ id }) => id);
  assert.deepEqual(told(), [
    [first, 0],
    [second, 1],
  ]);
});
