import { Backends } from "../../auth/backends/backends.ts";
import type { BackendsOptions } from "../../auth/backends/backends.ts";
import { Judge } from "../../auth/sessions/judge.ts";
import type { JudgeOptions } from "../../auth/sessions/judge.ts";
import { SessionTable } from "../../auth/sessions/session-table.ts";
import type { SessionTableOptions } from "../../auth/sessions/table-options.ts";
import { LateBackendHttp } from "./late-backend-http.ts";
import type { BackendHttpOptions } from "./backend-http.ts";

/** What the sessions of a server need. */
export type SessionsOptions = Omit<SessionTableOptions, "judge"> &
  Pick<JudgeOptions, "checkToken" | "matchesPassword" | "guesses" | "onWrong"> &
  Pick<BackendsOptions, "onAnswer"> &
  Pick<BackendHttpOptions, "hosts">;

/**
 * All that the control thread has of sessions. `backends`: for figures. `prepare`: servers will be asked; never rejects.
 * `close`: requests on their way fail.
 */
export type Sessions = {
  readonly table: SessionTable;
  readonly backends: Backends;
  prepare(): Promise<void>;
  close(): void;
};

/** Puts together who judges sessions, how servers are asked, and the table of them all. One for the process. */
export function createSessions(options: SessionsOptions): Sessions {
  const { clock, log, onAnswer } = options;
  const http = new LateBackendHttp(options);
  const { ask } = http;
  const backends = new Backends({ ask, clock, log, ...(onAnswer === undefined ? {} : { onAnswer }) });
  const judge = new Judge({
    ...options,
    askServer: (url, question, lane) => backends.ask(url, question, lane),
    wallMs: () => Math.floor(clock.wallUs() / 1000),
  });
  const table = new SessionTable({ ...options, judge });
  return { table, backends, prepare: () => http.prepare(), close: () => http.close() };
}
