import type { HttpReply } from "../../base/http-message.ts";
import { late } from "../../base/late/late.ts";
import { liveBodyReply } from "../../packaging/live-body.ts";
import type { LiveBodyParts } from "../../packaging/live-body.ts";

const formats = late("MPEG-TS over HTTP", () => import("./from-stream.ts"));

/** The word of the `protocols` directive. */
export const TS_PROTOCOL = "tshttp";

/**
 * Answers a request for a live stream as MPEG-TS. Throws or rejects as `liveBodyReply` throws, and when the body is
 * started.
 */
export function tsReply(
  name: string,
  parts: Pick<LiveBodyParts, "directory" | "sendWindow">,
): Promise<HttpReply> | HttpReply {
  return formats(({ tsFormat }) =>
    liveBodyReply(name, "video/mp2t", { ...parts, protocol: TS_PROTOCOL, format: tsFormat }),
  );
}
