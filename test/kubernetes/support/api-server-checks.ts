/** What the API server refuses though it is right by the schemas. */
import type { ContainerPort, KubeObject, PodTemplate } from "./objects.ts";

type Installation = { readonly objects: readonly KubeObject[]; readonly pods: readonly PodTemplate[] };

type ServicePort = {
  readonly name?: string;
  readonly port: number;
  readonly nodePort?: number;
  readonly protocol?: string;
};

type ServiceSpec = {
  readonly type?: string;
  readonly externalTrafficPolicy?: string;
  readonly ports: readonly ServicePort[];
};

/** Spec: Kubernetes documentation, "Object Names and IDs"; a Service's name is of RFC 1035. */
const SERVICE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

/** Spec: Kubernetes documentation, "Labels and Selectors". */
const LABEL_VALUE = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/;

/** What a pod has in its name behind that of its workload: two hashes of a Deployment, with their hyphens. */
const POD_SUFFIX_LENGTH = 16;
const MAX_LABEL_LENGTH = 63;

const WORKLOADS = ["Deployment", "DaemonSet", "StatefulSet"];

/** Names of objects, and values of labels. */
export function problemsOfNames({ objects, pods }: Installation): string[] {
  const ofObjects = objects.flatMap((object) => {
    const { name } = object.metadata;
    if (object.kind === "Service")
      return SERVICE_NAME.test(name) ? [] : [`${title(object)}: its name is no DNS label`];
    if (!NAME.test(name) || name.length > 253) return [`${title(object)}: its name is no DNS name`];
    const isLong = WORKLOADS.includes(object.kind) && name.length > MAX_LABEL_LENGTH - POD_SUFFIX_LENGTH;
    return isLong ? [`${title(object)}: its name leaves pods no room for theirs`] : [];
  });
  const labels = [
    ...objects.map((object) => [object, object.metadata.labels ?? {}] as const),
    ...pods.map((pod) => [pod.owner, pod.labels] as const),
  ];
  const ofLabels = labels.flatMap(([object, values]) =>
    Object.entries(values)
      .filter(([, value]) => typeof value !== "string" || !LABEL_VALUE.test(value))
      .map(([key]) => `${title(object)}: label ${key} has no good value`),
  );
  return [...ofObjects, ...ofLabels];
}

/** Fields of a Service that go with some of its types only. Spec: Kubernetes API reference, Service v1 core. */
export function problemsOfServices({ objects }: Installation): string[] {
  return services(objects).flatMap(([service, spec]) => {
    if ((spec.type ?? "ClusterIP") !== "ClusterIP") return [];
    return [
      ...(spec.ports.some(({ nodePort }) => nodePort !== undefined)
        ? [`${title(service)} has a nodePort and is ClusterIP`]
        : []),
      ...(spec.externalTrafficPolicy === undefined
        ? []
        : [`${title(service)} has an externalTrafficPolicy and is ClusterIP`]),
    ];
  });
}

/** Ports and variables that are keys of lists: of two with one key the API server refuses or loses one. */
export function problemsOfDoubles({ objects, pods }: Installation): string[] {
  const ofServices = services(objects).flatMap(([service, { ports }]) => [
    ...doubles(ports.map(({ name }) => name)).map((name) => `${title(service)} has port ${name} twice`),
    ...doubles(ports.map(numberOf)).map((number) => `${title(service)} has port ${number} twice`),
  ]);
  const ofPods = pods.flatMap(({ owner, spec }) => {
    const ports = spec.containers.flatMap((container) => container.ports ?? []);
    const variables = spec.containers.map((container) => (container.env ?? []).map(({ name }) => name));
    return [
      ...doubles(ports.map(({ name }) => name)).map((name) => `${title(owner)} has port ${name} twice`),
      ...doubles(ports.map(numberOf)).map((number) => `${title(owner)} has port ${number} twice`),
      ...variables.flatMap(doubles).map((name) => `${title(owner)} has variable ${name} twice`),
    ];
  });
  return [...ofServices, ...ofPods];
}

function numberOf(port: ServicePort | ContainerPort): string {
  const number = "containerPort" in port ? port.containerPort : port.port;
  return `${number}/${port.protocol ?? "TCP"}`;
}

function doubles(names: readonly (string | undefined)[]): string[] {
  return names.filter((name, index): name is string => name !== undefined && names.indexOf(name) !== index);
}

function services(objects: readonly KubeObject[]): (readonly [KubeObject, ServiceSpec])[] {
  return objects
    .filter(({ kind }) => kind === "Service")
    .map((service) => [service, service["spec"] as ServiceSpec] as const);
}

function title(object: KubeObject): string {
  return `${object.kind} ${object.metadata.name}`;
}
