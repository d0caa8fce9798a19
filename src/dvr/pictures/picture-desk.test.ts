import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import type { KeyFrame } from "./key-frame.ts";
import { PictureDesk } from "./picture-desk.ts";

/** Who draws when the test says so. */
class Bench {
  readonly drawing: { readonly file: Uint8Array; readonly finish: (bytes?: number) => void }[] = [];
  readonly stop = new AbortController();
  reads = 0;
  readonly desk: PictureDesk;

  constructor(bounds: { keptBytes?: number; running?: number; waiting?: number } = {}) {
    this.desk = new PictureDesk({
      ...bounds,
      stopped: this.stop.signal,
      draw: (file, _widthPx, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("stopped")));
          this.drawing.push({ file, finish: (bytes = 100) => resolve(new Uint8Array(bytes)) });
        }),
    });
  }

  keyFrame(startUs: number): KeyFrame {
    const read = (): Promise<Uint8Array> => {
      this.reads++;
      return Promise.resolve(Uint8Array.of(startUs));
    };
    return { startUs, read };
  }

  ask(startUs: number, onLeave?: (run: () => void) => void): Promise<Uint8Array> {
    const request = { key: "cam", keyFrame: this.keyFrame(startUs), widthPx: 320 };
    return this.desk.picture(onLeave === undefined ? request : { ...request, onLeave });
  }

  async drawn(count: number): Promise<void> {
    await eventually(() => assert.equal(this.drawing.length, count));
  }
}

describe("pictures on demand", () => {
  test("are drawn once for all who ask, and kept", async () => {
    const bench = new Bench();
    const asked = [bench.ask(1), bench.ask(1), bench.ask(1)];
    await bench.drawn(1);
    bench.drawing[0]!.finish();
    const pictures = await Promise.all(asked);
    assert.equal(new Set(pictures).size, 1);
    assert.equal(await bench.ask(1), pictures[0]);
    assert.deepEqual([bench.drawing.length, bench.reads, bench.desk.jobs], [1, 1, 0]);
  });

  test("are drawn one at a time, in order", async () => {
    const bench = new Bench();
    const asked = [bench.ask(1), bench.ask(2), bench.ask(3)];
    for (let i = 0; i < 3; i++) {
      await bench.drawn(i + 1);
      assert.deepEqual([...bench.drawing[i]!.file], [i + 1]);
      bench.drawing[i]!.finish();
      await asked[i];
    }
  });

  test("are refused when too many wait, and not those that are waited for already", async () => {
    const bench = new Bench({ running: 1, waiting: 2 });
    const asked = [bench.ask(1), bench.ask(2), bench.ask(3)];
    await bench.drawn(1);
    await assert.rejects(bench.ask(4), { code: "DVR_PICTURE_BUSY" });
    const again = bench.ask(3);
    for (let i = 0; i < 3; i++) {
      await bench.drawn(i + 1);
      bench.drawing[i]!.finish();
    }
    assert.equal((await Promise.all([...asked, again])).length, 4);
    const later = bench.ask(4);
    await bench.drawn(4);
    bench.drawing[3]!.finish();
    await later;
  });

  test("are not drawn for those who have left before their turn", async () => {
    const bench = new Bench();
    const first = bench.ask(1);
    let leave = (): void => {};
    const left = bench.ask(2, (run) => (leave = run));
    const third = bench.ask(3);
    await bench.drawn(1);
    leave();
    bench.drawing[0]!.finish();
    await first;
    await assert.rejects(left, { code: "DVR_PICTURE_UNAVAILABLE" });
    await bench.drawn(2);
    assert.deepEqual([...bench.drawing[1]!.file], [3]);
    bench.drawing[1]!.finish();
    await third;
  });

  test("are kept within a bound of bytes", async () => {
    const bench = new Bench({ keptBytes: 5000 });
    for (let i = 0; i < 20; i++) {
      const asked = bench.ask(i);
      await bench.drawn(i + 1);
      bench.drawing[i]!.finish(1000);
      await asked;
      assert.ok(bench.desk.keptBytes <= 5000);
    }
    assert.ok(bench.desk.keptBytes > 3000);
    await assert.doesNotReject(bench.ask(19));
    assert.equal(bench.drawing.length, 20);
  });

  test("that cannot be drawn are tried again by who asks next", async () => {
    const bench = new Bench();
    const broken = { startUs: 5, read: () => Promise.reject(new Error("no disk")) };
    const request = { key: "cam", keyFrame: broken, widthPx: 320 };
    await assert.rejects(bench.desk.picture(request), /no disk/);
    assert.equal(bench.desk.jobs, 0);
    const again = bench.ask(5);
    await bench.drawn(1);
    bench.drawing[0]!.finish();
    await again;
  });

  test("end with the server", async () => {
    const bench = new Bench();
    const asked = bench.ask(1);
    await bench.drawn(1);
    bench.stop.abort();
    await assert.rejects(asked, /stopped/);
  });
});
