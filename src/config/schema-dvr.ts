import { withoutEffect } from "./schema.ts";
import type { ArgumentSpec, DirectiveSpec, OptionSpec, Scope } from "./schema.ts";
import type { ValueType } from "./values.ts";

const MINUTE_MS = 60_000;
const YEARS_MS = 36_500 * 86_400_000;
const TERA = 1024 ** 4;

/** One thing that is said of a recording: an option of its line, and a directive of its block. */
type Setting = Pick<OptionSpec, "name" | "doc" | "byForm" | "secret"> & {
  readonly label: string;
  readonly type: ValueType;
  readonly aliases?: readonly string[];
  readonly default?: string;
  /** The name alone means true. */
  readonly isFlag?: true;
  /** A directive may have several of them; an option has them in one word. */
  readonly isList?: true;
};

const WEB: readonly string[] = ["http", "https"];

const SETTINGS: readonly Setting[] = [
  {
    name: "depth",
    aliases: ["expiration"],
    label: "DEPTH",
    type: { kind: "duration", minMs: MINUTE_MS, maxMs: YEARS_MS },
    byForm: { label: "DEPTH", example: "7d" },
    doc: "How old a recording gets: whole hours that ended longer ago are deleted.",
  },
  {
    name: "size",
    aliases: ["storage_limit"],
    label: "SIZE",
    type: { kind: "size", minBytes: 1024 ** 2, maxBytes: 1024 * TERA },
    byForm: { label: "SIZE", example: "10G" },
    doc: "How big the recording of one stream gets before its oldest hours are deleted.",
  },
  {
    name: "disk_usage_limit",
    label: "N%",
    type: { kind: "percent", min: 1 },
    byForm: { label: "N%", example: "97%" },
    doc:
      "How full the whole disk gets before the oldest hours are deleted. Of several streams on one disk, those with the " +
      "lowest number are cleaned first.",
  },
  {
    name: "copy",
    label: "URL",
    type: { kind: "bucket-url" },
    secret: true,
    doc: "The bucket of object storage that hours are copied to when they are finished; see Recordings.",
  },
  {
    name: "local",
    label: "DURATION",
    type: { kind: "duration", minMs: 0, maxMs: YEARS_MS },
    doc:
      "How long a finished hour stays on the disk once its copy is safe; then it is played from there. Without it: as long " +
      "as it is kept at all.",
  },
  {
    name: "replicate",
    label: "URL|true|false",
    type: { kind: "url", schemes: WEB, orBoolean: true },
    isFlag: true,
    doc:
      "Copies what a peer has recorded and this server lacks: the server at `http://[KEY@]HOST[:PORT]`, else the one that " +
      "an `m4f://`, `m4s://` or `http://` input names. KEY: where it is not this server's `cluster_key`.",
  },
  {
    name: "replication_port",
    label: "PORT",
    type: { kind: "integer", min: 1, max: 65_535 },
    doc: "The HTTP port of that peer, where it is not the one of its address.",
  },
  {
    name: "replication_speed",
    label: "BITRATE",
    type: { kind: "bitrate", minBps: 8000, maxBps: 1e12 },
    doc: "Most bits per second that are copied from that peer, for each stream. Without it: 100 Mbit/s.",
  },
  {
    name: "schedule",
    label: "HHMM-HHMM",
    type: { kind: "day-ranges" },
    isList: true,
    doc:
      "The parts of each day, UTC, that are recorded: `0800-1800,2200-0600`. One that ends before it begins goes over " +
      "midnight.",
  },
  {
    name: "fsync",
    label: "none|interval|fragment",
    type: { kind: "choice", values: ["none", "interval", "fragment"] },
    default: "interval",
    doc:
      "When what was written is forced to the disk: `interval` every 2 s, which is what a power failure can cost at most; " +
      "`fragment` after each write; `none`: when the system does it.",
  },
  {
    name: "episodes_url",
    label: "URL",
    type: { kind: "url", schemes: WEB },
    doc:
      "A server that lists episodes of the stream, whose hours are kept; asked before any are deleted, at " +
      "`http://[KEY@]HOST/PATH`. While it does not answer, what it has not told of is kept.",
  },
  {
    name: "episodes_expiration",
    label: "DURATION",
    type: { kind: "duration", minMs: MINUTE_MS, maxMs: YEARS_MS },
    doc:
      "How long an episode keeps its hours once it is closed, if it does not say so itself. Without it: until it is " +
      "deleted.",
  },
  {
    name: "dvr_offline",
    label: "true|false",
    type: { kind: "boolean" },
    isFlag: true,
    default: "false",
    doc: "Records nothing; what is recorded already can be played, and gets older.",
  },
];

/** Without effect, and with nothing to come: what they were for is not needed any more. */
const DEPRECATED: readonly OptionSpec[] = ["locked_write", "keep_locks"].map((name): OptionSpec => ({
  name,
  type: { kind: "boolean" },
  flag: true,
  status: "no-effect-yet",
  doc: "Deprecated: episodes keep what is not to be deleted.",
}));

/** Options of `dvr` in streams and templates. */
export const DVR_OPTIONS: readonly OptionSpec[] = [
  ...SETTINGS.map(({ name, type, doc, byForm, secret, isFlag }): OptionSpec => ({
    name,
    type,
    doc,
    ...(isFlag === true ? { flag: true } : {}),
    ...(secret === true ? { secret } : {}),
    ...(byForm === undefined ? {} : { byForm }),
    status: "works",
  })),
  ...DEPRECATED,
];

/** The names of what can be said of a recording in its line and in its block. */
export const DVR_SETTINGS: readonly string[] = SETTINGS.map(({ name }) => name);

const BLOCK: readonly Scope[] = ["dvr"];

const IN_BLOCK: readonly DirectiveSpec[] = [
  {
    name: "root",
    scopes: BLOCK,
    arguments: [{ label: "PATH", type: { kind: "recording-root" } }],
    repeat: "once",
    onChange: "nothing",
    since: "0.2",
    status: "works",
    doc:
      "The directory of the recordings; each stream has a folder of its name in it. In a stream or template also `@NAME`. " +
      "What was recorded stays where it is when this changes.",
  },
  ...SETTINGS.map(({ name, aliases, doc, label, type, isFlag, isList, default: value }): DirectiveSpec => {
    const flag: Partial<ArgumentSpec> = isFlag === true ? { optional: true } : {};
    const list: Partial<ArgumentSpec> = isList === true ? { many: true } : {};
    return {
      name,
      ...(aliases === undefined ? {} : { aliases }),
      scopes: BLOCK,
      arguments: [{ label, type, ...flag, ...list }],
      repeat: "once",
      ...(value === undefined ? {} : { default: value }),
      onChange: "nothing",
      since: "0.2",
      status: "works",
      doc,
    };
  }),
  {
    name: "cache",
    scopes: BLOCK,
    arguments: [
      { label: "PATH", type: { kind: "path" } },
      { label: "SIZE", type: { kind: "size", minBytes: 1024 ** 2, maxBytes: 1024 * TERA } },
    ],
    repeat: "once",
    onChange: "nothing",
    since: "0.2",
    status: "works",
    doc: "A directory that keeps, up to that size, what is read from the bucket of `copy`: one for each pod. Without it: 1 GiB among the temporary files.",
  },
];

const NO_EFFECT_YET = withoutEffect(BLOCK, [
  { name: "disk", usage: "disk PATH [MODE];", doc: "One of several disks of the recordings." },
  { name: "raid", usage: "raid LEVEL;", doc: "How the recordings are spread over the disks." },
  { name: "active", usage: "active N;", doc: "On how many disks is written at a time." },
  { name: "index", usage: "index PATH;", doc: "Where the indexes are, if not beside the recordings." },
  { name: "locked_write", usage: "locked_write [true|false];", doc: "Deprecated: there are no locks." },
  {
    name: "keep_locks",
    usage: "keep_locks [true|false];",
    doc: "Deprecated: episodes keep what is not to be deleted.",
  },
]);

/** `dvr`: a place for recordings at the top level, a recording in streams and templates, and what is in their blocks. */
export const DVR_DIRECTIVES: readonly DirectiveSpec[] = [
  {
    name: "dvr",
    scopes: ["server"],
    arguments: [{ label: "NAME", type: { kind: "name" } }],
    block: { scope: "dvr" },
    repeat: "once-per-name",
    onChange: "nothing",
    since: "0.2",
    status: "works",
    doc: "A place for recordings, which streams and templates refer to as `@NAME`, and how they are kept there.",
  },
  {
    name: "dvr",
    scopes: ["template", "stream"],
    usage: "dvr PATH|@NAME|false [DEPTH] [SIZE] [N%] [OPTION=VALUE ...]; or dvr { ... }",
    arguments: [
      { label: "PATH|@NAME|false", type: { kind: "recording-root", orOff: true }, optional: true },
    ],
    options: DVR_OPTIONS,
    block: { scope: "dvr", optional: true },
    repeat: "once",
    onChange: "nothing",
    since: "0.2",
    status: "works",
    doc:
      "Records the stream: to a directory, or as the `dvr` block of that name says. `false`, or `off`, in a stream: in " +
      "spite of its template, not.",
  },
  ...IN_BLOCK,
  ...NO_EFFECT_YET,
];
