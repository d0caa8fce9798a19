import { DIRECTIVES, SCOPES } from "./directives.ts";
import { MAX_TOKENS, MAX_WORD_LENGTH } from "./lexer.ts";
import { MAX_NAME_LENGTH } from "./names.ts";
import { MAX_DEPTH } from "./parser.ts";
import { MAX_PROBLEMS, PROBLEM_CODES } from "./problem.ts";
import { accessText, eventsText, tlsText } from "./reference-access.ts";
import { PLAY_OPTIONS } from "./schema-access.ts";
import { STANDARD_VARIABLES, VARIABLES } from "./schema-environment.ts";
import { DVR_OPTIONS } from "./schema-dvr.ts";
import { INPUT_OPTIONS, LATER_INPUTS, WORKING_INPUTS } from "./schema-input.ts";
import { usageOf } from "./schema.ts";
import { describeType } from "./type-words.ts";
import type { VariableSpec } from "./schema-environment.ts";
import type { ArgumentSpec, DirectiveSpec, OptionSpec, Scope, Status } from "./schema.ts";

/**
 * Writes the reference page of the config language, docs/config.md, from the schema.
 */
export function renderConfigReference(): string {
  const parts = [
    head(),
    language(),
    files(),
    ...SCOPES.map(workingOf),
    inputs(),
    recordings(),
    tlsText(),
    [accessText(), ...optionTable(PLAY_OPTIONS)].join("\n"),
    eventsText(),
    later("Known, without effect yet", "no-effect-yet", NO_EFFECT_TEXT),
    later("Refused until they work", "refused-until-it-works", REFUSED_TEXT),
    environment(),
    messages(),
  ];
  return `${parts.join("\n\n")}\n`;
}

const NO_EFFECT_TEXT =
  "These are read, with their blocks, and passed over with a warning: the server runs without what they do.";

const REFUSED_TEXT =
  "These restrict, protect or encrypt. A config with one of them is refused, since ignoring it would open " +
  "or lose something.";

const TITLES: Readonly<Record<Scope, string>> = {
  server: "At the top level",
  "http-listener": "In the block of `http`",
  "https-listener": "In the block of `https`",
  "rtmp-listener": "In the block of `rtmp`",
  "rtmps-listener": "In the block of `rtmps`",
  "api-token": "In the block of `api_token`",
  "auth-backend": "In the block of `auth_backend`",
  jwt: "In the block of `jwt`",
  "event-sink": "In the block of `event_sink`",
  dvr: "In the block of `dvr`",
  template: "In a template",
  stream: "In a stream",
  vod: "In a vod",
};

const IN_SCOPE: Readonly<Record<Scope, string>> = {
  server: "top level",
  "http-listener": "http",
  "https-listener": "https",
  "rtmp-listener": "rtmp",
  "rtmps-listener": "rtmps",
  "api-token": "api_token",
  "auth-backend": "auth_backend",
  jwt: "jwt",
  "event-sink": "event_sink",
  dvr: "dvr",
  template: "template",
  stream: "stream",
  vod: "vod",
};

function head(): string {
  return [
    "# Config reference",
    "",
    "Made from the directives in `src/config` by `node src/cli/reference.ts`; a test keeps it true. Do not edit it.",
    "",
    "```",
    "http 80;",
    "rtmp 1935;",
    "edit_auth admin YOUR-PASSWORD;",
    "",
    "template pub {",
    "  prefix pub;",
    "  input publish://;",
    "  dvr @disk1 7d 95%;",
    "}",
    "",
    "dvr disk1 {",
    "  root /storage;",
    "}",
    "",
    "vod movies {",
    "  storage /media/movies;",
    "}",
    "```",
    "",
    "`weir check PATH...` prints what is wrong with a config, `weir print PATH` what it comes to. A config with an",
    "error in it is refused whole.",
  ].join("\n");
}

function language(): string {
  return [
    "## How it is written",
    "",
    "- A statement is a directive's name and its arguments, and ends in `;` or in a block `{ ... }`. Line ends and",
    "  spaces mean nothing; a `;` after a block is allowed.",
    "- `#` at the start of a word begins a comment that ends with the line.",
    '- A value with spaces, `;`, `{`, `}` or a leading `#` stands in double quotes: `title "My channel";`. Inside,',
    '  `\\"` is a quote and `\\\\` a backslash; a quote ends on its line. Single quotes do not quote.',
    '- Options come after the arguments: `input URL priority=1;`, also `key="a b"`. Some are bare words.',
    "- Durations are in seconds, or a number with `ms`, `s`, `m`, `h` or `d`: `10`, `2.5`, `500ms`, `48h`.",
    "- Sizes are in bytes, or a number with `k`, `M`, `G` or `T`, powers of 1024: `16M`. Bitrates are in bits per",
    "  second, or a number with `k`, `M` or `G`, powers of 1000. Percentages end in `%`.",
    `- Names of streams, templates, vods, dvrs and prefixes have Latin letters, digits, \`.\`, \`-\` and \`_\`, in parts with`,
    `  \`/\` between them, at most ${MAX_NAME_LENGTH} characters; no part is empty or begins with a dot.`,
    "- The text is UTF-8; control characters are refused. Both kinds of line end and a byte order mark are allowed.",
    `- Bounds: ${MAX_WORD_LENGTH} characters a word, ${MAX_TOKENS} words and signs a file, blocks ${MAX_DEPTH} deep.`,
  ].join("\n");
}

function files(): string {
  return [
    "## Files",
    "",
    "The config is `/etc/flussonic` unless `--config` names another path. Of a directory, `flussonic.conf` is read",
    "and then every `*.conf` of `flussonic.conf.d` beside it, in the order of their names; a directory that has",
    "neither is itself a directory of parts. Of a file, that file and the `*.conf` of the directory of the same name",
    "with `.d` behind. Names that begin with a dot are passed over; links are followed.",
    "",
    "All files are one config, but each is whole in itself: a block does not go on in the next file. A name that is",
    "defined twice is an error, in one file or in two. Bounds: 1 MiB a file, 32 MiB and 1000 files in all.",
    "",
    "Which stream a name belongs to: the `stream` of exactly that name, also when it is disabled; else the first",
    "`template`, in the order of the config, one of whose prefixes it begins with, in whole parts: prefix `pub` takes",
    '`pub/a` and `pub/a/b`, neither `public` nor `pub` itself; prefix `""` takes every name. Disabled templates are',
    "passed over, and for a publisher those without `input publish://`.",
  ].join("\n");
}

function workingOf(scope: Scope): string {
  const specs = DIRECTIVES.filter((spec) => spec.scopes.includes(scope) && spec.status === "works");
  const rows = specs.map((spec) => directiveRow(spec));
  return [
    `## ${TITLES[scope]}`,
    "",
    "| directive | what it does | values | default | may be given | a change restarts |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

function directiveRow(spec: DirectiveSpec): string {
  const old = (spec.aliases ?? []).map((name) => `\`${name}\``).join(", ");
  const repeat = { once: "once", often: "often", "once-per-name": "once a name" }[spec.repeat];
  return row([
    `\`${usageOf(spec)}\``,
    old === "" ? spec.doc : `${spec.doc} Also written ${old}.`,
    spec.arguments === "unchecked"
      ? ""
      : spec.arguments
          .map(valuesOf)
          .filter((text) => text !== "")
          .join("; "),
    spec.default === undefined ? "" : `\`${spec.default}\``,
    repeat,
    spec.onChange,
  ]);
}

function valuesOf(argument: ArgumentSpec): string {
  const words = describeType(argument.type);
  return words === "" ? "" : `${argument.label}: ${words}`;
}

function optionTable(options: readonly OptionSpec[]): string[] {
  const rows = options.map((option) =>
    row([
      option.flag === true ? `\`${option.name}\`` : `\`${option.name}=\``,
      option.doc,
      option.type === undefined ? "" : describeType(option.type),
      statusOf(option),
    ]),
  );
  return ["| option | what it does | values | state |", "| --- | --- | --- | --- |", ...rows];
}

function inputs(): string {
  return [
    "## Inputs",
    "",
    `Kinds that work: ${urls(WORKING_INPUTS)}. Kinds that are known and have no effect yet: ${urls(LATER_INPUTS)}.`,
    "",
    ...optionTable(INPUT_OPTIONS),
  ].join("\n");
}

function recordings(): string {
  return [
    "## Recordings",
    "",
    "```",
    "dvr disk1 { root /storage; copy s3://KEY:SECRET@s3.example.org/archive/tv; }",
    "",
    "template pub { prefix pub; input publish://; dvr @disk1 2d 95%; }",
    "stream news { template pub; dvr @disk1 7d schedule=0600-2400; }",
    "stream test { template pub; dvr false; }",
    "stream cctv { input publish://; dvr /cctv 48h 10G fsync=fragment; }",
    "```",
    "",
    "- The first word of `dvr` says where: a whole path, or `@` and the name of a `dvr` block. What follows may stand in any",
    "  order and is told by how it is written: `7d`, `48h`, `90m` and bare seconds are the depth, `10G` and `500M` the size,",
    "  `95%` is the limit of the disk; so `90m` means minutes, `90M` megabytes. Each may be given by its name too:",
    "  `disk_usage_limit=95%`. Without any of the three nothing is deleted.",
    "- In a block, `dvr { root /storage; depth 7d; }`, each is a directive of its own; line and block may be mixed.",
    "- What a stream says wins over what its template says, and that over what the `dvr` block says, one thing at a time:",
    "  `news` above has the limit of the disk from its template and the copy from `disk1`.",
    "- `copy=s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=NAME]`: without `KEY:SECRET@` the credentials come from the",
    "  environment. `s3://` means HTTPS where no port is named, or 443, and HTTP on any other port; `s3s://` always HTTPS.",
    "  The credentials end at the last `@`; a `%`, and an `@` anywhere else, are written `%25` and `%40`. The region is",
    "  needed where the host does not name it, as `s3.eu-central-1.example.org` does, and the store asks for one. What becomes",
    "  of copies: [operations](operations.md#recordings-in-object-storage).",
    "- A recording that changes goes on, begins or ends with the next segment: with another root, schedule or `fsync`, or with",
    "  `dvr false`; nothing of its stream is restarted. What lies below a root that its stream does not have any more is neither played nor deleted.",
    "",
    ...optionTable(DVR_OPTIONS),
  ].join("\n");
}

function urls(schemes: readonly string[]): string {
  return schemes.map((scheme) => `\`${scheme}://\``).join(" ");
}

function later(title: string, status: Status["status"], text: string): string {
  const specs = DIRECTIVES.filter((spec) => spec.status === status);
  const isRefused = status === "refused-until-it-works";
  const rows = specs.map((spec) => {
    const old = (spec.aliases ?? []).map((name) => ` (\`${name}\`)`).join("");
    const where = spec.scopes.map((scope) => IN_SCOPE[scope]).join(", ");
    return row([`\`${usageOf(spec)}\`${old}`, where, spec.doc, ...(isRefused ? [reasonOf(spec)] : [])]);
  });
  const columns = ["directive", "where", "what it is for", ...(isRefused ? ["why it is refused"] : [])];
  return [`## ${title}`, "", text, "", row(columns), row(columns.map(() => "---")), ...rows].join("\n");
}

function environment(): string {
  return [
    "## Environment",
    "",
    "Each with `STREAMER_` or `FLUSSONIC_` in front; where both are set, `STREAMER_` wins. The environment wins over",
    "the config. An empty variable is as good as none. Other variables with these prefixes get a warning, except",
    "those that Kubernetes makes for Services. `LICENSE_KEY`, with or without prefix, is accepted and not needed;",
    "`DO_NOT_DO_NET_TUNING` too, since the server never changes the machine's network settings.",
    "",
    "| variable | form | what it does | state |",
    "| --- | --- | --- | --- |",
    ...VARIABLES.map(variableRow),
    "",
    "Without a prefix, those of OpenTelemetry; they win over `traces`, each by itself:",
    "",
    "| variable | form | what it does | state |",
    "| --- | --- | --- | --- |",
    ...STANDARD_VARIABLES.map(variableRow),
  ].join("\n");
}

function variableRow(spec: VariableSpec): string {
  return row([`\`${spec.name}\``, `\`${spec.form}\``, spec.doc, statusOf(spec)]);
}

function messages(): string {
  return [
    "## Messages",
    "",
    `Codes in \`weir check --format json\`. Of each severity the first ${MAX_PROBLEMS} are shown.`,
    "",
    "| code | meaning |",
    "| --- | --- |",
    ...Object.entries(PROBLEM_CODES).map(([code, doc]) => row([`\`${code}\``, doc])),
  ].join("\n");
}

function statusOf(status: Status): string {
  if (status.status === "refused-until-it-works") return `refused: ${status.reason}`;
  return status.status === "works" ? "works" : "no effect yet";
}

function reasonOf(status: Status): string {
  return status.status === "refused-until-it-works" ? status.reason : "";
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
