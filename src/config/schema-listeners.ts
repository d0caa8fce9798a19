import type { DirectiveSpec, Scope } from "./schema.ts";
import type { ValueType } from "./values.ts";

/** How long media is collected before it is written to the viewers. A bare number counts milliseconds. */
export const SEND_WINDOW: ValueType = {
  kind: "duration",
  minMs: 0,
  maxMs: 2000,
  words: ["auto"],
  bareUnit: "ms",
};

const PLAIN: readonly DirectiveSpec[] = [
  {
    name: "http",
    scopes: ["server"],
    arguments: [{ label: "[ADDRESS:]PORT", type: { kind: "address" } }],
    block: { scope: "http-listener", optional: true },
    repeat: "often",
    default: "80",
    onChange: "listener",
    since: "0.1",
    status: "works",
    doc: "Opens an HTTP listener for playback, pages and the API. Without any, and without `https`, port 80 is opened. Port 0: a free one.",
  },
  {
    name: "api",
    scopes: ["http-listener", "https-listener"],
    arguments: [{ label: "true|false", type: { kind: "boolean" } }],
    repeat: "once",
    default: "true",
    onChange: "listener",
    since: "0.1",
    status: "works",
    doc: "Whether this listener serves the API and the admin pages beside playback.",
  },
  {
    name: "rtmp",
    scopes: ["server"],
    arguments: [{ label: "[ADDRESS:]PORT", type: { kind: "address" } }],
    block: { scope: "rtmp-listener", optional: true },
    repeat: "often",
    onChange: "listener",
    since: "0.1",
    status: "works",
    doc: "Opens an RTMP listener for publishing and playback.",
  },
  {
    name: "send_window",
    scopes: ["http-listener", "https-listener", "rtmp-listener", "rtmps-listener"],
    arguments: [{ label: "auto|MS", type: SEND_WINDOW }],
    repeat: "once",
    default: "auto",
    onChange: "listener",
    since: "0.2",
    status: "works",
    doc: "The same as `send_window` of a stream, for the viewers of this listener; a stream's own wins.",
  },
];

const PROXY_PROTOCOL: DirectiveSpec = {
  name: "proxy_protocol",
  scopes: ["http-listener", "https-listener", "rtmp-listener", "rtmps-listener"],
  arguments: [{ label: "true|false", type: { kind: "boolean" } }],
  repeat: "once",
  default: "false",
  onChange: "listener",
  since: "0.3",
  status: "works",
  doc:
    "Whether connections begin with a header of the PROXY protocol, version 1 or 2, that says whose they are. They are taken " +
    "from `trusted_proxies` alone, which have to be named; all others are closed, probes too: give those a listener without it.",
};

const TLS_LISTENERS: readonly DirectiveSpec[] = [
  {
    name: "https",
    scopes: ["server"],
    arguments: [{ label: "[ADDRESS:]PORT", type: { kind: "address" } }],
    block: { scope: "https-listener", optional: true },
    repeat: "often",
    onChange: "listener",
    since: "0.3",
    status: "works",
    doc: "Opens an HTTP listener with TLS, which also speaks HTTP/2.",
  },
  {
    name: "rtmps",
    scopes: ["server"],
    arguments: [{ label: "[ADDRESS:]PORT", type: { kind: "address" } }],
    block: { scope: "rtmps-listener", optional: true },
    repeat: "often",
    onChange: "listener",
    since: "0.3",
    status: "works",
    doc: "Opens an RTMP listener with TLS.",
  },
];

/** What a listener's TLS is, when nothing is said of it. */
export const TLS_DEFAULTS = {
  certificate: "streamer.crt",
  key: "streamer.key",
  ca: "streamer-ca.crt",
  passphrase: "flussonic",
} as const;

/** Versions of TLS that older configs name, and nobody should speak any more. */
export const OLD_TLS: readonly string[] = ["sslv3", "tlsv1", "tlsv1.1"];

const TLS_VERSIONS: ValueType = {
  kind: "choice",
  values: ["tlsv1.2", "tlsv1.3", ...OLD_TLS],
  aliases: new Map([
    ["TLSv1.2", "tlsv1.2"],
    ["TLSv1.3", "tlsv1.3"],
    ["TLSv1.1", "tlsv1.1"],
    ["TLSv1", "tlsv1"],
    ["SSLv3", "sslv3"],
  ]),
};

const WITH_TLS: readonly Scope[] = ["https-listener", "rtmps-listener"];

function tlsFile(name: string, doc: string): DirectiveSpec {
  return {
    name,
    scopes: WITH_TLS,
    arguments: [{ label: "PATH", type: { kind: "path" } }],
    repeat: "once",
    onChange: "listener",
    since: "0.3",
    status: "works",
    doc,
  };
}

const TLS: readonly DirectiveSpec[] = [
  {
    name: "ssl_protocols",
    scopes: WITH_TLS,
    arguments: [{ label: "VERSION", type: TLS_VERSIONS, many: true }],
    repeat: "once",
    onChange: "listener",
    since: "0.3",
    status: "works",
    doc: "The versions of TLS that are spoken; without it `tlsv1.2` and `tlsv1.3`. Older ones are named in vain.",
  },
  tlsFile(
    "certificate",
    "A file of PEM with the certificate, and those of its chain. Without it `streamer.crt` and `streamer.key` in the " +
      "config's folder, with the chain of `streamer-ca.crt` where that is there. Files are read anew when they change.",
  ),
  tlsFile("certificate_key", "A file of PEM with the key of `certificate`, which needs it."),
  tlsFile("certificate_ca", "A file of PEM with more certificates of the chain."),
  {
    name: "passphrase",
    scopes: WITH_TLS,
    arguments: [{ label: "TEXT", type: { kind: "text", minLength: 1 }, secret: true }],
    repeat: "once",
    onChange: "listener",
    since: "0.3",
    status: "works",
    doc: "What the key is encrypted with, if it is; without it `flussonic`.",
  },
];

/** Listeners, and what stands in their blocks. */
export const LISTENER_DIRECTIVES: readonly DirectiveSpec[] = [
  ...PLAIN,
  PROXY_PROTOCOL,
  ...TLS_LISTENERS,
  ...TLS,
];
