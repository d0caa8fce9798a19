import assert from "node:assert/strict";
import { test } from "node:test";
import { diffConfigs } from "./diff.ts";
import { formatProblems } from "./format.ts";
import { loadConfig } from "./load.ts";
import { printConfig } from "./print.ts";
import type { DvrPlan, ResolvedConfig } from "./plan.ts";

function load(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "t", text }]);
  assert.deepEqual(problems, []);
  assert.ok(config !== undefined);
  return config;
}

/** A plan without its place. */
type Told = Partial<Omit<DvrPlan, "place">>;

function told(plan: DvrPlan | null | undefined): Told | null | undefined {
  if (plan === null || plan === undefined) return plan;
  const { place: _place, ...others } = plan;
  return others;
}

/** The recording of the stream "a". */
function recordingOf(text: string): Told | null | undefined {
  return told(load(text).streams.find(({ name }) => name === "a")?.dvr);
}

function codesOf(text: string): string[] {
  return loadConfig([{ file: "t", text }]).problems.map((one) => `${one.severity} ${one.code}`);
}

const DEFAULTS = { root: "/s", fsync: "interval", isOffline: false } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const GIB = 1024 ** 3;

/** What stands behind `dvr`, in the line or in the block of a stream, and what it comes to. */
const FORMS: readonly [line: string, block: string, plan: Told][] = [
  ["/s", "root /s;", {}],
  ["/s/", "root //s;", {}],
  ["/s 7d", "root /s; depth 7d;", { depthMs: 7 * DAY_MS }],
  ["/s 48h", "root /s; expiration 48h;", { depthMs: 2 * DAY_MS }],
  ["/s 90m", "root /s; depth 90m;", { depthMs: 1.5 * HOUR_MS }],
  ["/s 3600", "root /s; depth 3600;", { depthMs: HOUR_MS }],
  ["/s depth=7d", "depth 7d; root /s;", { depthMs: 7 * DAY_MS }],
  ["/s 10G", "root /s; size 10G;", { sizeBytes: 10 * GIB }],
  ["/s 500M", "root /s; storage_limit 500M;", { sizeBytes: 500 * 1024 ** 2 }],
  ["/s 90M", "root /s; size 90M;", { sizeBytes: 90 * 1024 ** 2 }],
  ["/s 2t", "root /s; size 2T;", { sizeBytes: 2048 * GIB }],
  ["/s 97%", "root /s; disk_usage_limit 97%;", { diskPercent: 97 }],
  ["/s 99.5%", "root /s; disk_usage_limit 99.5%;", { diskPercent: 99.5 }],
  [
    "/s 97% 10G fsync=none 7d",
    "disk_usage_limit 97%; size 10G; fsync none; root /s; depth 7d;",
    { depthMs: 7 * DAY_MS, sizeBytes: 10 * GIB, diskPercent: 97, fsync: "none" },
  ],
  ["/s fsync=fragment", "root /s; fsync fragment;", { fsync: "fragment" }],
  ["/s fsync=interval", "root /s; fsync interval;", {}],
  [
    "/s copy=s3://k:se/c@h:9000/buc/p local=1d",
    "root /s; copy s3://k:se/c@h:9000/buc/p; local 1d;",
    {
      copy: { endpoint: "http://h:9000", bucket: "buc", prefix: "p", accessKey: "k", secretKey: "se/c" },
      localMs: DAY_MS,
    },
  ],
  [
    "/s copy=s3://h/buc",
    "root /s; copy s3://h/buc;",
    { copy: { endpoint: "https://h", bucket: "buc", prefix: "" } },
  ],
  ["/s replicate", "root /s; replicate;", { replicate: {} }],
  ["/s replicate=true", "root /s; replicate true;", { replicate: {} }],
  ["/s replicate=false", "root /s; replicate false;", {}],
  [
    "/s replicate=http://peer:8080",
    "root /s; replicate http://peer:8080;",
    { replicate: { url: "http://peer:8080" } },
  ],
  [
    "/s 7d replicate replication_port=8081 replication_speed=40M",
    "root /s; depth 7d; replicate; replication_port 8081; replication_speed 40M;",
    { depthMs: 7 * DAY_MS, replicate: { port: 8081, bytesPerSecond: 5_000_000 } },
  ],
  [
    "/s schedule=0800-1800,2200-0600",
    "root /s; schedule 0800-1800 2200-0600;",
    {
      schedule: [
        { fromMinute: 480, toMinute: 1080 },
        { fromMinute: 1320, toMinute: 360 },
      ],
    },
  ],
  [
    "/s episodes_url=https://e/x episodes_expiration=365d",
    "root /s; episodes_url https://e/x; episodes_expiration 365d;",
    { episodesUrl: "https://e/x", episodesExpirationMs: 365 * DAY_MS },
  ],
  ["/s dvr_offline", "root /s; dvr_offline;", { isOffline: true }],
  ["/s dvr_offline=false", "root /s; dvr_offline false;", {}],
];

for (const [line, block, plan] of FORMS) {
  test(`dvr ${line} reaches the plan, from a line and from a block`, () => {
    const expected = { ...DEFAULTS, ...plan };
    assert.deepEqual(recordingOf(`stream a { input publish://; dvr ${line}; }`), expected);
    assert.deepEqual(recordingOf(`stream a { input publish://; dvr { ${block} } }`), expected);
    assert.deepEqual(recordingOf(`dvr d { ${block} } stream a { input publish://; dvr @d; }`), expected);
    assert.deepEqual(told(load(`template a { prefix a; dvr ${line}; }`).templates[0]?.dvr), expected);
  });

  test(`dvr ${line} is printed so that it reads back as the same plan`, () => {
    const first = load(`dvr d { ${block} } stream a { input publish://; dvr ${line}; }`);
    const printed = printConfig(first, { secrets: "show" });
    const second = load(printed);
    assert.deepEqual(diffConfigs(first, second), []);
    assert.deepEqual(told(second.dvrs[0]), told(first.dvrs[0]));
    assert.equal(printConfig(second, { secrets: "show" }), printed);
  });
}

test("line and block may be mixed", () => {
  const text = "stream a { input publish://; dvr /s 7d { cache /c 1G; copy s3://h/buc; } }";
  assert.deepEqual(recordingOf(text), {
    ...DEFAULTS,
    depthMs: 7 * DAY_MS,
    copy: { endpoint: "https://h", bucket: "buc", prefix: "" },
    cache: { path: "/c", sizeBytes: GIB },
  });
});

test("the example of the dialect's description is a recording of two days", () => {
  const { dvrs, templates } = load(
    "dvr disk1 { root /storage; } template live { prefix live; input publish://; dvr @disk1 2d 95%; }",
  );
  const place = { file: "t", line: 1, column: 5, length: 5 };
  assert.deepEqual(dvrs, [{ name: "disk1", ...DEFAULTS, root: "/storage", place }]);
  assert.deepEqual(templates[0]?.dvr, {
    ...DEFAULTS,
    root: "/storage",
    depthMs: 2 * DAY_MS,
    diskPercent: 95,
    place: { file: "t", line: 1, column: 81, length: 6 },
  });
});

test("a stream without a word of recording is not recorded", () => {
  assert.equal("dvr" in load("stream a { input publish://; }").streams[0]!, false);
});

const BLOCKS = `
  dvr d { root /d; depth 1d; size 1G; fsync none; schedule 0000-1200; }
  dvr e { root /e; size 2G; dvr_offline; }
  template t { input publish://; dvr @d 2d 95%; }
  template r { dvr /r replicate=http://peer replication_port=81; }
  template o { dvr off; }
  template n { }
`;

/** What a stream says that names a template of `BLOCKS`, and its recording. */
const MERGED: readonly [stream: string, plan: Told | null | undefined][] = [
  [
    "template t;",
    {
      root: "/d",
      depthMs: 2 * DAY_MS,
      sizeBytes: GIB,
      diskPercent: 95,
      fsync: "none",
      schedule: [{ fromMinute: 0, toMinute: 720 }],
    },
  ],
  // What the stream says beats the template, and that the block; one thing at a time.
  [
    "template t; dvr { depth 3d; fsync fragment; }",
    {
      root: "/d",
      depthMs: 3 * DAY_MS,
      sizeBytes: GIB,
      diskPercent: 95,
      fsync: "fragment",
      schedule: [{ fromMinute: 0, toMinute: 720 }],
    },
  ],
  // Another root: nothing of the block that the template names is left, what the template itself says is.
  ["template t; dvr /x;", { root: "/x", depthMs: 2 * DAY_MS, diskPercent: 95 }],
  [
    "template t; dvr @e;",
    { root: "/e", depthMs: 2 * DAY_MS, sizeBytes: 2 * GIB, diskPercent: 95, isOffline: true },
  ],
  [
    "template t; dvr { root @e; }",
    { root: "/e", depthMs: 2 * DAY_MS, sizeBytes: 2 * GIB, diskPercent: 95, isOffline: true },
  ],
  [
    "template t; dvr @e dvr_offline=false 3G;",
    { root: "/e", depthMs: 2 * DAY_MS, sizeBytes: 3 * GIB, diskPercent: 95 },
  ],
  ["template t; dvr false;", null],
  ["template t; dvr off;", null],
  ["template o;", null],
  ["template o; dvr /x;", { root: "/x" }],
  [
    "template o; dvr @d;",
    {
      root: "/d",
      depthMs: DAY_MS,
      sizeBytes: GIB,
      fsync: "none",
      schedule: [{ fromMinute: 0, toMinute: 720 }],
    },
  ],
  ["template n;", undefined],
  ["template n; dvr /x;", { root: "/x" }],
  ["template r;", { root: "/r", replicate: { url: "http://peer", port: 81 } }],
  ["template r; dvr { replicate false; }", { root: "/r" }],
  [
    "template r; dvr { replicate http://other; replication_speed 8k; }",
    { root: "/r", replicate: { url: "http://other", port: 81, bytesPerSecond: 1000 } },
  ],
  ["template r; dvr { replicate; }", { root: "/r", replicate: { port: 81 } }],
];

for (const [stream, plan] of MERGED) {
  test(`a stream that says "${stream}" is recorded as stream, template and block say, in that order`, () => {
    const expected = plan === null || plan === undefined ? plan : { ...DEFAULTS, ...plan };
    assert.deepEqual(recordingOf(`${BLOCKS} stream a { input publish://; ${stream} }`), expected);
  });
}

test("a dvr block may stand in another file than, and after, what names it", () => {
  const { config, problems } = loadConfig([
    { file: "a", text: "stream a { input publish://; dvr @d; }" },
    { file: "b", text: "dvr d { root /d; }" },
  ]);
  assert.deepEqual(problems, []);
  assert.equal(config?.streams[0]?.dvr?.root, "/d");
});

test("what is known of the blocks of other servers and does nothing here is passed over with a warning", () => {
  const { config, problems } = loadConfig([
    {
      file: "t",
      text: "dvr d { root /d; raid 0; disk a; disk b keep; active 2; index /i; locked_write; keep_locks true; }",
    },
  ]);
  assert.deepEqual(
    problems.map((one) => `${one.code} ${one.message}`),
    ["raid", "disk", "disk", "active", "index", "locked_write", "keep_locks"].map(
      (name) => `CONFIG_NO_EFFECT_YET directive "${name}" has no effect yet`,
    ),
  );
  assert.deepEqual(told(config?.dvrs[0]), { name: "d", ...DEFAULTS, root: "/d" });
});

test("deprecated options are accepted and do nothing", () => {
  const text = "stream a { input publish://; dvr /s locked_write keep_locks=false 7d; }";
  const { config, problems } = loadConfig([{ file: "t", text }]);
  assert.deepEqual(
    problems.map((one) => [one.code, one.column]),
    [
      ["CONFIG_NO_EFFECT_YET", 37],
      ["CONFIG_NO_EFFECT_YET", 50],
    ],
  );
  assert.deepEqual(told(config?.streams[0]?.dvr), { ...DEFAULTS, depthMs: 7 * DAY_MS });
});

/** One mistake is one error. */
const MISTAKES: readonly [text: string, codes: readonly string[]][] = [
  ["stream a { input publish://; dvr; }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["stream a { input publish://; dvr { } }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["stream a { input publish://; dvr { depth 7d; } }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["template t { dvr { depth 7d; } } stream a { template t; }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["template o { dvr off; } stream a { template o; dvr { depth 7d; } }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["stream a { template t; dvr { depth 7d; } }", ["error CONFIG_UNKNOWN_TEMPLATE"]],
  ["stream a { input publish://; dvr { root relative; } }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr { depth 7w; } }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr storage; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr 7d; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr s3://k:s@h/buc 7d; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr @nothing 7d; }", ["error CONFIG_UNKNOWN_DVR"]],
  ["dvr d { } stream a { input publish://; dvr @d; }", ["error CONFIG_NOTHING_INSIDE"]],
  ["dvr d { root relative; } stream a { input publish://; dvr @d; }", ["error CONFIG_BAD_VALUE"]],
  ["dvr d { root @e; } dvr e { root /e; }", ["error CONFIG_BAD_VALUE"]],
  ["dvr d { root /d; } dvr d { root /e; }", ["error CONFIG_DEFINED_TWICE"]],
  ["dvrs d { root /d; } stream a { input publish://; dvr @d; }", ["error CONFIG_UNKNOWN_DIRECTIVE"]],
  ["stream a { input publish://; dvr /s; dvr /t; }", ["error CONFIG_DEFINED_TWICE"]],
  ["stream a { input publish://; dvr /s 7d 8d; }", ["error CONFIG_DEFINED_TWICE"]],
  ["stream a { input publish://; dvr /s 7d depth=8d; }", ["error CONFIG_DEFINED_TWICE"]],
  ["stream a { input publish://; dvr /s 7d { depth 8d; } }", ["error CONFIG_DEFINED_TWICE"]],
  ["stream a { input publish://; dvr /s { root /t; } }", ["error CONFIG_DEFINED_TWICE"]],
  ["stream a { input publish://; dvr /s { depth 1d; expiration 2d; } }", ["error CONFIG_DEFINED_TWICE"]],
  ["stream a { input publish://; dvr false 7d; }", ["error CONFIG_TOO_MANY_ARGUMENTS"]],
  ["stream a { input publish://; dvr off { depth 7d; } }", ["error CONFIG_TOO_MANY_ARGUMENTS"]],
  ["stream a { input publish://; dvr /s 7; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr /s 10k; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr /s 0%; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr /s 101%; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr /s replicate=m4f://peer; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr /s fsync=always; }", ["error CONFIG_BAD_VALUE"]],
  ["stream a { input publish://; dvr /s copy; }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["stream a { input publish://; dvr /s { cache /c; } }", ["error CONFIG_MISSING_ARGUMENT"]],
  ["stream a { input publish://; depth 7d; }", ["error CONFIG_WRONG_PLACE"]],
  ["stream a { input publish://; dvr /s local=1d; }", ["warning CONFIG_NEVER_USED"]],
  ["stream a { input publish://; dvr /s { cache /c 1G; } }", ["warning CONFIG_NEVER_USED"]],
  [
    "stream a { input publish://; dvr /s replication_port=1 replicate=false; }",
    ["warning CONFIG_NEVER_USED"],
  ],
  ["stream a { input publish://; dvr /s replication_speed=8k; }", ["warning CONFIG_NEVER_USED"]],
  // A place for recordings ends a stream that is not closed, and a recording does not.
  [
    "stream a { input publish://; dvr d { root /d; } stream b { input publish://; dvr @d; }",
    ["error CONFIG_UNCLOSED_BLOCK"],
  ],
  ["stream a { input publish://; dvr { root /d; }", ["error CONFIG_UNCLOSED_BLOCK"]],
  ["stream a { input publish://; dvr @d { depth 7d; } dvr d { root /d; }", ["error CONFIG_UNCLOSED_BLOCK"]],
  [
    "stream a { input publish://; dvr { root /d; stream b { input publish://; dvr /x; }",
    ["error CONFIG_UNCLOSED_BLOCK", "error CONFIG_UNCLOSED_BLOCK"],
  ],
  // What it needs is said elsewhere.
  ["dvr d { root /d; copy s3://h/buc; } stream a { input publish://; dvr @d local=1d; }", []],
  ["dvr d { root /d; local 1d; } stream a { input publish://; dvr @d copy=s3://h/buc; }", []],
  ["dvr d { root /d; local 1d; cache /c 1G; }", []],
];

for (const [text, codes] of MISTAKES) {
  test(`${JSON.stringify(text)} has ${codes.length === 0 ? "no problem" : codes.join(" and ")}`, () => {
    assert.deepEqual(codesOf(text), codes);
  });
}

test("parts of a day that are too many together are refused", () => {
  const parts = Array.from({ length: 25 }, () => "0800-1800,2200-0600").join(" ");
  assert.deepEqual(codesOf(`dvr d { root /d; schedule ${parts}; }`), ["error CONFIG_BAD_VALUE"]);
});

test("a name that is not there is shown with what was most likely meant", () => {
  const text = "dvr disk1 { root /storage; }\nstream a { input publish://; dvr @disk 7d; }\n";
  const { problems, sources } = loadConfig([{ file: "t", text }]);
  const expected = [
    'error: there is no dvr "disk"',
    "  --> t:2:34",
    "   |",
    " 2 | stream a { input publish://; dvr @disk 7d; }",
    `   | ${" ".repeat(33)}^^^^^ did you mean @disk1?`,
    "",
  ];
  assert.equal(formatProblems(problems, sources), expected.join("\n"));
});

test("the keys of a bucket are printed only when they are asked for", () => {
  const text =
    "dvr d { root /d; copy s3://AKIA:hunter2@h/buc/p; replicate http://u:hunter2@peer; episodes_url http://e/?t=hunter2; }";
  const config = load(`${text} stream a { input publish://; dvr @d; } template t { prefix t; dvr @d; }`);
  const hidden = printConfig(config);
  assert.doesNotMatch(hidden, /hunter2|AKIA/);
  assert.equal(
    hidden.match(/copy s3:\/\/h\/buc\/p;\n +# \(the credentials of copy are not shown\)/g)?.length,
    3,
  );
  assert.deepEqual(load(hidden).dvrs[0]?.copy, { endpoint: "https://h", bucket: "buc", prefix: "p" });
  const shown = printConfig(config, { secrets: "show" });
  assert.equal(shown.match(/copy s3:\/\/AKIA:hunter2@h\/buc\/p;/g)?.length, 3);
  assert.equal(shown.match(/hunter2/g)?.length, 9);
});

test("a bucket without keys is printed without a word of them", () => {
  const printed = printConfig(load("dvr d { root /d; copy s3://h/buc; }"));
  assert.match(printed, /copy s3:\/\/h\/buc;/);
  assert.doesNotMatch(printed, /credentials/);
});
