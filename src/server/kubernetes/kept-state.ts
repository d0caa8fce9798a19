import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { readCredentials } from "../../config/credentials.ts";
import { KubernetesApi } from "../../kubernetes/api.ts";
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
  readonly wantsCredentials: boolean;
};

/** Joins the state to the cluster that the pod runs in; call its `start`. Throws: KUBERNETES_NOT_IN_CLUSTER. */
export function keepState(options: KeptStateOptions): KeptState {
  const transport = connectInCluster(options);
  const state = new SecretState({ ...options, api: new KubernetesApi(transport), readCredentials });
  return {
    state,
    stop: () => {
      state.stop();
      transport.close();
    },
  };
}
