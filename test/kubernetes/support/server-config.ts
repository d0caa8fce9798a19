/** What the server in a pod is configured with, read as the server itself reads it. */
import { loadConfig } from "../../../src/config/load.ts";
import type { LoadedConfig } from "../../../src/config/load.ts";
import type { SourceFile } from "../../../src/config/place.ts";
import { findObject } from "./objects.ts";
import type { Container, KubeObject, PodSpec, PodTemplate, Variable } from "./objects.ts";

/** Where config parts are mounted. */
export const PARTS_DIRECTORY = "/etc/flussonic/flussonic.conf.d";

/** The container of a pod that the server runs in: the one with the config parts. */
export function serverContainer(spec: PodSpec): Container | undefined {
  return spec.containers.find((container) =>
    (container.volumeMounts ?? []).some((mount) => mount.mountPath === PARTS_DIRECTORY),
  );
}

/** The config parts that are mounted into a pod, by the names they have there, in order. */
export function configParts(spec: PodSpec, objects: readonly KubeObject[]): SourceFile[] {
  const mounts = serverContainer(spec)?.volumeMounts ?? [];
  const mount = mounts.find(({ mountPath }) => mountPath === PARTS_DIRECTORY);
  const source = spec.volumes?.find(({ name }) => name === mount?.name)?.configMap;
  const map = source === undefined ? undefined : findObject(objects, "ConfigMap", source.name);
  const data = (map?.["data"] ?? {}) as Record<string, string>;
  const items = source?.items ?? Object.keys(data).map((key) => ({ key, path: key }));
  return items
    .filter(({ path }) => path.endsWith(".conf"))
    .map(({ key, path }) => ({ file: `${PARTS_DIRECTORY}/${path}`, text: data[key] ?? "" }))
    .toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/** The server's configuration in a pod: its parts, and its environment with Secrets and fields of the pod filled in. */
export function loadPodConfig(pod: PodTemplate, objects: readonly KubeObject[]): LoadedConfig {
  return loadConfig(configParts(pod.spec, objects), podEnvironment(pod, objects));
}

/** The environment of the server in a pod on a node called node-1. */
export function podEnvironment(pod: PodTemplate, objects: readonly KubeObject[]): Record<string, string> {
  const variables = serverContainer(pod.spec)?.env ?? [];
  return Object.fromEntries(variables.map((one) => [one.name, valueOf(one, objects)]));
}

/** Fields of a pod. */
const FIELDS: Readonly<Record<string, string>> = {
  "spec.nodeName": "node-1",
  "metadata.name": "pod-1",
  "metadata.uid": "00000000-0000-4000-8000-000000000001",
};

function valueOf(variable: Variable, objects: readonly KubeObject[]): string {
  if (variable.value !== undefined) return variable.value;
  const reference = variable.valueFrom?.secretKeyRef;
  if (reference === undefined) return FIELDS[variable.valueFrom?.fieldRef?.fieldPath ?? ""] ?? "";
  const secret = findObject(objects, "Secret", reference.name);
  const data = secret?.["data"] as Record<string, string> | undefined;
  const plain = secret?.["stringData"] as Record<string, string> | undefined;
  const coded = data?.[reference.key];
  return coded === undefined ? (plain?.[reference.key] ?? "") : Buffer.from(coded, "base64").toString();
}
