import assert from "node:assert/strict";
import { test } from "node:test";
import { asMediaError } from "../errors.ts";
import { late } from "./late.ts";

/** A load that the test ends. */
function loads(): { load: () => Promise<string>; begun: PromiseWithResolvers<string>[] } {
  const begun: PromiseWithResolvers<string>[] = [];
  const load = (): Promise<string> => {
    const one = Promise.withResolvers<string>();
    begun.push(one);
    return one.promise;
  };
  return { load, begun };
}

const codeOf = (code: string) => (caught: unknown) => asMediaError(caught)?.code === code;

test("nothing is loaded before somebody asks, and then once for all", async () => {
  const { load, begun } = loads();
  const part = late("a part", load);
  assert.equal(begun.length, 0);
  const first = part((module) => `${module} 1`);
  const second = part((module) => `${module} 2`);
  assert.equal(begun.length, 1);
  begun[0]!.resolve("loaded");
  assert.deepEqual(await Promise.all([first, second]), ["loaded 1", "loaded 2"]);
  assert.equal(begun.length, 1);
});

test("a use of what is loaded runs at once, and throws at once", async () => {
  const { load, begun } = loads();
  const part = late("a part", load);
  const first = part((module) => module);
  begun[0]!.resolve("loaded");
  await first;
  assert.equal(
    part((module) => module.length),
    6,
  );
  assert.throws(
    () =>
      part(() => {
        throw new Error("of the use");
      }),
    /of the use/,
  );
  assert.equal(begun.length, 1);
});

test("uses that wait run in the order in which they came, before any that comes later", async () => {
  const { load, begun } = loads();
  const part = late("a part", load);
  const order: number[] = [];
  const all = [1, 2, 3].map(async (number) =>
    part(() => {
      order.push(number);
      // Whoever comes while those who waited are served finds it loaded.
      if (number === 3) void part(() => order.push(4));
    }),
  );
  begun[0]!.resolve("loaded");
  await Promise.all(all);
  assert.deepEqual(order, [1, 2, 3, 4]);
});

test("what a use throws while it waits is its own: others are served, and nothing is loaded again", async () => {
  const { load, begun } = loads();
  const part = late("a part", load);
  const failing = part((): string => {
    throw new Error("of the use");
  });
  const fine = part((module) => Promise.resolve(module));
  begun[0]!.resolve("loaded");
  await assert.rejects(async () => failing, /of the use/);
  assert.equal(await fine, "loaded");
  assert.equal(begun.length, 1);
});

test("a load that failed is told to all who waited, and tried again for the next one", async () => {
  const { load, begun } = loads();
  const part = late("a part", load);
  const waiting = [part((module) => module), part((module) => module)];
  const cause = new Error("no such file");
  begun[0]!.reject(cause);
  for (const one of waiting) {
    await assert.rejects(
      async () => one,
      (caught) => {
        const error = asMediaError(caught);
        assert.equal(error?.code, "LATE_NOT_LOADED");
        assert.equal(error.message, "cannot load a part: no such file");
        assert.equal(error.cause, cause);
        return true;
      },
    );
  }
  const again = part((module) => module);
  assert.equal(begun.length, 2);
  begun[1]!.resolve("loaded");
  assert.equal(await again, "loaded");
});

test("no more wait than may, and those that may are served", async () => {
  const { load, begun } = loads();
  const part = late("a part", load, { maxWaiting: 3 });
  const uses = Array.from({ length: 3 }, async () => part((module) => module));
  await assert.rejects(async () => part((module) => module), codeOf("LATE_TOO_MANY"));
  begun[0]!.resolve("loaded");
  assert.deepEqual(await Promise.all(uses), ["loaded", "loaded", "loaded"]);
  assert.equal(await part((module) => module), "loaded");
});

test("a load that throws before it has begun is a load that failed, and tried again", async () => {
  let tries = 0;
  const part = late("a part", () => {
    tries++;
    if (tries < 3) throw new Error("at once");
    return Promise.resolve("loaded");
  });
  await assert.rejects(async () => part((module) => module), codeOf("LATE_NOT_LOADED"));
  await assert.rejects(async () => part((module) => module), codeOf("LATE_NOT_LOADED"));
  assert.equal(await part((module) => module), "loaded");
  assert.equal(tries, 3);
});
