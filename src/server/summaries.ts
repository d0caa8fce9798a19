import type { ResolvedConfig } from "../config/plan.ts";
import { parseStreamName } from "../media/ids.ts";
import type { Track, TrackSet } from "../media/track.ts";
import type { LocalDirectory } from "../stream/local-directory.ts";
import { planOf } from "./stream-rules.ts";

/** One stream as the public list `/-/streams` shows it. */
export type PublicStream = {
  readonly name: string;
  readonly title: string | null;
  /** `stopped`: disabled by the configuration. */
  readonly status: "live" | "waiting" | "stopped";
  /** ISO time since which it is on air. */
  readonly since: string | null;
  /** In words for people, e.g. `h264 1280x720 25`. */
  readonly video: string | null;
  readonly audio: string | null;
};

/** All configured streams and all that exist now, by name. */
export function listStreams(config: ResolvedConfig, directory: LocalDirectory): PublicStream[] {
  const listed = new Map<string, PublicStream>();
  for (const { name, title, disabled } of config.streams) {
    const status = disabled ? "stopped" : "waiting";
    listed.set(name, { name, title: title ?? null, status, since: null, video: null, audio: null });
  }
  for (const stream of directory.list()) {
    const { name, status, sinceUs, tracks } = stream.summary();
    const title = titleOf(config, name);
    const since = sinceUs === null ? null : new Date(Math.floor(sinceUs / 1000)).toISOString();
    listed.set(name, {
      name,
      title,
      status,
      since,
      video: describe(tracks, "video"),
      audio: describe(tracks, "audio"),
    });
  }
  return [...listed.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function titleOf(config: ResolvedConfig, name: string): string | null {
  const parsed = parseStreamName(name);
  return (parsed === null ? null : planOf(config, parsed)?.title) ?? null;
}

function describe(tracks: TrackSet | null, kind: Track["kind"]): string | null {
  const track = tracks?.tracks.find((candidate) => candidate.kind === kind);
  if (track === undefined) return null;
  const facts =
    kind === "video"
      ? [
          `${track.width}x${track.height}`,
          track.frameRate > 0 ? String(Number(track.frameRate.toFixed(2))) : "",
        ]
      : [String(track.sampleRate), String(track.channels)];
  return [track.codec, ...facts].filter((fact) => fact !== "").join(" ");
}
