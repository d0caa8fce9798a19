import { CLOSE_CODE } from "../base/web-socket/errors.ts";
import type { SubscriptionEnd } from "../stream/wire-format.ts";

/** How a WebSocket is closed: its code, and the reason in words. Spec: RFC 6455 section 7.4. */
export type SocketEnd = { readonly code: number; readonly reason: string };

/** How a viewer's WebSocket is closed when the core ends its subscription; players choose by the code what they do next. */
export const SOCKET_ENDS: Readonly<Record<SubscriptionEnd, SocketEnd>> = {
  "stream-ended": { code: CLOSE_CODE.normal, reason: "the stream has ended" },
  "server-stopping": { code: CLOSE_CODE.goingAway, reason: "the server stops" },
  "not-on-air": { code: CLOSE_CODE.tryAgainLater, reason: "nobody publishes the stream now" },
  "too-slow": { code: CLOSE_CODE.tryAgainLater, reason: "too slow for this stream" },
  "no-room": { code: CLOSE_CODE.tryAgainLater, reason: "there is no room for this viewer now" },
  "not-carried": { code: CLOSE_CODE.normal, reason: "the stream has nothing that this output can carry" },
  "tracks-not-there": {
    code: CLOSE_CODE.normal,
    reason: "the stream has none of the tracks that were asked for",
  },
};
