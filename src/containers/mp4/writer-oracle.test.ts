/** Judges of what the writer makes: ffprobe and mediabunny read it and must see the packets that went in. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { BufferSource, EncodedPacketSink, Input, MP4 } from "mediabunny";
import { concatBytes } from "../../base/bytes.ts";
import { annexBToLengthPrefixed, lengthPrefixedToAnnexB, nalUnitEnd } from "../../codecs/nal-units.ts";
import { buildTrack, frameDurationTicks } from "../../codecs/track.ts";
import { isAv1RandomAccess } from "../../codecs/av1/obu.ts";
import { findH264ParameterSets, isH264RandomAccess } from "../../codecs/h264/access-unit.ts";
import { findH265ParameterSets, isH265RandomAccess } from "../../codecs/h265/access-unit.ts";
import { trackId } from "../../media/ids.ts";
import type { Codec, Track } from "../../media/track.ts";
import type { FragmentTrack } from "./fragment.ts";
import { buildFragmentHeader } from "./fragment.ts";
import { buildInitSegment } from "./init-segment.ts";

const hasFfmpeg =
  spawnSync("ffmpeg", ["-version"]).status === 0 && spawnSync("ffprobe", ["-version"]).status === 0;
const options = { skip: hasFfmpeg ? false : "ffmpeg and ffprobe are not installed" };
const folder = mkdtempSync(join(tmpdir(), "weir-mp4-writer-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const PICTURE = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=2";
const TONE = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=2";
const ANY_VIDEO = "-pix_fmt yuv420p -video_track_timescale 90000";

type Case = {
  codec: Codec;
  encode: string;
  probed: string;
  codecString: RegExp;
  width?: number;
  channels?: number;
};

const cases: readonly Case[] = [
  {
    codec: "h264",
    encode: `${PICTURE} -c:v libx264 -preset ultrafast -bf 2 -g 25 ${ANY_VIDEO}`,
    probed: "h264",
    codecString: /^avc1\.[0-9a-f]{6}$/,
    width: 320,
  },
  {
    codec: "h264", // open GOPs: one IDR picture, then recovery points
    encode: `${PICTURE} -c:v libx264 -preset fast -x264-params keyint=20:min-keyint=20:open-gop=1:bframes=3 ${ANY_VIDEO}`,
    probed: "h264",
    codecString: /^avc1\.[0-9a-f]{6}$/,
    width: 320,
  },
  {
    codec: "h265",
    encode: `${PICTURE} -c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=25:bframes=2 -tag:v hvc1 ${ANY_VIDEO}`,
    probed: "hevc",
    codecString: /^hvc1\.1\.6\.L\d+/,
    width: 320,
  },
  {
    codec: "av1",
    encode: `${PICTURE} -c:v libaom-av1 -cpu-used 8 -usage realtime -g 25 ${ANY_VIDEO}`,
    probed: "av1",
    codecString: /^av01\.0\.0\dM\.08$/,
    width: 320,
  },
  {
    codec: "aac",
    encode: `${TONE} -c:a aac -ac 2`,
    probed: "aac",
    codecString: /^mp4a\.40\.2$/,
    channels: 2,
  },
  {
    codec: "mp3",
    encode: `${TONE} -c:a libmp3lame`,
    probed: "mp3",
    codecString: /^mp4a\.40\.34$/,
    channels: 1,
  },
  {
    codec: "mp3",
    encode: `${TONE} -c:a libmp3lame -ar 22050`,
    probed: "mp3",
    codecString: /^mp4a\.40\.34$/,
    channels: 1,
  },
  {
    codec: "opus",
    encode: `${TONE} -c:a libopus -ac 2`,
    probed: "opus",
    codecString: /^opus$/,
    channels: 2,
  },
  { codec: "ac3", encode: `${TONE} -c:a ac3 -ac 2`, probed: "ac3", codecString: /^ac-3$/, channels: 2 },
  { codec: "eac3", encode: `${TONE} -c:a eac3 -ac 6`, probed: "eac3", codecString: /^ec-3$/, channels: 6 },
];

type ProbedPacket = {
  dts: number;
  pts: number;
  duration: number;
  size: string;
  pos: string;
  flags: string;
  data_hash: string;
};
type Probed = {
  packets: (ProbedPacket & { stream_index: number })[];
  streams: Record<string, string | number>[];
};

function probe(file: string): Probed {
  const args =
    "-v error -ignore_editlist 1 -show_packets -show_streams -show_data -show_data_hash md5 -of json";
  return JSON.parse(
    execFileSync("ffprobe", [...args.split(" "), file], { encoding: "utf8", maxBuffer: 1 << 27 }),
  ) as Probed;
}

/** ffprobe prints data as lines of `offset: 8 groups of hex  text`. */
function hexDump(text: unknown): Uint8Array {
  if (typeof text !== "string") return new Uint8Array(0);
  const hex = text.split("\n").map((line) => line.slice(10, 49).replaceAll(" ", ""));
  return Uint8Array.from(Buffer.from(hex.join(""), "hex"));
}

type Source = { track: Track; packets: ProbedPacket[]; payloads: Uint8Array[] };

function encode(name: string, codec: Codec, command: string): Source {
  const file = join(folder, `${name}.source.mp4`);
  execFileSync("ffmpeg", ["-v", "error", "-y", ...command.split(" "), "-threads", "1", file]);
  const { streams, packets } = probe(file);
  const bytes = new Uint8Array(readFileSync(file));
  const payloads = packets.map(({ pos, size }) => bytes.subarray(Number(pos), Number(pos) + Number(size)));
  const stream = streams[0]!;
  const isVideo = stream["codec_type"] === "video";
  const config =
    codec === "mp3" || codec === "ac3" || codec === "eac3"
      ? new Uint8Array(0)
      : hexDump(stream["extradata"]);
  const track = buildTrack({
    id: trackId(isVideo ? "video" : "audio", 1),
    codec,
    config,
    firstFrame: payloads[0]!,
    language: "en",
  });
  return { track, packets, payloads };
}

/** Cuts `[from, to)` of a source into the columns that the writer takes. */
function columns(source: Source, from: number, to: number): { columns: FragmentTrack; block: Uint8Array } {
  const packets = source.packets.slice(from, to);
  const block = concatBytes(source.payloads.slice(from, to));
  return {
    columns: {
      track: source.track,
      baseDts: packets[0]?.dts ?? 0,
      count: packets.length,
      sizes: Uint32Array.from(packets, (packet) => Number(packet.size)),
      durations: Uint32Array.from(packets, (packet) => packet.duration),
      ctsOffsets: Int32Array.from(packets, (packet) => packet.pts - packet.dts),
      syncFlags: Uint8Array.from(packets, (packet) => (packet.flags.startsWith("K") ? 1 : 0)),
      dataBytes: block.byteLength,
    },
    block,
  };
}

/** A file of an init segment and fragments of some samples of every source. */
function write(sources: readonly Source[], perFragment: number): Uint8Array {
  const out = [buildInitSegment(sources.map(({ track }) => track))];
  const longest = Math.max(...sources.map(({ packets }) => packets.length));
  for (let from = 0, sequence = 1; from < longest; from += perFragment, sequence++) {
    const parts = sources.map((source) => columns(source, from, from + perFragment));
    const tracks = parts.map((part) => part.columns);
    out.push(
      buildFragmentHeader(sequence, tracks, { styp: sequence % 2 === 1, utcUs: 1_700_000_000_000_000 }),
    );
    out.push(...parts.map((part) => part.block));
  }
  return concatBytes(out);
}

const facts = ({ dts, pts, size, flags, data_hash }: ProbedPacket) => ({
  dts,
  pts,
  size,
  key: flags[0],
  data_hash,
});

for (const [index, { codec, encode: command, probed, codecString, width, channels }] of cases.entries()) {
  test(`ffprobe and mediabunny read back every ${codec} packet of case ${index}`, options, async () => {
    const source = encode(`${index}`, codec, command);
    const { track } = source;
    assert.match(track.codecString, codecString);
    assert.equal(track.width, width ?? 0);
    assert.equal(track.channels, channels ?? 0);
    const file = join(folder, `${index}.mp4`);
    const bytes = write([source], 7);
    writeFileSync(file, bytes);

    const { streams, packets } = probe(file);
    assert.equal(streams.length, 1);
    assert.equal(streams[0]!["codec_name"], probed);
    assert.equal(streams[0]!["time_base"], `1/${track.timescale}`);
    if (width !== undefined) assert.deepEqual([streams[0]!["width"], streams[0]!["height"]], [320, 180]);
    if (channels !== undefined) assert.equal(streams[0]!["channels"], channels);
    assert.deepEqual(packets.map(facts), source.packets.map(facts));
    checkPackets(source);

    const input = new Input({ formats: [MP4], source: new BufferSource(bytes) });
    const [read] = await input.getTracks();
    const timestamps: number[] = [];
    const sizes: number[] = [];
    for await (const packet of new EncodedPacketSink(read!).packets()) {
      timestamps.push(Math.round(packet.timestamp * track.timescale));
      sizes.push(packet.byteLength);
    }
    assert.deepEqual(
      timestamps,
      source.packets.map(({ pts }) => pts),
    );
    assert.deepEqual(
      sizes,
      source.packets.map(({ size }) => Number(size)),
    );
    assert.equal(await read!.getLanguageCode(), "eng");
  });
}

/** What the codec room says of real packets is what ffmpeg says. */
function checkPackets({ track, packets, payloads }: Source): void {
  const isRandomAccess = { h264: isH264RandomAccess, h265: isH265RandomAccess, av1: isAv1RandomAccess }[
    track.codec as string
  ];
  for (const [i, payload] of payloads.entries()) {
    if (isRandomAccess)
      assert.equal(isRandomAccess(payload), packets[i]!.flags.startsWith("K"), `packet ${i}`);
    // The last packet of a file may be cut shorter by its container.
    else if (i < payloads.length - 1)
      assert.equal(frameDurationTicks(track, payload), packets[i]!.duration);
  }
}

const VIDEO = cases[0]!.encode;
const AUDIO = `${TONE} -c:a aac -ac 2`;

/** What ffmpeg complains about while it decodes a whole file. */
function decode(file: string): string {
  return spawnSync("ffmpeg", ["-v", "error", "-i", file, "-f", "null", "-"], { encoding: "utf8" }).stderr;
}

test("one set of blocks serves every selection of tracks, and ffmpeg decodes each", options, () => {
  const sources = [encode("v1", "h264", VIDEO), encode("a1", "aac", AUDIO)] as const;
  const selections = [[sources[0], sources[1]], [sources[1], sources[0]], [sources[0]], [sources[1]]];
  for (const [index, selection] of selections.entries()) {
    const file = join(folder, `selection-${index}.mp4`);
    writeFileSync(file, write(selection, 12));
    const { streams, packets } = probe(file);
    assert.deepEqual(
      streams.map((stream) => stream["id"]),
      selection.map(({ track }) => (track.kind === "video" ? "0x1" : "0x65")),
    );
    for (const [stream, source] of selection.entries()) {
      const own = packets.filter(({ stream_index }) => stream_index === stream);
      assert.deepEqual(own.map(facts), source.packets.map(facts));
    }
    assert.equal(decode(file), "");
  }
});

/** Hexadecimal text of each NAL unit in a length-prefixed payload. */
function nalUnits(payload: Uint8Array): string[] {
  const units: string[] = [];
  for (let at = 0, end = 0; at < payload.length; at = end) {
    end = nalUnitEnd(payload, at);
    assert.ok(end > 0);
    units.push(Buffer.from(payload.subarray(at + 4, end)).toString("hex"));
  }
  return units;
}

for (const [format, index, findParameterSets] of [
  ["h264", 0, findH264ParameterSets],
  ["hevc", 2, findH265ParameterSets],
] as const) {
  test(
    `the ${format} byte stream that ffmpeg writes has the NAL units of the MP4, and ours is read by ffmpeg`,
    options,
    () => {
      const { codec, encode: command } = cases[index]!;
      const { payloads } = encode(`annexb-${format}`, codec, command);
      const file = join(folder, `annexb.${format}`);
      const source = join(folder, `annexb-${format}.source.mp4`);
      execFileSync("ffmpeg", ["-v", "error", "-y", "-i", source, "-c", "copy", "-f", format, file]);
      const prefixed = annexBToLengthPrefixed(new Uint8Array(readFileSync(file)))!;
      const theirs = new Set(nalUnits(prefixed));
      for (const unit of payloads.flatMap(nalUnits)) assert.ok(theirs.has(unit));

      const { sps, pps, vps } = { vps: [], ...findParameterSets(prefixed) };
      const parameterSets = [...vps.slice(0, 1), sps[0]!, pps[0]!].map((unit) =>
        Uint8Array.of(0, 0, 0, 1, ...unit),
      );
      const ours = join(folder, `ours.${format}`);
      writeFileSync(ours, concatBytes([...parameterSets, ...payloads.map(lengthPrefixedToAnnexB)]));
      assert.equal(probe(ours).packets.length, payloads.length);
      assert.equal(decode(ours), "");
    },
  );
}
