/** Every secret of a configuration is a marker here; none is told in any way that the server tells anything. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { startWeir } from "../support/weir.ts";

const NAMES = [
  "edit",
  "view",
  "token",
  "cluster",
  "play",
  "secure",
  "signed",
  "jwt",
  "sink",
  "query",
  "sign",
];
const MORE = ["pass", "user", "backend", "allow", "bucket", "jwks"];
const mark = (name: string): string => `marker${name}marker-0123456789-0123456789`;

const CONFIG = `edit_auth operator ${mark("edit")};
view_auth viewer ${mark("view")};
cluster_key ${mark("cluster")};
api_token portal { token ${mark("token")}; scope view; }
jwt keys { secret ${mark("jwt")}; jwks http://u:${mark("jwks")}@127.0.0.1:1/keys; }
auth_backend block { allow token ${mark("allow")}; backend http://u:${mark("backend")}@127.0.0.1:1/; }
event_sink sink { url http://u:${mark("sink")}@127.0.0.1:1/?key=${mark("query")}; sign_key ${mark("sign")}; }
dvr disk { root /nowhere; copy s3://AKIAKEY:${mark("bucket")}@s3.eu-central-1.amazonaws.com/bucket; }
template asked { prefix asked; input publish://; on_play http://u:${mark("play")}@127.0.0.1:1/?k=${mark("user")}; }
template sec { prefix sec; input publish://; securetoken ${mark("secure")}; }
template signed { prefix signed; input publish://; on_play signed://${mark("signed")}; password ${mark("pass")}; }
template jw { prefix jw; input publish://; on_play jwt://keys; }
template blk { prefix blk; input publish://; on_play auth://block; }`;

test("no secret of the configuration is told", { timeout: 60_000 }, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const told: [string, string][] = [];
  const ask = async (
    path: string,
    init: RequestInit = {},
    login = `operator:${mark("edit")}`,
  ): Promise<void> => {
    const authorization = `Basic ${Buffer.from(login).toString("base64")}`;
    const headers = {
      authorization,
      ...(init.body === undefined ? {} : { "content-type": "application/json" }),
    };
    const reply = await fetch(weir.url(path), { ...init, headers, signal: AbortSignal.timeout(8000) });
    told.push([path, `${[...reply.headers].join("\n")}\n${await reply.text()}`]);
  };
  const api = (path: string): string => `/streamer/api/v3${path}`;
  const lists = [
    "streams",
    "templates",
    "vods",
    "dvrs",
    "auth_backends",
    "event_sinks",
    "sessions",
    "config",
  ];
  for (const path of [
    ...lists,
    "config/stats",
    "templates/asked",
    "templates/signed",
    "auth_backends/block",
  ])
    for (const login of [`operator:${mark("edit")}`, `viewer:${mark("view")}`])
      await ask(api(`/${path}`), {}, login);
  for (const path of ["event_sinks/sink", "dvrs/disk", "templates/sec", "none", "streams/none"])
    await ask(api(`/${path}`));
  for (const path of ["/metrics", "/-/about", "/-/streams"]) await ask(path);
  for (const stream of ["asked", "sec", "signed", "jw", "blk"])
    await ask(`/${stream}/a/index.m3u8?token=${mark("user")}`);
  await ask(api("/config"), { method: "PUT", body: `{"edit_auth":"${mark("pass")}"}` });
  await ask(api("/templates/asked"), {
    method: "PUT",
    body: `{"on_play":{"url":"ftp://u:${mark("play")}@h/"}}`,
  });
  await ask(api("/templates/asked"), { method: "PUT", body: `{"password":["${mark("pass")}"` });
  await ask(api("/config"), {}, `operator:${mark("pass")}`);
  await weir.writeConfig({
    "flussonic.conf": CONFIG.replaceAll("; }", " extra; }").replace("edit_auth operator", "edit_auth"),
  });
  weir.program.signal("SIGHUP");
  await weir.logged((line) => String(line["code"]).startsWith("CONFIG_"));
  await ask(api("/config/stats"));
  for (const file of ["cmdline"]) {
    told.push([file, await readFile(`/proc/${weir.program.pid}/${file}`, "utf8")]);
  }
  told.push(["the log", weir.log.map((line) => JSON.stringify(line)).join("\n")]);
  told.push(["what it wrote", [...weir.plainLines, weir.program.stderr].join("\n")]);
  assert.ok(told.length > 40);
  const shown = told.flatMap(([where, text]) =>
    [...NAMES, ...MORE]
      .filter((name) => text.includes(`marker${name}marker`))
      .map((name) => `${where}: ${name}`),
  );
  assert.deepEqual([...new Set(shown)], []);
});
