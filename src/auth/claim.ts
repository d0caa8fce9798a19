/** What media threads and the control thread say to each other of sessions. Plain data: it is cloned on its way. */
import type { AccessRules } from "./rules.ts";

/** What somebody wants. */
export type SessionKind = "play" | "publish";

/**
 * Words of `proto` with which something is only told or shown of what plays: pictures, JSON, the player page. They are judged,
 * and count against no limit: who plays asks for them as well.
 */
export const TOLD_PROTOCOLS: readonly string[] = ["api", "jpeg", "player"];

/** What a client that wants to begin says of itself. */
export type SessionClaim = {
  readonly kind: SessionKind;
  /** Of the stream, or of the file with its vod's prefix. */
  readonly name: string;
  /** The word of the `protocols` directive: hls, dash, rtmp, tshttp, mseld, jpeg, mp4, api and so on. */
  readonly proto: string;
  /** The client's address, without port; IPv4 mapped into IPv6 is written as IPv4. */
  readonly ip: string;
  /** As the client gave it, or as the server made it for one that has none; absent: none. */
  readonly token?: string;
  /** The server made the token up for this one connection: another one of the same viewer has another. */
  readonly isTokenMade?: true;
  /** Of a long token only the beginning is here, as nobody asked about it: who is to judge it has to hear it anew. */
  readonly isTokenCut?: true;
  /** What a publisher said as its password, where that is apart from the token. */
  readonly password?: string;
  /** Values of those session keys that are headers or parts of the query, joined; "" where there are none. */
  readonly extraKeys: string;
  /** Without the question mark; at most 4096 characters. */
  readonly queryString?: string;
  readonly userAgent?: string;
  readonly referer?: string;
  /** `referer` is a page of this server: of its player, which was judged by the page around it. */
  readonly isOwnPage?: boolean;
  readonly isTls: boolean;
  /** It plays what is recorded. */
  readonly isDvr: boolean;
};

/** What is answered to a claim. */
export type Verdict =
  | {
      readonly kind: "allowed";
      readonly id: string;
      /** A word of the backend's that tells users apart. */
      readonly userId?: string;
    }
  | {
      readonly kind: "denied";
      /** 401: a password is missing; 403; 503: nobody could be asked. */
      readonly status: 401 | 403 | 503;
      readonly reason: string;
      /** For so long the same claim is answered the same, without asking again. Units: milliseconds. */
      readonly forMs: number;
    }
  | { readonly kind: "redirected"; readonly location: string; readonly forMs: number };

/** How a session is doing, as the thread that serves it has it. Sent once a second at most, all changed ones together. */
export type SessionProgress = {
  readonly id: string;
  /** Bytes sent to a viewer, or had from a publisher, since the last report. */
  readonly bytes: number;
  /** None of the bytes were media: playlists, and what decoders are set up with. Absent: they were. */
  readonly hasNoMedia?: true;
  /** UTC in microseconds. */
  readonly seenUs: number;
  /** When its first media flowed; said once. Units: as `seenUs`. */
  readonly mediaUs?: number;
};

/** A session is over: whoever serves it closes its connections, and refuses its next requests for `forMs`. */
export type SessionEnd = { readonly id: string; readonly reason: string; readonly forMs: number };

/** The rules of a name, and whether a claim on it has to be judged before anything is served. */
export type RulesOf = (kind: SessionKind, name: string) => AccessRules;
