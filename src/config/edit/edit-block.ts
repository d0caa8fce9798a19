/** Changes of the statements of one block, from what its properties are to become. */
import { parseStatements } from "../parser.ts";
import { SourceText } from "../place.ts";
import { ProblemList } from "../problem.ts";
import { propertyOf, statementsToJson, statementToJson } from "../json/to-json.ts";
import {
  escaped,
  isObject,
  isShownOnly,
  knownProperty,
  propertyToText,
  badField,
} from "../json/to-text.ts";
import { isNothing, isSameJson, mergeJson, RESET } from "./merge.ts";
import { indentAt, insertion, lineEndOf, removal, withLineEnds } from "./text-edits.ts";
import type { Statement } from "../parser.ts";
import type { Scope } from "../schema.ts";
import type { Json, JsonObject, Property } from "../json/shape.ts";
import type { TextEdit } from "./text-edits.ts";

/** A block, or a file as one: where its statements are, and where the first one would go. */
export type EditedBlock = {
  readonly text: string;
  readonly scope: Scope;
  readonly statements: readonly Statement[];
  /** Behind the `{`. Units: an offset. */
  readonly start: number;
  /** Of a new statement, where none shows how it is done here. */
  readonly indent: string;
};

/**
 * The changes that merge an object into a block: only statements of properties that become something else are written
 * anew. Throws: EDIT_BAD_FIELD, EDIT_NO_SECRET.
 */
export function blockEdits(block: EditedBlock, patch: JsonObject, pointer = ""): TextEdit[] {
  return new BlockEditing(block).edits(patch, pointer);
}

class BlockEditing {
  readonly #block: EditedBlock;
  readonly #groups: ReadonlyMap<Property, readonly Statement[]>;
  readonly #indent: string;
  readonly #new: string[] = [];
  readonly #edits: TextEdit[] = [];

  constructor(block: EditedBlock) {
    this.#block = block;
    const { text, scope, statements } = block;
    const groups = new Map<Property, Statement[]>();
    for (const statement of statements) {
      const property = propertyOf(scope, statement);
      if (property === undefined) continue;
      const group = groups.get(property);
      if (group === undefined) groups.set(property, [statement]);
      else group.push(statement);
    }
    this.#groups = groups;
    const indents = statements.map((one) => indentAt(text, one.words[0].start));
    this.#indent = indents.find((indent) => indent !== undefined) ?? block.indent;
  }

  edits(given: JsonObject, pointer: string): TextEdit[] {
    const { scope } = this.#block;
    const named = new Set<Property>();
    for (const [name, value] of Object.entries(this.#withRoot(given))) {
      if (name === RESET || isShownOnly(name)) continue;
      const inside = `${pointer}/${escaped(name)}`;
      const property = knownProperty(scope, name, inside);
      if (named.has(property)) throw badField(inside, "it is given under two names");
      named.add(property);
      this.#put(property, value, inside);
    }
    if (given[RESET] === true) {
      for (const [property, group] of this.#groups) if (!named.has(property)) this.#remove(group);
    }
    this.#insertNew();
    return this.#edits;
  }

  /** Where a `dvr` block records is one directive, and two properties. */
  #withRoot(given: JsonObject): JsonObject {
    const { reference, ...rest } = given;
    if (this.#block.scope !== "dvr" || reference === undefined) return given;
    return { ...rest, root: typeof reference === "string" ? `@${reference}` : (rest["root"] ?? reference) };
  }

  #put(property: Property, given: Json, pointer: string): void {
    const group = this.#groups.get(property) ?? [];
    const was = group.length === 0 ? undefined : statementsToJson(property, group, "show");
    const shown = group.length === 0 ? undefined : statementsToJson(property, group, "hide");
    const value = mergeJson(given, was, shown, pointer);
    if (isNothing(value) && !(property.form.kind === "record" && isObject(given) && isNothing(was))) {
      return this.#remove(group);
    }
    if (property.form.kind === "words" && property.word !== undefined && value === false)
      return this.#remove(group);
    if (isSameJson(value, was)) return;
    if (property.spec.block === "passed-over" && group.some(({ block }) => block !== undefined)) {
      throw badField(pointer, "what has no effect yet and has a block is changed in the file alone");
    }
    const texts = propertyToText(property, value, pointer, this.#indent);
    const becomes = texts.map((text) => this.#read(property, text));
    const isWhole = property.form.kind === "list";
    if (isWhole && isSameJson(becomes.flat(), was)) return;
    this.#replace(property, { group, texts, becomes, isWhole });
  }

  /** A statement as it will be read. */
  #read(property: Property, text: string): Json {
    const problems = new ProblemList();
    const [statement, ...more] = parseStatements(new SourceText({ file: "", text }), problems);
    if (statement === undefined || more.length > 0 || problems.hasErrors) {
      throw new TypeError(`a statement of ${property.name} does not read back`);
    }
    return statementToJson(property, statement, "show");
  }

  /** One for one, in their order: what stays the same is not touched, with the comments behind it. */
  #replace(
    property: Property,
    change: {
      readonly group: readonly Statement[];
      readonly texts: readonly string[];
      readonly becomes: readonly Json[];
      readonly isWhole: boolean;
    },
  ): void {
    const { group, texts, becomes, isWhole } = change;
    const newline = lineEndOf(this.#block.text);
    for (const [index, statement] of group.entries()) {
      const text = texts[index];
      if (text === undefined) this.#remove([statement]);
      else if (isWhole || !isSameJson(becomes[index], statementToJson(property, statement, "show"))) {
        const { start } = statement.words[0];
        this.#edits.push({ start, end: statement.end, text: withLineEnds(text, newline) });
      }
    }
    const more = texts.slice(group.length);
    const last = group.at(-1);
    if (last === undefined) this.#new.push(...more);
    else if (more.length > 0) this.#edits.push(insertion(this.#block.text, last.end, more, this.#indent));
  }

  #remove(group: readonly Statement[]): void {
    for (const { words, end } of group) this.#edits.push(removal(this.#block.text, words[0].start, end));
  }

  /** New statements come behind the last one. */
  #insertNew(): void {
    if (this.#new.length === 0) return;
    const { text, statements, start } = this.#block;
    const at = statements.at(-1)?.end ?? start;
    this.#edits.push(insertion(text, at, this.#new, this.#indent));
  }
}
