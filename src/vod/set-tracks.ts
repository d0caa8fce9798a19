import type { MovieTrack } from "../containers/mp4/movie.ts";

/** Languages in which a set has sound and subtitles already, of the files before. */
export type TakenLanguages = { readonly audio: ReadonlySet<string>; readonly text: ReadonlySet<string> };

/** What a member of a set adds to it, and sentences about what is not taken though somebody may look for it. */
export type MemberTracks = { readonly wanted: readonly MovieTrack[]; readonly notices: readonly string[] };

/** The language of a track that says none. */
const UNKNOWN = "und";

/**
 * What one file adds to a set: its first video track, and its sound and its subtitles in languages that the files before
 * it have not, however many there are of one language.
 *
 * A quality most often has the same sound as the one before it. So nothing is said of what is in a language that is
 * there, and sound that says no language is taken for the same; in a file without pictures it is taken for another one.
 */
export function tracksOfMember(
  path: string,
  tracks: readonly MovieTrack[],
  taken: TakenLanguages,
): MemberTracks {
  const video = tracks.find(({ kind }) => kind === "video");
  const wanted: MovieTrack[] = [];
  const notices: string[] = [];
  for (const track of tracks) {
    const { kind, number, language } = track;
    if (kind === "video") {
      if (track === video) wanted.push(track);
      else notices.push(`video track ${number} of ${path} is left out: a file is one quality of a set`);
      continue;
    }
    const isThere = taken[kind].has(language);
    const isSame = video !== undefined && language === UNKNOWN && taken[kind].size > 0;
    if (!isThere && !isSame) wanted.push(track);
    else if (video === undefined || !isThere) notices.push(reasonOf(path, track, isThere));
  }
  return { wanted, notices };
}

function reasonOf(path: string, { kind, number, language }: MovieTrack, isThere: boolean): string {
  const what = kind === "text" ? "subtitles" : "sound";
  const why = isThere ? `the set has ${what} in "${language}" already` : "it says no language";
  return (
    `${what} of ${path} (track ${number}) ${kind === "text" ? "are" : "is"} left out: ${why}; ` +
    "give each track a language of its own in its file"
  );
}
