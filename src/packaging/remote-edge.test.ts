import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { segmentEntry, timelineOf } from "../../test/support/presentation.ts";
import type { TrackId } from "../media/ids.ts";
import type { MediaBody } from "./presentation.ts";
import { RemoteEdge } from "./remote-edge.ts";

const VIDEO = ["v1"] as TrackId[];

describe("the parts that are kept of an edge in another thread", () => {
  let asked: string[];
  let edge: RemoteEdge;
  let partBytes: number;

  beforeEach(() => {
    asked = [];
    partBytes = 10;
    edge = new RemoteEdge({
      clock: new FakeClock(),
      follow: () => Promise.resolve(),
      onUse: () => {},
      fetchPart: (segment, index) => {
        asked.push(`${segment}-${index}`);
        if (index === 404) return Promise.resolve(null);
        return index === 500
          ? Promise.reject(new Error("the thread is gone"))
          : Promise.resolve([new Uint8Array(partBytes)]);
      },
    });
  });

  /** The home tells that these segments are listed. */
  const list = (first: number, count: number): void => {
    const segments = Array.from({ length: count }, (_, index) => segmentEntry(first + index));
    edge.update(timelineOf({ segments }), { partTargetUs: 200_000, open: null });
  };
  const get = async (segment: number, index = 0): Promise<MediaBody | null> =>
    edge.part(segmentEntry(segment).name, index, VIDEO);

  test("are fetched once, and count with their bytes", async () => {
    list(0, 3);
    const [one, other] = await Promise.all([get(2), get(2)]);
    assert.equal(one, other);
    assert.equal(await get(2), one);
    assert.deepEqual([asked.length, edge.partBytes], [1, 10]);
  });

  test("go when their segment has left the timeline for as long as the timeline is", async () => {
    list(0, 3);
    for (const segment of [0, 1, 2]) await get(segment);
    list(3, 3);
    assert.equal(edge.partBytes, 30);
    list(4, 3);
    assert.equal(edge.partBytes, 20);
    list(100, 3);
    assert.equal(edge.partBytes, 0);
    await get(2);
    assert.equal(asked.length, 4);
  });

  test("go when the home tells no more, also those on their way", async () => {
    list(0, 3);
    await get(2);
    const coming = get(1);
    edge.stop();
    assert.equal((await coming)?.length, 1);
    assert.equal(edge.partBytes, 0);
    await get(2);
    assert.equal(asked.length, 3);
  });

  test("are bounded in number", async () => {
    list(0, 3);
    for (let index = 0; index < RemoteEdge.MAX_PARTS + 1; index++) if (index < 404) await get(2, index);
    for (let index = 0; index < RemoteEdge.MAX_PARTS; index++) if (index < 404) await get(1, index);
    assert.equal(edge.partBytes, RemoteEdge.MAX_PARTS * 10);
  });

  test("are bounded in bytes; one alone is always kept", async () => {
    list(0, 3);
    partBytes = RemoteEdge.MAX_PART_BYTES / 2 + 1;
    await get(2, 0);
    await get(2, 1);
    assert.equal(edge.partBytes, partBytes);
    await get(2, 1);
    assert.deepEqual(asked.length, 2);
    partBytes = RemoteEdge.MAX_PART_BYTES + 1;
    await get(2, 2);
    assert.equal(edge.partBytes, partBytes);
  });

  test("that are not there, or that cannot be fetched, are asked for again", async () => {
    list(0, 3);
    for (let n = 0; n < 2; n++) {
      assert.equal(await get(2, 404), null);
      await assert.rejects(get(2, 500), /the thread is gone/);
    }
    assert.deepEqual([asked.length, edge.partBytes], [4, 0]);
  });
});
