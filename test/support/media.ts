/** Builders of the core's media words, so that a test names only what it is about. */
import { trackId } from "../../src/media/ids.ts";
import type { MediaPacket, SourcePacket } from "../../src/media/packet.ts";
import { makeTrackSet } from "../../src/media/track.ts";
import type { Track, TrackSet } from "../../src/media/track.ts";

/**
 * AVCDecoderConfigurationRecord of x264: 64x64, High profile, level 1.0, 25 frames a second, B-frames.
 * Made with: ffmpeg -f lavfi -i testsrc2=size=64x64:rate=25:duration=1 -c:v libx264 -pix_fmt yuv420p a.mp4
 */
const AVC_CONFIG = Uint8Array.from(
  Buffer.from(
    "0164000affe100186764000aacd94426c044000003000400000300c83c48965801000668ebe3cb22c0fdf8f800",
    "hex",
  ),
);

/** AudioSpecificConfig: AAC-LC, 48 kHz, two channels (ISO/IEC 14496-3 section 1.6.2.1). */
const AAC_CONFIG = Uint8Array.of(0x11, 0x90);

/** An H.264 track `v1` of 64x64 at 25 frames a second with a 90 kHz timescale, or as told. */
export function videoTrack(changes: Partial<Track> = {}): Track {
  return {
    id: trackId("video", 1),
    kind: "video",
    codec: "h264",
    timescale: 90_000,
    config: AVC_CONFIG,
    language: "und",
    codecString: "avc1.64000a",
    width: 64,
    height: 64,
    frameRate: 25,
    sampleRate: 0,
    channels: 0,
    ...changes,
  };
}

/** An AAC track `a1`, stereo, 48 kHz, or as told. */
export function audioTrack(changes: Partial<Track> = {}): Track {
  return {
    id: trackId("audio", 1),
    kind: "audio",
    codec: "aac",
    timescale: 48_000,
    config: AAC_CONFIG,
    language: "und",
    codecString: "mp4a.40.2",
    width: 0,
    height: 0,
    frameRate: 0,
    sampleRate: 48_000,
    channels: 2,
    ...changes,
  };
}

/** The set of these tracks, or of one video and one audio track, in epoch 1. */
export function trackSet(tracks: readonly Track[] = [videoTrack(), audioTrack()], epoch = 1): TrackSet {
  return makeTrackSet(epoch, tracks);
}

/** A packet of one second's GOP start at time 0, or as told; `pts` follows `dts`, `startsGop` follows `isSync`. */
export function mediaPacket(changes: Partial<MediaPacket> = {}): MediaPacket {
  const track = changes.track ?? videoTrack();
  const dts = changes.dts ?? 0;
  const isSync = changes.isSync ?? true;
  return {
    track,
    dts,
    pts: dts,
    durationTicks: 0,
    isSync,
    startsGop: isSync,
    epoch: 1,
    arrivalUs: Math.floor((dts * 1_000_000) / track.timescale),
    payload: Uint8Array.of(0, 0, 0, 1, isSync ? 0x65 : 0x41),
    ...changes,
  };
}

/** The same as a source hands it over, before a stream has given it an epoch. */
export function sourcePacket(changes: Partial<SourcePacket> = {}): SourcePacket {
  const { track, dts, pts, durationTicks, isSync, payload } = mediaPacket(changes);
  return { track, dts, pts, durationTicks, isSync, payload };
}

/** What `livePackets` makes. */
export type LivePacketsOptions = {
  readonly video?: Track | null;
  readonly audio?: Track | null;
  readonly durationMs: number;
  /** Every so many pictures a GOP begins; 25 unless given. */
  readonly gopPictures?: number;
  /** Bytes of every packet; 64 unless given. The first byte of a picture's payload counts pictures. */
  readonly payloadBytes?: number;
};

/** Packets of a steady source, interleaved by decode time: video without reordering, audio of 1024 samples a frame. */
export function livePackets(options: LivePacketsOptions): SourcePacket[] {
  const {
    video = videoTrack(),
    audio = audioTrack(),
    durationMs,
    gopPictures = 25,
    payloadBytes = 64,
  } = options;
  const packets: SourcePacket[] = [];
  if (video !== null) {
    const ticks = video.timescale / (video.frameRate || 25);
    for (let count = 0; count * ticks * 1000 < durationMs * video.timescale; count++) {
      const payload = new Uint8Array(payloadBytes).fill(count & 0xff, 0, 1);
      const dts = Math.round(count * ticks);
      packets.push({
        track: video,
        dts,
        pts: dts,
        durationTicks: ticks,
        isSync: count % gopPictures === 0,
        payload,
      });
    }
  }
  if (audio !== null) {
    for (let dts = 0; dts * 1000 < durationMs * audio.timescale; dts += 1024) {
      const payload = new Uint8Array(payloadBytes);
      packets.push({ track: audio, dts, pts: dts, durationTicks: 1024, isSync: true, payload });
    }
  }
  return packets.toSorted((a, b) => a.dts / a.track.timescale - b.dts / b.track.timescale);
}
