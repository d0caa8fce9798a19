/** The objects of a list, as they are sorted and filtered before any of them is written out. */

/** A plain value of JSON. */
export type Plain = string | number | boolean | null;

/** An object of a list. Fields are asked for one by one, so that only those of a page are made whole. */
export type ListRow = {
  /** What tells it from all others of the list. */
  readonly key: string;
  /**
   * The value at a dotted path, or those of all objects of a list on the way; `undefined`: there is none. An object is `true`: it
   * is there.
   */
  field(path: string): Plain | readonly Plain[] | undefined;
  /** The whole object. */
  json(): object;
};

/** A row of an object that is whole already. */
export function rowOf(key: string, json: object): ListRow {
  return { key, field: (path) => fieldAt(json, path), json: () => json };
}

/** What stands at a dotted path of an object; see `ListRow.field`. */
export function fieldAt(json: unknown, path: string): Plain | readonly Plain[] | undefined {
  const found: Plain[] = [];
  const isMany = collect(json, path.split("."), 0, found);
  return isMany ? found : found[0];
}

/** Returns: whether there was a list on the way. */
function collect(value: unknown, parts: readonly string[], at: number, found: Plain[]): boolean {
  if (Array.isArray(value)) {
    for (const one of value as readonly unknown[]) collect(one, parts, at, found);
    return true;
  }
  if (at === parts.length) {
    if (value === null || ["string", "number", "boolean"].includes(typeof value))
      found.push(value as Plain);
    else if (typeof value === "object") found.push(true);
    return false;
  }
  const part = parts[at]!;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return false;
  return collect((value as Readonly<Record<string, unknown>>)[part], parts, at + 1, found);
}
