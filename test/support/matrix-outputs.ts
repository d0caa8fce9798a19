/** What each output makes of a stream, read back frame by frame, for the codec matrix. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { AddressCounter } from "../../src/base/address-counter.ts";
import { concatBytes, readU24, readU32 } from "../../src/base/bytes.ts";
import type {
  HttpReply,
  HttpRequest,
  HttpUploadTaker,
  WebSocketPeer,
} from "../../src/base/http-message.ts";
import { parseAudioTag } from "../../src/containers/flv/audio-tag.ts";
import { parseVideoTag } from "../../src/containers/flv/video-tag.ts";
import { loadConfig } from "../../src/config/load.ts";
import { parseStreamName } from "../../src/media/ids.ts";
import type { Codec } from "../../src/media/track.ts";
import { MessageBatch } from "../../src/stream/message-batch.ts";
import { rtmpFormat, SENT_CHUNK_BYTES } from "../../src/protocols/rtmp/from-stream.ts";
import { ChunkReader } from "../../src/protocols/rtmp/wire/chunk-reader.ts";
import { buildMessage } from "../../src/protocols/rtmp/wire/chunk-writer.ts";
import { MESSAGE, buildControlNumber } from "../../src/protocols/rtmp/wire/messages.ts";
import { controlOf } from "../../src/server/access/session-authority.ts";
import { openAuthority } from "./open-authority.ts";
import { MediaNode } from "../../src/server/media-node.ts";
import type { Publisher } from "../../src/stream/directory.ts";
import { FakeClock } from "./fake-clock.ts";
import { probePackets } from "./ffmpeg.ts";
import { RecordingLog } from "./recording-log.ts";
import { parsePlaylistText } from "./media-playlist-text.ts";

/** A frame as a reader of an output shows it. Units: seconds on whatever clock the output has. */
export type ReadFrame = { readonly ptsS: number; readonly isKey: boolean };

/** The frames of one track, in decode order. */
export type TrackReading = { readonly id: string; readonly frames: readonly ReadFrame[] };

/** One output: which codecs it can carry, and how it is read. */
export type MatrixOutput = {
  readonly name: string;
  readonly carries: ReadonlySet<Codec>;
  /** What the log calls it when it leaves a track out; none where it never does, or tells its viewers. */
  readonly logName?: string;
  /** How far its times may be from the source's. Units: seconds. */
  readonly toleranceS: number;
  /** Silence takes the place of AAC that does not come. */
  readonly fillsSound?: boolean;
  /** Begins to listen, once the stream is on air; what it gives reads all there was, once the stream has ended. */
  listen(node: MatrixNode): (ids: readonly string[]) => Promise<readonly TrackReading[]>;
};

const NAME = parseStreamName("live")!;
const EVERY: readonly Codec[] = ["h264", "h265", "av1", "aac", "mp3", "opus", "ac3"];
const decoder = new TextDecoder();

/** A media node with one stream, `live`, and the files of a folder below `vod`. */
export class MatrixNode {
  readonly clock = new FakeClock();
  readonly node: MediaNode;
  readonly log = new RecordingLog();
  readonly folder: string;

  constructor(t: TestContext, vodFolder = "/nonexistent") {
    this.folder = mkdtempSync(join(tmpdir(), "weir-matrix-"));
    const text =
      "stream live { input publish://; segment_count 100; segment_duration 1; }" +
      `vod vod { storage ${vodFolder}; segment_duration 1; }`;
    const { config, problems } = loadConfig([{ file: "a.conf", text }]);
    assert.ok(config !== undefined, JSON.stringify(problems));
    const nobody = (): never => assert.fail("one thread asks no other");
    this.node = new MediaNode({
      config,
      clock: this.clock,
      log: this.log,
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
    });
    t.after(async () => {
      await this.node.stop();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Publishes to `live`. */
  publish(): Publisher {
    return this.node.local.publish({
      name: NAME,
      protocol: "rtmp",
      remoteAddress: "test",
      onRevoked: (reason) => assert.fail(reason),
    });
  }

  /** Publishes to `live` over HTTP, as `POST /live/mpegts`; gives the taker once it is ready for the body. */
  async postTs(): Promise<HttpUploadTaker> {
    const request = { ...requestFor("/live/mpegts"), method: "POST" };
    const reply = this.node.takes(request);
    assert.ok(reply?.upload !== undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    let isPaused = false;
    const taker = reply.upload({
      pause: () => void (isPaused = true),
      resume: () => resolve(),
      finish: (answer) => assert.fail(`finished early: ${answer.status}`),
      fail: (error) => assert.fail(error as Error),
    });
    if (isPaused) await promise;
    return taker;
  }

  /** Tracks that the log said an output leaves out, e.g. `mpegts v1 av1`. */
  leftOut(): string[] {
    const lines = this.log.lines.filter(({ message }) => message.includes("leaves out tracks"));
    return lines.flatMap(({ fields }) =>
      Array.from(
        String(fields["tracks"]).matchAll(/(\w+) \((\w+)\)/g),
        ([, id, codec]) => `${String(fields["output"])} ${id} ${codec}`,
      ),
    );
  }

  /** Whether `live` can be listened to. */
  get isLive(): boolean {
    return this.node.local.find(NAME)?.isLive === true;
  }

  /** What a request is answered, with its whole body where it has an end. */
  async get(path: string): Promise<Uint8Array> {
    const reply = await this.reply(path);
    assert.equal(reply.status, 200, path);
    return concatBytes([...reply.body]);
  }

  /** The answer itself. */
  async reply(path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpReply> {
    const reply = await this.node.handle(requestFor(path, headers));
    assert.ok(reply !== null, path);
    return reply;
  }

  /** Writes bytes to a file and lets ffprobe read it. */
  async probe(file: string, bytes: Uint8Array): Promise<Awaited<ReturnType<typeof probePackets>>> {
    const path = join(this.folder, file);
    writeFileSync(path, bytes);
    return await probePackets(path);
  }
}

function requestFor(path: string, headers: Readonly<Record<string, string>> = {}): HttpRequest {
  const [name = "", query = ""] = path.split("?");
  const header = (key: string): string | undefined => headers[key];
  return { method: "GET", path: name, query: new URLSearchParams(query), header, remoteAddress: "test" };
}

/** Collects an endless body. */
async function collectBody(node: MatrixNode, path: string): Promise<Uint8Array[]> {
  const reply = await node.reply(path);
  const chunks: Uint8Array[] = [];
  reply.stream!({
    write: (bytes) => void chunks.push(Uint8Array.from(bytes)),
    queuedBytes: () => 0,
    end: () => {},
    abort: () => assert.fail("the body broke off"),
  });
  return chunks;
}

/** The frames of FLV's tags, or RTMP's messages, with the times that stand in them. */
function tagged(
  messages: Iterable<{ typeId: number; timestampMs: number; body: Uint8Array }>,
): TrackReading[] {
  const frames = new Map<string, ReadFrame[]>();
  for (const { typeId, timestampMs, body } of messages) {
    if (typeId !== MESSAGE.video && typeId !== MESSAGE.audio) continue;
    const isVideo = typeId === MESSAGE.video;
    for (const unit of isVideo ? parseVideoTag(body) : parseAudioTag(body)) {
      if (unit.type !== "frame") continue;
      const id = `${isVideo ? "v" : "a"}${unit.trackIndex + 1}`;
      const own = frames.get(id) ?? [];
      frames.set(id, own);
      own.push({ ptsS: (timestampMs + unit.ctsOffsetMs) / 1000, isKey: unit.isKey });
    }
  }
  return [...frames].map(([id, own]) => ({ id, frames: own }));
}

function probedFrames(packets: Awaited<ReturnType<typeof probePackets>>): ReadFrame[] {
  return packets.map(({ pts_time, flags }) => ({ ptsS: Number(pts_time), isKey: flags.startsWith("K") }));
}

function* flvMessages(bytes: Uint8Array) {
  for (let at = 13; at + 15 <= bytes.byteLength;) {
    const size = readU24(bytes, at + 1);
    const timestampMs = (readU24(bytes, at + 4) | (bytes[at + 7]! << 24)) >>> 0;
    yield { typeId: bytes[at]!, timestampMs, body: bytes.subarray(at + 11, at + 11 + size) };
    at += 15 + size;
  }
}

/** The messages in what our RTMP output wrote. */
export function* rtmpMessages(bytes: readonly Uint8Array[]) {
  const chunks = new ChunkReader();
  const header = { chunkStreamId: 2, timestampMs: 0, typeId: MESSAGE.setChunkSize, messageStreamId: 0 };
  chunks.feed(buildMessage(header, buildControlNumber(SENT_CHUNK_BYTES), 128));
  chunks.feed(concatBytes([...bytes]));
  for (let message = chunks.next(); message !== null; message = chunks.next()) yield message;
}

const flv: MatrixOutput = {
  name: "HTTP-FLV",
  logName: "flv",
  carries: new Set(EVERY),
  toleranceS: 0.0011,
  listen(node) {
    const chunks = collectBody(node, "/live.flv");
    return async () => tagged(flvMessages(concatBytes(await chunks)));
  },
};

const rtmp: MatrixOutput = {
  name: "RTMP",
  logName: "rtmp",
  carries: new Set(EVERY),
  toleranceS: 0.0011,
  listen({ node }) {
    const chunks: Uint8Array[] = [];
    node.local.subscribe({
      name: NAME,
      protocol: "rtmp",
      format: rtmpFormat,
      sink: {
        write: (bytes) => void chunks.push(Uint8Array.from(bytes)),
        queuedBytes: () => 0,
        end: () => {},
      },
    });
    return async () => tagged(rtmpMessages(chunks));
  },
};

const TS_CODECS: Readonly<Record<string, string>> = { video: "v1", audio: "a1" };

const ts: MatrixOutput = {
  name: "MPEG-TS over HTTP",
  logName: "mpegts",
  carries: new Set(EVERY.filter((codec) => codec !== "av1")),
  toleranceS: 0.0001,
  listen(node) {
    const chunks = collectBody(node, "/live/mpegts");
    return async () => {
      const packets = await node.probe("live.ts", concatBytes(await chunks));
      const kinds = [...new Set(packets.map(({ codec_type }) => codec_type))];
      return kinds.map((kind) => ({
        id: TS_CODECS[kind]!,
        frames: probedFrames(packets.filter(({ codec_type }) => codec_type === kind)),
      }));
    };
  },
};

/** The segments of one track of a media playlist, read stretch by stretch as each has an init segment of its own. */
export async function readPlaylist(node: MatrixNode, path: string): Promise<ReadFrame[]> {
  const { segments } = parsePlaylistText(decoder.decode(await node.get(path)));
  const base = path.slice(0, path.lastIndexOf("/") + 1);
  const pieces = new Map<string, Uint8Array[]>();
  for (const { uri, map, discontinuityNumber, isGap } of segments) {
    if (uri === null || isGap) continue;
    const key = `${discontinuityNumber} ${map}`;
    if (!pieces.has(key)) pieces.set(key, [await node.get(base + map)]);
    pieces.get(key)!.push(await node.get(base + uri));
  }
  const frames: ReadFrame[] = [];
  for (const piece of pieces.values())
    frames.push(...probedFrames(await node.probe("piece.mp4", concatBytes(piece))));
  return frames;
}

function playlist(name: string, file: string): MatrixOutput {
  return {
    name,
    carries: new Set(EVERY),
    toleranceS: 0.0001,
    fillsSound: true,
    listen: (node) => async (ids) => {
      const readings: TrackReading[] = [];
      for (const id of ids)
        readings.push({ id, frames: await readPlaylist(node, `/live/tracks-${id}/${file}`) });
      return readings;
    },
  };
}

/** Each representation's segments, period by period, as the timeline of an MPD lists them. */
export async function readMpd(node: MatrixNode, path: string): Promise<TrackReading[]> {
  const text = decoder.decode(await node.get(path));
  const base = path.slice(0, path.lastIndexOf("/") + 1);
  const frames = new Map<string, ReadFrame[]>();
  for (const [, id = "", body = ""] of text.matchAll(
    /<Representation id="(\w+)"(.*?)<\/Representation>/gs,
  )) {
    const init = /initialization="([^"]+)"/.exec(body)![1]!;
    const media = /media="([^"]+)"/.exec(body)![1]!;
    const piece = [await node.get(base + init)];
    for (const time of timesOf(body)) piece.push(await node.get(base + media.replace("$Time$", `${time}`)));
    const own = frames.get(id) ?? [];
    frames.set(id, own);
    own.push(...probedFrames(await node.probe("dash.mp4", concatBytes(piece))));
  }
  return [...frames].map(([id, own]) => ({ id, frames: own }));
}

/** Spec: ISO/IEC 23009-1 section 5.3.9.6. */
function timesOf(body: string): number[] {
  const times: number[] = [];
  let next = 0;
  for (const [, attributes = ""] of body.matchAll(/<S ([^>]*)\/>/g)) {
    const value = (name: string): number | null => {
      const found = new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1];
      return found === undefined ? null : Number(found);
    };
    next = value("t") ?? next;
    for (let i = 0; i <= (value("r") ?? 0); i++, next += value("d")!) times.push(next);
  }
  return times;
}

const dash: MatrixOutput = {
  name: "DASH",
  carries: new Set(EVERY),
  toleranceS: 0.0001,
  fillsSound: true,
  listen: (node) => () => readMpd(node, "/live/index.mpd"),
};

/** A message of the server over a WebSocket. */
type SocketMessage = { readonly isText: boolean; readonly payload: Uint8Array };

function* socketMessages(bytes: Uint8Array): Generator<SocketMessage> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength;) {
    const isText = (bytes[at]! & 15) === 1;
    let size = bytes[at + 1]!;
    let head = 2;
    if (size === 126) [size, head] = [view.getUint16(at + 2), 4];
    else if (size === 127) [size, head] = [Number(view.getBigUint64(at + 2)), 10];
    yield { isText, payload: bytes.subarray(at + head, at + head + size) };
    at += head + size;
  }
}

const mse: MatrixOutput = {
  name: "MSE-LD",
  carries: new Set(EVERY),
  toleranceS: 0.0001,
  listen(node) {
    const chunks: Uint8Array[] = [];
    const started = startSocket(node, chunks);
    return async () => {
      await started;
      const pieces = new Map<string, Uint8Array[][]>();
      const ids = new Map<number, string>();
      for (const { isText, payload } of socketMessages(concatBytes(chunks))) {
        if (isText) beginPieces(decoder.decode(payload), pieces, ids);
        else
          pieces
            .get(ids.get(trackNumberOf(payload))!)!
            .at(-1)!
            .push(payload);
      }
      const readings: TrackReading[] = [];
      for (const [id, own] of pieces) {
        const frames: ReadFrame[] = [];
        for (const piece of own)
          if (piece.length > 1)
            frames.push(...probedFrames(await node.probe("mse.mp4", concatBytes(piece))));
        readings.push({ id, frames });
      }
      return readings;
    };
  },
};

async function startSocket(node: MatrixNode, chunks: Uint8Array[]): Promise<WebSocketPeer> {
  const reply = await node.reply("/live/mse_ld", { upgrade: "websocket", connection: "Upgrade" });
  assert.ok(reply.webSocket !== undefined, `status ${reply.status}`);
  return reply.webSocket({
    accept: () => {},
    write: (frames) => void chunks.push(Uint8Array.from(frames)),
    sendText: () => {},
    queuedBytes: () => 0,
    close: () => {},
  });
}

function beginPieces(text: string, pieces: Map<string, Uint8Array[][]>, ids: Map<number, string>): void {
  const message = JSON.parse(text) as {
    type: string;
    tracks?: { id: number; track_id: string; payload: string }[];
  };
  for (const { id, track_id, payload } of message.tracks ?? []) {
    ids.set(id, track_id);
    if (!pieces.has(track_id)) pieces.set(track_id, []);
    pieces.get(track_id)!.push([Buffer.from(payload, "base64")]);
  }
}

/** Of a fragment with one track. Spec: ISO/IEC 14496-12 section 8.8.7. */
function trackNumberOf(fragment: Uint8Array): number {
  const at = Buffer.from(fragment.buffer, fragment.byteOffset, fragment.byteLength).indexOf("tfhd");
  return readU32(fragment, at + 8);
}

/** All outputs of live streams. */
export const MATRIX_OUTPUTS: readonly MatrixOutput[] = [
  rtmp,
  flv,
  ts,
  mse,
  playlist("HLS", "mono.m3u8"),
  playlist("LL-HLS", "mono.ll.m3u8"),
  dash,
];

/** One output of files. */
export type FileOutput = {
  readonly name: string;
  readonly toleranceS: number;
  /** Reads a file of the vod through the output. */
  read(node: MatrixNode, file: string, ids: readonly string[]): Promise<readonly TrackReading[]>;
};

/** All outputs of files. */
export const MATRIX_FILE_OUTPUTS: readonly FileOutput[] = [
  {
    name: "RTMP",
    toleranceS: rtmp.toleranceS,
    read: async ({ node }, file) => {
      const recorded = await node.vods.openPackets(`vod/${file}`);
      const batches: Uint8Array[] = [];
      const batch = new MessageBatch((bytes) => void batches.push(Uint8Array.from(bytes)), 1000);
      const format = rtmpFormat.create(0);
      for (let atUs = 0; ;) {
        const run = await recorded.read(atUs);
        for (const packet of run.packets) format.packet(packet, batch);
        if (run.isLast) break;
        atUs = run.toUs;
      }
      batch.flush();
      return tagged(rtmpMessages(batches));
    },
  },
  {
    name: "HLS",
    toleranceS: 0.0001,
    read: async (node, file, ids) => {
      const readings: TrackReading[] = [];
      for (const id of ids)
        readings.push({ id, frames: await readPlaylist(node, `/vod/${file}/tracks-${id}/mono.m3u8`) });
      return readings;
    },
  },
  { name: "DASH", toleranceS: 0.0001, read: (node, file) => readMpd(node, `/vod/${file}/index.mpd`) },
];
