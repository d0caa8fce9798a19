/** The shipped manifests on a real Kubernetes, with the image of this very state. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  answers,
  kubectl,
  labelOf,
  loadImage,
  Namespace,
  nodePort,
  nodes,
  openOnNodes,
  whyNoCluster,
} from "../support/cluster.ts";
import type { ServiceFacts } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";

const skip = whyNoCluster() || needs("ffmpeg");

test("there is a cluster", { skip }, () => assert.ok(nodes().length > 0));

/** The configuration as the kubelet has written it into the quickstart's pod. */
function partsOf(namespace: Namespace): string {
  return namespace.kubectl(["exec", "weir", "--", "node", "-e", READ_PARTS]);
}

const READ_PARTS = `const fs = require("fs"), folder = "/etc/flussonic/flussonic.conf.d";
  for (const name of fs.readdirSync(folder)) if (!name.startsWith(".."))
    console.log(name, JSON.stringify(fs.readFileSync(folder + "/" + name, "utf8")));`;

describe("on a cluster", { skip, timeout: 550_000 }, () => {
  before(() => {
    if (skip === false) loadImage();
  });

  test("the quickstart plays the clip and takes a publisher, and its ConfigMap is live", async (t) => {
    const namespace = new Namespace(t, "quickstart");
    namespace.applyFolder("deploy/kubernetes/quickstart");
    await namespace.ready(labelOf("quickstart"));
    const { spec } = namespace.get("service", "weir") as ServiceFacts;
    const base = `http://${spec.clusterIP}`;
    await answers(`${base}/vod/bunny.mp4/index.m3u8`);
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const publisher = publish(t, `rtmp://${spec.clusterIP}/pub/camera`, clip, { loop: true });
    await answers(`${base}/pub/camera/index.m3u8`);
    const edit = (publishing: string): void => {
      const patch = { data: { publish: publishing } };
      namespace.kubectl(["patch", "configmap", "streamer-presets", "-p", JSON.stringify(patch)]);
    };
    const pub = "template pub {\n  prefix pub;\n  url publish://;\n}\n";
    edit(`${pub}strem typo { input fake://; }\n`);
    // Not the log: a node may throw logs away early. The figure says the same, and other tests read the log.
    await eventually(
      async () => {
        const figures = await answers(`${base}/metrics`);
        assert.match(
          figures,
          /^weir_config_last_reload_successful 0$/m,
          `the pod has: ${partsOf(namespace)}`,
        );
      },
      { timeoutMs: 150_000, intervalMs: 1000 },
    );
    await answers(`${base}/pub/camera/index.m3u8`);
    edit(`${pub}stream extra { input fake://; segment_duration 1; }\n`);
    await answers(`${base}/extra/index.m3u8`, 200, 150_000);
    assert.ok(publisher.isRunning, "the publisher was lost");
  });

  test("a Deployment's pod is replaced, keeps its state in a Secret, and has its publisher back", async (t) => {
    const namespace = new Namespace(t, "deployment");
    namespace.applyFolder("deploy/kubernetes/deployment");
    const [first] = await namespace.ready(labelOf("deployment"));
    const service = openOnNodes(namespace, "weir-deployment");
    const [node] = nodes();
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const url = `rtmp://${node!.address}:${nodePort(service, "rtmp")}/pub/camera`;
    const playlist = `http://${service.spec.clusterIP}/pub/camera/index.m3u8`;
    const publishing = async (): Promise<void> => {
      const publisher = publish(t, url, clip, { loop: true });
      try {
        await answers(playlist, 200, 8000);
      } catch (caught) {
        await publisher.kill();
        throw new Error(`it is not played; the publisher said: ${publisher.stderr}`, { cause: caught });
      }
    };
    await eventually(publishing, { timeoutMs: 60_000 });
    const state = namespace.get("secret", "weir-deployment-state") as { data: Record<string, string> };
    assert.deepEqual(Object.keys(state.data).toSorted(), ["edit_auth", "server_id"]);
    namespace.kubectl(["delete", "pod", first!.metadata.name, "--wait=false"]);
    const [second] = await namespace.ready(labelOf("deployment"));
    assert.notEqual(second!.metadata.name, first!.metadata.name);
    await eventually(publishing, { timeoutMs: 60_000 });
    assert.deepEqual(namespace.get("secret", "weir-deployment-state"), state);
  });

  test("a DaemonSet answers on every node with its node's name", async (t) => {
    const namespace = new Namespace(t, "daemonset");
    kubectl([
      "--namespace",
      namespace.name,
      "create",
      "secret",
      "generic",
      "weir-admin",
      "--from-literal=edit_auth=root:secret",
    ]);
    namespace.applyFolder("deploy/kubernetes/daemonset");
    const all = nodes();
    await namespace.ready(labelOf("daemonset"), all.length);
    const headers = { authorization: `Basic ${Buffer.from("root:secret").toString("base64")}` };
    for (const { name, address } of all) {
      const reply = await fetch(`http://${address}/streamer/api/v3/config/stats`, { headers });
      const stats = (await reply.json()) as { hostname: string };
      assert.equal(stats.hostname, name);
    }
  });

  test("a StatefulSet has its volume", async (t) => {
    const namespace = new Namespace(t, "statefulset");
    namespace.applyFolder("deploy/kubernetes/statefulset");
    const [pod] = await namespace.ready(labelOf("statefulset"));
    const mounts = namespace.kubectl(["exec", pod!.metadata.name, "--", "node", "-e", READ_MOUNTS]);
    assert.match(mounts, / \/storage /);
  });
});

const READ_MOUNTS = 'process.stdout.write(require("fs").readFileSync("/proc/mounts", "utf8"))';
