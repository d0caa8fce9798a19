import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importViolations, roomOf, ROOMS } from "./import-rules.ts";
import { projectFiles, readProjectFile, sourceTexts } from "./tree.ts";

type PackageJson = { dependencies?: Record<string, string> };

describe("imports of the project", () => {
  const sources = sourceTexts();

  test("keep to the order of the rooms and the rules beside it", () => {
    const { dependencies } = JSON.parse(readProjectFile("package.json")) as PackageJson;
    const violations = importViolations(sources, Object.keys(dependencies ?? {}));
    assert.ok(sources.size > 0);
    assert.equal(violations.join("\n"), "");
  });

  test("come from the rooms that docs/architecture.md lists", () => {
    assert.ok(projectFiles().includes("docs/architecture.md"), "docs/architecture.md is missing");
    const built = new Set([...sources.keys()].map(roomOf).filter((room) => room !== null));
    const expected = ROOMS.filter((room) => built.has(room));
    assert.deepEqual(documentedRooms(readProjectFile("docs/architecture.md")), expected);
  });
});

/**
 * The rooms under the heading that has the word "Rooms", in their order. A line of a room begins, after a list mark, a
 * table's bar or nothing, with the folder's name, in backquotes or with a slash: "| `base` | ... |", "  base/  ...".
 */
function documentedRooms(page: string): string[] {
  const section = /^#+ [^\n]*\brooms\b[^\n]*\n([^]*?)(?=^#|(?![^]))/im.exec(page)?.[1] ?? "";
  const lines = section.matchAll(/^[\s|*-]*(?:`(?:src\/)?([a-z]+)\/?`|(?:src\/)?([a-z]+)\/)/gm);
  const names = [...lines].map((match) => match[1] ?? match[2]);
  return [...new Set(names)]
    .filter((name) => name !== undefined)
    .filter((name) => ROOMS.some((room) => room === name));
}

describe("the list of rooms in the architecture page", () => {
  const cases = [
    { name: "a list", page: "# A\n## Rooms\n\n- `base/`: ground\n- `src/media/`: words\n## B\n- `cli/`" },
    {
      name: "a table",
      page: "## The rooms\n| room | job |\n| --- | --- |\n| `base/` | x |\n| `media/` | y |",
    },
    { name: "a drawing", page: "## Rooms\n```\nsrc/\n  base/    ground\n  media/   words\n```\n" },
  ];
  for (const { name, page } of cases) {
    test(`is read from ${name}`, () => {
      assert.deepEqual(documentedRooms(page), ["base", "media"]);
    });
  }
});

describe("the import rules", () => {
  const cases: readonly { name: string; sources: Record<string, string>; found: readonly string[] }[] = [
    {
      name: "allow what stands above, one's own files and packages of the server",
      sources: {
        "src/stream/a.ts": `import "../base/b.ts"; import "./c.ts"; import "pino"; import "node:crypto";`,
        "src/base/b.ts": "",
        "src/stream/c.ts": "",
      },
      found: [],
    },
    {
      name: "refuse what stands below",
      sources: { "src/base/a.ts": `\nimport type { B } from "../media/b.ts";`, "src/media/b.ts": "" },
      found: [`src/base/a.ts:2 imports "../media/b.ts": media/ stands below base/`],
    },
    {
      name: "refuse another protocol, and allow it to tests",
      sources: {
        "src/protocols/hls/a.ts": `import "../rtmp/b.ts";`,
        "src/protocols/hls/a.test.ts": `import "../rtmp/b.ts"; import "node:fs"; import "fast-check";`,
        "src/protocols/rtmp/b.ts": "",
      },
      found: [`src/protocols/hls/a.ts:1 imports "../rtmp/b.ts": a protocol imports no other protocol`],
    },
    {
      name: "let config be read by few",
      sources: {
        "src/config/a.ts": "",
        "src/api/b.ts": `import "../config/a.ts";`,
        "src/cluster/c.ts": `import "../config/a.ts";`,
      },
      found: [
        `src/cluster/c.ts:1 imports "../config/a.ts": declare the options you need instead of reading config/`,
      ],
    },
    {
      name: "keep Node out of config, and sockets and files where they belong",
      sources: {
        "src/config/a.ts": `import "node:path";`,
        "src/protocols/rtmp/listener.ts": `import "node:net";`,
        "src/protocols/rtmp/session.ts": `import "node:net";`,
        "src/vod/storages/disk.ts": `import "node:fs/promises";`,
        "src/dvr/s3-storage.ts": `import "node:https";`,
        "src/server/compose.ts": `import "node:worker_threads";`,
      },
      found: [
        `src/config/a.ts:1 imports "node:path": config/ runs in browsers too`,
        `src/protocols/rtmp/session.ts:1 imports "node:net": sockets and files only in listener.ts, puller.ts, pusher.ts, storages, server/ and cli/`,
      ],
    },
    {
      name: "refuse packages of development, missing files, what is outside, and files in no room",
      sources: {
        "src/base/a.ts": `import "fast-check"; import "./gone.ts"; import "../../test/x.ts"; import "@aws/x/y";`,
        "src/main.ts": "",
        "src/utils/b.ts": "",
      },
      found: [
        `src/main.ts: in no room`,
        `src/utils/b.ts: in no room`,
        `src/base/a.ts:1 imports "fast-check": not among the "dependencies" of package.json`,
        `src/base/a.ts:1 imports "./gone.ts": there is no such file`,
        `src/base/a.ts:1 imports "../../test/x.ts": outside src/`,
        `src/base/a.ts:1 imports "@aws/x/y": not among the "dependencies" of package.json`,
      ],
    },
    {
      name: "find cycles, each once, of types too",
      sources: {
        "src/base/a.ts": `import "./b.ts";`,
        "src/base/b.ts": `import type { C } from "./c.ts";`,
        "src/base/c.ts": `export { a } from "./a.ts"; import "./b.ts";`,
      },
      found: [
        "cycle: src/base/a.ts -> src/base/b.ts -> src/base/c.ts -> src/base/a.ts",
        "cycle: src/base/b.ts -> src/base/c.ts -> src/base/b.ts",
      ],
    },
  ];
  for (const { name, sources, found } of cases) {
    test(name, () => {
      assert.deepEqual(importViolations(new Map(Object.entries(sources)), ["pino"]), found);
    });
  }
});
