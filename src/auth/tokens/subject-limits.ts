import { Networks } from "../addresses.ts";
import type { SessionClaim, SessionKind } from "../claim.ts";
import { matchesPattern } from "../name-pattern.ts";

/** Longest user's id that a token may have, in characters. */
export const MAX_USER_ID_LENGTH = 256;

/** What a token may be good for. Absent: all; but without `kinds` it plays only. */
export type SubjectLimits = {
  /** Patterns with `*`; one of each list has to fit. */
  readonly names?: readonly (readonly string[])[];
  /** Addresses and networks. */
  readonly ips?: readonly string[];
  readonly protos?: readonly string[];
  readonly kinds?: readonly string[];
};

/** What of a claim a token is checked against. */
export type TokenSubject = Pick<SessionClaim, "kind" | "name" | "proto" | "ip">;

/** Why a token is not good for what it is brought for; `null`: it is. */
export function limitFault(limits: SubjectLimits, subject: TokenSubject): string | null {
  const { names = [], ips, protos, kinds = ["play"] satisfies SessionKind[] } = limits;
  if (!names.every((list) => list.some((pattern) => matchesPattern(subject.name, pattern))))
    return "the token is for another name";
  if (ips !== undefined && !new Networks(ips).has(subject.ip)) return "the token is for another address";
  if (protos !== undefined && !protos.includes(subject.proto)) return "the token is for another protocol";
  return kinds.includes(subject.kind) ? null : `the token is not for ${verb[subject.kind]}`;
}

const verb: Readonly<Record<SessionKind, string>> = { play: "playing", publish: "publishing" };
