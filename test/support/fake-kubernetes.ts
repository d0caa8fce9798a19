/**
 * An API server of Kubernetes as far as the server asks one: Secrets, pods and Events, RBAC, resource versions, the
 * refusals that the real one has, and faults on demand. In memory for unit tests, over TLS for the others.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubernetesErrors } from "../../src/kubernetes/errors.ts";
import type {
  KubernetesReply,
  KubernetesRequest,
  KubernetesTransport,
} from "../../src/kubernetes/transport.ts";
import { selfSigned } from "./certificate.ts";
import type { SelfSignedOptions } from "./certificate.ts";
import type { TestEnd } from "./program.ts";

/** A Secret in the fake: values in base64, as they are stored. */
export type FakeSecret = { resourceVersion: number; immutable: boolean; data: Record<string, string> };

/** An Event as it was written, with the API group it was written to. */
export type FakeEvent = { readonly group: string; readonly object: Record<string, unknown> };

/** What goes wrong with every request: no reply ever, a closed connection, a reply that is none. */
export type FakeFault = "none" | "hang" | "close" | "half" | "garbage" | "huge" | "overloaded";

/** The namespace of the pod. */
export const NAMESPACE = "media";

type Asked = {
  readonly group: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
};

/** The state of the fake cluster, and how it answers. */
export class FakeKubernetes {
  /** By "NAMESPACE/NAME". */
  readonly secrets = new Map<string, FakeSecret>();
  /** Uids by "NAMESPACE/NAME". */
  readonly pods = new Map<string, string>();
  readonly events: FakeEvent[] = [];
  /** What was asked, as "get secrets". */
  readonly requests: string[] = [];
  /** What the service account may do, as "get secrets"; `null`: everything. */
  allowed: readonly string[] | null = null;
  readonly namespaces = new Set([NAMESPACE]);
  /** Whether events.k8s.io/v1 is there. */
  hasEventsGroup = true;
  token = "token-1";
  fault: FakeFault = "none";
  /** Runs before a request is answered: somebody else may act at that moment. */
  before: (asked: string) => void = () => {};
  #version = 100;

  /** Puts a Secret there; values in clear. */
  putSecret(name: string, values: Readonly<Record<string, string>>): void {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    );
    this.putRawSecret(name, data);
  }

  /** The same with values as they are stored, whatever they are. */
  putRawSecret(name: string, data: Readonly<Record<string, string>>): void {
    this.secrets.set(`${NAMESPACE}/${name}`, {
      resourceVersion: this.#version++,
      immutable: false,
      data: { ...data },
    });
  }

  /** The values of a Secret in clear; `undefined` when it is not there. */
  values(name: string): Record<string, string> | undefined {
    const secret = this.secrets.get(`${NAMESPACE}/${name}`);
    if (secret === undefined) return undefined;
    return Object.fromEntries(
      Object.entries(secret.data).map(([key, value]) => [
        key,
        Buffer.from(value, "base64").toString("utf8"),
      ]),
    );
  }

  /** How the real one answers a request of that token. */
  answer(request: Omit<KubernetesRequest, "timeoutMs">, token: string): KubernetesReply {
    if (token !== this.token) return status(401, "Unauthorized");
    if (this.fault === "overloaded") return status(429, "too many requests");
    const asked = askedFor(request.path);
    if (asked === null) return status(404, "the server could not find the requested resource");
    const verb = { GET: "get", POST: "create", PATCH: "patch" }[request.method];
    const what = `${verb} ${asked.resource}`;
    this.requests.push(what);
    this.before(what);
    if (asked.group !== "" && !this.hasEventsGroup) return { status: 404, body: "404 page not found\n" };
    if (this.allowed !== null && !this.allowed.includes(what)) {
      const who = `User "system:serviceaccount:${NAMESPACE}:weir"`;
      return status(403, `${asked.resource} "${asked.name}" is forbidden: ${who} cannot ${verb} resource`);
    }
    const hasNamespace = this.namespaces.has(asked.namespace);
    if (verb === "create" && !hasNamespace) return status(404, `namespaces "${asked.namespace}" not found`);
    if (asked.resource === "pods") return this.#pod(asked);
    if (asked.resource === "events") return this.#createEvent(asked, request);
    if (verb === "create") return this.#createSecret(asked, request);
    return verb === "patch" ? this.#patchSecret(asked, request) : this.#readSecret(asked);
  }

  /** A way to it without sockets. Faults of the network are what the real way makes of them. */
  transport(): KubernetesTransport {
    const address = "10.96.0.1:443";
    return {
      namespace: async () => NAMESPACE,
      close: () => {},
      send: async (request) => {
        await Promise.resolve();
        if (this.fault === "hang") return new Promise<never>(() => {});
        if (this.fault === "close")
          throw kubernetesErrors.error("KUBERNETES_UNREACHABLE", {
            address,
            reason: "connect ECONNREFUSED",
          });
        return this.fault === "garbage"
          ? { status: 200, body: "<html>" }
          : this.answer(request, this.token);
      },
    };
  }

  #readSecret({ namespace, name }: Asked): KubernetesReply {
    const secret = this.secrets.get(`${namespace}/${name}`);
    return secret === undefined
      ? status(404, `secrets "${name}" not found`)
      : reply(200, shown(name, secret));
  }

  #createSecret({ namespace }: Asked, { body }: { readonly body?: string }): KubernetesReply {
    const { metadata, data } = JSON.parse(body ?? "") as {
      metadata: { name: string };
      data: Record<string, string>;
    };
    const { name } = metadata;
    if (this.secrets.has(`${namespace}/${name}`)) return status(409, `secrets "${name}" already exists`);
    const secret = { resourceVersion: this.#version++, immutable: false, data };
    this.secrets.set(`${namespace}/${name}`, secret);
    return reply(201, shown(name, secret));
  }

  #patchSecret(
    asked: Asked,
    request: { readonly body?: string; readonly contentType?: string },
  ): KubernetesReply {
    const { namespace, name } = asked;
    const secret = this.secrets.get(`${namespace}/${name}`);
    if (request.contentType !== "application/merge-patch+json")
      return status(415, "unsupported media type");
    if (secret === undefined) return status(404, `secrets "${name}" not found`);
    const patch = JSON.parse(request.body ?? "") as {
      metadata?: { resourceVersion?: string };
      data: Record<string, string>;
    };
    const wanted = patch.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== String(secret.resourceVersion))
      return status(
        409,
        `Operation cannot be fulfilled on secrets "${name}": the object has been modified`,
      );
    if (secret.immutable)
      return status(422, `Secret "${name}" is invalid: data: Forbidden: field is immutable`);
    Object.assign(secret.data, patch.data);
    secret.resourceVersion = this.#version++;
    return reply(200, shown(name, secret));
  }

  #pod({ namespace, name }: Asked): KubernetesReply {
    const uid = this.pods.get(`${namespace}/${name}`);
    return uid === undefined
      ? status(404, `pods "${name}" not found`)
      : reply(200, { metadata: { name, uid } });
  }

  #createEvent({ group, namespace }: Asked, { body }: { readonly body?: string }): KubernetesReply {
    const object = JSON.parse(body ?? "") as Record<string, unknown>;
    const about = (object["regarding"] ?? object["involvedObject"]) as { namespace?: string } | undefined;
    const note = object["note"] ?? object["message"];
    if (object["apiVersion"] !== (group === "" ? "v1" : `${group}/v1`))
      return status(400, "wrong apiVersion");
    if (about?.namespace !== namespace)
      return status(422, "involvedObject.namespace: does not match event.namespace");
    if (typeof note !== "string" || Buffer.byteLength(note) > 1024)
      return status(422, "note: can have at most 1024 characters");
    this.events.push({ group, object });
    return reply(201, object);
  }
}

function askedFor(path: string): Asked | null {
  const parts = /^\/(?:api|apis\/([^/]+))\/v1\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(path);
  if (parts === null) return null;
  const [, group = "", namespace = "", resource = "", name = ""] = parts;
  return { group, namespace: decodeURIComponent(namespace), resource, name: decodeURIComponent(name) };
}

function shown(name: string, secret: FakeSecret): object {
  const metadata = { name, resourceVersion: String(secret.resourceVersion) };
  return { apiVersion: "v1", kind: "Secret", metadata, data: secret.data };
}

function reply(code: number, body: object): KubernetesReply {
  return { status: code, body: JSON.stringify(body) };
}

/** The real one's `Status` object. */
function status(code: number, message: string): KubernetesReply {
  return reply(code, { kind: "Status", apiVersion: "v1", status: "Failure", message, code });
}

/** The fake on a port, and what a pod would have of it. */
export type ServedKubernetes = {
  readonly cluster: FakeKubernetes;
  /** What Kubernetes puts into a pod's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The mounted service account: `token`, `ca.crt`, `namespace`. */
  readonly directory: string;
};

/** Serves it over TLS on 127.0.0.1 until the test ends. `certificate`: what is to be wrong with its own. */
export async function serveKubernetes(
  t: TestEnd,
  options: { readonly cluster?: FakeKubernetes; readonly certificate?: SelfSignedOptions } = {},
): Promise<ServedKubernetes> {
  const { cluster = new FakeKubernetes() } = options;
  const { cert, key } = selfSigned(options.certificate);
  const server = createServer({ cert, key });
  serveFrom(server, cluster);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const directory = await mkdtemp(join(tmpdir(), "weir-kubernetes-"));
  await writeFile(join(directory, "token"), `${cluster.token}\n`);
  await writeFile(join(directory, "ca.crt"), cert);
  await writeFile(join(directory, "namespace"), NAMESPACE);
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  const env = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(port) };
  return { cluster, env, directory };
}

function serveFrom(server: Server, cluster: FakeKubernetes): void {
  server.on("request", (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      if (misbehaves(cluster.fault, response)) return;
      const { method = "", url = "", headers } = request;
      const token = /^Bearer (.*)$/.exec(headers.authorization ?? "")?.[1] ?? "";
      const contentType = headers["content-type"] ?? "";
      const asked = { method: method as KubernetesRequest["method"], path: url, contentType, body };
      const answer = cluster.answer(asked, token);
      response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
    });
  });
}

function misbehaves(fault: FakeFault, response: ServerResponse): boolean {
  // dispatch
  switch (fault) {
    case "none":
    case "overloaded":
      return false;
    case "hang":
      return true;
    case "close":
      response.destroy();
      return true;
    case "half":
      response.writeHead(200, { "content-length": "1000" }).write("{");
      setImmediate(() => response.destroy());
      return true;
    case "garbage":
      response.writeHead(200).end("<html>sign in</html>");
      return true;
    case "huge":
      response.writeHead(200).end(Buffer.alloc(3 * 1024 * 1024, 32));
      return true;
  }
}
