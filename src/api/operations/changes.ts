/** What changes the configuration: objects one by one, and the whole. */
import { z } from "zod";
import type { ApiOperation } from "../operation.ts";
import { errorReply } from "./shared-schemas.ts";
import { configErrorStatusSchema, objectSchema, settingsSchema } from "../config-schemas.ts";

/** A kind of object that the API changes: its word, its address, the parameter that names one, and its area. */
export type ChangedKind = {
  readonly kind: string;
  readonly plural: string;
  readonly parameter: "name" | "prefix";
  readonly scope: "streams" | "config";
  /** Names of operations. */
  readonly id: string;
};

/** The kinds that have addresses of their own. */
export const CHANGED_KINDS: readonly ChangedKind[] = [
  { kind: "stream", plural: "streams", parameter: "name", scope: "streams", id: "stream" },
  { kind: "template", plural: "templates", parameter: "name", scope: "streams", id: "template" },
  { kind: "vod", plural: "vods", parameter: "prefix", scope: "streams", id: "vod" },
  { kind: "dvr", plural: "dvrs", parameter: "name", scope: "config", id: "dvr" },
  { kind: "auth_backend", plural: "auth_backends", parameter: "name", scope: "config", id: "authBackend" },
  { kind: "event_sink", plural: "event_sinks", parameter: "name", scope: "config", id: "eventSink" },
];

/** The object as it is from now on. */
const changedReply = z.looseObject({ config_on_disk: z.looseObject({}) });

/** Puts an object, merged into what there is of it. */
export function putOperation({ kind, plural, parameter, scope, id }: ChangedKind): ApiOperation {
  return {
    method: "PUT",
    path: `/${plural}/{${parameter}}`,
    id: `${id}Put`,
    tag: plural,
    summary: "Makes it, or changes what is given of it; null takes a setting away",
    scope,
    body: objectSchema(kind),
    reply: { status: 200, schema: changedReply },
    errors: [404, 409, 413],
  };
}

/** Takes an object out of the configuration. */
export function deleteOperation({ plural, parameter, scope, id }: ChangedKind): ApiOperation {
  return {
    method: "DELETE",
    path: `/${plural}/{${parameter}}`,
    id: `${id}Delete`,
    tag: plural,
    summary: "Takes it out of the configuration",
    scope,
    reply: { status: 204, schema: null },
    errors: [404, 409],
  };
}

/** Operations on the whole. */
export const wholeOperations = {
  check: {
    method: "POST",
    path: "/config",
    id: "configCheck",
    tag: "config",
    summary: "Says whether a text is a good configuration; changes nothing",
    scope: "config",
    body: z.strictObject({ config: z.string() }),
    takesText: true,
    reply: { status: 200, schema: configErrorStatusSchema },
    // The second one: what was sent is no text to be checked.
    otherReplies: { 400: z.union([configErrorStatusSchema, errorReply]) },
    errors: [409, 413],
  },
  put: {
    method: "PUT",
    path: "/config",
    id: "configPut",
    tag: "config",
    summary: "Replaces the text of the configuration's own file, or changes settings and objects",
    scope: "config",
    body: settingsSchema(),
    takesText: true,
    reply: { status: 200, schema: z.object({ success: z.literal(true) }) },
    errors: [404, 409, 413],
  },
} as const satisfies Record<string, ApiOperation>;

/** All of them. */
export const changeOperations: Readonly<Record<string, ApiOperation>> = Object.fromEntries([
  ...CHANGED_KINDS.flatMap((kind) => [putOperation(kind), deleteOperation(kind)]).map(
    (operation) => [operation.id, operation] as const,
  ),
  ...Object.values(wholeOperations).map((operation) => [operation.id, operation] as const),
]);
