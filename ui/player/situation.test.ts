import assert from "node:assert/strict";
import { test } from "node:test";
import { messageFor } from "./messages.js";
import type { Facts } from "./situation.js";
import { situationOf } from "./situation.js";

const CALM: Facts = {
  phase: "playing",
  finding: null,
  stuckMs: 0,
  isMoving: true,
  isOnline: true,
  isOverdue: false,
};
const GONE: Partial<Facts> = { phase: "absent", isMoving: false };

const situations: [name: string, facts: Partial<Facts>, situation: ReturnType<typeof situationOf>][] = [
  ["a moving picture needs no words", {}, null],
  ["a short stall needs no words", { stuckMs: 3000, isMoving: false }, null],
  ["a stall is told", { stuckMs: 3001, isMoving: false }, "behind"],
  ["a stall because nothing is published is told as such", { stuckMs: 3001, isOverdue: true }, "stalled"],
  [
    "a stall without network is told as such",
    { stuckMs: 3001, isOverdue: true, isOnline: false },
    "offline",
  ],
  ["a start keeps the words that were there", { phase: "starting", stuckMs: 8000 }, "same"],
  ["a slow start is told", { phase: "starting", stuckMs: 8001 }, "behind"],
  [
    "a stream that is gone is told when the picture stops",
    { ...GONE, isMoving: true, finding: "missing" },
    null,
  ],
  ["until the server answers, the words stay", GONE, "same"],
  ["what the server said is told", { ...GONE, finding: "missing" }, "missing"],
  ["a server out of reach is told", { ...GONE, finding: "unreachable" }, "unreachable"],
  ["a device out of the network is told", { ...GONE, finding: "unreachable", isOnline: false }, "offline"],
  ["a live stream that ended is told", { ...GONE, finding: "ended" }, "ended-live"],
  ["missing decoders are told when they are known", { phase: "unplayable" }, "same"],
  ["missing decoders are told", { phase: "unplayable", finding: "there" }, "unplayable"],
  ["giving up for a while is told", { phase: "broken" }, "broken"],
  ["waiting for a click needs no words", { phase: "idle", stuckMs: 99_999 }, null],
  ["the end of a file needs no words", { phase: "finished", stuckMs: 99_999 }, null],
];

for (const [name, facts, situation] of situations) {
  test(name, () => assert.equal(situationOf({ ...CALM, ...facts }), situation));
}

test("a stream that is not there has the words that people look for", () => {
  const { title, detail } = messageFor("missing", { name: "pub/camera" });
  assert.equal(
    `${title} ${detail}`,
    "pub/camera is not on air. This page starts by itself when it comes back.",
  );
});

test("a file that is not there is not said to be off air", () => {
  assert.equal(messageFor("missing", { name: "vod/a.mp4" }).title, "There is no file vod/a.mp4.");
});

test("the server's own words are passed on beside ours", () => {
  const message = messageFor("rejected", { name: "vod/a.mp4", status: 422, reason: "no moov box <b>" });
  assert.deepEqual(message, {
    title: "vod/a.mp4 cannot be played.",
    detail: "The server answered with HTTP 422.",
    note: "no moov box <b>",
    canRetry: true,
  });
});

test("missing decoders are called by their names, each once", () => {
  const detail = (...codecs: string[]) => messageFor("unplayable", { name: "a", codecs }).detail;
  assert.match(detail("hvc1.1.6.L93.B0"), /no decoder for H\.265 \(HEVC\)\./);
  assert.match(
    detail("hvc1.1", "hev1.2", "ac-3"),
    /no decoder for H\.265 \(HEVC\) and Dolby Digital \(AC-3\)\./,
  );
  assert.match(detail("hvc1.1", "av01.0", "ac-3"), /for H\.265 \(HEVC\), AV1 and Dolby/);
  assert.match(detail(), /no decoder for this kind of video or sound\./);
});

test("every situation has words, and a name can neither turn nor fill them", () => {
  const all = [
    "missing",
    "waiting",
    "ended-live",
    "refused",
    "rejected",
    "failing",
    "unreachable",
    "offline",
  ] as const;
  const more = ["unplayable", "stalled", "behind", "broken", "nameless", "there", "ended"] as const;
  for (const situation of [...all, ...more]) {
    const { title } = messageFor(situation, { name: `a\u202e${"b".repeat(999)}`, status: 500 });
    assert.match(title, /^[\x20-\x7e]{10,160}$/, situation);
  }
});
