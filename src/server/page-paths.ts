const EMBED_SUFFIX = "/embed.html";

/**
 * NAME of `/NAME/embed.html`, the player page, or `null` for any other path. Any name has the page: whether the stream
 * is there, the page itself finds out and says.
 */
export function embeddedName(path: string): string | null {
  const isEmbed =
    path.endsWith(EMBED_SUFFIX) && path.length > EMBED_SUFFIX.length && !path.startsWith("/-/");
  return isEmbed ? path.slice(1, -EMBED_SUFFIX.length) : null;
}
