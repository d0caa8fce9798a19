/** Paths at which something is told or shown of a recording. What answers them is loaded when somebody asks. */

/** What the path of a picture asks for. */
export type PictureAddress = {
  readonly name: string;
  /** UTC; `null`: the newest. Units: seconds. */
  readonly atS: number | null;
  /** A small one, unless a width is asked for. */
  readonly isSmall: boolean;
};

const PICTURE = /^\/(.+)\/(?:(\d{1,11})(-preview)?|preview)\.jpg$/;
const STATUS = /^\/(.+)\/recording_status\.json$/;

/** What a decoded path such as `/NAME/1700000000-preview.jpg` asks for; `null` when it is none of these. */
export function parsePicturePath(path: string): PictureAddress | null {
  const [, name, at, small] = PICTURE.exec(path) ?? [];
  if (name === undefined) return null;
  return at === undefined
    ? { name, atS: null, isSmall: true }
    : { name, atS: Number(at), isSmall: small !== undefined };
}

/** NAME of `/NAME/recording_status.json`, decoded; `null` for any other path. */
export function parseStatusPath(path: string): string | null {
  return STATUS.exec(path)?.[1] ?? null;
}
