import { textOf } from "./settings.ts";
import type { ProblemList } from "./problem.ts";
import type { Directive } from "./typed.ts";

/** Directives that need no options for it. */
const CAN_NAME_COUNTRIES: ReadonlySet<string> = new Set([
  "allow",
  "deny",
  "allowed_countries",
  "disallowed_countries",
]);

/**
 * Warns of rules about countries where nothing tells them: without `geoip` nobody's country is known.
 */
export function reportCountries(directives: readonly Directive[], problems: ProblemList): void {
  if (directives.some(({ spec }) => spec.name === "geoip")) return;
  for (const directive of directives) {
    for (const { spec, values, place, options } of [directive, ...directive.children]) {
      if (!CAN_NAME_COUNTRIES.has(spec.name) && options.size === 0) continue;
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
