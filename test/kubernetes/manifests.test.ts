/** The manifests that are shipped, and one in the reference product's style. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import packageFile from "../../package.json" with { type: "json" };
import { CROSS_CHECKS, crossCheck } from "./support/cross-checks.ts";
import { findObject, parseObjects, podTemplates } from "./support/objects.ts";
import type { KubeObject } from "./support/objects.ts";
import { root, runProgram, whyNoPrograms } from "./support/programs.ts";
import { schemaProblems } from "./support/schema.ts";
import { permissionsOf } from "./support/access-checks.ts";
import { loadPodConfig, serverContainer } from "./support/server-config.ts";

const skip = whyNoPrograms();

/** The folders of deploy/kubernetes, and what kinds are in each. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  quickstart: ["ConfigMap", "NetworkPolicy", "Pod", "Secret", "Service"],
  deployment: [
    "ConfigMap",
    "Deployment",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
  ],
  daemonset: ["ConfigMap", "DaemonSet", "NetworkPolicy", "Role", "RoleBinding", "Secret", "ServiceAccount"],
  statefulset: [
    "ConfigMap",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "Service",
    "ServiceAccount",
    "StatefulSet",
  ],
};

/** In both API groups. */
const EVENTS = ["create events null", "create events null"];

function kustomize(folder: string): KubeObject[] {
  const { status, stdout, stderr } = runProgram("kubectl", ["kustomize", `deploy/kubernetes/${folder}`]);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  return parseObjects(stdout);
}

for (const [folder, kinds] of Object.entries(FOLDERS)) {
  describe(`deploy/kubernetes/${folder}`, { skip }, () => {
    const objects = skip === false ? kustomize(folder) : [];

    test("kustomize makes all its objects", () => {
      assert.deepEqual(objects.map(({ kind }) => kind).toSorted(), kinds);
    });

    test("every object is what today's Kubernetes takes, with no unknown field", () => {
      assert.deepEqual(objects.flatMap(schemaProblems), []);
    });

    for (const [name, check] of Object.entries(CROSS_CHECKS)) {
      test(name, () => assert.deepEqual(check({ objects, pods: podTemplates(objects) }), []));
    }

    test("the image is the one that npm run image builds", () => {
      const images = podTemplates(objects).flatMap((pod) => pod.spec.containers.map(({ image }) => image));
      assert.deepEqual(images, [`weir:${packageFile.version}`]);
    });

    test("a pod has 10 s more than its drain, is not given up for one slow answer, and reads what its group may", () => {
      for (const { spec } of podTemplates(objects)) {
        assert.equal(spec.terminationGracePeriodSeconds, 35);
        assert.equal(serverContainer(spec)?.readinessProbe?.failureThreshold, 3);
        assert.ok(
          spec.securityContext?.fsGroup === 65_532 ||
            serverContainer(spec)?.securityContext?.runAsUser === 0,
        );
      }
    });

    test("a pod with a token knows its name and uid, and nobody may create Secrets or read pods", () => {
      for (const { spec } of podTemplates(objects)) {
        const fields = (serverContainer(spec)?.env ?? []).map(
          ({ name, valueFrom }) => `${name}=${valueFrom?.fieldRef?.fieldPath}`,
        );
        const expected = ["POD_NAME=metadata.name", "POD_UID=metadata.uid"];
        const hasToken = spec.serviceAccountName !== undefined;
        assert.deepEqual(
          fields.filter((field) => field.startsWith("POD_")),
          hasToken ? expected : [],
        );
        const granted = permissionsOf(spec.serviceAccountName ?? "", objects);
        assert.deepEqual(
          granted.map(({ verb, resource, name }) => `${verb} ${resource} ${name}`),
          hasToken
            ? [`get secrets weir-${folder}-state`, `patch secrets weir-${folder}-state`, ...EVENTS]
            : [],
        );
      }
    });

    test("all objects have the labels by which one finds them", () => {
      const bare = objects.filter(
        ({ metadata }) => metadata.labels?.["app.kubernetes.io/instance"] !== folder,
      );
      assert.deepEqual(
        bare.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
        [],
      );
    });
  });
}

describe("the shipped manifests", { skip }, () => {
  test("can be installed side by side: no two objects have one name", () => {
    const names = Object.keys(FOLDERS)
      .flatMap(kustomize)
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
  });

  test("the quickstart has the ConfigMap of the article, and logs in its administrator", () => {
    const objects = kustomize("quickstart");
    const map = findObject(objects, "ConfigMap", "streamer-presets");
    assert.deepEqual(Object.keys(map?.["data"] ?? {}), ["ports", "publish", "vod"]);
    const { config } = loadPodConfig(podTemplates(objects)[0]!, objects);
    assert.deepEqual(config?.editAuth, { login: "root", password: "password" });
    assert.deepEqual(
      config?.templates.map(({ name, prefixes }) => [name, prefixes]),
      [["pub", ["pub"]]],
    );
  });

  test("a DaemonSet's server is called like its node", () => {
    const objects = kustomize("daemonset");
    assert.equal(loadPodConfig(podTemplates(objects)[0]!, objects).config?.hostname, "node-1");
  });
});

describe("a manifest in the reference product's style", () => {
  const objects = parseObjects(readFileSync(join(root, "test/kubernetes/reference-style.yaml"), "utf8"));

  test("is what today's Kubernetes takes", () => {
    assert.deepEqual(objects.flatMap(schemaProblems), []);
  });

  test("fits together, but for the permissions, of which it gives more than are asked", () => {
    const problems = crossCheck(objects);
    assert.deepEqual(
      problems.filter((problem) => !problem.includes("which the server does not ask for")),
      // It grants no Events: the server writes them to its log alone.
      ["publish may not create events.events.k8s.io", "publish may not create events"],
    );
  });

  test("is understood by the server: listeners, name, administrator, template and files", () => {
    const { config } = loadPodConfig(podTemplates(objects)[0]!, objects);
    assert.deepEqual(
      config?.listeners.http.map(({ port }) => port),
      [80],
    );
    assert.deepEqual(
      config?.listeners.rtmp.map(({ port }) => port),
      [1935],
    );
    assert.equal(config?.hostname, "node-1");
    assert.deepEqual(config?.editAuth, { login: "root", password: "password" });
    assert.deepEqual(
      [...(config?.templates ?? []), ...(config?.vods ?? [])].map(({ name }) => name),
      ["pub", "vod"],
    );
  });
});
