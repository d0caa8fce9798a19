import type { Fault } from "./recording-values.ts";

/** A bucket of object storage, and where in it. Without keys: credentials come from the environment. Never log it. */
export type BucketPlan = {
  /** Scheme, host and port, as in "https://s3.example.org" or "http://minio:9000". */
  readonly endpoint: string;
  readonly bucket: string;
  /** Parts with "/" between them, none at the ends; "" is the whole bucket. */
  readonly prefix: string;
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly region?: string;
};

/** A bucket, or what is wrong with the text of it: without the text, for there is a secret in it. */
export type BucketReading = { readonly bucket: BucketPlan } | Fault;

/** Longest path inside the bucket, in bytes: S3 takes 1024 for a whole key, and a stream's name has up to 255. */
const MAX_PREFIX_BYTES = 512;

const MAX_ACCESS_KEY_LENGTH = 128;
const MAX_SECRET_KEY_LENGTH = 256;

const FORM = "write s3://[KEY:SECRET@]HOST[:PORT]/BUCKET[/PREFIX]";
const REGION = /^[a-z][a-z\d-]{0,63}$/;

/**
 * Reads `s3://KEY:SECRET@HOST:PORT/BUCKET/PREFIX?region=NAME`; all but host and bucket may be left out.
 *
 * The credentials end at the last `@`, so that a `/` in a secret needs no escape; elsewhere an `@` is written `%40`.
 * `s3://` means HTTPS where no port is named, or 443, and HTTP on any other port, as stores inside a cluster have it;
 * `s3s://` always means HTTPS. Without `region` it is taken from hosts such as `s3.eu-central-1.example.org`.
 *
 * Spec: RFC 3986 sections 2.1 and 3; Amazon S3 User Guide, "Bucket naming rules" and "Object key naming guidelines".
 */
export function readBucketUrl(text: string): BucketReading {
  const scheme = /^(s3s?):\/\//i.exec(text);
  if (scheme === null) return { fault: "this is no URL of a bucket", hint: FORM };
  const rest = text.slice(scheme[0].length);
  const at = rest.lastIndexOf("@");
  const keys: Keys | Fault = at === -1 ? {} : readKeys(rest.slice(0, at));
  if ("fault" in keys) return keys;
  const [, authority = "", path = "", query] =
    /^([^/?]*)([^?]*)(?:\?(.*))?$/s.exec(rest.slice(at + 1)) ?? [];
  const host = readHost(authority, scheme[1]!.toLowerCase() === "s3s");
  if ("fault" in host) return host;
  const place = readPlace(path);
  if ("fault" in place) return place;
  const region = query === undefined ? regionOf(host.name) : /^region=(.*)$/s.exec(query)?.[1];
  if (query !== undefined && (region === undefined || !REGION.test(region)))
    return { fault: "what stands behind the ? is no region", hint: "as in ?region=eu-central-1" };
  return {
    bucket: { endpoint: host.endpoint, ...place, ...keys, ...(region === undefined ? {} : { region }) },
  };
}

/**
 * Writes a bucket so that it reads back the same; without its credentials unless they are asked for.
 */
export function showBucketUrl(bucket: BucketPlan, { secrets }: { readonly secrets: boolean }): string {
  const { endpoint, prefix, accessKey, secretKey, region } = bucket;
  const [protocol, host = ""] = endpoint.split("://");
  // Only a port without HTTPS, and HTTPS without a port, are what `s3://` means.
  const scheme = protocol === "https" && hasPort(host) ? "s3s" : "s3";
  const hasKeys = secrets && accessKey !== undefined && secretKey !== undefined;
  const keys = hasKeys ? `${encodeURIComponent(accessKey)}:${encodeURIComponent(secretKey)}@` : "";
  const path = [bucket.bucket, ...prefix.split("/").filter((part) => part !== "")].map(encodeURIComponent);
  const isOther = region !== undefined && region !== regionOf(host.replace(/:\d+$/, ""));
  return `${scheme}://${keys}${host}/${path.join("/")}${isOther ? `?region=${region}` : ""}`;
}

type Keys = Pick<BucketPlan, "accessKey" | "secretKey">;

function readKeys(text: string): Keys | Fault {
  const colon = text.indexOf(":");
  const accessKey = decoded(colon === -1 ? "" : text.slice(0, colon));
  const secretKey = decoded(text.slice(colon + 1));
  if (accessKey === undefined || secretKey === undefined)
    return { fault: "a % in the credentials begins no escape", hint: "write a % itself as %25" };
  if (accessKey === "" || secretKey === "")
    return { fault: "the credentials in front of the @ are not KEY:SECRET", hint: FORM };
  const isGood = [accessKey, secretKey].every((key) => /^[\x21-\x7E]+$/.test(key));
  if (!isGood)
    return {
      fault: "there is an odd character in the credentials",
      hint: "they are ASCII, without spaces",
    };
  if (accessKey.length > MAX_ACCESS_KEY_LENGTH || secretKey.length > MAX_SECRET_KEY_LENGTH)
    return { fault: "the credentials are too long", hint: FORM };
  return { accessKey, secretKey };
}

function readHost(authority: string, isSecure: boolean): { name: string; endpoint: string } | Fault {
  const match = /^(\[[\dA-Fa-f:.]+\]|[A-Za-z\d][A-Za-z\d._-]{0,252})(?::(\d{1,5}))?$/.exec(authority);
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  const isGood =
    match !== null && port !== 0 && (port ?? 0) <= 65_535 && URL.canParse(`http://${match[1]}/`);
  if (!isGood) return { fault: "no host that could be right stands in front of the bucket", hint: FORM };
  const name = match[1]!.toLowerCase();
  const isPlain = !isSecure && port !== undefined && port !== 443;
  const shownPort = port === undefined || port === 443 ? "" : `:${port}`;
  return { name, endpoint: `${isPlain ? "http" : "https"}://${name}${shownPort}` };
}

function readPlace(path: string): { bucket: string; prefix: string } | Fault {
  const parts = path.split("/").slice(1).map(decoded);
  if (parts.at(-1) === "") parts.pop();
  const [bucket = "", ...inside] = parts;
  if (parts.includes(undefined))
    return { fault: "a % in the path begins no escape", hint: "write a % itself as %25" };
  if (bucket === "") return { fault: "no bucket stands behind the host", hint: FORM };
  if (!/^[A-Za-z\d][\w.-]{2,62}$/.test(bucket))
    return { fault: "this bucket has no good name", hint: "3 to 63 letters, digits, dots and hyphens" };
  if (inside.some((part) => part === undefined || part === "" || part === "." || part === ".."))
    return { fault: 'a part of the path is empty, "." or ".."', hint: FORM };
  const prefix = inside.join("/");
  if (/[\p{Cc}\p{Cs}]/u.test(prefix)) return { fault: "there is a control character in the path" };
  if (inside.some((part) => part?.includes("/") === true))
    return { fault: "a part of the path has a / in it", hint: FORM };
  if (new TextEncoder().encode(prefix).length > MAX_PREFIX_BYTES)
    return { fault: `the path is longer than ${MAX_PREFIX_BYTES} bytes` };
  return { bucket, prefix };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** As in s3.eu-central-1.amazonaws.com and s3-eu-west-1.amazonaws.com; no name of a company ends in a number like that. */
function regionOf(host: string): string | undefined {
  return /^s3[.-](?:dualstack\.)?([a-z]+(?:-[a-z]+)*-\d+)\.[^.]+\.[^.]+/.exec(host)?.[1];
}

function hasPort(host: string): boolean {
  return /:\d+$/.test(host);
}
