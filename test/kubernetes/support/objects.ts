/** Kubernetes objects as data: what the tests read of them. */
import { parseAllDocuments } from "yaml";

/** Any object of Kubernetes. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly [field: string]: unknown;
};

/** Labels of an object, or what a selector asks of them. */
export type Labels = Readonly<Record<string, string>>;

/** A port of a container. */
export type ContainerPort = {
  readonly name?: string;
  readonly containerPort: number;
  readonly hostPort?: number;
  readonly protocol?: string;
};

/** A reference to a key of a Secret or ConfigMap. */
export type KeyReference = { readonly name: string; readonly key: string; readonly optional?: boolean };

/** An environment variable of a container. */
export type Variable = {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyReference;
    readonly configMapKeyRef?: KeyReference;
    readonly fieldRef?: { readonly fieldPath: string };
  };
};

/** A probe, as far as it is checked. */
export type Probe = {
  readonly failureThreshold?: number;
  readonly httpGet?: {
    readonly path: string;
    readonly port: string | number;
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
  };
};

/** A container, as far as it is checked. */
export type Container = {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly Variable[];
  readonly ports?: readonly ContainerPort[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly securityContext?: {
    readonly runAsUser?: number;
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  };
};

/** One source of a volume. */
export type Volume = {
  readonly name: string;
  readonly configMap?: { readonly name: string; readonly items?: readonly { key: string; path: string }[] };
  readonly secret?: {
    readonly secretName: string;
    readonly items?: readonly { key: string; path: string }[];
  };
};

/** What a pod is made from. */
export type PodSpec = {
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: {
    readonly runAsUser?: number;
    readonly fsGroup?: number;
    readonly sysctls?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly topologySpreadConstraints?: readonly {
    readonly labelSelector: { readonly matchLabels: Labels };
  }[];
};

/** A pod, or the template of a workload's pods. `claims` are the volumes that a StatefulSet makes for each pod. */
export type PodTemplate = {
  readonly owner: KubeObject;
  readonly labels: Labels;
  readonly spec: PodSpec;
  readonly selector: Labels | null;
  readonly claims: readonly string[];
};

const WORKLOADS = new Set(["Deployment", "DaemonSet", "StatefulSet"]);

/** Reads a file of one or more YAML documents. Throws an Error with line and column; a key given twice is one, too. */
export function parseObjects(text: string): KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const object = document.toJS() as KubeObject | null;
    return object === null ? [] : [object];
  });
}

/** The pods that objects make. */
export function podTemplates(objects: readonly KubeObject[]): PodTemplate[] {
  return objects.flatMap((owner): PodTemplate[] => {
    if (owner.kind === "Pod") {
      const spec = owner["spec"] as PodSpec;
      return [{ owner, labels: owner.metadata.labels ?? {}, spec, selector: null, claims: [] }];
    }
    if (!WORKLOADS.has(owner.kind)) return [];
    const spec = owner["spec"] as {
      readonly selector: { readonly matchLabels: Labels };
      readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
      readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    };
    return [
      {
        owner,
        labels: spec.template.metadata.labels,
        spec: spec.template.spec,
        selector: spec.selector.matchLabels,
        claims: (spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name),
      },
    ];
  });
}

/** Whether labels have everything that a selector asks for. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** The object of a kind and name. */
export function findObject(
  objects: readonly KubeObject[],
  kind: string,
  name: string,
): KubeObject | undefined {
  return objects.find((object) => object.kind === kind && object.metadata.name === name);
}

/** The keys of a Secret or ConfigMap, whichever way they are written. */
export function keysOf(object: KubeObject): string[] {
  return ["data", "stringData", "binaryData"].flatMap((field) =>
    Object.keys((object[field] as Record<string, string> | undefined) ?? {}),
  );
}
