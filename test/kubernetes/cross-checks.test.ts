/** Each cross-check finds the fault that it is there for: one fault at a time, planted in an installation that is right. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crossCheck, CROSS_CHECKS } from "./support/cross-checks.ts";
import { parseObjects, podTemplates } from "./support/objects.ts";
import type { KubeObject } from "./support/objects.ts";
import { schemaProblems } from "./support/schema.ts";

const RIGHT = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: weir }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: weir }
rules:
  - { apiGroups: [""], resources: [secrets], resourceNames: [state], verbs: [get, patch] }
  - { apiGroups: ["", events.k8s.io], resources: [events], verbs: [create] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: weir }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: weir }
subjects: [{ kind: ServiceAccount, name: weir }]
---
apiVersion: v1
kind: Secret
metadata: { name: admin }
stringData: { edit_auth: "root:password" }
---
apiVersion: v1
kind: Secret
metadata: { name: state }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: parts }
data:
  ports: |
    http 80;
    rtmp 1935;
---
apiVersion: v1
kind: Service
metadata: { name: weir }
spec:
  selector: { app: weir }
  ports: [{ name: http, port: 80, targetPort: http }, { name: rtmp, port: 1935 }]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: weir }
spec: { maxUnavailable: 1, selector: { matchLabels: { app: weir } } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: weir }
spec: { podSelector: { matchLabels: { app: weir } }, ingress: [{ ports: [{ port: 80 }, { port: rtmp }] }] }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: weir }
spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: weir } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: weir }
spec:
  selector: { matchLabels: { app: weir } }
  template:
    metadata: { labels: { app: weir } }
    spec:
      serviceAccountName: weir
      terminationGracePeriodSeconds: 30
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: x, whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { app: weir } } }
      containers:
        - name: weir
          image: weir:1
          securityContext: { runAsUser: 0, capabilities: { drop: [ALL], add: [NET_BIND_SERVICE] } }
          env:
            - { name: FLUSSONIC_EDIT_AUTH, valueFrom: { secretKeyRef: { name: admin, key: edit_auth } } }
            - { name: POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }
            - { name: FLUSSONIC_SECRETS_STORAGE, value: "k8s://state" }
          ports: [{ name: http, containerPort: 80 }, { name: rtmp, containerPort: 1935 }]
          startupProbe: { httpGet: { path: /a, port: http } }
          readinessProbe: { httpGet: { path: /a, port: 80 } }
          livenessProbe: { httpGet: { path: /a, port: http } }
          volumeMounts: [{ name: config, mountPath: /etc/flussonic/flussonic.conf.d }]
      volumes: [{ name: config, configMap: { name: parts, items: [{ key: ports, path: ports.conf }] } }]
`;

function withFault(from: string, to: string): KubeObject[] {
  assert.ok(RIGHT.includes(from), `"${from}" is not in the text`);
  return parseObjects(RIGHT.replace(from, to));
}

const FAULTS: readonly [check: keyof typeof CROSS_CHECKS, from: string, to: string, says: RegExp][] = [
  [
    "selectors select pods",
    "selector: { app: weir }",
    "selector: { app: other }",
    /Service weir selects no pod/,
  ],
  ["selectors select pods", "selector: { app: weir }", "selector: {}", /Service weir selects every pod/],
  [
    "selectors select pods",
    "labels: { app: weir }",
    "labels: { app: other }",
    /Deployment weir does not select its own pods/,
  ],
  [
    "selectors select pods",
    "labelSelector: { matchLabels: { app: weir",
    "labelSelector: { matchLabels: { app: x",
    /spreads other pods/,
  ],
  [
    "selectors select pods",
    "maxUnavailable: 1, selector: { matchLabels: { app: weir",
    "maxUnavailable: 1, selector: { matchLabels: { app: x",
    /PodDisruptionBudget weir selects no pod/,
  ],
  [
    "selectors select pods",
    "podSelector: { matchLabels: { app: weir",
    "podSelector: { matchLabels: { app: x",
    /NetworkPolicy weir selects no pod/,
  ],
  [
    "ports of Services are ports of containers",
    "targetPort: http",
    "targetPort: web",
    /port 80 of Service weir/,
  ],
  [
    "ports of containers are those that the configuration opens",
    "http 80;",
    "http 8080;",
    /has no port 8080.*|has port 80, which/,
  ],
  [
    "ports of probes and policies are ports of containers",
    "readinessProbe: { httpGet: { path: /a, port: 80 } }",
    "readinessProbe: { httpGet: { path: /a, port: 81 } }",
    /readinessProbe of Deployment weir asks port 81/,
  ],
  [
    "ports of probes and policies are ports of containers",
    "livenessProbe: { httpGet: { path: /a, port: http } }",
    "tty: false",
    /Deployment weir has no livenessProbe/,
  ],
  [
    "ports of probes and policies are ports of containers",
    "{ port: 80 }, { port: rtmp }",
    "{ port: 80 }",
    /NetworkPolicy weir shuts port 1935/,
  ],
  [
    "ports of probes and policies are ports of containers",
    "{ port: rtmp }",
    "{ port: rtmp }, { port: 9 }",
    /opens port 9/,
  ],
  ["ports below 1024 may be opened", "runAsUser: 0", "runAsUser: 5", /may not open port 80/],
  ["ports below 1024 may be opened", ", add: [NET_BIND_SERVICE]", "", /may not open port 80/],
  [
    "mounts have volumes, and volumes mounts",
    "volumes: [{ name: config",
    "volumes: [{ name: other",
    /mounts volume config/,
  ],
  [
    "mounts have volumes, and volumes mounts",
    "volumes: [{ name",
    "volumes: [{ name: idle, emptyDir: {} }, { name",
    /does not mount volume idle/,
  ],
  ["references lead to keys", "key: edit_auth", "key: auth", /needs key auth of Secret admin/],
  ["references lead to keys", "name: admin, key", "name: nobody, key", /needs Secret nobody/],
  ["references lead to keys", "key: ports,", "key: port,", /needs key port of ConfigMap parts/],
  [
    "references lead to keys",
    "configMap: { name: parts",
    "configMap: { name: none",
    /needs ConfigMap none/,
  ],
  ["the configuration checks", "rtmp 1935;", "rtmq 1935;", /ports\.conf:2: /],
  ["the configuration checks", "root:password", "root", /LOGIN|":"/],
  ["pods have the time to drain", "Seconds: 30", "Seconds: 20", /is killed before it has drained/],
  ["pods have the time to drain", "http 80;", "http 80; drain_timeout 26;", /is killed before/],
  [
    "names are what the API server takes",
    "kind: Service\nmetadata: { name: weir }",
    "kind: Service\nmetadata: { name: my.tv }",
    /Service my\.tv: its name is no DNS label/,
  ],
  [
    "names are what the API server takes",
    "kind: Service\nmetadata: { name: weir }",
    'kind: Service\nmetadata: { name: "1tv" }',
    /Service 1tv: its name is no DNS label/,
  ],
  [
    "names are what the API server takes",
    "kind: Secret\nmetadata: { name: admin }",
    "kind: Secret\nmetadata: { name: Ad_min }",
    /Secret Ad_min: its name is no DNS name/,
  ],
  [
    "names are what the API server takes",
    "kind: Deployment\nmetadata: { name: weir }",
    "kind: Deployment\nmetadata: { name: a-name-that-is-longer-than-a-pod-leaves-room-for0 }",
    /leaves pods no room for theirs/,
  ],
  [
    "names are what the API server takes",
    "metadata: { labels: { app: weir } }",
    'metadata: { labels: { app: weir, other: "no value" } }',
    /label other has no good value/,
  ],
  [
    "Services say what their type allows",
    "{ name: rtmp, port: 1935 }",
    "{ name: rtmp, port: 1935, nodePort: 30935 }",
    /has a nodePort and is ClusterIP/,
  ],
  [
    "Services say what their type allows",
    "selector: { app: weir }\n  ports",
    "externalTrafficPolicy: Local\n  selector: { app: weir }\n  ports",
    /has an externalTrafficPolicy and is ClusterIP/,
  ],
  [
    "nothing is there twice",
    "{ name: rtmp, port: 1935 }",
    "{ name: rtmp, port: 80 }",
    /Service weir has port 80\/TCP twice/,
  ],
  [
    "nothing is there twice",
    "{ name: rtmp, port: 1935 }",
    "{ name: http, port: 1935, targetPort: rtmp }",
    /Service weir has port http twice/,
  ],
  [
    "nothing is there twice",
    "{ name: rtmp, containerPort: 1935 }",
    "{ name: http, containerPort: 1935 }",
    /Deployment weir has port http twice/,
  ],
  [
    "nothing is there twice",
    "{ name: POD_UID, value",
    "{ name: FLUSSONIC_SECRETS_STORAGE, value: x }\n            - { name: POD_UID, value",
    /has variable FLUSSONIC_SECRETS_STORAGE twice/,
  ],
  [
    "what scales and monitors has a target",
    "maxReplicas: 3",
    "minReplicas: 4, maxReplicas: 3",
    /scales from 4 to 3/,
  ],
  [
    "what scales and monitors has a target",
    "kind: Deployment, name: weir",
    "kind: Deployment, name: x",
    /scales Deployment x/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "verbs: [get, patch]",
    "verbs: [get, update]",
    /weir may not patch secrets state/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "verbs: [get, patch]",
    "verbs: [get, patch, update]",
    /weir may update secrets state, which the server does not ask for/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "kind: Secret\nmetadata: { name: state }",
    "kind: Secret\nmetadata: { name: other }",
    /weir may not create secrets/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "name: POD_UID",
    "name: POD_NAME",
    /weir may not get pods/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "resourceNames: [state], ",
    "",
    /weir may get secrets, which the server does not ask for/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "resourceNames: [state]",
    "resourceNames: [other]",
    /weir may not get secrets state/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "resources: [events]",
    "resources: [events, nodes]",
    /weir may create nodes, which/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "subjects: [{ kind: ServiceAccount, name: weir }]",
    "subjects: [{ kind: ServiceAccount, name: other }]",
    /weir may not create events/,
  ],
  [
    "the service account may do what the server asks, and no more",
    "serviceAccountName: weir",
    "hostname: weir",
    /has no service account/,
  ],
];

describe("the cross-checks", () => {
  test("have nothing to say of objects that fit", () => {
    const objects = parseObjects(RIGHT);
    assert.deepEqual(objects.flatMap(schemaProblems), []);
    assert.deepEqual(crossCheck(objects), []);
  });

  for (const [name, from, to, says] of FAULTS) {
    test(`${name}: not with ${to === "" ? `no ${from}` : to}`, () => {
      const objects = withFault(from, to);
      const problems = CROSS_CHECKS[name]!({ objects, pods: podTemplates(objects) });
      assert.match(problems.join("\n"), says);
    });
  }

  test("each have a fault that they find", () => {
    assert.deepEqual(
      Object.keys(CROSS_CHECKS).filter((name) => !FAULTS.some(([check]) => check === name)),
      [],
    );
  });
});

describe("the schemas", () => {
  const faults: readonly [name: string, from: string, to: string, says: RegExp][] = [
    [
      "an unknown field",
      "image: weir:1",
      "image: weir:1\n          imagePullPolice: Always",
      /imagePullPolice/,
    ],
    ["a field of another object", "maxReplicas: 3", "maxReplicas: 3, replicas: 2", /replicas/],
    ["an unknown field deep inside", "drop: [ALL]", "dropp: [ALL]", /dropp/],
    ["a value of the wrong type", "containerPort: 80 }", 'containerPort: "80" }', /containerPort/],
    ["a missing field", "{ name: rtmp, containerPort: 1935 }", "{ name: rtmp }", /containerPort/],
    ["an unknown kind", "kind: Deployment\n", "kind: Deploymint\n", /Deploymint/],
    ["an old version of the interface", "autoscaling/v2", "autoscaling/v2beta2", /v2beta2/],
  ];
  for (const [name, from, to, says] of faults) {
    test(`refuse ${name}`, () => {
      const problems = withFault(from, to).flatMap(schemaProblems);
      assert.match(problems.join("\n"), says);
    });
  }
});
