/** Brings the peers and the load tools onto a machine where that is allowed; says in one line what to do elsewhere. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { findProgram } from "../test/support/tools.ts";
import { runChild } from "./child.ts";
import { CACHE_FOLDER } from "./tools.ts";

/** What is on the machine after the installation. */
export type Installed = {
  /** Path of nginx, `null` when it or its RTMP module is missing. */
  readonly nginx: string | null;
  readonly nginxRtmpModule: string | null;
  readonly wrk: string | null;
  /** Its start script. */
  readonly nodeMediaServer: string | null;
};

const PEERS = resolve(import.meta.dirname, "peers");
const RTMP_MODULES = [
  "/usr/lib/nginx/modules/ngx_rtmp_module.so",
  "/usr/lib64/nginx/modules/ngx_rtmp_module.so",
];

/** What the benchmark uses of a Debian system, and how to see that it is there. */
const PACKAGES: readonly {
  readonly name: string;
  readonly isThere: () => boolean;
  readonly isNeeded: boolean;
}[] = [
  { name: "gcc", isThere: () => findProgram("gcc") !== null, isNeeded: true },
  { name: "libc6-dev", isThere: () => existsSync("/usr/include/stdio.h"), isNeeded: true },
  { name: "ffmpeg", isThere: () => findProgram("ffmpeg") !== null, isNeeded: true },
  { name: "nginx", isThere: () => findNginx() !== null, isNeeded: false },
  { name: "libnginx-mod-rtmp", isThere: () => findRtmpModule() !== null, isNeeded: false },
  { name: "wrk", isThere: () => findProgram("wrk") !== null, isNeeded: false },
];

/** Installs what is missing. Throws with the command to type when something is missing that nothing works without. */
export async function installPeers(print: (line: string) => void): Promise<Installed> {
  await installPackages(print);
  return {
    nginx: findNginx(),
    nginxRtmpModule: findRtmpModule(),
    wrk: findProgram("wrk"),
    nodeMediaServer: await installNodeMediaServer(print),
  };
}

async function installPackages(print: (line: string) => void): Promise<void> {
  const missing = PACKAGES.filter(({ isThere }) => !isThere());
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const aptGet = findProgram("apt-get");
  if (process.getuid?.() === 0 && aptGet !== null) {
    print(`installing ${names.join(" ")} (once)`);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await runChild([aptGet, "-qq", "update"], { env }).catch((error: unknown) => print(String(error)));
    const install = [
      aptGet,
      "-qq",
      "-o",
      "DPkg::Lock::Timeout=120",
      "install",
      "-y",
      "--no-install-recommends",
    ];
    await runChild([...install, ...names], { env }).catch((error: unknown) => print(String(error)));
  }
  const still = missing.filter(({ isThere }) => !isThere());
  const line = `apt-get install ${still.map(({ name }) => name).join(" ")}`;
  if (still.some(({ isNeeded }) => isNeeded)) throw new Error(`the benchmark needs more: ${line}`);
  if (still.length > 0) print(`rows without their peers; to have them: ${line}`);
}

/** In a folder of the benchmark's own; the version and the hashes of all its packages are in `peers/`. */
async function installNodeMediaServer(print: (line: string) => void): Promise<string | null> {
  const folder = join(CACHE_FOLDER, "peers");
  const script = join(folder, "node_modules/node-media-server/bin/app.js");
  const lock = "package-lock.json";
  if (existsSync(script) && sameText(join(PEERS, lock), join(folder, lock))) return script;
  mkdirSync(folder, { recursive: true });
  print("installing node-media-server (once)");
  for (const name of ["package.json", lock]) copyFileSync(join(PEERS, name), join(folder, name));
  const npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  try {
    await runChild(npm, { cwd: folder });
    return script;
  } catch (error) {
    print(`rows without node-media-server: ${String(error)}`);
    return null;
  }
}

function findNginx(): string | null {
  const path = "/usr/sbin/nginx";
  return findProgram("nginx") ?? (existsSync(path) ? path : null);
}

function findRtmpModule(): string | null {
  return RTMP_MODULES.find((path) => existsSync(path)) ?? null;
}

function sameText(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && readFileSync(one, "utf8") === readFileSync(other, "utf8");
}
