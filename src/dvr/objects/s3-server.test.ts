/** Against a server of somebody else, which checks signatures: what we send is what S3 takes, not only our own fake. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { startS3Server } from "../../../test/support/s3-server.ts";
import { systemClock } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import { FileBlockDisk } from "./blocks-storage.ts";
import { DiskHours } from "./hours-storage.ts";
import { listAll } from "./object-store.ts";
import { RangeCache } from "./range-cache.ts";
import { S3Store } from "./s3-store.ts";
import { Uploader } from "./uploader.ts";

const MiB = 2 ** 20;

async function room(context: TestContext, { checksSignatures = true } = {}) {
  const server = await startS3Server(checksSignatures);
  const folder = await mkdtemp(join(tmpdir(), "weir-s3-"));
  const store = new S3Store(server.place, { clock: systemClock });
  context.after(async () => {
    store.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const write = async (name: string, bytes: number) => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    const body = Buffer.alloc(bytes);
    for (let i = 0; i < bytes; i += 3) body[i] = (i * 7) >> 3;
    await writeFile(path, body);
    return { path, bytes, body };
  };
  return { server, store, folder, write };
}

test("files of every kind of size go there and back, in one piece and in parts", async (context) => {
  const { store, write } = await room(context);
  for (const bytes of [0, 1, 100_000, 16 * MiB, 16 * MiB + 1, 40 * MiB + 12_345]) {
    const { body, ...file } = await write("08.mp4", bytes);
    const sent: number[] = [];
    const key = `live/news/${bytes}.mp4`;
    const result = await store.put(key, file, { onProgress: (progress) => sent.push(progress) });
    assert.equal(sent.at(-1), bytes);
    assert.equal(result.verifiedBy, "etag", "this server has MD5s, and no CRC-32s");
    const facts = await store.head(key);
    assert.equal(facts?.bytes, bytes);
    // It forgets how it tagged what it put together.
    if (bytes <= 16 * MiB) assert.equal(facts.etag, result.sums.md5Etag);
    for (const from of [0, bytes >> 1, bytes - 10].filter((place) => place >= 0 && place < bytes)) {
      const to = Math.min(bytes, from + MiB);
      const read = await store.get(key, { from, to }, { etag: facts.etag ?? undefined });
      assert.ok(body.subarray(from, to).equals(read), `${bytes}: ${from}`);
    }
  }
});

test("objects are listed and deleted", async (context) => {
  const { store, write } = await room(context, { checksSignatures: false });
  const file = await write("x", 3);
  const keys = Array.from({ length: 7 }, (_, i) => `live/a b/2026/11/23/0${i}.idx`);
  for (const key of keys) await store.put(key, file);
  await store.put("live/other", file);
  const listed: string[] = [];
  for await (const { key, bytes } of listAll(store, "live/a b/")) listed.push(`${key} ${bytes}`);
  assert.deepEqual(
    listed,
    keys.map((key) => `${key} 3`),
  );
  for (const key of keys) await store.delete(key);
  await store.delete(keys[0]!);
  const left: string[] = [];
  for await (const { key } of listAll(store, "")) left.push(key);
  assert.deepEqual(left, ["live/other"]);
  assert.equal(await store.head(keys[0]!), null);
});

test("a wrong secret, an unknown key, a missing bucket and a missing object are each called that", async (context) => {
  const { server, store } = await room(context);
  const codeOf = async (attempt: Promise<unknown>): Promise<string | undefined> =>
    await attempt.then(
      () => "none",
      (caught: unknown) => asMediaError(caught)?.code,
    );
  const other = (change: object): S3Store =>
    new S3Store({ ...server.place, ...change }, { clock: systemClock });
  const ask = async (from: S3Store): Promise<unknown> => await from.get("nothing", { from: 0, to: 1 });
  assert.equal(await codeOf(ask(other({ secretKey: "another" }))), "OBJECT_ACCESS_DENIED");
  assert.equal(await codeOf(ask(other({ accessKey: "nobody" }))), "OBJECT_ACCESS_DENIED");
  assert.equal(await codeOf(ask(other({ bucket: "nowhere" }))), "OBJECT_NO_BUCKET");
  assert.equal(await codeOf(ask(store)), "OBJECT_NOT_FOUND");
});

test("finished hours are copied from a disk, and read back through a cache", async (context) => {
  const { store, folder, write } = await room(context, { checksSignatures: false });
  const files = new Map<string, Buffer>();
  for (const [name, bytes] of [
    ["08.mp4", 20 * MiB + 7],
    ["08.1.mp4", 5000],
    ["08.idx", 64 * 100],
    ["09.mp4", 100],
    ["09.idx", 128],
  ] as const)
    files.set(name, (await write(`archive/live/news/2026/11/23/${name}`, bytes)).body);
  const log = new RecordingLog();
  const hours = new DiskHours({
    root: join(folder, "archive"),
    isOpen: ({ path }) => path.endsWith("/09"),
  });
  const safe: string[] = [];
  const onSafe = ({ path }: { path: string }): void => void safe.push(path);
  const uploader = new Uploader({ store, hours, clock: systemClock, log, onSafe });
  uploader.scan("live/news");
  await eventually(() => assert.deepEqual(safe, ["2026/11/23/08"]), { timeoutMs: 100_000 });
  await uploader.close();
  assert.deepEqual(log.of("warn"), []);
  const keys: string[] = [];
  for await (const { key } of listAll(store, "live/news/")) keys.push(key);
  assert.deepEqual(
    keys,
    ["08.1.mp4", "08.idx", "08.mp4"].map((name) => `live/news/2026/11/23/${name}`),
  );

  const disk = new FileBlockDisk(join(folder, "cache"));
  const cache = await RangeCache.open({ disk, bytes: 64 * MiB, clock: systemClock, log });
  for (const name of ["08.mp4", "08.1.mp4", "08.idx"]) {
    const object = await cache.openObject(store, `live/news/2026/11/23/${name}`);
    const body = files.get(name)!;
    for (const pass of [1, 2]) {
      const read = await object!.read(0, body.byteLength);
      assert.ok(body.equals(read), `${name}, pass ${pass}`);
      await cache.settled();
    }
  }
  assert.deepEqual([cache.stats().misses, cache.stats().hits], [23, 23]);
});
