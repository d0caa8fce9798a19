import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { MediaError } from "../../base/errors.ts";
import { parseStatements } from "../parser.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { isObject } from "../json/to-text.ts";
import { editFiles } from "./edit-files.ts";
import { depthOf, MAX_JSON_DEPTH } from "./merge.ts";
import type { JsonObject } from "../json/shape.ts";

const BEFORE = "# head\nstream other { input publish://; }\n";
const BEHIND = "stream last {\n  title x; # note\n}\n# tail\n";
const OLD =
  "stream a {\n  input rtmp://user:secret@host/x;\n  title Old; # old\n  dvr /rec 7d;\n  labels a=1;\n}\n";

/** Whatever a body has in it, nothing comes of it but statements of the one object. */
export const fuzz: TextFuzzTarget = {
  name: "config-edits",
  seeds: [
    '{"title":"x","inputs":[{"url":"publish://","priority":1}],"dvr":{"root":"/r","expiration":86400}}',
    '{"$reset":true,"labels":{"a":null,"b":"x y"},"transcoder":"vb=1000k","prefix":["a"],"pushes":[{"url":"u","x":true}]}',
    '{"dvr":{"reference":"d","cache":{"path":"/c","size":1048576}},"protocols":["-hls"],"source_timeout":false}',
    '{"inputs":[{"url":"rtmp://***@host/x"}],"title":"a\\n; } stream b {"}',
  ],
  dictionary: ['"***"', "null", '"$reset":true', "__proto__", "\\n", "; }", "{", "#", '\\"'],
  run(input) {
    let value: unknown;
    try {
      value = JSON.parse(input);
    } catch {
      return;
    }
    if (!isObject(value) || depthOf(value) > MAX_JSON_DEPTH) return;
    const made = edited(OLD, value);
    if (made === null) return;
    assert.ok(made.startsWith(BEFORE) && made.endsWith(BEHIND), made);
    assert.deepEqual(namesIn(made), ["other", "a", "last"]);
    assert.ok(!made.includes("***") || input.includes("***"));
  },
};

function edited(stream: string, value: JsonObject): string | null {
  const files = [{ file: "t", text: `${BEFORE}${stream}${BEHIND}` }];
  try {
    return editFiles(files, { action: "put", kind: "stream", name: "a", value }, () => "t").text;
  } catch (caught) {
    if (caught instanceof MediaError) return null;
    throw caught;
  }
}

function namesIn(text: string): string[] {
  const problems = new ProblemList();
  const statements = parseStatements(new SourceText({ file: "t", text }), problems);
  assert.equal(problems.hasErrors, false, text);
  return statements.map(({ words }) => words[1]!.text);
}
