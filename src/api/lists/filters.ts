/** Filters of a list's query: `FIELD=a,b`, and `FIELD` with one of the words behind it that `OPERATORS` has. */
import { apiErrors } from "../errors.ts";
import { compareValues } from "./order.ts";
import type { KnownFields } from "./known-fields.ts";
import type { ListRow, Plain } from "./row.ts";

/** What may stand behind a field's name. */
export const OPERATORS = ["ne", "gte", "gt", "lte", "lt", "like", "is_not", "is"] as const;

/** One of `OPERATORS`; `eq`: none of them stands there. */
export type Operator = (typeof OPERATORS)[number] | "eq";

/** One filter. A row passes when any of the values fits; for `ne` when none is equal. */
export type FieldFilter = {
  readonly path: string;
  readonly operator: Operator;
  readonly values: readonly Plain[];
};

/** Alternatives of one filter. */
const MAX_VALUES = 1000;

/** The filter of one parameter. Throws: API_BAD_FIELD for a field, an operator or a value that is none. */
export function readFilter(parameter: string, text: string, fields: KnownFields): FieldFilter {
  const { path, operator } = split(parameter, fields);
  if (operator === "is" || operator === "is_not") {
    if (text !== "null" && text !== "not_null") throw refuse(parameter, "it is null or not_null");
    return { path, operator: (operator === "is") === (text === "null") ? "is" : "is_not", values: [] };
  }
  const hasMany = operator === "eq" || operator === "ne" || operator === "like";
  const texts = hasMany ? text.split(",") : [text];
  if (texts.length > MAX_VALUES) throw refuse(parameter, `it has more than ${MAX_VALUES} values`);
  const kind = operator === "like" ? "string" : fields.kindOf(path);
  return { path, operator, values: texts.map((one) => readValue(parameter, one, kind)) };
}

/** Whether a row passes. */
export function passes(row: ListRow, { path, operator, values }: FieldFilter): boolean {
  const value = row.field(path);
  const own: readonly Plain[] = Array.isArray(value)
    ? (value as readonly Plain[])
    : [(value as Plain) ?? null];
  const told = own.filter((one) => one !== null);
  // dispatch
  switch (operator) {
    case "is":
      return told.length === 0;
    case "is_not":
      return told.length > 0;
    case "ne":
      return !told.some((one) => isAny(one, values));
    case "eq":
      return told.some((one) => isAny(one, values));
    case "like":
      return told.some((one) => values.some((wanted) => hasText(one, String(wanted))));
    default:
      return told.some((one) => isBeside(one, operator, values[0]!));
  }
}

/** Whether a text is in a value, in capitals or not. */
export function hasText(value: Plain, wanted: string): boolean {
  return String(value).toLowerCase().includes(wanted.toLowerCase());
}

function split(parameter: string, fields: KnownFields): Pick<FieldFilter, "path" | "operator"> {
  for (const operator of OPERATORS) {
    if (!parameter.endsWith(`_${operator}`)) continue;
    const path = parameter.slice(0, -operator.length - 1);
    const mayBe = operator === "is" || operator === "is_not" ? fields.kindOf(path) !== null : false;
    if (mayBe || isFilterable(path, fields)) return { path, operator };
  }
  // At last: a map whose keys are anybody's has a field of any name.
  if (isFilterable(parameter, fields)) return { path: parameter, operator: "eq" };
  throw refuse(parameter, "there is no such field or operator");
}

function isFilterable(path: string, fields: KnownFields): boolean {
  const kind = fields.kindOf(path);
  return kind !== null && kind !== "object";
}

function isAny(value: Plain, wanted: readonly Plain[]): boolean {
  return wanted.some((one) => one === value || String(one) === String(value));
}

function isBeside(value: Plain, operator: Operator, wanted: Plain): boolean {
  const compared = typeof value === "number" ? Number(wanted) : wanted;
  if (typeof compared !== typeof value || Number.isNaN(compared)) return false;
  const order = compareValues(value, compared);
  if (operator === "gt") return order > 0;
  if (operator === "gte") return order >= 0;
  return operator === "lt" ? order < 0 : order <= 0;
}

function readValue(parameter: string, text: string, kind: ReturnType<KnownFields["kindOf"]>): Plain {
  if (kind === "number") {
    const value = /^-?\d{1,17}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
    if (Number.isNaN(value)) throw refuse(parameter, "it is a number");
    return value;
  }
  if (kind !== "boolean") return text;
  if (text !== "true" && text !== "false") throw refuse(parameter, "it is true or false");
  return text === "true";
}

function refuse(parameter: string, reason: string): Error {
  // Shortened: it comes from the network and is told back.
  const field = parameter.slice(0, 100);
  return apiErrors.error("API_BAD_FIELD", { field, parameter: field, reason });
}
