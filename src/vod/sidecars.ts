import { messageOf } from "../base/errors.ts";
import type { Cue } from "../containers/webvtt/cue.ts";
import { SUBTITLE_LIMITS, readSubRip, readWebVtt } from "../containers/webvtt/reader.ts";
import type { TrackId } from "../media/ids.ts";
import { trackId } from "../media/ids.ts";
import type { TextTrack } from "../packaging/presentation.ts";
import type { ByteSource, FolderStorage, Sidecar } from "./byte-source.ts";

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
  const names = await namesIn(storage, name.folder, name.stem);
  return sidecarsOf(storage, name, names).slice(0, MAX_SIDECARS);
}

/**
 * The subtitles beside qualities of one work, which show the same: those of the first name that has any, be it the name
 * that all have together or that of one of the files. Looks into each folder once. Throws like the storage's `open`.
 */
export async function findSetSidecars(
  storage: FolderStorage,
  paths: readonly string[],
): Promise<readonly Sidecar[]> {
  const names = paths.map(nameOf);
  const folders = new Map<string, readonly string[]>();
  for (const name of names) {
    const { folder } = name;
    const stems = names.filter((other) => other.folder === folder).map(({ stem }) => stem);
    if (!folders.has(folder)) folders.set(folder, await namesIn(storage, folder, commonStart(stems)));
    const found = sidecarsOf(storage, name, folders.get(folder)!);
    if (found.length > 0) return found.slice(0, MAX_SIDECARS);
  }
  return [];
}

/** A path, with what the names of its subtitles begin with. */
type FilmName = { readonly folder: string; readonly stem: string };

function nameOf(path: string): FilmName {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const dot = name.lastIndexOf(".");
  return { folder: path.slice(0, Math.max(0, slash)), stem: dot < 1 ? name : name.slice(0, dot) };
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

function sidecarsOf(
  storage: FolderStorage,
  { folder, stem }: FilmName,
  names: readonly string[],
): Sidecar[] {
  return names.flatMap((sidecar): Sidecar[] => {
    const match = sidecar.startsWith(stem) ? LANGUAGE.exec(sidecar.slice(stem.length)) : null;
    if (match === null) return [];
    const place = folder === "" ? sidecar : `${folder}/${sidecar}`;
    const isSubRip = match[2]!.toLowerCase() === "srt";
    return [{ language: languageOf(match[1]), isSubRip, path: place, open: () => storage.open(place) }];
  });
}

/** The same source, which knows the subtitles beside it. */
export function withSidecars(source: ByteSource, sidecars: readonly Sidecar[]): ByteSource {
  return {
    path: source.path,
    version: source.version,
    sizeBytes: source.sizeBytes,
    modifiedMs: source.modifiedMs,
    read: (offset, length) => source.read(offset, length),
    release: () => source.release(),
    sidecars,
    ...(source.members === undefined ? {} : { members: source.members }),
  };
}

/** Reads subtitles; one that cannot be read is left out with a notice. */
export async function readSidecars(sidecars: readonly Sidecar[], notices: string[]): Promise<TextTrack[]> {
  const texts: TextTrack[] = [];
  for (const sidecar of sidecars) {
    const { path, language } = sidecar;
    try {
      const { cues, skipped } = await readCues(sidecar);
      if (skipped > 0) notices.push(`${skipped} cues of ${path} are left out: their times are none`);
      if (cues.length > 0) texts.push(textOf(trackId("text", texts.length + 1), language, cues));
      else notices.push(`${path} is left out: it has no cues`);
    } catch (caught) {
      notices.push(`${path} is left out: ${messageOf(caught)}`);
    }
  }
  return texts;
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
