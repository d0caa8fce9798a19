import type { Clock, Timer } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { diffConfigs } from "../config/diff.ts";
import type { ConfigChange } from "../config/diff.ts";
import type { Environment } from "../config/environment.ts";
import { wholeFile } from "../config/place.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { problem } from "../config/problem.ts";
import type { Problem } from "../config/problem.ts";
import type { ReloadResult } from "../server/config/edits.ts";
import { configFolder } from "../server/config/files.ts";
import type { ConfigFiles } from "../server/config/files.ts";
import { rememberingLoad } from "../server/config/memo.ts";
import type { LoadConfig } from "../server/config/memo.ts";
import type { ConfigWatch } from "../server/config/watch.ts";
import { serverLogLevel } from "../server/log/log-level.ts";
import type { LogThreshold } from "../server/log/log-level.ts";
import type { Server } from "../server/server.ts";
import { isEmptyConfig } from "./config-source.ts";

/** What reloads need. */
export type ReloadsOptions = {
  /** Of the configuration, for the log. */
  readonly path: string;
  readonly read: () => Promise<ConfigFiles>;
  /** Shared with those who check what will be read. */
  readonly load?: LoadConfig;
  readonly env: Environment;
  readonly watch: Pick<ConfigWatch, "remember" | "start" | "stop">;
  readonly clock: Clock;
};

/** What there is once the server has started. */
export type Started = {
  readonly server: Pick<Server, "configure" | "reloadRefused">;
  readonly log: Logger;
  /** Of that log. */
  readonly threshold: LogThreshold;
  /** What the server was started with, and whether that came from the environment alone. */
  readonly config: ResolvedConfig;
  readonly isEmpty: boolean;
};

/** Changes that the log names after a reload. */
const MAX_NAMED_CHANGES = 20;

/** Until an edit that the system was in the way of is tried again: the first time, and at most. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;

/** How long the server's end waits for an edit that is being taken. */
const END_LIMIT_MS = 2000;

/** Who asks before the start, or at the end, is answered no reading. */
const NOT_RUNNING: ReloadResult = {
  kind: "refused",
  problems: [],
  reason: "the server is starting or stopping",
};

/** Why an edit is not in force. */
type Refusal = {
  /** The system was in the way, not the text: the same text may be taken later. */
  readonly isPassing: boolean;
  readonly problems: readonly Problem[];
  readonly message: string;
  readonly reason?: string;
};

/**
 * Reads the configuration anew, one time after the other: after SIGHUP, when Kubernetes has written a volume that it lies
 * in, and again and again after an edit that the system was in the way of, such as a port that was busy for a moment.
 *
 * Bounded: one reading that runs and one that waits; whoever asks meanwhile asked for the one that waits.
 */
export class Reloads {
  readonly #options: ReloadsOptions;
  readonly #load: LoadConfig;
  #started: Started | null = null;
  #inForce: ResolvedConfig | null = null;
  #wasEmpty = true;
  #isWanted = false;
  #isEnded = false;
  #running: Promise<unknown> = Promise.resolve();
  #waiting: Promise<ReloadResult> | null = null;
  #retry: Timer | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  /** What the log said last of an edit that is tried again. */
  #said = "";

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#load =
      options.load ?? rememberingLoad({ folder: configFolder(options.path), clock: options.clock });
  }

  /** The server has started: reads anew if somebody asked for it meanwhile, and whenever a volume is written. */
  begin(started: Started): void {
    this.#started = started;
    this.#inForce = started.config;
    this.#wasEmpty = started.isEmpty;
    this.#options.watch.start(async () => void (await this.now()));
    if (this.#isWanted) void this.now();
  }

  /** What is in force; `null` before the server has started. */
  get inForce(): ResolvedConfig | null {
    return this.#inForce;
  }

  /**
   * Reads the configuration anew; before `begin`, asks for it. Resolves when that is done, with what became of a reading
   * that began after the call. Never rejects.
   */
  now(): Promise<ReloadResult> {
    this.#isWanted = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#said = "";
    return this.#enqueue();
  }

  /** Nothing is read any more; resolves when an edit that is being taken is in force or refused, or soon. Idempotent. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.#retry?.cancel();
    this.#options.watch.stop();
    const late = Promise.withResolvers<void>();
    const limit = this.#options.clock.schedule(END_LIMIT_MS, () => late.resolve());
    await Promise.race([this.#running, late.promise]);
    limit.cancel();
  }

  #enqueue(): Promise<ReloadResult> {
    if (this.#started === null || this.#isEnded) return Promise.resolve(NOT_RUNNING);
    this.#waiting ??= this.#after(this.#running, this.#started);
    return this.#waiting;
  }

  async #after(earlier: Promise<unknown>, started: Started): Promise<ReloadResult> {
    await earlier;
    this.#waiting = null;
    if (this.#isEnded) return NOT_RUNNING;
    this.#retry?.cancel();
    const running = this.#reload(started);
    this.#running = running;
    return running;
  }

  async #reload(started: Started): Promise<ReloadResult> {
    const refusal = await this.#take(started);
    if (this.#isEnded) return NOT_RUNNING;
    if (refusal === null) return { kind: "taken" };
    this.#refuse(refusal, started);
    if (refusal.isPassing) this.#tryLater();
    const { problems, message, reason = message } = refusal;
    return { kind: "refused", problems, reason: problems.find(isError)?.message ?? reason };
  }

  #tryLater(): void {
    this.#retry = this.#options.clock.schedule(this.#pauseMs, () => void this.#enqueue());
    this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2);
  }

  /** Returns: `null` when the configuration is in force. One that is refused changes nothing. */
  async #take(started: Started): Promise<Refusal | null> {
    const { path, env, read, watch } = this.#options;
    const { files, problems: unreadable, volumes } = await read();
    watch.remember(volumes);
    const { config, problems: ofText } = await this.#load(files, env);
    const problems = [...unreadable, ...ofText];
    const isEmpty = isEmptyConfig(files);
    if (isEmpty && !this.#wasEmpty && !problems.some(isError)) problems.push(emptied(path));
    const errors = problems.filter(isError);
    if (config === undefined || errors.length > 0) {
      const isPassing = errors.length > 0 && errors.every(({ code }) => code === "CONFIG_FILE_UNREADABLE");
      const message = "the configuration is not taken, the one before stays in force";
      return { isPassing, problems, message };
    }
    if (this.#isEnded) return null;
    try {
      await this.#putInForce(config, problems, started);
    } catch (caught) {
      const reason = messageOf(caught);
      const message = "the new configuration cannot be put in force, the one before stays";
      return { isPassing: true, problems, message, reason };
    }
    this.#wasEmpty = isEmpty;
    return null;
  }

  async #putInForce(wanted: ResolvedConfig, problems: readonly Problem[], started: Started): Promise<void> {
    const { server, log, threshold } = started;
    const changes = diffConfigs(this.#inForce!, wanted);
    const waiting = changes.filter((change) => change.kind === "setting" && change.restarts === "process");
    const taken = changes.filter((change) => !waiting.includes(change));
    const warnings = problems.filter(({ severity }) => severity === "warning").length;
    const next = await server.configure(wanted, warnings);
    this.#inForce = next;
    threshold.level = serverLogLevel(next.logLevel);
    for (const one of problems) logProblem(log, one);
    if (waiting.length > 0)
      log.warn("some settings change with the next start only", { settings: waiting.map(describe) });
    log.info("the configuration was read anew", {
      path: this.#options.path,
      changes: taken.slice(0, MAX_NAMED_CHANGES).map(describe),
      changed: taken.length,
    });
  }

  /** What is tried again and again is said once for each reason. */
  #refuse({ isPassing, problems, message, reason }: Refusal, { server, log }: Started): void {
    const { path } = this.#options;
    const said = JSON.stringify([message, reason, problems]);
    if (isPassing && said === this.#said) return;
    this.#said = said;
    for (const one of problems) logProblem(log, one);
    const hint = isPassing ? { hint: "it is tried again" } : {};
    log.error(message, { path, ...(reason === undefined ? {} : { reason }), ...hint });
    const errors = problems.filter(isError);
    const whole = [{ file: path, line: 0, column: 0, message: reason ?? message }];
    server.reloadRefused(errors.length > 0 ? errors : whole);
  }
}

function isError({ severity }: Problem): boolean {
  return severity === "error";
}

/** A ConfigMap whose keys were lost would end every stream, and open port 80: nobody means that. */
function emptied(path: string): Problem {
  const message = "nothing is configured any more, and a server that runs does not take that";
  const hint = "if it is meant, start the server anew";
  return problem("error", "CONFIG_NO_FILES", wholeFile(path), message, { hint });
}

function describe(change: ConfigChange): string {
  if (change.kind === "template-order") return "order of templates";
  return change.kind === "setting" ? change.name : `${change.kind} ${change.name} ${change.change}`;
}

/** What is to be said of a configuration once the server runs goes where everything goes. */
export function logProblem(log: Logger, one: Problem): void {
  const { severity, code, file, line, column, message, hint } = one;
  const fields = { code, file, line, column, hint };
  if (severity === "note") log.info(`configuration: ${message}`, fields);
  else if (severity === "error") log.error(`configuration: ${message}`, fields);
  else log.warn(`configuration: ${message}`, fields);
}
