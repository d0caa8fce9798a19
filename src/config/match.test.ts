import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "./load.ts";
import { matchTemplate, prefixMatches } from "./match.ts";
import { acceptsPublishers, allowsProtocol } from "./plan.ts";
import type { ResolvedConfig } from "./plan.ts";

const CONFIG = load(`
  stream pub/fixed { input fake://fake; }
  stream pub/off { input publish://; disabled; }
  template off { prefix pub; disabled; input publish://; }
  template play { prefix pub/view; input fake://fake; }
  template pub { prefix pub pub/view/deep live; input publish://; }
  template later { prefix pub; input publish://; }
  template rest { prefix ""; input publish://; }
`);

function load(text: string): ResolvedConfig {
  const { config } = loadConfig([{ file: "t", text }]);
  assert.ok(config !== undefined);
  return config;
}

const MATCHES: readonly [name: string, play: string, publish: string][] = [
  ["pub/fixed", "stream pub/fixed", "stream pub/fixed"],
  ["pub/off", "stream pub/off", "stream pub/off"],
  ["pub/a", "template pub pub", "template pub pub"],
  ["pub/a/b", "template pub pub", "template pub pub"],
  ["pub/view/a", "template play pub/view", "template pub pub"],
  ["pub/view/deep/a", "template play pub/view", "template pub pub/view/deep"],
  ["pub/view", "template pub pub", "template pub pub"],
  ["live/x", "template pub live", "template pub live"],
  ["public", "template rest ", "template rest "],
  ["pub", "template rest ", "template rest "],
  ["anything/at/all", "template rest ", "template rest "],
];

for (const [name, play, publish] of MATCHES) {
  test(`the name ${name} goes to ${play} for playback and to ${publish} for a publisher`, () => {
    for (const [purpose, expected] of [
      ["play", play],
      ["publish", publish],
    ] as const) {
      const match = matchTemplate(CONFIG, name, purpose);
      assert.ok(match !== undefined);
      const shown =
        match.kind === "stream"
          ? `stream ${match.stream.name}`
          : `template ${match.template.name} ${match.prefix}`;
      assert.equal(shown, expected);
    }
  });
}

test("a name that nothing covers has no match", () => {
  const config = load("template pub { prefix pub; input publish://; } template none { input publish://; }");
  assert.equal(matchTemplate(config, "pub"), undefined);
  assert.equal(matchTemplate(config, "none/a"), undefined);
  assert.equal(matchTemplate(config, ""), undefined);
});

const PREFIXES: readonly [prefix: string, name: string, isMatch: boolean][] = [
  ["pub", "pub/x", true],
  ["pub", "pub/x/y", true],
  ["pub", "public", false],
  ["pub", "pub", false],
  ["pub", "pub/", false],
  ["pub", "a/pub/x", false],
  ["a/b", "a/b/c", true],
  ["a/b", "a/bc", false],
  ["", "anything", true],
];

for (const [prefix, name, isMatch] of PREFIXES) {
  test(`prefix "${prefix}" ${isMatch ? "takes" : "leaves"} ${name}`, () => {
    assert.equal(prefixMatches(prefix, name), isMatch);
  });
}

test("only what has publish:// and is not disabled takes publishers", () => {
  const taking = [...CONFIG.streams, ...CONFIG.templates]
    .filter(acceptsPublishers)
    .map((plan) => plan.name);
  assert.deepEqual(taking, ["pub", "later", "rest"]);
});

test("a protocol rule allows what it names, or what it does not", () => {
  assert.equal(allowsProtocol({ kind: "all" }, "hls"), true);
  assert.equal(allowsProtocol({ kind: "only", names: ["hls"] }, "hls"), true);
  assert.equal(allowsProtocol({ kind: "only", names: ["hls"] }, "rtmp"), false);
  assert.equal(allowsProtocol({ kind: "except", names: ["hls"] }, "hls"), false);
  assert.equal(allowsProtocol({ kind: "except", names: ["hls"] }, "rtmp"), true);
});
