import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { save } from "./save.js";

/** What is offered to the browser, and what was told of progress. */
function bench(reply: () => Response | Promise<Response>, maxHeldBytes = 1000) {
  const offered: string[] = [];
  const told: [number, number | null][] = [];
  const stop = new AbortController();
  return {
    ...{ offered, told, stop },
    run: () =>
      save({
        url: "http://host/a.mp4",
        signal: stop.signal,
        onProgress: (bytes, whole) => void told.push([bytes, whole]),
        offer: (url) => void offered.push(url),
        makeUrl: (blob) => `blob:${blob.size}`,
        fetcher: () => Promise.resolve(reply()),
        maxHeldBytes,
      }),
  };
}

function pieces(sizes: readonly number[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const size of sizes) controller.enqueue(new Uint8Array(size));
      controller.close();
    },
  });
}

const headers = (length: number): HeadersInit => ({ "content-length": String(length) });

describe("saving a clip", () => {
  test("tells how far it is, and gives the browser the whole", async () => {
    const { run, offered, told } = bench(() => new Response(pieces([3, 4]), { headers: headers(7) }));
    assert.deepEqual(await run(), { end: "saved" });
    assert.deepEqual(told, [
      [3, 7],
      [7, 7],
    ]);
    assert.deepEqual(offered, ["blob:7"]);
  });

  test("leaves to the browser what is too large to hold, or of unknown length", async () => {
    for (const reply of [
      () => new Response(pieces([3]), { headers: headers(5000) }),
      () => new Response(pieces([3])),
    ]) {
      const { run, offered, told } = bench(reply);
      assert.deepEqual(await run(), { end: "handed-over" });
      assert.deepEqual([offered, told], [["http://host/a.mp4"], []]);
    }
  });

  test("says what the server says, and that it broke off", async () => {
    const refused = bench(() => new Response("nothing is recorded\n", { status: 404 }));
    assert.deepEqual(await refused.run(), { end: "failed", reason: "nothing is recorded" });
    const short = bench(() => new Response(pieces([3]), { headers: headers(7) }));
    assert.deepEqual(await short.run(), { end: "failed", reason: "the server broke off" });
    assert.deepEqual(short.offered, []);
    const dead = bench(() => Promise.reject(new TypeError("no network")));
    assert.deepEqual(await dead.run(), { end: "failed", reason: "no network" });
  });

  test("ends when it is cancelled", async () => {
    const one = bench(() => Promise.reject(new Error("aborted")));
    one.stop.abort();
    assert.deepEqual(await one.run(), { end: "cancelled" });
  });
});
