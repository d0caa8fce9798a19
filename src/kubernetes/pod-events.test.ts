import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FAKE_WALL_START_US, FakeClock } from "../../test/support/fake-clock.ts";
import { FakeKubernetes } from "../../test/support/fake-kubernetes.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { KubernetesApi } from "./api.ts";
import { kubernetesErrors } from "./errors.ts";
import { EVENT_INTERVAL_MS, PodEvents } from "./pod-events.ts";
import type { KubernetesTransport } from "./transport.ts";

const BAD = [
  { file: "/etc/flussonic/flussonic.conf.d/a.conf", line: 3, column: 7, message: '"x" is not a port' },
];
const WORSE = [{ ...BAD[0]!, line: 4 }];

function metadataOf(body: string): { readonly name: string } {
  return (JSON.parse(body) as { metadata: { name: string } }).metadata;
}

type Setup = { cluster: FakeKubernetes; events: PodEvents; clock: FakeClock; log: RecordingLog };

function setup(pod: { name: string; uid?: string } = { name: "weir-0" }): Setup {
  const cluster = new FakeKubernetes();
  cluster.pods.set("media/weir-0", "uid-of-weir-0");
  const clock = new FakeClock();
  const log = new RecordingLog();
  const events = new PodEvents({ api: new KubernetesApi(cluster.transport()), pod, clock, log });
  return { cluster, events, clock, log };
}

function reasons(cluster: FakeKubernetes): unknown[] {
  return cluster.events.map(({ object }) => object["reason"]);
}

describe("Events on the pod", () => {
  test("tell of a configuration that does not check, with file, line and column", async () => {
    const { cluster, events, clock } = setup();
    events.configRefused(BAD);
    await clock.advanceSettling(100);
    assert.deepEqual(cluster.events, [
      {
        group: "events.k8s.io",
        object: {
          apiVersion: "events.k8s.io/v1",
          kind: "Event",
          metadata: { name: `weir-0.${FAKE_WALL_START_US.toString(16)}`, namespace: "media" },
          eventTime: "2026-01-01T00:00:00.000000Z",
          reportingController: "weir",
          reportingInstance: "weir-0",
          action: "Configure",
          reason: "ConfigRefused",
          regarding: {
            apiVersion: "v1",
            kind: "Pod",
            namespace: "media",
            name: "weir-0",
            uid: "uid-of-weir-0",
          },
          type: "Warning",
          note:
            "The new configuration is not taken; the one before stays in force.\n" +
            '/etc/flussonic/flussonic.conf.d/a.conf:3:7: "x" is not a port',
        },
      },
    ]);
  });

  test("are of core v1 where events.k8s.io is not there", async () => {
    const { cluster, events, clock } = setup();
    cluster.hasEventsGroup = false;
    events.configRefused(BAD);
    await clock.advanceSettling(EVENT_INTERVAL_MS + 100);
    events.configApplied();
    await clock.advanceSettling(100);
    assert.deepEqual(reasons(cluster), ["ConfigRefused", "ConfigApplied"]);
    assert.deepEqual(cluster.events[0], {
      group: "",
      object: {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: `weir-0.${FAKE_WALL_START_US.toString(16)}`, namespace: "media" },
        firstTimestamp: "2026-01-01T00:00:00Z",
        lastTimestamp: "2026-01-01T00:00:00Z",
        count: 1,
        source: { component: "weir" },
        reason: "ConfigRefused",
        involvedObject: {
          apiVersion: "v1",
          kind: "Pod",
          namespace: "media",
          name: "weir-0",
          uid: "uid-of-weir-0",
        },
        type: "Warning",
        message:
          "The new configuration is not taken; the one before stays in force.\n" +
          '/etc/flussonic/flussonic.conf.d/a.conf:3:7: "x" is not a port',
      },
    });
    assert.deepEqual(cluster.requests, ["get pods", "create events", "create events", "create events"]);
  });

  test("tell when it is mended, and of nothing that was not broken", async () => {
    const { cluster, events, clock } = setup();
    events.configApplied();
    await clock.advanceSettling(EVENT_INTERVAL_MS * 2);
    assert.deepEqual(cluster.events, []);
    events.configRefused(BAD);
    await clock.advanceSettling(EVENT_INTERVAL_MS * 2);
    events.configApplied();
    await clock.advanceSettling(EVENT_INTERVAL_MS * 2);
    events.configApplied();
    await clock.advanceSettling(EVENT_INTERVAL_MS * 2);
    assert.deepEqual(
      cluster.events.map(({ object }) => [object["reason"], object["type"]]),
      [
        ["ConfigRefused", "Warning"],
        ["ConfigApplied", "Normal"],
      ],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test("are 10 s apart at least; of what happens meanwhile the last is told, and how often it happened", async () => {
    const { cluster, events, clock } = setup();
    for (let second = 0; second < 25; second++) {
      events.configRefused(second === 3 ? WORSE : BAD);
      await clock.advanceSettling(1000);
    }
    await clock.advanceSettling(EVENT_INTERVAL_MS);
    const notes = cluster.events.map(({ object }) => String(object["note"]).split("\n")[1]);
    const line = '/etc/flussonic/flussonic.conf.d/a.conf:3:7: "x" is not a port';
    assert.deepEqual(notes, [line, `${line} (6 times)`, `${line} (16 times)`, `${line} (21 times)`]);
    assert.equal(clock.pendingTimers, 0);
  });

  test("say nothing of what was broken and mended within that time", async () => {
    const { cluster, events, clock } = setup();
    events.configRefused(BAD);
    await clock.advanceSettling(1000);
    events.configApplied();
    await clock.advanceSettling(EVENT_INTERVAL_MS);
    assert.deepEqual(reasons(cluster), ["ConfigRefused", "ConfigApplied"]);
    events.configRefused(WORSE);
    events.configApplied();
    await clock.advanceSettling(EVENT_INTERVAL_MS * 3);
    assert.deepEqual(reasons(cluster), ["ConfigRefused", "ConfigApplied"]);
  });

  test("have no uid where the pod may not be read, and the uid of the manifest where it has one", async () => {
    const { cluster, events, clock, log } = setup();
    cluster.allowed = ["create events"];
    events.configRefused(BAD);
    await clock.advanceSettling(100);
    const about = { apiVersion: "v1", kind: "Pod", namespace: "media", name: "weir-0" };
    assert.deepEqual(cluster.events[0]?.object["regarding"], about);
    assert.deepEqual(log.lines, []);
    const known = setup({ name: "weir-0", uid: "from-the-manifest" });
    known.events.configRefused(BAD);
    await known.clock.advanceSettling(100);
    assert.deepEqual(known.cluster.requests, ["create events"]);
    assert.deepEqual(known.cluster.events[0]?.object["regarding"], { ...about, uid: "from-the-manifest" });
  });
});

describe("Events that cannot be written", () => {
  test("for want of a permission are one line in the log, at level info, and never another", async () => {
    const { cluster, events, clock, log } = setup();
    cluster.allowed = ["get pods"];
    for (const problems of [BAD, WORSE, BAD]) {
      events.configRefused(problems);
      await clock.advanceSettling(EVENT_INTERVAL_MS);
    }
    assert.equal(log.lines.length, 1);
    const { level, message, fields } = log.lines[0]!;
    assert.deepEqual([level, message], ["info", "no Kubernetes Event can be written on the pod"]);
    assert.equal(fields["code"], "KUBERNETES_FORBIDDEN");
    assert.match(String(fields["reason"]), /resources: \["events"\], verbs: \[create\]/);
    assert.deepEqual(cluster.events, []);
  });

  test("since the reply is none are lost, and the next one is written", async () => {
    const { cluster, events, clock, log } = setup();
    cluster.fault = "garbage";
    events.configRefused(BAD);
    await clock.advanceSettling(EVENT_INTERVAL_MS * 2);
    assert.equal(log.of("info")[0]?.fields["code"], "KUBERNETES_BAD_REPLY");
    cluster.fault = "none";
    events.configApplied();
    await clock.advanceSettling(100);
    assert.deepEqual(reasons(cluster), ["ConfigApplied"]);
    assert.equal(clock.pendingTimers, 0);
  });

  for (const [fault, code] of [
    ["close", "KUBERNETES_UNREACHABLE"],
    ["overloaded", "KUBERNETES_UNAVAILABLE"],
  ] as const) {
    test(`since the API server fails with ${code} are sent again, no more often than others`, async () => {
      const { cluster, events, clock, log } = setup({ name: "weir-0", uid: "u" });
      cluster.fault = fault;
      events.configRefused(BAD);
      await clock.advanceSettling(EVENT_INTERVAL_MS * 6 + 100);
      assert.deepEqual(
        log.of("info").map(({ fields }) => fields["code"]),
        [code],
      );
      assert.equal(cluster.events.length, 0);
      cluster.fault = "none";
      await clock.advanceSettling(EVENT_INTERVAL_MS);
      assert.deepEqual(reasons(cluster), ["ConfigRefused"]);
      assert.equal(cluster.events[0]?.object["eventTime"], "2026-01-01T00:00:00.000000Z");
      assert.deepEqual([clock.pendingTimers, cluster.requests], [0, ["create events"]]);
    });

    test(`since the API server fails with ${code} make place for what happens later`, async () => {
      const { cluster, events, clock } = setup();
      cluster.fault = fault;
      events.configRefused(BAD);
      await clock.advanceSettling(EVENT_INTERVAL_MS * 2);
      events.configApplied();
      cluster.fault = "none";
      await clock.advanceSettling(EVENT_INTERVAL_MS * 2);
      assert.deepEqual(reasons(cluster), ["ConfigApplied"]);
      assert.equal(clock.pendingTimers, 0);
    });
  }

  test("since the reply was lost are not written twice", async () => {
    const { cluster, events, clock, log } = setup();
    const names = new Set<string>();
    let isLost = true;
    const under = cluster.transport();
    const transport: KubernetesTransport = {
      ...under,
      send: async (request) => {
        const { name } = request.body === undefined ? { name: "" } : metadataOf(request.body);
        if (names.has(name)) return { status: 409, body: '{"message":"already exists"}' };
        const reply = await under.send(request);
        if (request.method !== "POST" || !isLost) return reply;
        isLost = false;
        names.add(name);
        throw kubernetesErrors.error("KUBERNETES_TIMEOUT", { address: "a", timeoutMs: 1 });
      },
    };
    events.stop();
    const others = new PodEvents({
      api: new KubernetesApi(transport),
      pod: { name: "weir-0" },
      clock,
      log,
    });
    others.configRefused(BAD);
    await clock.advanceSettling(EVENT_INTERVAL_MS * 3);
    assert.deepEqual(reasons(cluster), ["ConfigRefused"]);
    assert.deepEqual(
      log.of("info").map(({ fields }) => fields["code"]),
      ["KUBERNETES_TIMEOUT"],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test("since the name is a pod's cut short are written by that name, without a uid", async () => {
    const { cluster, events, clock, log } = setup({ name: "node-7" });
    events.configRefused(BAD);
    await clock.advanceSettling(100);
    const about = { apiVersion: "v1", kind: "Pod", namespace: "media", name: "node-7" };
    assert.deepEqual(cluster.events[0]?.object["regarding"], about);
    assert.deepEqual(log.lines, []);
  });

  for (const [why, message] of [
    [
      "a Role that has the core group alone",
      'User "x" cannot create resource "events" in API group "events.k8s.io"',
    ],
    ["a policy of the cluster", "denied by policy"],
  ] as const) {
    test(`to events.k8s.io for ${why} are written to core v1, and the next ones at once`, async () => {
      const { cluster, events, clock, log } = setup({ name: "weir-0", uid: "u" });
      events.stop();
      const under = cluster.transport();
      const paths: string[] = [];
      const transport: KubernetesTransport = {
        ...under,
        send: (request) => {
          paths.push(request.path);
          const refusal = { status: 403, body: JSON.stringify({ message }) };
          return request.path.includes("events.k8s.io") ? Promise.resolve(refusal) : under.send(request);
        },
      };
      const pod = { name: "weir-0", uid: "u" };
      const others = new PodEvents({ api: new KubernetesApi(transport), pod, clock, log });
      others.configRefused(BAD);
      await clock.advanceSettling(EVENT_INTERVAL_MS * 2);
      others.configApplied();
      await clock.advanceSettling(EVENT_INTERVAL_MS);
      assert.deepEqual(reasons(cluster), ["ConfigRefused", "ConfigApplied"]);
      const core = "/api/v1/namespaces/media/events";
      assert.deepEqual(paths, ["/apis/events.k8s.io/v1/namespaces/media/events", core, core]);
      assert.deepEqual(log.lines, []);
    });
  }

  test("hold up nobody while the API server does not answer, and nothing is written after the stop", async () => {
    const { cluster, events, clock, log } = setup();
    cluster.fault = "hang";
    events.configRefused(BAD);
    await clock.advanceSettling(EVENT_INTERVAL_MS);
    events.configApplied();
    events.stop();
    cluster.fault = "none";
    events.configRefused(WORSE);
    await clock.advanceSettling(EVENT_INTERVAL_MS * 3);
    assert.deepEqual([cluster.events, log.lines, clock.pendingTimers], [[], [], 0]);
  });
});
