import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseStatements } from "../parser.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { objectToJson } from "../json/to-json.ts";
import { editFiles, findObject, objectOnDisk } from "./edit-files.ts";
import { mergeJson } from "./merge.ts";
import type { Json, JsonObject } from "../json/shape.ts";

const RUNS = { numRuns: 300 };

/** What stands between statements, and within them where a blank may stand. */
const GAP = fc.constantFrom(" ", "\n", "\n\n", "\t", " # note; { }\n", "\n# a line\n", "\n  ", "\n\n\n");
const END = fc.constantFrom("", "\n", " # end", "\n\n", " ;\n");

const SETTINGS = fc.constantFrom(
  'title "a b"',
  "title x",
  "input publish://",
  "input   file:///a.mp4\tpriority=2",
  "position 3",
  "labels a=1 b=2",
  "segment_duration 4000ms",
  "dvr /rec 7d",
  "dvr { root /r; # inside\n size 1G; }",
  "push rtmp://a/b x=1",
  "protocols hls dash",
);

/** The block of an object: each setting once, with what stands around them. */
const BLOCK = fc
  .tuple(
    fc.uniqueArray(SETTINGS, { maxLength: 5, selector: (text) => /^\w+/.exec(text)![0] }),
    fc.array(GAP, { minLength: 8, maxLength: 8 }),
  )
  .map(([settings, gaps]) => {
    const inner = settings.map((text, index) => `${gaps[index]}${text}${text.endsWith("}") ? "" : ";"}`);
    return `{${inner.join("")}${gaps[7]}}`;
  });

const CONFIG = fc
  .tuple(fc.array(fc.tuple(GAP, BLOCK), { minLength: 1, maxLength: 4 }), END, fc.boolean())
  .map(([blocks, end, hasSettings]) => {
    const streams = blocks.map(([gap, block], index) => `${gap}stream s${index} ${block}`);
    return `${hasSettings ? "# head\nhttp 80; # port" : ""}${streams.join("")}${end}`;
  })
  // A comment at the end of one piece would swallow the next.
  .map((text) => text.replaceAll("portstream", "port\nstream").replaceAll(/# port(?!\n)/g, "# port\n"));

const PATCH: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      $reset: fc.constant(true),
      title: fc.constantFrom<Json>(null, "x", "new title", 'with "quotes" and \\'),
      position: fc.constantFrom<Json>(null, 0, 7),
      inputs: fc.constantFrom<Json>(
        [],
        null,
        [{ url: "publish://" }],
        [{ url: "fake://fake" }, { url: "publish://" }],
      ),
      labels: fc.constantFrom<Json>({ a: null }, { c: "3" }, { $reset: true, d: "4" }),
      dvr: fc.constantFrom<Json>(
        null,
        false,
        { expiration: 86_400 },
        { root: "/other", storage_limit: null },
      ),
      protocols: fc.constantFrom<Json>(null, ["hls"]),
    },
    { requiredKeys: [] },
  )
  .map((made) => JSON.parse(JSON.stringify(made)) as JsonObject);

function statementsOf(text: string): Map<string, JsonObject> {
  const problems = new ProblemList();
  const statements = parseStatements(new SourceText({ file: "t", text }), problems);
  assert.equal(problems.hasErrors, false, text);
  const objects = statements.filter(({ words }) => words[0].text === "stream");
  return new Map(objects.map((one) => [one.words[1]!.text, objectToJson(one, "show")]));
}

/** What comes before the object and behind it. */
function around(text: string, name: string): [string, string] {
  const { statement } = findObject([{ file: "t", text }], { kind: "stream", name })!;
  return [text.slice(0, statement.words[0].start), text.slice(statement.end)];
}

function withoutEmpty(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) => typeof value !== "object" || value === null || Object.keys(value).length > 0,
    ),
  );
}

test("a change makes what was asked for, and every other byte stays", () => {
  fc.assert(
    fc.property(CONFIG, PATCH, (text, patch) => {
      const files = [{ file: "t", text }];
      const before = statementsOf(text);
      const was = before.get("s0")!;
      const merged = mergeJson(patch, was, was, "");
      const edited = editFiles(
        files,
        { action: "put", kind: "stream", name: "s0", value: patch },
        () => "t",
      );
      const after = statementsOf(edited.text);
      assert.deepEqual(around(edited.text, "s0"), around(text, "s0"));
      assert.deepEqual(
        after.get("s0"),
        withoutEmpty({ ...(merged as JsonObject), name: "s0" }),
        edited.text,
      );
      for (const [name, object] of before) if (name !== "s0") assert.deepEqual(after.get(name), object);
      const again = editFiles(
        [{ file: "t", text: edited.text }],
        { action: "put", kind: "stream", name: "s0", value: patch },
        () => "t",
      );
      assert.equal(again.text, edited.text, "a second time changes nothing");
    }),
    RUNS,
  );
});

test("what the API shows changes nothing when it is given back", () => {
  fc.assert(
    fc.property(CONFIG, (text) => {
      const files = [{ file: "t", text }];
      const value = objectOnDisk(files, { kind: "stream", name: "s0" })!;
      assert.equal(
        editFiles(files, { action: "put", kind: "stream", name: "s0", value }, () => "t").text,
        text,
      );
    }),
    RUNS,
  );
});

test("a new object comes behind everything else, and taken away again it leaves no trace of itself", () => {
  fc.assert(
    fc.property(CONFIG, PATCH, (text, value) => {
      const made = editFiles(
        [{ file: "t", text }],
        { action: "put", kind: "stream", name: "new/one", value },
        () => "t",
      );
      assert.ok(made.text.startsWith(text));
      const files = [{ file: "t", text: made.text }];
      const gone = editFiles(files, { action: "delete", kind: "stream", name: "new/one" }, () => "t");
      assert.ok(gone.text.trimEnd() === text.trimEnd(), gone.text);
    }),
    RUNS,
  );
});

test("an object that is taken away leaves all others, and their comments, as they were", () => {
  fc.assert(
    fc.property(CONFIG, (text) => {
      const [head, tail] = around(text, "s0");
      const { text: left } = editFiles(
        [{ file: "t", text }],
        { action: "delete", kind: "stream", name: "s0" },
        () => "t",
      );
      const before = statementsOf(text);
      before.delete("s0");
      assert.deepEqual(statementsOf(left), before);
      assert.ok(left.startsWith(head.trimEnd()), left);
      const behind = tail
        .replace(/^[ \t]*;/, "")
        .replace(/^[ \t]*#[^\n]*/, "")
        .trimStart();
      assert.ok(left.endsWith(behind), left);
    }),
    RUNS,
  );
});
