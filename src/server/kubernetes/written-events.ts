import { hostname } from "node:os";
import type { Logger } from "../../base/log.ts";
import { KubernetesApi } from "../../kubernetes/api.ts";
import type { ConfigEvents } from "../../kubernetes/config-events.ts";
import { PodEvents } from "../../kubernetes/pod-events.ts";
import { connectInCluster } from "./in-cluster.ts";
import type { InClusterOptions } from "./in-cluster.ts";

/**
 * Events on the pod that the process runs in. Its name is POD_NAME where the manifest sets that from `metadata.name`,
 * else the host's, which is the same unless the pod has the node's network; POD_UID is its uid. Throws:
 * KUBERNETES_NOT_IN_CLUSTER.
 */
export function writtenEvents(options: InClusterOptions & { readonly log: Logger }): ConfigEvents {
  const { env, clock, log } = options;
  const transport = connectInCluster(options);
  const uid = given(env["POD_UID"]);
  const pod = {
    name: given(env["POD_NAME"]) ?? given(env["HOSTNAME"]) ?? hostname(),
    ...(uid === undefined ? {} : { uid }),
  };
  const events = new PodEvents({ api: new KubernetesApi(transport), pod, clock, log });
  return {
    configRefused: (problems) => events.configRefused(problems),
    configApplied: () => events.configApplied(),
    stop: () => {
      events.stop();
      transport.close();
    },
  };
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value.trim();
}
