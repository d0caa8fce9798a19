/** Paths at which something is told or shown of a recording. What answers them is loaded when somebody asks. */

/** What the path of a picture asks for. */
export type PictureAddress = {
  readonly name: string;
  /** UTC; `null`: the newest. Units: seconds. */
  readonly atS: number | null;
  /** A small one, unless a width is asked for. */
  readonly isSmall: boolean;
  /** The key frame as it is, as a video of one picture: nothing is decoded, and `isSmall` means nothing. */
  readonly isVideo: boolean;
};

const PICTURE = /^\/(.+)\/(?:(?:(\d{1,11})(-preview)?|preview)\.jpg|(?:(\d{1,11})-)?preview\.mp4)$/;
const STATUS = /^\/(.+)\/recording_status\.json$/;

/**
 * What a decoded path such as `/NAME/1700000000-preview.jpg` or `/NAME/preview.mp4` asks for; `null` when it is none of
 * these.
 */
export function parsePicturePath(path: string): PictureAddress | null {
  const [, name, at, small, videoAt] = PICTURE.exec(path) ?? [];
  if (name === undefined) return null;
  const atS = at ?? videoAt;
  return {
    name,
    atS: atS === undefined ? null : Number(atS),
    isSmall: at === undefined || small !== undefined,
    isVideo: path.endsWith(".mp4"),
  };
}

/** NAME of `/NAME/recording_status.json`, decoded; `null` for any other path. */
export function parseStatusPath(path: string): string | null {
  return STATUS.exec(path)?.[1] ?? null;
}
