import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { OPEN_RULES } from "../auth/rules.ts";
import { formatProblems } from "./format.ts";
import { loadConfig } from "./load.ts";
import { DEFAULTS_FILE } from "./resolve-listeners.ts";
import { MAX_PROBLEMS, PROBLEM_CODES } from "./problem.ts";
import type { ResolvedConfig } from "./plan.ts";
import type { Problem } from "./problem.ts";

const VECTORS = new URL("../../test/vectors/config/", import.meta.url);

function vector(name: string): string {
  return readFileSync(new URL(name, VECTORS), "utf8");
}

function load(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "t", text }]);
  assert.deepEqual(
    problems.filter((one) => one.severity === "error"),
    [],
  );
  assert.ok(config !== undefined);
  return config;
}

function problemsOf(text: string): readonly Problem[] {
  return loadConfig([{ file: "t", text }]).problems;
}

function codesOf(text: string): string[] {
  return problemsOf(text).map((one) => one.code);
}

test("the example of the language renders to the letter", () => {
  const text = "\n\ntemplat pub {\n  prefix pub;\n}\n";
  const { problems, sources } = loadConfig([{ file: "flussonic.conf.d/publish.conf", text }]);
  const expected = [
    'error: unknown directive "templat" in this place',
    "  --> flussonic.conf.d/publish.conf:3:1",
    "   |",
    " 3 | templat pub {",
    '   | ^^^^^^^ did you mean "template"?',
    "",
  ];
  assert.equal(formatProblems(problems, sources), expected.join("\n"));
});

for (const name of readdirSync(new URL("bad/", VECTORS)).filter((one) => one.endsWith(".conf"))) {
  test(`the broken config ${name} is refused with the messages that are written down`, () => {
    const { config, problems, sources } = loadConfig([{ file: name, text: vector(`bad/${name}`) }]);
    assert.equal(config, undefined);
    assert.equal(formatProblems(problems, sources), vector(`bad/${name.replace(/\.conf$/, ".txt")}`));
  });
}

for (const name of readdirSync(new URL("good/", VECTORS)).filter((one) => one.endsWith(".conf"))) {
  test(`the good config ${name} loads`, () => {
    load(vector(`good/${name}`));
  });
}

test("the article's three parts are one config without a problem", () => {
  const files = ["ports.conf", "publish.conf", "vod.conf"].map((file) => ({
    file,
    text: vector(`article/${file}`),
  }));
  const { config, problems } = loadConfig(files);
  assert.deepEqual(problems, []);
  assert.ok(config !== undefined);
  assert.deepEqual(
    config.listeners.http.map(({ port, api, place }) => [port, api, place.file]),
    [[80, true, DEFAULTS_FILE]],
  );
  assert.deepEqual(config.listeners.rtmp, [
    { port: 1935, place: { file: "ports.conf", line: 1, column: 6, length: 4 } },
  ]);
  assert.deepEqual(
    config.templates.map(({ name, prefixes, inputs }) => [name, prefixes, inputs[0]?.kind]),
    [["pub", ["pub"], "publish"]],
  );
  assert.deepEqual(
    config.vods.map(({ name, storages }) => [name, storages]),
    [["vod", [{ kind: "disk", path: "/opt/flussonic/priv" }]]],
  );
});

test("a part whose closing brace is lost is one error that points at its opening one", () => {
  const [problem, ...others] = problemsOf("file vod {\n  storage /opt/flussonic/priv;\n");
  assert.deepEqual(others, []);
  assert.deepEqual([problem?.code, problem?.line, problem?.column], ["CONFIG_UNCLOSED_BLOCK", 1, 10]);
});

test("the problems of the worked example are those that are written down", () => {
  assert.deepEqual(
    problemsOf(vector("good/many-known-directives.conf")).map(
      (one) => `${one.line} ${one.severity} ${one.code}`,
    ),
    [
      "9 warning CONFIG_NO_EFFECT_YET",
      "14 warning CONFIG_NO_EFFECT_YET",
      "14 warning CONFIG_NO_EFFECT_YET",
      "14 warning CONFIG_NO_EFFECT_YET",
      "15 warning CONFIG_NO_EFFECT_YET",
      "16 warning CONFIG_NEVER_USED",
    ],
  );
});

test("an empty config opens HTTP 80 with the API and has every default", () => {
  const { config, problems } = loadConfig([]);
  assert.deepEqual(problems, []);
  assert.deepEqual(config, {
    listeners: {
      http: [{ port: 80, api: true, place: { file: DEFAULTS_FILE, line: 0, column: 0, length: 0 } }],
      rtmp: [],
    },
    apiTokens: [],
    authBackends: [],
    jwts: [],
    apiAllowedFrom: [],
    trustedProxies: [],
    allowedHosts: [],
    authToken: "token",
    eventSinks: [],
    hasStreamMetrics: false,
    isProduction: false,
    logLevel: "info",
    limits: {
      maxConnectionsPerAddress: 1000,
      rtmpHandshakeTimeoutMs: 10_000,
      rtmpIdleTimeoutMs: 60_000,
      httpIdleTimeoutMs: 60_000,
      maxMessageBytes: 16_777_216,
    },
    drainTimeoutMs: 25_000,
    dvrs: [],
    streams: [],
    templates: [],
    vods: [],
  });
});

test("a stream has every default", () => {
  const [stream] = load("stream news { input publish://; }").streams;
  assert.deepEqual(stream, {
    name: "news",
    labels: {},
    disabled: false,
    isStatic: true,
    inputs: [
      {
        kind: "publish",
        url: "publish://",
        options: {},
        place: { file: "t", line: 1, column: 21, length: 10 },
      },
    ],
    access: { play: OPEN_RULES, publish: OPEN_RULES },
    options: {
      sourceTimeoutMs: 60_000,
      segmentDurationMs: 4000,
      segmentCount: 4,
      chunkDurationMs: 200,
      addAudioOnly: false,
      prepushMs: "gop",
      protocols: { kind: "all" },
      secondPublisher: "refuse",
    },
    place: { file: "t", line: 1, column: 8, length: 4 },
  });
});

test("every working directive reaches the plan", () => {
  const config = load(vector("good/everything.conf"));
  assert.deepEqual(
    config.listeners.http.map(({ host, port, api, sendWindow }) => [host, port, api, sendWindow]),
    [
      [undefined, 80, true, undefined],
      ["127.0.0.1", 8080, false, undefined],
      ["::1", 8081, true, "auto"],
    ],
  );
  assert.deepEqual(
    config.listeners.rtmp.map(({ port, sendWindow }) => [port, sendWindow]),
    [
      [1935, undefined],
      [1936, 100],
    ],
  );
  assert.deepEqual(config.editAuth, {
    login: "root",
    password: String.raw`pass word; with "quotes" and ` + "\\",
  });
  assert.deepEqual(config.viewAuth, { login: "viewer", password: "12345" });
  assert.equal(config.logLevel, "warning");
  assert.equal(config.hostname, "node-1.example.org");
  assert.deepEqual(config.limits, {
    maxConnectionsPerAddress: 50,
    rtmpHandshakeTimeoutMs: 5000,
    rtmpIdleTimeoutMs: 60_000,
    httpIdleTimeoutMs: 2500,
    maxMessageBytes: 4 * 1024 * 1024,
  });
  assert.deepEqual(
    config.dvrs.map(({ name, root }) => [name, root]),
    [
      ["disk1", "/storage"],
      ["disk2", "/second"],
    ],
  );
  assert.deepEqual(
    [...config.templates, ...config.streams].map(({ dvr }) => dvr && [dvr.root, dvr.depthMs, dvr.fsync]),
    [undefined, ["/storage", 172_800_000, "none"], ["/news", 172_800_000, "fragment"], null, undefined],
  );
  assert.deepEqual(
    config.templates.map(({ name, prefixes }) => [name, prefixes]),
    [
      ["base", []],
      ["pub", ["pub", "live/pub", ""]],
    ],
  );
  assert.equal(config.templates[1]?.options.secondPublisher, "replace");
  assert.equal(config.templates[1]?.inputs[0]?.sourceTimeoutMs, 20_000);
  assert.deepEqual(
    config.streams.map(({ name, disabled, isStatic }) => [name, disabled, isStatic]),
    [
      ["news", false, true],
      ["old", true, true],
      ["asked", false, false],
    ],
  );
  assert.deepEqual(
    config.vods.map(({ place: _place, ...vod }) => vod),
    [
      {
        name: "movies",
        title: "Movies",
        comment: "c",
        disabled: false,
        storages: [
          { kind: "disk", path: "/media/a" },
          { kind: "disk", path: "/media/b" },
        ],
        autoMbr: true,
        download: true,
        access: OPEN_RULES,
        options: {
          segmentDurationMs: 6000,
          addAudioOnly: true,
          protocols: { kind: "only", names: ["hls"] },
        },
      },
      {
        name: "archive/2024",
        disabled: true,
        storages: [{ kind: "disk", path: "priv" }],
        autoMbr: false,
        download: false,
        access: OPEN_RULES,
        options: { segmentDurationMs: 4000, addAudioOnly: false, protocols: { kind: "all" } },
      },
    ],
  );
});

test("a stream takes what its template says and wins where it says it itself", () => {
  const [news] = load(vector("good/everything.conf")).streams;
  assert.deepEqual(news?.options, {
    sourceTimeoutMs: false,
    segmentDurationMs: 2500,
    segmentCount: 6,
    chunkDurationMs: 200,
    addAudioOnly: true,
    prepushMs: false,
    sendWindow: 350,
    protocols: { kind: "only", names: ["hls", "rtmp", "player"] },
    secondPublisher: "refuse",
  });
  const { title, comment, provider, position, labels } = news;
  assert.deepEqual(
    { title, comment, provider, position, labels },
    {
      title: "The base",
      comment: "\u0422\u0435\u0441\u0442 \u{1F600}",
      provider: "me",
      position: 3,
      labels: { site: "a", floor: "first floor" },
    },
  );
});

test("a template may stand after, and in another file than, the stream that names it", () => {
  const { config } = loadConfig([
    { file: "a", text: "stream news { template base; segment_count 9; }" },
    {
      file: "b",
      text: "template base { input publish://; segment_count 8; segment_duration 2; disabled; static false; }",
    },
  ]);
  const [news] = config?.streams ?? [];
  assert.deepEqual([news?.options.segmentCount, news?.options.segmentDurationMs], [9, 2000]);
  assert.deepEqual([news?.disabled, news?.isStatic], [true, false]);
  assert.deepEqual(
    news?.inputs.map((input) => input.place.file),
    ["b"],
  );
});

test("the inputs of a stream replace those of its template, also when none of them works yet", () => {
  const config = load(
    "template t { input publish://; } stream a { template t; input udp://239.0.0.1:5000; }",
  );
  assert.deepEqual(config.streams[0]?.inputs, []);
});

test("an input keeps its options, its priority and its own timeout", () => {
  const { streams } = load(
    'stream a { input publish:// priority=1 source_timeout=false; input "fake://fake" width=640; input file:///m/a.mp4; }',
  );
  assert.deepEqual(
    streams[0]?.inputs.map(({ place: _place, ...input }) => input),
    [
      { kind: "publish", url: "publish://", priority: 1, sourceTimeoutMs: false, options: {} },
      { kind: "fake", url: "fake://fake", options: { width: "640" } },
      { kind: "file", path: "/m/a.mp4", url: "file:///m/a.mp4", options: {} },
    ],
  );
});

for (const [text, sendWindow] of [
  ["auto", "auto"],
  ["0", 0],
  ["100", 100],
  ["350ms", 350],
  ["2s", 2000],
] as const) {
  test(`send_window ${text} reaches the plan`, () => {
    const { streams, listeners } = load(
      `rtmp 1935 { send_window ${text}; } stream a { input publish://; send_window ${text}; }`,
    );
    assert.equal(streams[0]?.options.sendWindow, sendWindow);
    assert.equal(listeners.rtmp[0]?.sendWindow, sendWindow);
  });
}

const PREPUSH: readonly [text: string, prepushMs: number | "gop" | false][] = [
  ["true", "gop"],
  ["false", false],
  ["0", 0],
  ["5", 5000],
];

for (const [text, prepushMs] of PREPUSH) {
  test(`prepush ${text} reaches the plan`, () => {
    assert.equal(
      load(`stream a { input publish://; prepush ${text}; }`).streams[0]?.options.prepushMs,
      prepushMs,
    );
  });
}

test("a label may have any name, also one that objects have already", () => {
  const { labels } = load("stream a { input publish://; labels __proto__=x constructor=y place=z; }")
    .streams[0]!;
  assert.deepEqual(Object.entries(labels), [
    ["__proto__", "x"],
    ["constructor", "y"],
    ["place", "z"],
  ]);
});

test("a name defined in two files is an error that shows both places", () => {
  const { problems, sources } = loadConfig([
    { file: "a.conf", text: "stream news { input publish://; }\n" },
    { file: "b.conf", text: "\n\nstream news { input fake://; }\n" },
  ]);
  const expected = [
    'error: stream "news" is defined twice',
    "  --> b.conf:3:8",
    "   |",
    " 3 | stream news { input fake://; }",
    "   |        ^^^^ give one of them another name",
    "  ::: a.conf:1:8",
    "   |",
    " 1 | stream news { input publish://; }",
    "   |        ---- first defined here",
    "",
  ];
  assert.equal(formatProblems(problems, sources), expected.join("\n"));
});

test("a file stands by itself: an unclosed block does not swallow the next file", () => {
  const { problems } = loadConfig([
    { file: "a", text: "template pub {\n prefix pub;\n" },
    { file: "b", text: "stream x { input nonsense; }\n" },
  ]);
  assert.deepEqual(
    problems.map((one) => [one.file, one.code]),
    [
      ["a", "CONFIG_UNCLOSED_BLOCK"],
      ["b", "CONFIG_BAD_VALUE"],
    ],
  );
});

test("what follows an unclosed block is read as if it had been closed", () => {
  const text =
    "template pub {\n prefix pub;\n\nstream a { input publish://; }\nedit_auth a;\ntemplate b { prefx c; }\n";
  assert.deepEqual(codesOf(text), [
    "CONFIG_UNCLOSED_BLOCK",
    "CONFIG_MISSING_ARGUMENT",
    "CONFIG_UNKNOWN_DIRECTIVE",
  ]);
});

test("a listener without its closing brace does not swallow the others", () => {
  assert.deepEqual(codesOf("http 80 {api false; http 81; rtmp 1935;"), ["CONFIG_UNCLOSED_BLOCK"]);
});

const MISSING_SEMICOLONS: readonly [text: string, places: readonly string[]][] = [
  ["rtmp 1935\nhttp 80;", ["1:10"]],
  ["rtmp 1935\nhttp 80\nhttp 81;", ["1:10", "2:8"]],
  ["cluster_key abc\nrtmp 1935;", ["1:16"]],
  ["edit_auth root secret\nstream a { input publish://; }", ["1:22"]],
  [
    "stream a {\n disabled\n input publish://\n title x\n protocols hls\n segment_count 5\n}",
    ["2:10", "3:18", "4:9", "5:15", "6:17"],
  ],
  ["stream a { input publish://; labels a=b\n title x; }", ["1:40"]],
  ["template a { prefix a b\n input publish://; }", ["1:24"]],
  ["stream a { input publish://; protocols hls\n rtmp\n dash; }", []],
  ["stream a { input publish://; push rtmp://x/y\n disabled; }", []],
  ["stream a { input publish://\n priority=1\n source_timeout=2; }", []],
];

for (const [text, places] of MISSING_SEMICOLONS) {
  test(`in ${JSON.stringify(text)} ${places.length} semicolons are missing`, () => {
    const errors = problemsOf(text).filter((one) => one.severity === "error");
    assert.deepEqual(
      errors.map((one) => one.code),
      places.map(() => "CONFIG_MISSING_SEMICOLON"),
    );
    assert.deepEqual(
      errors.map((one) => `${one.line}:${one.column}`),
      places,
    );
  });
}

test("a mistyped block is checked as what was meant, so that one mistake is one error", () => {
  assert.deepEqual(codesOf("templat pub { prefix pub; input publish://; } stream a { template pub; }"), [
    "CONFIG_UNKNOWN_DIRECTIVE",
  ]);
  assert.deepEqual(codesOf("streem a { segment_duration 99; }"), [
    "CONFIG_UNKNOWN_DIRECTIVE",
    "CONFIG_BAD_VALUE",
  ]);
});

test("the contents of a block without effect are not looked into", () => {
  assert.deepEqual(codesOf("source host { only a b; whatever { is here; } }"), ["CONFIG_NO_EFFECT_YET"]);
  assert.deepEqual(codesOf("cache c { a b }"), ["CONFIG_NO_EFFECT_YET", "CONFIG_MISSING_SEMICOLON"]);
});

test("templates that only publishers pass over do not hide the next one", () => {
  const text = "template play { prefix a; input fake://; } template pub { prefix a; input publish://; }";
  assert.deepEqual(codesOf(text), []);
  assert.deepEqual(codesOf(text.replace("fake://", "publish://")), ["CONFIG_NEVER_USED"]);
});

test("every code of a problem is in a test", () => {
  const folders = [new URL(".", import.meta.url), new URL("../server/config/", import.meta.url)];
  const tests = folders.flatMap((folder) =>
    readdirSync(folder).flatMap((name) =>
      name.endsWith(".test.ts") ? [readFileSync(new URL(name, folder), "utf8")] : [],
    ),
  );
  const codes = new Set(Object.keys(PROBLEM_CODES));
  for (const name of readdirSync(new URL("bad/", VECTORS)).filter((one) => one.endsWith(".conf"))) {
    for (const one of problemsOf(vector(`bad/${name}`))) codes.delete(one.code);
  }
  assert.deepEqual(
    [...codes].filter((code) => !tests.some((text) => text.includes(code))),
    [],
  );
});

test("problems are bounded, and say how many are left out", () => {
  const { problems } = loadConfig([{ file: "t", text: "nonsense;\n".repeat(MAX_PROBLEMS + 5) }]);
  assert.equal(problems.length, MAX_PROBLEMS + 1);
  assert.equal(problems.at(-1)?.code, "CONFIG_TOO_MANY_PROBLEMS");
  assert.equal(problems.at(-1)?.message, "5 more errors are not shown");
});

test("warnings do not take the room of errors", () => {
  const { problems } = loadConfig([
    { file: "t", text: `${"rtsp 554;\n".repeat(MAX_PROBLEMS + 5)}nonsense;` },
  ]);
  assert.equal(problems.filter((one) => one.severity === "error").length, 1);
});

test("a config of a hundred thousand lines is read in a moment", () => {
  const block =
    "stream s# {\n  input publish:// source_timeout=10;\n  segment_duration 4;\n  title x;\n}\n";
  const text = Array.from({ length: 20_000 }, (_, index) => block.replace("#", String(index))).join("");
  const started = performance.now();
  assert.equal(load(text).streams.length, 20_000);
  assert.ok(performance.now() - started < 20_000);
});

const SLOW_SHAPES = [
  "http 0;",
  "edit_auth\n",
  'a="',
  "stream x{}",
  "input fake:// ",
  '"\\\\\\" ',
  "stream x{",
  "a\nrtmp",
  "}",
];

for (const shape of SLOW_SHAPES) {
  test(`a megabyte of ${JSON.stringify(shape)} costs no more than reading it`, () => {
    const text = shape.repeat(Math.floor(1_048_576 / shape.length));
    const started = performance.now();
    const { problems, sources } = loadConfig([{ file: "t", text }]);
    formatProblems(problems, sources);
    assert.ok(performance.now() - started < 20_000);
  });
}
