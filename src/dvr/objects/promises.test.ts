/** An index in the bucket is a promise: whatever fails, and however often, it is never there without its media. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeS3 } from "../../../test/support/fake-s3.ts";
import type { S3Fault, S3Operation } from "../../../test/support/fake-s3.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { DiskHours } from "./hours-storage.ts";
import { S3Store } from "./s3-store.ts";
import { Uploader } from "./uploader.ts";

const PART = 1000;
const FOLDER = "live/news/2026/11/23";

const BUSY: S3Fault = { kind: "status", status: 503, code: "SlowDown" };
const DENIED: S3Fault = { kind: "status", status: 403, code: "AccessDenied" };
/** Everything that a host can do wrong and that can be seen. */
const FAULTS: readonly (readonly [S3Operation, S3Fault])[] = [
  ...(["put", "head", "create", "part", "complete", "abort", "uploads", "delete"] as const).flatMap(
    (operation) => [
      [operation, BUSY] as const,
      [operation, DENIED] as const,
      [operation, { kind: "cut-request" }] as const,
    ],
  ),
  ...(["put", "part"] as const).map((operation) => [operation, { kind: "damage" }] as const),
  ...(["put", "part", "complete", "head"] as const).map(
    (operation) => [operation, { kind: "wrong-checksum" }] as const,
  ),
  ...(["put", "complete"] as const).map((operation) => [operation, { kind: "lie" }] as const),
  ["head", { kind: "short" }],
];

/** Numbers from 0 up to, not including, 1, the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`whatever fails, an index is never there without its media: seed ${seed}`, async (context) => {
    const random = chance(seed);
    const checksums = (["told", "ignored", "refused"] as const)[seed % 3]!;
    const s3 = await FakeS3.start({ checksums });
    const root = await mkdtemp(join(tmpdir(), "weir-promises-"));
    const clock = new FakeClock();
    const { endpoint, bucket } = s3;
    const place = { endpoint, bucket, prefix: "", accessKey: "key-of-test", secretKey: "secret-of-test" };
    const store = new S3Store(place, { clock, attempts: 1, upload: { partBytes: PART, parallelParts: 2 } });
    const hours = new DiskHours({ root, isOpen: () => false });
    context.after(async () => {
      store.close();
      await s3.close();
      await rm(root, { recursive: true, force: true });
    });

    const files = new Map<string, Buffer>();
    await mkdir(join(root, FOLDER), { recursive: true });
    for (const number of ["06", "07", "08", "09"]) {
      for (const ending of ["mp4", "1.mp4", "idx"]) {
        const bytes = ending === "idx" ? 640 : Math.floor(random() * 4 * PART) + 1;
        const body = Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
        files.set(`${FOLDER}/${number}.${ending}`, body);
        await writeFile(join(root, FOLDER, `${number}.${ending}`), body);
      }
    }
    const broken: string[] = [];
    s3.onStored = (key) => {
      if (!key.endsWith(".idx")) return;
      for (const media of [key.replace("idx", "mp4"), key.replace("idx", "1.mp4")])
        if (s3.objects.get(media)?.body.equals(files.get(media)!) !== true)
          broken.push(`${key} without ${media}`);
    };
    for (let planned = 0; planned < 40; planned++) {
      const [operation, fault] = FAULTS[Math.floor(random() * FAULTS.length)]!;
      s3.fail(operation, fault);
    }

    const safe = new Set<string>();
    const isSafe: string[] = [];
    const onSafe = ({ path }: { path: string }): void => {
      safe.add(path);
      for (const [key, body] of files)
        if (key.includes(path) && s3.objects.get(key)?.body.equals(body) !== true) isSafe.push(key);
    };
    const log = new RecordingLog();
    const uploader = new Uploader({ store, hours, clock, log, onSafe, random, limits: { waiting: 2 } });
    uploader.scan("live/news");
    const attempt = (): void => {
      if (safe.size < 4 && uploader.stats().running === 0) clock.advance(10_000);
      assert.equal(safe.size, 4);
    };
    await eventually(attempt, { timeoutMs: 100_000, intervalMs: 1 });
    await uploader.close();

    assert.deepEqual(broken, []);
    assert.deepEqual(isSafe, [], "told to be safe, and was not");
    assert.ok(log.of("warn").length > 5, "faults were met");
    assert.equal(s3.objects.size, files.size);
    for (const [key, body] of files) assert.ok(s3.objects.get(key)?.body.equals(body), key);
  });
}
