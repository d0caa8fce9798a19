import { messageOf } from "../base/errors.ts";
import type { Cue } from "../containers/webvtt/cue.ts";
import { SUBTITLE_LIMITS, readSubRip, readWebVtt } from "../containers/webvtt/reader.ts";
import type { TrackId } from "../media/ids.ts";
import { trackId } from "../media/ids.ts";
import type { TextTrack } from "../packaging/presentation.ts";
import type { ByteSource, FolderStorage, Sidecar } from "./byte-source.ts";
import { joinVersions } from "./joined-source.ts";

/** Subtitle files of one film; each is read whole when the film is opened. */
export const MAX_SIDECARS = 16;

/** Names of one folder that are sorted before the first of them are taken. */
const MAX_NAMES = 1000;

const EXTENSIONS: readonly string[] = [".vtt", ".srt"];
/** Between the film's name and the extension: nothing, or a language. */
const LANGUAGE = /^(?:\.([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*))?\.(vtt|srt)$/i;
/** What a cue takes beside its text. */
const BYTES_PER_CUE = 120;

/** The subtitles beside a film: of `film.mp4`, `film.vtt` and `film.en.srt`. Throws like the storage's `open`. */
export async function findSidecars(storage: FolderStorage, path: string): Promise<readonly Sidecar[]> {
  const name = nameOf(path);
  return await sidecarsOf(storage, name, await namesIn(storage, name.folder, name.stem));
}

/** What subtitles of a set are called after. */
export type SetNames = {
  /** The path of all together, without an extension. */
  readonly whole: string;
  readonly files: readonly string[];
};

/**
 * The subtitles beside qualities of one work, which show the same: those of the first name that has any, be it the name
 * that all have together or that of one of the files. Looks into each folder once. Throws like the storage's `open`.
 */
export async function findSetSidecars(
  storage: FolderStorage,
  { whole, files }: SetNames,
): Promise<readonly Sidecar[]> {
  const names = [splitPath(whole), ...files.map(nameOf)];
  const folders = new Map<string, readonly string[]>();
  for (const name of names) {
    const { folder } = name;
    const stems = names.filter((other) => other.folder === folder).map(({ stem }) => stem);
    if (!folders.has(folder)) folders.set(folder, await namesIn(storage, folder, commonStart(stems)));
    const found = await sidecarsOf(storage, name, folders.get(folder)!);
    if (found.length > 0) return found;
  }
  return [];
}

/** A path, with what the names of its subtitles begin with. */
type FilmName = { readonly folder: string; readonly stem: string };

function splitPath(path: string): FilmName {
  const slash = path.lastIndexOf("/");
  return { folder: path.slice(0, Math.max(0, slash)), stem: path.slice(slash + 1) };
}

function nameOf(path: string): FilmName {
  const { folder, stem } = splitPath(path);
  const dot = stem.lastIndexOf(".");
  return { folder, stem: dot < 1 ? stem : stem.slice(0, dot) };
}

function commonStart(texts: readonly string[]): string {
  let start = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(start)) start = start.slice(0, -1);
  return start;
}

async function namesIn(storage: FolderStorage, folder: string, prefix: string): Promise<readonly string[]> {
  const names = await storage.namesIn(folder, { prefix, extensions: EXTENSIONS, limit: MAX_NAMES });
  return (names ?? []).toSorted();
}

async function sidecarsOf(
  storage: FolderStorage,
  { folder, stem }: FilmName,
  names: readonly string[],
): Promise<readonly Sidecar[]> {
  const found: Sidecar[] = [];
  for (const name of names) {
    const match = name.startsWith(stem) ? LANGUAGE.exec(name.slice(stem.length)) : null;
    if (match === null) continue;
    const path = folder === "" ? name : `${folder}/${name}`;
    // One that cannot be seen is found all the same: whoever reads it says what is wrong with it.
    const version = await storage.versionOf(path).catch(() => null);
    const isSubRip = match[2]!.toLowerCase() === "srt";
    const language = languageOf(match[1]);
    found.push({ language, isSubRip, path, version, open: () => storage.open(path) });
    if (found.length === MAX_SIDECARS) break;
  }
  return found;
}

/** The version of a film together with that of its subtitles: another one when one of them changes, comes or goes. */
export function versionWith(version: string, sidecars: readonly Sidecar[]): string {
  if (sidecars.length === 0) return version;
  return joinVersions([version, ...sidecars.map((sidecar) => `${sidecar.path} ${sidecar.version}`)]);
}

/** The same source, which knows the subtitles beside it; the source itself where there are none. */
export function withSidecars(source: ByteSource, sidecars: readonly Sidecar[]): ByteSource {
  if (sidecars.length === 0) return source;
  return {
    path: source.path,
    version: versionWith(source.version, sidecars),
    sizeBytes: source.sizeBytes,
    modifiedMs: source.modifiedMs,
    read: (offset, length) => source.read(offset, length),
    release: () => source.release(),
    sidecars,
    ...(source.readInto === undefined ? {} : { readInto: (...wanted) => source.readInto!(...wanted) }),
    ...(source.members === undefined ? {} : { members: source.members }),
  };
}

/** Where subtitles of files go. */
export type SidecarPlace = {
  /** From the time 0 of the film to where that plays. Units: microseconds. */
  readonly movedUs: number;
  /** Gets a sentence about what is left out. */
  readonly notices: string[];
};

/** Reads subtitles; one that cannot be read is left out with a notice. */
export async function readSidecars(
  sidecars: readonly Sidecar[],
  { movedUs, notices }: SidecarPlace,
): Promise<TextTrack[]> {
  const texts: TextTrack[] = [];
  for (const sidecar of sidecars) {
    const { path, language } = sidecar;
    try {
      const { cues, skipped } = await readCues(sidecar);
      if (skipped > 0) notices.push(`${skipped} cues of ${path} are left out: their times are none`);
      const id = trackId("text", texts.length + 1);
      if (cues.length > 0) texts.push(textOf(id, language, movedCues(cues, movedUs)));
      else notices.push(`${path} is left out: it has no cues`);
    } catch (caught) {
      notices.push(`${path} is left out: ${messageOf(caught)}`);
    }
  }
  return texts;
}

/** The cues at the times of the film as it plays; what would end before 0 is not shown. */
function movedCues(cues: readonly Cue[], movedUs: number): readonly Cue[] {
  if (movedUs === 0) return cues;
  return cues
    .map((cue) => ({
      ...cue,
      startUs: Math.max(0, cue.startUs + movedUs),
      endUs: cue.endUs + movedUs,
    }))
    .filter(({ startUs, endUs }) => endUs > startUs);
}

function textOf(id: TrackId, language: string, cues: readonly Cue[]): TextTrack {
  const memoryBytes = cues.reduce((sum, { text }) => sum + 2 * text.length + BYTES_PER_CUE, 0);
  return { id, language, cues: () => cues, memoryBytes };
}

async function readCues(sidecar: Sidecar): Promise<ReturnType<typeof readWebVtt>> {
  const source = await sidecar.open();
  if (source === null) return { cues: [], skipped: 0 };
  try {
    // One more than the limit: the parser says that it is too much.
    const bytes = await source.read(0, Math.min(source.sizeBytes, SUBTITLE_LIMITS.fileBytes + 1));
    return sidecar.isSubRip ? readSubRip(bytes) : readWebVtt(bytes);
  } finally {
    source.release();
  }
}

/** The shortest form of a tag: `eng` is `en`. */
function languageOf(tag: string | undefined): string {
  if (tag === undefined) return "und";
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "und";
  } catch {
    return "und";
  }
}
