import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseOptions, resourceUrl } from "./options.js";

const DEFAULTS = {
  autoplay: true,
  muted: true,
  volume: 1,
  carried: "",
  proto: null,
  realtime: false,
  dvr: false,
  localTime: true,
  exportLimitSeconds: 86_400,
  playSeconds: null,
  agoSeconds: null,
  fromMs: null,
  toMs: null,
  streams: [] as string[],
  startTracks: { video: null as number | null, audio: null as number | null },
};

const queries: [query: string, options: object][] = [
  ["", {}],
  ["?autoplay=true&mute=true", {}],
  ["?autoplay=false", { autoplay: false }],
  ["?autoplay=0&mute=No", { autoplay: false, muted: false }],
  ["?mute=off", { muted: false }],
  ["?mute", {}],
  ["?volume=0.5", { volume: 0.5 }],
  ["?volume=50", { volume: 0.5 }],
  ["?volume=0", { volume: 0 }],
  ["?volume=1", { volume: 1 }],
  ["?volume=900", { volume: 1 }],
  ["?token=a%26b", { carried: "token=a%26b" }],
  ["?mute=0&key=x&dvr&key=y", { muted: false, dvr: true, carried: "key=x&key=y" }],
  [
    "?proto=hls&dvr=true&realtime=true&unknown=1",
    { proto: "hls", dvr: true, realtime: true, carried: "unknown=1" },
  ],
  ["?proto=LL-HLS", { proto: "ll-hls" }],
  ["?proto=mse", { proto: "mse-ld" }],
  ["?proto=webrtc", { proto: "nearest" }],
  ["?localtime=false&export_limit=60", { localTime: false, exportLimitSeconds: 60 }],
  ["?play_duration=1.5&ago=30", { playSeconds: 1.5, agoSeconds: 30 }],
  ["?from=1700000000&to=1700000060", { fromMs: 1_700_000_000_000, toMs: 1_700_000_060_000 }],
  ["?from=1700000000000", { fromMs: 1_700_000_000_000 }],
  ["?streams=a, pub/b,,a", { streams: ["a", "pub/b"] }],
  ["?start_track=v2a1", { startTracks: { video: 2, audio: 1 } }],
  ["?start_track=a3", { startTracks: { video: null, audio: 3 } }],
];

for (const [query, options] of queries) {
  test(`the query "${query}" is understood`, () =>
    assert.deepEqual(parseOptions(query), { ...DEFAULTS, ...options, complaints: [] }));
}

const senseless: [query: string, complaint: RegExp][] = [
  ["?volume=-1", /volume=-1 is ignored: it takes a number from 0 to 1/],
  ["?volume=loud", /volume=loud/],
  ["?volume=", /volume= is/],
  ["?autoplay=maybe", /autoplay=maybe is ignored: it takes true or false/],
  ["?proto=quic", /proto=quic is ignored: it takes hls, ll-hls/],
  ["?proto=constructor", /proto/],
  ["?proto=native", /proto/],
  ["?ago=-5", /ago=-5 is ignored: it takes seconds/],
  ["?play_duration=Infinity", /play_duration/],
  ["?export_limit=0", /export_limit/],
  ["?from=yesterday", /from=yesterday/],
  ["?from=1e300", /from/],
  ["?from=20&to=10", /from must be before to/],
  ["?streams=/etc,../x,a//b", /streams/],
  ["?start_track=v0", /start_track/],
  ["?start_track=", /start_track/],
  [`?proto=${"x".repeat(5000)}`, /^proto=x{40} is/],
];

for (const [query, complaint] of senseless) {
  test(`the query "${query.slice(0, 40)}" changes nothing, and is complained of`, () => {
    const { complaints, ...options } = parseOptions(query);
    assert.deepEqual(options, DEFAULTS);
    assert.equal(complaints.length, 1);
    assert.match(complaints[0]!, complaint);
  });
}

test("a list of streams has a bound", () => {
  const names = Array.from({ length: 1000 }, (_, i) => `s${i}`).join();
  assert.equal(parseOptions(`?streams=${names}`).streams.length, 64);
});

test("any query gives usable options", () => {
  const names = [...Object.keys(DEFAULTS), "play_duration", "ago", "from", "to", "start_track", "streams"];
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.string(), (name, text) => {
      const { volume, agoSeconds, fromMs, toMs } = parseOptions(`?${name}=${text}&volume=${text}&${text}`);
      assert.ok(volume >= 0 && volume <= 1);
      assert.ok(agoSeconds === null || agoSeconds > 0);
      assert.ok(fromMs === null || Number.isFinite(fromMs));
      assert.ok(toMs === null || Number.isFinite(toMs));
    }),
    { seed: 21 },
  );
});

test("what plays stands beside the page, with what is carried and nothing else of the query", () => {
  const page = "http://host:8080/pub/a%20b/embed.html?mute=0&token=x#here";
  assert.equal(resourceUrl(page, "index.m3u8", ""), "http://host:8080/pub/a%20b/index.m3u8");
  assert.equal(resourceUrl(page, "mse_ld", "token=a%26b"), "http://host:8080/pub/a%20b/mse_ld?token=a%26b");
});
