import { showDuration, showSize } from "./values.ts";
import type { ValueType } from "./values.ts";

/**
 * Says in words which values a type allows; empty where the argument's label says it all.
 */
export function describeType(type: ValueType): string {
  // dispatch
  switch (type.kind) {
    case "integer":
      return `${type.min} to ${type.max}`;
    case "duration":
      return [durationRange(type), ...(type.words ?? []).map(code)].join(", ");
    case "size":
      return `${showSize(type.minBytes)} to ${showSize(type.maxBytes)}`;
    case "bitrate":
      return `${type.minBps} to ${type.maxBps} bit/s`;
    case "choice":
      return [...type.values, ...(type.aliases?.keys() ?? [])].map(code).join(" ");
    case "signed-choice":
      return type.values.map(code).join(" ");
    case "percent":
      return "0% to 100%";
    case "login":
      return 'no ":"';
    case "path":
      return "begins with `/`";
    case "text":
    case "hostname":
    case "name":
    case "prefix":
    case "boolean":
    case "address":
    case "url":
    case "pair":
      return "";
  }
}

function durationRange({ minMs, maxMs, bareUnit }: Extract<ValueType, { kind: "duration" }>): string {
  return bareUnit === "ms" ? `${minMs} to ${maxMs} ms` : `${seconds(minMs)} to ${seconds(maxMs)}`;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${showDuration(ms)} s`;
}

function code(text: string): string {
  return `\`${text}\``;
}
