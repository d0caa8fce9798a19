/**
 * Whether `allowed_hosts` lets the server connect to a host: `example.com` is that host, `*.example.com` all below it.
 * `hostname`: as `URL.hostname` has it. An empty list lets all.
 */
export function isAllowedHost(hostname: string, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  const host = plain(hostname);
  return allowed.some((one) => {
    const pattern = plain(one);
    return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
  });
}

function plain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}
