import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeKubernetes, NAMESPACE } from "../../test/support/fake-kubernetes.ts";
import { KubernetesApi } from "./api.ts";
import type { KubernetesReply, KubernetesRequest } from "./transport.ts";

const STATE = { namespace: NAMESPACE, name: "state" };

function start(): { cluster: FakeKubernetes; api: KubernetesApi } {
  const cluster = new FakeKubernetes();
  return { cluster, api: new KubernetesApi(cluster.transport()) };
}

/** An API whose every request gets this reply; what was asked is kept. */
function answering(reply: KubernetesReply): { api: KubernetesApi; asked: KubernetesRequest[] } {
  const asked: KubernetesRequest[] = [];
  const send = async (request: KubernetesRequest): Promise<KubernetesReply> => {
    asked.push(request);
    return reply;
  };
  const api = new KubernetesApi({ send, namespace: async () => NAMESPACE, close: () => {} }, 1234);
  return { api, asked };
}

describe("the Kubernetes API", () => {
  test("reads, creates and patches a Secret, and leaves the keys of others", async () => {
    const { cluster, api } = start();
    assert.equal(await api.readSecret(STATE), null);
    await api.createSecret(STATE, { server_id: "abc" });
    const secret = await api.readSecret(STATE);
    assert.deepEqual(secret?.data, { server_id: "YWJj" });
    await api.patchSecret(STATE, { edit_auth: "a:b" }, secret.resourceVersion);
    assert.deepEqual(cluster.values("state"), { server_id: "abc", edit_auth: "a:b" });
  });

  test("says that somebody else was faster", async () => {
    const { cluster, api } = start();
    cluster.putSecret("state", { other: "1" });
    const secret = await api.readSecret(STATE);
    cluster.putSecret("state", { other: "2" });
    const conflict = {
      code: "KUBERNETES_CONFLICT",
      message: 'secrets "state" in namespace "media" changes while it is written',
    };
    await assert.rejects(api.patchSecret(STATE, { a: "b" }, secret!.resourceVersion), conflict);
    await assert.rejects(api.createSecret(STATE, { a: "b" }), conflict);
    assert.deepEqual(cluster.values("state"), { other: "2" });
  });

  const FORBIDDEN: readonly [what: string, ask: (api: KubernetesApi) => Promise<unknown>, rule: string][] =
    [
      [
        "get",
        (api) => api.readSecret(STATE),
        `get secrets "state" in namespace "media"; add this rule to its Role: {apiGroups: [""], resources: ["secrets"], resourceNames: ["state"], verbs: [get, patch]}`,
      ],
      [
        "patch",
        (api) => api.patchSecret(STATE, { a: "b" }, "1"),
        `patch secrets "state" in namespace "media"; add this rule to its Role: {apiGroups: [""], resources: ["secrets"], resourceNames: ["state"], verbs: [get, patch]}`,
      ],
      [
        "create",
        (api) => api.createSecret(STATE, { a: "b" }),
        `create secrets "state" in namespace "media"; add this rule to its Role: {apiGroups: [""], resources: ["secrets"], verbs: [create]}`,
      ],
      [
        "get",
        (api) => api.readPodUid({ namespace: NAMESPACE, name: "weir-0" }),
        `get pods "weir-0" in namespace "media"; add this rule to its Role: {apiGroups: [""], resources: ["pods"], resourceNames: ["weir-0"], verbs: [get]}`,
      ],
      [
        "create",
        (api) => api.createEvent("events.k8s.io", { namespace: NAMESPACE, name: "weir-0.1" }, {}),
        `create events "weir-0.1" in namespace "media"; add this rule to its Role: {apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: [create]}`,
      ],
    ];
  for (const [verb, ask, rule] of FORBIDDEN) {
    test(`names the rule that is missing: ${rule.slice(0, 30)}`, async () => {
      const { cluster, api } = start();
      cluster.allowed = [];
      await assert.rejects(ask(api), (error: Error) => {
        const opening = `system:serviceaccount:media:weir may not ${rule} (the API server says: `;
        assert.equal(error.message.slice(0, opening.length), opening);
        assert.match(error.message.slice(opening.length), /cannot \w+ resource\)$/);
        return "code" in error && error.code === "KUBERNETES_FORBIDDEN";
      });
      assert.equal(cluster.requests[0]?.split(" ")[0], verb);
    });
  }

  const STATUSES: readonly [status: number, body: string, code: string, message: RegExp][] = [
    [401, '{"message":"Unauthorized"}', "KUBERNETES_UNAUTHORIZED", /token: Unauthorized$/],
    [
      403,
      '{"message":"pods is forbidden: x cannot get resource"}',
      "KUBERNETES_FORBIDDEN",
      /^the service account may not get pods "weir-0" .*says: pods is forbidden: x cannot get resource\)$/,
    ],
    [
      403,
      `{"message":"pods \\"${"x".repeat(400)}\\" is forbidden: User \\"me\\" cannot get resource"}`,
      "KUBERNETES_FORBIDDEN",
      /^me may not get pods "weir-0" .*says: pods "x{294}\)$/,
    ],
    [403, "", "KUBERNETES_DENIED", /denies to get pods "weir-0" in namespace "media": no reason is given$/],
    [
      403,
      '{"message":"exceeded quota: q, requested: count/secrets=1"}',
      "KUBERNETES_DENIED",
      /^the Kubernetes API denies to get pods .*: exceeded quota: q, requested: count\/secrets=1$/,
    ],
    [
      403,
      '{"message":"admission webhook \\"a.example.com\\" denied the request: no label"}',
      "KUBERNETES_DENIED",
      /: admission webhook "a\.example\.com" denied the request: no label$/,
    ],
    [404, '{"message":"no"}', "KUBERNETES_NOT_FOUND", /cannot get pods "weir-0" in namespace "media": no$/],
    [429, "", "KUBERNETES_UNAVAILABLE", /answers 429: no reason is given$/],
    [500, '{"message":"etcd\\n\\u0000is away"}', "KUBERNETES_UNAVAILABLE", /answers 500: etcd is away$/],
    [503, '{"message":1}', "KUBERNETES_UNAVAILABLE", /answers 503: no reason is given$/],
    [302, "<html>", "KUBERNETES_REFUSED", /refuses to get pods "weir-0" with 302: no reason is given$/],
    [422, `{"message":"${"x".repeat(500)}"}`, "KUBERNETES_REFUSED", /with 422: x{300}$/],
    [200, "<html>", "KUBERNETES_BAD_REPLY", /not JSON$/],
    [200, "null", "KUBERNETES_BAD_REPLY", /no uid$/],
    [200, '{"metadata":{"uid":7}}', "KUBERNETES_BAD_REPLY", /no uid$/],
  ];
  for (const [status, body, code, message] of STATUSES) {
    test(`says ${code} for a status ${status} with ${body.slice(0, 20)}`, async () => {
      const { api } = answering({ status, body });
      await assert.rejects(api.readPodUid({ namespace: NAMESPACE, name: "weir-0" }), { code, message });
    });
  }

  for (const body of [
    "[]",
    "{}",
    '{"metadata":{}}',
    '{"metadata":{"resourceVersion":"1"},"data":{"a":1}}',
    '{"metadata":{"resourceVersion":"1"},"data":"x"}',
  ]) {
    test(`does not take ${body} for a Secret`, async () => {
      const { api } = answering({ status: 200, body });
      await assert.rejects(api.readSecret(STATE), { code: "KUBERNETES_BAD_REPLY" });
    });
  }

  test("takes a Secret without data for an empty one", async () => {
    const { api } = answering({ status: 200, body: '{"metadata":{"resourceVersion":"1"}}' });
    assert.deepEqual(await api.readSecret(STATE), { resourceVersion: "1", data: {} });
  });

  test("asks at addresses in which no name can lead elsewhere, and with a limit of time", async () => {
    const { api, asked } = answering({ status: 404, body: "" });
    await api.readSecret({ namespace: "a/b", name: "../c" });
    assert.deepEqual(asked, [
      { method: "GET", path: "/api/v1/namespaces/a%2Fb/secrets/..%2Fc", timeoutMs: 1234 },
    ]);
  });
});
