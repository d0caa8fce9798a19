/** Whom the API lets in, as a pod's manifest says it: files, variables, a Secret that keeps the state. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

async function statusFor(server: Weir, who: string): Promise<number> {
  const authorization = `Bearer ${Buffer.from(who).toString("base64")}`;
  const reply = await fetch(server.url("/streamer/api/v3/config/stats"), { headers: { authorization } });
  await reply.arrayBuffer();
  return reply.status;
}

test("credentials in a mounted Secret rotate within 2 s, without a restart and without a trace in the log", async (t) => {
  const mount = await mkdtemp(join(tmpdir(), "weir-secret-"));
  t.after(() => rm(mount, { recursive: true, force: true }));
  const write = async (version: string, text: string): Promise<void> => {
    await mkdir(join(mount, version));
    await writeFile(join(mount, version, "edit_auth"), text);
    await symlink(version, join(mount, "..data_tmp"));
    await rename(join(mount, "..data_tmp"), join(mount, "..data"));
  };
  await write("..1", "root:first-password\n");
  await symlink("..data/edit_auth", join(mount, "edit_auth"));
  const env = { FLUSSONIC_EDIT_AUTH_FILE: join(mount, "edit_auth") };
  const server = await startWeir(t, { config: "edit_auth root of-the-config;", env });
  assert.equal(await statusFor(server, "root:first-password"), 200);
  assert.equal(await statusFor(server, "root:of-the-config"), 401);

  await write("..2", "root second-password");
  const line = await server.logged("credentials in a file cannot be taken");
  assert.deepEqual([line["level"], line["file"], line["line"]], ["error", env.FLUSSONIC_EDIT_AUTH_FILE, 1]);
  assert.equal(await statusFor(server, "root:first-password"), 200);

  await write("..3", "root:second-password\n");
  // The API is not asked until it works: who tries passwords is slowed down.
  const isRead = (message: unknown): boolean => message === "credentials were read from a file";
  const rotated = (): void => assert.equal(server.log.filter((entry) => isRead(entry["msg"])).length, 2);
  await eventually(rotated, { timeoutMs: 2000 });
  assert.equal(await statusFor(server, "root:second-password"), 200);
  assert.equal(await statusFor(server, "root:first-password"), 401);
  await server.stop();
  assert.doesNotMatch(JSON.stringify(server.log), /first-password|second-password/);
});

test("a server whose state is to be kept in a Secret runs outside of a cluster too, and says why it does without", async (t) => {
  const env = { FLUSSONIC_SECRETS_STORAGE: "k8s://weir-state", KUBERNETES_SERVICE_HOST: "" };
  const server = await startWeir(t, { env });
  const line = await server.logged("the state in a Secret cannot be kept");
  assert.match(String(line["reason"]), /KUBERNETES_SERVICE_HOST is not set$/);
  assert.equal(await statusFor(server, "admin:"), 401);
  await server.stop();
});

test("a refused reload in a pod that cannot tell the API server is one line more in the log, and changes nothing", async (t) => {
  const env = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "1" };
  const server = await startWeir(t, { config: "edit_auth root secret;", env });
  await server.writeConfig({ "flussonic.conf": "edit_auth root;" });
  server.program.signal("SIGHUP");
  const line = await server.logged("no Kubernetes Event can be written on the pod");
  assert.equal(line["level"], "info");
  // Nothing listens on that port; a test that runs in a pod itself has the token.
  assert.match(String(line["code"]), /^KUBERNETES_(NO_TOKEN|UNREACHABLE)$/);
  assert.equal(await statusFor(server, "root:secret"), 200);
  await server.stop();
});
