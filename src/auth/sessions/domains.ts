/** Sites whose pages may play. */

/**
 * Whether the page that `referer` names, an address or an origin, is of one of the sites.
 *
 * `example.com` is that host alone, `*.example.com` all below it. Without a page there is no leave: a lock that a player opens by
 * not saying where it comes from is none. Letters count in any case.
 */
export function isAllowedPage(domains: readonly string[], referer: string | undefined): boolean {
  if (referer === undefined || !URL.canParse(referer)) return false;
  const host = new URL(referer).hostname.toLowerCase();
  return domains.some((domain) => {
    const wanted = domain.toLowerCase();
    return wanted.startsWith("*.")
      ? host.endsWith(wanted.slice(1)) && host.length >= wanted.length
      : host === wanted;
  });
}
