import type { SessionEnd } from "../../auth/claim.ts";
import type { Clock } from "../../base/clock.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { RtmpAdmission } from "../../protocols/rtmp/connection.ts";
import type { Permit } from "../../stream/permit.ts";
import { archiveAddress } from "../archives/connections.ts";
import { recordedFileName } from "../recorded-file-name.ts";
import { accessRulesOf } from "./access-rules.ts";
import { AccessGate } from "./gate.ts";
import { HttpGate } from "./http-gate.ts";
import { rtmpClaim } from "./rtmp-claim.ts";
import type { SessionControl } from "./session-authority.ts";

/** What access needs of its media node. */
export type NodeAccessParts = {
  readonly clock: Clock;
  readonly sessions: SessionControl;
  readonly sessionSalt: string;
  /** The configuration in force. */
  config(): ResolvedConfig;
  /** Whether a name is a file's, and no stream's. */
  isFile(name: string): boolean;
};

/** Who may play and publish in one media thread, over all protocols. */
export class NodeAccess {
  readonly http: HttpGate;
  readonly #gate: AccessGate;
  readonly #parts: NodeAccessParts;

  constructor(parts: NodeAccessParts) {
    const { clock, sessions, sessionSalt } = parts;
    this.#parts = parts;
    this.#gate = new AccessGate({
      ...{ clock, control: sessions, salt: sessionSalt },
      rulesOf: (kind, name) => accessRulesOf(parts.config(), kind, name),
    });
    this.http = new HttpGate({ gate: this.#gate, tokenKey: () => parts.config().authToken });
  }

  /** Leave for an RTMP connection. Throws or rejects with ACCESS_*, SPAN_BAD_TIME. */
  admitRtmp(asked: RtmpAdmission, isTls: boolean): Permit | Promise<Permit> {
    const { kind, target } = asked;
    const isFile = kind === "play" && this.#parts.isFile(target.name);
    const isOfStream = kind === "play" && !isFile;
    const past = isOfStream ? archiveAddress(target.name, new URLSearchParams(target.query)) : null;
    const own = isFile ? recordedFileName(target.name, target.container) : target.name;
    const name = past?.name ?? own;
    const { extraKeys } = this.#gate.rules(kind, name);
    const tokenKey = this.#parts.config().authToken;
    return this.#gate.permit(rtmpClaim(asked, { name, isDvr: past !== null, isTls, tokenKey, extraKeys }));
  }

  /** Begins a session of the server's own: a recording, or an input that it plays itself. */
  beginOwn(kind: "record" | "ingest", name: string, proto: string): Permit {
    return this.#gate.ownPermit({ kind, name, proto, ip: "", extraKeys: "", isTls: false, isDvr: false });
  }

  /** Another configuration is in force. */
  configure(): void {
    this.#gate.configure();
    this.http.configure();
  }

  /** The authority has ended sessions. */
  end(ends: readonly SessionEnd[]): void {
    this.#gate.end(ends);
  }

  /** The thread ends: what was not reported yet is. */
  close(): void {
    this.#gate.close();
  }
}
