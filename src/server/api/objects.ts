/** Addresses of the configuration's objects beside streams. */
import { apiErrors } from "../../api/errors.ts";
import { rowOf } from "../../api/lists/row.ts";
import { routeOf } from "../../api/operation.ts";
import type { ApiOperation } from "../../api/operation.ts";
import {
  authBackendOperations,
  dvrOperations,
  eventSinkOperations,
  templateOperations,
  vodOperations,
} from "../../api/operations/objects.ts";
import { authBackendJson, dvrJson, eventSinkJson, templateJson, vodJson } from "../../api/plan-json.ts";
import type { ApiRoute } from "../../api/routes.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { listRoute } from "./list-route.ts";

/** Kinds of objects that files of the configuration have. */
export type ConfigKind = "stream" | "template" | "vod" | "dvr" | "auth_backend" | "event_sink";

/** What stands in the files of an object, as JSON without secrets; `null`: nothing. */
export type ConfigOnDisk = (kind: ConfigKind, name: string) => object | null;

/** What these addresses need. */
export type ObjectParts = {
  readonly config: () => ResolvedConfig;
  readonly configOnDisk: ConfigOnDisk;
};

type Kind = {
  readonly kind: ConfigKind;
  readonly operations: { readonly list: ApiOperation; readonly get: ApiOperation };
  readonly plural: string;
  readonly key: "name" | "prefix";
  readonly objects: (config: ResolvedConfig) => readonly (readonly [name: string, json: () => object])[];
};

const KINDS: readonly Kind[] = [
  {
    kind: "template",
    operations: templateOperations,
    plural: "templates",
    key: "name",
    objects: ({ templates }) => templates.map((one) => [one.name, () => templateJson(one)]),
  },
  {
    kind: "vod",
    operations: vodOperations,
    plural: "vods",
    key: "prefix",
    objects: ({ vods }) => vods.map((one) => [one.name, () => vodJson(one)]),
  },
  {
    kind: "dvr",
    operations: dvrOperations,
    plural: "dvrs",
    key: "name",
    objects: ({ dvrs }) => dvrs.map((one) => [one.name, () => dvrJson(one)]),
  },
  {
    kind: "auth_backend",
    operations: authBackendOperations,
    plural: "auth_backends",
    key: "name",
    objects: (config) => config.authBackends.map((one) => [one.name, () => authBackendJson(one)]),
  },
  {
    kind: "event_sink",
    operations: eventSinkOperations,
    plural: "event_sinks",
    key: "name",
    objects: ({ eventSinks }) => eventSinks.map((one) => [one.name, () => eventSinkJson(one)]),
  },
];

/** The routes. */
export function objectRoutes(parts: ObjectParts): ApiRoute[] {
  return KINDS.flatMap((one) => routesOf(one, parts));
}

/** All objects of a configuration, by the plurals of their kinds. */
export function objectsJson({ config, configOnDisk }: ObjectParts): object {
  const told = KINDS.map(({ kind, plural, objects }) => [
    plural,
    objects(config()).map(([name, json]) => ({ ...json(), config_on_disk: configOnDisk(kind, name) })),
  ]);
  return Object.fromEntries(told) as object;
}

function routesOf(
  { kind, operations, plural, key, objects }: Kind,
  { config, configOnDisk }: ObjectParts,
): ApiRoute[] {
  const whole = (name: string, json: () => object): object => ({
    ...json(),
    config_on_disk: configOnDisk(kind, name),
  });
  const list = listRoute(
    { ...operations.list, list: operations.list.list! },
    {
      plural,
      key,
      source: () => ({ rows: objects(config()).map(([name, json]) => rowOf(name, whole(name, json))) }),
    },
  );
  const get = routeOf(operations.get, ({ params }) => {
    const name = params[key]!;
    const found = objects(config()).find(([one]) => one === name);
    if (found === undefined) throw apiErrors.error("API_UNKNOWN", { what: kind, name: name.slice(0, 255) });
    return jsonReply(200, whole(...found));
  });
  return [list, get];
}
