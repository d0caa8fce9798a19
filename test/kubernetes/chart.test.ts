/** The Helm chart: rendered for each kind, with everything switched on, and with values that are wrong. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import packageFile from "../../package.json" with { type: "json" };
import { startProgram } from "../support/program.ts";
import type { TestEnd } from "../support/program.ts";
import { CHART, helm, KINDS, ofKind, render } from "./support/chart.ts";
import { crossCheck } from "./support/cross-checks.ts";
import { startFakeCluster } from "./support/fake-cluster.ts";
import { parseObjects, podTemplates } from "./support/objects.ts";
import type { KubeObject } from "./support/objects.ts";
import { programPath, root, whyNoPrograms } from "./support/programs.ts";
import { schemaProblems } from "./support/schema.ts";
import { loadPodConfig } from "./support/server-config.ts";

const skip = whyNoPrograms();

/** Everything that can be switched on together. */
const EVERYTHING = {
  config: {
    "ports.conf": "http 80; http 81; rtmp 1935;\n",
    "more.conf": "vod more {\n  storage /films;\n}\n",
  },
  ports: { http: 80, extra: [{ name: "more", port: 81, expose: false }] },
  hostPorts: { http: 80, rtmp: 1935 },
  allowLowPorts: true,
  image: { repository: "example.com/media/weir", tag: "x" },
  imagePullSecrets: [{ name: "pull" }],
  env: [{ name: "STREAMER_LOG_LEVEL", value: "debug" }],
  volumes: [{ name: "films", emptyDir: {} }],
  volumeMounts: [{ name: "films", mountPath: "/films" }],
  service: {
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    annotations: { a: "b" },
    httpNodePort: 30080,
    rtmpNodePort: 30935,
  },
  serviceMonitor: { enabled: true, labels: { release: "prometheus" } },
  networkPolicy: {
    apiFrom: [{ podSelector: {} }],
    from: [{ namespaceSelector: { matchLabels: { media: "yes" } } }],
  },
  podAnnotations: { a: "b" },
  podLabels: { tier: "edge" },
  nodeSelector: { media: "yes" },
  tolerations: [{ operator: "Exists" }],
  affinity: { nodeAffinity: {} },
  priorityClassName: "media",
  serviceAccount: { annotations: { a: "b" } },
  persistence: { storageClassName: "fast", annotations: { a: "b" } },
};

describe("the chart", { skip }, () => {
  for (const kind of KINDS) {
    test(`passes helm lint --strict as a ${kind}`, () => {
      const { status, stdout, stderr } = helm(["lint", "--strict", CHART], { kind });
      assert.equal(status, 0, stdout + stderr);
    });
  }

  test("is of the server's version", () => {
    const chart = readFileSync(join(root, CHART, "Chart.yaml"), "utf8");
    assert.match(chart, new RegExp(`^appVersion: ${packageFile.version.replaceAll(".", "\\.")}$`, "m"));
  });

  for (const kind of KINDS) {
    const scaling = kind === "DaemonSet" ? {} : { autoscaling: { enabled: true } };
    const cases = { "as it is": { kind }, "with everything": { kind, ...EVERYTHING, ...scaling } };
    for (const [name, values] of Object.entries(cases)) {
      test(`makes a ${kind} ${name}: right by the schemas, and fitting together`, () => {
        const objects = render(values);
        assert.deepEqual(objects.flatMap(schemaProblems), []);
        assert.deepEqual(crossCheck(objects), []);
        assert.equal(objects.filter((object) => object.kind === kind).length, 1);
      });
    }
  }

  test("takes config parts as they are written, and leaves out those that are null", () => {
    const odd = '  http 8080;\n\t# tab, "quotes" and {{ braces }}\nrtmp 1935;';
    const map = ofKind(render({ config: { "ports.conf": odd, "vod.conf": null } }), "ConfigMap");
    const data = map["data"] as Record<string, string>;
    assert.deepEqual(Object.keys(data), ["ports.conf", "publish.conf"]);
    assert.equal(data["ports.conf"], odd);
  });

  test("records to the volume of a StatefulSet, and to others that are mounted", () => {
    const recording = (place: string): object => ({
      "publish.conf": `template pub { prefix pub; input publish://; dvr ${place} 7d 90%; }`,
    });
    const set = ofKind(render({ kind: "StatefulSet", config: recording("/storage/tv") }), "StatefulSet");
    const { template, volumeClaimTemplates } = set["spec"] as {
      template: { spec: { securityContext: object; containers: [{ volumeMounts: object[] }] } };
      volumeClaimTemplates: [{ metadata: { name: string } }];
    };
    const [{ volumeMounts }] = template.spec.containers;
    assert.deepEqual(volumeMounts.at(-1), { name: "archive", mountPath: "/storage" });
    assert.equal(volumeClaimTemplates[0].metadata.name, "archive");
    assert.deepEqual(template.spec.securityContext, {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    });
    const mounted = {
      volumes: [{ name: "a", emptyDir: {} }],
      volumeMounts: [{ name: "a", mountPath: "/a/" }],
    };
    assert.ok(render({ config: recording("/a"), ...mounted }).length > 0);
    assert.ok(
      render({ config: recording("/tmp"), securityContext: { readOnlyRootFilesystem: false } }).length > 0,
    );
  });

  test("monitors the path and the port of the metrics", () => {
    const monitor = ofKind(render({ serviceMonitor: { enabled: true } }), "ServiceMonitor");
    const { endpoints } = monitor["spec"] as { endpoints: object[] };
    assert.deepEqual(endpoints, [{ port: "http", path: "/metrics", interval: "30s" }]);
  });

  test("scales by CPU unless told otherwise, and by metrics that it is given", () => {
    const weirViewers = {
      type: "Pods",
      pods: { metric: { name: "weir_viewers" }, target: { type: "AverageValue", averageValue: "5000" } },
    };
    const types = (autoscaling: object): unknown[] => {
      const objects = render({ autoscaling: { enabled: true, ...autoscaling } });
      const scaler = ofKind(objects, "HorizontalPodAutoscaler");
      assert.deepEqual(schemaProblems(scaler), []);
      return (scaler["spec"] as { metrics: { type: string }[] }).metrics.map(({ type }) => type);
    };
    assert.deepEqual(types({}), ["Resource"]);
    assert.deepEqual(types({ cpu: 0, metrics: [weirViewers] }), ["Pods"]);
  });

  test("gives a DaemonSet's server the name of its node, and the others none", () => {
    const names = KINDS.map((kind) =>
      podTemplates(render({ kind }))[0]!.spec.containers[0]!.env?.some(
        ({ name }) => name === "FLUSSONIC_HOSTNAME",
      ),
    );
    assert.deepEqual(names, [false, true, false]);
  });

  const editAuth = (objects: readonly KubeObject[]): string => {
    const secret = ofKind(objects, "Secret", "tv-weir-admin");
    const { edit_auth: coded } = secret["data"] as { edit_auth: string };
    return Buffer.from(coded, "base64").toString();
  };

  test("makes up a password, or takes the one that it is given, or a Secret that is there", () => {
    assert.match(editAuth(render({})), /^admin:[A-Za-z0-9]{24}$/);
    assert.equal(editAuth(render({ credentials: { login: "tv", password: "a:b" } })), "tv:a:b");
    const objects = render({ credentials: { existingSecret: "mine", key: "auth" } });
    assert.deepEqual(
      objects.filter(({ kind }) => kind === "Secret").map(({ metadata }) => metadata.name),
      ["tv-weir-state"],
    );
    const { volumes } = podTemplates(objects)[0]!.spec;
    const items = [{ key: "auth", path: "edit_auth" }];
    assert.deepEqual(volumes?.find(({ name }) => name === "credentials")?.secret, {
      secretName: "mine",
      items,
    });
  });

  test("hands the credentials over as a file, so that another password needs no restart", () => {
    const objects = render({});
    const [pod] = podTemplates(objects);
    const container = pod!.spec.containers[0]!;
    const mount = container.volumeMounts?.find(({ name }) => name === "credentials");
    assert.deepEqual(mount, { name: "credentials", mountPath: "/etc/weir/credentials", readOnly: true });
    assert.equal(loadPodConfig(pod!, objects).config?.editAuthFile, "/etc/weir/credentials/edit_auth");
    assert.doesNotMatch(JSON.stringify(container.env), /secretKeyRef/);
  });

  test("hands them over by the environment where it is told to", () => {
    const objects = render({ credentials: { asFile: false, login: "tv", password: "x" } });
    const [pod] = podTemplates(objects);
    assert.deepEqual(loadPodConfig(pod!, objects).config?.editAuth, { login: "tv", password: "x" });
    assert.equal(
      pod!.spec.volumes?.some(({ name }) => name === "credentials"),
      false,
    );
  });

  test("leaves them to the server where it is told to, and so renders the same each time", () => {
    const values = { credentials: { create: false } };
    const objects = render(values);
    assert.deepEqual(objects, render(values));
    assert.deepEqual(crossCheck(objects), []);
    const { config } = loadPodConfig(podTemplates(objects)[0]!, objects);
    assert.deepEqual(
      [config?.editAuth, config?.editAuthFile, config?.secretsStorage],
      [undefined, undefined, { name: "tv-weir-state" }],
    );
  });

  for (const [whose, owner, isMade] of [
    ["its own", "tv", true],
    ["somebody else's", "other", false],
    ["one that nobody has put on a label", undefined, false],
  ] as const) {
    test(`keeps the Secret of the state: ${whose} is ${isMade ? "updated" : "used as it is"}`, async (t) => {
      const annotations = owner === undefined ? {} : { "meta.helm.sh/release-name": owner };
      const secret = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "tv-weir-state", annotations },
        data: { server_id: "eA==" },
      };
      const lines = await connected(t, [secret], ["template", "tv", CHART, "--dry-run=server"]);
      const made = parseObjects(lines).filter(({ metadata }) => metadata.name === "tv-weir-state");
      assert.deepEqual(
        made.map((object) => [object.kind, object["data"]]),
        isMade ? [["Secret", undefined]] : [],
      );
    });
  }

  for (const [what, values, says] of [
    [
      "of the chart's Secret",
      [],
      /get secret tv-weir-admin -o go-template='\{\{index \.data "edit_auth" \| base64decode\}\}'/,
    ],
    [
      "of the server's",
      ["--set", "credentials.create=false"],
      /get secret tv-weir-state -o go-template='\{\{\.data\.edit_auth \| base64decode\}\}'/,
    ],
    [
      "of nobody",
      ["--set", "credentials.create=false,secretsStorage.enabled=false"],
      /Nobody is let into the API/,
    ],
  ] as const) {
    test(`says after the install how to get in with the credentials ${what}`, async (t) => {
      const lines = await connected(t, [], ["install", "tv", CHART, "--dry-run=client", ...values]);
      assert.match(lines.split("NOTES:")[1] ?? "", says);
    });
  }

  test("says after the install that more than one pod is not for live", async (t) => {
    const install = ["install", "tv", CHART, "--dry-run=client"];
    for (const [values, isWarned] of [
      [[], false],
      [["--set", "autoscaling.enabled=true"], true],
      [["--set", "replicas=2"], true],
      [["--set", "replicas=2,kind=DaemonSet"], false],
    ] as const) {
      const notes = (await connected(t, [], [...install, ...values])).split("NOTES:")[1] ?? "";
      assert.match(notes, /^ +http:\/\/localhost:8080\/$/m);
      assert.equal(notes.includes("pods do not share their live streams yet"), isWarned, values.join(" "));
    }
  });

  test("says after the install how to record where there is a volume and nothing is recorded", async (t) => {
    const install = ["install", "tv", CHART, "--dry-run=client"];
    for (const [values, isSaid] of [
      [[], false],
      [["--set", "kind=StatefulSet"], true],
      [["--set-string", "kind=StatefulSet,config.a\\.conf=dvr d { root /storage; }"], false],
    ] as const) {
      const notes = (await connected(t, [], [...install, ...values])).split("NOTES:")[1] ?? "";
      assert.equal(notes.includes('"dvr /storage 7d 90%;"'), isSaid, values.join(" "));
    }
  });

  test("keeps the password that it has made up when it is upgraded, and takes a new one that it is given", async (t) => {
    const kept = { edit_auth: Buffer.from("admin:made-up-earlier").toString("base64") };
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "tv-weir-admin" }, data: kept };
    const upgrade = async (...values: readonly string[]): Promise<string> => {
      const command = ["template", "tv", CHART, "--dry-run=server", ...values];
      return editAuth(parseObjects(await connected(t, [secret], command)));
    };
    assert.equal(await upgrade(), "admin:made-up-earlier");
    assert.equal(await upgrade("--set", "credentials.password=new"), "admin:new");
  });

  test("leaves out what is switched off", () => {
    const objects = render({
      kind: "StatefulSet",
      persistence: { enabled: false },
      secretsStorage: { enabled: false },
      service: { enabled: false },
      networkPolicy: { enabled: false },
      podDisruptionBudget: { enabled: false },
      rbac: { create: false },
      serviceAccount: { create: false },
      existingConfigMap: "mine",
    });
    // The StatefulSet's own Service stays: without it the pods have no names.
    assert.deepEqual(objects.map(({ kind }) => kind).toSorted(), ["Secret", "Service", "StatefulSet"]);
    assert.deepEqual(objects.flatMap(schemaProblems), []);
  });
});

/** What helm writes that is told of a cluster with these objects. */
async function connected(
  t: TestEnd,
  objects: readonly KubeObject[],
  command: readonly string[],
): Promise<string> {
  const cluster = await startFakeCluster(t, "media", objects);
  const connection = ["--namespace", "media", "--kube-apiserver", cluster, "--disable-openapi-validation"];
  const lines: string[] = [];
  const program = startProgram(t, programPath("helm"), [...command, ...connection], {
    cwd: root,
    env: { KUBECONFIG: "/dev/null" },
    onLine: (line) => lines.push(line),
  });
  assert.deepEqual(await program.ended, { code: 0, signal: null }, program.stderr);
  return lines.join("\n");
}
