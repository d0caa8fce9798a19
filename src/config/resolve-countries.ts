import { textOf } from "./settings.ts";
import type { ProblemList } from "./problem.ts";
import type { Directive } from "./typed.ts";

/**
 * Warns of rules about countries where nothing tells them: without `geoip` nobody's country is known.
 */
export function reportCountries(directives: readonly Directive[], problems: ProblemList): void {
  if (directives.some(({ spec }) => spec.name === "geoip")) return;
  for (const directive of directives) {
    const lines = [directive, ...directive.children];
    for (const { spec, values, place, options } of lines) {
      const isRule = spec.name === "allow" || spec.name === "deny";
      const places = [
        ...(isRule && textOf(values[0]) === "country" ? [place] : []),
        ...(/^(dis)?allowed_countries$/.test(spec.name) ? [place] : []),
        ...["allowed_countries", "disallowed_countries"].flatMap((name) => options.get(name)?.place ?? []),
      ];
      for (const one of places) {
        const message = "a rule about countries is of no use without geoip: nobody's country is known";
        problems.warning("CONFIG_NEVER_USED", one, message, { hint: "add at the top level: geoip PATH;" });
      }
    }
  }
}
