/** The image as the tests build it, and containers of it. */
import { spawnSync } from "node:child_process";
import type { TestEnd } from "../../support/program.ts";
import { findProgram } from "../../support/tools.ts";
import { makeBaseImages, TEST_BASE, TEST_BUILDER } from "./base-image.ts";
import { root } from "./programs.ts";
import type { ProgramRun } from "./programs.ts";

/** Limits that any machine can give; those that podman wants by itself need a privilege that a container may not have. */
const LIMITS = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"];

const BUILD_TIMEOUT_MS = 100_000;

/** For `skip` of tests: why no container can be built and run here, else `false`. */
export function whyNoContainers(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "containers need root on Linux here";
  if (findProgram("podman") === null) return "not installed: podman (apt-get install podman)";
  return findProgram("npm", "ldd") === null ? "not installed: npm" : false;
}

/** Builds the image on the test's own base, with nothing from any network. Throws an Error with the end of the log. */
export function buildTestImage(image: { readonly tag: string; readonly user?: string }): void {
  makeBaseImages();
  const base = ["--base", TEST_BASE, "--builder", TEST_BUILDER, "--with", "podman"];
  const user = image.user === undefined ? [] : ["--user", image.user];
  const args = [
    "deploy/build-image.ts",
    "--tag",
    image.tag,
    ...base,
    ...user,
    "--",
    "--network=none",
    ...LIMITS,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    timeout: BUILD_TIMEOUT_MS,
  });
  if (status !== 0)
    throw new Error(`the image was not built\n${stdout.slice(-2000)}${stderr.slice(-2000)}`);
}

/** Runs podman to its end. */
export function podman(...args: readonly string[]): ProgramRun {
  const { status, stdout, stderr } = spawnSync("podman", args, { encoding: "utf8", timeout: 60_000 });
  return { status, stdout: stdout.trim(), stderr };
}

/** Starts a container that is removed with the test; its name. */
export function startContainer(t: TestEnd, ...args: readonly string[]): string {
  const name = `weir-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  t.after(() => void podman("rm", "--force", "--time", "0", name));
  const { status, stderr } = podman("run", "--detach", "--name", name, ...LIMITS, ...args);
  if (status !== 0) throw new Error(`the container was not started: ${stderr}`);
  return name;
}
