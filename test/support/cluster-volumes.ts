/** Volumes for pods that are not root, on clusters that have none by themselves. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubectl } from "./cluster.ts";
import type { Namespace } from "./cluster.ts";
import type { TestEnd } from "./program.ts";

/** Makes folders that belong to root, in which fsGroup changes nothing: of no use to the shipped manifests. */
const ROOTS_OWN = "kubernetes.io/host-path";
const NO_PROVISIONER = "kubernetes.io/no-provisioner";

type StorageClasses = {
  readonly items: readonly {
    readonly provisioner: string;
    readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  }[];
};

/**
 * The name of a StorageClass whose volumes take the group of a pod's `fsGroup`, as those of clusters in use do; `null` for
 * the cluster's default one. Where that is of the kind that hands out folders of root, the nodes are of this machine, and
 * there are `count` new folders as local volumes, empty and root's as new disks are: gone with the test.
 */
export async function volumesFor(t: TestEnd, namespace: Namespace, count: number): Promise<string | null> {
  const { items } = JSON.parse(kubectl(["get", "storageclasses", "-o", "json"])) as StorageClasses;
  const isDefault = "storageclass.kubernetes.io/is-default-class";
  const standard = items.find(({ metadata }) => metadata.annotations?.[isDefault] === "true");
  if (standard !== undefined && standard.provisioner !== ROOTS_OWN) return null;
  const folder = await mkdtemp(join(tmpdir(), "weir-volumes-"));
  const names = Array.from({ length: count }, (_, i) => `${namespace.name}-${i}`);
  t.after(async () => {
    kubectl(["delete", "pv", ...names, "--ignore-not-found", "--wait=false"]);
    kubectl(["delete", "storageclass", namespace.name, "--ignore-not-found"]);
    await rm(folder, { recursive: true, force: true });
  });
  const paths = await Promise.all(names.map((name) => mkdtemp(join(folder, `${name}-`))));
  namespace.apply([
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: namespace.name },
      provisioner: NO_PROVISIONER,
    },
    ...names.map((name, i) => localVolume(name, namespace.name, paths[i]!)),
  ]);
  return namespace.name;
}

/** All nodes are of one machine: the folder is there on each of them, as a network volume is. */
function localVolume(name: string, storageClassName: string, path: string): object {
  const anyNode = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "Exists" }] };
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: "10Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName,
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [anyNode] } },
    },
  };
}
