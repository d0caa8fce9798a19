import assert from "node:assert/strict";
import { test } from "node:test";
import { abilitiesOf, Lineup, lineupFor, protocolOf } from "./protocols.js";
import type { Abilities, Wishes } from "./protocols.js";

const COMPUTER = { mse: true, fullMse: true, nativeHls: false };
const PHONE = { mse: true, fullMse: false, nativeHls: true };
const OLD_PHONE = { mse: false, fullMse: false, nativeHls: true };

const cases: [name: string, wishes: Partial<Wishes>, can: Abilities, order: string][] = [
  ["nothing asked for", {}, COMPUTER, "ll-hls hls dash mse-ld"],
  ["a phone", {}, PHONE, "ll-hls hls dash native"],
  ["an old phone", { proto: "dash" }, OLD_PHONE, "native"],
  ["nothing possible", {}, { mse: false, fullMse: false, nativeHls: false }, ""],
  ["HLS", { proto: "hls" }, COMPUTER, "hls ll-hls dash mse-ld"],
  ["DASH", { proto: "dash" }, COMPUTER, "dash ll-hls hls mse-ld"],
  ["DASH with little delay", { proto: "dash", realtime: true }, COMPUTER, "ll-dash dash mse-ld ll-hls hls"],
  ["MSE-LD on a phone", { proto: "mse-ld" }, PHONE, "ll-hls hls dash native"],
  ["little delay", { realtime: true }, COMPUTER, "mse-ld ll-hls ll-dash hls dash"],
  ["WebRTC", { proto: "nearest" }, COMPUTER, "mse-ld ll-hls ll-dash hls dash"],
  ["to step back", { stepsBack: true }, COMPUTER, "hls dash ll-hls"],
  ["to step back with MSE-LD", { stepsBack: true, proto: "mse-ld" }, COMPUTER, "hls dash ll-hls"],
];

for (const [name, wishes, can, order] of cases) {
  test(`${name}: ${order || "no way to play"}`, () => {
    const all = { proto: null, realtime: false, stepsBack: false, ...wishes };
    assert.equal(lineupFor(all, can).join(" "), order);
  });
}

test("words for protocols are those of embed codes", () => {
  const words = ["hls", "MSE_LD", "mseld", "webrtc", "llhls", "toString", ""];
  assert.deepEqual(words.map(protocolOf), ["hls", "mse-ld", "mse-ld", "nearest", "ll-hls", null, null]);
});

test("a lineup goes on to its end, and begins anew", () => {
  const lineup = new Lineup(["ll-hls", "hls"]);
  assert.deepEqual([lineup.current, lineup.fallBack(), lineup.current], ["ll-hls", true, "hls"]);
  assert.deepEqual([lineup.fallBack(), lineup.current], [false, "hls"]);
  lineup.reset();
  assert.equal(lineup.current, "ll-hls");
  const empty = new Lineup([]);
  assert.deepEqual([empty.current, empty.fallBack(), empty.current], [null, false, null]);
});

test("abilities are what the browser says", () => {
  const video = (answer: string) => ({ canPlayType: () => answer }) as unknown as HTMLVideoElement;
  const source = (isSupported: boolean) => ({ isTypeSupported: () => isSupported });
  const browser = (parts: object) => parts as typeof globalThis;
  assert.deepEqual(abilitiesOf(video(""), browser({ MediaSource: source(true) })), COMPUTER);
  assert.deepEqual(abilitiesOf(video("maybe"), browser({ ManagedMediaSource: source(true) })), PHONE);
  assert.deepEqual(abilitiesOf(video("maybe"), browser({})), OLD_PHONE);
  assert.deepEqual(abilitiesOf(video("maybe"), browser({ MediaSource: source(false) })), OLD_PHONE);
});
