import type { HttpReply } from "../../base/http-message.ts";
import { liveBodyReply } from "../../packaging/live-body.ts";
import type { LiveBodyParts } from "../../packaging/live-body.ts";
import { tsFormat } from "./from-stream.ts";

/** The word of the `protocols` directive. */
export const TS_PROTOCOL = "tshttp";

/** Answers a request for a live stream as MPEG-TS. Throws as `liveBodyReply` does, here and when the body is started. */
export function tsReply(name: string, parts: Pick<LiveBodyParts, "directory" | "sendWindow">): HttpReply {
  return liveBodyReply(name, "video/mp2t", { ...parts, protocol: TS_PROTOCOL, format: tsFormat });
}
