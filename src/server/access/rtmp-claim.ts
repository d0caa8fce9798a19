import type { SessionClaim } from "../../auth/claim.ts";
import { ownText } from "../../base/own-text.ts";
import type { RtmpAdmission } from "../../protocols/rtmp/connection.ts";
import type { ExtraKey } from "./access-rules.ts";
import { plainAddress } from "../../base/plain-address.ts";

/** What a claim has that RTMP itself does not say. */
export type RtmpClaimFacts = {
  /** Of the stream or file, without a span of time. */
  readonly name: string;
  readonly isDvr: boolean;
  readonly isTls: boolean;
  /** Name of the query's key that has the token. */
  readonly tokenKey: string;
  readonly extraKeys: readonly ExtraKey[];
};

const MAX_QUERY_CHARACTERS = 4096;
const MAX_VALUE_CHARACTERS = 1024;
/** As long as the longest token that is read. */
const MAX_TOKEN_CHARACTERS = 8192;

/**
 * What an RTMP client says of itself. Its token and password stand in the query of the stream's name or of the application, as
 * in `camera?token=...`; the password also in front of the host. There are no headers.
 */
export function rtmpClaim(asked: RtmpAdmission, facts: RtmpClaimFacts): SessionClaim {
  const { kind, target, remoteAddress, flashVersion, pageUrl } = asked;
  const { name, isDvr, isTls, tokenKey, extraKeys } = facts;
  const queryString = target.query.slice(0, MAX_QUERY_CHARACTERS);
  const query = new URLSearchParams(target.query);
  const token = query.get(tokenKey)?.slice(0, MAX_TOKEN_CHARACTERS) ?? "";
  const password = query.get("password") ?? query.get("pass") ?? asked.password;
  const extra = extraKeys.map((key) => (key.kind === "query" ? (query.get(key.name) ?? "") : ""));
  return {
    ...{ kind, name, proto: "rtmp", ip: plainAddress(remoteAddress), isTls, isDvr },
    extraKeys: extra.every((value) => value === "") ? "" : extra.join("\n").slice(0, MAX_VALUE_CHARACTERS),
    ...(token === "" ? {} : { token }),
    ...(password === null ? {} : { password: password.slice(0, MAX_VALUE_CHARACTERS) }),
    ...(queryString === "" ? {} : { queryString }),
    ...(flashVersion === null ? {} : { userAgent: ownText(flashVersion, MAX_VALUE_CHARACTERS) }),
    ...(pageUrl === null ? {} : { referer: ownText(pageUrl, MAX_VALUE_CHARACTERS) }),
  };
}
