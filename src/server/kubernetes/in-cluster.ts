/** The way to the Kubernetes API from within a pod. Loaded only where it is used: TLS costs memory. */
import { readFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import type { RequestOptions } from "node:https";
import type { ClientRequest } from "node:http";
import { join } from "node:path";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { kubernetesErrors } from "../../kubernetes/errors.ts";
import type {
  KubernetesReply,
  KubernetesRequest,
  KubernetesTransport,
} from "../../kubernetes/transport.ts";

/** Where Kubernetes mounts the service account of a pod. */
export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A reply that is bigger is not read on; a Secret holds 1 MiB at most, which base64 makes longer by a third. */
export const MAX_REPLY_BYTES = 2 * 1024 * 1024;

/** Where the API server is, and where the pod's credentials lie. */
export type InClusterOptions = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Where the service account is mounted: `SERVICE_ACCOUNT_DIRECTORY` unless given. */
  readonly serviceAccount?: string | undefined;
};

/**
 * Makes the way to the API server of the pod's own cluster. Throws: KUBERNETES_NOT_IN_CLUSTER.
 *
 * Spec: Kubernetes documentation, "Accessing the Kubernetes API from a Pod".
 */
export function connectInCluster({ env, clock, serviceAccount }: InClusterOptions): KubernetesTransport {
  return new InClusterTransport({
    host: variable(env, "KUBERNETES_SERVICE_HOST"),
    port: variable(env, "KUBERNETES_SERVICE_PORT"),
    directory: serviceAccount ?? SERVICE_ACCOUNT_DIRECTORY,
    clock,
  });
}

function variable(env: InClusterOptions["env"], name: string): string {
  const value = env[name]?.trim() ?? "";
  if (value === "") throw kubernetesErrors.error("KUBERNETES_NOT_IN_CLUSTER", { variable: name });
  return value;
}

type Endpoint = {
  readonly host: string;
  readonly port: string;
  readonly directory: string;
  readonly clock: Clock;
};

/** Credentials as they lie in the pod at this moment: the token is replaced every hour or so. */
type Credentials = { readonly token: string; readonly ca: string };

class InClusterTransport implements KubernetesTransport {
  readonly #endpoint: Endpoint;
  readonly #open = new Set<ClientRequest>();
  #closed = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async send(request: KubernetesRequest): Promise<KubernetesReply> {
    const [token, ca] = await Promise.all([this.#read("token"), this.#read("ca.crt")]);
    return this.#exchange(request, { token, ca });
  }

  namespace(): Promise<string> {
    return this.#read("namespace");
  }

  close(): void {
    this.#closed = true;
    for (const request of this.#open) request.destroy();
  }

  async #read(name: string): Promise<string> {
    const path = join(this.#endpoint.directory, name);
    try {
      return (await readFile(path, "utf8")).trim();
    } catch (caught) {
      throw kubernetesErrors.error("KUBERNETES_NO_TOKEN", { path, reason: messageOf(caught) }, caught);
    }
  }

  #exchange(request: KubernetesRequest, credentials: Credentials): Promise<KubernetesReply> {
    const { clock } = this.#endpoint;
    const { timeoutMs } = request;
    const { promise, resolve, reject } = Promise.withResolvers<KubernetesReply>();
    const sent = httpsRequest(this.#optionsOf(request, credentials));
    this.#open.add(sent);
    // The first that happens decides; what comes behind, such as the error of a destroyed request, is of no more use.
    const timer: Timer = clock.schedule(timeoutMs, () => {
      reject(kubernetesErrors.error("KUBERNETES_TIMEOUT", { address: this.#address(), timeoutMs }));
      sent.destroy();
    });
    sent.on("error", (error) => reject(this.#failure(error)));
    sent.on("close", () => {
      timer.cancel();
      this.#open.delete(sent);
      reject(this.#failure(new Error("the connection was closed")));
    });
    sent.on("response", (reply) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      reply.on("data", (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes <= MAX_REPLY_BYTES) return void chunks.push(chunk);
        reject(
          kubernetesErrors.error("KUBERNETES_BAD_REPLY", {
            reason: `it has over ${MAX_REPLY_BYTES} bytes`,
          }),
        );
        sent.destroy();
      });
      reply.on("error", (error) => reject(this.#failure(error)));
      reply.on("end", () => {
        resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    if (this.#closed) sent.destroy();
    else sent.end(request.body);
    return promise;
  }

  #optionsOf(
    { method, path, contentType, body }: KubernetesRequest,
    { token, ca }: Credentials,
  ): RequestOptions {
    const { host, port } = this.#endpoint;
    const head = body === undefined ? {} : { "content-type": contentType ?? "application/json" };
    return {
      host,
      port,
      method,
      path,
      ca,
      // Requests are minutes apart: no connection is kept.
      agent: false,
      headers: {
        ...head,
        accept: "application/json",
        authorization: `Bearer ${token}`,
        "user-agent": "weir",
      },
    };
  }

  #address(): string {
    const { host, port } = this.#endpoint;
    return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  }

  #failure(error: Error): MediaError {
    const context = { address: this.#address(), reason: error.message };
    if (!isOfTls(error)) return kubernetesErrors.error("KUBERNETES_UNREACHABLE", context, error);
    const path = join(this.#endpoint.directory, "ca.crt");
    return kubernetesErrors.error("KUBERNETES_TLS", { ...context, path }, error);
  }
}

/** Codes of OpenSSL's verification, and of Node's own checks, as Node names them. */
function isOfTls(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return /^(ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO)|CERT|^UNABLE_TO_|^INVALID_(CA|PURPOSE)/.test(code);
}
