import type { Status } from "./schema.ts";

/**
 * One variable, named without its prefix. `open`: a value that looks like this may be shown in messages; any other may be
 * a secret that was put into the wrong variable.
 */
export type VariableSpec = Status & {
  readonly name: string;
  readonly form: string;
  readonly open?: RegExp;
  readonly doc: string;
};

/** The prefixes of our variables; where both are set, the first wins. */
export const VARIABLE_PREFIXES = ["STREAMER_", "FLUSSONIC_"] as const;

/** Looks like a port, or an address with one, however wrong. */
const ADDRESS = /^[\d\s.,:;/[\]]*$|^\[?[\da-f]*:[\da-f:.]*\]?:\d*$/i;

/** The variables that are known, each with either prefix. */
export const VARIABLES: readonly VariableSpec[] = [
  {
    name: "HTTP",
    form: "[ADDRESS:]PORT",
    open: ADDRESS,
    status: "works",
    doc: "Opens an HTTP listener with the API, unless the config opens the same port of the same address.",
  },
  {
    name: "HTTPS",
    form: "[ADDRESS:]PORT",
    open: ADDRESS,
    status: "works",
    doc:
      "Opens an HTTP listener with TLS and the API, with the certificate in the config's folder, unless the config opens " +
      "the same port of the same address.",
  },
  {
    name: "HOSTNAME",
    form: "NAME",
    open: /^[\w.$()-]*$/,
    status: "works",
    doc: "Wins over `hostname` of the config.",
  },
  {
    name: "EDIT_AUTH",
    form: "LOGIN:PASSWORD",
    status: "works",
    doc: "Wins over `edit_auth` and `edit_auth_file` of the config.",
  },
  {
    name: "EDIT_AUTH_FILE",
    form: "PATH",
    status: "works",
    doc: "A file with `LOGIN:PASSWORD`. Wins over `edit_auth` and `edit_auth_file` of the config.",
  },
  {
    name: "PRODUCTION",
    form: "true|false",
    open: /^[a-z]*$/i,
    status: "works",
    doc: "Wins over `production` of the config.",
  },
  {
    name: "TRUSTED_PROXIES",
    form: "NETWORK ...",
    open: /^[\da-f\s.,:/]*$/i,
    status: "works",
    doc: "Addresses and networks with blanks or commas between them. Wins over `trusted_proxies` of the config.",
  },
  {
    name: "LOG_LEVEL",
    form: "LEVEL",
    open: /^[a-z]*$/i,
    status: "works",
    doc: "Wins over `loglevel` of the config.",
  },
  {
    name: "CONFIG_EXTERNAL",
    form: "URL",
    status: "refused-until-it-works",
    reason: "without it the streams it manages, and their restrictions, would be missing",
    doc: "A server that is asked for streams and their settings.",
  },
  {
    name: "SECRETS_STORAGE",
    form: "k8s://[NAMESPACE/]SECRET",
    open: /^[a-z\d]*:\/\/[\w./-]*$/i,
    status: "works",
    doc:
      "The Kubernetes Secret in which the server keeps its `server_id` and, where no `edit_auth` is given, credentials " +
      "that it makes up.",
  },
  {
    name: "ADMIN_VIEW_DISABLED",
    form: "true|false",
    open: /^[a-z]*$/i,
    status: "no-effect-yet",
    doc: "Whether tokens for viewing as administrator are refused.",
  },
];

/** Variables of OpenTelemetry, which have no prefix of ours. They win over `traces` of the config. */
export const STANDARD_VARIABLES: readonly VariableSpec[] = [
  {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    form: "URL",
    status: "works",
    doc: "A collector that traces are sent to, at `/v1/traces` below it.",
  },
  {
    name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    form: "URL",
    status: "works",
    doc: "The whole URL that traces are sent to; wins over the one above.",
  },
  {
    name: "OTEL_TRACES_SAMPLER_ARG",
    form: "0..1",
    open: /^[\d.]*$/,
    status: "works",
    doc: "The share of sessions that is traced.",
  },
];
