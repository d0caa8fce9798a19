import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StreamName } from "../../media/ids.ts";
import { StreamHomes } from "./homes.ts";

const CAMERA = "camera" as StreamName;

function homes(): { homes: StreamHomes; told: unknown[] } {
  const told: unknown[] = [];
  return { homes: new StreamHomes((...news) => told.push(news)), told };
}

describe("the homes of streams", () => {
  test("are given to the first who claims a name", () => {
    const { homes: all } = homes();
    assert.deepEqual([all.claim(1, CAMERA), all.claim(0, CAMERA)], [1, 1]);
  });

  test("are free again when their thread releases them, and only then", () => {
    const { homes: all } = homes();
    all.claim(1, CAMERA);
    all.release(0, CAMERA);
    assert.equal(all.claim(0, CAMERA), 1);
    all.release(1, CAMERA);
    assert.equal(all.claim(0, CAMERA), 0);
  });

  test("are told to those who watch, at once and at every change", () => {
    const { homes: all, told } = homes();
    assert.equal(all.watch(2, CAMERA), null);
    all.claim(1, CAMERA);
    assert.equal(all.watch(3, CAMERA), 1);
    all.release(1, CAMERA);
    assert.deepEqual(told, [
      [2, CAMERA, 1],
      [2, CAMERA, null],
      [3, CAMERA, null],
    ]);
  });

  test("are not told to those who watch no more", () => {
    const { homes: all, told } = homes();
    all.watch(2, CAMERA);
    all.unwatch(2, CAMERA);
    all.claim(1, CAMERA);
    assert.deepEqual([told, all.watched], [[], 0]);
  });

  test("go with their thread, and so do its watches", () => {
    const { homes: all, told } = homes();
    all.claim(1, CAMERA);
    all.watch(0, CAMERA);
    all.watch(1, CAMERA);
    assert.deepEqual(all.forget(1), [CAMERA]);
    assert.deepEqual(told, [[0, CAMERA, null]]);
    assert.equal(all.size, 0);
    all.forget(0);
    assert.equal(all.watched, 0);
  });
});
