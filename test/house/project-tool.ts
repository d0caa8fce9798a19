/** Runs a program that `npm ci` brought. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { root } from "./tree.ts";

/** Fails with the program's output when it does not end with code 0. */
export async function assertSucceeds(program: string, args: readonly string[]): Promise<void> {
  const path = join(root, "node_modules/.bin", program);
  const child = spawn(path, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  assert.ok(code === 0, `${program} ${args.join(" ")} ended with code ${code}\n${out}${err}`);
}
