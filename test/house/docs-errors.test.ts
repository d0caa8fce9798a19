import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { catalogueFiles, listErrors, renderErrorsPage } from "./errors-page.ts";
import { projectFiles, readProjectFile } from "./tree.ts";

describe("the error codes of the project", async () => {
  const paths = projectFiles();
  const files = catalogueFiles(paths);
  const errors = await listErrors(files);

  test("come from every errors.ts", () => {
    const silent = files.filter((file) => !errors.some(({ declaredIn }) => declaredIn === file));
    assert.deepEqual(silent, []);
  });

  test("are unique, and begin with a word of their layer in upper case", () => {
    const codes = errors.map(({ code }) => code);
    assert.deepEqual(
      codes.filter((code, index) => codes.indexOf(code) !== index),
      [],
    );
    for (const code of codes) assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/);
  });

  test("say what they mean and what to do in whole sentences", () => {
    for (const { code, spec } of errors) assert.match(spec.doc, /^[^a-z].*\.$/s, `${code}: ${spec.doc}`);
  });

  test("stand in docs/errors.md as they are now (npm run docs writes it)", () => {
    const page = paths.includes("docs/errors.md") ? readProjectFile("docs/errors.md") : "";
    assert.ok(page === renderErrorsPage(errors), "docs/errors.md is not current");
  });

  test("are each named by a test", () => {
    const tests = paths.filter((path) => path.endsWith(".test.ts")).map(readProjectFile);
    const words = new Set(tests.flatMap((text) => text.match(/[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+/g) ?? []));
    const untested = errors.filter(({ code }) => !words.has(code)).map(({ code }) => code);
    assert.equal(untested.join("\n"), "");
  });
});

describe("the page of errors", () => {
  test("has a section for each layer, and the status of what HTTP clients are told", () => {
    const reject = {
      disposition: "reject",
      message: 'no "{name}"',
      doc: "It is gone.",
      httpStatus: 404,
    } as const;
    const skip = { disposition: "skip-unit", message: "odd byte", doc: "Nothing to do." } as const;
    const page = renderErrorsPage([
      { code: "VOD_NO_FILE", spec: reject, declaredIn: "src/vod/errors.ts" },
      { code: "FLV_ODD", spec: skip, declaredIn: "src/containers/flv/errors.ts" },
    ]);
    assert.match(
      page,
      /\n## vod\n\n### VOD_NO_FILE\n\n`reject`, HTTP 404: no "\{name\}"\n\nIt is gone\.\n/,
    );
    assert.match(
      page,
      /\n## containers\/flv\n\n### FLV_ODD\n\n`skip-unit`: odd byte\n\nNothing to do\.\n$/,
    );
  });
});
