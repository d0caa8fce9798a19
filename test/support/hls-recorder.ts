/** Follows an HLS playlist as a player does and keeps every segment, so that a judge can read what was served. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { PlaylistWatch } from "./playlist-rules.ts";

/** One segment as the playlist announced it. */
export type RecordedSegment = {
  readonly sequence: number;
  readonly uri: string;
  readonly durationSeconds: number;
  readonly discontinuity: boolean;
  readonly map: string;
  readonly programDateTime: string | null;
  readonly bytes: Uint8Array;
};

/** A media playlist in parts. */
export type ParsedPlaylist = {
  readonly targetDuration: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly isEnded: boolean;
  readonly segments: readonly Omit<RecordedSegment, "bytes">[];
};

/** Reads a media playlist; every tag that Weir writes is known, any other fails the test. */
export function parseMediaPlaylist(text: string): ParsedPlaylist {
  const lines = text.split("\n");
  assert.equal(lines[0], "#EXTM3U");
  const header = { targetDuration: 0, mediaSequence: 0, discontinuitySequence: 0, isEnded: false };
  const segments: Omit<RecordedSegment, "bytes">[] = [];
  let pending = {
    discontinuity: false,
    map: "",
    programDateTime: null as string | null,
    durationSeconds: 0,
  };
  for (const line of lines.slice(1)) {
    const [tag, value = ""] = splitTag(line);
    if (tag === "#EXT-X-TARGETDURATION") header.targetDuration = Number(value);
    else if (tag === "#EXT-X-MEDIA-SEQUENCE") header.mediaSequence = Number(value);
    else if (tag === "#EXT-X-DISCONTINUITY-SEQUENCE") header.discontinuitySequence = Number(value);
    else if (tag === "#EXT-X-ENDLIST") header.isEnded = true;
    else if (tag === "#EXT-X-DISCONTINUITY") pending.discontinuity = true;
    else if (tag === "#EXT-X-MAP") pending.map = /URI="([^"]+)"/.exec(value)![1]!;
    else if (tag === "#EXT-X-PROGRAM-DATE-TIME") pending.programDateTime = value;
    else if (tag === "#EXTINF") pending.durationSeconds = Number.parseFloat(value);
    else if (line !== "" && !line.startsWith("#")) {
      segments.push({ ...pending, sequence: header.mediaSequence + segments.length, uri: line });
      pending = { discontinuity: false, map: pending.map, programDateTime: null, durationSeconds: 0 };
    } else
      assert.match(
        line,
        /^(#EXT-X-(VERSION|PLAYLIST-TYPE|START|INDEPENDENT-SEGMENTS|SERVER-CONTROL|GAP).*)?$/,
      );
  }
  return { ...header, segments };
}

function splitTag(line: string): [string, string?] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line] : [line.slice(0, colon), line.slice(colon + 1)];
}

/** What was recorded of one media playlist. */
export class HlsRecording {
  readonly segments: RecordedSegment[] = [];
  readonly playlists: ParsedPlaylist[] = [];
  readonly #inits = new Map<string, Uint8Array>();
  readonly #url: string;
  /** Judges every version by the rules of playlists. */
  readonly #watch = new PlaylistWatch();

  constructor(mediaPlaylistUrl: string) {
    this.#url = mediaPlaylistUrl;
  }

  /** Polls twice a second until `isEnough` holds, the playlist ends, or `timeoutMs` is over (which fails). */
  async follow(isEnough: (recording: HlsRecording) => boolean, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!isEnough(this)) {
      assert.ok(
        Date.now() < deadline,
        `not enough after ${timeoutMs} ms: ${this.segments.length} segments of ${this.#url}`,
      );
      const playlist = await this.#poll();
      if (playlist?.isEnded === true) return;
      await sleep(500);
    }
  }

  /** Seconds that the playlist promised for what was recorded. */
  get durationSeconds(): number {
    return this.segments.reduce((sum, segment) => sum + segment.durationSeconds, 0);
  }

  /** Writes a run of segments behind their init segment as one fragmented MP4. */
  async save(path: string, segments: readonly RecordedSegment[] = this.segments): Promise<void> {
    const init = this.#inits.get(segments[0]!.map)!;
    await writeFile(path, Buffer.concat([init, ...segments.map((segment) => segment.bytes)]));
  }

  async #poll(): Promise<ParsedPlaylist | null> {
    const reply = await fetch(this.#url, { signal: AbortSignal.timeout(20_000) });
    if (reply.status !== 200) return null;
    const text = await reply.text();
    this.#watch.take(text);
    const playlist = parseMediaPlaylist(text);
    this.#checkAgainst(this.playlists.at(-1), playlist);
    this.playlists.push(playlist);
    for (const segment of playlist.segments) {
      if (this.segments.some((known) => known.sequence === segment.sequence)) continue;
      const isNewMap = segment.map !== "" && !this.#inits.has(segment.map);
      if (isNewMap) this.#inits.set(segment.map, await this.#fetch(segment.map));
      this.segments.push({ ...segment, bytes: await this.#fetch(segment.uri) });
    }
    return playlist;
  }

  /** RFC 8216 section 6.2.1: what a server must not do to a playlist from one version to the next. */
  #checkAgainst(before: ParsedPlaylist | undefined, after: ParsedPlaylist): void {
    for (const segment of after.segments) {
      assert.ok(
        Math.round(segment.durationSeconds) <= after.targetDuration,
        "a segment is longer than the target",
      );
    }
    if (before === undefined) return;
    assert.ok(after.mediaSequence >= before.mediaSequence, "the media sequence went back");
    assert.ok(
      after.discontinuitySequence >= before.discontinuitySequence,
      "the discontinuity sequence went back",
    );
    for (const segment of after.segments) {
      const known: { uri: string } | undefined = before.segments.find(
        (candidate) => candidate.sequence === segment.sequence,
      );
      if (known !== undefined)
        assert.equal(segment.uri, known.uri, "a sequence number changed its segment");
    }
  }

  async #fetch(uri: string): Promise<Uint8Array> {
    const reply = await fetch(new URL(uri, this.#url), { signal: AbortSignal.timeout(20_000) });
    assert.equal(reply.status, 200, uri);
    return new Uint8Array(await reply.arrayBuffer());
  }
}
