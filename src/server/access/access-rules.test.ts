import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../config/load.ts";
import { asksServers } from "./access-rules.ts";

const ROWS: readonly (readonly [string, boolean])[] = [
  ["", false],
  ["stream a { input publish://; }", false],
  ["stream a { input publish://; on_play http://127.0.0.1:1/may; }", true],
  ["stream a { input publish://; on_publish http://127.0.0.1:1/may; }", true],
  ["template t { prefix t; input publish://; on_play http://127.0.0.1:1/may; }", true],
  ["vod v { storage /tmp; on_play http://127.0.0.1:1/may; }", true],
  ["stream a { input publish://; on_play securetoken://key; password secret; }", false],
  ["auth_backend b { allow ip 10.0.0.1; }\nstream a { input publish://; on_play auth://b; }", false],
  [
    "auth_backend b { backend http://127.0.0.1:1/may; }\nstream a { input publish://; on_play auth://b; }",
    true,
  ],
];

for (const [text, expected] of ROWS) {
  test(`${expected ? "a server" : "no server"} may be asked under: ${text.replaceAll("\n", " ")}`, () => {
    const { config, problems } = loadConfig([{ file: "weir.conf", text }]);
    assert.ok(config !== undefined, JSON.stringify(problems));
    assert.equal(asksServers(config), expected);
  });
}
