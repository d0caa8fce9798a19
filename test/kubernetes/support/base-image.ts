/**
 * Base images made of what this machine has, for building the image where no registry can be reached:
 * `node test/kubernetes/support/base-image.ts [podman|docker]` makes, unless they are there already,
 *
 * - weir-test-base: node, the shared libraries that it needs, certificates and /etc/passwd, and nothing else;
 * - weir-test-builder: the same with npm, and in npm's cache the packages that the server needs.
 *
 * With them: `npm run image -- --base localhost/weir-test-base --builder localhost/weir-test-builder`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findProgram } from "../../support/tools.ts";
import { root } from "./programs.ts";

/** The names of the two images. */
export const TEST_BASE = "localhost/weir-test-base";

/** See `TEST_BASE`. */
export const TEST_BUILDER = "localhost/weir-test-builder";

const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const PASSWD = [
  "root:x:0:0:root:/:/sbin/nologin",
  "weir:x:65532:65532:weir:/nonexistent:/sbin/nologin",
  "",
];

/** On both images: what they were made from. */
const LABEL = "weir.test.made-from";

/** Makes both images, unless they are there and of this node and these packages. Takes some 15 s; needs npm. */
export function makeBaseImages(builder: "podman" | "docker" = "podman"): void {
  const lock = readFileSync(join(root, "package-lock.json"));
  const sources = createHash("sha256")
    .update(lock)
    .update(process.version)
    .update(npmVersion())
    .digest("hex");
  const isMade = [TEST_BASE, TEST_BUILDER].every((tag) => labelOf(builder, tag) === sources);
  if (isMade) return;
  const label = `LABEL ${LABEL}=${sources}`;
  const folder = mkdtempSync(join(tmpdir(), "weir-base-"));
  try {
    const base = join(folder, "base");
    fillBase(base);
    build(builder, { tag: TEST_BASE, folder: base, lines: ["FROM scratch", "COPY . /", label] });
    const extra = join(folder, "builder");
    fillBuilder(extra);
    const settings = "npm_config_cache=/npm-cache npm_config_offline=true npm_config_update_notifier=false";
    const lines = [`FROM ${TEST_BASE}`, "COPY . /", `ENV ${settings}`, label];
    build(builder, { tag: TEST_BUILDER, folder: extra, lines });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function labelOf(builder: string, tag: string): string {
  const format = `{{ index .Config.Labels "${LABEL}" }}`;
  return spawnSync(builder, ["image", "inspect", "--format", format, tag], {
    encoding: "utf8",
  }).stdout.trim();
}

function npmVersion(): string {
  return execFileSync("npm", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

function build(
  builder: string,
  image: { readonly tag: string; readonly folder: string; readonly lines: readonly string[] },
): void {
  const file = `${image.folder}.Containerfile`;
  writeFileSync(file, `${image.lines.join("\n")}\n`);
  execFileSync(builder, ["build", "--tag", image.tag, "--file", file, image.folder], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function fillBase(folder: string): void {
  placeProgram(folder, realpathSync(process.execPath), "/usr/local/bin/node");
  for (const [path, text] of Object.entries({
    "etc/passwd": PASSWD.join("\n"),
    "etc/group": "root:x:0:\nweir:x:65532:\n",
  })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  if (existsSync(CERTIFICATES)) {
    mkdirSync(dirname(join(folder, CERTIFICATES)), { recursive: true });
    cpSync(CERTIFICATES, join(folder, CERTIFICATES), { dereference: true });
  }
  mkdirSync(join(folder, "tmp"), { recursive: true });
  chmodSync(join(folder, "tmp"), 0o1777);
}

/** npm, `env` for the first line of its script, and a cache with the packages of the lock file that are not for tests. */
function fillBuilder(folder: string): void {
  const npm = findProgram("npm");
  if (npm === null) throw new Error("npm is not installed");
  const npmPackage = dirname(dirname(realpathSync(npm)));
  const place = join(folder, "usr/local/lib/node_modules/npm");
  cpSync(npmPackage, place, { recursive: true, dereference: true });
  mkdirSync(join(folder, "usr/local/bin"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(folder, "usr/local/bin/npm"));
  placeProgram(folder, realpathSync("/usr/bin/env"), "/usr/bin/env");
  fillCache(join(folder, "npm-cache"), npm);
  // Where the cache's entries say that they come from; it is looked up there by npm, and nowhere else.
  const registry = execFileSync(npm, ["config", "get", "registry"], { cwd: root, encoding: "utf8" }).trim();
  writeFileSync(join(place, "npmrc"), `registry=${registry}\nomit-lockfile-registry-resolved=true\n`);
}

function fillCache(cache: string, npm: string): void {
  const folder = mkdtempSync(join(tmpdir(), "weir-packages-"));
  try {
    for (const name of ["package.json", "package-lock.json"]) cpSync(join(root, name), join(folder, name));
    const args = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", cache];
    execFileSync(npm, args, { cwd: folder, stdio: ["ignore", "ignore", "ignore"] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A program and the libraries that its loader finds, each where it lies here; `as` is the program's own place. */
function placeProgram(folder: string, program: string, as: string): void {
  const listing = execFileSync("ldd", [program], { encoding: "utf8" });
  const libraries = [...listing.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map((match) => match[1]!);
  for (const [from, to] of [[program, as] as const, ...libraries.map((path) => [path, path] as const)]) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    cpSync(realpathSync(from), join(folder, to));
    chmodSync(join(folder, to), 0o755);
  }
}

if (import.meta.main) makeBaseImages(process.argv[2] === "docker" ? "docker" : "podman");
