import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../base/log.ts";
import { parseStreamName } from "../../media/ids.ts";
import { LocalDirectory } from "../../stream/local-directory.ts";
import type { StreamRules } from "../../stream/rules.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { audioTrack, sourcePacket, videoTrack } from "../../../test/support/media.ts";
import { boundedEvents, streamEvent, takeThreadEvent } from "./thread-events.ts";
import type { ThreadEvent } from "./thread-events.ts";

const NAME = parseStreamName("live/news")!;
const RULES: StreamRules = {
  name: NAME,
  disabled: false,
  acceptsPublisher: true,
  secondPublisher: "replace",
  sourceTimeoutMs: 10_000,
  prepushMs: 0,
  allowsProtocol: () => true,
};

function setUp(): {
  clock: FakeClock;
  directory: LocalDirectory;
  told: ThreadEvent[];
  publish: () => ReturnType<LocalDirectory["publish"]>;
} {
  const clock = new FakeClock();
  const told: ThreadEvent[] = [];
  const tell = boundedEvents(clock, silentLogger, (event) => told.push(structuredClone(event)));
  const directory = new LocalDirectory({
    clock,
    log: silentLogger,
    rulesOf: () => RULES,
    maxStreams: 10,
    equip: () => {},
    onClosed: () => {},
    onNotice: (notice) => streamEvent(notice, tell),
  });
  const publish = (): ReturnType<LocalDirectory["publish"]> =>
    directory.publish({ name: NAME, protocol: "rtmp", remoteAddress: "192.0.2.1", onRevoked: () => {} });
  return { clock, directory, told, publish };
}

test("a stream tells of its source from the first word to the last", () => {
  const { clock, told, publish } = setUp();
  const publisher = publish();
  const [video, audio] = [videoTrack(), audioTrack()];
  publisher.setTracks([video]);
  publisher.write(sourcePacket({ track: video, isSync: true }));
  publisher.write(sourcePacket({ track: video }));
  publisher.setTracks([video, audio]);
  publisher.close("it left");
  clock.advance(10_000);
  assert.deepEqual(
    told.map(({ name }) => name),
    [
      ...["stream_opened", "source_opened", "source_connected", "stream_updated", "source_started"],
      ...["source_updated", "stream_updated", "source_closed", "stream_closed"],
    ],
  );
  const source = { media: "live/news", proto: "rtmp", ip: "192.0.2.1" };
  assert.deepEqual(told[1]!.fields, source);
  const { id, codec, width, height } = video;
  assert.deepEqual(told[2]!.fields, { ...source, tracks: [{ id, kind: "video", codec, width, height }] });
  assert.equal(told[7]!.fields["reason"], "it left");
  assert.ok(Number(told[8]!.fields["bytes"]) > 0);
});

test("a stream tells of its bitrate when it is known, and when it is another one", () => {
  const { clock, told, publish } = setUp();
  const publisher = publish();
  const video = videoTrack();
  publisher.setTracks([video]);
  let frame = 0;
  const send = (seconds: number, payload: Uint8Array): void => {
    for (let n = 0; n < seconds * 25; n++) {
      publisher.write(sourcePacket({ track: video, dts: frame++ * 3600, isSync: true, payload }));
      clock.advance(40);
    }
  };
  send(90, new Uint8Array(10_000));
  send(65, new Uint8Array(5000));
  const updates = told.filter(({ name }) => name === "stream_updated").map(({ fields }) => fields);
  assert.deepEqual(
    updates.map(({ bitrate }) => bitrate),
    [undefined, 2000, 1000],
  );
  assert.deepEqual(Object.keys(updates[1]!), ["media", "tracks", "bitrate"]);
});

test("a source that is silent is lost, then closed", () => {
  const { clock, told, publish } = setUp();
  publish().setTracks([videoTrack()]);
  clock.advance(11_000);
  assert.deepEqual(
    told.slice(-3).map(({ name }) => name),
    ["source_lost", "source_closed", "stream_closed"],
  );
});

test("another publisher that takes over closes the first one's source", () => {
  const { told, publish } = setUp();
  publish();
  publish();
  assert.deepEqual(
    told.map(({ name }) => name),
    ["stream_opened", "source_opened", "source_closed", "source_opened"],
  );
});

test("a thread tells only so many events in a second", () => {
  const clock = new FakeClock();
  const told: ThreadEvent[] = [];
  const tell = boundedEvents(clock, silentLogger, (event) => told.push(event));
  for (let n = 0; n < 5000; n++) tell("stream_opened", { n });
  assert.equal(told.length, 2000);
  clock.advance(1000);
  tell("stream_opened", {});
  assert.equal(told.length, 2001);
});

test("the bus takes known names alone", () => {
  const names: string[] = [];
  const bus = { emit: (name: string) => names.push(name) };
  takeThreadEvent(bus, { name: "stream_opened", fields: {} });
  takeThreadEvent(bus, { name: "constructor" as "stream_opened", fields: {} });
  assert.deepEqual(names, ["stream_opened"]);
});
