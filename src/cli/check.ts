import picocolors from "picocolors";
import { countProblems, formatProblems } from "../config/format.ts";
import { loadConfig } from "../config/load.ts";
import { configFolder, readConfigFiles } from "../server/config/files.ts";
import type { Environment } from "../config/environment.ts";
import type { Paint, PaintRole } from "../config/format.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { CliIo } from "./io.ts";

/** Arguments of `weir check`. All `paths` together are one config, in their order. */
export type CheckArguments = { readonly paths: readonly string[]; readonly format: "text" | "json" };

/** Where the config is when no path is given. */
export const DEFAULT_CONFIG_PATH = "/etc/flussonic";

/**
 * `weir check PATH...`: checks a config, with the environment, and prints everything that is wrong with it.
 *
 * Returns: the exit code: 1 when there is an error, else 0.
 */
export async function checkCommand(args: CheckArguments, io: CliIo): Promise<number> {
  const loaded = await loadPaths(args.paths.length === 0 ? [DEFAULT_CONFIG_PATH] : args.paths, io.env);
  const isGood = loaded.config !== undefined;
  if (args.format === "json") {
    const files = loaded.sources.map((source) => source.file);
    io.stdout(`${JSON.stringify({ ok: isGood, files, problems: loaded.problems }, null, 2)}\n`);
    return isGood ? 0 : 1;
  }
  const rendered = formatProblems(loaded.problems, loaded.sources, painterFor(io));
  if (rendered !== "") io.stdout(`${rendered}\n`);
  io.stdout(`${summary(loaded, isGood)}\n`);
  return isGood ? 0 : 1;
}

/**
 * Reads and checks the config at `paths` together with the environment. Problems of the disk come first.
 */
export async function loadPaths(paths: readonly string[], environment: Environment): Promise<LoadedConfig> {
  const read = [];
  for (const path of paths) read.push(await readConfigFiles(path));
  const loaded = loadConfig(
    read.flatMap((one) => one.files),
    environment,
    paths[0] === undefined ? {} : { folder: configFolder(paths[0]) },
  );
  const ofFiles = read.flatMap((one) => one.problems);
  const problems = [...ofFiles, ...loaded.problems];
  const { config, sources } = loaded;
  const isGood = config !== undefined && !ofFiles.some((one) => one.severity === "error");
  return isGood ? { config, problems, sources } : { problems, sources };
}

/**
 * The colours for `formatProblems`; none where the output is no terminal that shows them.
 */
export function painterFor(io: Pick<CliIo, "isTty">): Paint {
  const colors = picocolors.createColors(io.isTty);
  const paints: Readonly<Record<PaintRole, (text: string) => string>> = {
    error: (text) => colors.bold(colors.red(text)),
    warning: (text) => colors.bold(colors.yellow(text)),
    note: (text) => colors.bold(colors.cyan(text)),
    message: colors.bold,
    gutter: colors.blue,
    related: colors.blue,
  };
  return (role, text) => paints[role](text);
}

function summary(loaded: LoadedConfig, isGood: boolean): string {
  const count = loaded.sources.length;
  const where = `${count} file${count === 1 ? "" : "s"}`;
  const counts = countProblems(loaded.problems);
  if (!isGood) return `${where}: ${counts}; the config is refused`;
  return counts === "" ? `${where}: the config is good` : `${where}: ${counts}; the config is good`;
}
