import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FAKE_WALL_START_US, FakeClock } from "../../test/support/fake-clock.ts";
import { FakeKubernetes } from "../../test/support/fake-kubernetes.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { KubernetesApi } from "./api.ts";
import { EVENT_INTERVAL_MS, PodEvents } from "./pod-events.ts";

const BAD = [
  { file: "/etc/flussonic/flussonic.conf.d/a.conf", line: 3, column: 7, message: '"x" is not a port' },
];
const WORSE = [{ ...BAD[0]!, line: 4 }];

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

  for (const [fault, code] of [
    ["close", "KUBERNETES_UNREACHABLE"],
    ["garbage", "KUBERNETES_BAD_REPLY"],
    ["overloaded", "KUBERNETES_UNAVAILABLE"],
  ] as const) {
    test(`since the API server fails with ${code} are lost, and the next one is written`, async () => {
      const { cluster, events, clock, log } = setup();
      cluster.fault = fault;
      events.configRefused(BAD);
      await clock.advanceSettling(EVENT_INTERVAL_MS);
      assert.equal(log.of("info")[0]?.fields["code"], code);
      cluster.fault = "none";
      events.configApplied();
      await clock.advanceSettling(100);
      assert.deepEqual(reasons(cluster), ["ConfigApplied"]);
    });
  }

  test("since the name is no pod's are told of by that name", async () => {
    const { events, clock, log } = setup({ name: "node-7" });
    events.configRefused(BAD);
    await clock.advanceSettling(100);
    assert.deepEqual(
      log.of("info").map(({ fields }) => fields["reason"]),
      ['the Kubernetes API cannot get pods "node-7" in namespace "media": pods "node-7" not found'],
    );
  });

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
