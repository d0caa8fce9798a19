import type { HttpHeaders } from "../base/http-message.ts";

/** What the API says is data, whatever somebody put into it: no page, and nothing for a frame. */
export const DATA_HEADERS: HttpHeaders = [
  ["x-content-type-options", "nosniff"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
];
