import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Film } from "../test/support/clock-camera.ts";
import { chosenPlayers, describeJoin, renderLatency, renderLatencySection } from "./latency.ts";
import type { Join } from "./latency.ts";

const SEEN = { agesMs: [], stalls: 0, jumps: 0, startMs: 0, lagS: 0, playedS: 0, elapsedS: 0 };

describe("a join", () => {
  test("is described without its first fifth, when the player was on its way", () => {
    const agesMs = [9000, 9000, ...Array.from({ length: 8 }, (_, i) => 500 + i)];
    const seen = { ...SEEN, agesMs, stalls: 2, jumps: 3, startMs: 1500, playedS: 9, elapsedS: 10 };
    const join = describeJoin(seen, ["trouble x"]);
    assert.deepEqual(join, {
      p50Ms: 503.5,
      p95Ms: 507,
      startMs: 1500,
      stalls: 2,
      jumps: 3,
      pictures: 10,
      playedShare: 0.9,
      happened: ["trouble x"],
    });
  });

  test("without a picture is none", () => assert.equal(describeJoin(SEEN, []), null));

  test("with one picture has that one's age", () => {
    const join = describeJoin({ ...SEEN, agesMs: [700] }, []);
    assert.deepEqual([join?.p50Ms, join?.p95Ms, join?.playedShare], [700, 700, 0]);
  });
});

describe("the table of latencies", () => {
  const join = (p50Ms: number, stalls = 0, playedShare = 1): Join => ({
    p50Ms,
    p95Ms: p50Ms + 100,
    startMs: 2000,
    stalls,
    jumps: stalls * 2,
    pictures: 1000,
    playedShare,
    happened: [],
  });

  test("has the median of the joins, how far they lie apart, and all that shows trouble", () => {
    const joins = [join(1300, 1, 0.5), join(1100), join(1200, 2, 0.874)];
    const [head, , line] = renderLatency([{ player: "ll-hls", joins, failed: 2 }]).split("\n");
    assert.match(head!, /\| first picture \| played \| stalls \| jumps \| joins \| failed \| aim \|$/);
    assert.equal(
      line,
      "| LL-HLS, hls.js | 1.20 | 1.10 to 1.30 | 1.30 | 2.00 | 87 % | 3 | 6 | 3 | 2 | <= 1.5 s |",
    );
  });

  test("says so when every join failed", () => {
    const line = renderLatency([{ player: "flv", joins: [], failed: 5 }]).split("\n")[2];
    assert.equal(line, "| HTTP-FLV, mpegts.js | - |  | - | - | - | 0 | 0 | 0 | 5 | <= 0.8 s |");
  });

  test("stands in the page with how busy the machine was", () => {
    const run = { title: "a day, a machine", loadAtStart: 3.14, loadAtEnd: 4 };
    const section = renderLatencySection([{ player: "flv", joins: [join(700)], failed: 0 }], run);
    assert.match(section, /^\na day, a machine\n\n\| player/);
    assert.match(section, /\|\n\nLoad average of the machine: 3\.1 when it began, 4\.0 when it ended/);
  });
});

test("the page's table is of all players: one alone is refused before anything is measured", () => {
  assert.equal(chosenPlayers(undefined, true).length, 5);
  assert.deepEqual(chosenPlayers("flv, hls", false), ["flv", "hls"]);
  assert.throws(() => chosenPlayers("flv", true), /not with --engine/);
  assert.throws(() => chosenPlayers("vhs", false), /no engine "vhs"/);
});

describe("a film", () => {
  const PICTURE_BYTES = 10;

  class Encoder {
    readonly taken: Buffer[] = [];
    writableLength = 0;
    write(picture: Buffer): boolean {
      this.taken.push(picture);
      this.writableLength += picture.byteLength;
      return true;
    }
  }

  const film = (encoder: Encoder): Film =>
    new Film(encoder, PICTURE_BYTES, (count) => Buffer.alloc(PICTURE_BYTES, count % 256));

  test("has one picture for each place, and repeats the last while the encoder takes none", () => {
    const encoder = new Encoder();
    const camera = film(encoder);
    assert.ok(camera.goTo(29));
    assert.equal(encoder.taken.length, 30, "the encoder counts pictures, and nothing else");
    const stamps = encoder.taken.map((picture) => picture[0]!);
    const filmed = new Set(stamps).size;
    assert.equal(camera.repeated, 30 - filmed);
    assert.ok(camera.repeated > 0);
    assert.deepEqual(stamps.slice(filmed), Array(30 - filmed).fill(filmed - 1));
    assert.equal(new Set(encoder.taken).size, filmed, "a repeated picture takes no memory");
    encoder.writableLength = 0;
    assert.ok(camera.goTo(30));
    assert.equal(encoder.taken.at(-1)![0], 30, "then it films on where the clock is");
  });

  test("ends when too much waits", () => {
    const encoder = new Encoder();
    const camera = film(encoder);
    assert.equal(camera.goTo(100_000), false);
    assert.equal(encoder.taken.length, 250);
    assert.equal(camera.goTo(100_001), false);
    assert.equal(encoder.taken.length, 250);
  });
});
