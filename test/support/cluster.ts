/** A real Kubernetes, whichever `KUBECONFIG` names. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseObjects } from "../kubernetes/support/objects.ts";
import type { KubeObject } from "../kubernetes/support/objects.ts";
import { programPath, root, runProgram } from "../kubernetes/support/programs.ts";
import { buildTestImage, podman, whyNoContainers } from "../kubernetes/support/test-image.ts";
import { eventually } from "./eventually.ts";
import { runTool } from "./ffmpeg.ts";
import type { TestEnd } from "./program.ts";

/** The image that the manifests name, for a user other than root and for root. */
const IMAGES = {
  "docker.io/library/weir:0.1.0": "65532:65532",
  "docker.io/library/weir:0.1.0-root": "0:0",
} as const;

const COMMAND_TIMEOUT_MS = 150_000;
/** A pod waits for the host ports of one that is on its way out, which takes up to a minute more than it was given. */
const READY_TIMEOUT_MS = 150_000;

/**
 * For `skip` of tests: why there is no cluster, else `false`. `KUBECONFIG` names one, and `WEIR_LOAD_IMAGE` a program
 * that brings an image out of podman's store to its nodes (for kind, one that calls `kind load`). `WEIR_NO_CLUSTER` is
 * the runner's word for why it started none.
 */
export function whyNoCluster(): string | false {
  if ((process.env["KUBECONFIG"] ?? "") === "")
    return `no cluster: ${process.env["WEIR_NO_CLUSTER"] ?? "KUBECONFIG names none"}`;
  if ((process.env["WEIR_LOAD_IMAGE"] ?? "") === "") return "no cluster: WEIR_LOAD_IMAGE names no program";
  return whyNoContainers();
}

/** Runs kubectl against the cluster. Returns: its stdout. Throws an Error with its stderr. */
export function kubectl(args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync(programPath("kubectl"), args, {
    input,
    encoding: "utf8",
    timeout: COMMAND_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.equal(status, 0, `kubectl ${args.join(" ")}\n${stderr}`);
  return stdout;
}

/** Runs kubectl as `kubectl` does, beside whatever else the test does. */
export async function kubectlBeside(args: readonly string[]): Promise<string> {
  return (await runTool(programPath("kubectl"), args, COMMAND_TIMEOUT_MS)).stdout;
}

/** Builds the image of this state of the project and brings it to all nodes. */
export function loadImage(image: keyof typeof IMAGES = "docker.io/library/weir:0.1.0"): void {
  buildTestImage({ tag: image, user: IMAGES[image] });
  const { status, stderr } = spawnSync(process.env["WEIR_LOAD_IMAGE"]!, [image], {
    encoding: "utf8",
    timeout: COMMAND_TIMEOUT_MS,
  });
  assert.equal(status, 0, `the image was not loaded\n${stderr}`);
  assert.equal(podman("image", "exists", image).status, 0);
}

/** One node as others reach it. */
export type ClusterNode = { readonly name: string; readonly address: string };

/** All nodes. */
export function nodes(): ClusterNode[] {
  const { items } = JSON.parse(kubectl(["get", "nodes", "-o", "json"])) as {
    items: {
      metadata: { name: string };
      status: { addresses: { type: string; address: string }[] };
    }[];
  };
  return items.map(({ metadata, status }) => ({
    name: metadata.name,
    address: status.addresses.find(({ type }) => type === "InternalIP")!.address,
  }));
}

/** A namespace of a test's own, gone with the test. */
export class Namespace {
  readonly name: string;

  constructor(t: TestEnd, purpose: string) {
    this.name = `weir-${purpose}-${process.pid}`;
    kubectl(["create", "namespace", this.name]);
    t.after(() => {
      kubectl(["delete", "namespace", this.name, "--wait=false"]);
    });
  }

  /** Runs kubectl in the namespace. */
  kubectl(args: readonly string[], input = ""): string {
    return kubectl(["--namespace", this.name, ...args], input);
  }

  /** One object as the cluster has it. */
  get(kind: string, name: string): unknown {
    return JSON.parse(this.kubectl(["get", kind, name, "-o", "json"]));
  }

  /** Pods with a label, those that are being deleted left out. */
  pods(selector: string): PodFacts[] {
    const { items } = JSON.parse(this.kubectl(["get", "pods", "-l", selector, "-o", "json"])) as {
      items: PodFacts[];
    };
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /**
   * Applies a folder of manifests as `kubectl apply -k` does. Objects of groups that this cluster is too old for are left
   * out, and what `isWanted` refuses. Returns: the objects that the folder has for this cluster.
   */
  applyFolder(folder: string, isWanted: (object: KubeObject) => boolean = () => true): KubeObject[] {
    const objects = this.objectsOf(folder);
    this.apply(objects.filter(isWanted));
    return objects;
  }

  /** The objects of a folder of manifests that this cluster is not too old for. */
  objectsOf(folder: string): KubeObject[] {
    const { status, stdout, stderr } = runProgram("kubectl", ["kustomize", join(root, folder)]);
    assert.equal(status, 0, stderr);
    const known = new Set(kubectl(["api-versions"]).trim().split("\n"));
    return parseObjects(stdout).filter(({ apiVersion }) => known.has(apiVersion));
  }

  /** Applies objects. */
  apply(objects: readonly object[]): void {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    this.kubectl(["apply", "-f", "-"], JSON.stringify(list));
  }

  /** Waits until so many pods with a label are Ready. */
  async ready(selector: string, count = 1): Promise<PodFacts[]> {
    return eventually(
      () => {
        const ready = this.pods(selector).filter(isReady);
        assert.equal(ready.length, count, this.describe(selector));
        return ready;
      },
      { timeoutMs: READY_TIMEOUT_MS, intervalMs: 500 },
    );
  }

  /** The log of a pod; nothing where its node threw that away: kubelets of one machine clean up after each other. */
  log(pod: string): string {
    const text = this.kubectl(["logs", pod]);
    return /^failed to try resolving symlinks in path [^\n]*no such file or directory$/.test(text.trim())
      ? ""
      : text;
  }

  /** What is known of pods, for messages of failed tests. */
  describe(selector: string): string {
    const pods = this.kubectl(["get", "pods", "-o", "wide"]);
    const logs = spawnSync(programPath("kubectl"), ["-n", this.name, "logs", "-l", selector, "--tail=20"], {
      encoding: "utf8",
    });
    return `${pods}\n${logs.stdout}\n${logs.stderr}`;
  }
}

/** What tests read of a pod. */
export type PodFacts = {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};

function isReady({ status }: PodFacts): boolean {
  return (
    status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true
  );
}

/** What tests read of a Service. */
export type ServiceFacts = {
  readonly spec: {
    readonly clusterIP: string;
    readonly ports: readonly { readonly name: string; readonly nodePort?: number }[];
  };
};

/** Fetches until the answer has this status. */
export async function answers(url: string, status = 200, timeoutMs = 30_000): Promise<string> {
  return eventually(
    async () => {
      const reply = await fetch(url, { signal: AbortSignal.timeout(5000) });
      const text = await reply.text();
      assert.equal(reply.status, status, `${url}: ${text}`);
      return text;
    },
    { timeoutMs, intervalMs: 300 },
  );
}

/** The selector of one of the shipped manifests. */
export function labelOf(instance: string): string {
  return `app.kubernetes.io/instance=${instance}`;
}

/** The Service, opened on the nodes' own ports. */
export function openOnNodes(namespace: Namespace, name: string): ServiceFacts {
  namespace.kubectl(["patch", "service", name, "-p", JSON.stringify({ spec: { type: "NodePort" } })]);
  return namespace.get("service", name) as ServiceFacts;
}

/** The port of the nodes that leads to a port of a Service. */
export function nodePort(service: ServiceFacts, name: string): number {
  return service.spec.ports.find((port) => port.name === name)!.nodePort!;
}
