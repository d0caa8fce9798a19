/**
 * The Kubernetes API as far as the server needs it: one Secret, its own pod, Events. It knows no sockets; see
 * `transport.ts`, and docs/decisions/0008-kubernetes-api.md for why this is not a library.
 */
import type { ErrorContext, MediaError } from "../base/errors.ts";
import { kubernetesErrors } from "./errors.ts";
import type { KubernetesReply, KubernetesRequest, KubernetesTransport } from "./transport.ts";

/** An object of a namespace. */
export type ObjectName = { readonly namespace: string; readonly name: string };

/** A Secret: values in base64 as the API has them. */
export type Secret = {
  readonly resourceVersion: string;
  readonly data: Readonly<Record<string, string>>;
};

/** What an operation is, in the words of RBAC: for messages that say which rule is missing. */
type Target = ObjectName & {
  readonly verb: "get" | "create" | "patch";
  readonly group: string;
  readonly resource: "secrets" | "pods" | "events";
};

/** From a request to the last byte of its reply. */
const TIMEOUT_MS = 5000;

/** Characters of a reason of the API server that go into a message. */
const MAX_REASON_LENGTH = 300;

/** All operations reject with errors of `kubernetesErrors`. */
export class KubernetesApi {
  readonly #transport: KubernetesTransport;
  readonly #timeoutMs: number;

  constructor(transport: KubernetesTransport, timeoutMs = TIMEOUT_MS) {
    this.#transport = transport;
    this.#timeoutMs = timeoutMs;
  }

  /** The namespace of the pod. */
  namespace(): Promise<string> {
    return this.#transport.namespace();
  }

  /** The Secret, `null` when there is none of this name. */
  async readSecret(secret: ObjectName): Promise<Secret | null> {
    const target: Target = { ...secret, verb: "get", group: "", resource: "secrets" };
    const reply = await this.#send({ method: "GET", path: pathOf(target) });
    return reply.status === 404 ? null : secretOf(bodyOf(reply, target));
  }

  /** Creates a Secret with these values, in clear. Rejects: KUBERNETES_CONFLICT when there is one of this name. */
  async createSecret(secret: ObjectName, values: Readonly<Record<string, string>>): Promise<void> {
    const { namespace, name } = secret;
    const target: Target = { ...secret, verb: "create", group: "", resource: "secrets" };
    const body = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace },
      type: "Opaque",
      data: encoded(values),
    };
    bodyOf(
      await this.#send({ method: "POST", path: listPathOf(target), body: JSON.stringify(body) }),
      target,
    );
  }

  /**
   * Adds these values, in clear, and leaves the other keys. Rejects: KUBERNETES_CONFLICT when the Secret is not that of
   * `resourceVersion` any more.
   *
   * Spec: RFC 7386; Kubernetes API concepts, "Resource versions".
   */
  async patchSecret(
    secret: ObjectName,
    values: Readonly<Record<string, string>>,
    resourceVersion: string,
  ): Promise<void> {
    const target: Target = { ...secret, verb: "patch", group: "", resource: "secrets" };
    const body = JSON.stringify({ metadata: { resourceVersion }, data: encoded(values) });
    const contentType = "application/merge-patch+json";
    bodyOf(await this.#send({ method: "PATCH", path: pathOf(target), contentType, body }), target);
  }

  /** The uid of a pod. Rejects: KUBERNETES_NOT_FOUND when there is none of this name. */
  async readPodUid(pod: ObjectName): Promise<string> {
    const target: Target = { ...pod, verb: "get", group: "", resource: "pods" };
    const uid = fieldOf(
      bodyOf(await this.#send({ method: "GET", path: pathOf(target) }), target),
      "metadata",
      "uid",
    );
    if (typeof uid !== "string") throw badReply("the pod has no uid");
    return uid;
  }

  /** Creates an Event, written as the API group has it. Rejects: KUBERNETES_NOT_FOUND when the group is not there. */
  async createEvent(
    group: "events.k8s.io" | "",
    name: ObjectName,
    event: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const target: Target = { ...name, verb: "create", group, resource: "events" };
    const path = listPathOf(target);
    bodyOf(await this.#send({ method: "POST", path, body: JSON.stringify(event) }), target);
  }

  #send(request: Omit<KubernetesRequest, "timeoutMs">): Promise<KubernetesReply> {
    return this.#transport.send({ ...request, timeoutMs: this.#timeoutMs });
  }
}

/** Spec: Kubernetes API concepts, "Resource URIs". */
function listPathOf({ group, namespace, resource }: Target): string {
  const root = group === "" ? "/api/v1" : `/apis/${group}/v1`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

function pathOf(target: Target): string {
  return `${listPathOf(target)}/${encodeURIComponent(target.name)}`;
}

function encoded(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value, "utf8").toString("base64")]),
  );
}

/** The object in a good reply. Throws: the error that the status stands for. */
function bodyOf(reply: KubernetesReply, target: Target): unknown {
  if (reply.status < 200 || reply.status > 299) throw refusal(reply, target);
  return parsed(reply.body);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (caught) {
    throw badReply("it is not JSON", caught);
  }
}

/** Spec: Kubernetes API conventions, "HTTP Status codes". */
function refusal(reply: KubernetesReply, target: Target): MediaError {
  const { verb, resource, namespace, name } = target;
  const { status } = reply;
  const said = reasonOf(reply.body);
  const context = { verb, resource, namespace, name, status, reason: said.slice(0, MAX_REASON_LENGTH) };
  if (status === 401) return kubernetesErrors.error("KUBERNETES_UNAUTHORIZED", context);
  if (status === 403) return denial(target, said, context);
  if (status === 404) return kubernetesErrors.error("KUBERNETES_NOT_FOUND", context);
  if (status === 409) return kubernetesErrors.error("KUBERNETES_CONFLICT", context);
  if (status === 429 || status >= 500) return kubernetesErrors.error("KUBERNETES_UNAVAILABLE", context);
  return kubernetesErrors.error("KUBERNETES_REFUSED", context);
}

/**
 * RBAC says what the account cannot do; quotas and admission refuse with the same status and say something else.
 *
 * Spec: Kubernetes API conventions, "HTTP Status codes" (403 is for whatever forbids).
 */
function denial(target: Target, said: string, context: ErrorContext): MediaError {
  const isOfRbac = said.includes(`cannot ${target.verb} resource`);
  if (!isOfRbac) return kubernetesErrors.error("KUBERNETES_DENIED", context);
  const account = accountIn(said);
  return kubernetesErrors.error("KUBERNETES_FORBIDDEN", { ...context, account, rule: ruleFor(target) });
}

/**
 * The rule that a Role needs, in YAML on one line. A Secret is read and patched: both are named at once.
 *
 * Spec: Kubernetes documentation, "Using RBAC Authorization" ("create" cannot be restricted by a resource's name).
 */
function ruleFor({ verb, group, resource, name }: Target): string {
  const groups = resource === "events" ? `"", "events.k8s.io"` : `"${group}"`;
  const names = verb === "create" ? "" : `, resourceNames: ["${name}"]`;
  const verbs = resource === "secrets" && verb !== "create" ? "get, patch" : verb;
  return `{apiGroups: [${groups}], resources: ["${resource}"]${names}, verbs: [${verbs}]}`;
}

/** Who was refused, as in system:serviceaccount:NAMESPACE:NAME: the API server says it in its reason only. */
function accountIn(reason: string): string {
  return /User "([^"]+)"/.exec(reason)?.[1] ?? "the service account";
}

/** What a `Status` object says, on one line. */
function reasonOf(body: string): string {
  let message: unknown;
  try {
    message = fieldOf(JSON.parse(body), "message");
  } catch {
    return "no reason is given";
  }
  if (typeof message !== "string" || message === "") return "no reason is given";
  return message.replaceAll(/\p{Cc}+/gu, " ");
}

function secretOf(body: unknown): Secret {
  const resourceVersion = fieldOf(body, "metadata", "resourceVersion");
  if (typeof resourceVersion !== "string") throw badReply("the Secret has no resourceVersion");
  const data = fieldOf(body, "data") ?? {};
  if (typeof data !== "object" || Object.values(data).some((value) => typeof value !== "string"))
    throw badReply("the Secret's data are no texts");
  return { resourceVersion, data: data as Record<string, string> };
}

function fieldOf(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

function badReply(reason: string, cause?: unknown): MediaError {
  return kubernetesErrors.error("KUBERNETES_BAD_REPLY", { reason }, cause);
}
