/** Every secret of a configuration is a marker here; none is told in any way that the server tells anything. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { selfSigned } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import type { TestEnd } from "../support/program.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/weir.js");

const NAMES =
  "edit view token cluster play secure signed jwt sink query sign pass user backend allow bucket jwks " +
  "phrase badphrase variable viewer publisher traces place";
const mark = (name: string): string => `marker${name}marker-0123456789-0123456789`;
/** Whoever edits is known by the environment, which wins over the file. */
const OPERATOR = `operator:${mark("variable")}`;
const VIEWER = `viewer:${mark("view")}`;

const CONFIG = `edit_auth operator ${mark("edit")};
view_auth viewer ${mark("view")};
cluster_key ${mark("cluster")};
stream_metrics true;
traces http://u:${mark("traces")}@127.0.0.1:1/;
api_token portal { token ${mark("token")}; scope view; }
jwt keys { secret ${mark("jwt")}; jwks http://u:${mark("jwks")}@127.0.0.1:1/keys; }
auth_backend block { allow token ${mark("allow")}; backend http://u:${mark("backend")}@127.0.0.1:1/; }
event_sink sink { url http://u:${mark("sink")}@127.0.0.1:1/?key=${mark("query")}; sign_key ${mark("sign")}; }
dvr disk { root /nowhere; copy s3://AKIAKEY:${mark("bucket")}@s3.eu-central-1.amazonaws.com/bucket; }
stream clip { input fake://fake; }
stream away { input file://films/a.mp4; input publish://; password ${mark("place")}; }
template asked { prefix asked; input publish://; on_play http://u:${mark("play")}@127.0.0.1:1/?k=${mark("user")}; }
template sec { prefix sec; input publish://; securetoken ${mark("secure")}; }
template signed { prefix signed; input publish://; on_play signed://${mark("signed")}; password ${mark("pass")}; }
template jw { prefix jw; input publish://; on_play jwt://keys; }
template blk { prefix blk; input publish://; on_play auth://block; on_publish auth://block; }`;

/** A certificate and a key that a passphrase opens. */
async function tlsFiles(t: TestEnd): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-secrets-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { cert, key } = selfSigned();
  const passphrase = mark("phrase");
  const options = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase } as const;
  await writeFile(join(folder, "tls.crt"), cert);
  await writeFile(join(folder, "tls.key"), createPrivateKey(key).export(options));
  return folder;
}

/** What was told, and where. */
class Told {
  readonly all: [where: string, text: string][] = [];
  readonly statuses = new Set<number>();
  readonly #weir: Weir;

  constructor(weir: Weir) {
    this.#weir = weir;
  }

  add(where: string, text: string): void {
    this.all.push([where, text]);
  }

  /** `login` null: nobody's. Returns: the status. */
  async ask(path: string, init: RequestInit = {}, login: string | null = OPERATOR): Promise<number> {
    const headers = new Headers(init.headers);
    if (login !== null) headers.set("authorization", `Basic ${Buffer.from(login).toString("base64")}`);
    if (init.body !== undefined && !headers.has("content-type"))
      headers.set("content-type", "application/json");
    const reply = await fetch(this.#weir.url(path), {
      ...init,
      headers,
      signal: AbortSignal.timeout(8000),
    });
    this.statuses.add(reply.status);
    this.add(`${init.method ?? "GET"} ${path}`, `${[...reply.headers].join("\n")}\n${await reply.text()}`);
    return reply.status;
  }

  async api(path: string, method = "GET", body?: object | string, login?: string): Promise<number> {
    const text = typeof body === "object" ? JSON.stringify(body) : body;
    return await this.ask(
      `/streamer/api/v3${path}`,
      { method, ...(text === undefined ? {} : { body: text }) },
      login,
    );
  }

  /** Events as they happen, until the end of the test. */
  async follow(t: TestEnd): Promise<void> {
    const place: [string, string] = ["events as they happen", ""];
    this.all.push(place);
    const leave = new AbortController();
    t.after(() => leave.abort());
    const authorization = `Basic ${Buffer.from(OPERATOR).toString("base64")}`;
    const url = this.#weir.url("/streamer/api/v3/events");
    const reply = await fetch(url, { headers: { authorization }, signal: leave.signal });
    assert.equal(reply.status, 200);
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder();
      for await (const bytes of reply.body!) place[1] += decoder.decode(bytes, { stream: true });
    };
    read().catch(() => {});
  }

  /** Secrets that were told, with where. */
  get secrets(): string[] {
    const shown = this.all.flatMap(([where, text]) =>
      NAMES.split(" ")
        .filter((name) => text.includes(`marker${name}marker`))
        .map((name) => `${where}: ${name}`),
    );
    return [...new Set(shown)];
  }
}

/** What only looks. */
async function look(told: Told): Promise<void> {
  const lists =
    "streams templates vods dvrs auth_backends event_sinks sessions config config/stats config?full=true";
  for (const path of [...lists.split(" "), "templates/asked", "templates/signed", "auth_backends/block"])
    for (const login of [OPERATOR, VIEWER]) await told.api(`/${path}`, "GET", undefined, login);
  for (const path of [
    "event_sinks/sink",
    "dvrs/disk",
    "templates/sec",
    "none",
    "streams/none",
    "streams/away",
  ])
    await told.api(`/${path}`);
  for (const path of [
    "openapi.json",
    "event_sinks/told/events",
    "streams?format=openmetrics",
    "config?format=openmetrics",
  ])
    await told.api(`/${path}`);
  for (const path of ["/metrics", "/-/about", "/-/streams", "/-/files", "/api", "/"]) await told.ask(path);
}

/** Viewers and publishers who are refused, as programs and as people see it. */
async function knock(told: Told): Promise<void> {
  const token = mark("viewer");
  for (const stream of ["asked", "sec", "signed", "jw", "blk"]) {
    await told.ask(`/${stream}/a/index.m3u8?token=${token}`, {}, null);
    const page = { headers: { accept: "text/html" } };
    assert.ok((await told.ask(`/${stream}/a/embed.html?token=${token}`, page, null)) >= 400, stream);
  }
  for (const name of ["signed/a", "away", "blk/a"])
    await told.ask(`/${name}/mpegts?password=${mark("publisher")}`, {
      method: "POST",
      body: "not media",
      headers: { "content-type": "video/mp2t" },
    });
}

/** Changes that are refused, and logins that are wrong. */
async function change(told: Told): Promise<void> {
  await told.api("/config", "PUT", { view_auth: mark("pass") });
  assert.equal(
    await told.api("/config", "PUT", { edit_auth: { login: "a", password: mark("pass") } }),
    409,
  );
  await told.api("/config", "PUT", `edit_auth a ${mark("pass")}`);
  await told.api("/config", "POST", { config: `view_auth a ${mark("pass")}; nothing ${mark("pass")};` });
  await told.api("/templates/asked", "PUT", { on_play: { url: `ftp://u:${mark("play")}@h/` } });
  await told.api("/templates/asked", "PUT", `{"password":["${mark("pass")}"`);
  await told.api("/templates/asked", "PUT", { password: [mark("pass")] });
  await told.api("/config", "GET", undefined, `operator:${mark("pass")}`);
}

/** A session that plays, is asked about again and ends. */
async function play(told: Told, weir: Weir): Promise<void> {
  // What a viewer is answered may have his own token in it.
  const url = weir.url(`/clip/index.m3u8?token=${mark("viewer")}&password=${mark("user")}`);
  await eventually(async () => assert.equal((await fetch(url)).status, 200), { timeoutMs: 20_000 });
  assert.equal(await told.api("/sessions?name=clip", "GET", undefined, VIEWER), 200);
  assert.equal(await told.api("/sessions/reauth?name=clip", "POST"), 204);
  assert.equal(await told.api("/sessions/reauth", "POST"), 204);
  await told.ask("/metrics");
  const headers = { authorization: `Basic ${Buffer.from(OPERATOR).toString("base64")}` };
  const sessions = await (
    await fetch(weir.url("/streamer/api/v3/sessions?select=type"), { headers })
  ).json();
  for (const { id, type } of (sessions as { sessions: { id: string; type: string }[] }).sessions) {
    const status = await told.api(`/sessions/${id}`, "DELETE");
    assert.equal(status, type === "play" ? 204 : 409);
  }
}

/** What the programs of the command line say of files of a configuration, good and bad. */
function run(told: Told, folder: string): void {
  for (const command of ["print", "check"]) {
    const { stdout, stderr, status } = spawnSync(process.execPath, [MAIN, command, folder], {
      encoding: "utf8",
      timeout: 20_000,
    });
    assert.ok(stdout.length + stderr.length > 0 && status !== null, command);
    told.add(`weir ${command} (${status})`, `${stdout}\n${stderr}`);
  }
}

test("no secret of the configuration is told", { timeout: 120_000 }, async (t) => {
  const [tls, https] = [await tlsFiles(t), await freePort()];
  const listener = (phrase: string): string =>
    `https 127.0.0.1:${https} { certificate ${tls}/tls.crt; certificate_key ${tls}/tls.key; passphrase ${mark(phrase)}; }`;
  const file = join(tls, "events.log");
  const text = `${CONFIG}\nevent_sink told { url jsonlog://${file}; }\n${listener("phrase")}\n`;
  const weir = await startWeir(t, {
    config: text,
    env: { STREAMER_EDIT_AUTH: OPERATOR, FLUSSONIC_LOG_LEVEL: "debug" },
    readyTimeoutMs: 60_000,
  });
  const told = new Told(weir);
  await told.follow(t);
  await look(told);
  await knock(told);
  await change(told);
  await play(told, weir);
  run(told, weir.configFolder);
  await weir.writeConfig({ "flussonic.conf": text.replace(listener("phrase"), listener("badphrase")) });
  weir.program.signal("SIGHUP");
  await weir.logged((line) => JSON.stringify(line).includes("passphrase does not open"));
  await look(told);
  const broken = text.replaceAll("; }", " extra; }").replace("edit_auth operator", "edit_auth");
  await weir.writeConfig({ "flussonic.conf": broken });
  weir.program.signal("SIGHUP");
  await weir.logged((line) => String(line["code"]).startsWith("CONFIG_"));
  await look(told);
  run(told, weir.configFolder);
  told.add("cmdline", await readFile(`/proc/${weir.program.pid}/cmdline`, "utf8"));
  told.add("a sink", await readFile(file, "utf8"));
  told.add("the log", weir.log.map((line) => JSON.stringify(line)).join("\n"));
  told.add("what it wrote", [...weir.plainLines, weir.program.stderr].join("\n"));
  assert.ok(told.all.length > 100);
  assert.deepEqual(
    [200, 204, 400, 401, 403, 404, 409].filter((status) => !told.statuses.has(status)),
    [],
  );
  const [, events] = told.all[0]!;
  assert.match(events, /play_/, "events were told meanwhile");
  assert.deepEqual(told.secrets, []);
});
