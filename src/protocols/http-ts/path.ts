const SUFFIX = "/mpegts";

/**
 * The name of the stream that a decoded path asks for, or publishes to, as MPEG-TS over HTTP: `/NAME/mpegts`. NAME may hold
 * slashes; whether it can be a stream's is not looked at. Returns `null` for any other path.
 */
export function parseTsPath(path: string): string | null {
  if (!path.startsWith("/") || !path.endsWith(SUFFIX)) return null;
  const name = path.slice(1, -SUFFIX.length);
  return name === "" || name.endsWith("/") ? null : name;
}
