import assert from "node:assert/strict";
import { test } from "node:test";
import { PACES } from "./findings.js";
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
  ["a slow start is told", { phase: "starting", stuckMs: 8001 }, "slow"],
  [
    "a slow start without network is told",
    { phase: "starting", stuckMs: 8001, isOnline: false },
    "offline",
  ],
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
  [
    "a stream whose server has it, and which does not move, is told",
    { ...GONE, finding: "there" },
    "stalled",
  ],
  ["missing decoders are told when they are known", { phase: "unplayable" }, "same"],
  ["missing decoders are told", { phase: "unplayable", finding: "there" }, "unplayable"],
  ["giving up for a while is told", { phase: "broken" }, "broken"],
  ["waiting for a click needs no words", { phase: "idle", stuckMs: 99_999 }, null],
  ["the end of a file needs no words", { phase: "finished", stuckMs: 99_999 }, null],
];

for (const [name, facts, situation] of situations) {
  test(name, () => assert.equal(situationOf({ ...CALM, ...facts }), situation));
}

const words: [
  situation: keyof typeof PACES,
  status: number,
  title: string,
  next: RegExp | "button" | "nothing",
][] = [
  ["waiting", 404, "a/b is not on air.", /publisher or source .* starts by itself when it does\.$/],
  ["starting", 503, "a/b is starting.", /on air.* starts by itself\.$/],
  ["missing", 404, "a/b is not there.", /starts by itself when it has\.$/],
  ["unknown", 404, "There is no stream a/b.", /starts by itself when it has\.$/],
  ["no-file", 404, "There is no file a/b.", /starts by itself when the file appears\.$/],
  ["disabled", 403, "a/b is switched off.", /configuration .* starts by itself when it is switched on\.$/],
  ["off", 403, "a/b cannot be played on this page.", "button"],
  ["bad-name", 400, "There can be no stream a/b.", "nothing"],
  ["withheld", 403, "The server cannot give the file a/b.", "button"],
  ["unservable", 422, "The file a/b cannot be played.", "button"],
  ["refused", 401, "a/b may not be played from this page.", "button"],
  ["rejected", 400, "a/b cannot be played.", "button"],
  ["busy", 503, "The server cannot give a/b now.", /\(HTTP 503\)\. Trying again by itself\.$/],
  ["failing", 500, "The server has a problem with a/b.", /HTTP 500\. Trying again by itself\.$/],
  ["unreachable", 0, "The server does not answer.", /Trying again by itself\.$/],
];
for (const [situation, status, title, next] of words) {
  test(`"${title}" is said of what is "${situation}", with what happens next`, () => {
    const message = messageFor(situation, { name: "a/b", status });
    assert.equal(message.title, title);
    assert.equal(message.canRetry, next === "button");
    if (next instanceof RegExp) assert.match(message.detail, next);
    assert.equal(PACES[situation] !== "never", next instanceof RegExp, "it tries by itself as it says");
  });
}

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
  const findings = Object.keys(PACES) as (keyof typeof PACES)[];
  const more = ["ended-live", "offline", "unplayable", "slow", "stalled", "behind"] as const;
  for (const situation of [...findings, ...more, "broken", "nameless"] as const) {
    const { title } = messageFor(situation, { name: `a\u202e${"b".repeat(999)}`, status: 500 });
    assert.match(title, /^[\x20-\x7e]{10,160}$/, situation);
  }
});
