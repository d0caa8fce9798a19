import type { HttpRequest } from "../base/http-message.ts";

/**
 * Whether a web page of another site sends a request: browsers say so, and let a page send what it likes. A sandboxed page
 * or one from a disk has the origin `null`. Who is no browser says nothing. Spec: RFC 6454 section 7.
 */
export function isOfAnotherSite(request: HttpRequest): boolean {
  const origin = request.header("origin");
  if (origin === undefined) return false;
  const own = request.header("host")?.toLowerCase();
  return !URL.canParse(origin) || new URL(origin).host !== own;
}
