/** Credentials that everybody knows: refused in production, taken from this machine else. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/weir.js");
const run = promisify(execFile);

async function ask(weir: Weir, login: string, path = "/streamer/api/v3/config/stats"): Promise<Response> {
  const authorization = `Basic ${Buffer.from(login).toString("base64")}`;
  return await fetch(weir.url(path), { headers: { authorization } });
}

async function alerts(weir: Weir, login: string): Promise<string[]> {
  return ((await (await ask(weir, login)).json()) as { text_alerts: string[] }).text_alerts;
}

test("root:password works from this machine, and the log and the statistics warn of it", async (t) => {
  const weir = await startWeir(t, { env: { FLUSSONIC_EDIT_AUTH: "root:password" } });
  assert.deepEqual(await alerts(weir, "root:password"), [
    "the password of edit_auth is one that everybody knows",
  ]);
  const warning = await weir.logged("CONFIG_WELL_KNOWN");
  assert.equal(warning["level"], "warn");
  assert.ok(!JSON.stringify(weir.log).includes("root:password"));
});

test("in production the server does not start with it, and says where and what to do", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "weir-production-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "flussonic.conf");
  await writeFile(file, "http 127.0.0.1:0;\nproduction;\nview_auth viewer flussonic;\n");
  for (const env of [{}, { STREAMER_EDIT_AUTH: "root:password" }]) {
    const started = run(process.execPath, [MAIN, "serve", "--config", file], { env, timeout: 20_000 });
    const { code, stderr } = await started.then(
      () => assert.fail("it has started"),
      (caught: unknown) => caught as { code: number; stderr: string },
    );
    assert.equal(code, 1);
    assert.match(
      stderr,
      /error: the password of "view_auth" is one that everybody knows\n.*flussonic\.conf:3:18/,
    );
    assert.match(stderr, /openssl rand/);
    assert.doesNotMatch(stderr, /viewer flussonic;|root:password/);
    assert.equal(
      /in the environment is one that everybody knows/.test(stderr),
      "STREAMER_EDIT_AUTH" in env,
    );
  }
});

test("in production a reload to it is refused, and one in a file lets nobody in", async (t) => {
  const own = `production;\nedit_auth operator a-password-of-our-own;\n`;
  const weir = await startWeir(t, { config: own });
  assert.deepEqual(await alerts(weir, "operator:a-password-of-our-own"), []);
  await weir.writeConfig({ "flussonic.conf": "production;\nedit_auth root password;\n" });
  weir.program.signal("SIGHUP");
  await weir.logged((line) => line["code"] === "CONFIG_WELL_KNOWN" && line["level"] === "error");
  assert.equal((await ask(weir, "root:password")).status, 401);
  assert.match(
    (await alerts(weir, "operator:a-password-of-our-own")).join(),
    /not in force: .*flussonic\.conf:2: the password of "edit_auth"/,
  );
  const secret = join(weir.configFolder, "secret");
  await writeFile(secret, "root:password\n");
  await weir.writeConfig({ "flussonic.conf": `production;\nedit_auth_file ${secret};\n` });
  weir.program.signal("SIGHUP");
  await weir.logged("credentials were read from a file");
  assert.equal((await ask(weir, "root:password")).status, 401);
  const line = await weir.logged("credentials that everybody knows were refused");
  assert.deepEqual([line["who"], line["ip"]], ["root", "127.0.0.1"]);
  await writeFile(secret, "root:a-password-of-our-own\n");
  await weir.logged(
    (one) => weir.log.indexOf(one) > weir.log.indexOf(line) && /read from a file/.test(String(one["msg"])),
  );
  assert.equal((await ask(weir, "root:a-password-of-our-own")).status, 200);
});
