import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { silentLogger } from "../base/log.ts";
import { loadConfig } from "../config/load.ts";
import { SAMPLES_DIRECTORY } from "./demo.ts";
import { startServer } from "./server.ts";
import type { Server } from "./server.ts";

const CONFIG = `
http 127.0.0.1:0;
http 127.0.0.1:0 { api false; }
edit_auth root secret;
view_auth reader only;
vod vod { storage "${SAMPLES_DIRECTORY}"; }
vod hidden { storage "${SAMPLES_DIRECTORY}"; protocols -hls -player; }
template any { prefix ""; input publish://; }
stream clip { title "A clip"; input file://vod/sample.mp4; segment_duration 1; }
stream fake { input fake://fake; segment_duration 1; protocols -player; }
stream dash-only { input fake://fake; protocols dash player; }
stream off { input publish://; disabled; }
stream gone { input file:///nowhere/x.mp4; }
`;

describe("a server", () => {
  let server: Server;

  before(async () => {
    const { config, problems } = loadConfig([{ file: "a.conf", text: CONFIG }]);
    assert.ok(config !== undefined, JSON.stringify(problems));
    server = await startServer({ config, log: silentLogger });
  });
  after(() => server.stop());

  const get = (path: string, headers: Record<string, string> = {}, listener = 0): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.httpPorts[listener]}${path}`, { headers });
  const basic = (text: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(text).toString("base64")}`,
  });

  const replies: [path: string, status: number, code: string | null][] = [
    ["/vod/sample.mp4/index.m3u8", 200, null],
    ["/clip/index.m3u8", 200, null],
    ["/fake/index.m3u8", 200, null],
    ["/clip/embed.html", 200, null],
    ["/fake/embed.html", 403, "STREAM_PROTOCOL_OFF"],
    ["/hidden/sample.mp4/index.m3u8", 403, "STREAM_PROTOCOL_OFF"],
    ["/hidden/sample.mp4/embed.html", 403, "STREAM_PROTOCOL_OFF"],
    ["/off/index.m3u8", 403, "STREAM_DISABLED"],
    ["/gone/index.m3u8", 404, "STREAM_NOT_ON_AIR"],
    ["/anything/index.m3u8", 404, "STREAM_NOT_ON_AIR"],
    ["/vod/none.mp4/index.m3u8", 404, "VOD_NOT_FOUND"],
    ["/b%C3%A9/index.m3u8", 400, "STREAM_BAD_NAME"],
    ["/nothing", 404, null],
  ];
  for (const [path, status, code] of replies) {
    test(`answers ${path} with ${status}${code === null ? "" : ` ${code}`}`, async () => {
      const reply = await get(path);
      assert.deepEqual([reply.status, reply.headers.get("x-error-code")], [status, code]);
      await reply.arrayBuffer();
    });
  }

  test("lists streams with where they come from and whether they may be played", async () => {
    const { streams } = (await (await get("/-/streams")).json()) as { streams: Record<string, unknown>[] };
    const rows = streams.map(({ name, title, status, input, playable }) => [
      name,
      title,
      status,
      input,
      playable,
    ]);
    assert.deepEqual(rows, [
      ["clip", "A clip", "live", "file", true],
      ["dash-only", null, "live", "fake", true],
      ["fake", null, "live", "fake", false],
      ["gone", null, "waiting", "file", true],
      ["off", null, "stopped", "publish", true],
    ]);
    const { files } = (await (await get("/-/files")).json()) as { files: { name: string }[] };
    assert.ok(files.some((file) => file.name === "vod/sample.mp4"));
  });

  for (const path of ["/", "/-/streams", "/-/files", "/-/about", "/flussonic/api/v3/monitoring/liveness"]) {
    test(`a listener without the API has no ${path}`, async () => {
      assert.equal((await get(path)).status, 200);
      assert.equal((await get(path, {}, 1)).status, 404);
    });
  }

  test("a listener without the API plays, and has the player's own files", async () => {
    assert.equal((await get("/clip/index.m3u8", {}, 1)).status, 200);
    assert.equal((await get("/clip/embed.html", {}, 1)).status, 200);
    for (const path of ["/-/ui/player/player.js", "/-/ui/engines/dash-engine.js", "/-/ui/dash.min.js"]) {
      assert.equal((await get(path, {}, 1)).status, 200);
    }
  });

  test("metrics are of the part that is asked for, and of the streams that are named", async () => {
    const page = async (query: string): Promise<[status: number, text: string]> => {
      const reply = await get(`/streamer/api/v3/monitoring/metrics?${query}`, basic("reader:only"));
      return [reply.status, await reply.text()];
    };
    const namesOf = (text: string): string[] =>
      [...text.matchAll(/^stream_alive\{.*name="(.*)"\}/gm)].map(([, name]) => name!);
    assert.deepEqual(namesOf((await page("request=streams&name=fake"))[1]), ["fake"]);
    const two = await page("request=streams&name=gone,clip");
    assert.deepEqual(namesOf(two[1]).toSorted(), ["clip", "gone"]);
    assert.equal(namesOf((await page("request=streams"))[1]).length, 4);
    for (const part of ["pusher", "tp"]) {
      const [status, text] = await page(`request=${part}&format=openmetrics`);
      assert.deepEqual([status, text.trim()], [200, "# EOF"], "there are no pushes and no transponders");
    }
    for (const query of ["request=all", "format=xml"]) {
      const [status, text] = await page(query);
      assert.deepEqual([status, JSON.parse(text).errors[0].source.parameter], [400, query.split("=")[0]]);
    }
  });

  test("the API asks for credentials, the probes do not", async () => {
    const path = "/streamer/api/v3/config/stats";
    const refused = await get(path);
    assert.deepEqual(
      [refused.status, refused.headers.get("www-authenticate")?.slice(0, 5)],
      [401, "Basic"],
    );
    assert.equal((await get(path, basic("root:wrong"))).status, 401);
    for (const who of ["root:secret", "reader:only"]) {
      const stats = (await (await get(path, basic(who))).json()) as Record<string, unknown>;
      assert.deepEqual([stats["total_streams"], stats["online_streams"]], [5, 3]);
    }
    for (const other of ["stream", "streams/foo/config/stats", "config/stats/more"]) {
      assert.equal((await get(`/streamer/api/v3/${other}`, basic("root:secret"))).status, 404);
    }
    assert.equal((await get("/streamer/api/v3/monitoring/readiness")).status, 200);
  });
});

test("a server that cannot open a port closes what it opened and says which", async () => {
  const first = await startServer({
    config: loadConfig([{ file: "a", text: "http 127.0.0.1:0;" }]).config!,
    log: silentLogger,
  });
  const text = `http 127.0.0.1:0; rtmp 127.0.0.1:${first.httpPorts[0]};`;
  const { config } = loadConfig([{ file: "a", text }]);
  await assert.rejects(startServer({ config: config!, log: silentLogger }), /EADDRINUSE/);
  await first.stop();
  await first.stop();
});

test("the statistics say how the server is", async (t) => {
  const text = "http 127.0.0.1:0; edit_auth root secret; drain_timeout 60;";
  const { config } = loadConfig([{ file: "a", text }]);
  const server = await startServer({ config: config!, log: silentLogger });
  t.after(() => server.stop());
  const status = async (): Promise<unknown> => {
    const headers = { authorization: `Bearer ${Buffer.from("root:secret\n").toString("base64")}` };
    const url = `http://127.0.0.1:${server.httpPorts[0]}/streamer/api/v3/config/stats`;
    return ((await (await fetch(url, { headers })).json()) as Record<string, unknown>)["streamer_status"];
  };
  assert.equal(await status(), "running");
  server.reloadRefused();
  assert.equal(await status(), "broken_config");
  await server.configure(config!);
  assert.equal(await status(), "running");
  void server.drain();
  assert.equal(await status(), "draining");
  await assert.rejects(server.configure(config!), { code: "SERVER_STOPPING" });
  await server.stop();
  await assert.rejects(server.configure(config!), { code: "SERVER_STOPPING" });
});
