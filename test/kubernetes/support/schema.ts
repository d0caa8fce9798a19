/** Whether an object is one that today's Kubernetes takes. */
import { validate as daemonSet } from "kubernetes-models/_schemas/IoK8sApiAppsV1DaemonSet";
import { validate as deployment } from "kubernetes-models/_schemas/IoK8sApiAppsV1Deployment";
import { validate as statefulSet } from "kubernetes-models/_schemas/IoK8sApiAppsV1StatefulSet";
import { validate as autoscaler } from "kubernetes-models/_schemas/IoK8sApiAutoscalingV2HorizontalPodAutoscaler";
import { validate as configMap } from "kubernetes-models/_schemas/IoK8sApiCoreV1ConfigMap";
import { validate as pod } from "kubernetes-models/_schemas/IoK8sApiCoreV1Pod";
import { validate as secret } from "kubernetes-models/_schemas/IoK8sApiCoreV1Secret";
import { validate as service } from "kubernetes-models/_schemas/IoK8sApiCoreV1Service";
import { validate as serviceAccount } from "kubernetes-models/_schemas/IoK8sApiCoreV1ServiceAccount";
import { validate as networkPolicy } from "kubernetes-models/_schemas/IoK8sApiNetworkingV1NetworkPolicy";
import { validate as disruptionBudget } from "kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget";
import { validate as role } from "kubernetes-models/_schemas/IoK8sApiRbacV1Role";
import { validate as roleBinding } from "kubernetes-models/_schemas/IoK8sApiRbacV1RoleBinding";
import type { KubeObject } from "./objects.ts";

/** A check made from a schema; what it finds is left in `errors`. */
type Validate = ((data: unknown) => boolean) & { errors?: readonly SchemaError[] | null };

type SchemaError = {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
};

// This package hands out its classes only, which copy what they are given; the check that they use lies beside them.
const SERVICE_MONITOR = new URL(
  "../../_schemas/ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1ServiceMonitor.js",
  import.meta.resolve("@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor"),
);
const { validate: serviceMonitor } = (await import(SERVICE_MONITOR.href)) as { validate: Validate };

/** The kinds that are used, each in its current version. */
const SCHEMAS: Readonly<Record<string, Validate>> = {
  "v1 ConfigMap": configMap,
  "v1 Pod": pod,
  "v1 Secret": secret,
  "v1 Service": service,
  "v1 ServiceAccount": serviceAccount,
  "apps/v1 DaemonSet": daemonSet,
  "apps/v1 Deployment": deployment,
  "apps/v1 StatefulSet": statefulSet,
  "autoscaling/v2 HorizontalPodAutoscaler": autoscaler,
  "monitoring.coreos.com/v1 ServiceMonitor": serviceMonitor,
  "networking.k8s.io/v1 NetworkPolicy": networkPolicy,
  "policy/v1 PodDisruptionBudget": disruptionBudget,
  "rbac.authorization.k8s.io/v1 Role": role,
  "rbac.authorization.k8s.io/v1 RoleBinding": roleBinding,
};

/** What is wrong with an object, by the schemas of Kubernetes, each in one line; fields that they do not know included. */
export function schemaProblems(object: KubeObject): string[] {
  const title = `${object.kind} ${object.metadata.name}`;
  const validate = SCHEMAS[`${object.apiVersion} ${object.kind}`];
  if (validate === undefined) return [`${title}: ${object.apiVersion} ${object.kind} is not in use`];
  const seen = new Map<object, Watch>();
  const isRight = validate(watched(object, seen));
  const errors = isRight ? [] : (validate.errors ?? []);
  return [
    ...errors.map(
      ({ instancePath, keyword, params }) =>
        `${title}: ${instancePath} ${keyword} ${JSON.stringify(params)}`,
    ),
    ...unreadFields(object, seen, "").map((path) => `${title}: ${path} is not known`),
  ];
}

/** What was read of an object, and what stands in for it. */
type Watch = { readonly proxy: object; readonly read: ReadonlySet<PropertyKey> };

/**
 * The same data, noting which fields are read. The schemas let unknown fields pass; but a check reads each field that its
 * schema has and no other, so a field that it has not read is unknown.
 */
function watched(data: object, seen: Map<object, Watch>): object {
  const known = seen.get(data);
  if (known !== undefined) return known.proxy;
  const read = new Set<PropertyKey>();
  const proxy = new Proxy(data, {
    get(target, key): unknown {
      read.add(key);
      const value: unknown = Reflect.get(target, key);
      return typeof value === "object" && value !== null ? watched(value, seen) : value;
    },
  });
  seen.set(data, { proxy, read });
  return proxy;
}

function unreadFields(data: object, seen: ReadonlyMap<object, Watch>, path: string): string[] {
  const read = seen.get(data)?.read;
  return Object.entries(data).flatMap(([key, value]: [string, unknown]) => {
    if (read?.has(key) !== true) return [`${path}/${key}`];
    return typeof value === "object" && value !== null ? unreadFields(value, seen, `${path}/${key}`) : [];
  });
}
