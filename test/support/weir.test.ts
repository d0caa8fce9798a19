import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eventually } from "./eventually.ts";
import { startWeir } from "./weir.ts";

const scratch = mkdtempSync(join(tmpdir(), "weir-main-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A program that reads its port from its config as the server would, and then does what `body` says. */
function mainOf(name: string, body: string): string {
  const path = join(scratch, `${name}.mjs`);
  const head = `
    import { createServer } from "node:http";
    import { readFileSync, readdirSync } from "node:fs";
    const folder = process.argv[4];
    const parts = readdirSync(folder, { recursive: true }).filter((part) => part.endsWith(".conf"));
    const config = parts.map((part) => readFileSync(folder + "/" + part, "utf8")).join("\\n");
    const port = Number(/^http (?:127.0.0.1:)?([0-9]+);/m.exec(config)[1]);
    const serve = (status) => createServer((request, response) => {
      response.statusCode = request.url.endsWith("/monitoring/readiness") ? status() : 200;
      response.end();
    }).listen(port, "127.0.0.1");
    console.log(JSON.stringify({ msg: "started", args: process.argv.slice(2), http: process.env.FLUSSONIC_HTTP ?? null, extra: process.env.EXTRA ?? null, config }));
  `;
  writeFileSync(path, head + body);
  return path;
}

const orderly = `const server = serve(() => 200); process.on("SIGINT", () => process.exit(0));`;

describe("a server of a test", () => {
  test("is given its config, ports, arguments and environment, and nothing of the tester's", async (t) => {
    process.env["FLUSSONIC_HTTP"] = "9";
    t.after(() => delete process.env["FLUSSONIC_HTTP"]);
    const main = mainOf("orderly", orderly);
    const config = { "flussonic.conf": "one;", "flussonic.conf.d/two.conf": "two;" };
    const weir = await startWeir(t, { main, config, args: ["--more"], env: { EXTRA: "yes" } });
    const started = await weir.logged("started");
    assert.deepEqual(started["args"], ["serve", "--config", weir.configFolder, "--more"]);
    assert.deepEqual([started["http"], started["extra"]], [null, "yes"]);
    for (const words of [
      "one;",
      "two;",
      `http 127.0.0.1:${weir.ports.http};`,
      `rtmp 127.0.0.1:${weir.ports.rtmp};`,
    ]) {
      assert.ok(String(started["config"]).includes(words), words);
    }
    await weir.stop();
    assert.equal(weir.program.isRunning, false);
  });

  test("may write its listeners itself", async (t) => {
    const config = ({ http }: { http: number }): string => `http ${http};`;
    const weir = await startWeir(t, { main: mainOf("own", orderly), config });
    assert.equal((await weir.logged("started"))["config"], `http ${weir.ports.http};`);
  });

  test("is waited for until it is ready", async (t) => {
    const main = mainOf(
      "slow",
      `const from = Date.now(); serve(() => (Date.now() - from > 400 ? 200 : 503));`,
    );
    const startedAt = performance.now();
    await startWeir(t, { main });
    assert.ok(performance.now() - startedAt > 400);
  });

  test("fails the test with what it wrote when it never becomes ready, and when it ends before", async (t) => {
    const never = startWeir(t, { main: mainOf("never", `serve(() => 503);`), readyTimeoutMs: 600 });
    await assert.rejects(never, /did not become ready\n.*"msg":"started"/);
    const broken = startWeir(t, {
      main: mainOf("broken", `console.error("error: broken config"); process.exit(1);`),
    });
    await assert.rejects(broken, /ended before it was ready\n.*error: broken config/s);
  });

  test("fails the test when it does not end in order", async (t) => {
    const weir = await startWeir(t, {
      main: mainOf("untidy", `serve(() => 200); process.on("SIGINT", () => process.exit(3));`),
    });
    await assert.rejects(weir.stop(), /did not end in order/);
  });

  test("is gone, with its config, when the test is", async (t) => {
    const cleaners: (() => void | Promise<void>)[] = [];
    const weir = await startWeir(
      { after: (clean) => cleaners.push(clean) },
      { main: mainOf("gone", orderly) },
    );
    t.after(() => weir.kill());
    for (const clean of cleaners) await clean();
    assert.equal(weir.program.isRunning, false);
    await eventually(() => assert.ok(!existsSync(weir.configFolder)));
  });
});
