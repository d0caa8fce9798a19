/** The way to the Kubernetes API from within a pod. Loaded only where it is used: TLS costs memory. */
import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
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

/** A bigger file is no service account's. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Where the API server is, and where the pod's credentials lie. */
export type InClusterOptions = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Where the service account is mounted: `SERVICE_ACCOUNT_DIRECTORY` unless given. */
  readonly serviceAccount?: string | undefined;
};

/**
 * Makes the way to the API server of the pod's own cluster. Throws: KUBERNETES_NOT_IN_CLUSTER,
 * KUBERNETES_BAD_ADDRESS.
 *
 * Spec: Kubernetes documentation, "Accessing the Kubernetes API from a Pod".
 */
export function connectInCluster({ env, clock, serviceAccount }: InClusterOptions): KubernetesTransport {
  return new InClusterTransport({
    host: variable(env, "KUBERNETES_SERVICE_HOST", (host) => /^[\w.:-]+$/.test(host)),
    port: variable(env, "KUBERNETES_SERVICE_PORT", isPort),
    directory: serviceAccount ?? SERVICE_ACCOUNT_DIRECTORY,
    clock,
  });
}

function variable(env: InClusterOptions["env"], name: string, isRight: (value: string) => boolean): string {
  const value = env[name]?.trim() ?? "";
  if (value === "") throw kubernetesErrors.error("KUBERNETES_NOT_IN_CLUSTER", { variable: name });
  if (isRight(value)) return value;
  const shown = JSON.stringify(value.slice(0, MAX_SHOWN_LENGTH));
  throw kubernetesErrors.error("KUBERNETES_BAD_ADDRESS", { variable: name, value: shown });
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** What is wrong with the text of a mounted file; `null`: nothing. */
type FaultOf = (text: string) => string | null;

/** Characters of a value of the environment that go into a message. */
const MAX_SHOWN_LENGTH = 40;

/** What goes into a header of HTTP. Spec: RFC 6750 section 2.1. */
const faultOfToken: FaultOf = (text) =>
  text === "" ? "is empty" : /^[\w.~+/-]+=*$/.test(text) ? null : "has characters in it that no token has";

const faultOfNamespace: FaultOf = (text) =>
  text === ""
    ? "is empty"
    : /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
      ? null
      : "has no name of a namespace in it";

/** Node passes over what is no certificate, and would believe nobody, or whoever the system believes. */
const faultOfAuthority: FaultOf = (text) => {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  if (text !== "" && blocks.length === 0) return "has no certificate in it";
  try {
    const certificates = blocks.map((block) => new X509Certificate(block));
    return certificates.length > 0 ? null : "is empty";
  } catch (caught) {
    return `has a certificate in it that cannot be read (${messageOf(caught)})`;
  }
};

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
    const [token, ca] = await Promise.all([
      this.#read("token", faultOfToken),
      this.#read("ca.crt", faultOfAuthority),
    ]);
    return this.#exchange(request, { token, ca });
  }

  namespace(): Promise<string> {
    return this.#read("namespace", faultOfNamespace);
  }

  close(): void {
    this.#closed = true;
    for (const request of this.#open) request.destroy();
  }

  async #read(name: string, faultOf: FaultOf): Promise<string> {
    const path = join(this.#endpoint.directory, name);
    const text = await this.#textOf(path);
    const fault = faultOf(text);
    if (fault !== null) throw kubernetesErrors.error("KUBERNETES_BAD_TOKEN", { path, fault });
    return text;
  }

  async #textOf(path: string): Promise<string> {
    try {
      const { size } = await stat(path);
      if (size > MAX_FILE_BYTES) throw new Error(`it has over ${MAX_FILE_BYTES} bytes`);
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
