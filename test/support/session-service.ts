/** Sessions of a server as a test wants them, in place of the real ones. */
import type { SessionRow } from "../../src/api/metrics/figures.ts";
import type { SessionsView } from "../../src/api/sessions-view.ts";
import type { SessionAuthority } from "../../src/server/access/session-authority.ts";
import type { SessionService } from "../../src/server/access/server-sessions.ts";
import { openAuthority } from "./open-authority.ts";

/** Nobody plays and nobody publishes. */
export const NO_SESSIONS: SessionsView = {
  list: () => [],
  get: () => null,
  kick: () => false,
  reauth: () => {},
};

/** Everyone may, and the API shows nobody, unless given. */
export function sessionService(
  own: {
    readonly table?: SessionAuthority;
    readonly view?: SessionsView;
    readonly rows?: SessionRow[];
  } = {},
): SessionService {
  return {
    table: own.table ?? openAuthority(),
    start: () => Promise.resolve(),
    configure: () => Promise.resolve(),
    close: () => {},
    view: () => own.view ?? NO_SESSIONS,
    rows: () => own.rows ?? [],
    totals: () => ({
      denied: {},
      wrong: {},
      asked: {},
      askedS: { bounds: [], counts: [0], sum: 0 },
      waiting: 0,
    }),
  };
}
