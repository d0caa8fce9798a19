import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { loadConfig } from "../config/load.ts";
import { diffConfigs } from "../config/diff.ts";
import type { ConfigChange } from "../config/diff.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import type { Problem } from "../config/problem.ts";
import { readConfigFiles } from "../server/config-files.ts";
import type { ConfigWatch } from "../server/config-watch.ts";
import { serverLogLevel } from "../server/log-level.ts";
import type { LogThreshold } from "../server/log-level.ts";
import type { Server } from "../server/server.ts";
import type { CliIo } from "./io.ts";

/** What a reload needs. */
export type Reloading = {
  readonly path: string;
  /** What the server was started with. */
  readonly config: ResolvedConfig;
  readonly server: Server;
  /** Told to remember before that configuration was read. */
  readonly watch: ConfigWatch;
  readonly log: Logger;
  /** Of that log. */
  readonly threshold: LogThreshold;
  readonly io: CliIo;
};

/** Changes that the log names after a reload. */
const MAX_NAMED_CHANGES = 20;

/**
 * From now on the configuration is read anew, one time after the other: after SIGHUP, and when Kubernetes has written a
 * volume that it lies in.
 */
export function reloadWhenTold(reloading: Reloading): void {
  const { path, log, watch } = reloading;
  let inForce = reloading.config;
  const reloadAfter = async (earlier: Promise<void>): Promise<void> => {
    await earlier;
    inForce = await reload(reloading, inForce).catch((caught: unknown) => {
      log.error("the new configuration cannot be put in force, the one before stays", {
        path,
        reason: messageOf(caught),
      });
      reloading.server.reloadRefused([{ file: path, line: 0, column: 0, message: messageOf(caught) }]);
      return inForce;
    });
  };
  let running = Promise.resolve();
  const reloadNow = (): Promise<void> => {
    running = reloadAfter(running);
    return running;
  };
  process.on("SIGHUP", () => void reloadNow());
  watch.start(reloadNow);
}

/** Returns: the configuration that is in force then. One that does not check changes nothing, and the log says why. */
async function reload(reloading: Reloading, inForce: ResolvedConfig): Promise<ResolvedConfig> {
  const { path, server, log, threshold, io } = reloading;
  const { files, problems: unreadable } = await readConfigFiles(path);
  const { config, problems } = loadConfig(files, io.env);
  const all = [...unreadable, ...problems];
  for (const problem of all) logProblem(log, problem);
  if (config === undefined || all.some(({ severity }) => severity === "error")) {
    log.error("the configuration is not taken, the one before stays in force", { path });
    server.reloadRefused(all.filter(({ severity }) => severity === "error"));
    return inForce;
  }
  const wanted = diffConfigs(inForce, config);
  const waiting = wanted.filter((change) => change.kind === "setting" && change.restarts === "process");
  const changes = wanted.filter((change) => !waiting.includes(change));
  const next = await server.configure(config);
  threshold.level = serverLogLevel(next.logLevel);
  if (waiting.length > 0)
    log.warn("some settings change with the next start only", { settings: waiting.map(describe) });
  log.info("the configuration was read anew", {
    path,
    changes: changes.slice(0, MAX_NAMED_CHANGES).map(describe),
    changed: changes.length,
  });
  return next;
}

function describe(change: ConfigChange): string {
  if (change.kind === "template-order") return "order of templates";
  return change.kind === "setting" ? change.name : `${change.kind} ${change.name} ${change.change}`;
}

/** What is to be said of a configuration once the server runs goes where everything goes. */
export function logProblem(log: Logger, problem: Problem): void {
  const { severity, code, file, line, column, message, hint } = problem;
  const fields = { code, file, line, column, hint };
  if (severity === "note") log.info(`configuration: ${message}`, fields);
  else if (severity === "error") log.error(`configuration: ${message}`, fields);
  else log.warn(`configuration: ${message}`, fields);
}
