import type { StreamName } from "../media/ids.ts";
import { LISTED_EXTENSIONS } from "../vod/catalogue.ts";

/**
 * The one name of the file that an RTMP player means, by which it is judged, and opened: `mp4:film` is `film.mp4`, as some take
 * the extension off that they found. With a name of each kind, who may not play `film.mp4` would ask for the other.
 */
export function recordedFileName(name: StreamName, container: string | null): StreamName {
  const lower = name.toLowerCase();
  const isWhole = container === null || lower.endsWith(`.${container}`);
  if (isWhole || LISTED_EXTENSIONS.some((extension) => lower.endsWith(extension))) return name;
  return `${name}.${container}` as StreamName;
}
