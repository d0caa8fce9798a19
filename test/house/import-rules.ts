/** Who may import whom; the drawing is in docs/architecture.md, the reasons are in docs/decisions/0001. */
import { posix } from "node:path";
import { importsOf } from "./source-facts.ts";
import type { ImportFact } from "./source-facts.ts";
import { isTestFile } from "./tree.ts";

/** The rooms in their order: a room imports rooms before it, and itself. */
export const ROOMS = [
  "base",
  "media",
  "codecs",
  "containers",
  "stream",
  "packaging",
  "protocols",
  "vod",
  "dvr",
  "auth",
  "config",
  "api",
  "cluster",
  "kubernetes",
  "operator",
  "server",
  "cli",
] as const;

/** Everyone else declares the options that it needs and is handed them. */
const CONFIG_READERS = ["config", "server", "api", "operator", "cli"];

/** Modules with sockets, files, processes or threads in them. */
const IO_MODULE =
  /^node:(net|tls|http|https|http2|fs|fs\/promises|dgram|child_process|worker_threads|cluster)$/;
const IO_FILE = /^(listener|puller|pusher)\.ts$|-storage\.ts$/;
const IO_ROOMS = ["server", "cli"];

/** Where an import leads. */
type Target =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "node"; readonly name: string }
  | { readonly kind: "package"; readonly name: string };

/** One file's import, with what the rules ask about it. */
type Edge = { readonly from: string; readonly fact: ImportFact; readonly target: Target };

/** A rule gives what is wrong with an import, or `null`. */
type Rule = (edge: Edge, known: KnownNames) => string | null;

/** What exists: source files, and packages that the server is installed with. */
type KnownNames = { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> };

const RULES: readonly Rule[] = [
  toNothing,
  againstTheOrder,
  acrossProtocols,
  ofConfig,
  ofIo,
  ofNodeInConfig,
  ofDevelopment,
];

/**
 * Checks every import of every source file.
 *
 * `sources`: text by path from the root. `packages`: names under `dependencies` in package.json.
 * Returns: one line a violation.
 */
export function importViolations(
  sources: ReadonlyMap<string, string>,
  packages: readonly string[],
): string[] {
  const known = { files: new Set(sources.keys()), packages: new Set(packages) };
  const edges = edgesOf(sources);
  const broken = edges.flatMap((edge) =>
    RULES.flatMap((rule) => {
      const reason = rule(edge, known);
      return reason === null
        ? []
        : [`${edge.from}:${edge.fact.line} imports "${edge.fact.specifier}": ${reason}`];
    }),
  );
  const strayed = [...sources.keys()]
    .filter((path) => roomOf(path) === null)
    .map((path) => `${path}: in no room`);
  return [...strayed, ...broken, ...cycles(edges).map((cycle) => `cycle: ${cycle.join(" -> ")}`)];
}

/** The room of a source file, `null` when it stands in none of the list. */
export function roomOf(path: string): (typeof ROOMS)[number] | null {
  const parts = path.split("/");
  return parts[0] === "src" && parts.length > 2 ? (ROOMS.find((room) => room === parts[1]) ?? null) : null;
}

function edgesOf(sources: ReadonlyMap<string, string>): Edge[] {
  return [...sources].flatMap(([from, text]) =>
    importsOf(text).map((fact) => ({ from, fact, target: targetOf(from, fact.specifier) })),
  );
}

function targetOf(from: string, specifier: string): Target {
  if (specifier.startsWith("node:")) return { kind: "node", name: specifier };
  if (!specifier.startsWith(".")) {
    const depth = specifier.startsWith("@") ? 2 : 1;
    return { kind: "package", name: specifier.split("/").slice(0, depth).join("/") };
  }
  return { kind: "file", path: posix.join(posix.dirname(from), specifier) };
}

function toNothing({ from, target }: Edge, { files }: KnownNames): string | null {
  if (target.kind !== "file" || files.has(target.path)) return null;
  if (isTestFile(from) && target.path.startsWith("test/")) return null;
  if (roomOf(from) === "server" && target.path === "package.json") return null;
  return target.path.startsWith("src/") ? "there is no such file" : "outside src/";
}

function againstTheOrder({ from, target }: Edge): string | null {
  if (target.kind !== "file") return null;
  const [own, other] = [roomOf(from), roomOf(target.path)];
  if (own === null || other === null || ROOMS.indexOf(other) <= ROOMS.indexOf(own)) return null;
  return `${other}/ stands below ${own}/`;
}

function acrossProtocols({ from, target }: Edge): string | null {
  if (target.kind !== "file" || isTestFile(from)) return null;
  const [own, other] = [protocolOf(from), protocolOf(target.path)];
  return own !== null && other !== null && own !== other ? "a protocol imports no other protocol" : null;
}

function protocolOf(path: string): string | null {
  return /^src\/protocols\/([^/]+)\//.exec(path)?.[1] ?? null;
}

function ofConfig({ from, target }: Edge): string | null {
  if (target.kind !== "file" || roomOf(target.path) !== "config") return null;
  return CONFIG_READERS.includes(roomOf(from) ?? "")
    ? null
    : "declare the options you need instead of reading config/";
}

function ofIo({ from, target }: Edge): string | null {
  if (target.kind !== "node" || !IO_MODULE.test(target.name) || isTestFile(from)) return null;
  const mayDoIo =
    IO_ROOMS.includes(roomOf(from) ?? "") ||
    IO_FILE.test(posix.basename(from)) ||
    from.includes("/storages/");
  return mayDoIo
    ? null
    : "sockets and files only in listener.ts, puller.ts, pusher.ts, storages, server/ and cli/";
}

function ofNodeInConfig({ from, target }: Edge): string | null {
  if (target.kind !== "node" || roomOf(from) !== "config" || isTestFile(from)) return null;
  return "config/ runs in browsers too";
}

function ofDevelopment({ from, target }: Edge, { packages }: KnownNames): string | null {
  if (target.kind !== "package" || isTestFile(from) || packages.has(target.name)) return null;
  return 'not among the "dependencies" of package.json';
}

/** Import cycles between files, each once, beginning with the file that comes first. */
function cycles(edges: readonly Edge[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, target } of edges) {
    if (target.kind === "file") next.set(from, [...(next.get(from) ?? []), target.path]);
  }
  const found = new Map<string, string[]>();
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) {
      const members = trail.slice(start);
      found.set(members.toSorted().join(), [...members, file]);
    }
    if (start >= 0 || done.has(file)) return;
    for (const target of next.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of [...next.keys()].toSorted()) visit(file, []);
  return [...found.values()];
}
