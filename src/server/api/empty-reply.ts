import type { HttpReply } from "../../base/http-message.ts";

/** It is done, and there is nothing to tell. */
export const EMPTY_REPLY: HttpReply = { status: 204, headers: [["cache-control", "no-store"]], body: [] };
