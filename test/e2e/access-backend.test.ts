/** A portal on the loopback says who may play; the server asks as it is documented, and does what it is told. */
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { ask, rtmp } from "../support/access-clients.ts";
import type { Got } from "../support/access-clients.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const skip = needs("ffmpeg");
const ROOT = { headers: { authorization: `Basic ${Buffer.from("root:secret").toString("base64")}` } };
const API = "/streamer/api/v3";

type Answer = (response: ServerResponse, query: URLSearchParams) => void;

const asked: URLSearchParams[] = [];
const allow: Answer = (response) => void response.end();
let answer: Answer = allow;
const portal = createServer((request: IncomingMessage, response) => {
  const query = new URL(request.url!, "http://portal").searchParams;
  asked.push(query);
  response.on("error", () => {});
  answer(response, query);
});
const ends: (() => void | Promise<void>)[] = [];
let weir: Weir;

before(async () => {
  if (skip !== false) return;
  const folder = await mkdtemp(join(tmpdir(), "weir-portal-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "clips"));
  await copyFile(await makeClip({ durationS: 10, gopPictures: 25 }), join(folder, "clips/cam.mp4"));
  await new Promise<void>((resolve) => portal.listen(0, "127.0.0.1", resolve));
  const { port } = portal.address() as AddressInfo;
  const nobody = await freePort();
  const input = "input file://clips/cam.mp4; segment_duration 1; segment_count 4;";
  const config = `
    threads 2;
    edit_auth root secret;
    vod clips { storage ${folder}/clips; on_play false; }
    auth_backend kind { backend http://127.0.0.1:${nobody}/; allow default; }
    stream cam { ${input} on_play http://127.0.0.1:${port}/auth?mine=1; }
    stream down { ${input} on_play http://127.0.0.1:${nobody}/; }
    stream kind { ${input} on_play auth://kind; }
  `;
  const t = { after: (clean: () => void | Promise<void>) => void ends.push(clean) };
  weir = await startWeir(t, { config, readyTimeoutMs: 60_000 });
  for (const name of ["cam", "down", "kind"]) {
    await eventually(
      async () => {
        const { text } = await ask(weir.url(`${API}/streams/${name}`), ROOT);
        const { stats } = JSON.parse(text) as { stats: { status: string } };
        assert.equal(stats.status, "running");
      },
      { timeoutMs: 60_000, intervalMs: 200 },
    );
  }
  await eventually(async () => assert.equal((await ask(hls("warm"))).status, 200), {
    timeoutMs: 60_000,
    intervalMs: 500,
  });
});
after(async () => {
  portal.closeAllConnections();
  portal.close();
  for (const clean of ends.toReversed()) await clean();
});
beforeEach(() => {
  answer = allow;
  asked.length = 0;
});

/** A playlist of a viewer with that token; each request is a connection of its own, in whichever thread. */
const hls = (token: string, name = "cam"): string =>
  weir.url(`/${name}/index.m3u8${token === "" ? "" : `?token=${token}`}`);

const of = (token: string): URLSearchParams[] => asked.filter((query) => query.get("token") === token);

async function idOf(token: string): Promise<string> {
  // Tokens are shown to those who may edit.
  const { text } = await ask(weir.url(`${API}/sessions?token=${token}`), ROOT);
  const { sessions } = JSON.parse(text) as { sessions: { id: string }[] };
  assert.equal(sessions.length, 1, text);
  return sessions[0]!.id;
}

test(
  "the portal is asked what is documented, once a session, whatever thread its requests come to",
  { skip },
  async () => {
    const headers = { "user-agent": "box/1", referer: "http://site.net/page" };
    const first = await ask(`${hls("t1")}&room=7`, { headers });
    assert.equal(first.status, 200);
    const [query] = of("t1");
    const known = {
      stream_clients: query!.get("stream_clients"),
      total_clients: query!.get("total_clients"),
    };
    assert.match(known.stream_clients!, /^\d+$/);
    assert.match(known.total_clients!, /^\d+$/);
    const { session_id: id, host, ...told } = Object.fromEntries(query!);
    assert.match(id!, /^\S{8,}$/);
    assert.ok(host);
    assert.deepEqual(told, {
      ...{ mine: "1", name: "cam", proto: "hls", ip: "127.0.0.1", token: "t1", ...known },
      ...{ request_type: "new_session", request_number: "0", qs: "token=t1&room=7" },
      ...{ user_agent: "box/1", referer: "http://site.net/page" },
    });
    for (let i = 0; i < 20; i++) assert.equal((await ask(hls("t1"), { headers })).status, 200);
    assert.equal(of("t1").length, 1);
  },
);

test("a set-top box without cookies plays by the token that playlists carry", { skip }, async () => {
  const { text } = await ask(hls("box"));
  const media = text.split("\n").find((line) => line !== "" && !line.startsWith("#"))!;
  assert.match(media, /[?&]token=box/);
  const list = await ask(weir.url(`/cam/${media}`));
  assert.equal(list.status, 200, list.text);
  const segment = list.text.split("\n").findLast((line) => line !== "" && !line.startsWith("#"))!;
  assert.match(segment, /[?&]token=box/);
  const bytes = await ask(new URL(segment, weir.url(`/cam/${media}`)).href);
  assert.equal(bytes.status, 200);
  assert.equal(of("box").length, 1);
  const bare = await ask(hls(""));
  const made = /token=([0-9a-f]{32})/.exec(bare.text)?.[1];
  assert.ok(made !== undefined, bare.text);
  assert.equal((await ask(hls(made))).status, 200);
  assert.equal(of(made).length, 1);
});

test(
  "an answer holds for X-AuthDuration, then the session is asked about again, and refused at once",
  { skip },
  async () => {
    answer = (response) => void response.writeHead(200, { "X-AuthDuration": "2" }).end();
    assert.equal((await ask(hls("again"))).status, 200);
    const updated = async (): Promise<void> => {
      await ask(hls("again"));
      const update = of("again").find((query) => query.get("request_type") === "update_session");
      assert.ok(update !== undefined);
      assert.match(update.get("duration")!, /^\d+$/);
      assert.match(update.get("bytes")!, /^\d+$/);
      assert.ok(Number(update.get("request_number")) >= 1);
      assert.equal(update.get("session_id"), of("again")[0]!.get("session_id"));
    };
    await eventually(updated, { timeoutMs: 20_000, intervalMs: 200 });
    answer = (response) => void response.writeHead(403).end();
    const refused = async (): Promise<void> => assert.equal((await ask(hls("again"))).status, 403);
    await eventually(refused, { timeoutMs: 20_000, intervalMs: 200 });
  },
);

test("reauth asks at once", { skip }, async () => {
  assert.equal((await ask(hls("reauth"))).status, 200);
  answer = (response) => void response.writeHead(403).end();
  const { status } = await ask(weir.url(`${API}/sessions/reauth?name=cam`), { method: "POST", ...ROOT });
  assert.ok(status < 300, String(status));
  const refused = async (): Promise<void> => assert.equal((await ask(hls("reauth"))).status, 403);
  await eventually(refused);
  answer = allow;
});

test("a user with too many sessions loses the oldest, on all threads", { skip }, async () => {
  answer = (response) => void response.writeHead(200, { "X-UserId": "alice", "X-Max-Sessions": "2" }).end();
  for (const token of ["a1", "a2", "a3"]) assert.equal((await ask(hls(token))).status, 200);
  const lost = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) assert.equal((await ask(hls("a1"))).status, 403);
  };
  await eventually(lost, { timeoutMs: 5000 });
  for (const token of ["a2", "a3"]) assert.equal((await ask(hls(token))).status, 200);
});

test("302 sends a viewer elsewhere, and RTMP, which cannot, is refused", { skip }, async () => {
  answer = (response) => void response.writeHead(302, { Location: "http://edge.net/cam" }).end();
  const got = await ask(hls("moved"));
  assert.deepEqual([got.status, got.headers["location"]], [302, "http://edge.net/cam"]);
  assert.equal((await ask(hls("moved"))).status, 302);
  assert.equal(of("moved").length, 1);
  const port = weir.ports.rtmp;
  const moved = await rtmp({ port, app: "static", stream: "cam?token=moved2", does: "play" });
  moved.leave();
  assert.notEqual(moved.outcome, "plays");
});

const CONNECTIONS: readonly [what: string, path: string, isSocket: boolean][] = [
  ["flv", "/cam.flv", false],
  ["flv over a WebSocket", "/cam.flv", true],
  ["mpegts", "/cam/mpegts", false],
  ["mse", "/cam/mse_ld", true],
];

/** Ends a session by the API. Resolves when `ended` does, with the time that took. */
async function endedAfterMs(token: string, ended: () => Promise<unknown>): Promise<number> {
  const id = await eventually(() => idOf(token));
  const startMs = performance.now();
  const { status } = await ask(weir.url(`${API}/sessions/${id}`), { method: "DELETE", ...ROOT });
  assert.equal(status, 204);
  await ended();
  return performance.now() - startMs;
}

for (const [what, path, isSocket] of CONNECTIONS) {
  test(`DELETE of a session closes ${what} within a second`, { skip }, async () => {
    const token = `kick-${what.replaceAll(" ", "-")}`;
    const got: Got = await ask(weir.url(`${path}?token=${token}`), { isSocket });
    assert.equal(got.status, isSocket ? 101 : 200);
    assert.ok((await endedAfterMs(token, () => got.ended)) < 1000);
    assert.equal((await ask(weir.url(`${path}?token=${token}`), { isSocket })).status, 403);
  });
}

test(
  "DELETE of a session closes rtmp within a second, and the next request of hls is 403",
  { skip },
  async () => {
    const port = weir.ports.rtmp;
    const got = await rtmp({ port, app: "static", stream: "cam?token=kick-rtmp", does: "play" });
    assert.equal(got.outcome, "plays");
    assert.ok((await endedAfterMs("kick-rtmp", () => got.ended)) < 1000);
    assert.equal((await ask(hls("kick-hls"))).status, 200);
    const refused = async (): Promise<void> => {
      for (let i = 0; i < 4; i++) assert.equal((await ask(hls("kick-hls"))).status, 403);
    };
    assert.ok((await endedAfterMs("kick-hls", () => eventually(refused, { timeoutMs: 1000 }))) < 1000);
  },
);

/** What a portal does that lies, and what becomes of a new session. */
const LIES: readonly [what: string, answer: Answer][] = [
  ["another status", (response) => void response.writeHead(500).end()],
  ["302 to nowhere", (response) => void response.writeHead(302).end()],
  ["a duration in words", (response) => void response.writeHead(200, { "X-AuthDuration": "soon" }).end()],
  ["a limit in words", (response) => void response.writeHead(200, { "X-Max-Sessions": "-1" }).end()],
  ["huge headers", (response) => void response.writeHead(200, { "X-UserId": "u".repeat(40_000) }).end()],
  ["a long user", (response) => void response.writeHead(200, { "X-UserId": "u".repeat(300) }).end()],
  [
    "a cut reply",
    (response) =>
      void response.writeHead(200, { "content-length": "9" }).end("1", () => response.destroy()),
  ],
  ["no HTTP", (response) => void response.socket!.end("SSH-2.0-OpenSSH\r\n\r\n")],
  ["silence", () => {}],
  [
    "a body without end",
    (response) => {
      const piece = Buffer.alloc(16_384);
      const timer = setInterval(() => response.write(piece), 5);
      response.on("close", () => clearInterval(timer));
    },
  ],
];

for (const [what, lie] of LIES) {
  test(
    `a portal with ${what} has failed: a new session is refused, one that there is goes on`,
    { skip },
    async () => {
      const token = what.replaceAll(" ", "-");
      assert.equal((await ask(hls(`${token}-old`))).status, 200);
      answer = lie;
      const startMs = performance.now();
      assert.equal((await ask(hls(token))).status, 403);
      assert.ok(performance.now() - startMs < 6000, "it takes longer than documented");
      assert.equal((await ask(hls(token))).status, 403);
      assert.equal(of(token).length, 1, "a failure is asked about again at once");
      await ask(weir.url(`${API}/sessions/reauth?name=cam`), { method: "POST", ...ROOT });
      assert.equal((await ask(hls(`${token}-old`))).status, 200);
    },
  );
}

test("a portal that is down refuses, and in a block with allow default lets in", { skip }, async () => {
  assert.equal((await ask(hls("x", "down"))).status, 403);
  assert.equal((await ask(hls("x", "kind"))).status, 200);
});
