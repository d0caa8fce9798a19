/** EXT-X-MAP outside of I-frame playlists needs 6, fractional EXTINF 3; 7 is what fMP4 packagers declare. */
export const HLS_VERSION = 7;
