/** What the server does with the API of a real Kubernetes, and what it does where it may not. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  answers,
  kubectl,
  labelOf,
  loadImage,
  Namespace,
  nodes,
  whyNoCluster,
} from "../support/cluster.ts";
import type { PodFacts, ServiceFacts } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";

const skip = whyNoCluster();

test("there is a cluster with an API", { skip }, () => assert.ok(nodes().length > 0));

const SELECTOR = labelOf("deployment");
const SECRET = "weir-deployment-state";

/** The kubelet writes an edited ConfigMap within its own time, a minute on most clusters. */
const EDIT_TIMEOUT_MS = 120_000;

type EventList = { readonly items: readonly { readonly message: string; readonly type: string }[] };

function eventsOf(namespace: Namespace, pod: string, reason: string): EventList["items"] {
  const field = `involvedObject.kind=Pod,involvedObject.name=${pod},reason=${reason}`;
  const text = namespace.kubectl(["get", "events", "--field-selector", field, "-o", "json"]);
  return (JSON.parse(text) as EventList).items;
}

function baseOf(namespace: Namespace): string {
  return `http://${(namespace.get("service", "weir-deployment") as ServiceFacts).spec.clusterIP}`;
}

/**
 * The pod whose log says what it may not do. Where the node threw that away, the pod is deleted, and its successor has
 * a log of its own.
 */
async function podThatComplains(namespace: Namespace): Promise<PodFacts> {
  const [pod] = await namespace.ready(SELECTOR);
  const log = namespace.log(pod!.metadata.name);
  if (log === "") namespace.kubectl(["delete", "pod", pod!.metadata.name, "--wait=false"]);
  assert.match(log, /service.?account[^\n]*may not (get|create) secrets? [^\n]*weir-deployment-state/i);
  assert.match(log, /add this rule to its Role: [^\n]*secrets/);
  return pod!;
}

describe("with the API of a cluster", { skip, timeout: 550_000 }, () => {
  before(() => {
    if (skip === false) loadImage();
  });

  test("a server that may not keep its state says what is missing and runs on, and keeps it when it may", async (t) => {
    const namespace = new Namespace(t, "state");
    const isBinding = ({ kind }: { kind: string }): boolean => kind === "RoleBinding";
    const objects = namespace.applyFolder("deploy/kubernetes/deployment", (object) => !isBinding(object));
    const pod = await eventually(() => podThatComplains(namespace), {
      timeoutMs: 200_000,
      intervalMs: 1000,
    });
    await answers(`${baseOf(namespace)}/vod/bunny.mp4/index.m3u8`);
    const state = (): Record<string, string> | undefined =>
      (namespace.get("secret", SECRET) as { data?: Record<string, string> }).data;
    assert.equal(state(), undefined, "the manifest makes it empty");
    namespace.apply(objects.filter(isBinding));
    await eventually(() => assert.ok("server_id" in (state() ?? {}), "its state was not kept"), {
      timeoutMs: 150_000,
      intervalMs: 1000,
    });
    const [same] = await namespace.ready(SELECTOR);
    assert.equal(same!.metadata.name, pod.metadata.name);
    assert.equal(same!.status.containerStatuses?.[0]?.restartCount, 0);
  });

  test("a ConfigMap that does not check is an Event on the pod; the mended one applies, and is one too", async (t) => {
    const namespace = new Namespace(t, "events");
    namespace.applyFolder("deploy/kubernetes/deployment");
    const [pod] = await namespace.ready(SELECTOR);
    const { name } = pod!.metadata;
    const edit = (text: string): void => {
      const patch = JSON.stringify({ data: { "publish.conf": text } });
      namespace.kubectl(["patch", "configmap", "weir-deployment-config", "-p", patch]);
    };
    edit("template pub {\n  prefix pub;\n  inputt publish://;\n}\n");
    const refused = await eventually(
      () => {
        const [event] = eventsOf(namespace, name, "ConfigRefused");
        assert.ok(event, `there is no Event on ${name}`);
        return event;
      },
      { timeoutMs: EDIT_TIMEOUT_MS, intervalMs: 1000 },
    );
    assert.equal(refused.type, "Warning");
    assert.match(refused.message, /publish\.conf:3:3.*inputt/);
    t.diagnostic(`the Event says: ${refused.message}`);
    assert.match(kubectl(["-n", namespace.name, "describe", "pod", name]), /Warning +ConfigRefused/);
    await namespace.ready(SELECTOR);
    await answers(`${baseOf(namespace)}/vod/bunny.mp4/index.m3u8`);
    edit("stream extra {\n  input fake://;\n  segment_duration 1;\n}\n");
    await answers(`${baseOf(namespace)}/extra/index.m3u8`, 200, EDIT_TIMEOUT_MS);
    await eventually(() => assert.equal(eventsOf(namespace, name, "ConfigApplied")[0]?.type, "Normal"), {
      timeoutMs: 60_000,
      intervalMs: 1000,
    });
  });
});
