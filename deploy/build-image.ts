/** `npm run image`: builds the container image with podman, buildah or docker, whichever is there. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import packageFile from "../package.json" with { type: "json" };

/** The programs that can build it, in the order in which they are looked for. */
export const BUILDERS = ["podman", "buildah", "docker"] as const;

/** One of them. */
export type Builder = (typeof BUILDERS)[number];

/** What is built. `null`: what the Containerfile says. */
export type ImageOptions = {
  readonly tag: string;
  readonly base: string | null;
  readonly builderImage: string | null;
  /** `UID:GID` of the server; the other way is to say so where the container is started. */
  readonly user: string | null;
  readonly revision: string;
  /** The date of everything in the image, in seconds since 1970: that of the commit, so that it is the same each time. */
  readonly dateS: number;
  /** More arguments for the program. */
  readonly more: readonly string[];
};

const USAGE = `usage: npm run image -- [options] [-- arguments of the builder]

  --tag NAME:TAG    name of the image (weir:${packageFile.version})
  --base IMAGE      what the server runs on: anything with node 24 or newer (node:24-bookworm-slim)
  --builder IMAGE   what packages are installed in: has node and npm (node:24-bookworm-slim)
  --user UID:GID    who the server runs as (65532:65532); 0:0 may open ports below 1024 on every cluster
  --with PROGRAM    ${BUILDERS.join(", ")}; the first that is installed unless named`;

const root = resolve(import.meta.dirname, "..");

/** The name as registries know it: podman would put "localhost/" in front of a bare one, and Kubernetes not find it. */
export function qualifiedName(tag: string): string {
  const slash = tag.indexOf("/");
  if (slash === -1) return `docker.io/library/${tag}`;
  const first = tag.slice(0, slash);
  return /[.:]/.test(first) || first === "localhost" ? tag : `docker.io/${tag}`;
}

/** The command line that builds the image, without the program's name. */
export function buildArguments(builder: Builder, options: ImageOptions): string[] {
  const buildArgs = {
    VERSION: packageFile.version,
    REVISION: options.revision,
    ...(options.base === null ? {} : { BASE: options.base }),
    ...(options.builderImage === null ? {} : { BUILDER: options.builderImage }),
    ...(options.user === null ? {} : { RUN_AS: options.user }),
    // BuildKit dates the image by it, but not the folders that it makes itself; the others have an option of their own.
    ...(builder === "docker" ? { SOURCE_DATE_EPOCH: String(options.dateS) } : {}),
  };
  // The other image format has no HEALTHCHECK. Kept layers would be taken for a USER or LABEL with other arguments, too.
  const own = ["--format", "docker", "--layers=false", "--timestamp", String(options.dateS)];
  return [
    "build",
    ...(builder === "docker" ? [] : own),
    "--file",
    "deploy/Containerfile",
    ...Object.entries(buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    "--tag",
    qualifiedName(options.tag),
    ...options.more,
    ".",
  ];
}

function main(): number {
  const { values, positionals } = parseArgs({
    options: {
      tag: { type: "string", default: `weir:${packageFile.version}` },
      base: { type: "string" },
      builder: { type: "string" },
      user: { type: "string" },
      with: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  const builder = BUILDERS.find((name) =>
    values.with === undefined ? isInstalled(name) : name === values.with,
  );
  if (builder === undefined) {
    console.error(`none of ${BUILDERS.join(", ")} is installed, or --with names another program`);
    return 1;
  }
  const args = buildArguments(builder, {
    tag: values.tag,
    base: values.base ?? null,
    builderImage: values.builder ?? null,
    user: values.user ?? null,
    revision: git("rev-parse", "HEAD") ?? "unknown",
    dateS: Number(process.env["SOURCE_DATE_EPOCH"] ?? git("log", "-1", "--format=%ct") ?? 0),
    more: positionals,
  });
  console.log(`${builder} ${args.join(" ")}`);
  return spawnSync(builder, args, { cwd: root, stdio: "inherit" }).status ?? 1;
}

function isInstalled(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What git says; `null` without git, as in an unpacked archive. */
function git(...args: readonly string[]): string | null {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

if (import.meta.main) process.exitCode = main();
