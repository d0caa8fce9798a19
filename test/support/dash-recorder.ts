/** Follows an MPD as a player does, and judges every version of it and every segment that it lists. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { mpdProblems, parseMpd, schemaProblems, successionProblems } from "./mpd-rules.ts";
import type { MpdRepresentation, ParsedMpd } from "./mpd-rules.ts";

/** A segment as it was listed and as it was served. */
export type RecordedDashSegment = {
  readonly period: string;
  readonly representation: string;
  readonly timeMs: number;
  readonly durationMs: number;
  readonly bytes: Uint8Array;
  readonly init: string;
};

/** A picture or a frame of sound lies across a segment's begin, or times are rounded: so much is forgiven. */
const EDGE_MS = 45;

/** What was recorded of one MPD. */
export class DashRecording {
  readonly mpds: ParsedMpd[] = [];
  readonly segments: RecordedDashSegment[] = [];
  readonly #url: string;
  readonly #inits = new Map<string, Promise<Uint8Array>>();
  readonly #asked = new Map<string, Promise<void>>();
  #problems: string[] = [];

  constructor(mpdUrl: string) {
    this.#url = mpdUrl;
  }

  /** Polls until `isEnough` holds, or `timeoutMs` is over, which fails; then waits for what was asked for. */
  async follow(isEnough: (recording: DashRecording) => boolean, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!isEnough(this)) {
      assert.ok(
        performance.now() < deadline,
        `not enough after ${timeoutMs} ms: ${this.segments.length} segments`,
      );
      await this.poll();
      await sleep(300);
    }
    await Promise.all(this.#asked.values());
  }

  /** Loads the MPD once, and what it lists that was not asked for yet. A stream that is not on air is passed over. */
  async poll(): Promise<void> {
    const reply = await fetch(this.#url, { signal: AbortSignal.timeout(20_000) });
    if (reply.status === 404) return;
    assert.equal(reply.status, 200, this.#url);
    const mpd = parseMpd(await reply.text());
    const before = this.mpds.at(-1);
    this.#problems.push(...mpdProblems(mpd));
    if (before !== undefined) this.#problems.push(...successionProblems(before, mpd));
    if (before?.text !== mpd.text) this.mpds.push(mpd);
    for (const period of mpd.periods)
      for (const representation of period.representations) this.#ask(mpd, period.id, representation);
  }

  /** Everything that was wrong: schema, rules, segments that do not hold what the MPD says of them. */
  async problems(): Promise<string[]> {
    const texts = new Set(this.mpds.map(({ text }) => text));
    return [...(await schemaProblems([...texts])), ...this.#problems, ...(await this.#segmentProblems())];
  }

  /** The whole of a Representation as one file: its init segment and its segments in order. */
  async joined(representation: string): Promise<Uint8Array> {
    const segments = this.segments
      .filter((segment) => segment.representation === representation)
      .toSorted((a, b) => a.timeMs - b.timeMs);
    const init = await this.#inits.get(segments[0]!.init)!;
    return new Uint8Array(Buffer.concat([init, ...segments.map(({ bytes }) => bytes)]));
  }

  /** The last segments of a low-latency MPD grow or have not begun: they are asked for once they are complete. */
  #ask(mpd: ParsedMpd, period: string, representation: MpdRepresentation): void {
    const { id, segments, initialization, media } = representation;
    const isLast = mpd.periods.at(-1)!.id === period;
    const complete = mpd.isLowLatency && isLast ? segments.slice(0, -2) : segments;
    for (const { timeMs, durationMs } of complete) {
      const uri = media.replace("$Time$", String(timeMs));
      if (this.#asked.has(uri)) continue;
      const ask = async (): Promise<void> => {
        await this.#init(initialization);
        const bytes = await this.#fetch(uri);
        this.segments.push({ period, representation: id, timeMs, durationMs, bytes, init: initialization });
      };
      this.#asked.set(uri, ask());
    }
  }

  #init(uri: string): Promise<Uint8Array> {
    const known = this.#inits.get(uri) ?? this.#fetch(uri);
    this.#inits.set(uri, known);
    return known;
  }

  async #fetch(uri: string): Promise<Uint8Array> {
    const reply = await fetch(new URL(uri, this.#url), { signal: AbortSignal.timeout(20_000) });
    if (reply.status !== 200) this.#problems.push(`${uri} was listed and answered with ${reply.status}`);
    return new Uint8Array(await reply.arrayBuffer());
  }

  async #segmentProblems(): Promise<string[]> {
    const problems: string[] = [];
    for (const segment of this.segments) {
      const { representation, timeMs, durationMs, bytes, init } = segment;
      const source = new BufferSource(Buffer.concat([await this.#inits.get(init)!, bytes]));
      const input = new Input({ source, formats: ALL_FORMATS });
      const [track] = await input.getTracks();
      const beginMs = (await track!.getFirstTimestamp()) * 1000;
      const endMs = (await track!.computeDuration()) * 1000;
      const wrongMs = Math.max(Math.abs(beginMs - timeMs), Math.abs(endMs - timeMs - durationMs));
      if (!(wrongMs <= EDGE_MS)) {
        const says = `${timeMs} to ${timeMs + durationMs}`;
        problems.push(
          `${representation} at ${says} has media from ${beginMs.toFixed(1)} to ${endMs.toFixed(1)}`,
        );
      }
    }
    return problems;
  }
}
