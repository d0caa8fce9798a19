/** How a session was set up, as plain data. Units of times: microseconds UTC. */
export type SetUp = {
  readonly kind: "play" | "publish";
  readonly name: string;
  readonly proto: string;
  /** `null` for a session that was not let in. */
  readonly sessionId: string | null;
  readonly claimedUs: number;
  /** When it was known whether it may. */
  readonly judgedUs: number;
  /** `allowed`, or why not. */
  readonly outcome: "allowed" | "denied" | "redirected" | "failed";
  readonly reason?: string;
  /** Servers that were asked, by their hosts, without anything else of their addresses. */
  readonly asked: readonly Asked[];
};

/** A server that was asked. */
export type Asked = {
  readonly host: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly outcome: string;
};

/** What is said of the server that tells of it. */
export type TraceService = { readonly version: string; readonly serverId: string };
