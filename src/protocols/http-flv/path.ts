const EXTENSION = ".flv";

/**
 * The name of the stream that a decoded path asks for as HTTP-FLV: `/NAME.flv`. NAME may hold slashes; whether it can
 * be a stream's is not looked at. Returns `null` for any other path.
 */
export function parseFlvPath(path: string): string | null {
  if (!path.startsWith("/") || !path.endsWith(EXTENSION)) return null;
  const name = path.slice(1, -EXTENSION.length);
  return name === "" || name.endsWith("/") ? null : name;
}
