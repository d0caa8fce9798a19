import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { projectFiles, readProjectFile, root } from "./tree.ts";

/** Text that stands in no file of the project. One letter of each is in brackets, so that this file has none of it. */
const FORBIDDEN: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: "the host name of a package registry",
    pattern:
      /\b(?:npmj[s]|yarnpk[g]|npmmirro[r])\.(?:org|com|net)\b|https?:\/\/(?:[a-z0-9.-]*[.-])?registr[y][.:/-]/i,
  },
  {
    what: "a folder of the machine it was written on",
    pattern: /(?<![\w.~*}-])\/(?:wor[k]|roo[t]|home\/[a-z]+)\//i,
  },
];

/** Names that say nothing of what is in the file. */
const EMPTY_NAME = /^(utils?|helpers?|misc|common|stuff|.*-(utils?|helpers?))\.[a-z]+$/i;

describe("the files of the project", () => {
  const paths = projectFiles();

  test("name no registry and no folder of anybody's machine", () => {
    const leaks = paths.flatMap((path) => {
      // Latin-1 keeps every byte, so binary files are searched as well.
      const lines = readFileSync(join(root, path), "latin1").split("\n");
      return FORBIDDEN.flatMap(({ what, pattern }) => {
        const line = lines.findIndex((text) => pattern.test(text));
        return line < 0 ? [] : [`${path}:${line + 1} has ${what}`];
      });
    });
    assert.equal(leaks.join("\n"), "");
  });

  test("have names that say what is in them", () => {
    assert.deepEqual(
      paths.filter((path) => EMPTY_NAME.test(basename(path))),
      [],
    );
  });

  test("lock packages by their hash, not by where one machine got them", () => {
    const lock = JSON.parse(readProjectFile("package-lock.json")) as {
      packages: Record<string, { resolved?: string }>;
    };
    const places = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined);
    assert.deepEqual(places, []);
  });
});

describe("the search for leaks", () => {
  const cases = [
    { parts: ["https://regis", "try.example.com/x"], isLeak: true },
    { parts: ["npm", "js.org"], isLeak: true },
    { parts: ["see /wo", "rk/main/x"], isLeak: true },
    { parts: ["in /ro", "ot/.config"], isLeak: true },
    { parts: ["a registry of streams"], isLeak: false },
    { parts: ["frame/wo", "rk/flow, src/ro", "ot/x, https://example.com/a"], isLeak: false },
  ];
  for (const { parts, isLeak } of cases) {
    test(`${isLeak ? "finds" : "passes"} ${parts.join("...")}`, () => {
      const text = parts.join("");
      assert.equal(
        FORBIDDEN.some(({ pattern }) => pattern.test(text)),
        isLeak,
      );
    });
  }
});
