import type { SessionClaim } from "../../auth/claim.ts";
import { ownText } from "../../base/own-text.ts";

/** Of each text that a client may choose. Longer ones in 75 000 sessions would be a gigabyte. */
const MAX_TEXT_CHARACTERS = 256;

/**
 * What is told of a session that nobody is asked about: anybody may begin as many as there is room for, so little is kept of
 * each.
 */
export function openClaim(claim: SessionClaim): SessionClaim {
  const { token, queryString, userAgent, referer, extraKeys } = claim;
  const isTokenCut = token !== undefined && token.length > MAX_TEXT_CHARACTERS;
  return {
    ...claim,
    extraKeys: ownText(extraKeys, MAX_TEXT_CHARACTERS),
    ...(token === undefined ? {} : { token: ownText(token, MAX_TEXT_CHARACTERS) }),
    ...(isTokenCut ? { isTokenCut } : {}),
    ...(queryString === undefined ? {} : { queryString: ownText(queryString, MAX_TEXT_CHARACTERS) }),
    ...(userAgent === undefined ? {} : { userAgent: ownText(userAgent, MAX_TEXT_CHARACTERS) }),
    ...(referer === undefined ? {} : { referer: ownText(referer, MAX_TEXT_CHARACTERS) }),
  };
}
