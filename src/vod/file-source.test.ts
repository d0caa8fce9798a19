import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { silentLogger } from "../base/log.ts";
import type { SourcePacket } from "../media/packet.ts";
import type { Track } from "../media/track.ts";
import type { Publisher } from "../stream/directory.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import { startFileSource } from "./file-source.ts";
import { IndexedTrack } from "./indexed-track.ts";
import { readMediaFile } from "./media-file.ts";
import type { MediaFile } from "./media-file.ts";

const SAMPLE = readFileSync(new URL("../../samples/sample.mp4", import.meta.url));

class RecordingPublisher implements Publisher {
  patienceMs = (): number => 0;
  readonly packets: (SourcePacket & { atUs: number })[] = [];
  readonly trackSets: (readonly Track[])[] = [];
  readonly closed: string[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  setTracks(tracks: readonly Track[]): void {
    this.trackSets.push(tracks);
  }

  write(packet: SourcePacket): void {
    this.packets.push({ ...packet, atUs: this.#clock.nowUs() });
  }

  close(reason: string): void {
    this.closed.push(reason);
  }
}

const us = (packet: SourcePacket, ticks: number) => (ticks * 1e6) / packet.track.timescale;

async function start(options: { open?: () => Promise<MediaFile>; loop?: boolean } = {}) {
  const clock = new FakeClock();
  const publisher = new RecordingPublisher(clock);
  const source = new MemorySource(SAMPLE);
  const file = await readMediaFile(source);
  const { open = () => Promise.resolve(file), loop = true } = options;
  const player = startFileSource({ open, publisher, clock, log: silentLogger, loop });
  return { clock, publisher, source, file, player };
}

/** Packets of one track as `[round, number in the round]` must give them. */
function ofKind(packets: readonly (SourcePacket & { atUs: number })[], kind: string) {
  return packets.filter((packet) => packet.track.kind === kind);
}

describe("startFileSource", () => {
  test("sends each packet when its decode time comes, in order of time", async () => {
    const { clock, publisher, player } = await start();
    await clock.advanceSettling(4000, 5);
    player.stop();
    const { packets, trackSets } = publisher;
    assert.equal(trackSets.length, 1);
    assert.ok(
      Math.abs(ofKind(packets, "video").length - 100) <= 2,
      `${ofKind(packets, "video").length} pictures`,
    );
    assert.ok(
      Math.abs(ofKind(packets, "audio").length - 187) <= 4,
      `${ofKind(packets, "audio").length} sound frames`,
    );
    const startUs = packets[0]!.atUs;
    for (const [i, packet] of packets.entries()) {
      const lateUs = packet.atUs - startUs - us(packet, packet.dts);
      assert.ok(lateUs >= -1000 && lateUs < 60_000, `packet ${i} is ${lateUs} us late`);
      if (i > 0) assert.ok(us(packet, packet.dts) >= us(packets[i - 1]!, packets[i - 1]!.dts) - 1);
      assert.ok(packet.pts >= packet.dts);
    }
  });

  test("goes on without a jolt when the file begins again", async () => {
    const { clock, publisher, player } = await start();
    await clock.advanceSettling(20_000, 20);
    player.stop();
    for (const [kind, step] of [
      ["video", 40_000],
      ["audio", 21_333],
    ] as const) {
      const packets = ofKind(publisher.packets, kind);
      assert.ok(packets.length > 400);
      for (let i = 1; i < packets.length; i++) {
        const gap = us(packets[i]!, packets[i]!.dts - packets[i - 1]!.dts);
        assert.ok(Math.abs(gap - step) < 2, `${kind} packet ${i}: ${gap}`);
      }
    }
    const pictures = ofKind(publisher.packets, "video");
    assert.deepEqual(pictures[200]!.payload, pictures[0]!.payload);
    assert.equal(pictures[200]!.isSync, true);
    assert.equal(publisher.trackSets.length, 1);
  });

  test("keeps sound and video together over a thousand rounds of a file whose tracks are not equally long", async () => {
    const clock = new FakeClock();
    const publisher = new RecordingPublisher(clock);
    const file = await readMediaFile(new MemorySource(SAMPLE));
    // The first GOP alone, and of the sound a number of frames that no picture ends with.
    const [video, audio] = file.tracks;
    const short = { ...file, tracks: [cutTrack(video!, 25), cutTrack(audio!, 40)] };
    const roundUs = Math.max(...short.tracks.map((track) => track.endUs)) - file.startUs;
    const open = () => Promise.resolve({ ...short, endUs: file.startUs + roundUs });
    const player = startFileSource({ open, publisher, clock, log: silentLogger, loop: true });
    await clock.advanceSettling((roundUs / 1000) * 1001, 500);
    player.stop();
    const [pictures, frames] = [ofKind(publisher.packets, "video"), ofKind(publisher.packets, "audio")];
    assert.ok(pictures.length > 24_900, `${pictures.length} pictures`);
    const offset = (round: number) => {
      const [picture, frame] = [pictures[round * 25]!, frames[round * 40]!];
      return us(picture, picture.pts) - us(frame, frame.pts);
    };
    for (const round of [1, 10, 100, 500, 990]) {
      assert.ok(
        Math.abs(offset(round) - offset(0)) < 100,
        `round ${round}: ${offset(round) - offset(0)} us`,
      );
      const picture = pictures[round * 25]!;
      assert.ok(Math.abs(us(picture, picture.dts) - round * roundUs) < 100);
    }
  });

  test("reads no more than two seconds ahead", async () => {
    const { clock, publisher, source, player } = await start();
    await clock.advanceSettling(1500, 10);
    const sent = publisher.packets.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    const read = source.reads.slice(4).reduce((sum, { length }) => sum + length, 0);
    assert.ok(read - sent < 60_000, `${read - sent} bytes ahead`);
    player.stop();
  });

  test("tries again with longer and longer pauses when the file cannot be opened", async () => {
    const file = await readMediaFile(new MemorySource(SAMPLE));
    let attempts = 0;
    const open = () => (++attempts > 3 ? Promise.resolve(file) : Promise.reject(new Error("no disk")));
    const { clock, publisher, player } = await start({ open });
    await clock.advanceSettling(6900, 100);
    assert.equal(attempts, 3);
    await clock.advanceSettling(1100, 100);
    assert.equal(attempts, 4);
    await clock.advanceSettling(500, 10);
    assert.ok(publisher.packets.length > 10);
    player.stop();
  });

  test("opens the file again after a read that failed, and goes on in time", async () => {
    const { clock, publisher, source, player } = await start();
    await clock.advanceSettling(3000, 10);
    const before = publisher.packets.length;
    source.fail = new Error("the disk is gone");
    await clock.advanceSettling(4000, 10);
    source.fail = null;
    await clock.advanceSettling(6000, 10);
    player.stop();
    assert.ok(publisher.packets.length > before + 50);
    const pictures = ofKind(publisher.packets, "video");
    for (let i = 1; i < pictures.length; i++) assert.ok(pictures[i]!.dts > pictures[i - 1]!.dts);
  });

  test("plays another file from the next round on when the file was replaced", async () => {
    const files = await Promise.all(
      ["1", "1", "2"].map((version) => readMediaFile(new MemorySource(SAMPLE, { version }))),
    );
    let rounds = 0;
    const { clock, publisher, player } = await start({
      open: () => Promise.resolve(files[Math.min(rounds++, 2)]!),
    });
    await clock.advanceSettling(20_000, 20);
    player.stop();
    assert.deepEqual(publisher.trackSets, [files[0]!.trackSet.tracks, files[2]!.trackSet.tracks]);
    const pictures = ofKind(publisher.packets, "video");
    assert.equal(pictures[399]!.track, files[0]!.tracks[0]!.track);
    assert.equal(pictures[400]!.track, files[2]!.tracks[0]!.track);
    assert.equal(us(pictures[400]!, pictures[400]!.dts - pictures[399]!.dts), 40_000);
  });

  test("goes on from now after the process stood still, instead of catching up", async () => {
    const { clock, publisher, player } = await start();
    await clock.advanceSettling(1000, 10);
    clock.advance(60_000);
    const before = publisher.packets.length;
    await clock.advanceSettling(1000, 10);
    player.stop();
    assert.ok(
      publisher.packets.length - before < 300,
      `${publisher.packets.length - before} packets in a second`,
    );
  });

  test("ends with the file when it is not to loop", async () => {
    const { clock, publisher } = await start({ loop: false });
    await clock.advanceSettling(10_000, 20);
    assert.deepEqual(publisher.closed, ["the file ended"]);
    assert.deepEqual(
      [ofKind(publisher.packets, "video").length, ofKind(publisher.packets, "audio").length],
      [200, 375],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test("leaves nothing behind when it is stopped, at any time", async () => {
    for (const afterMs of [0, 5, 500, 7990]) {
      const { clock, publisher, player } = await start();
      await clock.advanceSettling(afterMs, 20);
      player.stop();
      player.stop();
      const sent = publisher.packets.length;
      await clock.advanceSettling(1000, 100);
      assert.equal(publisher.packets.length, sent);
      assert.equal(publisher.closed.length, 1);
      assert.equal(clock.pendingTimers, 0);
    }
  });
});

/** The first samples of a track as a track of its own. */
function cutTrack(track: IndexedTrack, end: number): IndexedTrack {
  const { samples } = track;
  const ptsShift = track.ptsAt(0) - samples.dtsAt(0) - samples.ctsOffsetAt(0);
  const leastCts = samples.minCtsOffset();
  return new IndexedTrack({ track: track.track, samples, first: 0, end, factor: 1, leastCts, ptsShift });
}
