/** As much of a Kubernetes API as Helm needs to look something up. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestEnd } from "../../support/program.ts";
import type { KubeObject } from "./objects.ts";

/** What discovery says of the kinds in use; Spec: Kubernetes API, "API discovery". */
const KINDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: {
    secrets: "Secret",
    configmaps: "ConfigMap",
    services: "Service",
    serviceaccounts: "ServiceAccount",
  },
  "apps/v1": { deployments: "Deployment", daemonsets: "DaemonSet", statefulsets: "StatefulSet" },
  "autoscaling/v2": { horizontalpodautoscalers: "HorizontalPodAutoscaler" },
  "networking.k8s.io/v1": { networkpolicies: "NetworkPolicy" },
  "policy/v1": { poddisruptionbudgets: "PodDisruptionBudget" },
  "rbac.authorization.k8s.io/v1": { roles: "Role", rolebindings: "RoleBinding" },
};

/**
 * Serves objects of the core group of one namespace on 127.0.0.1, to whoever asks, and nothing else: version, discovery,
 * and GET of an object by name. Returns: its URL.
 */
export async function startFakeCluster(
  t: TestEnd,
  namespace: string,
  objects: readonly KubeObject[],
): Promise<string> {
  const replies = new Map<string, unknown>([
    ["/version", { major: "1", minor: "33", gitVersion: "v1.33.0" }],
    ["/api", { kind: "APIVersions", versions: ["v1"] }],
    ["/apis", { kind: "APIGroupList", apiVersion: "v1", groups: groups() }],
  ]);
  for (const groupVersion of Object.keys(KINDS)) {
    const root = groupVersion.includes("/") ? "/apis" : "/api";
    const resources = resourceList(groupVersion);
    replies.set(`${root}/${groupVersion}`, { kind: "APIResourceList", groupVersion, resources });
  }
  for (const object of objects) {
    const resource = Object.entries(KINDS["v1"]!).find(([, kind]) => kind === object.kind)?.[0];
    replies.set(`/api/v1/namespaces/${namespace}/${resource}/${object.metadata.name}`, object);
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const reply = replies.get(path) ?? { kind: "Status", status: "Failure", reason: "NotFound", code: 404 };
    response.writeHead(replies.has(path) ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function groups(): object[] {
  return Object.keys(KINDS)
    .filter((groupVersion) => groupVersion.includes("/"))
    .map((groupVersion) => {
      const [name, version] = groupVersion.split("/");
      return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
    });
}

function resourceList(groupVersion: string): object[] {
  return Object.entries(KINDS[groupVersion]!).map(([name, kind]) => ({
    name,
    kind,
    namespaced: true,
    verbs: ["get"],
  }));
}
