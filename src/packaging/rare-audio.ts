import type { Codec, Track } from "../media/track.ts";
import type { SegmentContainer } from "./bandwidth.ts";

/** Sound that hardly any browser takes in such segments, so that a player that insists on it shows no picture either. */
const RARE: Readonly<Record<SegmentContainer, ReadonlySet<Codec>>> = {
  cmaf: new Set<Codec>(["mp3", "ac3", "eac3"]),
  ts: new Set<Codec>(["ac3", "eac3"]),
};

/** The sounds of tracks with a picture, where none of them is one that browsers play: a player has to be able to do without. */
export function rareAudio(tracks: readonly Track[], container: SegmentContainer): readonly Track[] {
  const audios = tracks.filter(({ kind }) => kind === "audio");
  const isRare = audios.every(({ codec }) => RARE[container].has(codec));
  return isRare && tracks.some(({ kind }) => kind === "video") ? audios : [];
}
