/** One request to the Kubernetes API. `path` begins with a slash. Units: `timeoutMs` from the call to the last byte. */
export type KubernetesRequest = {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly timeoutMs: number;
};

/** What came back, whatever its status. */
export type KubernetesReply = { readonly status: number; readonly body: string };

/**
 * The way to the API server, with the pod's own credentials: the only part that touches sockets and files, so it is
 * made by `server/`, and tests have one of their own.
 */
export type KubernetesTransport = {
  /**
   * Sends one request and waits for the whole reply.
   *
   * Rejects: KUBERNETES_NO_TOKEN, KUBERNETES_BAD_TOKEN, KUBERNETES_UNREACHABLE, KUBERNETES_TIMEOUT, KUBERNETES_TLS, KUBERNETES_BAD_REPLY when
   * the reply is too big.
   */
  send(request: KubernetesRequest): Promise<KubernetesReply>;
  /** The namespace of the pod. Rejects: KUBERNETES_NO_TOKEN, KUBERNETES_BAD_TOKEN. */
  namespace(): Promise<string>;
  /** Ends what is under way; idempotent. */
  close(): void;
};
