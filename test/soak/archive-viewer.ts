/** A viewer who remembers what playlists showed him, and what was in it. */
import { createHash } from "node:crypto";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import { mediaDigest, segmentMedia } from "./fragment-media.ts";
import type { SegmentMedia } from "./fragment-media.ts";

/** One segment that was listed; `digest` `null`: there was no time to load it. */
export type ShownSegment = {
  readonly uri: string;
  durationS: number;
  /** The archive's playlist had it, not only the live one. */
  isArchived: boolean;
  /** Of its samples. */
  digest: string | null;
  /** Of its bytes as the archive has them; `null` before they were loaded from there. */
  bytesDigest: string | null;
  /** Its samples, of the newest segment only. */
  media: SegmentMedia | null;
};

const TIMEOUT_MS = 20_000;

/** Looks at one stream. */
export class ArchiveViewer {
  readonly shown = new Map<string, ShownSegment>();
  readonly #url: string;
  #newest: ShownSegment | null = null;

  /** `url`: of a selection of tracks, such as `http://127.0.0.1:8080/live/s1/tracks-v1a1`. */
  constructor(url: string) {
    this.#url = url;
  }

  /** Looks at both playlists, and loads what is new in them. Resolves early when the server is gone. */
  async look(fromS: number): Promise<void> {
    await this.#note(`archive-${fromS}-now.m3u8`, true);
    await this.#note("mono.m3u8", false);
  }

  /** What the archive lists from a time on, in order; none when it has nothing there, `null` when nobody answers. */
  async archived(fromS: number): Promise<Map<string, number> | null> {
    const reply = await this.load(`archive-${fromS}-now.m3u8`);
    if (reply === null) return null;
    const listed = new Map<string, number>();
    if (reply.status !== 200) return listed;
    for (const { uri, durationS } of parsePlaylistText(reply.body.toString()).segments)
      if (uri !== null) listed.set(uri, durationS ?? 0);
    return listed;
  }

  /** A file of the stream; `null` when the server went away in the middle. */
  async load(name: string): Promise<{ status: number; body: Buffer } | null> {
    try {
      const reply = await fetch(`${this.#url}/${name}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      return { status: reply.status, body: Buffer.from(await reply.arrayBuffer()) };
    } catch {
      return null;
    }
  }

  async #note(playlist: string, isArchived: boolean): Promise<void> {
    const reply = await this.load(playlist);
    if (reply?.status !== 200) return;
    for (const { uri, durationS } of parsePlaylistText(reply.body.toString()).segments) {
      if (uri === null) continue;
      const known = this.shown.get(uri);
      if (known !== undefined) {
        known.isArchived ||= isArchived;
        continue;
      }
      const segment = { uri, durationS: durationS ?? 0, isArchived };
      await this.#load({ ...segment, digest: null, bytesDigest: null, media: null });
    }
  }

  async #load(segment: ShownSegment): Promise<void> {
    this.shown.set(segment.uri, segment);
    const reply = await this.load(segment.uri);
    if (reply?.status !== 200) return;
    segment.media = segmentMedia(reply.body);
    segment.digest = mediaDigest(segment.media);
    if (this.#newest !== null) this.#newest.media = null;
    this.#newest = segment;
  }
}

/** The digest of a file as it was sent. */
export function bytesDigest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
