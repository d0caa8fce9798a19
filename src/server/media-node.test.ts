import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { sourcePacket, videoTrack } from "../../test/support/media.ts";
import { AddressCounter } from "../base/address-counter.ts";
import { silentLogger } from "../base/log.ts";
import { loadConfig } from "../config/load.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { parseStreamName } from "../media/ids.ts";
import { MediaNode } from "./media-node.ts";

const name = parseStreamName("pub/camera")!;

function configOf(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

/** The media node of a server with one thread. */
function makeNode(t: TestContext, text: string): { node: MediaNode } {
  const nobody = (): never => assert.fail("one thread asks no other");
  const node = new MediaNode({
    config: configOf(text),
    clock: new FakeClock(),
    log: silentLogger,
    thread: {
      index: 0,
      count: 1,
      heldKib: new Int32Array(1),
      viewers: new Int32Array(1),
      homes: { claim: nobody, release: nobody, watch: nobody, unwatch: nobody },
    },
    addresses: new AddressCounter(100),
  });
  t.after(() => node.stop());
  return { node };
}

/** Publishes one picture over RTMP. Returns: why the publisher was taken off, once it was. */
function publish(node: MediaNode): { revoked: string[] } {
  const revoked: string[] = [];
  const publisher = node.local.publish({
    name,
    protocol: "rtmp",
    remoteAddress: "test",
    onRevoked: (reason) => revoked.push(reason),
  });
  const track = videoTrack();
  publisher.setTracks([track]);
  publisher.write(sourcePacket({ track, dts: 0, isSync: true }));
  return { revoked };
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
