/** Where URLs that are given by API may lead, so that nobody makes the server ask whom he could not ask himself. */
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

/** Names and addresses at which clouds give credentials to whoever asks from inside. */
const METADATA_NAMES: readonly string[] = ["metadata.google.internal", "metadata", "instance-data"];
const METADATA_ADDRESSES: readonly RegExp[] = [
  /^169\.254\./,
  /^100\.100\.100\.200$/,
  /^192\.0\.0\.192$/,
  /^168\.63\.129\.16$/,
  /^fe80:/,
  /^fd00:ec2:/,
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
      const reason = hostFault(host, allowed);
      if (reason === undefined) continue;
      // Seldom asked: a file may have ten thousand of them.
      known ??= new Set(urlsIn(before));
      if (!known.has(url)) throw editErrors.error("EDIT_HOST_NOT_ALLOWED", { host, reason });
    }
  }
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

/** Why the server may not ask a host; `undefined` when it may. */
export function hostFault(host: string, allowed: readonly string[]): string | undefined {
  if (allowed.some((pattern) => fits(host, pattern))) return undefined;
  if (METADATA_NAMES.includes(host) || METADATA_ADDRESSES.some((pattern) => pattern.test(host))) {
    return "credentials of clouds are kept there";
  }
  return allowed.length === 0 ? undefined : "it is none of allowed_hosts";
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
  const { hostname } = new URL(`http://${authority}/`);
  const host = hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return mappedIpv4(host) ?? host;
}

/** Spec: RFC 4291 section 2.5.5.2, as URLs write it. */
function mappedIpv4(host: string): string | undefined {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (match === null) return undefined;
  const [high, low] = [Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16)];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

function fits(host: string, pattern: string): boolean {
  if (pattern.startsWith("*.")) return host.endsWith(pattern.slice(1).toLowerCase());
  if (pattern.includes("/")) return isInNetwork(host, pattern);
  return host === pattern.toLowerCase();
}

function isInNetwork(host: string, network: string): boolean {
  const [address = "", length = ""] = network.toLowerCase().split("/");
  const [own, other] = [bitsOf(host), bitsOf(address)];
  const bits = Number(length);
  return (
    own !== undefined &&
    other !== undefined &&
    own.length === other.length &&
    own.slice(0, bits) === other.slice(0, bits)
  );
}

/** An address as its bits; `undefined` for a name. */
function bitsOf(host: string): string | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) {
    return host
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  }
  if (!host.includes(":") || !/^[0-9a-f:]+$/.test(host)) return undefined;
  const [left = "", right] = host.split("::");
  const [front, back] = [groupsOf(left), groupsOf(right ?? "")];
  const zeros =
    right === undefined
      ? []
      : Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0");
  return [...front, ...zeros, ...back]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
}

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":");
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
