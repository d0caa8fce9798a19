import { randomBytes } from "node:crypto";
import { messageOf } from "../base/errors.ts";
import { formatProblems } from "../config/format.ts";
import type { SourceFile } from "../config/place.ts";
import type { Problem } from "../config/problem.ts";
import { holdProcess, systemClock } from "../base/clock.ts";
import { late } from "../base/late/late.ts";
import type { ConfigEdits, ConfigEditsOptions } from "../server/config/edits.ts";
import { rememberingLoad } from "../server/config/memo.ts";
import type { LoadConfig } from "../server/config/memo.ts";
import { ConfigWatch } from "../server/config/watch.ts";
import { demoConfig } from "../server/demo.ts";
import { serverLogLevel } from "../server/log/log-level.ts";
import { makeLogger } from "../server/log/logger.ts";
import { returnStartupMemory } from "../server/garbage.ts";
import { configFolder } from "../server/config/files.ts";
import { startServer } from "../server/server.ts";
import type { Server } from "../server/server.ts";
import { demoBanner } from "./banner.ts";
import type { CliIo } from "./io.ts";
import { readConfigSource, isEmptyConfig } from "./config-source.ts";
import { logProblem, Reloads } from "./reload.ts";

/** What `weir serve` takes. The demo heeds nothing but this: no configuration, no environment. */
export type ServeOptions = {
  readonly config: string;
  readonly demo: boolean;
  /** For the demo only: the address to listen on, and the ports. */
  readonly host: string;
  readonly httpPort: number;
  readonly rtmpPort: number;
};

/**
 * Runs the server until a signal ends it: SIGTERM, as Kubernetes sends it, after a drain; SIGINT, as a terminal does, in
 * seconds. A second SIGTERM cuts the drain short; a third, or SIGINT behind another, ends the process at once.
 *
 * Returns: 0 after SIGTERM or SIGINT; 1 when the config does not check or a port cannot be opened.
 */
export async function serveCommand(options: ServeOptions, io: CliIo): Promise<number> {
  const password = randomBytes(9).toString("base64url");
  const watch = new ConfigWatch(options.config, systemClock);
  const load = rememberingLoad({ folder: configFolder(options.config), clock: systemClock });
  const reloads = options.demo ? null : reloadsOf(options.config, io, { watch, load });
  const edits = reloads === null ? null : editsOf(options.config, io, { reloads, load });
  const read = options.demo ? demoFiles(options, password) : await readFiles(options.config, watch);
  const { config, problems: found, sources } = await load(read.files, options.demo ? {} : io.env);
  const problems = [...read.problems, ...found];
  if (config === undefined || problems.some(({ severity }) => severity === "error")) {
    io.stderr(formatProblems(problems, sources));
    io.stderr(
      `weir: not started: the configuration in ${options.demo ? "the demo" : options.config} has errors\n`,
    );
    return 1;
  }
  const threshold = { level: serverLogLevel(config.logLevel) };
  const log = makeLogger(threshold);
  for (const problem of problems) logProblem(log, problem);
  // Before the start, for one that comes meanwhile: PID 1 of a container hears nothing that it has no handler for.
  const ending = listenForEnd();
  let server: Server;
  try {
    const reload = reloads === null ? null : async () => void (await reloads.now());
    server = await startServer({ config, log, env: options.demo ? {} : io.env, reload, edits });
  } catch (caught) {
    io.stderr(`weir: not started: ${messageOf(caught)}\n`);
    return 1;
  }
  if (options.demo) io.stdout(demoBanner({ server, host: options.host, password, isTty: io.isTty }));
  log.info("ready", {
    streams: config.streams.length,
    templates: config.templates.length,
    vods: config.vods.length,
  });
  if (io.env["WEIR_FAULTS"] !== undefined) injectFaultsOnSignal(server, io.env["WEIR_FAULTS"]);
  returnStartupMemory();
  reloads?.begin({ server, log, threshold, config, isEmpty: isEmptyConfig(read.files) });
  const signal = await ending.first;
  const held = holdProcess();
  await reloads?.end();
  log.info("stopping", { signal });
  if (signal === "SIGTERM") await Promise.race([server.drain(), ending.hurry]);
  await server.stop();
  held.cancel();
  log.info("stopped", {});
  return 0;
}

type ReadFiles = { readonly files: readonly SourceFile[]; readonly problems: readonly Problem[] };

function demoFiles(options: ServeOptions, password: string): ReadFiles {
  return { files: [{ file: "demo.conf", text: demoConfig({ ...options, password }) }], problems: [] };
}

async function readFiles(path: string, watch: ConfigWatch): Promise<ReadFiles> {
  const { files, problems, volumes } = await readConfigSource(path);
  watch.remember(volumes);
  return { files, problems };
}

/** SIGHUP is heard from now on, also while the server starts. */
function reloadsOf(
  path: string,
  io: CliIo,
  { watch, load }: { readonly watch: ConfigWatch; readonly load: LoadConfig },
): Reloads {
  const read = (): ReturnType<typeof readConfigSource> => readConfigSource(path);
  const reloads = new Reloads({ path, read, load, env: io.env, watch, clock: systemClock });
  process.on("SIGHUP", () => void reloads.now());
  return reloads;
}

/** Changes by API are read as any other change is. What makes them is loaded with the first one. */
function editsOf(
  path: string,
  io: CliIo,
  { reloads, load }: { readonly reloads: Reloads; readonly load: LoadConfig },
): Pick<ConfigEdits, "edit" | "check" | "files"> {
  const options: ConfigEditsOptions = {
    path,
    env: io.env,
    clock: systemClock,
    load,
    read: () => readConfigSource(path),
    reload: () => reloads.now(),
    allowedHosts: () => reloads.inForce?.allowedHosts ?? [],
  };
  const edits = late("changes of the configuration", async () => {
    const made = await import("../server/config/edits.ts");
    return new made.ConfigEdits(options);
  });
  return {
    edit: async (edit) => await edits((one) => one.edit(edit)),
    check: async (text) => await edits((one) => one.check(text)),
    files: async () => await edits((one) => one.files()),
  };
}

/**
 * For tests of faults: SIGUSR2 lets a media thread throw or, with `hang`, stop answering; with `hang-control` it is the
 * control thread that stops.
 */
function injectFaultsOnSignal(server: Server, kind: string): void {
  const fault = kind === "hang" || kind === "hang-control" ? kind : "throw";
  process.on("SIGUSR2", () => server.injectFault(fault));
}

/** How the process is to end. */
type Ending = {
  /** The first ending signal. */
  readonly first: Promise<NodeJS.Signals>;
  /** A second one came: there is no more time for a drain. */
  readonly hurry: Promise<void>;
};

/**
 * Hears the signals that end the process. The second SIGTERM hurries, for Kubernetes sends one when a grace period is made
 * shorter; a third, or SIGINT behind any other, ends the process at once.
 */
function listenForEnd(): Ending {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const hurry = Promise.withResolvers<void>();
  let heard = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    heard++;
    if (heard > 2 || (heard === 2 && signal === "SIGINT")) process.exit(1);
    if (heard === 1) first.resolve(signal);
    else hurry.resolve();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return { first: first.promise, hurry: hurry.promise };
}
