/** Where URLs that are given by API may lead, so that nobody makes the server ask whom he could not ask himself. */
import { hostRefusal, plainHost, widenedBy } from "../../auth/host-rules.ts";
import { readBucketUrl } from "../bucket-url.ts";
import { splitUrl } from "../values.ts";
import { readTokens } from "../lexer.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { editErrors } from "./errors.ts";

/** URLs of these schemes name no host. */
const WITHOUT_HOST: readonly string[] = [
  "publish",
  "file",
  "fake",
  "auth",
  "securetoken",
  "signed",
  "jwt",
  "k8s",
];

/**
 * Checks the URLs that a text has and the one before it did not have. `allowed`: `example.com`, `*.example.com`,
 * addresses and networks as `10.0.0.0/8`; empty: all but addresses of metadata.
 *
 * Throws: EDIT_HOST_NOT_ALLOWED.
 */
export function checkHosts(before: string, after: string, allowed: readonly string[]): void {
  let known: ReadonlySet<string> | null = null;
  for (const url of urlsIn(changedLines(before, after))) {
    for (const host of hostsOf(url)) {
      const reason = hostRefusal(host, allowed);
      if (reason === undefined) continue;
      // Seldom asked: a file may have ten thousand of them.
      known ??= new Set(urlsIn(before));
      if (!known.has(url)) throw editErrors.error("EDIT_HOST_NOT_ALLOWED", { host, reason });
    }
  }
}

/**
 * Checks that `allowed_hosts` lets the server go nowhere where it could not go before: who is bound by a list does not
 * make it longer. Both as they are resolved. Throws: EDIT_HOSTS_WIDENED.
 */
export function checkAllowedHosts(before: readonly string[], after: readonly string[]): void {
  const host = widenedBy(before, after);
  if (host !== undefined) throw editErrors.error("EDIT_HOSTS_WIDENED", { host });
}

/** The lines of a text from the first to the last that another text does not have there. No word goes on in a next line. */
function changedLines(before: string, after: string): string {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let same = 0;
  while (
    same < most - start &&
    before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same)
  )
    same++;
  const end = after.indexOf("\n", after.length - same);
  return after.slice(after.lastIndexOf("\n", start - 1) + 1, end === -1 ? after.length : end);
}

/**
 * The hosts that a URL may lead to, for readers disagree about credentials with signs in them; none for a URL that names
 * no host. In one spelling: lower case, IPv4 as four numbers whatever it was written as, IPv6 without brackets.
 */
export function hostsOf(url: string): string[] {
  const parts = splitUrl(url);
  if (parts === undefined || WITHOUT_HOST.includes(parts.scheme)) return [];
  const bucket = parts.scheme.startsWith("s3") ? readBucketUrl(url) : undefined;
  if (bucket !== undefined && "bucket" in bucket) return [spelled(splitUrl(bucket.bucket.endpoint)!.rest)];
  const { rest } = parts;
  const readings = [rest, rest.slice(rest.lastIndexOf("@") + 1)].map((one) => {
    const authority = one.split(/[/?#\\]/)[0] ?? "";
    return authority.slice(authority.lastIndexOf("@") + 1);
  });
  return [...new Set(readings.filter((authority) => authority !== "").map(spelled))];
}

/** What cannot be read as a host is given as it stands. */
function spelled(authority: string): string {
  if (!URL.canParse(`http://${authority}/`)) return authority.toLowerCase();
  return plainHost(new URL(`http://${authority}/`).hostname);
}

/** Words of a text that are URLs, or options whose values are. */
function urlsIn(text: string): string[] {
  if (!text.includes("://")) return [];
  return readTokens(new SourceText({ file: "", text }), new ProblemList()).flatMap(
    ({ kind, text: written }) => {
      if (kind !== "word" || !written.includes("://")) return [];
      const url = /^(?:[\w-]+=)?([A-Za-z][A-Za-z0-9+.-]*:\/\/.*)$/s.exec(written)?.[1];
      return url === undefined ? [] : [url];
    },
  );
}
