/** The API of a running server: streams, sessions, objects of the configuration and the server itself. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { sessionService } from "../../../test/support/session-service.ts";
import type { SessionsView } from "../../api/sessions-view.ts";
import type { SessionFields } from "../../auth/sessions/session.ts";
import { silentLogger } from "../../base/log.ts";
import { loadConfig } from "../../config/load.ts";
import { startServer } from "../server.ts";
import type { Server } from "../server.ts";

const EDIT = "root:secret";
const VIEW = "reader:only";

type Json = Readonly<Record<string, unknown>>;

let root = "";
let server: Server;
let reloads = 0;
const kicked: string[] = [];
const asked: (string | undefined)[] = [];

const SESSION: SessionFields = {
  id: "s1",
  type: "play",
  name: "clip",
  proto: "hls",
  ip: "192.0.2.1",
  token: "a-token-that-lets-in",
  softLimitationMs: 0,
  bytes: 12,
  openedAtMs: 1000,
  updatedAtMs: 2000,
  isTls: false,
  isDvr: false,
  requestNumber: 1,
  state: "running",
};

function shown(session: SessionFields, showsTokens: boolean): SessionFields {
  return showsTokens ? session : { ...session, token: "***" };
}

const PLAYED = [
  { kind: "play", proto: "hls", count: 3, opened: 9, bytes: 70 },
  { kind: "play", proto: "rtmp", count: 1, opened: 1, bytes: 7 },
  { kind: "publish", proto: "rtmp", count: 1, opened: 1, bytes: 900 },
];

const sessions: SessionsView = {
  list: ({ showsTokens }) =>
    ["s1", "s2", "s3"].map((id, i) => shown({ ...SESSION, id, openedAtMs: i }, showsTokens)),
  get: (id, { showsTokens }) => {
    if (id === "r1") return { ...SESSION, id, type: "record" };
    return id === "s1" ? shown(SESSION, showsTokens) : null;
  },
  kick: (id) => id === "s1" && kicked.push(id) > 0,
  reauth: (name) => asked.push(name),
  crowds: () => new Map([["clip", { clients: 3, bytesOut: 77, lastAccessAtMs: 5 }]]),
};

async function ask(method: string, path: string, who = EDIT, base = "/streamer/api/v3"): Promise<Response> {
  return await fetch(`http://127.0.0.1:${server.httpPorts[0]}${base}${path}`, {
    method,
    headers: { authorization: `Basic ${Buffer.from(who).toString("base64")}` },
  });
}

async function get(path: string, who = EDIT, base?: string): Promise<Json> {
  const reply = await ask("GET", path, who, base);
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  assert.equal(reply.headers.get("cache-control"), "no-store");
  assert.equal(reply.headers.get("access-control-allow-origin"), null);
  return JSON.parse(text) as Json;
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), "weir-api-"));
  await mkdir(join(root, "folder"));
  await writeFile(join(root, "one.mp4"), "12345");
  await writeFile(join(root, ".hidden"), "1");
  await writeFile(join(root, "folder", "two.mp4"), "1");
  await symlink("/etc", join(root, "link"));
  const text = `http 127.0.0.1:0; edit_auth root secret; view_auth reader only; threads 2; cluster_key s3cr3t;
    total_bandwidth 1M; dvr disk { root ${root}; }
    template live { prefix live; input publish://; }
    stream clip { title "A clip"; input fake://fake; labels city=Oslo; position 2; }
    stream news { input publish://; segment_duration 5; protocols -rtmp; }
    stream kept { disabled; input publish://; dvr @disk 1d; position 9; }
    stream pair { input publish://; input fake://fake priority=5; position 8; }
    stream off { disabled; input publish://; comment "as it was"; }
    vod films/old { storage ${root}; download; }`;
  const { config, problems } = loadConfig([{ file: "a", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  const nothing = (): never => assert.fail("nothing is changed");
  server = await startServer({
    ...{ config, log: silentLogger },
    sessions: sessionService({ view: sessions, rows: PLAYED }),
    reload: async () => void (await Promise.resolve(reloads++)),
    edits: { edit: nothing, check: nothing, files: () => Promise.resolve([{ file: "a", text }]) },
  });
});

after(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

describe("streams", () => {
  test("are listed with what is in force and how they do", async () => {
    const list = await eventually(async () => {
      const found = await get("/streams?sort=name");
      const [clip] = found["streams"] as Json[];
      assert.equal((clip!["stats"] as Json)["status"], "running");
      assert.ok(((clip!["stats"] as Json)["bytes_in"] as number) > 0);
      return found;
    });
    assert.deepEqual([list["estimated_count"], list["next"], list["prev"]], [5, null, null]);
    assert.match(String(list["server_id"]), /^[0-9a-f-]{36}$/);
    const [clip, , news, off] = list["streams"] as Json[];
    assert.equal((clip!["config_on_disk"] as Json)["title"], "A clip");
    assert.deepEqual([news!["segment_duration"], news!["protocols"]], [5000, ["-rtmp"]]);
    assert.deepEqual([off!["disabled"], off!["comment"]], [true, "as it was"]);
    const stats = clip!["stats"] as Json;
    assert.deepEqual(
      [stats["online_clients"], stats["bytes_out"], stats["last_access_at"], stats["source"]],
      [3, 77, 5, { proto: "fake" }],
    );
    const [input] = clip!["inputs"] as Json[];
    const { active, proto, connected_at, bytes } = input!["stats"] as Json;
    assert.deepEqual([input!["url"], active, proto], ["fake://fake", true, "fake"]);
    assert.ok((connected_at as number) > 0 && (bytes as number) > 0);
    assert.deepEqual(news!["inputs"], [{ url: "publish://", stats: { active: false } }]);
    assert.deepEqual([stats["alive"], stats["output_bitrate"]], [true, stats["bitrate"]]);
    assert.ok(Math.abs((stats["last_dts_at"] as number) - Date.now()) < 60_000);
    assert.ok(Math.abs((stats["last_dts"] as number) - Date.now()) < 60_000);
    assert.ok((stats["ts_delay"] as number) >= 0);
    const tracks = (stats["media_info"] as { tracks: Json[] }).tracks;
    assert.deepEqual(new Set(tracks.map(({ content }) => content)), new Set(["video", "audio"]));
  });

  test("tell what goes out to viewers from the second look on, and what is recorded", async () => {
    const recorded = await get("/streams/kept");
    const { ranges, from, depth } = (recorded["stats"] as Json)["dvr_info"] as Json;
    assert.deepEqual([from, depth, ranges], [null, 0, []]);
    await eventually(async () => {
      const { stats } = (await get("/streams/clip")) as { stats: Json };
      assert.equal(stats["out_bandwidth"], 0, "as many bytes as before");
      assert.equal(stats["dvr_info"], undefined);
    });
  });

  test("are found by what only their threads know", async () => {
    const path = "/streams?stats.media_info.tracks.codec=h264&select=stats.source";
    await eventually(async () => {
      const { streams } = await get(path);
      assert.deepEqual(streams, [{ name: "clip", stats: { source: { proto: "fake" } } }]);
    });
  });

  test("are told one by one; there is none that only a template would make", async () => {
    const clip = await get("/streams/clip", VIEW, "/flussonic/api/v3");
    assert.deepEqual(
      [clip["name"], clip["named_by"], clip["labels"]],
      ["clip", "config", { city: "Oslo" }],
    );
    for (const name of ["nothing", "live/none", "%2e%2e%2fx"])
      assert.equal((await ask("GET", `/streams/${name}`)).status >= 400, true, name);
  });

  test("begin anew when they are stopped, where their source is the server's own", async () => {
    const sinceOf = async (): Promise<unknown> =>
      ((await get("/streams/clip"))["stats"] as Json)["retry_count"];
    await eventually(async () => assert.equal(await sinceOf(), 0));
    assert.equal((await ask("POST", "/streams/clip/stop", VIEW)).status, 403);
    assert.equal((await ask("POST", "/streams/clip/stop")).status, 204);
    await eventually(async () => assert.equal(await sinceOf(), 1));
    assert.equal((await ask("POST", "/streams/nothing/stop")).status, 404);
  });

  test("run the input that is chosen by hand, and the other one again", async () => {
    const active = async (): Promise<unknown[]> => {
      const { inputs, stats } = (await get("/streams/pair")) as { inputs: { stats: Json }[]; stats: Json };
      return [...inputs.map((input) => input.stats["active"]), stats["status"]];
    };
    assert.deepEqual(await active(), [false, false, "waiting"]);
    assert.equal((await ask("POST", "/streams/pair/inputs/1/select", VIEW)).status, 403);
    assert.equal((await ask("POST", "/streams/pair/inputs/1/select")).status, 204);
    await eventually(async () => assert.deepEqual(await active(), [false, true, "running"]));
    const { config_version } = await get("/config/stats");
    assert.equal((config_version as number[])[1], 0, "it is no other configuration");
    assert.equal((await ask("PUT", "/streams/pair/inputs/0/select")).status, 204);
    await eventually(async () => assert.deepEqual(await active(), [false, false, "waiting"]));
    for (const [path, status, code] of [
      ["pair/inputs/2", 404, "INPUT_NOT_FOUND"],
      ["pair/inputs/x", 404, "INPUT_NOT_FOUND"],
      ["none/inputs/0", 404, "STREAM_NOT_FOUND"],
      ["off/inputs/0", 400, "API_INPUT_RESTS"],
    ] as const) {
      const reply = await ask("POST", `/streams/${path}/select`);
      assert.deepEqual([reply.status, reply.headers.get("x-error-code")], [status, code], path);
    }
  });
});

describe("sessions", () => {
  test("are listed page by page, with tokens for those alone who may edit", async () => {
    const first = await get("/sessions?limit=2&select=token");
    assert.deepEqual(first["sessions"], [
      { id: "s1", token: SESSION.token },
      { id: "s2", token: SESSION.token },
    ]);
    const second = await get(`/sessions?limit=2&cursor=${String(first["next"])}`, VIEW);
    const [session] = second["sessions"] as Json[];
    assert.deepEqual([session!["id"], session!["token"], second["next"]], ["s3", "***", null]);
  });

  test("end, and are asked about again", async () => {
    assert.equal((await get("/sessions/s1"))["bytes"], 12);
    assert.equal((await ask("GET", "/sessions/s9")).status, 404);
    assert.equal((await ask("DELETE", "/sessions/s1")).status, 204);
    assert.equal((await ask("DELETE", "/sessions/s9")).headers.get("x-error-code"), "API_UNKNOWN");
    const recording = await ask("DELETE", "/sessions/r1");
    assert.deepEqual([recording.status, recording.headers.get("x-error-code")], [409, "API_OWN_SESSION"]);
    assert.equal((await ask("POST", "/sessions/reauth?name=clip")).status, 204);
    assert.equal((await ask("POST", "/sessions/reauth")).status, 204);
    assert.deepEqual([kicked, asked], [["s1"], ["clip", undefined]]);
  });
});

test("objects of the configuration are listed, and told one by one", async () => {
  for (const [plural, name, key] of [
    ["templates", "live", "name"],
    ["vods", "films/old", "prefix"],
    ["dvrs", "disk", "name"],
  ] as const) {
    const [one] = (await get(`/${plural}`))[plural] as Json[];
    assert.equal(one![key], name);
    assert.deepEqual(await get(`/${plural}/${name}`), one);
    assert.equal((await ask("GET", `/${plural}/nothing`)).status, 404);
  }
  assert.deepEqual((await get("/auth_backends"))["auth_backends"], []);
  assert.deepEqual((await get("/event_sinks"))["event_sinks"], []);
});

test("files of a vod are listed folder by folder, and nothing outside of it", async () => {
  const files = "/vods/films/old/storages/0/files";
  const all = (await get(files))["files"] as Json[];
  assert.deepEqual(
    all.map(({ name, type, size }) => [name, type, size]),
    [
      ["folder", "directory", undefined],
      ["one.mp4", "file", 5],
    ],
  );
  assert.equal(((await get(`${files}/folder`))["files"] as Json[])[0]!["name"], "two.mp4");
  assert.equal(((await get(`${files}/one.mp4`))["files"] as Json[]).length, 1);
  for (const path of ["/link", "/link/passwd", "/.hidden", "/none", "/%2e%2e", "/folder/%2e%2e/%2e%2e/etc"])
    assert.ok([400, 404].includes((await ask("GET", files + path)).status), path);
  assert.equal((await ask("GET", "/vods/films/old/storages/1/files")).status, 404);
  assert.equal((await ask("GET", "/vods/films/old/storages/x/files")).status, 404);
});

test("settings in force are told without secrets", async () => {
  const config = await get("/config");
  assert.deepEqual(config["edit_auth"], { login: "root", password: "***" });
  assert.equal(config["cluster_key"], "***");
  assert.equal(config["streams"], undefined);
  const full = await get("/config?full=true");
  assert.equal((full["streams"] as Json[]).length, 5);
  assert.ok(!JSON.stringify(full).includes("s3cr3t") && !JSON.stringify(full).includes("secret"));
});

test("figures of the server, and why a configuration is not in force", async () => {
  const stats = await get("/config/stats", VIEW);
  assert.equal(stats["total_streams"], 5);
  assert.equal(stats["streamer_status"], "running");
  assert.equal(stats["total_clients"], 4);
  const [disk] = stats["partitions"] as Json[];
  assert.equal(disk?.["path"], root);
  assert.ok((disk["total_mb"] as number) > 0 && (disk["usage"] as number) <= 100);
  assert.deepEqual(stats["events"], { resent: 0, dropped: 0 });
  assert.ok((stats["opened_files"] as number) > 2);
  assert.ok((stats["scheduler_load"] as number) >= 0 && (stats["scheduler_load"] as number) <= 100);
  await eventually(async () => {
    const { output_kbit, bandwidth_usage } = await get("/config/stats");
    assert.deepEqual([output_kbit, bandwidth_usage], [0, 0], "as many bytes as before");
  });
  assert.deepEqual((stats["config_version"] as number[])[1], 0);
  server.reloadRefused([{ file: "a.conf", line: 3, column: 1, message: "it is wrong" }]);
  const later = await get("/config/stats");
  assert.equal(later["streamer_status"], "broken_config");
  assert.equal(later["config_error"], "a.conf:3: it is wrong");
});

test("older addresses are answered, and only who may edit has the configuration read anew", async () => {
  assert.equal((await get("/server", VIEW, "/flussonic/api"))["total_streams"], 5);
  const { streams } = await get("/media?name=clip,news", VIEW, "/flussonic/api");
  assert.equal((streams as Json[]).length, 2);
  assert.equal(((await get("/sessions", VIEW, "/flussonic/api"))["sessions"] as Json[]).length, 3);
  assert.equal((await ask("GET", "/reload", VIEW, "/flussonic/api")).status, 403);
  assert.equal((await ask("GET", "/reload", EDIT, "/flussonic/api")).status, 204);
  assert.equal((await ask("POST", "/reload", EDIT, "/flussonic/api")).status, 204);
  assert.equal(reloads, 2);
});
