import type { Steps } from "../base/steps.ts";
import { withoutUndefined } from "../base/without-undefined.ts";
import { defaultOf } from "./directives.ts";
import { reportNestedRoots } from "./nested-roots.ts";
import { reportWellKnown } from "./resolve-well-known.ts";
import { reportAccess } from "./resolve-access.ts";
import { allTexts, readApiTokens } from "./resolve-api.ts";
import { readAuthorizers } from "./resolve-authorizers.ts";
import { reportCountries } from "./resolve-countries.ts";
import { readEventSinks, readTraces } from "./resolve-events.ts";
import { readInputUrl } from "./resolve-input.ts";
import { readDvrs, reportRecording } from "./resolve-dvr.ts";
import { resolveListeners } from "./resolve-listeners.ts";
import { finishLive, NO_ACCESS, readLive } from "./resolve-live.ts";
import { readTemplates } from "./resolve-template.ts";
import { readVods, reportUnknownVods } from "./resolve-vod.ts";
import {
  booleanOf,
  bySetting,
  Definitions,
  flag,
  numberOf,
  setting,
  textOf,
  textSetting,
} from "./settings.ts";
import { nearestName } from "./suggest.ts";
import { quoted } from "./values.ts";
import type { EnvironmentSettings } from "./environment.ts";
import type { KnownStreams } from "./known-streams.ts";
import type { Credentials, LimitsPlan, LogLevel, ResolvedConfig, StreamPlan } from "./plan.ts";
import type { ProblemList } from "./problem.ts";
import type { LiveContext, LiveDraft } from "./resolve-live.ts";
import type { TemplateReading } from "./resolve-template.ts";
import type { Settings } from "./settings.ts";
import type { Directive } from "./typed.ts";

/** What else counts for a plan. `folder`: where the config is, without a slash at its end. */
export type ResolveOptions = {
  readonly environment: EnvironmentSettings;
  readonly folder: string;
  readonly problems: ProblemList;
  readonly known: KnownStreams;
};

/**
 * Makes the plan from the directives of all files, in order, and the environment, in steps.
 *
 * Values of the environment win over the config's. The plan is of use only when `problems` has no errors.
 */
export function* resolveSteps(
  directives: readonly Directive[],
  { environment, folder, problems, known }: ResolveOptions,
): Steps<ResolvedConfig> {
  const settings = bySetting(directives, problems);
  const definitions = new Definitions(problems);
  const dvrs = readDvrs(settings, definitions, problems);
  const authorizers = readAuthorizers(settings, definitions, problems);
  const named = { dvrs, authorizers, definitions, problems };
  const templates = readTemplates(settings, named);
  const streams = yield* streamSteps(directives, { ...named, templates }, known);
  const vods = readVods(settings, named);
  const isProduction =
    environment.isProduction ??
    flag(settings, "production") ??
    booleanOf(defaultOf("server", "production"));
  reportWellKnown(settings, { environment, isProduction, problems });
  const templatePlans = [...templates.values()].map((template) => template.plan);
  const foundBefore = problems.count;
  reportNestedRoots(streams, templatePlans, problems);
  reportUnknownVods([...templatePlans, ...streams], vods, problems);
  if (problems.count > foundBefore) known.faulted();
  reportCountries(directives, problems);
  const trustedProxies = environment.trustedProxies ?? allTexts(settings, "trusted_proxies");
  const hasProxies = trustedProxies.length > 0;
  return withoutUndefined<ResolvedConfig>({
    listeners: resolveListeners(directives, { environment, folder, hasProxies, problems }),
    isProduction,
    ...editAccess(settings, environment, problems),
    ...access(settings, "view", problems),
    apiTokens: readApiTokens(settings, definitions, problems),
    authBackends: authorizers.blockPlans,
    jwts: authorizers.jwtPlans,
    apiAllowedFrom: allTexts(settings, "api_allowed_from"),
    trustedProxies,
    allowedHosts: allTexts(settings, "allowed_hosts"),
    authToken: textSetting(settings, "auth_token") ?? textOf(defaultOf("server", "auth_token")),
    geoip: textSetting(settings, "geoip"),
    eventSinks: readEventSinks(settings, definitions, problems),
    eventQueue: textSetting(settings, "event_queue"),
    traces: readTraces(settings, environment.traces ?? {}),
    hasStreamMetrics: flag(settings, "stream_metrics") ?? booleanOf(defaultOf("server", "stream_metrics")),
    totalBandwidthBps: totalBandwidth(settings),
    clusterKey: textSetting(settings, "cluster_key"),
    secretsStorage: environment.secretsStorage,
    logLevel: environment.logLevel ?? logLevel(settings),
    hostname: environment.hostname ?? textSetting(settings, "hostname"),
    limits: readLimits(settings),
    drainTimeoutMs: serverNumber(settings, "drain_timeout"),
    threads: threadCount(settings),
    dvrs: [...dvrs.values()].map((dvr) => dvr.plan),
    streams,
    templates: templatePlans,
    vods,
  });
}

function totalBandwidth(settings: Settings): number | undefined {
  const given = setting(settings, "total_bandwidth");
  return given === undefined ? undefined : numberOf(given.values[0]);
}

type Access = Pick<ResolvedConfig, "editAuth" | "editAuthFile" | "viewAuth" | "viewAuthFile">;

/** The environment wins as a whole: what it says, credentials or a file, leaves nothing of the config's. */
function editAccess(settings: Settings, environment: EnvironmentSettings, problems: ProblemList): Access {
  const ofConfig = access(settings, "edit", problems);
  const { editAuth, editAuthFile } = environment;
  if (editAuth === undefined && editAuthFile === undefined) return ofConfig;
  return editAuth === undefined ? withoutUndefined<Access>({ editAuthFile }) : { editAuth };
}

function access(settings: Settings, who: "edit" | "view", problems: ProblemList): Access {
  const auth = credentials(settings, `${who}_auth`);
  const path = textSetting(settings, `${who}_auth_file`);
  const file = setting(settings, `${who}_auth_file`);
  const other = setting(settings, `${who}_auth`);
  if (file !== undefined && other !== undefined) {
    const message = `"${who}_auth" and "${who}_auth_file" are both given`;
    const related = [{ ...other.place, message: "the credentials themselves" }];
    problems.error("CONFIG_DEFINED_TWICE", file.place, message, { hint: "keep one of them", related });
  }
  return who === "edit"
    ? withoutUndefined<Access>({ editAuth: auth, editAuthFile: path })
    : withoutUndefined<Access>({ viewAuth: auth, viewAuthFile: path });
}

function credentials(settings: Settings, name: string): Credentials | undefined {
  const directive = setting(settings, name);
  if (directive === undefined) return undefined;
  return { login: textOf(directive.values[0]), password: textOf(directive.values[1]) };
}

function logLevel(settings: Settings): LogLevel {
  const value = setting(settings, "loglevel")?.values[0] ?? defaultOf("server", "loglevel");
  return textOf(value) as LogLevel;
}

function threadCount(settings: Settings): number | undefined {
  const directive = setting(settings, "threads");
  return directive === undefined ? undefined : numberOf(directive.values[0]);
}

function serverNumber(settings: Settings, name: string): number {
  return numberOf(setting(settings, name)?.values[0] ?? defaultOf("server", name));
}

function readLimits(settings: Settings): LimitsPlan {
  const read = (name: string): number => serverNumber(settings, name);
  return {
    maxConnectionsPerAddress: read("max_connections_per_address"),
    rtmpHandshakeTimeoutMs: read("rtmp_handshake_timeout"),
    rtmpIdleTimeoutMs: read("rtmp_idle_timeout"),
    httpIdleTimeoutMs: read("http_idle_timeout"),
    maxMessageBytes: read("max_message_size"),
  };
}

type StreamContext = LiveContext & {
  readonly templates: ReadonlyMap<string, TemplateReading>;
  readonly definitions: Definitions;
};

function* streamSteps(
  directives: readonly Directive[],
  context: StreamContext,
  known: KnownStreams,
): Steps<StreamPlan[]> {
  const streams: StreamPlan[] = [];
  for (const directive of directives) {
    const foundBefore = context.problems.count;
    const plan = readStream(directive, context);
    yield;
    if (plan === undefined) continue;
    if (context.problems.count === foundBefore) known.made(directive, plan);
    streams.push(plan);
  }
  return streams;
}

/** Reads `stream NAME { }` or the old `ondemand NAME URL`; gives one plan or none. */
function readStream(directive: Directive, context: StreamContext): StreamPlan | undefined {
  const { spec, values, places } = directive;
  if (spec.name !== "stream" && spec.name !== "ondemand") return undefined;
  const { problems, definitions } = context;
  const name = textOf(values[0]);
  const place = places[0]!;
  const define = (): boolean =>
    definitions.define(`stream "${name}"`, place, "give one of them another name");
  if (directive.known !== undefined) return define() ? directive.known : undefined;
  const draft =
    spec.name === "stream" ? readLive(directive.children, context) : readOnDemand(directive, problems);
  const templateName = directive.children.find((child) => child.spec.name === "template");
  const template = templateName === undefined ? undefined : findTemplate(templateName, context);
  if (templateName === undefined || template !== undefined)
    reportRecording(draft.dvr, template?.dvr, problems);
  reportAccess(draft.access, template?.access, problems);
  if (!define()) return undefined;
  if (templateName === undefined && draft.inputs === undefined && directive.isComplete) {
    problems.warning(
      "CONFIG_NOTHING_INSIDE",
      place,
      `stream "${name}" has no input, so it never has a picture`,
      {
        hint: "add an input, as in: input publish://;",
      },
    );
  }
  return finishLive(name, place, draft, template);
}

function readOnDemand(directive: Directive, problems: ProblemList): LiveDraft {
  const url = textOf(directive.values[1]);
  const place = directive.places[1]!;
  const read = readInputUrl(url, place, problems);
  const inputs = read === undefined ? [] : [{ ...read, url, options: {}, place }];
  return { metadata: {}, options: {}, access: NO_ACCESS, isStatic: false, inputs };
}

function findTemplate(directive: Directive, context: StreamContext): LiveDraft | undefined {
  const name = textOf(directive.values[0]);
  const found = context.templates.get(name);
  if (found !== undefined) return found.draft;
  const near = context.problems.isFull ? undefined : nearestName(name, context.templates.keys());
  const hint = near === undefined ? undefined : `did you mean "${near}"?`;
  context.problems.error(
    "CONFIG_UNKNOWN_TEMPLATE",
    directive.places[0]!,
    `there is no template ${quoted(name)}`,
    {
      hint,
    },
  );
  return undefined;
}
