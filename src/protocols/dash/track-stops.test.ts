/** The MPDs of a live window whose sound or pictures stop and come back, each as the successor of the one before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import type { SourceStretch } from "../../../test/support/live-source.ts";
import { audioTrack } from "../../../test/support/media.ts";
import { mpdProblems, parseMpd, successionProblems } from "../../../test/support/mpd-rules.ts";
import type { ParsedMpd } from "../../../test/support/mpd-rules.ts";
import type { Codec } from "../../media/track.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import { dashReply } from "./reply.ts";

/** AC3SpecificBox of 48 kHz, two channels, 192 kbit/s: a codec of which there is no silence. */
const AC3 = { codec: "ac3", config: Uint8Array.of(0x10, 0x11, 0x40), codecString: "ac-3" } as const;

/** Plays the stretches; every MPD that there was on the way, and what was wrong with any of them. */
function follow(codec: Codec, stretches: readonly SourceStretch[], isLowLatency: boolean) {
  const window = new LiveWindow({
    segmentDurationUs: 2e6,
    segmentCount: 4,
    chunkDurationUs: 200_000,
    clock: new FakeClock(),
  });
  const source = new LiveSource(window, { audio: audioTrack(codec === "ac3" ? AC3 : {}) });
  const mpds: ParsedMpd[] = [];
  const problems: string[] = [];
  const look = (): void => {
    if (!window.isReady) return;
    const reply = dashReply({ kind: "mpd", isLowLatency }, window);
    assert.ok(!(reply instanceof Promise));
    const mpd = parseMpd(new TextDecoder().decode(reply.body[0]));
    const before = mpds.at(-1);
    if (before?.text === mpd.text) return;
    problems.push(...mpdProblems(mpd), ...(before === undefined ? [] : successionProblems(before, mpd)));
    mpds.push(mpd);
  };
  for (const stretch of stretches) {
    if (stretch.begins === "break") source.skip(1);
    source.play(stretch, look);
  }
  return { mpds, problems };
}

/** Which tracks each Period has had, in their order. */
function periodsOf(mpds: readonly ParsedMpd[]): string[] {
  const sets = new Map<string, string>();
  for (const { periods } of mpds)
    for (const { id, representations } of periods)
      sets.set(id, representations.map((one) => one.id).join(""));
  return [...sets.values()];
}

const soundStops: readonly SourceStretch[] = [
  { seconds: 12 },
  { seconds: 12, hasAudio: false },
  { seconds: 12 },
];
/** A publisher comes back that announces its sound and sends it later. */
const announcesOnly: readonly SourceStretch[] = [
  { seconds: 12 },
  { seconds: 0, begins: "break" },
  { seconds: 12, hasAudio: false },
  { seconds: 12 },
];
const comesBack: readonly SourceStretch[] = [
  { seconds: 12 },
  { seconds: 12, hasAudio: false, begins: "break" },
  { seconds: 12, begins: "break" },
];

/** Of the segment that grew when the source broke off there are pictures and no sound. */
const breaksOff: readonly SourceStretch[] = [
  { seconds: 12 },
  { seconds: 0.3, hasAudio: false },
  { seconds: 12, begins: "break" },
];

for (const isLowLatency of [false, true]) {
  const kind = isLowLatency ? "low latency" : "complete segments";

  test(`sound that stops and comes back stays in one Period where there is silence of it, ${kind}`, () => {
    const { mpds, problems } = follow("aac", soundStops, isLowLatency);
    assert.deepEqual(problems, []);
    assert.deepEqual(periodsOf(mpds), ["v1a1"]);
  });

  test(`a source that breaks off between pictures and sound leaves no Period without sound, ${kind}`, () => {
    const { mpds, problems } = follow("aac", breaksOff, isLowLatency);
    assert.deepEqual(problems, []);
    assert.deepEqual(periodsOf(mpds), ["v1a1", "v1a1"]);
    const holes = mpds.at(-1)!.text.match(/<S [^>]*d="(?!2000")[^>]*>/g);
    assert.equal(holes?.length, 1, "the pictures of the last segment are listed");
  });

  test(`a publisher that comes back without sound begins a Period with it, ${kind}`, () => {
    const { mpds, problems } = follow("aac", comesBack, isLowLatency);
    assert.deepEqual(problems, []);
    assert.deepEqual(periodsOf(mpds), ["v1a1", "v1a1", "v1a1"]);
  });
}

for (const isLowLatency of [false, true]) {
  const kind = isLowLatency ? "low latency" : "complete segments";

  test(`where there is no silence of it, a Period begins without it, and another one with it, ${kind}`, () => {
    const { mpds, problems } = follow("ac3", soundStops, isLowLatency);
    assert.deepEqual(problems, []);
    assert.deepEqual(periodsOf(mpds), ["v1a1", "v1", "v1a1"]);
  });

  test(`a stretch that may come without it is listed once that is known, ${kind}`, () => {
    const { mpds, problems } = follow("ac3", announcesOnly, isLowLatency);
    assert.deepEqual(problems, []);
    assert.deepEqual(periodsOf(mpds), ["v1a1", "v1", "v1a1"]);
  });
}
