import type { StreamRow } from "../../api/metrics/figures.ts";
import type { StreamCrowd } from "../../api/sessions-view.ts";
import { activeInput, allowsProtocol } from "../../config/plan.ts";
import type { LivePlan, ProtocolRule, ResolvedConfig } from "../../config/plan.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import type { StreamSummary } from "../../stream/directory.ts";
import { planOf } from "./stream-rules.ts";

/** One stream as the public list `/-/streams` shows it. */
export type PublicStream = {
  readonly name: string;
  readonly title: string | null;
  /** `stopped`: disabled by the configuration. */
  readonly status: "live" | "waiting" | "stopped";
  /** ISO time since which it is on air. */
  readonly since: string | null;
  /** Where its media comes from. */
  readonly input: "publish" | "file" | "fake" | null;
  /** Whether the player page may play it: neither it nor HLS is switched off. */
  readonly playable: boolean;
  /** In words for people, e.g. `h264 1280x720 25`. */
  readonly video: string | null;
  readonly audio: string | null;
};

/** All configured streams and all that exist now, by name. */
export function listStreams(config: ResolvedConfig, streams: readonly StreamSummary[]): PublicStream[] {
  const listed = new Map<string, PublicStream>();
  for (const stream of config.streams) {
    const status = stream.disabled ? "stopped" : "waiting";
    listed.set(stream.name, {
      ...planned(stream.name, stream),
      status,
      since: null,
      video: null,
      audio: null,
    });
  }
  for (const { name, status, sinceUs, tracks } of streams) {
    const since = sinceUs === null ? null : new Date(Math.floor(sinceUs / 1000)).toISOString();
    const plan = planOf(config, name);
    const media = { video: describe(tracks, "video"), audio: describe(tracks, "audio") };
    listed.set(name, { ...planned(name, plan), status, since, ...media });
  }
  return [...listed.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * One row of the metrics for each stream that exists now, and for each that the configuration wants to run: an alert looks for a
 * 0, and finds nothing where there is no row. Those that are disabled have none.
 */
export function streamRows(
  config: Pick<ResolvedConfig, "streams">,
  streams: readonly StreamSummary[],
  crowds: ReadonlyMap<string, StreamCrowd> = new Map(),
): Omit<StreamRow, "outputBps">[] {
  const crowdOf = (name: string): Pick<StreamRow, "clients" | "bytesOut"> => {
    const { clients = 0, bytesOut = 0 } = crowds.get(name) ?? {};
    return { clients, bytesOut };
  };
  const existing = new Set<string>(streams.map(({ name }) => name));
  const absent = config.streams.filter(({ name, disabled }) => !disabled && !existing.has(name));
  return [
    ...streams.map(({ name, status, bytesIn, inputBps, returns }) => ({
      ...{ name, isLive: status === "live", bytesIn, inputBitrate: inputBps, returns },
      ...crowdOf(name),
    })),
    ...absent.map(({ name }) => ({
      ...{ name, isLive: false, bytesIn: 0, inputBitrate: 0, returns: 0 },
      ...crowdOf(name),
    })),
  ];
}

/** What the player page can play. */
const OF_THE_PAGE = ["hls", "dash", "mseld"];

function hasPlayer(protocols: ProtocolRule): boolean {
  const isAllowed = (one: string): boolean => allowsProtocol(protocols, one);
  return isAllowed("player") && OF_THE_PAGE.some(isAllowed);
}

function planned(
  name: string,
  plan: LivePlan | null,
): Pick<PublicStream, "name" | "title" | "input" | "playable"> {
  const playable = plan !== null && hasPlayer(plan.options.protocols);
  return {
    name,
    title: plan?.title ?? null,
    input: activeInput(plan?.inputs ?? [])?.kind ?? null,
    playable,
  };
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
