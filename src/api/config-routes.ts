import { jsonReply } from "../base/http-message.ts";
import type { HttpReply } from "../base/http-message.ts";
import { objectOnDisk } from "../config/edit/edit-files.ts";
import type { ConfigEdit } from "../config/edit/edit-files.ts";
import type { ConfigErrorStatus } from "../config/edit/error-status.ts";
import { editErrors } from "../config/edit/errors.ts";
import { isGivenBack, withoutGivenBack } from "../config/edit/given-back.ts";
import { depthOf, MAX_JSON_DEPTH, RESET } from "../config/edit/merge.ts";
import { COLLECTIONS, keyOf } from "../config/json/shape.ts";
import type { Json, JsonObject } from "../config/json/shape.ts";
import { isObject, isShownOnly } from "../config/json/to-text.ts";
import { matchTemplate } from "../config/match.ts";
import type { SourceFile } from "../config/place.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { errorReply } from "./error-reply.ts";
import { apiErrors } from "./errors.ts";
import { routeOf } from "./operation.ts";
import { CHANGED_KINDS, deleteOperation, putOperation, wholeOperations } from "./operations/changes.ts";
import type { ChangedKind } from "./operations/changes.ts";
import type { ApiCall, ApiRoute } from "./routes.ts";

/** Who changes the configuration's files. */
export type ConfigEditor = {
  /** Resolves when the change is in force; rejects with a `MediaError` when nothing was changed. */
  edit(
    edit: ConfigEdit,
  ): Promise<
    | { readonly kind: "changed"; readonly files: readonly SourceFile[] }
    | { readonly kind: "bad"; readonly status: ConfigErrorStatus }
  >;
  /** What would come of a text in the place of the own file. */
  check(text: string): Promise<ConfigErrorStatus>;
};

/** What the routes are made of. */
export type ConfigRoutesParts = {
  /** `null`: the configuration is in no file, as that of the demo. */
  readonly editor: ConfigEditor | null;
  readonly config: () => ResolvedConfig;
  /**
   * What the API shows at an address, such as `/streams/news`, when the object there has been changed; its `config_on_disk` is
   * added. `null`, and without it: what stands in the file alone.
   */
  readonly shown?: (path: string) => Promise<object | null>;
};

const EMPTY: HttpReply = { status: 204, headers: [["cache-control", "no-store"]], body: [] };

/** The routes that change the configuration: objects one by one, and the whole. */
export function configRoutes(parts: ConfigRoutesParts): ApiRoute[] {
  const objects = CHANGED_KINDS.flatMap((kind): ApiRoute[] => [
    routeOf(putOperation(kind), (call) => putObject(parts, kind, call)),
    routeOf(deleteOperation(kind), (call) => deleteObject(parts, kind, call)),
  ]);
  return [
    ...objects,
    routeOf(wholeOperations.check, (call) => checkConfig(parts, call)),
    routeOf(wholeOperations.put, (call) => putConfig(parts, call)),
  ];
}

async function putObject(
  parts: ConfigRoutesParts,
  { kind, plural, parameter }: ChangedKind,
  call: ApiCall,
): Promise<HttpReply> {
  const name = call.params[parameter]!;
  const value = await wishesOf(parts, bodyOf(call), `/${plural}/${name}`);
  const otherwise = kind === "stream" ? templateOf(parts.config(), name, value) : {};
  const changed = await change(parts, { action: "put", kind, name, value, otherwise });
  if ("refusal" in changed) return changed.refusal;
  const onDisk = objectOnDisk(changed.files, { kind, name }) ?? {};
  const shown = (await parts.shown?.(`/${plural}/${name}`)) ?? onDisk;
  return jsonReply(200, { ...shown, config_on_disk: onDisk });
}

/** A body that is what the API told, changed here and there: its changes alone. */
async function wishesOf(parts: ConfigRoutesParts, body: JsonObject, path: string): Promise<JsonObject> {
  if (!isGivenBack(body)) return body;
  const shown = await parts.shown?.(path);
  return isObject(shown) ? withoutGivenBack(body, shown) : body;
}

/** The same for the whole, whose objects are told in lists. */
async function wishesOfWhole(parts: ConfigRoutesParts, body: JsonObject): Promise<JsonObject> {
  if (!isGivenBack(body)) return body;
  const shown = await parts.shown?.("/config?full=true");
  if (!isObject(shown)) return body;
  const wishes = Object.entries(withoutGivenBack(body, shown)).map(([plural, list]) => {
    const [kind] = Object.entries(COLLECTIONS).find(([, one]) => one === plural) ?? [];
    const told = shown[plural];
    if (kind === undefined || !Array.isArray(list) || !Array.isArray(told)) return [plural, list];
    const key = keyOf(kind);
    const byName = new Map(told.map((one: Json) => [isObject(one) ? one[key] : undefined, one]));
    return [plural, list.flatMap((one: Json) => wishOf(one, byName, key))];
  });
  return Object.fromEntries(wishes) as JsonObject;
}

/** What is wished of one object of a list: nothing, where it is as it is told. */
function wishOf(one: Json, told: ReadonlyMap<Json | undefined, Json>, key: "name" | "prefix"): Json[] {
  if (!isObject(one)) return [one];
  const shown = told.get(one[key]);
  if (!isObject(shown)) return [one];
  const wish = withoutGivenBack(one, shown);
  const changes = Object.keys(wish).filter((name) => name !== key && !isShownOnly(name));
  return changes.length === 0 ? [] : [{ ...wish, [key]: one[key]! }];
}

/** A stream that runs by a template goes on so when it gets lines of its own, unless its new ones say otherwise. */
function templateOf(config: ResolvedConfig, name: string, value: JsonObject): JsonObject {
  if ("template" in value || value[RESET] === true) return {};
  const match = matchTemplate(config, name);
  return match?.kind === "template" ? { template: match.template.name } : {};
}

async function deleteObject(
  parts: ConfigRoutesParts,
  { kind, parameter }: ChangedKind,
  call: ApiCall,
): Promise<HttpReply> {
  const changed = await change(parts, { action: "delete", kind, name: call.params[parameter]! });
  return "refusal" in changed ? changed.refusal : EMPTY;
}

async function checkConfig(parts: ConfigRoutesParts, call: ApiCall): Promise<HttpReply> {
  const status = await editorOf(parts).check(textOf(call));
  return jsonReply(status.error === null ? 200 : 400, status);
}

async function putConfig(parts: ConfigRoutesParts, call: ApiCall): Promise<HttpReply> {
  const edit: ConfigEdit =
    typeof call.body === "string"
      ? { action: "replace", text: call.body }
      : { action: "settings", value: await wishesOfWhole(parts, bodyOf(call)) };
  const changed = await change(parts, edit);
  return "refusal" in changed ? changed.refusal : jsonReply(200, { success: true });
}

/** The files behind a change, or the reply that says why there is none. */
type Changed = { readonly files: readonly SourceFile[] } | { readonly refusal: HttpReply };

async function change(parts: ConfigRoutesParts, edit: ConfigEdit): Promise<Changed> {
  const result = await editorOf(parts).edit(edit);
  if (result.kind === "changed") return result;
  const { status } = result;
  const error = editErrors.error("EDIT_REJECTED", { reason: status.detail ?? "it does not check" });
  return { refusal: errorReply(error, { meta: { config_error: status } }) };
}

function editorOf({ editor }: ConfigRoutesParts): ConfigEditor {
  if (editor !== null) return editor;
  const reason = "this server was started without a file of configuration";
  throw editErrors.error("EDIT_READ_ONLY", { what: "the configuration", reason });
}

function bodyOf({ body = {} }: ApiCall): JsonObject {
  if (!isObject(body)) throw badBody("it is an object");
  if (depthOf(body) > MAX_JSON_DEPTH) throw badBody(`it is nested more than ${MAX_JSON_DEPTH} deep`);
  return body;
}

/** The text of a configuration: as it is, or as `config` of an object. */
function textOf({ body }: ApiCall): string {
  if (typeof body === "string") return body;
  if (isObject(body) && typeof body["config"] === "string") return body["config"];
  throw badBody('it is the text of a configuration, or an object with it as "config"');
}

function badBody(reason: string): Error {
  return apiErrors.error("API_BAD_FIELD", { field: "the body", reason, pointer: "" });
}
