/** The Helm chart: rendered for each kind, with everything switched on, and with values that are wrong. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import packageFile from "../../package.json" with { type: "json" };
import { startProgram } from "../support/program.ts";
import { crossCheck } from "./support/cross-checks.ts";
import { startFakeCluster } from "./support/fake-cluster.ts";
import { parseObjects, podTemplates } from "./support/objects.ts";
import type { KubeObject } from "./support/objects.ts";
import { programPath, root, runProgram, whyNoPrograms } from "./support/programs.ts";
import type { ProgramRun } from "./support/programs.ts";
import { schemaProblems } from "./support/schema.ts";

const CHART = "deploy/helm/weir";
const KINDS = ["Deployment", "DaemonSet", "StatefulSet"] as const;
const skip = whyNoPrograms();

function helm(command: readonly string[], values: object): ProgramRun {
  const folder = mkdtempSync(join(tmpdir(), "weir-chart-"));
  try {
    // JSON is YAML.
    writeFileSync(join(folder, "values.yaml"), JSON.stringify(values));
    return runProgram("helm", [...command, "--values", join(folder, "values.yaml")]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function render(values: object): KubeObject[] {
  const { status, stdout, stderr } = helm(["template", "tv", CHART, "--namespace", "media"], values);
  assert.equal(status, 0, stderr);
  return parseObjects(stdout);
}

/** The one object of a kind. */
function ofKind(objects: readonly KubeObject[], kind: string): KubeObject {
  const found = objects.filter((object) => object.kind === kind);
  assert.equal(found.length, 1, kind);
  return found[0]!;
}

/** Why the chart refuses values. */
function refusal(values: object): string {
  const { status, stderr } = helm(["template", "tv", CHART], values);
  assert.notEqual(status, 0, "the values were taken");
  return stderr;
}

/** Everything that can be switched on together. */
const EVERYTHING = {
  config: { "ports.conf": "http 80; rtmp 1935;\n", "more.conf": "vod more {\n  storage /films;\n}\n" },
  ports: { http: 80 },
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
  networkPolicy: { from: [{ namespaceSelector: { matchLabels: { media: "yes" } } }] },
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

  test("makes up a password, or takes the one that it is given, or a Secret that is there", () => {
    const editAuth = (objects: KubeObject[]): string => {
      const secret = ofKind(objects, "Secret");
      assert.equal(secret.metadata.name, "tv-weir-admin");
      const { edit_auth: coded } = secret["data"] as { edit_auth: string };
      return Buffer.from(coded, "base64").toString();
    };
    assert.match(editAuth(render({})), /^admin:[A-Za-z0-9]{24}$/);
    assert.equal(editAuth(render({ credentials: { login: "tv", password: "a:b" } })), "tv:a:b");
    const objects = render({ credentials: { existingSecret: "mine", key: "auth" } });
    assert.deepEqual(
      objects.filter(({ kind }) => kind === "Secret"),
      [],
    );
    const [variable] = podTemplates(objects)[0]!.spec.containers[0]!.env ?? [];
    assert.deepEqual(variable?.valueFrom, { secretKeyRef: { name: "mine", key: "auth" } });
  });

  test("gives the credentials as a file that may change, or leaves them to the configuration and the server", () => {
    const credentialsOf = (values: object): unknown[] => {
      const objects = render({ credentials: values });
      assert.deepEqual(crossCheck(objects), []);
      assert.deepEqual(objects.flatMap(schemaProblems), []);
      const { containers, volumes = [] } = podTemplates(objects)[0]!.spec;
      const variables = (containers[0]!.env ?? []).filter(({ name }) => name.includes("EDIT_AUTH"));
      const mounted = containers[0]!.volumeMounts?.find(({ name }) => name === "credentials");
      const secrets = objects.filter(({ kind }) => kind === "Secret").length;
      const volume = volumes.find(({ name }) => name === "credentials");
      return [secrets, variables, mounted?.mountPath, volume?.secret];
    };
    const variable = { name: "FLUSSONIC_EDIT_AUTH_FILE", value: "/etc/weir/credentials/edit_auth" };
    const items = (key: string) => [{ key, path: "edit_auth" }];
    const file = [variable, "/etc/weir/credentials"] as const;
    assert.deepEqual(credentialsOf({ asFile: true }), [
      1,
      [file[0]],
      file[1],
      { secretName: "tv-weir-admin", items: items("edit_auth") },
    ]);
    const { stdout } = helm(["template", "tv", CHART], {
      credentials: { create: false, existingSecret: "mine", key: "a", asFile: true },
    });
    assert.match(stdout, /secretName: mine\s+items:\s+- key: a\s+path: edit_auth/);
    assert.deepEqual(credentialsOf({ create: false }), [0, [], undefined, undefined]);
    assert.deepEqual(credentialsOf({ create: false, asFile: true }), [0, [], undefined, undefined]);
  });

  const notes: readonly [name: string, values: object, says: RegExp][] = [
    [
      "credentials of the chart's",
      {},
      /get secret tv-weir-admin -o go-template='\{\{index \.data "edit_auth" \| base64decode\}\}'/,
    ],
    [
      "credentials of the server's",
      { credentials: { create: false } },
      /get secret tv-weir-state -o go-template='\{\{\.data\.edit_auth \| base64decode\}\}'/,
    ],
    [
      "no credentials",
      { credentials: { create: false }, secretsStorage: { enabled: false } },
      /Nobody is let into the API/,
    ],
  ];
  for (const [name, values, says] of notes) {
    test(`says how to get in with ${name}`, (t) => {
      // "helm template" leaves the notes out, and "helm install" wants a cluster: here they are part of an object.
      const folder = mkdtempSync(join(tmpdir(), "weir-notes-"));
      t.after(() => rmSync(folder, { recursive: true }));
      cpSync(join(root, CHART), folder, { recursive: true });
      cpSync(join(folder, "templates/NOTES.txt"), join(folder, "notes.tpl"));
      writeFileSync(
        join(folder, "templates/notes.yaml"),
        'notes: {{ tpl (.Files.Get "notes.tpl") . | toJson }}',
      );
      const shown = ["--show-only", "templates/notes.yaml"];
      const { status, stdout, stderr } = helm(["template", "tv", folder, ...shown], values);
      assert.equal(status, 0, stderr);
      assert.match(JSON.parse(stdout.slice(stdout.indexOf('"'))) as string, says);
    });
  }

  test("keeps the password that it has made up when it is upgraded, and takes a new one that it is given", async (t) => {
    const kept = { edit_auth: Buffer.from("admin:made-up-earlier").toString("base64") };
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "tv-weir-admin" }, data: kept };
    const cluster = await startFakeCluster(t, "media", [secret]);
    const upgrade = async (...values: readonly string[]): Promise<string> => {
      const connection = ["--dry-run=server", "--kube-apiserver", cluster, "--disable-openapi-validation"];
      const args = ["template", "tv", CHART, "--namespace", "media", ...connection, ...values];
      const lines: string[] = [];
      const program = startProgram(t, programPath("helm"), args, {
        cwd: root,
        env: { KUBECONFIG: "/dev/null" },
        onLine: (line) => lines.push(line),
      });
      assert.deepEqual(await program.ended, { code: 0, signal: null }, program.stderr);
      const made = ofKind(parseObjects(lines.join("\n")), "Secret")["data"] as { edit_auth: string };
      return Buffer.from(made.edit_auth, "base64").toString();
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

  const wrong: readonly [name: string, values: object, says: RegExp][] = [
    ["an unknown value", { replica: 2 }, /replica/],
    ["an unknown value inside", { service: { port: 80 } }, /port/],
    ["an unknown kind", { kind: "ReplicaSet" }, /kind/],
    ["a part that the server would not read", { config: { "ports.txt": "http 80;" } }, /ports\.txt/],
    ["a port that is none", { ports: { http: 70000 } }, /http/],
    ["a login with a colon", { credentials: { login: "a:b" } }, /login/],
    ["a DaemonSet that scales", { kind: "DaemonSet", autoscaling: { enabled: true } }, /enabled/],
    ["scaling by nothing", { autoscaling: { enabled: true, cpu: 0 } }, /autoscaling\.cpu/],
    [
      "monitoring without a Service",
      { service: { enabled: false }, serviceMonitor: { enabled: true } },
      /service\.enabled/,
    ],
  ];
  for (const [name, values, says] of wrong) {
    test(`refuses ${name}`, () => assert.match(refusal(values), says));
  }
});
