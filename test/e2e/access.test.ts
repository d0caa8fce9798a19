/** Who may do what over which listener: every row of the matrix, written down, against a server in a process of its own. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { BODIES, CALLERS } from "../support/access-api-matrix.ts";
import { ask, rtmp } from "../support/access-clients.ts";
import type { AskOptions } from "../support/access-clients.ts";
import { selfSigned } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { ffmpeg, makeClip } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const KEY = "a-key-of-more-than-32-characters-in-all";
const CLUSTER_KEY = "key-of-the-cluster";
const API = "/streamer/api/v3";
/** Where the API lets nobody in from. */
const OUTSIDE = "127.9.0.1";

type ListenerName = "http" | "media" | "https";

let weir: Weir;
let folder: string;
let ports: { readonly media: number; readonly https: number; readonly rtmps: number };
let startedS: number;

function configText(http: number, rtmpPort: number): string {
  const tls = `{ certificate ${folder}/tls.crt; certificate_key ${folder}/tls.key; }`;
  const token = (name: string): string => `api_token ${name} { token "token-of-${name}"; scope ${name}; }`;
  const scopes = ["view", "edit", "streams", "sessions", "config", "archive", "metrics"];
  const inputs = "input file://clips/cam.mp4; dvr @disk 1h; segment_duration 1; segment_count 4;";
  return `
    threads 2;
    http 127.0.0.1:${http};
    http 127.0.0.1:${ports.media} { api false; }
    https 127.0.0.1:${ports.https} ${tls}
    rtmp 127.0.0.1:${rtmpPort};
    rtmps 127.0.0.1:${ports.rtmps} ${tls}
    edit_auth root edit-secret;
    view_auth guest view-secret;
    cluster_key ${CLUSTER_KEY};
    api_allowed_from 127.0.0.0/16;
    ${scopes.map(token).join("\n    ")}
    api_token past { token "token-of-past"; scope edit; expires 2020-01-01T00:00:00Z; }
    dvr disk { root ${folder}/dvr; }
    auth_backend door { allow token t1; }
    event_sink log { url jsonlog://${folder}/events.log; }
    stream open { ${inputs} }
    stream token { ${inputs} on_play signed://${KEY}; }
    stream page { ${inputs} domains example.com *.example.org; }
    template openpub { prefix openpub; input publish://; }
    template pass { prefix pass; input publish://; password publish-secret; }
    template signed { prefix signed; input publish://; on_play signed://${KEY}; on_publish signed://${KEY}; }
    vod clips { storage ${folder}/clips; download; }
    vod openvod { storage ${folder}/clips; download; }
    vod tokenvod { storage ${folder}/clips; download; on_play signed://${KEY}; }
    vod pagevod { storage ${folder}/clips; download; domains example.com *.example.org; }
  `;
}

function signed(fields: Readonly<Record<string, string | number>>): string {
  const expires = Math.floor(Date.now() / 1000) + 3600;
  const query = new URLSearchParams(
    Object.entries({ expires, ...fields }).map(([key, value]) => [key, String(value)]),
  );
  const text = `v1.${Buffer.from(query.toString()).toString("base64url")}`;
  return `${text}.${createHmac("sha256", KEY).update(text).digest("base64url")}`;
}

function urlOf(listener: ListenerName, path: string): string {
  if (listener === "http") return weir.url(path);
  const port = listener === "https" ? ports.https : ports.media;
  return `${listener === "https" ? "https" : "http"}://127.0.0.1:${port}${path}`;
}

const skip = needs("ffmpeg");
const ends: (() => void | Promise<void>)[] = [];

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), "weir-access-"));
  await mkdir(join(folder, "clips"));
  await mkdir(join(folder, "dvr"));
  await copyFile(await makeClip({ durationS: 10, gopPictures: 25 }), join(folder, "clips/cam.mp4"));
  const { cert, key } = selfSigned();
  await writeFile(join(folder, "tls.crt"), cert);
  await writeFile(join(folder, "tls.key"), key);
  ports = { media: await freePort(), https: await freePort(), rtmps: await freePort() };
  weir = await startWeir(
    { after: (clean) => void ends.push(clean) },
    { config: (given) => configText(given.http, given.rtmp), readyTimeoutMs: 60_000 },
  );
  startedS = Math.floor(Date.now() / 1000);
  const root = { headers: { authorization: basic("root:edit-secret") } };
  for (const name of ["open", "token", "page"]) {
    await eventually(
      async () => {
        const { text } = await ask(weir.url(`${API}/streams/${name}/dvr/ranges`), root);
        const { ranges } = JSON.parse(text) as { ranges: { duration: number }[] };
        assert.ok((ranges[0]?.duration ?? 0) >= 4, text);
      },
      { timeoutMs: 30_000, intervalMs: 200 },
    );
  }
});
after(async () => {
  for (const clean of ends) await clean();
  if (skip === false) await rm(folder, { recursive: true, force: true });
});

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

/** What a table of words says, row by row: the first word names the row, the others stand below the names of columns. */
function rowsOf(text: string): [row: string, cells: Readonly<Record<string, string>>][] {
  const [head, ...lines] = text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));
  return lines.map((words) => {
    assert.equal(words.length, head!.length, words[0]);
    return [words[0]!, Object.fromEntries(head!.slice(1).map((name, i) => [name, words[i + 1]!]))];
  });
}

// Who plays what. `open` has no rules, `token` asks for a signed link, `page` names sites.

const VIEWERS = `
who                    open   token  page
anybody                plays  403    403
good token             plays  plays  403
bad token              plays  403    403
token of another name  plays  403    403
token of publishers    plays  403    403
expired token          plays  403    403
view login             plays  403    403
edit login             plays  403    403
api token              plays  403    403
cluster                plays  403    403
page of a site         plays  403    plays
page below a site      plays  403    plays
page of another site   plays  403    403
outside address        plays  403    403
`;

/** How each of them asks: a token in the query, headers, an address. */
function viewer(
  who: string,
  user: string,
): { readonly token?: string } & Pick<AskOptions, "headers" | "from"> {
  switch (who) {
    case "good token":
      return { token: signed({ user }) };
    case "bad token":
      return { token: `${signed({ user }).slice(0, -6)}AAAAAA` };
    case "token of another name":
      return { token: signed({ user, name: "other/*" }) };
    case "token of publishers":
      return { token: signed({ user, kind: "publish" }) };
    case "expired token":
      return { token: signed({ user, expires: Math.floor(Date.now() / 1000) - 100 }) };
    case "page of a site":
      return { headers: { referer: "https://example.com/watch?id=1" } };
    case "page below a site":
      return { headers: { origin: "https://www.example.org" } };
    case "page of another site":
      return { headers: { referer: "https://example.com.evil.net/example.com" } };
    default:
      return caller(who);
  }
}

/** Paths that play; `NAME` is the stream, `FROM` when it began to be recorded. */
const MEDIA: readonly [what: string, path: string, plays: number, isSocket?: "socket"][] = [
  ["hls", "/NAME/index.m3u8", 200],
  ["hls of all tracks in one", "/NAME/video.m3u8", 200],
  ["ll-hls", "/NAME/index.ll.m3u8", 200],
  ["dash", "/NAME/index.mpd", 200],
  ["dash as the specification has it", "/NAME/Manifest.mpd", 200],
  ["flv", "/NAME.flv", 200],
  ["flv over a WebSocket", "/NAME.flv", 101, "socket"],
  ["mpegts", "/NAME/mpegts", 200],
  ["mse", "/NAME/mse_ld", 101, "socket"],
  ["archive as hls", "/NAME/archive-FROM-60.m3u8", 200],
  ["archive as dash", "/NAME/archive-FROM-60.mpd", 200],
  ["archive as mp4", "/NAME/archive-FROM-60.mp4", 200],
  ["archive as ts", "/NAME/archive-FROM-60.ts", 200],
  ["archive as flv", "/NAME.flv?from=FROM", 200],
  ["vod as hls", "/NAMEvod/cam.mp4/index.m3u8", 200],
  ["vod as dash", "/NAMEvod/cam.mp4/index.mpd", 200],
  ["vod over mse", "/NAMEvod/cam.mp4/mse_ld", 101, "socket"],
  ["vod as a download", "/NAMEvod/cam.mp4", 200],
  ["preview.jpg", "/NAME/preview.jpg", 200],
  ["preview.mp4", "/NAME/preview.mp4", 200],
  ["index.json", "/NAME/index.json", 200],
  ["media_info.json", "/NAME/media_info.json", 200],
  ["recording_status.json", "/NAME/recording_status.json?from=FROM&to=TO", 200],
  ["embed.html", "/NAME/embed.html", 200],
];

function mediaPath(path: string, name: string, token: string | undefined): string {
  const filled = path
    .replace("NAME", name)
    .replace("FROM", String(startedS + 1))
    .replace("TO", String(startedS + 60));
  if (token === undefined) return filled;
  return `${filled}${filled.includes("?") ? "&" : "?"}token=${encodeURIComponent(token)}`;
}

/** What became of a request for media: "plays", or its status. */
async function outcomeOf(url: string, plays: number, options: AskOptions): Promise<string> {
  const got = await ask(url, options);
  got.leave();
  if (got.status !== plays) return String(got.status);
  assert.ok(got.text.length > 20, `${url}: ${got.text}`);
  return "plays";
}

describe("viewers", { skip }, () => {
  for (const listener of ["http", "media", "https"] as const) {
    for (const [what, path, plays, isSocket] of MEDIA) {
      test(`${what} over ${listener}`, async () => {
        const seen: string[] = [];
        const wanted: string[] = [];
        for (const [who, cells] of rowsOf(VIEWERS)) {
          for (const [name, cell] of Object.entries(cells)) {
            const { token, headers, from } = viewer(who, `${what} ${listener}`);
            const url = urlOf(listener, mediaPath(path, name, token));
            const options = {
              ...{ headers: { "user-agent": who, ...headers }, isSocket: isSocket !== undefined },
              ...(from === undefined ? {} : { from }),
            };
            seen.push(`${who}, ${name}: ${await outcomeOf(url, plays, options)}`);
            wanted.push(`${who}, ${name}: ${cell}`);
          }
        }
        assert.deepEqual(seen, wanted);
      });
    }
  }

  for (const listener of ["rtmp", "rtmps"] as const) {
    test(`plays over ${listener}`, async () => {
      const seen: string[] = [];
      const wanted: string[] = [];
      // RTMP has no Authorization, and ffmpeg's way to tell a page is no header of ours: those rows are HTTP's alone.
      const rows = rowsOf(VIEWERS).filter(([who]) => /anybody|token$|token of|outside/.test(who));
      for (const [who, cells] of rows) {
        for (const [name, cell] of Object.entries(cells)) {
          const { token } = viewer(who, listener);
          const stream = token === undefined ? name : `${name}?token=${encodeURIComponent(token)}`;
          const port = listener === "rtmp" ? weir.ports.rtmp : ports.rtmps;
          const from = listener === "rtmp" && who === "outside address" ? { from: OUTSIDE } : {};
          const isTls = listener === "rtmps";
          const got = await rtmp({ port, isTls, app: "static", stream, does: "play", ...from });
          got.leave();
          seen.push(`${who}, ${name}: ${got.outcome}`);
          wanted.push(`${who}, ${name}: ${cell === "403" ? "NetStream.Play.Failed" : cell}`);
        }
      }
      assert.deepEqual(seen, wanted);
    });
  }

  test("ffmpeg plays with a token and not without, over hls, flv, mpegts and rtmp", async () => {
    const token = signed({ user: "ffmpeg", kind: "play" });
    const urls = [
      weir.url("/token/index.m3u8"),
      weir.url("/token.flv"),
      weir.url("/token/mpegts"),
      weir.rtmpUrl("token"),
    ];
    for (const url of urls) {
      const args = (address: string): string[] => [
        "-v",
        "error",
        "-i",
        address,
        "-t",
        "1",
        "-c",
        "copy",
        "-f",
        "null",
        "-",
      ];
      await ffmpeg(args(`${url}?token=${token}`));
      await assert.rejects(ffmpeg(args(url)), `${url} plays without a token`);
    }
  });
});

/** Viewers whose session somebody has just ended: refused wherever they had one. */
const BANNED = `
what                              open   token
hls                               403    403
ll-hls                            403    403
dash                              403    403
flv                               403    403
flv over a WebSocket              403    403
mpegts                            403    403
mse                               403    403
archive as hls                    403    403
archive as mp4                    403    403
vod as hls                        403    403
vod as a download                 403    403
preview.jpg                       plays  403
index.json                        plays  403
media_info.json                   plays  403
recording_status.json             plays  403
embed.html                        plays  403
`;

describe("a viewer whose session was ended", { skip }, () => {
  const root = { headers: { authorization: basic("root:edit-secret") } };
  for (const listener of ["http", "media", "https"] as const) {
    for (const [what, cells] of rowsOf(BANNED)) {
      for (const [name, cell] of Object.entries(cells)) {
        test(`${what} of ${name} over ${listener}: ${cell}`, async () => {
          const [, path, plays, isSocket] = MEDIA.find(([one]) => one === what)!;
          const user = `banned ${what} ${listener}`;
          const token = signed({ user });
          const url = urlOf(listener, mediaPath(path, name, token));
          const options = { headers: { "user-agent": user }, isSocket: isSocket !== undefined };
          const first = await ask(url, options);
          assert.equal(first.status, plays);
          const agent = encodeURIComponent(user);
          const mine = weir.url(`${API}/sessions?user_agent=${agent}`);
          const { sessions } = await eventually(async () => {
            const list = JSON.parse((await ask(mine, root)).text) as { sessions: { id: string }[] };
            const isTold = cell === "plays";
            assert.equal(list.sessions.length, isTold ? 0 : 1, JSON.stringify(list));
            return list;
          });
          for (const { id } of sessions) {
            const ended = await ask(weir.url(`${API}/sessions/${id}`), { method: "DELETE", ...root });
            assert.equal(ended.status, 204);
          }
          const look = async (): Promise<void> => assert.equal(await outcomeOf(url, plays, options), cell);
          await eventually(look, { timeoutMs: 1000 });
          first.leave();
        });
      }
    }
  }
});

// Who publishes what.

const PUBLISHERS = `
who                       openpub    pass       signed
anybody                   publishes  401        403
good password             publishes  publishes  403
password as the token     publishes  publishes  403
bad password              publishes  403        403
token of publishers       publishes  403        publishes
token of viewers          publishes  403        403
edit login                publishes  403        403
outside address           publishes  401        403
`;

/** The query of each, and the headers where there are some. */
function publisher(who: string): { readonly query: string } & Pick<AskOptions, "headers" | "from"> {
  switch (who) {
    case "good password":
      return { query: "?password=publish-secret" };
    case "password as the token":
      return { query: "?token=publish-secret" };
    case "bad password":
      return { query: "?password=guess" };
    case "token of publishers":
      return { query: `?token=${signed({ user: "p", kind: "publish" })}` };
    case "token of viewers":
      return { query: `?token=${signed({ user: "p" })}` };
    case "edit login":
      return { query: "", headers: { authorization: basic("root:edit-secret") } };
    case "outside address":
      return { query: "", from: OUTSIDE };
    default:
      return { query: "" };
  }
}

describe("publishers", { skip }, () => {
  for (const listener of ["http", "media", "https"] as const) {
    test(`MPEG-TS over ${listener}`, async () => {
      const clip = await readFile(await makeClip({ durationS: 2, extension: "ts" }));
      const seen: string[] = [];
      const wanted: string[] = [];
      for (const [i, [who, cells]] of rowsOf(PUBLISHERS).entries()) {
        for (const [name, cell] of Object.entries(cells)) {
          const { query, ...more } = publisher(who);
          const url = urlOf(listener, `/${name}/${listener}-${i}/mpegts${query}`);
          const { status } = await ask(url, { method: "POST", body: clip, ...more });
          seen.push(`${who}, ${name}: ${status === 200 ? "publishes" : status}`);
          wanted.push(`${who}, ${name}: ${cell}`);
        }
      }
      assert.deepEqual(seen, wanted);
    });
  }

  for (const listener of ["rtmp", "rtmps"] as const) {
    test(`publishes over ${listener}`, async () => {
      const port = listener === "rtmp" ? weir.ports.rtmp : ports.rtmps;
      const seen: string[] = [];
      const wanted: string[] = [];
      for (const [i, [who, cells]] of rowsOf(PUBLISHERS).entries()) {
        if (who === "edit login") continue;
        for (const [app, cell] of Object.entries(cells)) {
          const { query, from } = publisher(who);
          const stream = `${listener}-${i}${query}`;
          const where = from === undefined || listener === "rtmps" ? {} : { from };
          const isTls = listener === "rtmps";
          const got = await rtmp({ port, isTls, app, stream, does: "publish", ...where });
          got.leave();
          seen.push(`${who}, ${app}: ${got.outcome}`);
          wanted.push(`${who}, ${app}: ${cell === "publishes" ? cell : "NetStream.Publish.Denied"}`);
        }
      }
      assert.deepEqual(seen, wanted);
    });
  }
});

let wrongOnes = 0;

/** Who asks. Wrong ones come from an address each: who is wrong again and again is slowed down. */
function caller(who: string): Pick<AskOptions, "headers" | "from"> {
  const bearer = (token: string): Pick<AskOptions, "headers"> => ({
    headers: { authorization: `Bearer ${token}` },
  });
  const wrong = (authorization: string): Pick<AskOptions, "headers" | "from"> => ({
    ...{ headers: { authorization } },
    from: `127.0.${1 + (++wrongOnes >> 7)}.${1 + (wrongOnes & 127)}`,
  });
  switch (who) {
    case "nobody":
    case "anybody":
      return {};
    case "guest":
    case "view login":
      return { headers: { authorization: basic("guest:view-secret") } };
    case "root":
    case "edit login":
      return { headers: { authorization: `Bearer ${Buffer.from("root:edit-secret").toString("base64")}` } };
    case "past":
      return wrong("Bearer token-of-past");
    case "wrong":
      return wrong(basic("root:guess"));
    case "cluster":
      return { headers: { authorization: clusterHeader() }, from: wrong("").from! };
    case "outside":
    case "outside address":
      return { headers: { authorization: basic("root:edit-secret") }, from: OUTSIDE };
    default:
      return bearer(`token-of-${who === "api token" ? "view" : who}`);
  }
}

function clusterHeader(): string {
  const time = Math.floor(Date.now() / 1000);
  return `Cluster ${time}:${createHash("sha1").update(`${time}:${CLUSTER_KEY}`).digest("hex")}`;
}

/** Events have no end: their head is all there is to wait for. */
async function statusOf(url: string, options: AskOptions): Promise<string> {
  const head = url.endsWith("v3/events") ? { method: "HEAD" } : {};
  return String((await ask(url, { ...options, ...head })).status);
}

function apiOptions(what: string, who: string): AskOptions {
  const method = what.split(" ")[0]!;
  const { headers, ...more } = caller(who);
  const body = BODIES[what];
  const json = body === undefined ? {} : { "content-type": "application/json" };
  return {
    ...{ method, ...more, headers: { ...headers, ...json } },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

describe("the API", { skip }, () => {
  for (const listener of ["http", "https", "media"] as const) {
    for (const [what, cells] of rowsOf(CALLERS)) {
      test(`${what} over ${listener === "media" ? "a listener without the API" : listener}`, async () => {
        const path = `${API}${what.slice(what.indexOf(" ") + 1)}`;
        // No address of the API is there, and nothing takes what would change something.
        const closed = what.startsWith("GET ") ? 404 : 405;
        const seen: string[] = [];
        const wanted: string[] = [];
        for (const [who, cell] of Object.entries(cells)) {
          seen.push(`${who}: ${await statusOf(urlOf(listener, path), apiOptions(what, who))}`);
          wanted.push(`${who}: ${listener === "media" ? closed : cell}`);
        }
        assert.deepEqual(seen, wanted);
      });
    }
  }

  test("the older base path and the older addresses let in the same", async () => {
    const older = ["/flussonic/api/v3/streams", "/flussonic/api/server", "/flussonic/api/media"];
    for (const path of [...older, "/flussonic/api/sessions", "/flussonic/api/metrics"]) {
      const seen: string[] = [];
      for (const who of ["nobody", "guest", "root", "view", "past", "cluster", "wrong", "outside"])
        seen.push(await statusOf(weir.url(path), { method: "GET", ...caller(who) }));
      assert.deepEqual(seen, ["401", "200", "200", "200", "401", "200", "401", "403"], path);
      assert.equal((await ask(urlOf("media", path), caller("root"))).status, 404, path);
    }
  });

  test("a page of another site changes nothing, whoever's credentials it has", async () => {
    const put = apiOptions("PUT /streams/open", "root");
    const SITES: readonly [headers: Readonly<Record<string, string>>, status: number][] = [
      [{ "sec-fetch-site": "same-origin" }, 200],
      [{ "sec-fetch-site": "none" }, 200],
      [{ "sec-fetch-site": "same-site" }, 403],
      [{ "sec-fetch-site": "cross-site" }, 403],
      [{ origin: "https://evil.net" }, 403],
      [{ origin: "null" }, 403],
      [{ origin: weir.url("") }, 200],
    ];
    for (const [headers, status] of SITES) {
      const options = { ...put, headers: { ...put.headers, ...headers } };
      const got = await ask(weir.url(`${API}/streams/open`), options);
      assert.equal(got.status, status, `${JSON.stringify(headers)}: ${got.text}`);
      assert.equal(got.headers["access-control-allow-origin"], undefined);
    }
    const form = { ...put, headers: { ...put.headers, "content-type": "text/plain" } };
    assert.equal((await ask(weir.url(`${API}/streams/open`), form)).status, 415);
  });
});

// What is for everybody.

const PUBLIC = `
path             http  https  media
/                200   200    404
/api             200   200    404
/-/streams       200   200    404
/-/files         200   200    404
/-/about         200   200    404
/metrics         200   200    404
/nothing         404   404    404
`;

describe("pages for everybody", { skip }, () => {
  for (const [path, cells] of rowsOf(PUBLIC)) {
    for (const [listener, cell] of Object.entries(cells)) {
      test(`${path} over ${listener}`, async () => {
        for (const who of [
          "nobody",
          "guest",
          "root",
          "view",
          "metrics",
          "past",
          "cluster",
          "wrong",
          "outside",
        ]) {
          const { status } = await ask(urlOf(listener as ListenerName, path), caller(who));
          assert.equal(String(status), cell, who);
        }
      });
    }
  }

  test("streams and files with rules are listed for those alone who may know all", async () => {
    const seen = async (path: string, who: string): Promise<string> => {
      const { text } = await ask(weir.url(path), caller(who));
      const { streams, files } = JSON.parse(text) as Record<string, { name: string }[] | undefined>;
      const names = (streams ?? files ?? []).map(({ name }) => name.replace("/cam.mp4", ""));
      return names
        .filter((name) => /^(open|token|page)(vod)?$/.test(name))
        .toSorted()
        .join(" ");
    };
    const all = ["guest", "root", "view", "edit", "streams", "cluster"];
    for (const who of ["nobody", "past", "wrong", "outside", "metrics", "sessions", ...all]) {
      const isIn = all.includes(who);
      assert.equal(await seen("/-/streams", who), isIn ? "open page token" : "open", who);
      assert.equal(await seen("/-/files", who), isIn ? "openvod pagevod tokenvod" : "openvod", who);
    }
  });
});
