import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { startProgram } from "./program.ts";

const node = process.execPath;

describe("a program beside a test", () => {
  test("gives its lines, its stderr and how it ended", async (t) => {
    const lines: string[] = [];
    const script = `process.stdout.write("one\\ntw"); process.stdout.write("o\\n"); console.error("oops"); process.exitCode = 3;`;
    const program = startProgram(t, node, ["-e", script], { onLine: (line) => lines.push(line) });
    assert.deepEqual(await program.ended, { code: 3, signal: null });
    assert.deepEqual(lines, ["one", "two"]);
    assert.equal(program.stderr, "oops\n");
    assert.equal(program.isRunning, false);
  });

  test("is asked to end, and killed when it does not listen", async (t) => {
    const polite = startProgram(t, node, ["-e", `setInterval(() => {}, 1000)`]);
    assert.deepEqual(await polite.stop(), { code: null, signal: "SIGTERM" });
    const script = `process.on("SIGTERM", () => {}); console.log("deaf"); setInterval(() => {}, 1000)`;
    const deaf = await new Promise<ReturnType<typeof startProgram>>((resolve) => {
      const program = startProgram(t, node, ["-e", script], { onLine: () => resolve(program) });
    });
    assert.deepEqual(await deaf.stop(200), { code: null, signal: "SIGKILL" });
  });

  test("is killed when the test ends", async (t) => {
    const cleaners: (() => void | Promise<void>)[] = [];
    const program = startProgram({ after: (clean) => cleaners.push(clean) }, node, [
      "-e",
      `setInterval(() => {}, 1000)`,
    ]);
    t.after(() => program.kill());
    assert.equal(program.isRunning, true);
    for (const clean of cleaners) await clean();
    assert.equal(program.isRunning, false);
    await eventually(() => assert.throws(() => process.kill(program.pid, 0), /ESRCH/));
  });

  test("says so when it cannot be started", async (t) => {
    const program = startProgram(t, "weir-no-such-program", []);
    assert.deepEqual(await program.ended, { code: null, signal: null });
    assert.match(program.stderr, /weir-no-such-program did not start: .*ENOENT/);
  });
});

describe("a free port", () => {
  test("can be listened on, and is not given twice", async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, freePort));
    assert.equal(new Set(ports).size, 20);
    const server = createServer().listen(ports[0], "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("eventually", () => {
  test("gives the first value that comes without an error", async () => {
    let calls = 0;
    const attempt = (): number => {
      assert.ok(++calls > 2, "too soon");
      return calls;
    };
    assert.equal(await eventually(attempt, { intervalMs: 1 }), 3);
  });

  test("throws the last error with the time that it waited", async () => {
    const attempt = (): Promise<never> => Promise.reject(new Error("still closed"));
    await assert.rejects(
      eventually(attempt, { timeoutMs: 20, intervalMs: 5 }),
      /^Error: not within 20 ms: still closed$/,
    );
  });
});
