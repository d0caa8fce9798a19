import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { makeClip, probeFormat, runTool } from "../../../test/support/ffmpeg.ts";
import type { ProbedStream } from "../../../test/support/ffmpeg.ts";
import { filePackets } from "../../../test/support/file-packets.ts";
import { livePackets, videoTrack } from "../../../test/support/media.ts";
import { MemoryArchive, RECORDED_US } from "../../../test/support/memory-archive.ts";
import { needs } from "../../../test/support/tools.ts";
import { assertContinuous, tsPacketsOf } from "../../../test/support/ts-packets.ts";
import type { TsPacketFields } from "../../../test/support/ts-packets.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { TrackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import { TsExport } from "./ts-export.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-ts-export-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const HOUR_US = 3_600_000_000;

let archive: MemoryArchive;

beforeEach(() => {
  archive = new MemoryArchive();
});

async function piecesOf(made: TsExport): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of made.read()) pieces.push(piece);
  return pieces;
}

/** What a picture's payload has to be for a muxer to take it: an IDR picture, or another one, behind its length. */
function pictures(durationMs: number, bytes = 100): SourcePacket[] {
  return livePackets({ durationMs }).map((packet) => {
    if (packet.track.kind !== "video") return packet;
    const payload = new Uint8Array(bytes).fill(0x55);
    payload.set([0, 0, (bytes - 4) >>> 8, (bytes - 4) & 0xff, packet.isSync ? 0x65 : 0x41]);
    return { ...packet, payload };
  });
}

function pcrs(packets: readonly TsPacketFields[]): number[] {
  return packets.flatMap(({ pcr }) => (pcr === null ? [] : [pcr]));
}

describe("a range as a transport stream", () => {
  test("goes on without a break over chunks, segments and a gap", async () => {
    archive.record(pictures(3000), RECORDED_US);
    archive.record(pictures(3000), RECORDED_US + HOUR_US);
    const made = new TsExport(archive);
    const packets = tsPacketsOf(concatBytes(await piecesOf(made)));
    assertContinuous(packets);
    assert.deepEqual(
      packets.slice(0, 2).map(({ pid }) => pid),
      [0, 0x1000],
    );
    assert.ok(packets.every(({ isDiscontinuous }) => !isDiscontinuous));
    const clock = pcrs(packets);
    for (let i = 1; i < clock.length; i++) {
      const step = clock[i]! - clock[i - 1]!;
      assert.ok(step > 0 && step <= 0.1 * 90_000, `${step} ticks from clock ${i - 1} to the next`);
    }
    assert.ok(clock.at(-1)! - clock[0]! > 5.5 * 90_000 && clock.at(-1)! - clock[0]! < 6.5 * 90_000);
    assert.ok(Math.abs(made.durationUs - 6_000_000) < 100_000);
  });

  test("marks the place where a track's configuration changes", async () => {
    archive.record(pictures(2000), RECORDED_US);
    const wide = videoTrack({ width: 128 });
    const changed = pictures(2000).map((packet) =>
      packet.track.kind === "video" ? { ...packet, track: wide } : packet,
    );
    archive.record(changed, RECORDED_US + HOUR_US);
    const packets = tsPacketsOf(concatBytes(await piecesOf(new TsExport(archive))));
    assertContinuous(packets);
    assert.equal(packets.filter(({ isDiscontinuous }) => isDiscontinuous).length, 1);
  });

  test("is made piece by piece, as it is asked for", async () => {
    archive.record(pictures(6000, 9000), RECORDED_US);
    const made = new TsExport(archive);
    assert.equal(archive.reads.length, 0);
    const whole = Buffer.concat(await piecesOf(made));
    archive.reads.length = 0;
    let taken = 0;
    for await (const piece of made.read()) {
      taken += piece.byteLength;
      assert.ok(piece.byteLength <= 1.2 * 2 ** 20, `${piece.byteLength} bytes`);
      const read = archive.reads.reduce((sum, { length }) => sum + length, 0);
      assert.ok(read <= taken, `${read} bytes were read for ${taken}`);
    }
    assert.equal(taken, whole.byteLength);
  });

  test("has the tracks that were asked for, and none that it cannot carry", async () => {
    const av1 = { ...videoTrack(), codec: "av1" as const };
    const packets = livePackets({ durationMs: 1000, video: av1 });
    archive.record(packets, RECORDED_US);
    await piecesOf(new TsExport(archive));
    const sound = archive.chunks.filter(({ trackNumber }) => trackNumber === 101);
    assert.ok(
      archive.reads.every(({ offset }) =>
        sound.some((chunk) => offset >= chunk.offset && offset < chunk.offset + chunk.size),
      ),
    );
    assert.throws(() => new TsExport(archive, { tracks: ["v1" as TrackId] }), { code: "DVR_EXPORT_EMPTY" });
  });

  test("ends with the error of what it reads", async () => {
    archive.record(pictures(1000), RECORDED_US);
    const [file] = archive.mediaFiles.keys();
    archive.replace(file!, archive.bytesOf(file!).slice(0, -5));
    await assert.rejects(piecesOf(new TsExport(archive)), { code: "DVR_EXPORT_BAD_CHUNK" });
  });

  test(
    "has every packet in the eyes of ffprobe, with B-frames and a gap",
    { skip: needs("ffmpeg") },
    async () => {
      const { packets } = await filePackets(await makeClip({ durationS: 4, gopPictures: 25, bFrames: 2 }));
      archive.record(packets, RECORDED_US);
      archive.record(packets, RECORDED_US + HOUR_US);
      const file = join(folder, "gap.ts");
      writeFileSync(file, concatBytes(await piecesOf(new TsExport(archive))));
      const args = ["-v", "warning", "-count_packets", "-show_streams", "-of", "json", file];
      const { stdout, stderr } = await runTool("ffprobe", args, 60_000);
      assert.equal(stderr, "");
      const { streams } = JSON.parse(stdout) as { streams: ProbedStream[] };
      assert.deepEqual(
        Object.fromEntries(
          streams.map(({ codec_type, nb_read_packets }) => [codec_type, Number(nb_read_packets)]),
        ),
        { video: archive.samplesOf("v1"), audio: archive.samplesOf("a1") },
      );
      const decoded = await runTool(
        "ffmpeg",
        ["-v", "warning", "-nostdin", "-i", file, "-f", "null", "-"],
        60_000,
      );
      assert.equal(decoded.stderr, "");
      assert.ok(Math.abs(Number((await probeFormat(file)).duration) - 8.1) < 0.2);
    },
  );
});
