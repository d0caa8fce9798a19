import type { HttpRequest } from "../base/http-message.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": ":80", "https:": ":443" };

/**
 * Whether a web page of another site sends a request: browsers say so, and let a page send what it likes. A sandboxed page
 * or one from a disk has the origin `null`. Who is no browser says nothing. Spec: RFC 6454 section 7.
 */
export function isOfAnotherSite(request: HttpRequest): boolean {
  const origin = request.header("origin");
  if (origin === undefined) return false;
  if (!URL.canParse(origin)) return true;
  const { protocol, host } = new URL(origin);
  const own = request.header("host")?.toLowerCase();
  // A proxy may name the port that an origin leaves out.
  const isDefault = own === `${host}${DEFAULT_PORTS[protocol] ?? ""}`;
  return own !== host && !isDefault;
}
