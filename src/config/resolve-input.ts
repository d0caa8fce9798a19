import { LATER_INPUTS, WORKING_INPUTS } from "./schema-input.ts";
import { booleanOf, numberOf, numberOrFalse, textOf } from "./settings.ts";
import { nearestName } from "./suggest.ts";
import { quoted, splitUrl } from "./values.ts";
import type { InputPlan } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { Directive } from "./typed.ts";

/**
 * Reads the inputs of a block, in order: `input`, and the old `publish_enabled`.
 *
 * Returns: `undefined` when there is no such directive at all; an empty list when none of them works yet.
 */
export function readInputs(block: readonly Directive[], problems: ProblemList): InputPlan[] | undefined {
  const inputs: InputPlan[] = [];
  let given = false;
  for (const directive of block) {
    const input = readOne(directive, problems);
    if (input === "none") continue;
    given = true;
    if (input === "not-yet") continue;
    if (input.kind === "publish" && inputs.some((other) => other.kind === "publish")) {
      problems.warning("CONFIG_NEVER_USED", input.place, "this stream takes publishers already", {
        hint: "remove one of them",
      });
      continue;
    }
    inputs.push(input);
  }
  return given ? inputs : undefined;
}

/**
 * Reads an input's URL; gives `undefined` when it is not one that works, after saying so.
 */
export function readInputUrl(
  url: string,
  place: Place,
  problems: ProblemList,
): Pick<InputPlan, "kind" | "path"> | undefined {
  const parts = splitUrl(url);
  const kind = WORKING_INPUTS.find((scheme) => scheme === parts?.scheme);
  if (parts === undefined || kind === undefined) {
    reportScheme(parts?.scheme ?? "", place, problems);
    return undefined;
  }
  if (kind === "fake") return { kind };
  if (kind === "file") {
    const fault = filePathFault(parts.rest);
    if (fault === undefined) return { kind, path: parts.rest };
    problems.error("CONFIG_BAD_VALUE", place, `input: ${fault}`, {
      hint: "as in file://VOD/PATH or file:///PATH",
    });
    return undefined;
  }
  if (parts.rest === "") return { kind };
  problems.error("CONFIG_BAD_VALUE", place, "input: nothing stands after publish://", {
    hint: "the name that is published comes from the publisher",
  });
  return undefined;
}

/** Inputs by which another server of the cluster can be known, and how its archive is asked for. */
const PEER_SCHEMES: Readonly<Record<string, "http" | "https">> = {
  m4f: "http",
  m4s: "http",
  http: "http",
  m4fs: "https",
  m4ss: "https",
  https: "https",
};

/**
 * The server that the first input of a block comes from which can be another one of the cluster, as
 * `http://HOST[:PORT][/NAME]`, with the name of the stream there where the input tells it; `undefined` when none can.
 */
export function readPeer(block: readonly Directive[]): string | undefined {
  for (const { spec, values } of block) {
    const parts = spec.name === "input" ? splitUrl(textOf(values[0])) : undefined;
    const scheme = parts === undefined ? undefined : PEER_SCHEMES[parts.scheme];
    if (parts === undefined || scheme === undefined) continue;
    const [authority = "", ...path] = parts.rest.split(/[?#]/)[0]!.split("/");
    const host = authority.slice(authority.lastIndexOf("@") + 1);
    if (host === "") continue;
    const name = parts.scheme.startsWith("m4") ? path.join("/") : "";
    return `${scheme}://${host}${name === "" ? "" : `/${name}`}`;
  }
  return undefined;
}

function readOne(directive: Directive, problems: ProblemList): InputPlan | "none" | "not-yet" {
  const { spec, place, values, options, places } = directive;
  if (spec.name === "publish_enabled") {
    if (!booleanOf(values[0])) return "none";
    return { kind: "publish", url: "publish://", options: {}, place };
  }
  if (spec.name !== "input") return "none";
  const url = textOf(values[0]);
  const read = readInputUrl(url, places[0]!, problems);
  if (read === undefined) return "not-yet";
  const priority = options.get("priority");
  const timeout = options.get("source_timeout");
  return {
    ...read,
    url,
    ...(priority === undefined ? {} : { priority: numberOf(priority.value) }),
    ...(timeout === undefined ? {} : { sourceTimeoutMs: numberOrFalse(timeout.value) }),
    options: otherOptions(directive),
    place: places[0]!,
  };
}

function otherOptions(directive: Directive): Record<string, string> {
  const others = [...directive.options].filter(
    ([name]) => name !== "priority" && name !== "source_timeout",
  );
  return Object.fromEntries(others.map(([name, option]) => [name, option.text]));
}

function reportScheme(scheme: string, place: Place, problems: ProblemList): void {
  if (LATER_INPUTS.includes(scheme)) {
    problems.warning("CONFIG_NO_EFFECT_YET", place, `inputs of kind ${scheme}:// have no effect yet`);
    return;
  }
  const near = nearestName(scheme, [...WORKING_INPUTS, ...LATER_INPUTS]);
  const hint =
    near === undefined ? "inputs that work: publish:// file:// fake://" : `did you mean ${near}://?`;
  problems.error("CONFIG_BAD_VALUE", place, `input: no kind of input is called ${quoted(scheme)}`, {
    hint,
  });
}

function filePathFault(path: string): string | undefined {
  if (path === "" || path.endsWith("/")) return "the name of a file is missing";
  return path.split("/").includes("..") ? 'the path has a part ".."' : undefined;
}
