/** Transport streams for tests: packets that come from no encoder, and what TS packets say, read without our demuxer. */
import assert from "node:assert/strict";
import type { SourcePacket } from "../../src/media/packet.ts";
import type { Track } from "../../src/media/track.ts";
import { audioTrack, videoTrack } from "./media.ts";

/** The fields of one TS packet. Spec: ISO/IEC 13818-1 sections 2.4.3.2, 2.4.3.4. */
export type TsPacketFields = {
  readonly pid: number;
  readonly isStart: boolean;
  readonly counter: number;
  readonly payload: Uint8Array;
  readonly isDiscontinuous: boolean;
  readonly isRandomAccess: boolean;
  /** 90 kHz ticks modulo 2^33; `null` when there is none. */
  readonly pcr: number | null;
};

/** Reads all packets of a stream that begins with one. */
export function tsPacketsOf(bytes: Uint8Array): TsPacketFields[] {
  assert.equal(bytes.byteLength % 188, 0, "whole packets");
  return Array.from({ length: bytes.byteLength / 188 }, (_, i) =>
    fieldsOf(bytes.subarray(i * 188, i * 188 + 188)),
  );
}

function fieldsOf(packet: Uint8Array): TsPacketFields {
  assert.equal(packet[0], 0x47);
  const control = packet[3]! >> 4;
  const fieldBytes = (control & 2) === 0 ? 0 : packet[4]! + 1;
  const flags = fieldBytes > 1 ? packet[5]! : 0;
  const view = new DataView(packet.buffer, packet.byteOffset, 188);
  return {
    pid: view.getUint16(1) & 0x1fff,
    isStart: (packet[1]! & 0x40) !== 0,
    counter: packet[3]! & 15,
    payload: (control & 1) === 0 ? new Uint8Array(0) : packet.subarray(4 + fieldBytes),
    isDiscontinuous: (flags & 0x80) !== 0,
    isRandomAccess: (flags & 0x40) !== 0,
    pcr: (flags & 0x10) === 0 ? null : view.getUint32(6) * 2 + (packet[10]! >> 7),
  };
}

/** Checks that the counters of every PID step by one a packet with payload, from `first` on when that is given. */
export function assertContinuous(packets: readonly TsPacketFields[], first?: number): void {
  const last = new Map<number, number>();
  for (const [i, { pid, counter, payload }] of packets.entries()) {
    const before = last.get(pid) ?? (first === undefined ? null : (first + 15) % 16);
    const steps = payload.byteLength > 0 ? 1 : 0;
    if (before !== null) assert.equal(counter, (before + steps) % 16, `packet ${i} of PID ${pid}`);
    last.set(pid, counter);
  }
}

/** What `tsSource` makes. */
export type TsSourceOptions = {
  readonly durationMs: number;
  readonly video?: Track | null;
  readonly audio?: Track | null;
  readonly frameRate?: number;
  readonly gopPictures?: number;
  readonly pictureBytes?: number;
};

/**
 * Packets that a muxer takes, in order of decode time: pictures of one NAL unit each, `frameRate` a second (25 unless
 * given), and AAC frames. The bytes of each differ from those of the others.
 */
export function tsSource(options: TsSourceOptions): SourcePacket[] {
  const { durationMs, video = videoTrack(), audio = audioTrack() } = options;
  const { frameRate = 25, gopPictures = 25, pictureBytes = 700 } = options;
  const pictures = video === null ? 0 : Math.ceil((durationMs * frameRate) / 1000);
  const frames = audio === null ? 0 : Math.ceil((durationMs * audio.sampleRate) / 1_024_000);
  const packets = [
    ...Array.from({ length: pictures }, (_, i): SourcePacket => {
      const dts = Math.round((i * 90_000) / frameRate);
      const isSync = i % gopPictures === 0;
      const payload = new Uint8Array(4 + pictureBytes).fill((i % 200) + 2);
      new DataView(payload.buffer).setUint32(0, pictureBytes);
      payload[4] = isSync ? 0x65 : 0x41;
      return { track: video!, dts, pts: dts + 3600, durationTicks: 0, isSync, payload };
    }),
    ...Array.from({ length: frames }, (_, i): SourcePacket => {
      const payload = new Uint8Array(120 + (i % 7)).fill((i % 200) + 3);
      return { track: audio!, dts: i * 1024, pts: i * 1024, durationTicks: 1024, isSync: true, payload };
    }),
  ];
  return packets.toSorted((a, b) => a.dts / a.track.timescale - b.dts / b.track.timescale);
}
