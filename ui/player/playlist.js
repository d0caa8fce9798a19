// @ts-check
/**
 * The little that the player page reads from playlists itself, to say what is wrong; playing them is hls.js' work.
 */

/** Playlists are read no further than this, in characters: enough for a day of segments, and a bound all the same. */
export const MAX_PLAYLIST_CHARACTERS = 4_000_000;

/** Codecs listed at most: what comes after is not worth a sentence. */
const MAX_CODECS = 16;

/**
 * @typedef {object} PlaylistFacts
 * @property {boolean} isPlaylist begins with `#EXTM3U`
 * @property {string | null} firstVariant address of the first media playlist, as written; `null` in a media playlist
 * @property {readonly string[]} codecs all codecs that the variants name, each once
 * @property {boolean} hasSegments a media playlist with something to play
 * @property {boolean} isEnded a media playlist that will not grow
 * @property {string} newest changes whenever a media playlist grows
 */

/**
 * Reads a multivariant or media playlist.
 *
 * Spec: RFC 8216 sections 4.3.1.1 (EXTM3U), 4.3.2.1 (EXTINF), 4.3.3.4 (EXT-X-ENDLIST), 4.3.4.2 (EXT-X-STREAM-INF).
 * @param {string} text
 * @returns {PlaylistFacts}
 */
export function readPlaylist(text) {
  const lines = text.slice(0, MAX_PLAYLIST_CHARACTERS).split(/\r?\n/);
  const isPlaylist = (lines[0] ?? "").replace(/^\ufeff/, "").trim() === "#EXTM3U";
  const codecs = new Set();
  let firstVariant = null;
  let hasSegments = false;
  let isEnded = false;
  let isVariantNext = false;
  let newest = "";
  for (const line of isPlaylist ? lines : []) {
    if (line.startsWith("#EXT-X-STREAM-INF:")) {
      isVariantNext = true;
      for (const codec of codecsOf(line)) if (codecs.size < MAX_CODECS) codecs.add(codec);
    } else if (line.startsWith("#EXTINF:")) {
      hasSegments = true;
    } else if (line.startsWith("#EXT-X-ENDLIST")) {
      isEnded = true;
    } else if (isVariantNext && line.trim() !== "" && !line.startsWith("#")) {
      firstVariant ??= line.trim();
      isVariantNext = false;
    } else if (hasSegments && line.trim() !== "" && !line.startsWith("#")) {
      newest = line.trim();
    }
  }
  return { isPlaylist, firstVariant, codecs: [...codecs], hasSegments, isEnded, newest };
}

/** @param {string} line */
function codecsOf(line) {
  const list = /[:,]CODECS="([^"]*)"/.exec(line)?.[1] ?? "";
  return list
    .split(",")
    .map((codec) => codec.trim())
    .filter((codec) => /^[\w.+-]{1,64}$/.test(codec));
}

/** Families of codec strings (RFC 6381) and the names that people know. */
const CODEC_NAMES = /** @type {const} */ ([
  [/^avc[13]\b/, "H.264"],
  [/^(?:hvc1|hev1)\b/, "H.265 (HEVC)"],
  [/^av01\b/, "AV1"],
  [/^vp0?9\b/, "VP9"],
  [/^mp4a\.(?:69|6b|40\.34)$/i, "MP3"],
  [/^mp3$/, "MP3"],
  [/^mp4a\b/, "AAC"],
  [/^opus$/i, "Opus"],
  [/^ac-3$/, "Dolby Digital (AC-3)"],
  [/^ec-3$/, "Dolby Digital Plus (E-AC-3)"],
]);

/**
 * A codec string in words: `hvc1.1.6.L93.B0` gives `H.265 (HEVC)`; one that is not known stays as it is.
 *
 * Spec: RFC 6381 section 3.
 * @param {string} codec
 */
export function codecName(codec) {
  return CODEC_NAMES.find(([family]) => family.test(codec))?.[1] ?? codec;
}
