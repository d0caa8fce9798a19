import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { videoTrack } from "../../../test/support/media.ts";
import { concatBytes } from "../../base/bytes.ts";
import { silentLogger } from "../../base/log.ts";
import { SlabAllocator } from "../../base/slab-allocator.ts";
import { buildConfigBody, buildFrameBody } from "../../containers/flv/tag-writer.ts";
import type { StreamName } from "../../media/ids.ts";
import type { MediaPacket, PacketSink } from "../../media/packet.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import { SendPace } from "../../stream/send-pace.ts";
import { LiveStream } from "../../stream/live-stream.ts";
import { RtmpIngest } from "./to-stream.ts";
import { ChunkReader, DEFAULT_CHUNK_LIMITS } from "./wire/chunk-reader.ts";
import { buildMessage } from "./wire/chunk-writer.ts";
import { amfObject } from "./wire/amf-value.ts";
import { writeAmf0 } from "./wire/amf0.ts";
import { MESSAGE } from "./wire/messages.ts";

const video = videoTrack();
const FPS = 25;
const GOP_FRAMES = 25;
const FRAME_BYTES = 2000;
const CHUNK = 128;

/** One NAL unit; `frame` stands in every byte of it. */
function picture(frame: number): Uint8Array {
  const payload = new Uint8Array(FRAME_BYTES).fill(frame & 0xff);
  payload.set([
    0,
    0,
    (FRAME_BYTES - 4) >> 8,
    (FRAME_BYTES - 4) & 0xff,
    frame % GOP_FRAMES === 0 ? 0x65 : 0x41,
  ]);
  return payload;
}

/** A publisher, from chunks to its stream; every payload is in slabs. */
class Source {
  readonly memory: SlabAllocator;
  readonly stream: LiveStream;
  readonly buffers = new Set<ArrayBufferLike>();
  readonly #clock = new FakeClock();
  readonly #reader: ChunkReader;
  readonly #ingest: RtmpIngest;
  frame = 0;

  constructor() {
    this.memory = new SlabAllocator();
    this.#reader = new ChunkReader(DEFAULT_CHUNK_LIMITS, this.memory);
    const rules = {
      name: "camera" as StreamName,
      disabled: false,
      acceptsPublisher: true,
      secondPublisher: "refuse",
      sourceTimeoutMs: false,
      prepushMs: 0,
      allowsProtocol: () => true,
    } as const;
    this.stream = new LiveStream(rules, {
      clock: this.#clock,
      pace: new SendPace(),
      log: silentLogger,
      onIdle: () => {},
    });
    const request = { name: rules.name, protocol: "rtmp", remoteAddress: "", onRevoked: () => {} };
    this.#ingest = new RtmpIngest(this.stream.publish(request), silentLogger);
    const facts = writeAmf0(["onMetaData", amfObject({ videocodecid: 7 })]);
    this.#send(MESSAGE.dataAmf0, 0, facts);
    this.#send(MESSAGE.video, 0, buildConfigBody(video)!);
  }

  #send(typeId: number, timestampMs: number, body: Uint8Array): void {
    const chunks = buildMessage({ chunkStreamId: 6, typeId, timestampMs, messageStreamId: 1 }, body, CHUNK);
    this.#reader.feed(chunks.subarray(0, 500));
    this.#drain();
    this.#reader.feed(chunks.subarray(500));
    this.#drain();
  }

  #drain(): void {
    for (let message = this.#reader.next(); message !== null; message = this.#reader.next()) {
      if (message.slab !== null) this.buffers.add(message.body.buffer);
      this.#ingest.message(message, this.#clock.nowUs());
      message.slab?.release();
    }
  }

  /** Sends so many frames in their time. */
  play(frames: number): void {
    for (let i = 0; i < frames; i++, this.frame++) {
      this.#clock.advance(1000 / FPS);
      const form = { isKey: this.frame % GOP_FRAMES === 0, ctsOffsetMs: 0 };
      this.#send(
        MESSAGE.video,
        (this.frame * 1000) / FPS,
        buildFrameBody(video, form, picture(this.frame)),
      );
    }
  }
}

class Recorder implements PacketSink {
  readonly releasesSlabs: boolean;
  readonly packets: MediaPacket[] = [];

  constructor(releasesSlabs: boolean) {
    this.releasesSlabs = releasesSlabs;
  }
  onTracks(): void {}
  onPacket(packet: MediaPacket): void {
    this.packets.push(packet);
  }
  onPause(): void {}
  onEnd(): void {}
}

/** The packets are those of the frames from `first` on. */
function checkPackets(packets: readonly MediaPacket[], first: number): void {
  for (const [i, { payload }] of packets.entries()) {
    assert.ok(Buffer.from(picture(first + i)).equals(payload), `frame ${first + i}`);
  }
}

test("the GOP cache shows what was sent while slabs go round", () => {
  const source = new Source();
  for (let round = 0; round < 100; round++) {
    source.play(17);
    // Who joins is given the cache at once, and keeps nothing.
    const joiner = new Recorder(true);
    source.stream.attach(joiner);
    assert.ok(joiner.packets.length > 0);
    checkPackets(joiner.packets, source.frame - joiner.packets.length);
  }
  assert.ok(source.buffers.size < 20, `${source.buffers.size} slabs for ${source.frame} frames`);
});

test("segments show what was sent while slabs go round", () => {
  const source = new Source();
  const window = new LiveWindow({ segmentDurationUs: 2_000_000, segmentCount: 3 });
  source.stream.attach(window);
  source.play(1500);
  const slabs = source.buffers.size;
  source.play(3010);
  assert.ok(source.buffers.size < slabs * 2, `${slabs}, then ${source.buffers.size} slabs`);
  const { segments } = window.timeline();
  assert.equal(segments.length, 3);
  const media = segments.flatMap(({ name }) => [...window.segment(name, [video.id])!.slice(1)]);
  const samples = concatBytes(media);
  const count = samples.byteLength / FRAME_BYTES;
  assert.ok(count > 100);
  const first = samples[FRAME_BYTES - 1]!;
  const behind = (source.frame - count - first) & 0xff;
  assert.ok(behind < 100, "the segments are the last ones");
  for (let i = 0; i < count; i++) {
    const sample = samples.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES);
    assert.ok(
      sample.subarray(5).every((byte) => byte === ((first + i) & 0xff)),
      `sample ${i}`,
    );
  }
});

for (const frames of [28, 32, 36, 40, 44, 49]) {
  test(`what a sink that releases nothing was given from frame ${frames} on stays for ever`, () => {
    const source = new Source();
    source.play(250 + frames);
    const late = new Recorder(false);
    source.stream.attach(late);
    source.play(2000);
    checkPackets(late.packets, source.frame - late.packets.length);
    assert.ok(late.packets.length > 2000);
  });
}

test("a track keeps its configuration when the memory of its message is used again", () => {
  const source = new Source();
  source.play(1000);
  assert.deepEqual(source.stream.summary().tracks!.tracks[0]!.config, video.config);
});
