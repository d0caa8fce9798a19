/** Every codec, in every shape in which it comes, through every output: read back, it is the source frame by frame. */
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { describe, test } from "node:test";
import { silentLogger } from "../../src/base/log.ts";
import { TsMuxer } from "../../src/containers/mpegts/muxer.ts";
import type { MediaPacket, SourcePacket } from "../../src/media/packet.ts";
import { makeTrackSet } from "../../src/media/track.ts";
import type { Track } from "../../src/media/track.ts";
import { rtmpFormat } from "../../src/protocols/rtmp/from-stream.ts";
import { RtmpIngest } from "../../src/protocols/rtmp/to-stream.ts";
import { makeClip } from "../support/ffmpeg.ts";
import type { ClipOptions } from "../support/ffmpeg.ts";
import { filePackets } from "../support/file-packets.ts";
import {
  MATRIX_FILE_OUTPUTS,
  MATRIX_OUTPUTS,
  MatrixNode,
  rtmpMessages,
} from "../support/matrix-outputs.ts";
import type { MatrixOutput, ReadFrame, TrackReading } from "../support/matrix-outputs.ts";
import { needs } from "../support/tools.ts";
import { packetBytes } from "../support/wire-room.ts";

/** A stretch of a source on one clock with one set of tracks. */
type Run = { readonly tracks: readonly Track[]; readonly packets: readonly SourcePacket[] };

type Case = {
  readonly name: string;
  readonly clips: readonly ClipOptions[];
  /** How it comes in; directly unless given. */
  readonly way?: keyof typeof WAYS;
  /** `change` takes sound away that segments have silence for. */
  readonly lacksSound?: boolean;
  /** What becomes of the clips' packets before they are published. */
  readonly change?: (runs: readonly Run[]) => readonly Run[];
};

const DURATION_S = 4;
/** Where a second clip begins behind the first: its last frame of sound ends a little later than the pictures. */
const AFTER_S = 4.096;
const clip = (options: Partial<ClipOptions> = {}): ClipOptions => ({
  durationS: DURATION_S,
  gopPictures: 25,
  ...options,
});

/** ffmpeg heeds the last one of an option, so this is what encodes. */
const AV1 = ["-c:v", "libaom-av1", "-cpu-used", "8", "-row-mt", "1", "-strict", "-2"];

const inSeconds = ({ dts, track }: SourcePacket): number => dts / track.timescale;

/** Leaves out packets. */
function without(run: Run, isLeftOut: (packet: SourcePacket) => boolean): Run {
  return { ...run, packets: run.packets.filter((packet) => !isLeftOut(packet)) };
}

/** The same on another clock. */
function moved(run: Run, seconds: number): Run {
  const packets = run.packets.map((packet) => {
    const ticks = seconds * packet.track.timescale;
    return { ...packet, dts: packet.dts + ticks, pts: packet.pts + ticks };
  });
  return { ...run, packets };
}

/** Sound may be so far behind the pictures in the order of the packets. */
const MAX_SEAM_S = 0.1;

const isSound = ({ track }: SourcePacket): boolean => track.kind === "audio";

const CASES: readonly Case[] = [
  { name: "H.264 with B-frames and AAC", clips: [clip()] },
  { name: "H.264 without B-frames and MP3", clips: [clip({ bFrames: 0, audio: "libmp3lame" })] },
  { name: "H.265 and AC-3", clips: [clip({ video: "libx265", audio: "ac3" })] },
  { name: "H.264 and Opus", clips: [clip({ audio: "libopus" })] },
  { name: "AV1 and Opus", clips: [clip({ audio: "libopus", extra: AV1 })] },
  {
    name: "open GOPs",
    clips: [clip({ bFrames: 3, extra: ["-x264-params", "open-gop=1:scenecut=0:b-adapt=0"] })],
  },
  {
    name: "a variable frame rate",
    clips: [clip({ extra: ["-vf", "select='lt(n,40)+not(mod(n,3))'", "-vsync", "vfr"] })],
  },
  { name: "pictures alone", clips: [clip({ audio: null })] },
  { name: "sound alone", clips: [clip({ video: null })] },
  {
    name: "sound that starts late",
    lacksSound: true,
    clips: [clip()],
    change: ([run]) => [without(run!, (packet) => isSound(packet) && inSeconds(packet) < 2)],
  },
  {
    name: "sound that is away for a while",
    lacksSound: true,
    clips: [clip()],
    change: ([run]) => [
      without(run!, (packet) => isSound(packet) && inSeconds(packet) > 1.2 && inSeconds(packet) < 2.8),
    ],
  },
  {
    name: "a resolution that changes",
    clips: [clip(), clip({ width: 640, height: 360 })],
    change: ([one, other]) => [one!, moved(other!, AFTER_S)],
  },
  {
    name: "a clock that jumps back an hour",
    clips: [clip()],
    change: ([one]) => [moved(one!, 3600), one!],
  },
  {
    name: "a clock that jumps on an hour",
    clips: [clip()],
    change: ([one]) => [one!, moved(one!, 3600)],
  },
  {
    name: "H.265 and AC-3 over Enhanced RTMP",
    clips: [clip({ video: "libx265", audio: "ac3" })],
    way: "rtmp",
  },
  { name: "AV1 and Opus over Enhanced RTMP", clips: [clip({ audio: "libopus", extra: AV1 })], way: "rtmp" },
  {
    name: "RTMP whose clock goes round",
    clips: [clip()],
    way: "rtmp",
    change: ([run]) => [moved(run!, 2 ** 32 / 1000 - 2)],
  },
  { name: "H.265 and AC-3 in MPEG-TS", clips: [clip({ video: "libx265", audio: "ac3" })], way: "mpegts" },
  {
    name: "MPEG-TS whose clock goes round",
    clips: [clip()],
    way: "mpegts",
    change: ([run]) => [moved(run!, 2 ** 33 / 90_000 - 2)],
  },
];

async function runOf(options: ClipOptions): Promise<Run> {
  const { tracks, packets } = await filePackets(await makeClip(options));
  return { tracks: tracks.tracks, packets };
}

/** A stream begins with its first random access point: what is in front of it is for nobody. */
function fromFirstKey(run: Run): Run {
  const reference = run.tracks.find(({ kind }) => kind === "video") ?? run.tracks[0];
  const first = run.packets.findIndex(({ track, isSync }) => track === reference && isSync);
  return { ...run, packets: run.packets.slice(first) };
}

/** Publishes runs, and listens with all outputs as soon as there is something to listen to. */
async function play(
  node: MatrixNode,
  runs: readonly Run[],
  way: keyof typeof WAYS,
): Promise<Map<MatrixOutput, ReturnType<MatrixOutput["listen"]>>> {
  const readers = new Map<MatrixOutput, ReturnType<MatrixOutput["listen"]>>();
  const publication = await WAYS[way](node);
  for (const run of runs) {
    publication.begin(run);
    for (const packet of run.packets) {
      publication.write(packet);
      if (readers.size > 0 || !node.isLive) continue;
      for (const output of MATRIX_OUTPUTS) {
        readers.set(output, output.listen(node));
        // A second viewer is nothing new to the log.
        output.listen(node);
      }
      // Those that answer with a promise listen by the time of the next packet.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  node.clock.advance(2000);
  publication.end();
  node.clock.advance(2000);
  return readers;
}

/** Somebody who publishes. */
type Publication = { begin(run: Run): void; write(packet: SourcePacket): void; end(): void };

const mediaOf = (packet: SourcePacket): MediaPacket => ({
  ...packet,
  startsGop: packet.isSync && packet.track.kind === "video",
  epoch: 1,
  arrivalUs: 0,
});

/** Ways into the server. */
const WAYS = {
  directly(node: MatrixNode): Publication {
    const publisher = node.publish();
    return {
      begin: ({ tracks }) => publisher.setTracks(tracks),
      write: (packet) => publisher.write(packet),
      end: () => publisher.close("the end"),
    };
  },
  /** As messages of an encoder that speaks Enhanced RTMP; its clock goes round after 49 days. */
  rtmp(node: MatrixNode): Publication {
    const ingest = new RtmpIngest(node.publish(), silentLogger);
    const format = rtmpFormat.create(0);
    const send = (bytes: Uint8Array): void => {
      for (const message of rtmpMessages([bytes])) ingest.message(message, node.clock.nowUs());
    };
    return {
      begin: ({ tracks, packets }) => {
        const { dts, track } = packets[0]!;
        send(format.tracks(makeTrackSet(1, tracks), (dts / track.timescale) * 1e6));
      },
      write: (packet) => {
        const bytes = packetBytes(format, mediaOf(packet));
        if (bytes !== null) send(bytes);
      },
      end: () => ingest.close("the end"),
    };
  },
  /** As a transport stream; its clock goes round after 26.5 hours. */
  async mpegts(node: MatrixNode): Promise<Publication> {
    const taker = await node.postTs();
    const muxer = new TsMuxer();
    return {
      begin: ({ tracks }) => void muxer.setTracks(makeTrackSet(1, tracks)),
      write: (packet) => {
        muxer.write(packet);
        if (muxer.lengthBytes > 0) taker.write(muxer.take());
      },
      end: () => {
        muxer.flush();
        taker.write(muxer.take());
        void taker.end();
      },
    };
  },
} as const;

const secondsOf = ({ pts, track }: SourcePacket): number => pts / track.timescale;

function ofTrack(run: Run, id: string): SourcePacket[] {
  return run.packets.filter(({ track }) => track.id === id);
}

/** Compares a track run by run: a new run may begin anywhere, but keeps its own distances. */
function assertTrack(
  got: readonly ReadFrame[],
  runs: readonly Run[],
  id: string,
  toleranceS: number,
): void {
  const wanted = runs.map((run) => ofTrack(run, id));
  assert.equal(got.length, wanted.flat().length, `frames of ${id}`);
  let at = 0;
  for (const [i, packets] of wanted.entries()) {
    const own = got.slice(at, (at += packets.length));
    if (packets.length === 0) continue;
    const shiftS = own[0]!.ptsS - secondsOf(packets[0]!);
    for (const [n, packet] of packets.entries()) {
      const where = `${id}, run ${i}, frame ${n}`;
      const offS = own[n]!.ptsS - shiftS - secondsOf(packet);
      assert.ok(Math.abs(offS) <= toleranceS, `${where} is ${offS} s off`);
      if (packet.track.kind === "video") assert.equal(own[n]!.isKey, packet.isSync, `key flag of ${where}`);
    }
  }
}

/**
 * The frames of sound that a source has sent, of those that came; the others are silence that took the place of what it
 * did not send. Sound goes on without a hole longer than a frame; where it comes back, what is behind the pictures in the
 * order of the packets meets silence that is there already.
 */
function assertFilled(readings: readonly TrackReading[], run: Run, toleranceS: number): void {
  const framesOf = (id: string): readonly ReadFrame[] =>
    readings.find((reading) => reading.id === id)!.frames;
  const [pictures, sound] = [framesOf("v1"), framesOf("a1")];
  const shiftS = pictures[0]!.ptsS - secondsOf(ofTrack(run, "v1")[0]!);
  const sent = ofTrack(run, "a1").map((packet) => secondsOf(packet) + shiftS);
  const isSent = ({ ptsS }: ReadFrame): boolean => sent.some((atS) => Math.abs(atS - ptsS) <= toleranceS);
  const { sampleRate } = run.tracks.find(({ id }) => id === "a1")!;
  const frameS = 1024 / sampleRate;
  const heard = sound.filter(isSent).length;
  const mostLost = Math.ceil(MAX_SEAM_S / frameS);
  assert.ok(heard >= sent.length - mostLost, `${heard} of ${sent.length} frames that were sent`);
  assert.ok(heard < sound.length, "some are silence");
  for (const [i, { ptsS }] of sound.entries()) {
    const stepS = i === 0 ? frameS : ptsS - sound[i - 1]!.ptsS;
    assert.ok(stepS > frameS - toleranceS && stepS < 2 * frameS, `frame ${i} of sound is ${stepS} s on`);
  }
}

/** Sound and pictures keep their distance within each run. */
function assertDistance(readings: readonly TrackReading[], run: Run, toleranceS: number): void {
  const shifts = readings
    .filter(({ frames }) => frames.length > 0)
    .map(({ id, frames }) => frames[0]!.ptsS - secondsOf(ofTrack(run, id)[0]!));
  for (const shift of shifts)
    assert.ok(Math.abs(shift - shifts[0]!) <= 2 * toleranceS, `tracks are ${shift - shifts[0]!} s apart`);
}

describe("the codec matrix", { skip: needs("ffmpeg"), timeout: 300_000 }, () => {
  for (const { name, clips, change, way = "directly", lacksSound = false } of CASES) {
    test(name, async (t) => {
      const made = await Promise.all(clips.map(runOf));
      const runs = (change?.(made) ?? made).map(fromFirstKey);
      const node = new MatrixNode(t);
      const readers = await play(node, runs, way);
      const tracks = new Map(runs.flatMap((run) => run.tracks).map((track) => [track.id as string, track]));
      const leftOut = MATRIX_OUTPUTS.flatMap(({ logName, carries }) =>
        [...tracks.values()]
          .filter(({ codec }) => logName !== undefined && !carries.has(codec))
          .map(({ id, codec }) => `${logName} ${id} ${codec}`),
      );
      assert.deepEqual(node.leftOut(), leftOut, "what the log says is left out, once");
      const lostS = way === "rtmp" ? 0.001 : 0;
      for (const [output, read] of readers) {
        await t.test(output.name, async () => {
          const ids = [...tracks].filter(([, { codec }]) => output.carries.has(codec)).map(([id]) => id);
          const readings = await read(ids);
          assert.deepEqual(readings.map(({ id }) => id).toSorted(), ids.toSorted());
          const isFilled = lacksSound && output.fillsSound === true;
          for (const { id, frames } of readings) {
            if (isFilled && id === "a1") assertFilled(readings, runs[0]!, output.toleranceS);
            else assertTrack(frames, runs, id, output.toleranceS + lostS);
          }
          if (!isFilled) assertDistance(readings, runs[0]!, output.toleranceS + lostS);
        });
      }
    });
  }
});

/** Files whose packets nobody changed: what the table has of them. */
const FILES = CASES.filter(
  ({ change, way, clips }) => change === undefined && way === undefined && clips.length === 1,
);

describe("the codec matrix of files", { skip: needs("ffmpeg"), timeout: 300_000 }, () => {
  for (const { name, clips } of FILES) {
    test(name, async (t) => {
      const path = await makeClip(clips[0]!);
      const run = await runOf(clips[0]!);
      const node = new MatrixNode(t, dirname(path));
      const ids = run.tracks.map(({ id }) => id as string);
      for (const output of MATRIX_FILE_OUTPUTS) {
        await t.test(output.name, async () => {
          const readings = await output.read(node, basename(path), ids);
          assert.deepEqual(readings.map(({ id }) => id).toSorted(), ids.toSorted());
          for (const { id, frames } of readings) assertTrack(frames, [run], id, output.toleranceS);
          assertDistance(readings, run, output.toleranceS);
        });
      }
    });
  }
});
