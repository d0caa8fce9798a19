/** Values of the chart that are odd, and those that are wrong: made right, or refused with what to do. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { helm, CHART, KINDS, ofKind, refusal, render } from "./support/chart.ts";
import { crossCheck } from "./support/cross-checks.ts";
import { podTemplates } from "./support/objects.ts";
import type { KubeObject } from "./support/objects.ts";
import { whyNoPrograms } from "./support/programs.ts";
import { schemaProblems } from "./support/schema.ts";

const skip = whyNoPrograms();
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const LONG = "a-release-with-a-name-of-fifty-three-characters-12345";

function assertRight(objects: readonly KubeObject[]): void {
  assert.deepEqual(objects.flatMap(schemaProblems), []);
  assert.deepEqual(crossCheck(objects), []);
}

describe("names of the chart's objects", { skip }, () => {
  const CASES: readonly [release: string, values: object, name: string][] = [
    ["tv", {}, "tv-weir"],
    ["weir", {}, "weir"],
    ["123", {}, "weir-123-weir"],
    ["my.tv", {}, "my-tv-weir"],
    [LONG, {}, "a-release-with-a-name-of-fifty-three-characters"],
    ["tv", { nameOverride: "Foo_Bar" }, "tv-foo-bar"],
    ["tv", { nameOverride: "123" }, "tv-123"],
    ["tv", { fullnameOverride: "1234" }, "weir-1234"],
    ["tv", { fullnameOverride: "true" }, "true"],
    ["tv", { fullnameOverride: "My.Media_Server" }, "my-media-server"],
  ];
  for (const [release, values, name] of CASES) {
    test(`are ${name} for release ${release} with ${JSON.stringify(values)}`, () => {
      for (const kind of KINDS) {
        const objects = render({ ...values, kind }, release);
        assert.equal(ofKind(objects, kind).metadata.name, name);
        assertRight(objects);
      }
    });
  }

  test("are texts, whatever they look like", () => {
    const objects = render({
      secretsStorage: { name: "123" },
      credentials: { existingSecret: "1e3", key: "true" },
      existingConfigMap: "0x10",
      serviceAccount: { create: false, name: "no" },
      priorityClassName: "1",
      podLabels: { a: "1" },
    });
    assert.deepEqual(objects.flatMap(schemaProblems), []);
    assert.equal(ofKind(objects, "Secret").metadata.name, "123");
    const { spec } = podTemplates(objects)[0]!;
    assert.equal(spec.serviceAccountName, "no");
    assert.deepEqual(
      spec.volumes?.map(({ configMap, secret }) => configMap?.name ?? secret?.secretName),
      ["0x10", "1e3"],
    );
  });
});

describe("an API that viewers do not reach", { skip }, () => {
  const values = {
    config: { "ports.conf": "http 8080 { api false; }\nhttp 8081; # the API\nrtmp 1935;\n" },
    ports: { api: "admin", extra: [{ name: "admin", port: 8081, expose: false }] },
  };

  for (const kind of KINDS) {
    test(`is probed at its own port, which is in no Service and no policy, in a ${kind}`, () => {
      const objects = render({ ...values, kind });
      assertRight(objects);
      const container = podTemplates(objects)[0]!.spec.containers[0]!;
      const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
      assert.deepEqual(
        probes.map((probe) => probe?.httpGet?.port),
        ["admin", "admin", "admin"],
      );
      const outside = objects.filter(({ kind: one }) => one === "Service" || one === "NetworkPolicy");
      assert.doesNotMatch(JSON.stringify(outside), /admin|8081/);
    });
  }

  test("is scraped by whom the policy names, and by nobody without a name", () => {
    const monitored = { ...values, serviceMonitor: { enabled: true } };
    assert.match(
      refusal(monitored),
      /shuts port "admin", which serviceMonitor scrapes: .*networkPolicy\.apiFrom/,
    );
    const apiFrom = [{ namespaceSelector: { matchLabels: { name: "monitoring" } } }];
    const objects = render({ ...monitored, networkPolicy: { apiFrom } });
    assertRight(objects);
    const { endpoints } = ofKind(objects, "ServiceMonitor")["spec"] as { endpoints: object[] };
    assert.deepEqual(endpoints, [{ targetPort: "admin", path: "/metrics", interval: "30s" }]);
    const { ingress } = ofKind(objects, "NetworkPolicy")["spec"] as { ingress: object[] };
    assert.deepEqual(ingress[1], { ports: [{ protocol: "TCP", port: "admin" }], from: apiFrom });
  });

  test("may have a port of the Service, too", () => {
    const extra = [{ name: "admin", port: 8081 }];
    const objects = render({
      ...values,
      ports: { api: "admin", extra },
      serviceMonitor: { enabled: true },
    });
    assertRight(objects);
    const { endpoints } = ofKind(objects, "ServiceMonitor")["spec"] as { endpoints: object[] };
    assert.deepEqual(endpoints, [{ port: "admin", path: "/metrics", interval: "30s" }]);
  });
});

describe("values that do without each other", { skip }, () => {
  test("ports.conf is made from ports where no part opens any", () => {
    const ports = { http: 8000, rtmp: 1936 };
    for (const config of [
      undefined,
      { "ports.conf": null },
      { "a.conf": "# http 80;\nhostname rtmp;\n" },
    ]) {
      const objects = render({ ports, ...(config === undefined ? {} : { config }) });
      assertRight(objects);
      const data = ofKind(objects, "ConfigMap")["data"] as Record<string, string>;
      assert.equal(data["ports.conf"], "http 8000;\nrtmp 1936;\n");
    }
  });

  test("ports.conf is not made where a part of any name opens some", () => {
    const objects = render({
      config: { "server.conf": "http 127.0.0.1:8080 { api true; }\nrtmp\t1935 ;" },
    });
    const map = ofKind(objects, "ConfigMap");
    assert.deepEqual(Object.keys(map["data"] as object), ["publish.conf", "server.conf", "vod.conf"]);
  });

  test("an image by digest is taken as it is", () => {
    for (const [image, expected] of [
      [{ repository: `example.com/weir@${DIGEST}` }, `example.com/weir@${DIGEST}`],
      [{ repository: "example.com:5000/weir", digest: DIGEST }, `example.com:5000/weir@${DIGEST}`],
      [{ repository: "weir", digest: DIGEST, tag: "1" }, `weir:1@${DIGEST}`],
      [{ repository: "weir", tag: "1" }, "weir:1"],
    ] as const) {
      assert.equal(podTemplates(render({ image }))[0]!.spec.containers[0]!.image, expected);
    }
  });

  test("a name of its own for a DaemonSet's server wins over its node's", () => {
    const objects = render({ kind: "DaemonSet", env: [{ name: "FLUSSONIC_HOSTNAME", value: "edge" }] });
    assertRight(objects);
    const names = podTemplates(objects)[0]!.spec.containers[0]!.env?.filter(({ name }) =>
      /HOSTNAME/.test(name),
    );
    assert.deepEqual(names, [{ name: "FLUSSONIC_HOSTNAME", value: "edge" }]);
  });

  test("what is null is left to the cluster", () => {
    const objects = render({
      podSecurityContext: null,
      securityContext: null,
      resources: null,
      config: null,
    });
    assertRight(objects);
    assert.deepEqual(podTemplates(objects)[0]!.spec.securityContext, {});
  });

  test("the time to drain is the configuration's, and the pod has as long", () => {
    const config = { "drain.conf": "drain_timeout 55;" };
    assertRight(render({ config, terminationGracePeriodSeconds: 60 }));
    assertRight(render({ config: { "drain.conf": "drain_timeout 0;" }, terminationGracePeriodSeconds: 5 }));
    assert.match(
      refusal({ config, terminationGracePeriodSeconds: 59 }),
      /is 59: the server drains for 55 s and needs 5 s more, so make it 60/,
    );
  });
});

describe("the chart refuses", { skip }, () => {
  const extra = (port: object): object => ({ ports: { extra: [port] } });
  const CASES: readonly [name: string, values: object, says: RegExp][] = [
    ["an unknown value", { replica: 2 }, /replica/],
    ["an unknown value inside", { service: { port: 80 } }, /port/],
    ["an unknown kind", { kind: "ReplicaSet" }, /kind/],
    ["a part that the server would not read", { config: { "ports.txt": "http 80;" } }, /ports\.txt/],
    ["a port that is none", { ports: { http: 70000 } }, /http/],
    ["a login with a colon", { credentials: { login: "a:b" } }, /login/],
    [
      "a DaemonSet that scales",
      { kind: "DaemonSet", autoscaling: { enabled: true } },
      /one pod on each node/,
    ],
    ["scaling by nothing", { autoscaling: { enabled: true, cpu: 0 } }, /autoscaling\.cpu/],
    [
      "scaling from more to less",
      { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 2 } },
      /minReplicas is 5, and maxReplicas 2/,
    ],
    [
      "monitoring without a Service",
      { service: { enabled: false }, serviceMonitor: { enabled: true } },
      /service\.enabled/,
    ],
    [
      "a policy of traffic that ClusterIP has not",
      { service: { externalTrafficPolicy: "Local" } },
      /needs service\.type NodePort/,
    ],
    [
      "a node's port that ClusterIP has not",
      { service: { httpNodePort: 30080 } },
      /need service\.type NodePort/,
    ],
    [
      "one node's port twice",
      { service: { type: "NodePort", httpNodePort: 30080, rtmpNodePort: 30080 } },
      /rtmpNodePort are the same port/,
    ],
    ["one port of the Service twice", { service: { httpPort: 1935 } }, /service\.rtmpPort are both 1935/],
    [
      "an extra port that the Service has",
      extra({ name: "more", port: 80 }),
      /the Service has two ports 80\/TCP.*expose: false/,
    ],
    ["an extra port called http", extra({ name: "http", port: 81 }), /two ports are called "http"/],
    ["an extra port called by a number", extra({ name: "81", port: 81 }), /name/],
    [
      "an extra port that is open already",
      extra({ name: "more", port: 8080 }),
      /8080\/TCP of ports\.extra is opened already/,
    ],
    ["one port for two protocols", { ports: { http: 1935 } }, /ports\.http and ports\.rtmp are both 1935/],
    ["one port of the node for two protocols", { hostPorts: { http: 80, rtmp: 80 } }, /hostPorts/],
    [
      "an API at a port that is not there",
      { ports: { api: "admin" } },
      /ports\.api is "admin".*one of http, rtmp/,
    ],
    [
      "another port than the configuration's",
      { config: { "a.conf": "http 8080; rtmp 1935;" }, ports: { http: 80 } },
      /config opens no http port 80: set ports\.http/,
    ],
    [
      "a port that the configuration's only begins with",
      { config: { "a.conf": "http 80800;" } },
      /no http port 8080/,
    ],
    ["a size that is none", { persistence: { size: "..." } }, /persistence\.size/],
    ["a size in a unit that is none", { persistence: { size: "10K" } }, /persistence\.size/],
    [
      "a label by which pods are found",
      { podLabels: { "app.kubernetes.io/name": "x" } },
      /podLabels has app\.kubernetes\.io\/name/,
    ],
    ["a label that is none", { podLabels: { a: "b c" } }, /podLabels/],
    [
      "a time to end that is over before the drain",
      { terminationGracePeriodSeconds: 29 },
      /drains for 25 s.*make it 30/,
    ],
    [
      "credentials in the environment",
      { env: [{ name: "STREAMER_EDIT_AUTH", value: "a:b" }] },
      /env has STREAMER_EDIT_AUTH: .*existingSecret/,
    ],
    [
      "another Secret of the state in the environment",
      { env: [{ name: "FLUSSONIC_SECRETS_STORAGE", value: "k8s://x" }] },
      /secretsStorage\.name/,
    ],
    [
      "a variable of the chart's own",
      { env: [{ name: "POD_UID", value: "x" }] },
      /POD_UID, which the chart sets/,
    ],
    [
      "a variable given twice",
      {
        env: [
          { name: "A", value: "1" },
          { name: "A", value: "2" },
        ],
      },
      /env has A twice/,
    ],
    [
      "a Role for every pod's account",
      { serviceAccount: { create: false } },
      /serviceAccount\.name, or set rbac\.create=false/,
    ],
    [
      "a password for a Secret of somebody else",
      { credentials: { existingSecret: "mine", password: "x" } },
      /credentials\.password is for the Secret that the chart makes/,
    ],
    [
      "a password for no Secret",
      { credentials: { create: false, password: "x" } },
      /goes with credentials\.create/,
    ],
    [
      "a Secret of the state that has no good name",
      { secretsStorage: { name: "Bad_Name" } },
      /secretsStorage\.name/,
    ],
    [
      "a recording to no volume",
      { config: { "a.conf": "template pub { input publish://; dvr /storage 7d; }" } },
      /config records to \/storage, .*kind=StatefulSet/,
    ],
    [
      "a recording beside the volume",
      { kind: "StatefulSet", config: { "a.conf": 'dvr disk1 { root "/storage2"; }' } },
      /config records to \/storage2, .*volumeMounts/,
    ],
    ["a digest that is none", { image: { digest: "sha256:1" } }, /image\.digest/],
    ["a name that is a number", { fullnameOverride: 1234 }, /fullnameOverride/],
    ["a key that is none", { credentials: { key: true } }, /credentials\.key/],
  ];
  for (const [name, values, says] of CASES) {
    test(name, () => assert.match(refusal(values), says));
  }

  for (const name of [
    "service",
    "rbac",
    "serviceAccount",
    "autoscaling",
    "hostPorts",
    "ports",
    "image",
    "credentials",
  ]) {
    test(`a null for ${name}, and says that it is required`, () => {
      const { status, stderr } = helm(["template", "tv", CHART], { [name]: null });
      assert.notEqual(status, 0);
      assert.match(stderr, new RegExp(`${name} is required`));
      assert.doesNotMatch(stderr, /nil pointer/);
    });
  }
});
