import { withoutUndefined } from "../base/without-undefined.ts";
import { MAX_CREDENTIALS_LENGTH, readCredentials } from "./credentials.ts";
import { findDirective } from "./directives.ts";
import { STANDARD_VARIABLES, VARIABLE_PREFIXES, VARIABLES } from "./schema-environment.ts";
import type { VariableSpec } from "./schema-environment.ts";
import { readSecretsStorage } from "./secrets-storage.ts";
import { addressOf, booleanOf, numberOf, textOf } from "./settings.ts";
import { nearestName } from "./suggest.ts";
import { parseValue } from "./values.ts";
import { TRACES_PATH } from "./traces-url.ts";
import type { Credentials, LogLevel, SecretsStoragePlan, TracesPlan } from "./plan.ts";
import type { Place, SourceFile } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { Value, ValueType } from "./values.ts";

/** What the environment sets. */
export type EnvironmentSettings = {
  readonly http?: { readonly host?: string; readonly port: number; readonly place: Place };
  readonly https?: { readonly host?: string; readonly port: number; readonly place: Place };
  readonly hostname?: string;
  /** At most one of the two; with either, the config's own count for nothing. */
  readonly editAuth?: Credentials;
  readonly editAuthFile?: string;
  /** Where the credentials are. */
  readonly editAuthPlace?: Place;
  readonly isProduction?: boolean;
  readonly trustedProxies?: readonly string[];
  readonly secretsStorage?: SecretsStoragePlan;
  readonly logLevel?: LogLevel;
  /** Of OpenTelemetry's own variables; each may be given without the other. */
  readonly traces?: Partial<TracesPlan>;
};

/** Environment variables by name, as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What stands for a file's name in places that are in the environment. */
export const ENVIRONMENT_FILE = "environment";

/** Longest value that is read, in UTF-16 code units. */
export const MAX_VARIABLE_LENGTH = MAX_CREDENTIALS_LENGTH;

/** What reading the environment gives: settings, and the text that places refer to, with secrets left out. */
export type EnvironmentReading = { readonly settings: EnvironmentSettings; readonly source: SourceFile };

/**
 * Reads our variables, `STREAMER_*` and `FLUSSONIC_*` (the first wins), `LICENSE_KEY` and those of OpenTelemetry.
 *
 * An empty variable is as good as none, since manifests often leave one so. Variables that Kubernetes makes for
 * a Service called "streamer" or "flussonic" are not ours and are passed over. Values of secrets, and of
 * variables that are not known, are in no message and not in `source`.
 */
export function readEnvironment(environment: Environment, problems: ProblemList): EnvironmentReading {
  const given = Object.keys(environment)
    .filter((name) => isOurs(name, environment[name] ?? ""))
    .toSorted();
  const shown = given.map((name) => `${name}=${shownValue(name, environment)}`).join("\n");
  const source = { file: ENVIRONMENT_FILE, text: shown };
  return { settings: new VariableReader(environment, given, problems).read(), source };
}

/** Line ends at the end of a value come with Secrets made by `echo ... | base64`; no value has any. */
function valueOf(environment: Environment, name: string): string {
  return (environment[name] ?? "").replace(/[\r\n]+$/, "");
}

function isOurs(name: string, value: string): boolean {
  if (value.trim() === "") return false;
  if (name === "LICENSE_KEY" || isStandard(name)) return true;
  return VARIABLE_PREFIXES.some((prefix) => name.startsWith(prefix)) && !isServiceLink(name, value);
}

/** One that has no prefix of ours. */
function isStandard(name: string): boolean {
  return STANDARD_VARIABLES.some((spec) => spec.name === name);
}

/** Spec: Kubernetes documentation, "Service", "Discovering services: environment variables". */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value);
}

function bareName(name: string): string {
  const prefix = VARIABLE_PREFIXES.find((one) => name.startsWith(one));
  return prefix === undefined ? name : name.slice(prefix.length);
}

function shownValue(name: string, environment: Environment): string {
  const spec = [...VARIABLES, ...STANDARD_VARIABLES].find((one) => one.name === bareName(name));
  if (spec === undefined || !isShown(spec, valueOf(environment, name))) return "***";
  return valueOf(environment, name)
    .slice(0, MAX_VARIABLE_LENGTH)
    .replaceAll(/[^\x20-\x7E]/g, "?");
}

function isShown(spec: VariableSpec, value: string): boolean {
  return spec.open?.test(value) === true;
}

class VariableReader {
  readonly #environment: Environment;
  readonly #given: readonly string[];
  readonly #problems: ProblemList;

  constructor(environment: Environment, given: readonly string[], problems: ProblemList) {
    this.#environment = environment;
    this.#given = given;
    this.#problems = problems;
  }

  read(): EnvironmentSettings {
    for (const name of this.#given) this.#review(name);
    const http = this.#value("HTTP", { kind: "address" });
    const https = this.#value("HTTPS", { kind: "address" });
    const traces = this.#traces();
    const hostname = this.#value("HOSTNAME", { kind: "hostname" });
    const level = this.#value("LOG_LEVEL", argumentType("loglevel"));
    const editAuth = this.#editAuth();
    const editAuthFile = this.#editAuthFile();
    const production = this.#value("PRODUCTION", { kind: "boolean" });
    const trustedProxies = this.#networks("TRUSTED_PROXIES");
    const secretsStorage = this.#secretsStorage();
    return {
      ...(http?.value.kind === "address" ? { http: { ...addressOf(http.value), place: http.place } } : {}),
      ...(https?.value.kind === "address"
        ? { https: { ...addressOf(https.value), place: https.place } }
        : {}),
      ...(traces === undefined ? {} : { traces }),
      ...(hostname === undefined ? {} : { hostname: textOf(hostname.value) }),
      ...editAuth,
      ...(editAuthFile === undefined ? {} : { editAuthFile }),
      ...(production === undefined ? {} : { isProduction: booleanOf(production.value) }),
      ...(trustedProxies === undefined ? {} : { trustedProxies }),
      ...(secretsStorage === undefined ? {} : { secretsStorage }),
      ...(level === undefined ? {} : { logLevel: textOf(level.value) as LogLevel }),
    };
  }

  /** Says what there is to say about a variable's name alone. */
  #review(name: string): void {
    const bare = bareName(name);
    const place = this.#place(name);
    if (bare === "LICENSE_KEY") {
      this.#problems.note(
        "CONFIG_NOT_NEEDED",
        place,
        "a licence key is not needed; Weir has no licence to check",
      );
      return;
    }
    if (isStandard(name)) return;
    const spec = VARIABLES.find((one) => one.name === bare);
    if (spec === undefined) return this.#unknown(name, bare, place);
    if (spec.status === "no-effect-yet") {
      this.#problems.warning("CONFIG_NO_EFFECT_YET", place, `variable ${name} has no effect yet`);
    } else if (spec.status === "refused-until-it-works") {
      const message = `variable ${name} does not work yet, and is refused rather than ignored`;
      this.#problems.error("CONFIG_REFUSED", place, message, { hint: spec.reason });
    } else if (this.#isOverruled(name, bare)) {
      const winner = VARIABLE_PREFIXES[0] + bare;
      this.#problems.warning("CONFIG_NEVER_USED", place, `${name} is not used, since ${winner} is set too`);
    }
  }

  #isOverruled(name: string, bare: string): boolean {
    const winner = VARIABLE_PREFIXES[0] + bare;
    if (name === winner || !this.#given.includes(winner)) return false;
    return valueOf(this.#environment, name) !== valueOf(this.#environment, winner);
  }

  #unknown(name: string, bare: string, place: Place): void {
    const near = nearestName(
      bare,
      VARIABLES.map((spec) => spec.name),
    );
    const hint = near === undefined ? undefined : `did you mean ${name.slice(0, -bare.length)}${near}?`;
    this.#problems.warning("CONFIG_UNKNOWN_VARIABLE", place, `variable ${name} is not known`, { hint });
  }

  /** Each variable has a line of its own in the text that is shown. */
  #place(name: string): Place {
    return { file: ENVIRONMENT_FILE, line: this.#given.indexOf(name) + 1, column: 1, length: name.length };
  }

  /** Blanks around the value are no part of it: manifests and shells leave them. */
  #value(bare: string, type: ValueType): { value: Value; place: Place } | undefined {
    const name = isStandard(bare) && this.#given.includes(bare) ? bare : this.#winner(bare);
    if (name === undefined) return undefined;
    const given = valueOf(this.#environment, name).trim();
    const text = bare === "LOG_LEVEL" ? given.toLowerCase() : given;
    const place = { ...this.#place(name), column: name.length + 2, length: text.length };
    const parsed =
      text.length > MAX_VARIABLE_LENGTH ? { fault: "the value is too long" } : parseValue(type, text);
    const shownPlace = { ...place, length: shownValue(name, this.#environment).length };
    if ("value" in parsed) return { value: parsed.value, place: shownPlace };
    const hint = "hint" in parsed ? parsed.hint : undefined;
    const spec = [...VARIABLES, ...STANDARD_VARIABLES].find((one) => one.name === bare)!;
    const isQuoted = parsed.fault.includes('"') && !isShown(spec, text);
    const fault = isQuoted ? `the value is no ${spec.form}` : parsed.fault;
    this.#problems.error("CONFIG_BAD_VALUE", shownPlace, `${name}: ${fault}`, { hint });
    return undefined;
  }

  #winner(bare: string): string | undefined {
    return VARIABLE_PREFIXES.map((prefix) => prefix + bare).find((name) => this.#given.includes(name));
  }

  #editAuth(): Pick<EnvironmentSettings, "editAuth" | "editAuthPlace"> | undefined {
    const name = this.#winner("EDIT_AUTH");
    if (name === undefined) return undefined;
    const read = readCredentials(valueOf(this.#environment, name));
    if ("credentials" in read) return { editAuth: read.credentials, editAuthPlace: this.#place(name) };
    this.#problems.error("CONFIG_BAD_VALUE", this.#place(name), `${name}: ${read.fault}`, {
      hint: "write LOGIN:PASSWORD",
    });
    return undefined;
  }

  #editAuthFile(): string | undefined {
    const path = this.#value("EDIT_AUTH_FILE", { kind: "path" });
    if (path === undefined) return undefined;
    const other = this.#winner("EDIT_AUTH");
    if (other === undefined) return textOf(path.value);
    const related = [{ ...this.#place(other), message: "the credentials themselves" }];
    const message = "the administrator's credentials and a file with them are given";
    this.#problems.error("CONFIG_DEFINED_TWICE", path.place, message, {
      hint: "keep one of them",
      related,
    });
    return undefined;
  }

  /** Blanks or commas are between them. The first that is none is an error, and nothing of the list is taken. */
  #networks(bare: string): string[] | undefined {
    const given = this.#value(bare, { kind: "text" });
    if (given === undefined) return undefined;
    const networks = new Set<string>();
    for (const word of textOf(given.value).split(/[\s,]+/)) {
      if (word === "") continue;
      const parsed = parseValue({ kind: "access", of: "network" }, word);
      if ("value" in parsed) {
        networks.add(textOf(parsed.value));
        continue;
      }
      const message = `${this.#winner(bare)}: ${parsed.fault}`;
      const hint = "write addresses and networks, as in: 10.0.0.0/8 2001:db8::/32";
      this.#problems.error("CONFIG_BAD_VALUE", given.place, message, { hint });
      return undefined;
    }
    return [...networks];
  }

  /** The first variable is the whole URL, the second what `/v1/traces` is put behind. */
  #traces(): Partial<TracesPlan> | undefined {
    const own = this.#value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", { kind: "access", of: "web-url" });
    const base = this.#value("OTEL_EXPORTER_OTLP_ENDPOINT", { kind: "access", of: "web-url" });
    const share = this.#value("OTEL_TRACES_SAMPLER_ARG", { kind: "access", of: "share" });
    if (own === undefined && base === undefined && share === undefined) return undefined;
    const ofBase =
      base === undefined ? undefined : `${textOf(base.value).replace(/\/+$/, "")}${TRACES_PATH}`;
    return withoutUndefined<Partial<TracesPlan>>({
      url: own === undefined ? ofBase : textOf(own.value),
      share: share === undefined ? undefined : numberOf(share.value),
    });
  }

  #secretsStorage(): SecretsStoragePlan | undefined {
    const given = this.#value("SECRETS_STORAGE", { kind: "text" });
    if (given === undefined) return undefined;
    const read = readSecretsStorage(textOf(given.value));
    if ("storage" in read) return read.storage;
    const message = `${this.#winner("SECRETS_STORAGE")}: ${read.fault}`;
    this.#problems.error("CONFIG_BAD_VALUE", given.place, message, {
      hint: "write k8s://SECRET or k8s://NAMESPACE/SECRET",
    });
    return undefined;
  }
}

function argumentType(name: string): ValueType {
  const spec = findDirective("server", name);
  const type = spec?.arguments === "unchecked" ? undefined : spec?.arguments[0]?.type;
  if (type === undefined) throw new TypeError(`${name} has no argument`);
  return type;
}
