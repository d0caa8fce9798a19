import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { FAKE_WALL_START_US, FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { sourcePacket, videoTrack } from "../../test/support/media.ts";
import { AddressCounter } from "../base/address-counter.ts";
import type { HttpRequest } from "../base/http-message.ts";
import { loadConfig } from "../config/load.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { HourIndex } from "../dvr/format/hour-index.ts";
import type { StreamName } from "../media/ids.ts";
import { parseStreamName } from "../media/ids.ts";
import type { SubscriptionEnd } from "../stream/wire-format.ts";
import { openAuthority } from "../../test/support/open-authority.ts";
import { controlOf } from "./access/session-authority.ts";
import { MediaNode } from "./media-node.ts";

const name = parseStreamName("pub/camera")!;

function configOf(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

/** The media node of a server with one thread. */
function makeNode(
  t: TestContext,
  text: string,
  options: { readonly liveMemoryBytes?: number } = {},
): { node: MediaNode; clock: FakeClock; log: RecordingLog } {
  const [clock, log] = [new FakeClock(), new RecordingLog()];
  const nobody = (): never => assert.fail("one thread asks no other");
  const node = new MediaNode({
    config: configOf(text),
    clock,
    log,
    thread: {
      index: 0,
      count: 1,
      heldKib: new Int32Array(1),
      viewers: new Int32Array(1),
      homes: { claim: nobody, release: nobody, watch: nobody, unwatch: nobody },
    },
    addresses: new AddressCounter(100),
    sessions: controlOf(openAuthority(), 0),
    sessionSalt: "salt",
    ...options,
  });
  t.after(() => node.stop());
  return { node, clock, log };
}

/**
 * Publishes one picture over RTMP. Returns: why the publisher was taken off, once it was, and a function that sends pictures
 * of so many seconds, a key frame in each.
 */
function publish(
  node: MediaNode,
  { as = name, payloadBytes = 5 }: { readonly as?: StreamName; readonly payloadBytes?: number } = {},
): { revoked: string[]; send: (seconds: number) => void } {
  const revoked: string[] = [];
  const publisher = node.local.publish({
    name: as,
    protocol: "rtmp",
    remoteAddress: "test",
    onRevoked: (reason) => revoked.push(reason),
  });
  const track = videoTrack();
  publisher.setTracks([track]);
  publisher.write(sourcePacket({ track, dts: 0, isSync: true }));
  let frame = 1;
  const send = (seconds: number): void => {
    for (const end = frame + seconds * 25; frame < end; frame++) {
      const payload = new Uint8Array(payloadBytes);
      publisher.write(sourcePacket({ track, dts: frame * 3600, isSync: frame % 25 === 0, payload }));
    }
  };
  return { revoked, send };
}

const TAKEN = "the configuration does not let it publish any more";
const STREAM = "stream pub/camera { input publish://; }";
const TEMPLATE = "template pub { prefix pub; input publish://; }";

/** What becomes of a publisher when the configuration changes. */
const CASES: readonly [name: string, before: string, after: string, revoked: string[]][] = [
  ["another title", STREAM, "stream pub/camera { input publish://; title x; }", []],
  ["the stream comes under a template", STREAM, TEMPLATE, []],
  ["the template's name is a stream's now", TEMPLATE, STREAM, []],
  ["a file instead of publishers", STREAM, "stream pub/camera { input fake://; }", [TAKEN]],
  [
    "a template without publishers covers the name instead",
    TEMPLATE,
    'template any { prefix ""; input fake://; }',
    [TAKEN],
  ],
  ["nothing covers the name", TEMPLATE, "http 80;", ["the configuration takes it away"]],
  [
    "the stream is disabled",
    STREAM,
    "stream pub/camera { input publish://; disabled; }",
    ["the configuration takes it away"],
  ],
];
for (const [change, before, after, expected] of CASES) {
  test(`a publisher ${expected.length === 0 ? "stays" : "goes"}: ${change}`, (t) => {
    const { node } = makeNode(t, before);
    const { revoked } = publish(node);
    node.configure(configOf(after));
    assert.deepEqual(revoked, expected);
    assert.equal(node.local.find(name)?.publishedOver === "rtmp", expected.length === 0);
  });
}

test("the server's own publisher is no matter of permission", (t) => {
  const { node } = makeNode(t, "stream pub/camera { input fake://; }");
  node.start();
  assert.equal(node.local.find(name)?.publishedOver, "fake");
  node.configure(configOf("stream pub/camera { input fake://; title x; }"));
  assert.equal(node.local.find(name)?.publishedOver, "fake");
});

test("a file takes the place of the publisher that has to go, and the stream stays", (t) => {
  const { node } = makeNode(t, STREAM);
  publish(node);
  const stream = node.local.find(name);
  node.configure(configOf("stream pub/camera { input fake://; }"));
  assert.equal(node.local.find(name), stream);
  assert.equal(stream?.publishedOver, "fake");
});

/** The media playlist of the stream. */
function playlist(node: MediaNode): Promise<{ status: number; text: string }> {
  return get(node, "/pub/camera/tracks-v1/mono.m3u8");
}

async function get(node: MediaNode, path: string): Promise<{ status: number; text: string }> {
  const request: HttpRequest = {
    method: "GET",
    path,
    query: new URLSearchParams(),
    header: () => undefined,
    remoteAddress: "",
  };
  const reply = await node.handle(request);
  assert.ok(reply !== null);
  return { status: reply.status, text: Buffer.concat(reply.body).toString() };
}

test("new segment settings reach a stream that lives, and its publisher stays", async (t) => {
  const { node } = makeNode(
    t,
    "stream pub/camera { input publish://; segment_duration 1; segment_count 3; }",
  );
  const { revoked, send } = publish(node);
  send(10);
  assert.match((await playlist(node)).text, /TARGETDURATION:1\n/);
  node.configure(configOf("stream pub/camera { input publish://; segment_duration 4; segment_count 3; }"));
  send(20);
  const { text } = await playlist(node);
  assert.match(text, /TARGETDURATION:4\n[^]*EXTINF:4/);
  node.configure(
    configOf("stream pub/camera { input publish://; segment_duration 4; segment_count 4; title x; }"),
  );
  send(20);
  assert.equal((await playlist(node)).text.match(/EXTINF/g)?.length, 4);
  assert.deepEqual(revoked, []);
});

test("what is no matter of segments leaves a playlist as it is", async (t) => {
  const { node } = makeNode(t, "stream pub/camera { input publish://; segment_duration 1; }");
  const { send } = publish(node);
  send(10);
  const { text } = await playlist(node);
  node.configure(
    configOf(
      "stream pub/camera { input publish://; segment_duration 1; title x; source_timeout 7; prepush 2; }",
    ),
  );
  assert.deepEqual(await playlist(node), { status: 200, text });
});

test("a recording goes on where the configuration says now, and live goes on as it was", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "weir-roots-"));
  t.after(async () => await rm(root, { recursive: true }));
  const text = (dvr: string): string =>
    `stream pub/camera { input publish://; segment_duration 1; segment_count 50; dvr ${root}/${dvr}; }`;
  const { node } = makeNode(t, text("one"));
  const recorded = async (dvr: string): Promise<number[]> => {
    const bytes = await readFile(`${root}/${dvr}/pub/camera/2026/01/01/00.idx`).catch(() => null);
    const segments = bytes === null ? [] : [...HourIndex.parse(bytes).segments()];
    return segments.map(({ startUs }) => Math.round((startUs - FAKE_WALL_START_US) / 1e6));
  };
  const { send, revoked } = publish(node);
  send(10);
  await eventually(async () => assert.ok((await recorded("one")).length >= 9));
  // What never came in force takes nothing, and what is said anew changes nothing.
  node.configure(configOf(text("never fsync=none")));
  node.configure(configOf(text("other")));
  node.configure(configOf(text("other 7d")));
  send(10);
  await eventually(async () => assert.ok((await recorded("other")).length >= 8));
  node.configure(configOf(text("other schedule=1000-1100")));
  send(10);
  // In the same place with other options: the one before has given the stream back by then.
  node.configure(configOf(text("other fsync=none")));
  send(10);
  await eventually(async () => assert.equal((await recorded("other")).at(-1), 39));
  assert.deepEqual(await recorded("never"), []);
  const [one, other] = [await recorded("one"), await recorded("other")];
  const left = Array.from({ length: 40 }, (_, i) => i).filter((i) => ![...one, ...other].includes(i));
  assert.equal(one.at(-1)! + 1, other[0], "no segment is lost, and none is in both");
  assert.deepEqual([left.length, left.at(-1)! - left[0]!], [10, 9], "and none but those of the schedule");
  assert.doesNotMatch((await playlist(node)).text, /DISCONTINUITY\n/);
  assert.deepEqual(revoked, []);
});

test("recording is switched on and off while a stream lives, and its players do not notice", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "weir-switched-"));
  t.after(async () => await rm(root, { recursive: true }));
  const text = (dvr: string): string =>
    `stream pub/camera { input publish://; segment_duration 1; segment_count 50; ${dvr} }`;
  const { node } = makeNode(t, text(""));
  const recorded = async (): Promise<number[]> => {
    const bytes = await readFile(`${root}/pub/camera/2026/01/01/00.idx`).catch(() => null);
    const segments = bytes === null ? [] : [...HourIndex.parse(bytes).segments()];
    return segments.map(({ startUs }) => Math.round((startUs - FAKE_WALL_START_US) / 1e6));
  };
  const { send } = publish(node);
  const atLeast = async (segments: number): Promise<void> =>
    await eventually(async () => assert.ok((await recorded()).length >= segments));
  send(10);
  node.configure(configOf(text(`dvr ${root};`)));
  send(10);
  await atLeast(8);
  node.configure(configOf(text("dvr off;")));
  send(10);
  node.configure(configOf(text(`dvr ${root} 7d;`)));
  send(10);
  await atLeast(18);
  node.configure(configOf(text("")));
  send(10);
  await atLeast(19);
  // It is the segment that begins next with which it changes.
  const found = await recorded();
  const on = found.filter((at) => (at > 10 && at < 20) || (at > 30 && at < 40));
  assert.equal(on.length, 18, found.join(" "));
  assert.ok(
    found.every((at) => on.includes(at) || [10, 20, 30, 40].includes(at)),
    found.join(" "),
  );
  const live = (await playlist(node)).text;
  assert.doesNotMatch(live, /DISCONTINUITY\n/);
  assert.equal(live.match(/EXTINF/g)?.length, 50);
});

test("HLS that is switched on for a stream that lives plays, and takes no memory when it is switched off", async (t) => {
  const off = "stream pub/camera { input publish://; segment_duration 1; protocols -hls; }";
  const { node } = makeNode(t, off);
  const { send } = publish(node);
  send(10);
  await assert.rejects(playlist(node), { code: "STREAM_PROTOCOL_OFF" });
  node.configure(configOf("stream pub/camera { input publish://; segment_duration 1; }"));
  send(10);
  assert.equal((await playlist(node)).status, 200);
  node.configure(configOf(off));
  await assert.rejects(playlist(node), { code: "STREAM_PROTOCOL_OFF" });
});

const BUDGET_BYTES = 20_000_000;
const TWO = `stream pub/camera { input publish://; segment_duration 1; }
stream pub/small { input publish://; segment_duration 1; }`;
const small = parseStreamName("pub/small")!;

/** Who watches a stream of a node, and how that ended. */
function watch(node: MediaNode): SubscriptionEnd[] {
  const ends: SubscriptionEnd[] = [];
  node.local.subscribe({
    name,
    protocol: "flv",
    format: {
      id: "test",
      create: () => ({
        tracks: () => new Uint8Array(1),
        packet: ({ payload }, room) => room.reserve(payload.byteLength).set(payload, room.offset),
      }),
    },
    sink: { write: () => {}, queuedBytes: () => 0, end: (reason) => ends.push(reason) },
  });
  return ends;
}

test("streams that hold more than they may: the largest is ended with the reason, the others go on", (t) => {
  const { node, clock, log } = makeNode(t, TWO, { liveMemoryBytes: BUDGET_BYTES });
  const [large, other] = [publish(node, { payloadBytes: 100_000 }), publish(node, { as: small })];
  node.start();
  large.send(4);
  other.send(4);
  clock.advance(1000);
  assert.deepEqual(large.revoked, [], "10 MB are within the bound");
  large.send(8);
  clock.advance(1000);
  assert.deepEqual(large.revoked, ["it held the most memory while all streams held too much"]);
  assert.equal(node.local.find(name), null);
  assert.ok(node.stats().windowBytes < 1_000_000);
  assert.deepEqual(
    log.of("error").map(({ fields }) => [fields["stream"], fields["budgetBytes"]]),
    [[name, BUDGET_BYTES]],
  );
  other.send(4);
  clock.advance(10_000);
  assert.deepEqual(other.revoked, []);
  assert.equal(log.of("error").length, 1, "said once");
});

test("what viewers cause costs viewers before it costs a publisher", (t) => {
  const { node, clock, log } = makeNode(t, TWO, { liveMemoryBytes: BUDGET_BYTES });
  const { revoked, send } = publish(node, { payloadBytes: 20_000 });
  node.start();
  const ends = watch(node);
  clock.advance(1000);
  assert.deepEqual([ends, log.of("error")], [[], []]);
  const stream = node.local.find(name)!;
  // What a log holds depends on how fast its viewers read: here on nothing but whether there are any.
  const heldBytes = (): number => (ends.length === 0 ? BUDGET_BYTES + 1 : 0);
  t.mock.getter(stream, "sentBytes", heldBytes);
  t.mock.getter(stream, "heldBytes", heldBytes);
  send(1);
  clock.advance(1000);
  assert.deepEqual([ends, revoked], [["no-room"], []]);
  assert.match(log.of("error")[0]!.message, /viewers are ended/);
});

test("transport streams that are kept beside a window go before anybody is ended", async (t) => {
  const { node, clock, log } = makeNode(t, TWO, { liveMemoryBytes: BUDGET_BYTES });
  const { revoked, send } = publish(node, { payloadBytes: 70_000 });
  node.start();
  send(12);
  const segments = (await playlist(node)).text.match(/\d+(?=\.m4s)/g)!;
  const ownBytes = node.stats().windowBytes;
  for (const segment of segments)
    assert.equal((await get(node, `/pub/camera/tracks-v1/seg-${segment}.ts`)).status, 200);
  assert.ok(node.stats().windowBytes > BUDGET_BYTES, `${ownBytes}, then ${node.stats().windowBytes}`);
  clock.advance(1000);
  assert.deepEqual([node.stats().windowBytes, revoked, log.of("error")], [ownBytes, [], []]);
});

test("who watches a file over a WebSocket is a viewer until he leaves", async (t) => {
  const samples = new URL("../../samples", import.meta.url).pathname;
  const { node, clock } = makeNode(t, `vod vod { storage "${samples}"; }`);
  const written: string[] = [];
  const reply = await node.handle({
    method: "GET",
    path: "/vod/sample.mp4/mse_ld",
    query: new URLSearchParams(),
    header: (field) => (field === "upgrade" ? "websocket" : undefined),
    remoteAddress: "",
  });
  const peer = reply!.webSocket!({
    accept: () => written.push("accept"),
    write: () => written.push("frames"),
    sendText: () => {},
    queuedBytes: () => 0,
    close: () => written.push("close"),
  });
  assert.deepEqual([written, node.crowd().viewers], [["accept", "frames"], 1]);
  peer.close();
  assert.deepEqual([node.crowd().viewers, clock.pendingTimers], [0, 0]);
});
