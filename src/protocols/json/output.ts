import { late } from "../../base/late/late.ts";
import type { HttpOutput } from "../../packaging/http-output.ts";
import { parseJsonPath } from "./path.ts";

const replies = late("JSON about streams", () => import("./reply.ts"));

/** What streams, what was recorded of them, and files are made of, as JSON. */
export const jsonOutput: HttpOutput = {
  protocol: "api",
  parse(path) {
    const parsed = parseJsonPath(path);
    if (parsed === null) return null;
    const { resource, ...place } = parsed;
    return {
      ...place,
      reply: (presentation, asked) => replies(({ jsonReply }) => jsonReply(resource, presentation, asked)),
    };
  },
};
