import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { startS3Server } from "../../../test/support/s3-server.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { episodeReply, episodesReply, locksReply, rangesReply } from "../../api/archive-schemas.ts";
import { exportJobReply, exportJobsReply } from "../../api/archive-schemas.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { loadConfig } from "../../config/load.ts";
import { openObjectStore } from "../../dvr/objects/open-store.ts";
import { startServer } from "../server.ts";
import type { Server } from "../server.ts";

/** 2026-08-28T08:00:00Z: an hour that nobody writes any more. */
const HOUR = 496_640;
const HOUR_S = HOUR * 3600;
const EDIT = "root:secret";
const VIEW = "reader:only";

type Asked = {
  readonly who?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

type Told = { readonly status: number; readonly json: unknown; readonly headers: Headers };

type ErrorBody = {
  readonly errors: readonly {
    readonly id: string;
    readonly status: string;
    readonly code: string;
    readonly title: string;
    readonly source?: object;
    readonly meta?: object;
  }[];
};

let root = "";
let server: Server;

async function ask(method: string, path: string, { who, body, headers = {} }: Asked = {}): Promise<Told> {
  const reply = await fetch(`http://127.0.0.1:${server.httpPorts[0]}${path}`, {
    method,
    headers: {
      ...(who === undefined ? {} : { authorization: `Basic ${Buffer.from(who).toString("base64")}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await reply.text();
  const isJson = reply.headers.get("content-type") === "application/json";
  return {
    status: reply.status,
    json: isJson ? (JSON.parse(text) as unknown) : text,
    headers: reply.headers,
  };
}

function edit(method: string, path: string, body?: unknown): Promise<Told> {
  return ask(method, `/streamer/api/v3${path}`, { who: EDIT, body });
}

/** The code of an error; the reply has it in lower case, and as the catalogue has it in a header. */
function codeOf({ json, headers }: Told): string | undefined {
  const code = headers.get("x-error-code") ?? undefined;
  assert.equal((json as ErrorBody).errors?.[0]?.code, code?.toLowerCase());
  return code;
}

async function writeHours(stream: string, hours: readonly ArchiveHour[]): Promise<void> {
  for (const hour of hours)
    for (const [path, bytes] of Object.entries(hour.files(join(root, stream)))) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
}

function recordedHour(hour: number, segments: number): ArchiveHour {
  const recorded = new ArchiveHour(hour, { firstOrdinal: hour * 10_000 });
  for (let i = 0; i < segments; i++) recorded.segment();
  return recorded;
}

async function ranges(stream: string): Promise<{ from: number; duration: number }[]> {
  const { status, json } = await edit("GET", `/streams/${stream}/dvr/ranges`);
  assert.equal(status, 200, JSON.stringify(json));
  return rangesReply.parse(json).ranges;
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), "weir-archive-api-"));
  for (const stream of ["tv/one", "tv/two", "tv/kept", "tv/export"])
    await writeHours(stream, [recordedHour(HOUR, 30), recordedHour(HOUR + 1, 30)]);
  const text = `http 127.0.0.1:0; edit_auth ${EDIT.replace(":", " ")}; view_auth ${VIEW.replace(":", " ")};
    threads 2; template tv { prefix tv; input publish://; dvr ${root}; } stream plain { input publish://; }`;
  const { config, problems } = loadConfig([{ file: "a", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  server = await startServer({ config, log: silentLogger });
});

after(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

const SPAN = { from: 1, duration: 1 };
const EPISODE = { name: "tv/one", opened_at: 1, closed_at: 2 };

/** Every address with its methods: what a right request of each is answered. */
const ROUTES: readonly (readonly [
  method: string,
  path: string,
  body: object | undefined,
  status: number,
])[] = [
  ["GET", "/streams/tv/one/dvr/ranges", undefined, 200],
  ["DELETE", "/streams/tv/one/dvr/ranges", SPAN, 204],
  ["GET", "/streams/tv/one/dvr/locks", undefined, 200],
  ["POST", "/streams/tv/one/dvr/locks", SPAN, 204],
  ["DELETE", "/streams/tv/one/dvr/locks", SPAN, 204],
  ["GET", "/episodes?name=tv/one", undefined, 200],
  ["POST", "/episodes", { ...EPISODE, episode_id: "e1" }, 201],
  ["GET", "/episodes/e1?name=tv/one", undefined, 200],
  ["PUT", "/episodes/e1", { name: "tv/one", title: "News" }, 200],
  ["DELETE", "/episodes/e1?name=tv/one", undefined, 204],
  ["POST", `/streams/tv/one/dvr/export?from=${HOUR_S}&duration=2&path=table.mp4`, undefined, 202],
  ["GET", "/dvr_export_jobs", undefined, 200],
  ["GET", "/dvr_export_jobs/e1", undefined, 404],
  ["DELETE", "/dvr_export_jobs/e1", undefined, 404],
];

test("the API of archives takes no wrong credentials", async () => {
  // More than four of them would wait.
  for (const who of ["root:wrong", "reader:secret"]) {
    const told = await ask("GET", "/streamer/api/v3/episodes", { who });
    assert.deepEqual([told.status, codeOf(told)], [401, "API_NO_CREDENTIALS"]);
  }
});

describe("every address of archives", () => {
  for (const [method, path, body, status] of ROUTES) {
    for (const base of ["/streamer/api/v3", "/flussonic/api/v3"]) {
      test(`${method} ${base}${path} asks for credentials`, async () => {
        const told = await ask(method, base + path, { body });
        assert.deepEqual([told.status, codeOf(told)], [401, "API_NO_CREDENTIALS"]);
        assert.match(told.headers.get("www-authenticate") ?? "", /^Basic /);
      });
    }
    test(`${method} ${path} is answered to view_auth where it changes nothing`, async () => {
      if (method === "GET" && !path.includes("e1")) {
        assert.equal((await ask(method, `/streamer/api/v3${path}`, { who: VIEW })).status, 200);
      } else if (method !== "GET") {
        const told = await ask(method, `/streamer/api/v3${path}`, { who: VIEW, body });
        assert.deepEqual([told.status, codeOf(told)], [403, "API_READ_ONLY"]);
      }
    });
    test(`${method} ${path} is answered to edit_auth`, async () => {
      const told = await edit(method, path, body);
      assert.equal(told.status, status, JSON.stringify(told.json));
    });
    if (body === undefined) continue;
    test(`${method} ${path} takes no body that it does not know`, async () => {
      const url = `/streamer/api/v3${path}`;
      const rows: [Asked, number, string][] = [
        [{ body: "{", headers: {} }, 400, "API_BAD_JSON"],
        [{ body: "[]" }, 400, "API_BAD_FIELD"],
        [{ body: "null" }, 400, "API_BAD_FIELD"],
        [{ body: "{}" }, 400, "API_BAD_FIELD"],
        [{ body: { ...body, surprise: 1 } }, 400, "API_BAD_FIELD"],
        [{ body, headers: { "content-type": "text/plain" } }, 415, "API_NO_JSON"],
        [{ body, headers: { "content-type": "application/x-www-form-urlencoded" } }, 415, "API_NO_JSON"],
        [{ body, headers: { "sec-fetch-site": "cross-site" } }, 403, "API_OTHER_SITE"],
      ];
      for (const [asked, expected, code] of rows) {
        const told = await ask(method, url, { who: EDIT, ...asked });
        assert.deepEqual([told.status, codeOf(told)], [expected, code], JSON.stringify(asked));
      }
      const other = await ask(method, url, {
        who: EDIT,
        body,
        headers: { origin: "http://elsewhere.example" },
      });
      assert.equal(other.status, 403);
    });
  }

  test("says which field is wrong", async () => {
    const rows: [string, string, object | undefined, object][] = [
      ["DELETE", "/streams/tv/one/dvr/ranges", { from: 1 }, { pointer: "/duration" }],
      ["DELETE", "/streams/tv/one/dvr/ranges", { from: -1, duration: 1 }, { pointer: "/from" }],
      ["DELETE", "/streams/tv/one/dvr/ranges", { from: 1, duration: 0 }, { pointer: "/duration" }],
      ["DELETE", "/streams/tv/one/dvr/ranges", { ...SPAN, to: 3 }, { pointer: "/to" }],
      ["POST", "/streams/tv/one/dvr/locks", { from: "1", duration: 1 }, { pointer: "/from" }],
      ["POST", "/episodes", { name: "tv/one" }, { pointer: "/opened_at" }],
      ["POST", "/episodes", { ...EPISODE, episode_id: "a b" }, { pointer: "/episode_id" }],
      ["POST", "/episodes", { ...EPISODE, opened_at: 1.5 }, { pointer: "/opened_at" }],
      ["PUT", "/episodes/e1", { ...EPISODE, episode_id: "e2" }, { pointer: "/episode_id" }],
      ["GET", "/streams/tv/one/dvr/ranges?from=x", undefined, { parameter: "from" }],
      ["GET", "/streams/tv/one/dvr/ranges?to=-1", undefined, { parameter: "to" }],
      ["GET", "/episodes", undefined, { parameter: "name" }],
      ["GET", "/episodes?name=tv/one&opened_at_lt=1e9", undefined, { parameter: "opened_at_lt" }],
      ["DELETE", "/episodes/e1", undefined, { parameter: "name" }],
    ];
    for (const [method, path, body, source] of rows) {
      const told = await edit(method, path, body);
      assert.equal(told.status, 400, `${method} ${path}`);
      const [error] = (told.json as ErrorBody).errors;
      assert.deepEqual([error?.status, error?.source], ["400", source]);
      assert.match(error!.id, /^[0-9a-f-]{36}$/);
    }
  });

  test("does not know other addresses, methods and streams", async () => {
    const rows: [string, string, number, string][] = [
      ["GET", "/stream", 404, "API_NOT_FOUND"],
      ["GET", "/streams/tv/one/dvr", 404, "STREAM_NOT_FOUND"],
      ["POST", "/streams/tv/one/dvr/nothing", 405, "API_METHOD"],
      ["PUT", "/streams/tv/one/dvr/ranges", 405, "API_METHOD"],
      ["DELETE", "/config/stats", 405, "API_METHOD"],
      ["GET", "/streams/nothing/dvr/ranges", 404, "STREAM_NOT_FOUND"],
      ["GET", "/streams/plain/dvr/ranges", 404, "STREAM_NOT_RECORDED"],
      ["GET", "/streams/.hidden/dvr/locks", 400, "STREAM_BAD_NAME"],
      ["GET", "/episodes/none?name=tv/one", 404, "DVR_EPISODE_UNKNOWN"],
      ["DELETE", "/episodes/none?name=tv/one", 404, "DVR_EPISODE_UNKNOWN"],
    ];
    for (const [method, path, status, code] of rows) {
      const told = await edit(method, path);
      assert.deepEqual([told.status, codeOf(told)], [status, code], `${method} ${path}`);
    }
    assert.equal(
      (await edit("PUT", "/streams/tv/one/dvr/ranges")).headers.get("allow"),
      "GET, HEAD, DELETE",
    );
    assert.equal((await ask("DELETE", "/tv/one/mpegts")).status, 405);
  });

  test("reads no body without end", async () => {
    const told = await edit("POST", "/episodes", { title: "x".repeat(70_000) });
    assert.equal(told.status, 413);
    assert.equal(codeOf(told), "HTTP_BODY_TOO_BIG");
  });
});

test("tells what is recorded, and of a part of the time", async () => {
  assert.deepEqual(await ranges("tv/two"), [
    { from: HOUR_S, duration: 60 },
    { from: HOUR_S + 3600, duration: 60 },
  ]);
  const part = await edit("GET", `/streams/tv/two/dvr/ranges?from=${HOUR_S + 10}&to=${HOUR_S + 20}`);
  const found = rangesReply.parse(part.json);
  assert.deepEqual(found.ranges, [{ from: HOUR_S + 10, duration: 10 }]);
  assert.ok(found.bytes > 0 && !found.truncated);
});

test("what is deleted is gone at once, in all threads, and what is beside it plays", async () => {
  const port = server.httpPorts[0]!;
  const url = `http://127.0.0.1:${port}/tv/two`;
  const playlist = async (): Promise<string> =>
    await (await fetch(`${url}/tracks-v1a1/archive-${HOUR_S}-7200.m3u8`)).text();
  const segment = async (atS: number): Promise<number> => {
    const reply = await fetch(`${url}/tracks-v1a1/seg-${(HOUR_S + atS) * 1000}.m4s`, {
      headers: { connection: "close" },
    });
    await reply.arrayBuffer();
    return reply.status;
  };
  const count = (text: string): number => text.match(/^seg-/gm)?.length ?? 0;
  // Connections of their own, so that both threads have read the archive.
  for (let i = 0; i < 8; i++) assert.equal(await segment(20), 200);
  assert.equal(count(await playlist()), 60);
  const gone = await edit("DELETE", "/streams/tv/two/dvr/ranges", { from: HOUR_S + 21, duration: 8 });
  assert.equal(gone.status, 204);
  const text = await playlist();
  assert.equal(count(text), 55);
  // The other one is in front of the second hour, whose numbers do not follow those of the first.
  assert.equal(text.match(/#EXT-X-DISCONTINUITY$/gm)?.length, 2);
  const mpd = await (await fetch(`${url}/archive-${HOUR_S}-3600.mpd`)).text();
  assert.equal(mpd.match(/<Period /g)?.length, 2, mpd);
  for (let i = 0; i < 8; i++)
    assert.deepEqual(
      [await segment(18), await segment(20), await segment(28), await segment(30)],
      [200, 404, 404, 200],
    );
  assert.deepEqual(await ranges("tv/two"), [
    { from: HOUR_S, duration: 20 },
    { from: HOUR_S + 30, duration: 30 },
    { from: HOUR_S + 3600, duration: 60 },
  ]);
  assert.deepEqual((await readdir(join(root, "tv/two/2026/08/28"))).sort(), [
    ...["08.del", "08.idx", "08.mp4", "09.idx", "09.mp4"],
  ]);
  // The whole second hour goes with its files.
  const all = { from: HOUR_S + 3600, duration: 3600 };
  assert.equal((await edit("DELETE", "/streams/tv/two/dvr/ranges", all)).status, 204);
  assert.deepEqual((await readdir(join(root, "tv/two/2026/08/28"))).sort(), [
    "08.del",
    "08.idx",
    "08.mp4",
    "09.del",
  ]);
  assert.equal(count(await playlist()), 25);
});

test("what an episode or a lock keeps is not deleted", async () => {
  const path = "/streams/tv/kept/dvr/ranges";
  const opened = (HOUR_S + 10) * 1000;
  const made = await edit("POST", "/episodes", {
    name: "tv/kept",
    opened_at: opened,
    closed_at: opened + 5000,
  });
  const { episode_id: id } = episodeReply.parse(made.json);
  await edit("POST", "/streams/tv/kept/dvr/locks", { from: HOUR_S + 30, duration: 5 });
  const refused = await edit("DELETE", path, { from: HOUR_S, duration: 3600 });
  assert.deepEqual([refused.status, codeOf(refused)], [409, "API_PROTECTED"]);
  assert.deepEqual((refused.json as ErrorBody).errors[0]!.meta, {
    episodes: [id],
    locks: [{ from: HOUR_S + 30, duration: 5 }],
  });
  assert.equal((await ranges("tv/kept")).length, 2);
  // Beside what is kept it may be deleted.
  assert.equal((await edit("DELETE", path, { from: HOUR_S + 20, duration: 4 })).status, 204);
  assert.equal((await ranges("tv/kept")).length, 3);
  const { episodes } = episodesReply.parse((await edit("GET", "/episodes?name=tv/kept,tv/one")).json);
  assert.deepEqual(
    episodes.map((episode) => episode.episode_id),
    [id],
  );
  assert.equal((await edit("DELETE", `/episodes/${id}?name=tv/kept`)).status, 204);
  const { locks } = locksReply.parse((await edit("GET", "/streams/tv/kept/dvr/locks")).json);
  assert.deepEqual(locks, [{ from: HOUR_S + 30, duration: 5 }]);
  await edit("DELETE", "/streams/tv/kept/dvr/locks", { from: HOUR_S, duration: 3600 });
  assert.equal((await edit("DELETE", path, { from: HOUR_S, duration: 7200 })).status, 204);
  assert.deepEqual(await ranges("tv/kept"), []);
});

describe("exports", () => {
  const address = `/streams/tv/export/dvr/export?from=${HOUR_S}&duration=30`;

  async function over(id: string): Promise<Record<string, unknown>> {
    return await eventually(
      async () => {
        const { json } = await edit("GET", `/dvr_export_jobs/${id}`);
        const job = exportJobReply.parse(json);
        assert.ok(["done", "failed", "cancelled"].includes(job.status), JSON.stringify(job));
        return job;
      },
      { timeoutMs: 30_000 },
    );
  }

  test("are written below the root as downloads are, and take no file's place", async () => {
    const begun = await edit("POST", `${address}&path=/clips/goal.mp4&meta=final`);
    assert.equal(begun.status, 202, JSON.stringify(begun.json));
    const { id, meta, path } = exportJobReply.parse(begun.json);
    assert.deepEqual([meta, path], ["final", "clips/goal.mp4"]);
    const job = await over(id);
    assert.deepEqual([job["status"], job["percent"], job["error"]], ["done", 100, null]);
    const written = await readFile(join(root, ".exports/clips/goal.mp4"));
    const url = `http://127.0.0.1:${server.httpPorts[0]}/tv/export/archive-${HOUR_S}-30.mp4`;
    const download = Buffer.from(await (await fetch(url)).arrayBuffer());
    assert.ok(written.equals(download), `${written.byteLength} and ${download.byteLength} bytes`);
    assert.deepEqual([job["bytes"], job["total_bytes"]], [written.byteLength, written.byteLength]);
    const again = await edit("POST", `${address}&path=clips/goal.mp4`);
    assert.deepEqual([again.status, codeOf(again)], [409, "DVR_EXPORT_EXISTS"]);
    const other = await edit("POST", `${address}&path=clips/goal.mp4&overwrite=true`);
    assert.equal((await over(exportJobReply.parse(other.json).id))["status"], "done");
    assert.deepEqual(await readdir(join(root, ".exports/.part")), []);
    const { dvr_export_jobs: jobs } = exportJobsReply.parse((await edit("GET", "/dvr_export_jobs")).json);
    assert.deepEqual(
      jobs.filter(({ name }) => name === "tv/export").map(({ status }) => status),
      ["done", "done"],
    );
    assert.equal((await edit("DELETE", `/dvr_export_jobs/${id}`)).status, 204);
    assert.deepEqual(codeOf(await edit("GET", `/dvr_export_jobs/${id}`)), "DVR_EXPORT_UNKNOWN");
  });

  test("of nothing fail, and say so", async () => {
    const begun = await edit("POST", "/streams/tv/export/dvr/export?from=1000&duration=5&path=none.mp4");
    const job = await over(exportJobReply.parse(begun.json).id);
    assert.equal(job["status"], "failed");
    assert.equal((job["error"] as { code: string }).code, "dvr_nothing_recorded");
    assert.equal((await readdir(join(root, ".exports"))).includes("none.mp4"), false);
  });

  const REFUSED: readonly [query: string, code: string][] = [
    ["path=a.mp4", "API_BAD_FIELD"],
    [`from=${HOUR_S}&duration=1`, "API_BAD_FIELD"],
    [`from=${HOUR_S}.5&duration=1&path=a.mp4`, "API_BAD_FIELD"],
    [`from=${HOUR_S}&duration=0&path=a.mp4`, "API_BAD_FIELD"],
    [`from=${HOUR_S}&duration=9999999&path=a.mp4`, "API_BAD_FIELD"],
    [`from=${HOUR_S}&duration=1&path=a.mp4&overwrite=yes`, "API_BAD_FIELD"],
    [`from=${HOUR_S}&duration=1&path=../a.mp4`, "DVR_EXPORT_BAD_PATH"],
    [`from=${HOUR_S}&duration=1&path=/a/../../b.mp4`, "DVR_EXPORT_BAD_PATH"],
    [`from=${HOUR_S}&duration=1&path=.part/b.mp4`, "DVR_EXPORT_BAD_PATH"],
    [`from=${HOUR_S}&duration=1&path=/etc/passwd`, "DVR_EXPORT_BAD_PATH"],
    [`from=${HOUR_S}&duration=1&path=a%00.mp4`, "DVR_EXPORT_BAD_PATH"],
    [`from=${HOUR_S}&duration=1&path=a//b.mp4`, "DVR_EXPORT_BAD_PATH"],
    [`from=${HOUR_S}&duration=1&path=s3://KEY:HIDDENWORD@127.0.0.1:1/bucket`, "API_BAD_FIELD"],
    [`from=${HOUR_S}&duration=1&path=s3://KEY:HIDDENWORD@127.0.0.1:1/bucket/../x`, "API_BAD_FIELD"],
  ];
  for (const [query, code] of REFUSED) {
    test(`are refused with ${query}`, async () => {
      const told = await edit("POST", `/streams/tv/export/dvr/export?${query}`);
      assert.deepEqual([told.status, codeOf(told)], [400, code]);
      assert.ok(!JSON.stringify(told.json).includes("HIDDENWORD"));
    });
  }

  test("go to a bucket as they would be downloaded", async (t) => {
    const s3 = await startS3Server(true);
    t.after(() => s3.close());
    const { host } = new URL(s3.place.endpoint!);
    const place = (key: string): string =>
      encodeURIComponent(`s3://S3RVER:S3RVER@${host}/archive/clips/${key}`);
    const begun = await edit("POST", `${address}&path=${place("goal.mp4")}`);
    const job = await over(exportJobReply.parse(begun.json).id);
    assert.deepEqual([job["status"], job["percent"], job["error"]], ["done", 100, null]);
    const url = `http://127.0.0.1:${server.httpPorts[0]}/tv/export/archive-${HOUR_S}-30.mp4`;
    const download = Buffer.from(await (await fetch(url)).arrayBuffer());
    const store = await openObjectStore({ ...s3.place, prefix: "clips" }, { clock: systemClock });
    t.after(() => store.close());
    const stored = await store.get("goal.mp4", { from: 0, to: download.byteLength });
    assert.ok(download.equals(stored));
    assert.equal(job["bytes"], download.byteLength);
    const again = await edit("POST", `${address}&path=${place("goal.mp4")}`);
    const refused = await over(exportJobReply.parse(again.json).id);
    assert.equal((refused["error"] as { code: string }).code, "dvr_export_exists");
    assert.deepEqual(await readdir(join(root, ".exports/.part")), []);
  });

  test("to a bucket that is away fail without a word of its secret", async () => {
    const place = encodeURIComponent("s3://KEY:SECRETWORD@127.0.0.1:1/bucket/clips/a.mp4");
    const begun = await edit("POST", `${address}&path=${place}`);
    assert.equal(begun.status, 202, JSON.stringify(begun.json));
    const { id, path } = exportJobReply.parse(begun.json);
    assert.equal(path, "s3://127.0.0.1:1/bucket/clips/a.mp4");
    assert.ok(!JSON.stringify((await edit("GET", "/dvr_export_jobs")).json).includes("SECRETWORD"));
    assert.equal((await edit("DELETE", `/dvr_export_jobs/${id}`)).status, 204);
    assert.deepEqual(await readdir(join(root, ".exports/.part")), []);
  });
});
