import { isWellKnown } from "../auth/credentials/well-known.ts";
import { setting, textOf } from "./settings.ts";
import type { EnvironmentSettings } from "./environment.ts";
import type { Credentials } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { Settings } from "./settings.ts";

/** What decides about credentials that everybody knows. */
export type WellKnownContext = {
  readonly environment: EnvironmentSettings;
  readonly isProduction: boolean;
  readonly problems: ProblemList;
};

/**
 * Reports administrators' credentials that everybody knows: an error in production, a warning else. Those in files, in a
 * Secret and behind a hash are not known here; the API's door refuses them when somebody comes with them.
 */
export function reportWellKnown(
  settings: Settings,
  { environment, isProduction, problems }: WellKnownContext,
): void {
  const { editAuth, editAuthPlace, editAuthFile } = environment;
  if (editAuth !== undefined && editAuthPlace !== undefined)
    report("the administrator's password in the environment", editAuth, editAuthPlace);
  else if (editAuthFile === undefined) reportSetting("edit_auth");
  reportSetting("view_auth");
  for (const block of settings.get("api_token") ?? []) {
    const token = block.children.find(({ spec }) => spec.name === "token");
    if (token?.values[0] === undefined) continue;
    const login = textOf(block.values[0]);
    report(
      `api_token "${login}"`,
      { login, password: textOf(token.values[0]) },
      token.places[0] ?? token.place,
    );
  }

  function reportSetting(name: string): void {
    const directive = setting(settings, name);
    if (directive === undefined || directive.values.length < 2) return;
    const [login, password] = directive.values.map(textOf);
    const place = directive.places[1] ?? directive.place;
    report(`the password of "${name}"`, { login: login!, password: password! }, place);
  }

  function report(what: string, credentials: Credentials, place: Place): void {
    if (!isWellKnown(credentials)) return;
    if (isProduction) {
      problems.error("CONFIG_WELL_KNOWN", place, `${what} is one that everybody knows`, {
        hint: "take one of your own: openssl rand -base64 24",
      });
    } else {
      const message = `${what} is one that everybody knows: it works from private addresses alone`;
      problems.warning("CONFIG_WELL_KNOWN", place, message, {
        hint: "take one of your own, and say: production;",
      });
    }
  }
}
