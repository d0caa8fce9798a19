import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryStore } from "../../../test/support/memory-store.ts";
import { CopyStores } from "./copy-stores.ts";
import type { S3Place } from "./object-store.ts";

class Closable extends MemoryStore {
  isClosed = false;
  override close(): void {
    this.isClosed = true;
  }
}

function room() {
  const opened: Closable[] = [];
  let failure: Error | null = null;
  const open = (): Promise<Closable> => {
    if (failure !== null) return Promise.reject(failure);
    const store = new Closable();
    opened.push(store);
    return Promise.resolve(store);
  };
  const stores = new CopyStores({ clock: new FakeClock(), open });
  return { opened, stores, fail: (error: Error | null) => (failure = error) };
}

const place = (bucket: string, secretKey?: string): S3Place => ({
  endpoint: "https://host",
  bucket,
  prefix: "",
  secretKey,
});

test("a bucket is opened once, and anew for other credentials", async () => {
  const { stores, opened } = room();
  const [a, b] = await Promise.all([stores.get(place("one", "x")), stores.get(place("one", "x"))]);
  assert.equal(a, b);
  assert.notEqual(await stores.get(place("one", "y")), a);
  assert.equal(opened.length, 2);
  stores.close();
  await eventually(() => assert.ok(opened.every(({ isClosed }) => isClosed)));
});

test("one that could not be opened is tried again", async () => {
  const { stores, fail } = room();
  fail(new Error("no memory"));
  await assert.rejects(stores.get(place("one")), /no memory/);
  fail(null);
  assert.ok((await stores.get(place("one"))) instanceof Closable);
});

test("the bucket that was not used for the longest time is closed for one too many", async () => {
  const { stores, opened } = room();
  for (let i = 0; i < 64; i++) await stores.get(place(`bucket-${i}`));
  await stores.get(place("bucket-0"));
  await stores.get(place("one-more"));
  await eventually(() => assert.ok(opened[1]!.isClosed));
  assert.equal(opened.filter(({ isClosed }) => isClosed).length, 1);
});

test("one that opens behind the end is closed", async () => {
  const { stores, opened } = room();
  const opening = stores.get(place("one"));
  stores.close();
  await opening;
  await eventually(() => assert.ok(opened[0]!.isClosed));
});
