/** What no schema can see: whether the objects of one installation fit each other and the server. */
import { problemsOfAccess } from "./access-checks.ts";
import { problemsOfDoubles, problemsOfNames, problemsOfServices } from "./api-server-checks.ts";
import { findObject, keysOf, podTemplates, selects } from "./objects.ts";
import type { Container, ContainerPort, KubeObject, Labels, PodTemplate } from "./objects.ts";
import { loadPodConfig, serverContainer } from "./server-config.ts";

/** Objects that are installed together, and the pods among them. */
export type Installation = {
  readonly objects: readonly KubeObject[];
  readonly pods: readonly PodTemplate[];
};

/** One rule: what is wrong, each in one line that names the object. */
export type CrossCheck = (installation: Installation) => string[];

/** Below this a port needs a permission. */
const FIRST_FREE_PORT = 1024;
const LOW_PORTS_SYSCTL = "net.ipv4.ip_unprivileged_port_start";

/** What the server needs after its drain_timeout. */
const END_S = 5;

/** The messages of a configuration that a shipped manifest may cause. */
const HARMLESS = new Set(["CONFIG_NOT_NEEDED", "CONFIG_NO_EFFECT_YET", "CONFIG_WELL_KNOWN"]);

/** All rules by name. */
export const CROSS_CHECKS: Readonly<Record<string, CrossCheck>> = {
  "selectors select pods": selectorsSelect,
  "ports of Services are ports of containers": servicePorts,
  "ports of containers are those that the configuration opens": openedPorts,
  "ports of probes and policies are ports of containers": probedPorts,
  "ports below 1024 may be opened": lowPorts,
  "mounts have volumes, and volumes mounts": mounts,
  "references lead to keys": references,
  "the configuration checks": configurationChecks,
  "pods have the time to drain": graces,
  "what scales and monitors has a target": targets,
  "names are what the API server takes": problemsOfNames,
  "Services say what their type allows": problemsOfServices,
  "nothing is there twice": problemsOfDoubles,
  "the service account may do what the server asks, and no more": problemsOfAccess,
};

/** Everything that is wrong with objects that are installed together. */
export function crossCheck(objects: readonly KubeObject[]): string[] {
  const installation = { objects, pods: podTemplates(objects) };
  return Object.values(CROSS_CHECKS).flatMap((check) => check(installation));
}

function title(object: KubeObject): string {
  return `${object.kind} ${object.metadata.name}`;
}

function ofKind(objects: readonly KubeObject[], kind: string): KubeObject[] {
  return objects.filter((object) => object.kind === kind);
}

function selectorsSelect({ objects, pods }: Installation): string[] {
  const own = pods
    .filter((pod) => pod.selector !== null && !selects(pod.selector, pod.labels))
    .map((pod) => `${title(pod.owner)} does not select its own pods`);
  const spread = pods
    .filter((pod) =>
      (pod.spec.topologySpreadConstraints ?? []).some(
        ({ labelSelector }) => !selects(labelSelector.matchLabels, pod.labels),
      ),
    )
    .map((pod) => `${title(pod.owner)} spreads other pods than its own`);
  const others = objects.flatMap((object) => {
    const selector = selectorOf(object);
    if (selector === null) return [];
    if (Object.keys(selector).length === 0) return [`${title(object)} selects every pod`];
    return pods.some((pod) => selects(selector, pod.labels)) ? [] : [`${title(object)} selects no pod`];
  });
  return [...own, ...spread, ...others];
}

/** What pods a Service, a budget or a policy is for; `null` for other kinds. */
function selectorOf(object: KubeObject): Labels | null {
  const spec = object["spec"] as {
    readonly selector?: unknown;
    readonly podSelector?: { matchLabels?: Labels };
  };
  if (object.kind === "Service") return (spec.selector as Labels | undefined) ?? {};
  if (object.kind === "PodDisruptionBudget")
    return (spec.selector as { matchLabels?: Labels } | undefined)?.matchLabels ?? {};
  if (object.kind === "NetworkPolicy") return spec.podSelector?.matchLabels ?? {};
  return null;
}

function servicePorts({ objects, pods }: Installation): string[] {
  return ofKind(objects, "Service").flatMap((service) => {
    const { ports } = service["spec"] as {
      readonly ports: readonly { readonly port: number; readonly targetPort?: string | number }[];
    };
    const selected = pods.filter((pod) => selects(selectorOf(service) ?? {}, pod.labels));
    return selected.flatMap((pod) =>
      ports
        .filter(({ port, targetPort }) => !hasPort(pod.spec.containers, targetPort ?? port))
        .map(({ port }) => `port ${port} of ${title(service)} leads nowhere in ${title(pod.owner)}`),
    );
  });
}

function hasPort(containers: readonly Container[], port: string | number): boolean {
  return containers.some((container) =>
    (container.ports ?? []).some((one) => one.name === port || one.containerPort === port),
  );
}

function openedPorts({ objects, pods }: Installation): string[] {
  return pods.flatMap((pod) => {
    const { config } = loadPodConfig(pod, objects);
    if (config === undefined) return [];
    const { http, rtmp } = config.listeners;
    const opened = [...http, ...rtmp].map((listener) => listener.port);
    const declared = (serverContainer(pod.spec)?.ports ?? []).map((port) => port.containerPort);
    const missing = opened.filter((port) => !declared.includes(port));
    const surplus = declared.filter((port) => !opened.includes(port));
    return [
      ...missing.map((port) => `${title(pod.owner)} has no port ${port}, which its configuration opens`),
      ...surplus.map(
        (port) => `${title(pod.owner)} has port ${port}, which its configuration does not open`,
      ),
    ];
  });
}

function probedPorts({ objects, pods }: Installation): string[] {
  const probes = pods.flatMap((pod) =>
    pod.spec.containers.flatMap((container) =>
      (["startupProbe", "readinessProbe", "livenessProbe"] as const).flatMap((name) => {
        const port = container[name]?.httpGet?.port;
        if (port === undefined) return [`${title(pod.owner)} has no ${name}`];
        return hasPort([container], port) ? [] : [`${name} of ${title(pod.owner)} asks port ${port}`];
      }),
    ),
  );
  const policies = ofKind(objects, "NetworkPolicy").flatMap((policy) => {
    const { ingress } = policy["spec"] as {
      readonly ingress?: readonly { readonly ports?: readonly { readonly port: string | number }[] }[];
    };
    const open = (ingress ?? []).flatMap((rule) => (rule.ports ?? []).map(({ port }) => port));
    const selected = pods.filter((pod) => selects(selectorOf(policy) ?? {}, pod.labels));
    const shut = selected.flatMap((pod) =>
      pod.spec.containers.flatMap((container) =>
        (container.ports ?? []).filter(
          (port) =>
            !open.includes(port.containerPort) &&
            !open.includes(port.name ?? "") &&
            isOffered(port, pod, objects),
        ),
      ),
    );
    const idle = open.filter((port) => !selected.some((pod) => hasPort(pod.spec.containers, port)));
    return [
      ...shut.map((port) => `${title(policy)} shuts port ${port.containerPort}`),
      ...idle.map((port) => `${title(policy)} opens port ${port}, at which nobody listens`),
    ];
  });
  return [...probes, ...policies];
}

/** Whether somebody outside is meant to come to a port: through the node, a Service, or by the pod's own address. */
function isOffered(port: ContainerPort, pod: PodTemplate, objects: readonly KubeObject[]): boolean {
  const services = ofKind(objects, "Service").filter((one) => selects(selectorOf(one) ?? {}, pod.labels));
  const targeted = services.flatMap((service) => {
    const { ports } = service["spec"] as {
      readonly ports: readonly { readonly port: number; readonly targetPort?: string | number }[];
    };
    return ports.map((one) => one.targetPort ?? one.port);
  });
  const isTargeted = targeted.includes(port.containerPort) || targeted.includes(port.name ?? "");
  return port.hostPort !== undefined || services.length === 0 || isTargeted;
}

function lowPorts({ pods }: Installation): string[] {
  return pods.flatMap((pod) =>
    pod.spec.containers.flatMap((container) => {
      const low = (container.ports ?? []).filter((port) => port.containerPort < FIRST_FREE_PORT);
      if (low.length === 0 || mayOpenLowPorts(pod, container)) return [];
      return low.map((port) => `${title(pod.owner)} may not open port ${port.containerPort}`);
    }),
  );
}

function mayOpenLowPorts(pod: PodTemplate, container: Container): boolean {
  const sysctls = pod.spec.securityContext?.sysctls ?? [];
  if (sysctls.some(({ name, value }) => name === LOW_PORTS_SYSCTL && value === "0")) return true;
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const { add = [], drop = [] } = container.securityContext?.capabilities ?? {};
  const hasCapability = add.includes("NET_BIND_SERVICE") || !drop.includes("ALL");
  // An image whose own user is root says so in its tag.
  return (user === 0 || (user === undefined && container.image.endsWith("-root"))) && hasCapability;
}

function mounts({ pods }: Installation): string[] {
  return pods.flatMap((pod) => {
    const volumes = [...(pod.spec.volumes ?? []).map(({ name }) => name), ...pod.claims];
    const mounted = pod.spec.containers.flatMap((container) =>
      (container.volumeMounts ?? []).map(({ name }) => name),
    );
    return [
      ...mounted
        .filter((name) => !volumes.includes(name))
        .map((name) => `${title(pod.owner)} mounts volume ${name}, which is not there`),
      ...volumes
        .filter((name) => !mounted.includes(name))
        .map((name) => `${title(pod.owner)} does not mount volume ${name}`),
    ];
  });
}

/** A key of a Secret or ConfigMap that a pod names; without `key`, the object as a whole. */
type Reference = { readonly kind: string; readonly name: string; readonly key?: string };

function references({ objects, pods }: Installation): string[] {
  return pods.flatMap((pod) =>
    referencesOf(pod).flatMap(({ kind, name, key }) => {
      const object = findObject(objects, kind, name);
      if (object === undefined) return [`${title(pod.owner)} needs ${kind} ${name}, which is not there`];
      if (key === undefined || keysOf(object).includes(key)) return [];
      return [`${title(pod.owner)} needs key ${key} of ${kind} ${name}, which it does not have`];
    }),
  );
}

function referencesOf(pod: PodTemplate): Reference[] {
  const ofVolumes = (pod.spec.volumes ?? []).flatMap(({ configMap, secret }): Reference[] => {
    const source = configMap ?? secret;
    if (source === undefined) return [];
    const kind = configMap === undefined ? "Secret" : "ConfigMap";
    const name = "name" in source ? source.name : source.secretName;
    return [{ kind, name }, ...(source.items ?? []).map(({ key }) => ({ kind, name, key }))];
  });
  const ofVariables = pod.spec.containers
    .flatMap((container) => container.env ?? [])
    .flatMap(({ valueFrom }): Reference[] => {
      const reference = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
      if (reference === undefined || reference.optional === true) return [];
      const kind = valueFrom?.secretKeyRef === undefined ? "ConfigMap" : "Secret";
      return [{ kind, name: reference.name, key: reference.key }];
    });
  return [...ofVolumes, ...ofVariables];
}

function configurationChecks({ objects, pods }: Installation): string[] {
  return pods.flatMap((pod) => {
    if (serverContainer(pod.spec) === undefined) return [`${title(pod.owner)} has no configuration`];
    const { problems } = loadPodConfig(pod, objects);
    return problems
      .filter(({ code }) => !HARMLESS.has(code))
      .map(({ file, line, message }) => `${title(pod.owner)}: ${file}:${line}: ${message}`);
  });
}

function graces({ objects, pods }: Installation): string[] {
  return pods
    .filter((pod) => {
      const drainMs = loadPodConfig(pod, objects).config?.drainTimeoutMs ?? 0;
      return (pod.spec.terminationGracePeriodSeconds ?? 30) < drainMs / 1000 + END_S;
    })
    .map((pod) => `${title(pod.owner)} is killed before it has drained`);
}

function targets({ objects, pods }: Installation): string[] {
  const scalers = ofKind(objects, "HorizontalPodAutoscaler").flatMap((scaler) => {
    const {
      scaleTargetRef: target,
      minReplicas = 1,
      maxReplicas,
    } = scaler["spec"] as {
      readonly scaleTargetRef: { readonly kind: string; readonly name: string };
      readonly minReplicas?: number;
      readonly maxReplicas: number;
    };
    if (minReplicas > maxReplicas) return [`${title(scaler)} scales from ${minReplicas} to ${maxReplicas}`];
    const found = findObject(objects, target.kind, target.name);
    if (found === undefined)
      return [`${title(scaler)} scales ${target.kind} ${target.name}, which is not there`];
    const { replicas } = found["spec"] as { readonly replicas?: number };
    return replicas === undefined ? [] : [`${title(found)} has replicas, which ${title(scaler)} changes`];
  });
  const monitors = ofKind(objects, "ServiceMonitor").flatMap((monitor) => {
    const { selector, endpoints } = monitor["spec"] as MonitorSpec;
    const services = ofKind(objects, "Service").filter((service) => isMonitored(service, selector));
    if (services.length !== 1) return [`${title(monitor)} selects ${services.length} Services`];
    const { ports } = services[0]!["spec"] as { readonly ports: readonly { readonly name: string }[] };
    const scraped = pods.filter((pod) => selects(selectorOf(services[0]!) ?? {}, pod.labels));
    const isThere = ({ port, targetPort }: MonitorSpec["endpoints"][number]): boolean =>
      port === undefined
        ? scraped.every((pod) => hasPort(pod.spec.containers, targetPort ?? ""))
        : ports.some(({ name }) => name === port);
    return endpoints
      .filter((endpoint) => !isThere(endpoint))
      .map(
        ({ port, targetPort }) =>
          `${title(monitor)} scrapes port ${port ?? targetPort}, which is not there`,
      );
  });
  return [...scalers, ...monitors];
}

type MonitorSpec = {
  readonly selector: {
    readonly matchLabels: Labels;
    readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[];
  };
  readonly endpoints: readonly {
    readonly port?: string;
    readonly targetPort?: string;
    readonly path: string;
  }[];
};

function isMonitored(service: KubeObject, selector: MonitorSpec["selector"]): boolean {
  const labels = service.metadata.labels ?? {};
  const absent = (selector.matchExpressions ?? []).filter(({ operator }) => operator === "DoesNotExist");
  return selects(selector.matchLabels, labels) && absent.every(({ key }) => !(key in labels));
}
