import type { LivePlan, StreamPlan, TemplatePlan } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import { quoted } from "./values.ts";

/** What is recorded below a root, by name: one stream, or all whose names begin with a prefix. */
type Recorded = { readonly name: string; readonly isPrefix: boolean };

/**
 * Says where recordings of one root would be taken for those of another: `dvr /storage` of a template with prefix `pub`, and
 * `dvr /storage/pub` of a stream `news`. Both have the folder /storage/pub/news, and what is too old for one of them goes.
 */
export function reportNestedRoots(
  streams: readonly StreamPlan[],
  templates: readonly TemplatePlan[],
  problems: ProblemList,
): void {
  const byRoot = new Map<string, { readonly place: Place; readonly recorded: Recorded[] }>();
  const add = ({ dvr }: LivePlan, recorded: readonly Recorded[]): void => {
    if (dvr === undefined || dvr === null || dvr.root === "") return;
    const known = byRoot.get(dvr.root) ?? { place: dvr.place, recorded: [] };
    known.recorded.push(...recorded);
    byRoot.set(dvr.root, known);
  };
  for (const stream of streams) add(stream, [{ name: stream.name, isPrefix: false }]);
  for (const plan of templates)
    add(
      plan,
      plan.prefixes.map((name) => ({ name, isPrefix: true })),
    );
  for (const [inner, { place }] of byRoot)
    for (const outer of foldersAbove(inner)) {
      const found = byRoot.get(outer);
      const within = inner.slice(outer.length + 1);
      const other = found?.recorded.find((recorded) => mayLieIn(recorded, within));
      if (found === undefined || other === undefined) continue;
      const whose = other.isPrefix ? `streams with the prefix ${quoted(other.name)}` : quoted(other.name);
      const message = `the root ${inner} lies where ${whose} may be recorded, below ${outer}`;
      const related = [{ ...found.place, message: "the other root" }];
      problems.error("CONFIG_NESTED_ROOTS", place, message, { hint: "give it a folder beside", related });
      break;
    }
}

function foldersAbove(path: string): string[] {
  const names = path.split("/");
  return names.slice(2).map((_, i) => names.slice(0, i + 2).join("/"));
}

function mayLieIn({ name, isPrefix }: Recorded, folder: string): boolean {
  const isWithin = name === folder || name.startsWith(`${folder}/`);
  return isWithin || (isPrefix && (name === "" || folder.startsWith(`${name}/`)));
}
