import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("weir.js", import.meta.url));
const AN_OLDER_NODE =
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.9.0'}})";

function run(args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    );
  });
}

test("the command says its version", async () => {
  const { code, said } = await run([COMMAND, "--version"]);
  assert.equal(code, 0, said);
  assert.match(said, /^\d+\.\d+\.\d+\n$/);
});

test("an older Node is told which one is needed and how it comes, instead of a syntax error", async () => {
  const { code, said } = await run(["--import", AN_OLDER_NODE, COMMAND, "--version"]);
  assert.equal(code, 1, said);
  assert.match(said, /^weir needs Node 24 or newer, .*npm ci.*\n$/);
});
