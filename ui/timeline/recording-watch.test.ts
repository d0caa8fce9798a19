import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RecordingWatch } from "./recording-watch.js";

/** A server with a recording, and a watch that asks it. */
class Bench {
  readonly asked: string[] = [];
  nowMs = 1_000_000;
  changes = 0;
  reply = (): Response => Response.json({ ranges: [{ from: 900, duration: 90 }], bytes: 5 });
  readonly watch = new RecordingWatch({
    urlOf: (query) => `http://host/recording_status.json?${query}`,
    nowMs: () => this.nowMs,
    isHidden: () => false,
    onChange: () => void this.changes++,
    fetcher: (url) => {
      assert.ok(typeof url === "string");
      this.asked.push(url.split("?")[1]!);
      return Promise.resolve(this.reply());
    },
  });
}

describe("the watch over a recording", () => {
  test("asks for all, and then for what is new", async () => {
    const bench = new Bench();
    await bench.watch.look();
    assert.deepEqual([bench.watch.isKnown, bench.watch.recording.toMs, bench.changes], [true, 990_000, 1]);
    await bench.watch.look();
    bench.reply = () => Response.json({ ranges: [{ from: 980, duration: 40 }] });
    await bench.watch.look();
    assert.deepEqual(bench.asked, ["", "", "from=980"]);
    assert.deepEqual(bench.watch.recording.ranges, [{ fromMs: 900_000, toMs: 1_020_000 }]);
  });

  test("asks for all again from time to time, for what is old is deleted", async () => {
    const bench = new Bench();
    for (let i = 0; i < 50; i++) await bench.watch.look();
    const whole = bench.asked.filter((query) => query === "").length;
    assert.ok(whole >= 3 && whole < 6, String(whole));
  });

  test("knows that a recording stopped", async () => {
    const bench = new Bench();
    assert.equal(bench.watch.isGrowing, false);
    await bench.watch.look();
    assert.equal(bench.watch.isGrowing, true);
    bench.nowMs += 60_000;
    assert.equal(bench.watch.isGrowing, false);
  });

  test("keeps what it knows when the server refuses, breaks off or talks nonsense", async () => {
    const bench = new Bench();
    await bench.watch.look();
    const replies = [
      () => new Response("no", { status: 404 }),
      () => new Response("{"),
      () => Response.json(5),
      () => {
        throw new TypeError("no network");
      },
    ];
    for (const reply of replies) {
      bench.reply = reply;
      await bench.watch.look();
    }
    assert.deepEqual([bench.watch.recording.toMs, bench.changes], [990_000, 1]);
    const other = new Bench();
    other.reply = () => new Response("not recorded", { status: 404 });
    await other.watch.look();
    assert.equal(other.watch.isKnown, false);
  });

  test("asks on at once where there are more gaps than are told at a time", async () => {
    const bench = new Bench();
    const all = Array.from({ length: 25 }, (_, i) => ({ from: 1000 + i * 60, duration: 30 }));
    bench.reply = () => {
      const from = Number(bench.asked.at(-1)?.slice("from=".length) ?? "");
      const ranges = all.filter((range) => range.from + range.duration > from);
      return Response.json({
        ranges: ranges.slice(0, 10),
        ...(ranges.length > 10 ? { is_cut: true } : {}),
      });
    };
    await bench.watch.look();
    assert.equal(bench.watch.recording.ranges.length, 25);
    assert.equal(bench.watch.recording.toMs, (1000 + 24 * 60 + 30) * 1000);
    assert.deepEqual([bench.asked.length, bench.changes], [3, 1]);
    // One that always says so, and tells nothing new, is not asked for ever.
    bench.reply = () => Response.json({ ranges: all.slice(0, 1), is_cut: true });
    await bench.watch.look();
    assert.equal(bench.asked.length, 5);
  });
});
