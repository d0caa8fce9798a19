import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseStatements } from "../parser.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { loadConfig } from "../load.ts";
import { COLLECTIONS, keyOf, propertiesOf } from "./shape.ts";
import { configToJson } from "./to-json.ts";
import { propertiesToText } from "./to-text.ts";
import type { Arbitrary } from "fast-check";
import type { ArgumentSpec, DirectiveSpec, OptionSpec, Scope } from "../schema.ts";
import type { Statement } from "../parser.ts";
import type { ValueType } from "../values.ts";
import type { Json, JsonObject, Property } from "./shape.ts";
import { isInMilliseconds } from "./shape.ts";
import { findDirective } from "../directives.ts";
import { propertyName } from "./shape.ts";

const RUNS = { numRuns: 60 };

function statementsOf(text: string): Statement[] {
  const problems = new ProblemList();
  const statements = parseStatements(new SourceText({ file: "t", text }), problems);
  assert.equal(problems.hasErrors, false, text);
  return statements;
}

/** As it comes out of a body. */
function plain(made: object): JsonObject {
  return JSON.parse(JSON.stringify(made)) as JsonObject;
}

/** Words that a person could write, with all signs that the language has. */
const TEXT = fc
  .string({ unit: fc.constantFrom(...Array.from('abc /#;{}"\\=:@%.äß-_*')), minLength: 1, maxLength: 12 })
  .filter((text) => !text.includes("***"));
const NAME = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}(\/[a-z0-9]{1,4})?$/);

/** Values of a type as the API shows them. */
function valueOf(type: ValueType, name: string): Arbitrary<Json> | null {
  switch (type.kind) {
    case "text":
      return TEXT.filter((text) => text.length >= (type.minLength ?? 0));
    case "login":
      return fc.stringMatching(/^[a-z]{1,6}$/);
    case "path":
    case "recording-root":
      return fc.stringMatching(/^\/[a-z]{1,6}$/);
    case "hostname":
    case "name":
      return fc.stringMatching(/^[a-z0-9]{1,5}$/);
    case "prefix":
      return NAME;
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: type.min, max: type.max });
    case "duration": {
      const isMs = type.bareUnit === "ms" || isInMilliseconds(name);
      const numbers = fc.integer({ min: type.minMs, max: Math.min(type.maxMs, 10 ** 9) });
      const words = (type.words ?? []).map((word) =>
        word === "true" ? true : word === "false" ? false : word,
      );
      const number = numbers.map((ms) => (isMs ? ms : ms / 1000));
      return words.length === 0 ? number : fc.oneof(number, fc.constantFrom<Json>(...words));
    }
    case "size":
      return fc.integer({ min: type.minBytes, max: Math.min(type.maxBytes, 2 ** 50) });
    case "bitrate":
      return fc.integer({ min: type.minBps, max: Math.min(type.maxBps, 1e9) });
    case "percent":
      return fc.integer({ min: type.min ?? 0, max: 100 });
    case "url": {
      const url = fc
        .stringMatching(/^[a-z]{1,5}(:\d{2,4})?\/[a-z]{0,4}$/)
        .map((rest) => `${type.schemes?.[0] ?? "rtmp"}://${rest}`);
      return type.orBoolean === true ? fc.oneof(url, fc.boolean()) : url;
    }
    case "choice":
      return fc.constantFrom(...type.values);
    case "signed-choice":
      return fc.constantFrom(...type.values, ...type.values.map((value) => `-${value}`));
    // Words with a form of their own: their readers have tests of their own.
    default:
      return null;
  }
}

function argumentValue({ type }: ArgumentSpec, name: string): Arbitrary<Json> | null {
  return valueOf(type, name);
}

function optionValue({ name, type, flag }: OptionSpec): Arbitrary<Json> | null {
  if (flag === true && type === undefined) return fc.constant(true);
  return valueOf(type ?? { kind: "text" }, propertyName(name));
}

/** Values of a property; `null` for those that are not made here. */
function propertyValue(property: Property): Arbitrary<Json> | null {
  const { form, spec, name, isList } = property;
  const one =
    property.word !== undefined && form.kind === "words"
      ? fc.constant(true)
      : elementValue(form, spec, name);
  if (one === null) return null;
  return isList ? fc.array(one, { minLength: 1, maxLength: 3 }) : one;
}

function elementValue(form: Property["form"], spec: DirectiveSpec, name: string): Arbitrary<Json> | null {
  switch (form.kind) {
    case "value":
      return argumentValue(form.argument, name);
    case "list": {
      const one = argumentValue(form.argument, name);
      const { key } = form;
      if (one === null) return null;
      const element = key === undefined ? one : one.map((value) => ({ [key]: value }));
      return fc.array(element, { minLength: 1, maxLength: 3 });
    }
    case "pairs":
      return fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), TEXT, { minKeys: 1, maxKeys: 3 });
    case "words":
      return fc
        .array(fc.stringMatching(/^[a-z0-9.]{1,6}$/), { maxLength: 3 })
        .map((words) => (words.length === 0 ? true : words.join(" ")));
    case "record":
      return recordValue(form.keys, spec);
  }
}

function recordValue(keys: readonly string[], spec: DirectiveSpec): Arbitrary<Json> | null {
  if (spec.arguments === "unchecked") {
    const url = fc.stringMatching(/^[a-z]{1,6}$/);
    return fc.record({ [keys[0]!]: url, retry: fc.stringMatching(/^\d{1,3}$/), flag: fc.constant(true) });
  }
  const fields: Record<string, Arbitrary<Json>> = {};
  const [first] = spec.arguments;
  if (first?.type.kind === "address") {
    fields["port"] = fc.integer({ min: 0, max: 65_535 });
    fields["address"] = fc.constantFrom("127.0.0.1", "::1", "host.example");
  } else {
    for (const [index, key] of keys.entries()) {
      const value = argumentValue(spec.arguments[index]!, key);
      if (value === null) return null;
      fields[key] = value;
    }
  }
  const required = Object.keys(fields).filter((name) => name !== "address");
  for (const option of spec.options ?? []) {
    const value = optionValue(option);
    if (value !== null) fields[propertyName(option.name)] = value;
  }
  if (typeof spec.block === "object") Object.assign(fields, propertyValues(spec.block.scope, fields));
  return fc.record(fields, { requiredKeys: required });
}

function propertyValues(
  scope: Scope,
  but: Readonly<Record<string, unknown>> = {},
): Record<string, Arbitrary<Json>> {
  const values: Record<string, Arbitrary<Json>> = {};
  for (const property of propertiesOf(scope).values()) {
    const value = property.name in but ? null : propertyValue(property);
    if (value !== null) values[property.name] = value;
  }
  return values;
}

for (const kind of Object.keys(COLLECTIONS)) {
  const block = findDirective("server", kind)?.block;
  if (typeof block !== "object") continue;
  test(`any ${kind} as JSON is the same again when it was text`, () => {
    const objects = fc.record(propertyValues(block.scope), { requiredKeys: [] });
    fc.assert(
      fc.property(NAME, objects, (name, made) => {
        const object = plain(made);
        const lines = propertiesToText(block.scope, object, "", "  ");
        const text = `${kind} ${name} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
        const { [COLLECTIONS[kind]!]: [read] = [] } = configToJson(statementsOf(text), "show") as Record<
          string,
          JsonObject[]
        >;
        assert.deepEqual(read, { [keyOf(kind)]: name, ...object }, text);
      }),
      RUNS,
    );
  });
}

test("any settings of the server as JSON are the same again when they were text", () => {
  fc.assert(
    fc.property(fc.record(propertyValues("server"), { requiredKeys: [] }), (made) => {
      const settings = plain(made);
      const text = `${propertiesToText("server", settings, "", "").join("\n")}\n`;
      const { listeners = {}, ...others } = configToJson(statementsOf(text), "show");
      assert.deepEqual({ ...others, ...(listeners as JsonObject) }, settings, text);
    }),
    RUNS,
  );
});

test("a configuration is shown as the API of the reference product names things", () => {
  const text = [
    "http 80 { api false; }",
    "http [::1]:81;",
    "edit_auth root secret;",
    "dvr disk { root /rec; expiration 7d; disk_usage_limit 97%; }",
    "template live { prefix live cams; input publish:// source_timeout=10; }",
    "stream a {",
    "  input rtmp://user:secret@host/x priority=1;",
    "  dvr @disk 2d 10G;",
    "  segment_duration 4;",
    "  source_timeout false;",
    "  labels a=1;",
    "  protocols -hls -dash;",
    "  push rtmp://other/app/secret;",
    "}",
    "stream b { dvr false; disabled; }",
    "vod movies { storage /media/a; storage /media/b; download; }",
    "ondemand old publish://;",
  ].join("\n");
  assert.deepEqual(configToJson(statementsOf(text), "hide"), {
    edit_auth: { login: "root", password: "***" },
    listeners: {
      http: [
        { port: 80, api: false },
        { address: "::1", port: 81 },
      ],
    },
    dvrs: [{ name: "disk", root: "/rec", expiration: 604_800, disk_usage_limit: 97 }],
    templates: [
      { name: "live", prefixes: ["live", "cams"], inputs: [{ url: "publish://", source_timeout: 10 }] },
    ],
    streams: [
      {
        name: "a",
        inputs: [{ url: "rtmp://***@host/x", priority: 1 }],
        dvr: { reference: "disk", expiration: 172_800, storage_limit: 10_737_418_240 },
        segment_duration: 4000,
        source_timeout: false,
        labels: { a: "1" },
        protocols: ["-hls", "-dash"],
        pushes: [{ url: "***" }],
      },
      { name: "b", dvr: false, disabled: true },
      { name: "old", inputs: [{ url: "publish://" }], static: false },
    ],
    vods: [{ prefix: "movies", storages: [{ url: "/media/a" }, { url: "/media/b" }], download: true }],
  });
  assert.equal(
    loadConfig([{ file: "t", text }]).problems.some(({ severity }) => severity === "error"),
    false,
  );
});
