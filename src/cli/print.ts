import { formatProblems } from "../config/format.ts";
import { printConfig } from "../config/print.ts";
import { loadPaths, painterFor } from "./check.ts";
import type { CliIo } from "./io.ts";

/** Arguments of `weir print`. Passwords are left out unless `showSecrets`. */
export type PrintArguments = { readonly path: string; readonly showSecrets?: boolean };

/**
 * `weir print PATH`: prints the config that the files and the environment make: merged, resolved, in the config
 * language. What is wrong goes to stderr; with an error in it there is no config to print.
 *
 * Returns: the exit code: 1 when there is an error, else 0.
 */
export async function printCommand(args: PrintArguments, io: CliIo): Promise<number> {
  const { config, problems, sources } = await loadPaths([args.path], io.env);
  const rendered = formatProblems(problems, sources, painterFor(io));
  if (rendered !== "") io.stderr(`${rendered}\n`);
  if (config === undefined) return 1;
  io.stdout(printConfig(config, { secrets: args.showSecrets === true ? "show" : "hide" }));
  return 0;
}
