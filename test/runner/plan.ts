/** Which test files there are, in which group each belongs, and how a group is run. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";

/** Environment variable with the seconds that a fuzz loop may take; without it fuzz tests are short. */
export const FUZZ_SECONDS_VARIABLE = "WEIR_FUZZ_SECONDS";

/** Seconds that all fuzz loops of a run take together unless the variable says otherwise. */
const DEFAULT_FUZZ_SECONDS = 20;

/** Groups in the order in which they run: what is quick and says most comes first, what needs a cluster last. */
const GROUPS = ["unit", "house", "interop", "e2e", "fuzz", "soak", "cluster"] as const;

/** The name of a group. */
export type GroupName = (typeof GROUPS)[number];

/** Groups of journeys: with other people's programs, and in real time. */
export const JOURNEYS: ReadonlySet<GroupName> = new Set(["interop", "e2e", "soak", "cluster"]);

/** One file to run. */
export type PlannedFile = {
  /** Relative to the root where it lies below it. */
  readonly file: string;
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  /**
   * No two of these run at a time: a browser keeps a whole CPU busy, and there is one cluster.
   */
  readonly needs: "browser" | "cluster" | null;
};

/** Files that run together, so many at a time. */
export type PlannedGroup = {
  readonly name: GroupName;
  readonly concurrency: number;
  readonly files: readonly PlannedFile[];
};

/** What the plan is made from. */
export type PlanOptions = {
  readonly root: string;
  /** Files and folders named by the user; empty for everything. */
  readonly paths: readonly string[];
  readonly parallelism: number;
  /** Replaces the time limits of the groups. */
  readonly fileTimeoutMs: number | null;
  readonly fuzzSeconds: number | null;
};

/** Folders that hold tests; a test elsewhere is run only by its name. */
const TEST_ROOTS = ["src", "test", "ui", "bench"];
const TEST_FILE = /\.test\.(ts|js|mjs)$/;
/** Journeys on a cluster, by their names: it is up for these alone. */
const CLUSTER_FILE = /^test\/e2e\/cluster[^/]*$/;
/** A crowd that runs for minutes and holds no clock to what it sees: it goes beside the cluster, which mostly waits. */
const BESIDE_CLUSTER = join("test", "soak", "soak.test.ts");
const UNIT_TIMEOUT_MS = 120_000;
const JOURNEY_TIMEOUT_MS = 600_000;

/** Finds the files of `paths` and sorts them into groups. Throws an Error that names a path that does not exist. */
export function makePlan(options: PlanOptions): PlannedGroup[] {
  const found =
    options.paths.length > 0 ? options.paths : TEST_ROOTS.filter((name) => exists(options.root, name));
  const files = [...new Set(found.flatMap((path) => testFilesIn(options.root, path)))];
  const hasCluster = files.some((file) => groupOf(options.root, file) === "cluster");
  const byGroup = Map.groupBy(files, (file) =>
    hasCluster && file === BESIDE_CLUSTER ? "cluster" : groupOf(options.root, file),
  );
  return GROUPS.flatMap((name) => {
    const members = byGroup.get(name) ?? [];
    if (members.length === 0) return [];
    return [{ name, concurrency: lanesOf(name, options), files: planFiles(name, members, options) }];
  });
}

/** Journeys wait more than they work: two at a time. What measures is alone. */
function lanesOf(name: GroupName, { parallelism }: PlanOptions): number {
  if (name === "unit" || name === "house") return parallelism;
  return name === "soak" || name === "fuzz" ? 1 : Math.min(2, parallelism);
}

/** The fuzz targets below a folder: files named `*.fuzz.ts`, as `test/fuzz/run.test.ts` runs them. */
export function findFuzzTargets(root: string): string[] {
  return walk(join(root, "src"))
    .filter((file) => file.endsWith(".fuzz.ts"))
    .toSorted();
}

function planFiles(name: GroupName, members: readonly string[], options: PlanOptions): PlannedFile[] {
  const limitMs = options.fileTimeoutMs ?? (JOURNEYS.has(name) ? JOURNEY_TIMEOUT_MS : UNIT_TIMEOUT_MS);
  if (name !== "fuzz") {
    const planned = members.map((file) => ({
      ...{ file, timeoutMs: limitMs, env: {} },
      needs: JOURNEYS.has(name) ? needsOf(options.root, file) : null,
    }));
    // Those that wait for each other begin first, so that the other lane is not left with nothing at the end.
    return planned.toSorted((a, b) => Number(a.needs === null) - Number(b.needs === null));
  }
  const shares = members.map((file) =>
    isFuzzDriver(file) ? Math.max(1, findFuzzTargets(options.root).length) : 1,
  );
  const allShares = shares.reduce((sum, share) => sum + share, 0);
  const totalSeconds = options.fuzzSeconds ?? DEFAULT_FUZZ_SECONDS;
  return members.map((file, index) => {
    const seconds = (totalSeconds * shares[index]!) / allShares;
    const env = { [FUZZ_SECONDS_VARIABLE]: seconds.toFixed(2) };
    const timeoutMs = options.fileTimeoutMs ?? limitMs + seconds * 4000;
    return { file, timeoutMs, env, needs: null };
  });
}

function needsOf(root: string, file: string): PlannedFile["needs"] {
  if (groupOf(root, file) === "cluster") return "cluster";
  return readFileSync(resolve(root, file), "utf8").includes("chromium") ? "browser" : null;
}

function groupOf(root: string, file: string): GroupName {
  const parts = file.split(sep);
  if (isFuzzDriver(file)) return "fuzz";
  if (CLUSTER_FILE.test(parts.join("/"))) return "cluster";
  for (const name of ["house", "interop", "e2e", "soak"] as const)
    if (parts[0] === "test" && parts[1] === name) return name;
  // A test with a fuzz loop of its own takes a share of the fuzz time instead of none.
  const isInSource = parts[0] === "src";
  const hasLoop = isInSource && readFileSync(resolve(root, file), "utf8").includes(FUZZ_SECONDS_VARIABLE);
  return hasLoop ? "fuzz" : "unit";
}

function isFuzzDriver(file: string): boolean {
  return file === join("test", "fuzz", "run.test.ts");
}

function testFilesIn(root: string, path: string): string[] {
  const absolute = resolve(root, path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined) throw new Error(`there is no ${path}`);
  const files = stats.isDirectory() ? walk(absolute).filter((file) => TEST_FILE.test(file)) : [absolute];
  return files.toSorted().map((file) => nameBelow(root, file));
}

function nameBelow(root: string, absolute: string): string {
  const name = relative(root, absolute);
  return name.startsWith("..") || isAbsolute(name) ? absolute : name;
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}

function exists(root: string, name: string): boolean {
  return statSync(join(root, name), { throwIfNoEntry: false }) !== undefined;
}
