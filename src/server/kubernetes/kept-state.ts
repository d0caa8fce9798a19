import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { readCredentials } from "../../config/credentials.ts";
import { KubernetesApi } from "../../kubernetes/api.ts";
import { serverIdKey } from "../../kubernetes/kept-values.ts";
import { SecretState } from "../../kubernetes/secret-state.ts";
import type { StateSecret } from "../../kubernetes/secret-state.ts";
import { connectInCluster } from "./in-cluster.ts";
import type { InClusterOptions } from "./in-cluster.ts";

/** The state in a Secret, and the way to it. */
export type KeptState = {
  readonly state: SecretState;
  /** Idempotent. */
  stop(): void;
};

/** What is kept, and where. */
export type KeptStateOptions = InClusterOptions & {
  readonly secret: StateSecret;
  readonly clock: Clock;
  readonly log: Logger;
  readonly serverId: string;
  /** The name that the configuration gives the server. */
  readonly hostname: string | undefined;
  readonly wantsCredentials: boolean;
};

/** Joins the state to the cluster that the pod runs in; call its `start`. Throws: KUBERNETES_NOT_IN_CLUSTER. */
export function keepState(options: KeptStateOptions): KeptState {
  const transport = connectInCluster(options);
  const podName = options.env["POD_NAME"] ?? options.env["HOSTNAME"];
  const state = new SecretState({
    ...options,
    serverIdKey: serverIdKey(options.hostname, podName),
    api: new KubernetesApi(transport),
    readCredentials,
  });
  return {
    state,
    stop: () => {
      state.stop();
      transport.close();
    },
  };
}
