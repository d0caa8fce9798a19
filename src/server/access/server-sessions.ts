import { hostname } from "node:os";
import type { AccessTotals, SessionRow } from "../../api/metrics/figures.ts";
import { playEvents } from "../../api/events/play-events.ts";
import type { EventBus } from "../../api/events/event-bus.ts";
import { sessionJson } from "../../api/sessions-view.ts";
import type { SessionsView } from "../../api/sessions-view.ts";
import type { RepeatedFailures } from "../../auth/credentials/failures.ts";
import { Failures } from "../../auth/credentials/failures.ts";
import { PasswordVerifier } from "../../auth/credentials/password-verifier.ts";
import { sessionFields } from "../../auth/sessions/session.ts";
import type { Session } from "../../auth/sessions/session.ts";
import type { TraceOf } from "../../auth/sessions/set-up-trace.ts";
import type { SessionChange } from "../../auth/sessions/table-options.ts";
import type { SessionTable } from "../../auth/sessions/session-table.ts";
import type { TokenCheck } from "../../auth/tokens/token-result.ts";
import type { Clock } from "../../base/clock.ts";
import { Histogram } from "../../base/histogram.ts";
import { late } from "../../base/late/late.ts";
import type { Logger } from "../../base/log.ts";
import { dropOldest } from "../../base/oldest.ts";
import { matchTemplate } from "../../config/match.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { parseStreamName } from "../../media/ids.ts";
import { GeoipFile } from "../credentials/geoip-file.ts";
import { fetchText, readText } from "../credentials/outside-text.ts";
import { HostGuard } from "../outside-hosts.ts";
import { planOf } from "../live/stream-rules.ts";
import { accessRulesOf, asksServers } from "./access-rules.ts";
import type { SessionAuthority } from "./session-authority.ts";
import { SessionCounts } from "./session-counts.ts";
import { createSessions } from "./sessions.ts";
import type { Sessions } from "./sessions.ts";

/**
 * The longest delay of an answer to a wrong password of a publisher. Media threads wait no longer than 10 s for an answer, and
 * would give another one. Units: milliseconds.
 */
const MAX_GUESS_DELAY_MS = 8000;

/** How long servers take that are asked. Units: seconds. */
const ASK_BOUNDS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5];

/** Sessions that are over and can still be looked up, so that it is seen why. */
const MAX_OVER = 1000;

/** What the sessions of the server need. */
export type ServerSessionsOptions = {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bus: Pick<EventBus, "emit">;
  /** Follows set-ups for traces; absent: none is followed. */
  readonly traceOf?: TraceOf;
};

/** What the server needs of sessions; other ones in tests. */
export type SessionService = Pick<
  ServerSessions,
  "start" | "configure" | "close" | "view" | "rows" | "totals"
> & {
  readonly table: SessionAuthority;
};

/**
 * The sessions of the server, in the control thread: the table, who judges it by the configuration in force, what events and
 * metrics are told of it, and what the API shows.
 */
export class ServerSessions {
  readonly #options: ServerSessionsOptions;
  readonly #sessions: Sessions;
  readonly #hosts: HostGuard;
  readonly #tell: ReturnType<typeof playEvents>;
  readonly #counts = new SessionCounts();
  /** Those that ended last. Bounded: `MAX_OVER`. */
  readonly #over = new Map<string, Session>();
  readonly #askedS = new Histogram(ASK_BOUNDS_S);
  /** Wrong passwords of publishers, and tokens with wrong signatures. */
  readonly #wrong: Record<string, number> = { password: 0, token: 0 };
  readonly #asked: Record<string, number> = { allowed: 0, denied: 0, redirected: 0, failed: 0 };
  #config: ResolvedConfig;
  #countries: GeoipFile | null = null;

  constructor(options: ServerSessionsOptions) {
    const { clock, log, config, bus, traceOf } = options;
    this.#options = options;
    this.#config = config;
    this.#tell = playEvents(bus);
    this.#hosts = new HostGuard({ clock, allowed: () => this.#config.allowedHosts });
    const passwords = new PasswordVerifier();
    const guesses = this.#failures("password", MAX_GUESS_DELAY_MS);
    const forged = this.#failures("token");
    this.#sessions = createSessions({
      clock,
      log,
      rulesOf: (kind, name) => accessRulesOf(this.#config, kind, name),
      checkToken: this.#tokenCheck(),
      guesses,
      onWrong: (what, { ip, token }) => {
        this.#wrong[what] = (this.#wrong[what] ?? 0) + 1;
        // Not slowed down: a CDN's address is that of all its viewers.
        if (what === "token") forged.count(ip, token);
      },
      matchesPassword: (said, password) => passwords.verify(said, password),
      countryOf: (ip) => this.#countries?.countryOf(ip),
      hosts: this.#hosts,
      namedByOf: (name) => namedBy(this.#config, name),
      host: config.hostname ?? hostname(),
      onChange: (change) => this.#changed(change),
      ...(traceOf === undefined ? {} : { traceOf }),
      onAnswer: (tookMs, kind) => {
        this.#askedS.observe(tookMs / 1000);
        this.#asked[kind] = (this.#asked[kind] ?? 0) + 1;
      },
    });
  }

  /** Who media threads ask and tell. */
  get table(): SessionTable {
    return this.#sessions.table;
  }

  /** Gets what judging takes; resolves when it is there or could not be had. Never rejects. */
  async start(): Promise<void> {
    await this.#prepare();
  }

  /** Another configuration is in force: to be called before media threads hear of it. */
  async configure(config: ResolvedConfig): Promise<void> {
    this.#config = config;
    this.table.configure((kind, name) => accessRulesOf(config, kind, name));
    await this.#prepare();
  }

  /** Requests on their way to servers fail. */
  close(): void {
    this.#countries?.close();
    this.#sessions.close();
  }

  /** The table as the API sees it. */
  view(): SessionsView {
    const { table } = this;
    const shown = (session: Session, showsTokens: boolean) =>
      sessionFields(session, { showsTokens, tokenKey: this.#config.authToken });
    return {
      *list({ showsTokens }) {
        for (const session of table.list()) yield shown(session, showsTokens);
      },
      get: (id, { showsTokens }) => {
        const session = table.get(id) ?? this.#over.get(id);
        return session === undefined ? null : shown(session, showsTokens);
      },
      kick: (id) => table.kick(id),
      reauth: (name) => void table.reauth(name),
      crowds: () => this.#counts.crowds(table.list()),
    };
  }

  /** Open sessions, and those that there were, by what they do and over which protocol. */
  rows(): SessionRow[] {
    return this.#counts.rows(this.table.list());
  }

  /** Figures of who was asked and refused. `adminFailures` is somebody else's to know. */
  totals(): Omit<AccessTotals, "adminFailures"> {
    let waiting = 0;
    for (const stats of this.#sessions.backends.stats().values()) waiting += stats.waiting;
    return {
      denied: { ...this.#counts.denied },
      wrong: { ...this.#wrong },
      asked: { ...this.#asked },
      askedS: this.#askedS.figures(),
      waiting,
    };
  }

  /** Failures of one kind, by address, that are told of when they come again and again. */
  #failures(what: "password" | "token", maxDelayMs?: number): Failures {
    const { clock, log, bus } = this.#options;
    const onRepeated = ({ ip, count }: RepeatedFailures): void => {
      log.warn(`wrong ${what}s come again and again from an address`, { ip, count });
      bus.emit("auth_failed", { what, ip, attempts: count });
    };
    return new Failures(clock, onRepeated, maxDelayMs);
  }

  #keepOver(session: Session): void {
    this.#over.delete(session.id);
    this.#over.set(session.id, session);
    dropOldest(this.#over, MAX_OVER);
  }

  #changed(change: SessionChange): void {
    this.#counts.changed(change);
    if (change.kind === "denied") {
      const { claim, country, reason } = change;
      const { kind, name, proto, ip, userAgent } = claim;
      const session = { type: kind, name, proto, ip, country, user_agent: userAgent, reason };
      this.#tell({ what: "denied", session });
      return;
    }
    if (change.kind === "closed") this.#keepOver(change.session);
    const show = { showsTokens: false, tokenKey: this.#config.authToken };
    const session = sessionJson(sessionFields(change.session, show)) as Record<string, unknown>;
    this.#tell({ what: change.kind, session });
  }

  async #prepare(): Promise<void> {
    if (asksServers(this.#config)) await this.#sessions.prepare();
    await this.#followCountries();
  }

  async #followCountries(): Promise<void> {
    const { geoip } = this.#config;
    if (this.#countries?.path === geoip && geoip !== undefined) return;
    this.#countries?.close();
    this.#countries = geoip === undefined ? null : new GeoipFile(geoip, this.#options);
    await this.#countries?.start();
  }

  /** Loaded with the first token that is checked here: most servers have none. */
  #tokenCheck(): TokenCheck {
    const tokens = late("checks of tokens", async () => {
      const { createTokenCheck } = await import("../../auth/tokens/check-token.ts");
      const fetch = (url: string, maxBytes: number): Promise<string> =>
        fetchText(url, maxBytes, this.#hosts);
      return createTokenCheck({ clock: this.#options.clock, fetchText: fetch, readText });
    });
    return async (authorizer, claim, nowMs) => await tokens((check) => check(authorizer, claim, nowMs));
  }
}

/** By what the stream of a name was set up. */
function namedBy(config: ResolvedConfig, name: string): string | undefined {
  const streamName = parseStreamName(name);
  if (streamName === null || planOf(config, streamName) === null) return undefined;
  return matchTemplate(config, streamName)?.kind === "stream" ? "config" : "user";
}
