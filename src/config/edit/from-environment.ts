import { VARIABLE_PREFIXES } from "../schema-environment.ts";
import { editErrors } from "./errors.ts";
import type { Environment } from "../environment.ts";

/** Settings that variables win over, by their names without prefix. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  hostname: ["HOSTNAME"],
  loglevel: ["LOG_LEVEL"],
  production: ["PRODUCTION"],
  trusted_proxies: ["TRUSTED_PROXIES"],
  edit_auth: ["EDIT_AUTH", "EDIT_AUTH_FILE"],
  edit_auth_file: ["EDIT_AUTH", "EDIT_AUTH_FILE"],
};

/** Throws: EDIT_FROM_ENVIRONMENT, where a variable wins over the setting, so that a change would have no effect. */
export function checkEnvironment(setting: string, env: Environment): void {
  for (const name of SETTINGS[setting] ?? []) {
    const variable = VARIABLE_PREFIXES.map((prefix) => prefix + name).find(
      (one) => (env[one] ?? "").trim() !== "",
    );
    if (variable !== undefined) throw editErrors.error("EDIT_FROM_ENVIRONMENT", { setting, variable });
  }
}
