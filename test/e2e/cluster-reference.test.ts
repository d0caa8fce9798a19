/** A manifest of the reference product's style, with only the image changed, on a real Kubernetes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parseObjects } from "../kubernetes/support/objects.ts";
import type { KubeObject } from "../kubernetes/support/objects.ts";
import { root } from "../kubernetes/support/programs.ts";
import { answers, loadImage, Namespace, nodes, whyNoCluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, probeStreams, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";

const skip = whyNoCluster() || needs("ffmpeg");

test("there is a cluster for a manifest of another's", { skip }, () => assert.ok(nodes().length > 0));

const AUTHORIZATION = "Bearer cm9vdDpwYXNzd29yZA==";

type MutablePod = { volumes: object[]; containers: { volumeMounts: object[] }[] };

/** The manifest as somebody has it who records: one word of configuration, and a folder of the node, made when needed. */
function recording(objects: readonly KubeObject[], path: string): KubeObject[] {
  const changed = structuredClone(objects) as KubeObject[];
  const data = changed.find(({ kind }) => kind === "ConfigMap")!["data"] as Record<string, string>;
  data["publish"] = data["publish"]!.replace("url publish://;", "url publish://;\n  dvr /storage 7d;");
  const set = changed.find(({ kind }) => kind === "DaemonSet")!["spec"] as {
    template: { spec: MutablePod };
  };
  const { volumes, containers } = set.template.spec;
  volumes.push({ name: "storage", hostPath: { path, type: "DirectoryOrCreate" } });
  containers[0]!.volumeMounts.push({ name: "storage", mountPath: "/storage" });
  return changed;
}

describe("a manifest in the reference product's style", { skip, timeout: 550_000 }, () => {
  before(() => {
    if (skip === false) loadImage("docker.io/library/weir:0.1.0-root");
  });

  test("becomes Ready on every node, and takes publishers and viewers on the nodes' own ports", async (t) => {
    const namespace = new Namespace(t, "reference");
    const objects = parseObjects(readFileSync(join(root, "test/kubernetes/reference-style.yaml"), "utf8"));
    const storage = `/var/tmp/${namespace.name}`;
    // Nodes of another machine keep theirs.
    t.after(() => rm(storage, { recursive: true, force: true }));
    namespace.apply(recording(objects, storage));
    const fromS = Math.floor(Date.now() / 1000) - 60;
    const all = nodes();
    await namespace.ready("app=publish", all.length);
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    for (const { name, address } of all) {
      const base = `http://${address}`;
      await answers(`${base}/vod/bunny.mp4/index.m3u8`);
      const headers = { Authorization: AUTHORIZATION };
      for (const probe of ["liveness", "readiness"]) {
        const reply = await fetch(`${base}/flussonic/api/v3/monitoring/${probe}`, { headers });
        assert.equal(reply.status, 200, `${name}: ${await reply.text()}`);
      }
      await answers(`${base}/flussonic/api/v3/config/stats`, 401);
      const reply = await fetch(`${base}/flussonic/api/v3/config/stats`, { headers });
      assert.equal(((await reply.json()) as { hostname: string }).hostname, name);
      const publisher = publish(t, `rtmp://${address}/pub/camera`, clip, { loop: true });
      await answers(`${base}/pub/camera/index.m3u8`);
      const streams = await probeStreams(`${base}/pub/camera/index.m3u8`, { readS: 2 });
      assert.deepEqual(streams.map(({ codec_name: codec }) => codec).toSorted(), ["aac", "h264"]);
      assert.ok(publisher.isRunning, publisher.stderr);
      // Nodes of one machine share the folder, and then the first has the stream.
      if (name === all[0]!.name)
        assert.match(await answers(`${base}/pub/camera/archive-${fromS}-now.m3u8`), /^#EXTM3U/);
    }
    // A probe that failed would have restarted the container, or taken the pod out of the Service.
    for (const { status } of await namespace.ready("app=publish", all.length))
      assert.deepEqual(
        status.containerStatuses?.map(({ restartCount }) => restartCount),
        [0],
      );
    await eventually(() => {
      const state = namespace.get("secret", "flussonic-license") as { data: Record<string, string> };
      const ids = all.map(({ name }) => `server_id.${name}`);
      assert.deepEqual(Object.keys(state.data).toSorted(), ["license_key", ...ids].toSorted());
    });
  });
});
