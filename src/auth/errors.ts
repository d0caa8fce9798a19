import { defineErrors } from "../base/errors.ts";

/** Errors of passwords and of who may come in. */
export const authErrors = defineErrors({
  AUTH_WEAK_SECRET: {
    disposition: "reject",
    httpStatus: 400,
    message: "sha256 is for random tokens of at least 32 characters; use scrypt or argon2id for a password",
    doc: "A fast hash of something short is found by trying. Make a token with `openssl rand -hex 32`, or hash the password with another algorithm.",
  },
  AUTH_LONG_SECRET: {
    disposition: "reject",
    httpStatus: 400,
    message: "a password has at most 4096 characters",
    doc: "Nothing that long is compared either: take a shorter one.",
  },
  AUTH_SECRETS_DIFFER: {
    disposition: "reject",
    httpStatus: 400,
    message: "the two passwords are not the same",
    doc: "What was typed the second time is another password. Try again.",
  },
  AUTH_BUSY: {
    disposition: "reject",
    httpStatus: 503,
    message: "too many passwords are being checked at the moment",
    doc: "Checking a hashed password takes time, so few are checked at once and few wait. Ask again in a moment; when it goes on, somebody is trying passwords.",
  },
  AUTH_TOO_MANY_FAILURES: {
    disposition: "reject",
    httpStatus: 429,
    message: "too many wrong credentials came from this address; ask again in {seconds} s",
    doc: "After 20 wrong passwords or tokens nothing from the address, or the /64 of IPv6, is judged for half a minute: right ones are not either. Mend the program that asks with the wrong ones; clients behind one proxy share its address.",
  },
  AUTH_BAD_GEOIP: {
    disposition: "reject",
    message: "the file of countries is no MaxMind DB: {reason}",
    doc: "`geoip` names a file that does not read as a MaxMind DB, such as GeoLite2-Country.mmdb. It may be cut off, or still packed (.tar.gz). Countries are looked up in the file before, where there was one.",
  },
  AUTH_BAD_PROXY_HEADER: {
    disposition: "close-session",
    message: "no PROXY header: {reason}",
    doc: "A listener with `proxy_protocol true` takes connections of `trusted_proxies` that begin with a header of the PROXY protocol, version 1 or 2. Tell the proxy to send it (`send-proxy-v2` in haproxy, `proxy_protocol on` in nginx's stream, an attribute of the target group in AWS), or take the word away.",
  },
});
