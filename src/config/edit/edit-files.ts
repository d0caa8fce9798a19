/** Changes of objects and settings in the files of a configuration: pure, from texts to texts. */
import { findDirective } from "../directives.ts";
import { readTokens } from "../lexer.ts";
import { nameFault } from "../names.ts";
import { parseStatements, statementSteps } from "../parser.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { word } from "../print-words.ts";
import { COLLECTIONS, keyOf } from "../json/shape.ts";
import { isListener, kindOf, objectToJson, propertyOf } from "../json/to-json.ts";
import {
  badField,
  escaped,
  isObject,
  isShownOnly,
  knownProperty,
  propertiesToText,
} from "../json/to-text.ts";
import { MASK } from "../json/values.ts";
import { blockEdits } from "./edit-block.ts";
import { editErrors } from "./errors.ts";
import { mergeJson, RESET } from "./merge.ts";
import { appended, applyEdits, indentAt, removal } from "./text-edits.ts";
import type { Steps } from "../../base/steps.ts";
import { asMediaError } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import type { Statement } from "../parser.ts";
import type { SourceFile } from "../place.ts";
import type { Scope } from "../schema.ts";
import type { Json, JsonObject } from "../json/shape.ts";

/** What is changed: an object by its kind and name, or settings of the server. */
export type ConfigEdit =
  | {
      readonly action: "put";
      readonly kind: string;
      readonly name: string;
      readonly value: JsonObject;
      /** What a new object has where `value` says nothing of it. */
      readonly otherwise?: JsonObject;
    }
  | { readonly action: "delete"; readonly kind: string; readonly name: string }
  | { readonly action: "settings"; readonly value: JsonObject }
  | { readonly action: "replace"; readonly text: string };

/** A file with its text after a change; `before` absent: there was no such file. */
export type EditedFile = { readonly file: string; readonly before?: string; readonly text: string };

/** Where an object is defined. */
export type FoundObject = { readonly file: SourceFile; readonly statement: Statement };

/**
 * Makes a change in the texts of a configuration: in the file where what is changed stands, else in `ownFile`, which need
 * not be one of `files`.
 *
 * Throws: EDIT_BAD_FIELD, EDIT_NO_SECRET, EDIT_NOT_FOUND, EDIT_SEVERAL_FILES, EDIT_READ_ONLY (an object in an old spelling
 * that cannot be changed piece by piece).
 */
export function editFiles(
  files: readonly SourceFile[],
  edit: ConfigEdit,
  ownFile: () => string,
): EditedFile {
  switch (edit.action) {
    case "put":
      return putObject(files, edit, ownFile);
    case "delete":
      return deleteObject(files, edit);
    case "settings":
      return putWhole(files, edit.value, ownFile);
    case "replace":
      requireNoMasks(edit.text);
      return fileOf(files, ownFile(), () => edit.text);
  }
}

/** Where an object is defined; `undefined` when it stands in none of the files. */
export function findObject(
  files: readonly SourceFile[],
  { kind, name }: { readonly kind: string; readonly name: string },
): FoundObject | undefined {
  for (const file of files) {
    // Most files of a big configuration have nothing of that name in them.
    if (!file.text.includes(name)) continue;
    const statement = statementsOf(file).find((one) => kindOf(one) === kind && one.words[1]?.text === name);
    if (statement !== undefined) return { file, statement };
  }
  return undefined;
}

/** What stands in the files of an object; `undefined` when nothing does. */
export function objectOnDisk(
  files: readonly SourceFile[],
  object: { readonly kind: string; readonly name: string },
): JsonObject | undefined {
  const found = findObject(files, object);
  return found === undefined ? undefined : objectToJson(found.statement, "hide");
}

function putObject(
  files: readonly SourceFile[],
  edit: ConfigEdit & { action: "put" },
  ownFile: () => string,
): EditedFile {
  const { kind, name, otherwise = {} } = edit;
  const value = withoutName(edit);
  const found = findObject(files, edit);
  if (found === undefined) {
    const fault = nameFault(name);
    if (fault !== undefined) throw badField(`/${keyOf(kind)}`, fault);
    requireKnown(kind, value);
    const whole = mergeJson(value, undefined, undefined, "");
    const text = objectText(kind, name, isObject(whole) ? { ...otherwise, ...whole } : otherwise, "");
    return fileOf(files, ownFile(), (before) => appended(before, text));
  }
  const { file, statement } = found;
  if (statement.words[0].text === "ondemand") return putOnDemand(files, found, edit, value);
  const block = statement.block;
  if (block === undefined) throw new TypeError(`${kind} "${name}" has no block`);
  const indent = `${indentAt(textOf(file), statement.words[0].start) ?? ""}  `;
  const { statements, open } = block;
  return fileOf(files, file.file, (text) =>
    applyEdits(
      text,
      blockEdits({ text, scope: scopeOf(kind), statements, start: open.end, indent }, value),
    ),
  );
}

/** The old spelling has no block: it becomes one. */
function putOnDemand(
  files: readonly SourceFile[],
  { file, statement }: FoundObject,
  { kind, name }: ConfigEdit & { action: "put" },
  value: JsonObject,
): EditedFile {
  requireKnown(kind, value);
  const { name: _, ...was } = objectToJson(statement, "show");
  const { name: _name, ...shown } = objectToJson(statement, "hide");
  const merged = mergeJson(value, was, shown, "");
  const { start } = statement.words[0];
  return fileOf(files, file.file, (text) => {
    const becomes = objectText(kind, name, isObject(merged) ? merged : {}, indentAt(text, start) ?? "");
    return applyEdits(text, [{ start, end: statement.end, text: becomes }]);
  });
}

function deleteObject(files: readonly SourceFile[], edit: ConfigEdit & { action: "delete" }): EditedFile {
  const found = findObject(files, edit);
  if (found === undefined) throw notFound(edit);
  const { file, statement } = found;
  return fileOf(files, file.file, (text) =>
    applyEdits(text, [removal(text, statement.words[0].start, statement.end)]),
  );
}

/** A text that was shown without its secrets would lose them. */
function requireNoMasks(text: string): void {
  if (!text.includes(MASK)) return;
  const tokens = readTokens(new SourceText({ file: "", text }), new ProblemList());
  if (tokens.some((token) => /^\*\*\*$|[=/]\*\*\*(?:$|@)/.test(token.text))) {
    throw editErrors.error("EDIT_NO_SECRET", { field: "the text", pointer: "" });
  }
}

/** The whole: settings, and objects by the names of their lists. All that changes stands in one file. */
function putWhole(files: readonly SourceFile[], given: JsonObject, ownFile: () => string): EditedFile {
  const objects = objectsIn(given);
  const settings = Object.fromEntries(
    Object.entries(given).filter(([name]) => KINDS[name] === undefined && name !== "config_on_disk"),
  );
  if (objects.length === 0) return putSettings(files, settings, ownFile);
  let now = files;
  const changed = new Map<string, EditedFile>();
  const take = (edited: EditedFile): void => {
    if (edited.text === edited.before) return;
    const { file, text } = edited;
    const before = changed.has(file) ? changed.get(file)!.before : edited.before;
    changed.set(file, { file, text, ...(before === undefined ? {} : { before }) });
    const isThere = now.some((one) => one.file === file);
    now = isThere ? now.map((one) => (one.file === file ? { file, text } : one)) : [{ file, text }, ...now];
  };
  if (Object.keys(settings).length > 0) take(putSettings(now, settings, ownFile));
  for (const { pointer, ...object } of objects) {
    try {
      take(putObject(now, { action: "put", ...object }, ownFile));
    } catch (caught) {
      throw placedIn(caught, pointer);
    }
  }
  const [one, ...others] = changed.values();
  if (others.length > 0)
    throw editErrors.error("EDIT_SEVERAL_FILES", { files: [...changed.keys()].join(", ") });
  if (one !== undefined) return one;
  const [{ file, text } = { file: ownFile(), text: "" }] = files;
  return { file, before: text, text };
}

type GivenObject = {
  readonly kind: string;
  readonly name: string;
  readonly value: JsonObject;
  readonly pointer: string;
};

/** Kinds of objects by the names of their lists. */
const KINDS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(COLLECTIONS).map(([kind, plural]) => [plural, kind]),
);

/** Objects that one request changes at most. */
export const MAX_OBJECTS_AT_ONCE = 200;

function objectsIn(given: JsonObject): GivenObject[] {
  const lists = Object.entries(given).filter(([name, list]) => KINDS[name] !== undefined && list !== null);
  const objects = lists.flatMap(([plural, list]) => {
    const kind = KINDS[plural]!;
    if (!Array.isArray(list)) throw badField(`/${plural}`, "it is a list");
    return list.map((value: Json, index): GivenObject => {
      const pointer = `/${plural}/${index}`;
      const name = isObject(value) ? value[keyOf(kind)] : undefined;
      if (!isObject(value) || typeof name !== "string")
        throw badField(`${pointer}/${keyOf(kind)}`, "it is missing");
      return { kind, name, value, pointer };
    });
  });
  if (objects.length > MAX_OBJECTS_AT_ONCE)
    throw badField("", `at most ${MAX_OBJECTS_AT_ONCE} objects are changed at once`);
  return objects;
}

/** The error with the place in the whole body. */
function placedIn(caught: unknown, place: string): unknown {
  const error = asMediaError(caught);
  const { pointer, reason } = error?.context ?? {};
  if (error === null || typeof pointer !== "string") return caught;
  const whole = `${place}${pointer}`;
  if (error.code === "EDIT_BAD_FIELD") return badField(whole, String(reason));
  return editErrors.error("EDIT_NO_SECRET", { field: whole.slice(1), pointer: whole });
}

/** Settings go where they stand; new ones behind the other settings of `ownFile`. */
function putSettings(files: readonly SourceFile[], given: JsonObject, ownFile: () => string): EditedFile {
  const { listeners, ...rest } = given;
  if (listeners !== undefined && !isObject(listeners)) throw badField("/listeners", "it is an object");
  const value: JsonObject = { ...rest, ...listeners };
  const wanted = new Set(
    Object.keys(value).flatMap((name) => {
      if (name === RESET || isShownOnly(name)) return [];
      const pointer =
        isListener(name) && listeners?.[name] !== undefined ? `/listeners/${name}` : `/${name}`;
      return [knownProperty("server", name, pointer)];
    }),
  );
  const settings = new Map(
    files.map((file) => [file.file, statementsOf(file).filter((one) => kindOf(one) === undefined)]),
  );
  const inFiles = [...settings].filter(([, statements]) =>
    statements.some((one) => {
      const property = propertyOf("server", one);
      return property !== undefined && wanted.has(property);
    }),
  );
  if (inFiles.length > 1) {
    throw editErrors.error("EDIT_SEVERAL_FILES", { files: inFiles.map(([name]) => name).join(", ") });
  }
  const file = inFiles[0]?.[0] ?? ownFile();
  const statements = settings.get(file) ?? [];
  return fileOf(files, file, (text) => {
    if (statements.length > 0) {
      return applyEdits(
        text,
        blockEdits({ text, scope: "server", statements, start: 0, indent: "" }, value),
      );
    }
    const merged = mergeJson(value, undefined, undefined, "");
    const lines = isObject(merged) ? propertiesToText("server", merged, "", "") : [];
    return lines.length === 0 ? text : appended(text, lines.join("\n"));
  });
}

/** The block of a new object. */
function objectText(kind: string, name: string, value: JsonObject, indent: string): string {
  const inner = `${indent}  `;
  const lines = propertiesToText(scopeOf(kind), value, "", inner).map((line) => `${inner}${line}`);
  return [`${kind} ${word(name)} {`, ...lines, `${indent}}`].join("\n");
}

/** A name that is wrong is found where nothing is written of it, too: `null` and empty lists say nothing. */
function requireKnown(kind: string, value: JsonObject): void {
  const scope = scopeOf(kind);
  for (const name of Object.keys(value)) {
    const isOther = name === RESET || isShownOnly(name) || (scope === "dvr" && name === "reference");
    if (!isOther) knownProperty(scope, name, `/${escaped(name)}`);
  }
}

function scopeOf(kind: string): Scope {
  const block = findDirective("server", kind)?.block;
  if (block === undefined || block === "passed-over") {
    throw badField("", `"${kind}" cannot be given by API yet: it has no effect`);
  }
  return block.scope;
}

/** What an object is called stands in the address; in the body it may be said again. */
function withoutName({ kind, name, value }: ConfigEdit & { action: "put" }): JsonObject {
  const key = keyOf(kind);
  // The prefixes of a template are a property of it, and the prefix of a vod is its name.
  const { [key]: said, ...rest } = value;
  if (said !== undefined && said !== name) {
    throw badField(`/${key}`, "it is another one than in the address, and names do not change");
  }
  return rest;
}

function notFound({ kind, name }: { readonly kind: string; readonly name: string }): MediaError {
  return editErrors.error("EDIT_NOT_FOUND", { kind, name });
}

const parsed = new WeakMap<SourceFile, readonly Statement[]>();

/**
 * Reads in steps what a change will look at, so that `editFiles` does not read it at once. Returns: the files for it; they hold
 * what was read for as long as they are kept.
 */
export function* filesToEdit(files: readonly SourceFile[], edit: ConfigEdit): Steps<SourceFile[]> {
  const copies = files.map(({ file, text }) => ({ file, text }));
  if (edit.action === "replace") return copies;
  for (const file of copies) {
    if (edit.action !== "settings" && !file.text.includes(edit.name)) continue;
    parsed.set(file, yield* statementSteps(new SourceText(file), new ProblemList()));
  }
  return copies;
}

function statementsOf(file: SourceFile): readonly Statement[] {
  return parsed.get(file) ?? parseStatements(new SourceText(file), new ProblemList());
}

function textOf({ text }: SourceFile): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** Offsets of statements count from behind it. */
const BYTE_ORDER_MARK = "\uFEFF";

function fileOf(files: readonly SourceFile[], file: string, change: (text: string) => string): EditedFile {
  const before = files.find((one) => one.file === file)?.text;
  if (before === undefined) return { file, text: change("") };
  const mark = before.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  return { file, before, text: mark + change(before.slice(mark.length)) };
}
