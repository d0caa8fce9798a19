import { strict as assert } from "node:assert";
import type { LookupAddress, LookupOptions } from "node:dns";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { NameCache } from "./name-cache.ts";

const BOTH: readonly LookupAddress[] = [
  { address: "192.0.2.1", family: 4 },
  { address: "2001:db8::1", family: 6 },
];

function cacheOf(resolve: (name: string) => Promise<LookupAddress[]>) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const cache = new NameCache(clock, (name) => {
    asked.push(name);
    return resolve(name);
  });
  const look = (name: string, options: LookupOptions = {}): Promise<string> =>
    new Promise((done) => {
      cache.lookup(name, options, (error, address) => done(error?.code ?? JSON.stringify(address)));
    });
  return { clock, asked, cache, look };
}

test("a name is looked up once for all who want it, and again when its time is over", async () => {
  const { clock, asked, look } = cacheOf(() => Promise.resolve([...BOTH]));
  const all = await Promise.all(Array.from({ length: 500 }, () => look("portal")));
  assert.deepEqual(new Set(all), new Set(['"192.0.2.1"']));
  clock.advance(9000);
  await look("portal");
  assert.deepEqual(asked, ["portal"]);
  clock.advance(1000);
  await look("portal");
  assert.equal(asked.length, 2);
});

test("addresses are given as they are wanted", async () => {
  const { look } = cacheOf(() => Promise.resolve([...BOTH]));
  assert.equal(await look("portal", { all: true }), JSON.stringify(BOTH));
  assert.equal(await look("portal", { family: 6 }), '"2001:db8::1"');
  const { look: lookOne } = cacheOf(() => Promise.resolve([BOTH[0]!]));
  assert.equal(await lookOne("portal", { family: 6 }), "ENOTFOUND");
});

test("a name that is not found is looked for again after a second", async () => {
  const { clock, asked, look } = cacheOf(() =>
    Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })),
  );
  for (let i = 0; i < 3; i++) assert.equal(await look("portal"), "ENOTFOUND");
  assert.equal(asked.length, 1);
  clock.advance(1000);
  await look("portal");
  assert.equal(asked.length, 2);
});

test("no more than 256 names are kept", async () => {
  const { cache, look } = cacheOf(() => Promise.resolve([...BOTH]));
  for (let i = 0; i < 300; i++) await look(`host${i}`);
  assert.equal(cache.size, 256);
});
