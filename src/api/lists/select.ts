/** Which fields of the objects of a list are told: `select=name,stats.bitrate`. */
import { apiErrors } from "../errors.ts";
import type { KnownFields } from "./known-fields.ts";

/** Fields by name, each with those inside it that are wanted; `null`: all of it. */
export type Selection = ReadonlyMap<string, Selection | null>;

const MAX_SELECTED = 200;

/** Reads a list of dotted paths. Throws: API_BAD_FIELD. */
export function readSelect(text: string, fields: KnownFields, always: readonly string[]): Selection {
  const asked = text.split(",").filter((path) => path !== "");
  if (asked.length > MAX_SELECTED) throw refuse(`it has more than ${MAX_SELECTED} fields`);
  const unknown = asked.find((path) => fields.kindOf(path) === null);
  if (unknown !== undefined) throw refuse(`there is no field ${unknown.slice(0, 100)}`);
  const selection: Tree = new Map();
  for (const path of [...always, ...asked]) add(selection, path.split("."));
  return selection;
}

/** What is selected of an object. */
export function selected(value: unknown, selection: Selection): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => selected(one, selection));
  if (typeof value !== "object" || value === null) return value;
  const told: [string, unknown][] = [];
  for (const [name, field] of Object.entries(value)) {
    const inside = selection.get(name);
    if (inside !== undefined) told.push([name, inside === null ? field : selected(field, inside)]);
  }
  return Object.fromEntries(told);
}

type Tree = Map<string, Tree | null>;

function add(tree: Tree, [part, ...rest]: readonly string[]): void {
  if (rest.length === 0) {
    tree.set(part!, null);
    return;
  }
  const there = tree.get(part!);
  // All of it is wanted already.
  if (there === null) return;
  const inside: Tree = there ?? new Map();
  tree.set(part!, inside);
  add(inside, rest);
}

function refuse(reason: string): Error {
  return apiErrors.error("API_BAD_FIELD", { field: "select", parameter: "select", reason });
}
