import { finish } from "../../base/steps.ts";
import type { Steps } from "../../base/steps.ts";
import { kindOf, objectToJson, settingsToJson } from "../json/to-json.ts";
import type { JsonObject } from "../json/shape.ts";
import { parseStatements, statementSteps } from "../parser.ts";
import type { Statement } from "../parser.ts";
import { SourceText } from "../place.ts";
import type { SourceFile } from "../place.ts";
import { ProblemList } from "../problem.ts";

/** One file: the texts of its objects by kind and name, and its settings. */
type FileObjects = {
  readonly file: SourceFile;
  readonly texts: ReadonlyMap<string, string>;
  readonly settings: readonly Statement[];
};

/**
 * What stands in files of many objects. Only the texts of objects are kept, which are read when one is asked for: the statements
 * of ten thousand streams are 20 MB.
 */
export class ObjectsOnDisk {
  readonly #files: readonly FileObjects[];
  #settings: JsonObject | null = null;

  private constructor(files: readonly FileObjects[]) {
    this.#files = files;
  }

  /** Reads the files in steps. Those that are as they were `before` are not read again. */
  static *steps(files: readonly SourceFile[], before: ObjectsOnDisk | null = null): Steps<ObjectsOnDisk> {
    const read: FileObjects[] = [];
    for (const file of files) {
      const isSame = ({ file: was }: FileObjects): boolean =>
        was.file === file.file && was.text === file.text;
      const known = before === null ? undefined : before.#files.find(isSame);
      read.push(known ?? (yield* objectSteps(file)));
    }
    return new ObjectsOnDisk(read);
  }

  /** The same at once. */
  static of(files: readonly SourceFile[]): ObjectsOnDisk {
    return finish(ObjectsOnDisk.steps(files));
  }

  /** The server's settings, without secrets. */
  settings(): JsonObject {
    return (this.#settings ??= settingsToJson(
      this.#files.flatMap(({ settings }) => settings),
      "hide",
    ));
  }

  /** An object without its secrets; `undefined` when it stands in none of the files. */
  get(kind: string, name: string): JsonObject | undefined {
    for (const { file, texts } of this.#files) {
      const text = texts.get(keyOf(kind, name));
      if (text === undefined) continue;
      const [statement] = parseStatements(new SourceText({ file: file.file, text }), new ProblemList());
      if (statement !== undefined) return objectToJson(statement, "hide");
    }
    return undefined;
  }
}

function* objectSteps(file: SourceFile): Steps<FileObjects> {
  const source = new SourceText(file);
  const texts = new Map<string, string>();
  const settings: Statement[] = [];
  for (const statement of yield* statementSteps(source, new ProblemList())) {
    const kind = kindOf(statement);
    if (kind === undefined) {
      settings.push(statement);
      continue;
    }
    const key = keyOf(kind, statement.words[1]?.text ?? "");
    // Of two of one name the first counts.
    if (!texts.has(key)) texts.set(key, source.text.slice(statement.words[0].start, statement.end));
  }
  return { file, texts, settings };
}

function keyOf(kind: string, name: string): string {
  return `${kind} ${name}`;
}
