import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { FakeKubernetes, serveKubernetes } from "../../test/support/fake-kubernetes.ts";
import type { ServedKubernetes } from "../../test/support/fake-kubernetes.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { loadConfig } from "../config/load.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { startServer } from "./server.ts";
import type { Server } from "./server.ts";

const STATS = "/streamer/api/v3/config/stats";

function load(text: string, env: Readonly<Record<string, string>> = {}): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "a.conf", text: `http 127.0.0.1:0; ${text}` }], env);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

type Started = { server: Server; log: RecordingLog; tookMs: number };

async function start(t: TestContext, config: ResolvedConfig, served?: ServedKubernetes): Promise<Started> {
  const log = new RecordingLog();
  const from = performance.now();
  const place = served === undefined ? {} : { env: served.env, serviceAccount: served.directory };
  const server = await startServer({ config, log, ...place });
  t.after(() => server.stop());
  return { server, log, tookMs: performance.now() - from };
}

async function ask(
  server: Server,
  path: string,
  who = "",
): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { authorization: `Basic ${Buffer.from(who).toString("base64")}` };
  const reply = await fetch(`http://127.0.0.1:${server.httpPorts[0]}${path}`, { headers });
  const text = await reply.text();
  return {
    status: reply.status,
    body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

describe("a server that keeps its state in a Secret", () => {
  const STORED = { FLUSSONIC_SECRETS_STORAGE: "k8s://weir-state" };

  test("has the same id and credentials in the next pod", async (t) => {
    const served = await serveKubernetes(t);
    const first = await start(t, load("", STORED), served);
    const kept = served.cluster.values("weir-state")!;
    const login = kept["edit_auth"]!;
    const stats = await ask(first.server, STATS, login);
    assert.deepEqual([stats.status, stats.body["server_id"]], [200, kept["server_id"]]);
    assert.equal((await ask(first.server, STATS, "admin:wrong")).status, 401);
    const next = await start(t, load("", STORED), served);
    assert.equal((await ask(next.server, STATS, login)).body["server_id"], kept["server_id"]);
    assert.equal(first.log.text.includes(login.split(":")[1]!), false);
    assert.equal(next.log.text.includes(login.split(":")[1]!), false);
  });

  test("has an id of its own when it has a name of its own, whatever pod it is in", async (t) => {
    const served = await serveKubernetes(t);
    const named = (hostname: string) => load("view_auth a b;", { ...STORED, FLUSSONIC_HOSTNAME: hostname });
    for (const node of ["node-a", "node-b", "node-a"]) await start(t, named(node), served);
    const ids = served.cluster.values("weir-state")!;
    assert.deepEqual(Object.keys(ids).toSorted(), ["edit_auth", "server_id.node-a", "server_id.node-b"]);
    const { server } = await start(t, load("hostname node-a; view_auth a b;", STORED), served);
    await server.configure(load("hostname node-b; view_auth a b;", STORED));
    const { body } = await ask(server, STATS, "a:b");
    assert.deepEqual([body["server_id"], body["hostname"]], [ids["server_id.node-a"], "node-a"]);
  });

  test("keeps to the credentials of the configuration, and makes some when it has none any more", async (t) => {
    const served = await serveKubernetes(t);
    const { server } = await start(t, load("edit_auth root secret;", STORED), served);
    assert.deepEqual(Object.keys(served.cluster.values("weir-state")!), ["server_id"]);
    assert.equal((await ask(server, STATS, "root:secret")).status, 200);
    await server.configure(load("", STORED));
    const login = await eventually(() => {
      const { edit_auth: text } = served.cluster.values("weir-state")!;
      assert.ok(text !== undefined);
      return text;
    });
    await eventually(async () => assert.equal((await ask(server, STATS, login)).status, 200));
    assert.equal((await ask(server, STATS, "root:secret")).status, 401);
  });

  test("starts without the API server, its API closed, and takes the state when that comes", async (t) => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("weir-state", { server_id: "kept-by-another-pod", edit_auth: "root:kept" });
    cluster.fault = "close";
    const served = await serveKubernetes(t, { cluster });
    const { server, log } = await start(t, load("view_auth reader only;", STORED), served);
    assert.equal((await ask(server, STATS, "root:kept")).status, 401);
    const before = (await ask(server, STATS, "reader:only")).body["server_id"];
    assert.match(String(before), /^[0-9a-f-]{36}$/);
    assert.equal(log.of("warn")[0]?.fields["code"], "KUBERNETES_UNREACHABLE");
    cluster.fault = "none";
    await eventually(async () => assert.equal((await ask(server, STATS, "root:kept")).status, 200));
    assert.equal((await ask(server, STATS, "root:kept")).body["server_id"], "kept-by-another-pod");
  });

  test("does not wait longer than 2 s for an API server that does not answer, and stops at once", async (t) => {
    const cluster = new FakeKubernetes();
    cluster.fault = "hang";
    const { server, tookMs } = await start(
      t,
      load("view_auth reader only;", STORED),
      await serveKubernetes(t, { cluster }),
    );
    assert.ok(tookMs > 1900 && tookMs < 4000, `${tookMs} ms`);
    assert.match(String((await ask(server, STATS, "reader:only")).body["server_id"]), /^[0-9a-f-]{36}$/);
    const from = performance.now();
    await server.stop();
    assert.ok(performance.now() - from < 2000);
  });

  test("says what is wrong with a value of the Secret, and its API stays closed", async (t) => {
    const cluster = new FakeKubernetes();
    cluster.putSecret("weir-state", { edit_auth: Buffer.from("root:hidden").toString("base64") });
    const { server, log } = await start(t, load("", STORED), await serveKubernetes(t, { cluster }));
    assert.equal((await ask(server, STATS, "root:hidden")).status, 401);
    const { fields } = log.of("warn")[0]!;
    assert.equal(fields["code"], "KUBERNETES_BAD_SECRET");
    assert.match(String(fields["reason"]), /^key "edit_auth" of Secret "weir-state" .*base64 twice/);
  });

  test("says that it is in no cluster, and runs", async (t) => {
    const { server, log } = await start(t, load("", STORED));
    assert.match(String(log.of("warn")[0]?.fields["reason"]), /KUBERNETES_SERVICE_HOST is not set$/);
    assert.equal((await ask(server, STATS, "admin:")).status, 401);
  });
});

describe("a server whose credentials are in files", () => {
  test("lets in whom the files say, on every listener, without a restart", async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "weir-identity-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const [edit, view] = [join(directory, "edit"), join(directory, "view")];
    await writeFile(edit, "root:one\n");
    await writeFile(view, "reader:one\n");
    const { server } = await start(t, load(`edit_auth_file ${edit}; view_auth_file ${view};`));
    for (const who of ["root:one", "reader:one"]) assert.equal((await ask(server, STATS, who)).status, 200);
    await writeFile(edit, "root:two\n");
    await eventually(async () => assert.equal((await ask(server, STATS, "root:two")).status, 200));
    assert.equal((await ask(server, STATS, "root:one")).status, 401);
    assert.equal((await ask(server, STATS, "reader:one")).status, 200);
  });

  test("takes another file, or none, with a new configuration", async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "weir-identity-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const [one, other] = [join(directory, "one"), join(directory, "other")];
    await writeFile(one, "root:one");
    await writeFile(other, "root:other");
    const { server, log } = await start(t, load(`edit_auth_file ${one};`));
    await server.configure(load(`edit_auth_file ${other};`));
    assert.equal((await ask(server, STATS, "root:other")).status, 200);
    assert.equal((await ask(server, STATS, "root:one")).status, 401);
    // Whose file is not there yet is not locked out: it was known before.
    const missing = join(directory, "missing");
    await server.configure(load(`edit_auth_file ${missing};`));
    assert.equal((await ask(server, STATS, "root:other")).status, 200);
    assert.equal(log.of("error")[0]?.fields["code"], "CONFIG_FILE_UNREADABLE");
    await writeFile(missing, "root:late");
    await eventually(async () => assert.equal((await ask(server, STATS, "root:late")).status, 200));
    assert.equal((await ask(server, STATS, "root:other")).status, 401);
    await server.configure(load("edit_auth root plain;"));
    assert.equal((await ask(server, STATS, "root:plain")).status, 200);
  });
});

describe("a server in a cluster", () => {
  test("writes an Event for a configuration that is refused, and is not held up by it", async (t) => {
    const served = await serveKubernetes(t);
    const config = load("edit_auth root secret;");
    const log = new RecordingLog();
    const env = { ...served.env, HOSTNAME: "weir-0", POD_UID: "uid-1" };
    const server = await startServer({ config, log, env, serviceAccount: served.directory });
    t.after(() => server.stop());
    await server.configure(config);
    assert.deepEqual(served.cluster.requests, []);
    server.reloadRefused([{ file: "a.conf", line: 2, column: 3, message: "no" }]);
    await eventually(() => assert.equal(served.cluster.events.length, 1));
    const { regarding, note } = served.cluster.events[0]!.object;
    const pod = { apiVersion: "v1", kind: "Pod", namespace: "media", name: "weir-0", uid: "uid-1" };
    assert.deepEqual(regarding, pod);
    assert.match(String(note), /\na\.conf:2:3: no$/);
  });

  test("without a service account says so once and goes on", async (t) => {
    const served = await serveKubernetes(t);
    const log = new RecordingLog();
    const nowhere = join(served.directory, "nowhere");
    const server = await startServer({ config: load(""), log, env: served.env, serviceAccount: nowhere });
    t.after(() => server.stop());
    server.reloadRefused();
    const line = await eventually(() => {
      const found = log.of("info").find(({ fields }) => fields["code"] === "KUBERNETES_NO_TOKEN");
      assert.ok(found !== undefined);
      return found;
    });
    assert.equal(line.message, "no Kubernetes Event can be written on the pod");
  });
});
