/** Objects that come back as the API told them: what is as it was told is no wish. */
import { isObject } from "../json/to-text.ts";
import { isSameJson, RESET } from "./merge.ts";
import type { Json, JsonObject } from "../json/shape.ts";

/** What is in every object that the API tells, and in none that somebody wrote. */
const ON_DISK = "config_on_disk";

/** Whether an object is one that the API told, changed or not. */
export function isGivenBack(given: JsonObject): boolean {
  return ON_DISK in given;
}

/**
 * What of an object that was told, and comes back, is to be changed. The API tells what is in force, with defaults and what
 * templates say; written to a file, all of that would hide the template for ever. So what is as it is told now is left as it
 * stands on disk. `shown`: what is told of it now.
 */
export function withoutGivenBack(given: JsonObject, shown: JsonObject): JsonObject {
  const written = shown[ON_DISK];
  const onDisk = isObject(written) ? written : {};
  const isReset = given[RESET] === true;
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(given)) {
    const isSame = name !== RESET && isSameJson(withoutStats(value), withoutStats(shown[name]));
    if (!isSame) kept[name] = inside(value, shown[name], onDisk[name]);
    // Taken away would be what is not named.
    else if (isReset && onDisk[name] !== undefined) kept[name] = onDisk[name];
  }
  return kept;
}

/** Objects of a list, as inputs are, have figures in them that are others by now. */
function withoutStats(value: Json | undefined): Json | undefined {
  if (!Array.isArray(value)) return value;
  return value.map((one: Json) => {
    if (!isObject(one)) return one;
    const { stats: _, ...rest } = one;
    return rest;
  });
}

/** An object that does not stand on disk is written whole. */
function inside(value: Json, shown: Json | undefined, onDisk: Json | undefined): Json {
  if (!isObject(value) || !isObject(shown) || !isObject(onDisk) || value[RESET] === true) return value;
  const changed = Object.entries(value).filter(([name, one]) => !isSameJson(one, shown[name]));
  return Object.fromEntries(changed);
}
