/** Recordings on a claimed volume of a real Kubernetes: they outlive their pods, and go on where they ended. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { writeClaimRecord, writeLifeRecord } from "../../src/dvr/keep/writer-records.ts";
import { programPath } from "../kubernetes/support/programs.ts";
import type { PodFacts, ServiceFacts } from "../support/cluster.ts";
import {
  answers,
  kubectlBeside,
  labelOf,
  loadImage,
  Namespace,
  nodes,
  whyNoCluster,
} from "../support/cluster.ts";
import { RestartingPublisher } from "../support/cluster-viewers.ts";
import { volumesFor } from "../support/cluster-volumes.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import type { TextSegment } from "../support/media-playlist-text.ts";
import { startProgram } from "../support/program.ts";
import { needs } from "../support/tools.ts";

const skip = whyNoCluster() || needs("ffmpeg");

test("there is a cluster for recordings", { skip }, () => assert.ok(nodes().length > 0));

const SET = "weir-statefulset";
const SELECTOR = labelOf("statefulset");

/** Of the clip that is published. */
const GOP_MS = 1000;
/** What happens and what is said of it lie so far apart, on a busy machine too: of ffmpeg's own end, and of its first packets. */
const NOTICE_MS = 5000;
/** What the shipped server gives a silent writer. */
const LEASE_MS = 15_000;
const FORCE = ["--grace-period=0", "--force", "--ignore-not-found"];
/** Longer than a server takes from its last reply to its end. */
const ENDED_MS = 5000;
const POLL = { timeoutMs: 120_000, intervalMs: 300 };

/** A pod as it is told from the one before of the same name. */
type NamedPod = PodFacts & { readonly metadata: { readonly uid: string } };

type DatedSegment = TextSegment & {
  readonly uri: string;
  readonly durationS: number;
  readonly dateMs: number;
};

/** The archive as a playlist says it, with the checksums of what it lists: of whole segments, and of their media. */
type Listed = {
  readonly segments: readonly DatedSegment[];
  readonly sums: readonly string[];
  readonly media: readonly string[];
};

const FROM_S = Math.floor(Date.now() / 1000) - 60;

function folderAt(pod: PodFacts, stream: string): string {
  return `http://${pod.status.podIP}:8080/${stream}/tracks-v1a1`;
}

/** The segments with the date of each; a playlist says it of the first one, and behind breaks. */
async function segmentsAt(pod: PodFacts, stream: string): Promise<readonly DatedSegment[]> {
  const reply = await fetch(`${folderAt(pod, stream)}/archive-${FROM_S}-now.m3u8`, {
    signal: AbortSignal.timeout(5000),
  });
  const text = await reply.text();
  assert.equal(reply.status, 200, `${pod.metadata.name}: ${text}`);
  let nextMs: number | null = null;
  return parsePlaylistText(text).segments.map((segment) => {
    const dateMs: number | null = segment.dateMs ?? (segment.hasDiscontinuity ? null : nextMs);
    const { uri, durationS } = segment;
    assert.ok(uri !== null && durationS !== null && dateMs !== null, text);
    nextMs = dateMs + durationS * 1000;
    return { ...segment, uri, durationS, dateMs };
  });
}

async function listedAt(pod: PodFacts, stream: string, least: number): Promise<Listed> {
  const segments = await eventually(async () => {
    const found = await segmentsAt(pod, stream);
    assert.ok(found.length >= least, `${found.length} of ${least} segments of ${stream}`);
    return found;
  }, POLL);
  const sums: string[] = [];
  const media: string[] = [];
  for (const { uri } of segments) {
    sums.push(sumOf([await bytesAt(pod, `${stream}/tracks-v1a1/${uri}`)]));
    const tracks = ["tracks-v1", "tracks-a1"].map((track) => bytesAt(pod, `${stream}/${track}/${uri}`));
    media.push(sumOf((await Promise.all(tracks)).flatMap(payloads)));
  }
  return { segments, sums, media };
}

async function bytesAt(pod: PodFacts, path: string): Promise<Buffer> {
  const reply = await fetch(`http://${pod.status.podIP}:8080/${path}`);
  assert.equal(reply.status, 200, path);
  return Buffer.from(await reply.arrayBuffer());
}

function sumOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** What the `mdat` boxes of a segment have in them, which are never large ones. */
function payloads(segment: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < segment.length; at += segment.readUInt32BE(at)) {
    const end = at + segment.readUInt32BE(at);
    assert.ok(end >= at + 8 && end <= segment.length, "the boxes do not fill the segment");
    if (segment.toString("latin1", at + 4, at + 8) === "mdat") found.push(segment.subarray(at + 8, end));
  }
  return found;
}

/**
 * What was recorded is there, under the same names and numbers, every byte of its media. A segment out of the memory of the
 * pod that recorded it has that in one fragment a track, one that was stored has one a GOP.
 */
function assertKept(earlier: Listed, later: Listed): void {
  for (const [i, segment] of earlier.segments.entries()) assert.deepEqual(later.segments[i], segment);
  assert.deepEqual(later.media.slice(0, earlier.media.length), earlier.media);
}

/** The StatefulSet as it is shipped, on volumes that take the group of its pods, with a shorter drain. */
async function recordingSet(t: TestContext, replicas: number): Promise<Namespace> {
  const namespace = new Namespace(t, "archive");
  const storageClassName = await volumesFor(t, namespace, replicas);
  namespace.applyFolder("deploy/kubernetes/statefulset", ({ kind }) => kind !== "StatefulSet");
  const drain = { data: { "drain.conf": "drain_timeout 8;\n" } };
  namespace.kubectl(["patch", "configmap", `${SET}-config`, "-p", JSON.stringify(drain)]);
  const set = namespace
    .objectsOf("deploy/kubernetes/statefulset")
    .find(({ kind }) => kind === "StatefulSet");
  const spec = set!["spec"] as { volumeClaimTemplates: { spec: object }[] };
  const templates = spec.volumeClaimTemplates.map((template) => ({
    ...template,
    spec: { ...template.spec, ...(storageClassName === null ? {} : { storageClassName }) },
  }));
  namespace.apply([{ ...set!, spec: { ...spec, replicas, volumeClaimTemplates: templates } }]);
  await namespace.ready(SELECTOR, replicas);
  return namespace;
}

function podOf(namespace: Namespace, ordinal: number): NamedPod {
  return namespace.get("pod", `${SET}-${ordinal}`) as NamedPod;
}

/** An address that stays, of one pod of the set alone. */
function serviceOf(namespace: Namespace, ordinal: number): string {
  const name = `camera-${ordinal}`;
  namespace.apply([
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: {
        selector: { "statefulset.kubernetes.io/pod-name": `${SET}-${ordinal}` },
        ports: [{ name: "rtmp", port: 1935, targetPort: "rtmp" }],
      },
    },
  ]);
  return (namespace.get("service", name) as ServiceFacts).spec.clusterIP;
}

/**
 * The pod of that name that follows another one, when its archive is answered. A kubelet may keep a pod for a minute whose
 * container has ended, and nothing is to be learned from that: one that nobody answers for any more is taken away.
 */
async function successor(namespace: Namespace, replaced: NamedPod, stream: string): Promise<NamedPod> {
  const { name, uid } = replaced.metadata;
  const args = ["-n", namespace.name, "get", "pods", name, "--ignore-not-found", "-o", "json"];
  let answeredAtMs = performance.now();
  return await eventually(async () => {
    const text = await kubectlBeside(args);
    assert.notEqual(text, "", `${name} is gone`);
    const pod = JSON.parse(text) as NamedPod;
    if (pod.metadata.uid === uid) {
      if (await isAnswering(pod)) answeredAtMs = performance.now();
      else if (performance.now() - answeredAtMs > ENDED_MS)
        await kubectlBeside(["-n", namespace.name, "delete", "pod", name, ...FORCE]);
    }
    assert.ok(pod.metadata.uid !== uid && pod.status.podIP !== undefined, `${name} is not replaced`);
    await segmentsAt(pod, stream);
    return pod;
  }, POLL);
}

async function isAnswering(pod: PodFacts): Promise<boolean> {
  try {
    const url = `http://${pod.status.podIP}:8080/streamer/api/v3/monitoring/liveness`;
    await (await fetch(url, { signal: AbortSignal.timeout(5000) })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** The gap that a pod's end has left, in the order of time, and who was away when. Wall clock, milliseconds since 1970. */
type Gap = {
  /** Where what is recorded ends, and begins again. */
  readonly from: number;
  readonly to: number;
  /** The end of the publisher's connection, the start of its next one, and when it said that it sends. */
  readonly endedAt: number;
  readonly startedAt: number;
  readonly sendsAt: number;
};

function gapBehind(listed: Listed, known: number, publisher: RestartingPublisher): Gap {
  const { segments } = listed;
  const at = segments.findIndex(({ hasDiscontinuity }, i) => i >= known && hasDiscontinuity);
  assert.ok(at > 0, `no break behind ${known} of ${segments.length} segments`);
  const [last, next] = [segments[at - 1]!, segments[at]!];
  assert.equal(next.discontinuityNumber, last.discontinuityNumber + 1);
  assert.ok(!segments.some(({ hasDiscontinuity }, i) => i > at && hasDiscontinuity), "another break");
  const from = last.dateMs + last.durationS * 1000;
  const [left, back] = publisher.runs.filter(({ sendsAt }) => sendsAt !== Infinity).slice(-2);
  assert.ok(left !== undefined && back?.endedAt === Infinity, "the publisher did not come back once");
  return {
    from,
    to: next.dateMs,
    endedAt: left.endedAt,
    startedAt: back.startedAt,
    sendsAt: back.sendsAt,
  };
}

/**
 * The gap is the time without a publisher: no more is lost than the GOP that grew, and nothing is recorded of a time at which
 * nobody published.
 */
function judgeGap({ from, to, endedAt, startedAt, sendsAt }: Gap): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const words =
    `the gap is ${seconds(to - from)}, the publisher was away for ${seconds(sendsAt - endedAt)}; ` +
    `it begins ${seconds(endedAt - from)} before that, and ends ${seconds(sendsAt - to)} before it says that it sends`;
  assert.ok(from <= endedAt + GOP_MS && from >= endedAt - GOP_MS - NOTICE_MS, words);
  assert.ok(to >= startedAt && to <= sendsAt + GOP_MS + NOTICE_MS, words);
  return words;
}

/** Index and media of each hour in which a segment begins, and nothing else: a pod goes on in the files of the one before. */
async function assertFiles(
  namespace: Namespace,
  pod: PodFacts,
  stream: string,
  listed: Listed,
): Promise<void> {
  const script = `console.log(JSON.stringify(require("fs").readdirSync("/storage/${stream}", { recursive: true })))`;
  const args = ["-n", namespace.name, "exec", pod.metadata.name, "--", "node", "-e", script];
  const found = (JSON.parse(await kubectlBeside(args)) as string[]).filter((name) =>
    /\.(idx|mp4)$/.test(name),
  );
  const hours = new Set(
    listed.segments.map(({ uri }) => new Date(Number(/\d+/.exec(uri)![0])).toISOString().slice(0, 13)),
  );
  const expected = [...hours].flatMap((hour) => {
    const path = hour.replaceAll(/[-T]/g, "/");
    return [`${path}.idx`, `${path}.mp4`];
  });
  assert.deepEqual(found.toSorted(), expected.toSorted());
}

/** Lays a claim of somebody who lives elsewhere, renews it for 12 s, and then tells what was recorded meanwhile. */
const HOLD = `const fs = require("fs"), [life, claim, stream] = process.argv.slice(1);
  const write = () => fs.writeFileSync("/storage/.writers/other-pod-lease",
    life.replace(/"renewedAt":\\d+/, '"renewedAt":' + Date.now()));
  fs.mkdirSync("/storage/.writers", { recursive: true });
  fs.mkdirSync("/storage/" + stream + "/.writer", { recursive: true });
  write();
  fs.writeFileSync("/storage/" + stream + "/.writer/1", claim);
  console.log("held");
  let count = 0;
  const timer = setInterval(() => {
    write();
    if (++count < 12) return;
    clearInterval(timer);
    const files = fs.readdirSync("/storage/" + stream, { recursive: true });
    console.log(JSON.stringify(files.filter((name) => /\\.(idx|mp4)$/.test(name))));
  }, 1000);`;

/** A stream that another pod records, as far as the volume says: it is left alone until that has been silent for its time. */
async function judgeLease(
  t: TestContext,
  namespace: Namespace,
  pod: PodFacts,
  clip: string,
): Promise<void> {
  const stream = "pub/held";
  const writer = "other-pod-lease";
  const host = "weir-on-a-lost-node";
  const identity = { host, pod: host, machine: "another machine", pid: 1, birth: "1" };
  const life = writeLifeRecord({ writer, identity, renewedAt: Date.now(), leaseMs: LEASE_MS });
  const claim = writeClaimRecord({ writer, host, claimedAt: Date.now(), isReleased: false });
  const lines: string[] = [];
  const texts = [life, claim].map((bytes) => Buffer.from(bytes).toString("latin1"));
  const args = [
    "-n",
    namespace.name,
    "exec",
    pod.metadata.name,
    "--",
    "node",
    "-e",
    HOLD,
    "--",
    ...texts,
    stream,
  ];
  startProgram(t, programPath("kubectl"), args, { onLine: (line) => lines.push(line) });
  await eventually(() => assert.ok(lines.includes("held")), POLL);
  const startedAt = Date.now();
  const publisher = publish(t, `rtmp://${pod.status.podIP}/${stream}`, clip, { loop: true });
  // Live does not wait for the archive.
  await answers(`${folderAt(pod, stream)}/mono.m3u8`, 200, 60_000);
  await eventually(() => assert.equal(lines[1], "[]"), POLL);
  const { segments } = await listedAt(pod, stream, 1);
  t.diagnostic(
    `the stream was taken over when its writer was silent; recorded from ${segments[0]!.dateMs - startedAt} ms on`,
  );
  assert.ok(segments[0]!.dateMs - startedAt < LEASE_MS, "what came while the server waited was lost");
  const log = namespace.log(pod.metadata.name);
  if (log === "") t.diagnostic("the node threw the pod's log away: what it told is not judged here");
  else assert.match(log, /pub\/held[^\n]*DVR_STREAM_TAKEN[^\n]*weir-on-a-lost-node/);
  await publisher.stop();
}

/** One end of the pod that records `pub/camera`, and what its successor makes of it. Returns: what is listed then. */
async function replace(
  t: TestContext,
  { namespace, publisher }: { readonly namespace: Namespace; readonly publisher: RestartingPublisher },
  how: readonly string[],
): Promise<Listed> {
  const stream = "pub/camera";
  const pod = podOf(namespace, 0);
  const known = await listedAt(pod, stream, 2);
  const startedAtMs = performance.now();
  // Beside the rest: this process has to see when ffmpeg ends.
  const named = ["-n", namespace.name, "delete", "pod", pod.metadata.name];
  await kubectlBeside([...named, "--wait=false", ...how]);
  const next = await successor(namespace, pod, stream);
  const tookS = (performance.now() - startedAtMs) / 1000;
  // Where the last segment was cut short, it may or may not be listed already.
  const old = (await segmentsAt(next, stream)).length;
  const listed = await listedAt(next, stream, old + 2);
  assertKept(known, listed);
  const gap = judgeGap(gapBehind(listed, known.segments.length, publisher));
  await assertFiles(namespace, next, stream, listed);
  t.diagnostic(
    `deleted ${how.slice(0, 2).join(" ")}: its archive is answered after ${tookS.toFixed(1)} s; ${gap}`,
  );
  return listed;
}

/** Scales the set down by its second pod, and up again. Returns: that pod anew, which has the claim that was its own. */
async function downAndUp(namespace: Namespace, second: NamedPod): Promise<NamedPod> {
  const run = (...args: readonly string[]): Promise<string> =>
    kubectlBeside(["-n", namespace.name, ...args]);
  const volume = (): Promise<string> =>
    run("get", "pvc", `archive-${SET}-1`, "-o", "jsonpath={.spec.volumeName}");
  const own = await volume();
  await run("scale", "statefulset", SET, "--replicas=1");
  const stamp = ["-o", "jsonpath={.metadata.deletionTimestamp}"];
  await eventually(async () => {
    const { name } = second.metadata;
    const isThere = (await run("get", "pod", name, "--ignore-not-found", "-o", "name")) !== "";
    assert.ok(!isThere || (await run("get", "pod", name, ...stamp)) !== "", "it is not scaled down");
  }, POLL);
  await run("scale", "statefulset", SET, "--replicas=2");
  const again = await successor(namespace, second, "pub/camera");
  assert.equal(await volume(), own);
  return again;
}

describe("a StatefulSet that records", { skip, timeout: 550_000 }, () => {
  before(() => {
    if (skip === false) loadImage();
  });

  test("its archive outlives pods and scaling, each pod's its own, and no stream is written twice", async (t) => {
    const namespace = await recordingSet(t, 2);
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const publisher = new RestartingPublisher(t, `rtmp://${serviceOf(namespace, 0)}/pub/camera`, clip);
    const [first, second] = [podOf(namespace, 0), podOf(namespace, 1)];
    const other = publish(t, `rtmp://${second.status.podIP}/pub/camera`, clip, { loop: true });
    const [ofFirst] = await Promise.all([first, second].map((pod) => listedAt(pod, "pub/camera", 2)));
    assert.ok(ofFirst !== undefined);
    const [gracefully] = await Promise.all([
      replace(t, { namespace, publisher }, []),
      judgeLease(t, namespace, second, clip),
    ]);
    await other.stop();
    const ofSecond = await listedAt(second, "pub/camera", 2);
    const names = new Set(gracefully.segments.map(({ uri }) => uri));
    assert.ok(!ofSecond.segments.some(({ uri }) => names.has(uri)), "two pods share an archive");
    const [forced, again] = await Promise.all([
      replace(t, { namespace, publisher }, FORCE),
      downAndUp(namespace, second),
    ]);
    assertKept(gracefully, forced);
    const stored = ofFirst.segments.length;
    assert.deepEqual(forced.sums.slice(0, stored), gracefully.sums.slice(0, stored), "byte for byte");
    assertKept(ofSecond, await listedAt(again, "pub/camera", ofSecond.segments.length));
    assert.notEqual(podOf(namespace, 0).metadata.uid, first.metadata.uid);
  });
});
