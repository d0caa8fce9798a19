/**
 * Makes the folder that the image is made from ready; run while the image is built, after `npm ci --omit=dev`.
 *
 * - Leaves out what never runs: tests, declarations, source maps, all builds of hls.js and dash.js but the ones that pages load.
 * - Takes the types off: the sources become plain JavaScript, on the same lines. Otherwise every thread would load a
 *   compiler for it at every start: an image that is read-only has no place for the compile cache, and a cache made
 *   here would serve one user id, one amount of memory and one model of CPU only.
 * - Puts the sample clip where configurations look for it.
 * - Gives every file the same date, and the modes that git would: a checkout made under another umask makes the same
 *   image, which whoever it runs as can read.
 *
 * `node prepare.ts [APP [ROOT]]`: the folder with the sources, `/opt/weir` unless given, and the one that becomes `/`.
 */
import {
  chmodSync,
  copyFileSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { basename, join, relative, sep } from "node:path";

/** Where the reference product has its sample files, and where the article's configuration looks for them. */
const SAMPLES = "opt/flussonic/priv";

/** What is kept of packages: code, what describes them, and what their licences ask to be kept. */
const KEPT_OF_PACKAGES = /\.(js|cjs|mjs|json)$|^(licen[cs]e|notice|copying)/i;

/** Of these packages, pages load one file each (src/server/pages.ts). */
const KEPT_OF_PLAYERS = new Map([
  ["hls.js", /^(dist\/hls\.min\.js|package\.json|licen[cs]e.*)$/i],
  [
    "dashjs",
    /^(dist\/modern\/umd\/dash\.mediaplayer\.min\.js(\.license\.txt)?|package\.json|licen[cs]e.*)$/i,
  ],
]);

const TEST = /\.(test|fuzz)\.ts$/;

/** An import of a TypeScript file by a relative path, as all of ours are. */
const IMPORT = /(\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}\/[^"\n]+)\.ts"/g;

function main(app: string, root: string): void {
  const dateS = Number(process.env["SOURCE_DATE_EPOCH"] ?? 0);
  prunePackages(join(app, "node_modules"));
  for (const path of filesBelow(join(app, "src"))) if (TEST.test(path)) rmSync(path);
  // What is typed beside the pages, the client of the API among it, is for programs that are built from it.
  for (const path of filesBelow(join(app, "ui"))) if (path.endsWith(".ts")) rmSync(path);
  for (const path of filesBelow(join(app, "src"))) takeTypesOff(path);
  rmSync(join(app, "deploy/image/prepare.ts"), { force: true });
  placeSamples(join(app, "samples"), join(root, SAMPLES));
  setDatesAndModes(app, dateS);
  setDatesAndModes(join(root, "opt/flussonic"), dateS);
}

function prunePackages(packages: string): void {
  for (const name of [".package-lock.json", ".bin", ".cache"]) {
    rmSync(join(packages, name), { recursive: true, force: true });
  }
  for (const path of filesBelow(packages)) {
    if (!isKept(relative(packages, path))) rmSync(path);
  }
  removeEmptyFolders(packages);
}

function isKept(path: string): boolean {
  const [packageName = "", ...rest] = path.split(sep);
  const ofPlayer = KEPT_OF_PLAYERS.get(packageName);
  return ofPlayer === undefined ? KEPT_OF_PACKAGES.test(basename(path)) : ofPlayer.test(rest.join("/"));
}

function takeTypesOff(path: string): void {
  const isTyped = path.endsWith(".ts");
  if (!isTyped && !path.endsWith(".js")) return;
  const source = readFileSync(path, "utf8");
  const script = isTyped ? stripTypeScriptTypes(source, { mode: "strip" }) : source;
  const target = path.replace(/\.ts$/, ".js");
  writeFileSync(target, script.replaceAll(IMPORT, `$1"$2.js"`), { flag: isTyped ? "wx" : "w" });
  if (isTyped) rmSync(path);
}

function placeSamples(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  copyFileSync(join(from, "sample.mp4"), join(to, "sample.mp4"));
  symlinkSync("sample.mp4", join(to, "bunny.mp4"));
}

/** Nothing in the image is a program of its own: no file needs to be executable. A link has no mode. */
function setDatesAndModes(folder: string, dateS: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      setDatesAndModes(path, dateS);
      continue;
    }
    if (entry.isFile()) chmodSync(path, 0o644);
    lutimesSync(path, dateS, dateS);
  }
  chmodSync(folder, 0o755);
  lutimesSync(folder, dateS, dateS);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function removeEmptyFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

main(process.argv[2] ?? "/opt/weir", process.argv[3] ?? "/");
