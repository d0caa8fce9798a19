import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeS3 } from "../../../test/support/fake-s3.ts";
import { asMediaError } from "../../base/errors.ts";
import { openObjectStore } from "./open-store.ts";

/** Imports modules in a process of its own, and gives the packages that were loaded with them. */
async function packagesOf(modules: readonly string[]): Promise<string[]> {
  const program = `
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        if (!specifier.startsWith(".") && !specifier.startsWith("node:")) seen.add(specifier);
        return next(specifier, context);
      },
    });
    for (const module of ${JSON.stringify(modules)}) await import(module);
    console.log(JSON.stringify([...seen].filter((name) => !name.startsWith("file:"))));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "--eval",
    program,
  ]);
  return JSON.parse(stdout) as string[];
}

const isPackage = (name: string): boolean => name.startsWith("@aws-sdk/");

test("nothing but what speaks S3 loads the SDK, and nothing loads that before a store is opened", async () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /^[a-z-]+\.ts$/.test(name));
  const others = files.filter((name) => !name.startsWith("s3-"));
  assert.ok(
    others.includes("uploader.ts") && others.includes("range-cache.ts") && others.includes("open-store.ts"),
  );
  const urls = others.map((name) => new URL(name, import.meta.url).href);
  assert.deepEqual((await packagesOf(urls)).filter(isPackage), []);
  const ofStore = await packagesOf([new URL("s3-store.ts", import.meta.url).href]);
  assert.ok(ofStore.some(isPackage), "the check sees what is loaded");
});

test("a store is opened without a request, and is there for the first one", async (context) => {
  const s3 = await FakeS3.start();
  context.after(async () => await s3.close());
  const { endpoint, bucket } = s3;
  const place = { endpoint, bucket, prefix: "", accessKey: "key-of-test", secretKey: "secret-of-test" };
  const store = await openObjectStore(place, { clock: new FakeClock() });
  assert.equal(s3.requests.length, 0);
  assert.equal(await store.head("a/b"), null);
  assert.equal(s3.requests.length, 1);
  store.close();
});

test("a place that is none is refused when it is opened", async () => {
  await assert.rejects(
    openObjectStore({ endpoint: "host", bucket: "", prefix: "" }, { clock: new FakeClock() }),
    (caught) => asMediaError(caught)?.code === "OBJECT_BAD_PLACE",
  );
});
