import assert from "node:assert/strict";
import { utimesSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { inspect } from "node:util";
import { crc32 } from "node:zlib";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeS3 } from "../../../test/support/fake-s3.ts";
import type { FakeS3Options, S3Fault, S3Operation } from "../../../test/support/fake-s3.ts";
import { asMediaError } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { compareSums, listAll } from "./object-store.ts";
import type { LocalFile, ObjectPage, S3Place } from "./object-store.ts";
import { S3Store } from "./s3-store.ts";
import type { S3StoreOptions } from "./s3-store.ts";

const ACCESS_KEY = "AKIDVERYPUBLIC";
const SECRET = "hushHush+/secret";
const KEY = "live/news/2026/11/23/08.mp4";
/** Parts as small as the fake takes them, so that a small file has several. */
const PART = 1000;

type RoomOptions = { readonly s3?: FakeS3Options; readonly store?: Partial<S3StoreOptions> };

async function room(context: TestContext, options: RoomOptions = {}) {
  const s3 = await FakeS3.start(options.s3);
  const folder = await mkdtemp(join(tmpdir(), "weir-s3-"));
  const clock = new FakeClock();
  const place = placeOf(s3);
  const upload = { partBytes: PART, parallelParts: 2 };
  const store = new S3Store(place, { clock, attempts: 1, upload, ...options.store });
  const write = async (bytes: number, name = "08.mp4"): Promise<LocalFile> => {
    const path = join(folder, name);
    await writeFile(path, media(bytes));
    return { path, bytes };
  };
  context.after(async () => {
    store.close();
    await s3.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { s3, store, clock, place, write, folder };
}

function placeOf(s3: FakeS3): S3Place {
  return {
    endpoint: s3.endpoint,
    bucket: s3.bucket,
    prefix: "site/one",
    region: "eu-west-1",
    accessKey: ACCESS_KEY,
    secretKey: SECRET,
  };
}

function media(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
}

/** What an attempt fails with. No message of ours, and nothing that hangs on an error, has a secret in it. */
async function errorOf(attempt: Promise<unknown>): Promise<MediaError> {
  const caught = await attempt.then(
    () => null,
    (error: unknown) => error,
  );
  const error = asMediaError(caught);
  assert.ok(error !== null, `it should have failed with an error of ours: ${inspect(caught)}`);
  const everything = inspect(error, { depth: 20, showHidden: true });
  for (const secret of [ACCESS_KEY, SECRET, encodeURIComponent(SECRET)])
    assert.ok(!everything.includes(secret), `${error.code} tells ${secret}`);
  assert.doesNotMatch(error.message, /\{\w+\}/);
  return error;
}

const codeOf = async (attempt: Promise<unknown>): Promise<string> => (await errorOf(attempt)).code;
const failure = (status: number, code: string, message = "as asked for"): S3Fault => ({
  kind: "status",
  status,
  code,
  message,
});

for (const [name, bytes, parts] of [
  ["nothing", 0, 0],
  ["one byte", 1, 0],
  ["just one part", PART, 0],
  ["a byte more than a part", PART + 1, 2],
  ["many parts", 7 * PART + 13, 8],
] as const) {
  test(`a file of ${name} is the same in the bucket`, async (context) => {
    const { s3, store, write } = await room(context);
    const file = await write(bytes);
    const progress: number[] = [];
    const result = await store.put(KEY, file, { onProgress: (sent) => progress.push(sent) });
    const stored = s3.objects.get(`site/one/${KEY}`);
    assert.deepEqual(stored?.body, Buffer.from(media(bytes)));
    assert.equal(result.bytes, bytes);
    assert.equal(result.crc32, crc32(media(bytes)));
    assert.equal(result.verifiedBy, "crc32");
    assert.equal(s3.count("part"), parts);
    assert.equal(s3.uploads.size, 0);
    assert.equal(progress.at(-1), bytes);
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );
    const facts = await store.head(KEY);
    assert.equal(facts?.bytes, bytes);
    assert.equal(facts.crc32, stored.checksum);
    assert.equal(facts.crc32, parts === 0 ? result.sums.wholeCrc32 : result.sums.compositeCrc32);
  });
}

test("the sums of a file are those that it is sent with, whether or not MD5s are needed", async (context) => {
  const rooms = [{}, { s3: { checksums: "ignored" } }, { s3: { checksums: "refused" } }] as const;
  for (const options of rooms) {
    const { s3, store, write } = await room(context, options);
    for (const bytes of [0, 1, PART, PART + 1, 4 * PART, 7 * PART + 13]) {
      const file = await write(bytes);
      const before = await store.sumsOf(file);
      const { sums } = await store.put(KEY, file);
      assert.deepEqual([before.wholeCrc32, before.compositeCrc32], [sums.wholeCrc32, sums.compositeCrc32]);
      const facts = await store.head(KEY);
      assert.ok(facts !== null);
      const { by, expected, actual } = compareSums(await store.sumsOf(file), facts);
      assert.equal(expected, actual);
      assert.equal(by, options === rooms[0] ? "crc32" : "etag");
    }
    const requests = s3.requests.length;
    const stopped = AbortSignal.abort();
    assert.equal(await codeOf(store.sumsOf(await write(5), { signal: stopped })), "OBJECT_CLOSED");
    assert.equal(
      await codeOf(store.sumsOf({ path: "/nonexistent/08.mp4", bytes: 1 })),
      "OBJECT_FILE_CHANGED",
    );
    assert.equal(s3.requests.length, requests);
  }
});

test("a host without CRC-32s is believed by its entity tags, and one with tags of its own by the size", async (context) => {
  for (const bytes of [500, 3 * PART]) {
    const plain = await room(context, { s3: { checksums: "ignored" } });
    assert.equal((await plain.store.put(KEY, await plain.write(bytes))).verifiedBy, "etag");
    const encrypting = await room(context, { s3: { checksums: "ignored", encrypts: true } });
    assert.equal((await encrypting.store.put(KEY, await encrypting.write(bytes))).verifiedBy, "size");
  }
});

test("a host that refuses CRC-32s is sent MD5s, and is not asked again", async (context) => {
  for (const bytes of [500, 3 * PART]) {
    const { s3, store, write } = await room(context, { s3: { checksums: "refused" } });
    const file = await write(bytes);
    assert.equal((await store.put(KEY, file)).verifiedBy, "etag");
    const before = s3.requests.length;
    await store.put(KEY, file);
    const later = s3.requests.slice(before);
    assert.ok(later.every(({ headers }) => headers["x-amz-checksum-crc32"] === undefined));
    const bodies = later.filter(({ operation }) => operation === "put" || operation === "part");
    assert.ok(bodies.length > 0);
    assert.ok(bodies.every(({ headers }) => headers["content-md5"] !== undefined));
  }
});

test("ranges are read byte for byte", async (context) => {
  const { s3, store } = await room(context);
  s3.set(`site/one/${KEY}`, media(5000));
  for (const [from, to] of [
    [0, 1],
    [0, 5000],
    [4999, 5000],
    [1234, 4321],
  ] as const)
    assert.deepEqual(
      Buffer.from(await store.get(KEY, { from, to })),
      Buffer.from(media(5000).subarray(from, to)),
    );
});

test("an object that is not there is none to look at, and an error to read", async (context) => {
  const { store } = await room(context);
  assert.equal(await store.head(KEY), null);
  const error = await errorOf(store.get(KEY, { from: 0, to: 1 }));
  assert.equal(error.code, "OBJECT_NOT_FOUND");
  assert.match(error.message, /http:\/\/127\.0\.0\.1:\d+\/archive\/site\/one has no object "live\/news/);
  await store.delete(KEY);
});

test("an object that was replaced is not read on", async (context) => {
  const { s3, store } = await room(context);
  s3.set(`site/one/${KEY}`, media(100));
  const facts = await store.head(KEY);
  const etag = facts?.etag ?? "";
  await store.get(KEY, { from: 0, to: 10 }, { etag });
  s3.set(`site/one/${KEY}`, media(101));
  assert.equal(await codeOf(store.get(KEY, { from: 0, to: 10 }, { etag })), "OBJECT_CHANGED");
});

test("what is deleted is gone", async (context) => {
  const { s3, store } = await room(context);
  s3.set(`site/one/${KEY}`, media(100));
  await store.delete(KEY);
  assert.equal(s3.objects.size, 0);
});

test("lists come page by page, and have what is below the prefix only, by names without it", async (context) => {
  const { s3, store } = await room(context, { s3: { pageSize: 3 } });
  const names = Array.from({ length: 10 }, (_, i) => `live/news/2026/11/23/0${i}.mp4`);
  for (const name of names) s3.set(`site/one/${name}`, media(i0(name)));
  s3.set("site/other", media(1));
  s3.set("site/one/live/sport/2026/11/23/08.mp4", media(1));
  const page = await store.list("live/news/");
  assert.equal(page.objects.length, 3);
  assert.ok(page.next !== null);
  const found: string[] = [];
  for await (const { key, bytes } of listAll(store, "live/news/")) {
    found.push(key);
    assert.equal(bytes, i0(key));
  }
  assert.deepEqual(found, names);
  assert.deepEqual(await store.list("nothing/"), { objects: [], next: null });
});

test("a list may begin behind a key, and has pages all the same", async (context) => {
  const { s3, store } = await room(context, { s3: { pageSize: 2 } });
  for (const name of ["a/1", "a/2", "a/3/x", "a/4", "a/5", "b/1"]) s3.set(`site/one/${name}`, media(1));
  const keys = (page: ObjectPage): string => page.objects.map(({ key }) => key).join(" ");
  const first = await store.list("a/", { behind: "a/2" });
  assert.equal(keys(first), "a/3/x a/4");
  const rest = await store.list("a/", { behind: "a/2", after: first.next! });
  assert.deepEqual([keys(rest), rest.next], ["a/5", null]);
  assert.equal(keys(await store.list("a/", { behind: "a/30", limit: 1 })), "a/4");
});

/** A size that tells objects apart. */
function i0(name: string): number {
  return Number(/(\d)\.mp4$/.exec(name)?.[1]) + 10;
}

for (const endlessList of ["same-token", "new-tokens", "empty-pages"] as const) {
  test(`a list that has no end ends: ${endlessList}`, async (context) => {
    const { s3, store } = await room(context, { s3: { endlessList } });
    s3.set("site/one/live/a", media(1));
    const walk = async (): Promise<void> => {
      for await (const { key } of listAll(store, "live/", { maxObjects: 250 })) assert.equal(key, "live/a");
    };
    const error = await errorOf(walk());
    assert.equal(error.code, "OBJECT_LIST_ENDLESS");
    assert.match(error.message, /below "live\/" in http/);
    assert.ok(s3.count("list") <= 252);
  });
}

const REFUSALS: readonly (readonly [number, string, string])[] = [
  [503, "SlowDown", "OBJECT_STORE_BUSY"],
  [503, "ServiceUnavailable", "OBJECT_STORE_BUSY"],
  [500, "InternalError", "OBJECT_STORE_BUSY"],
  [429, "TooManyRequests", "OBJECT_STORE_BUSY"],
  [502, "", "OBJECT_STORE_BUSY"],
  [403, "AccessDenied", "OBJECT_ACCESS_DENIED"],
  [403, "InvalidAccessKeyId", "OBJECT_ACCESS_DENIED"],
  [403, "SignatureDoesNotMatch", "OBJECT_ACCESS_DENIED"],
  [401, "Unauthorized", "OBJECT_ACCESS_DENIED"],
  [403, "RequestTimeTooSkewed", "OBJECT_CLOCK_SKEW"],
  [301, "PermanentRedirect", "OBJECT_WRONG_REGION"],
  [400, "AuthorizationHeaderMalformed", "OBJECT_WRONG_REGION"],
  [404, "NoSuchBucket", "OBJECT_NO_BUCKET"],
  [400, "EntityTooLarge", "OBJECT_REFUSED"],
  [409, "OperationAborted", "OBJECT_REFUSED"],
];

for (const [status, name, code] of REFUSALS) {
  test(`status ${status} ${name} is ${code}, without a secret in it`, async (context) => {
    const { s3, store, write } = await room(context);
    const file = await write(10);
    const message = `key ${ACCESS_KEY} with ${SECRET} (${encodeURIComponent(SECRET)}) was not taken`;
    s3.fail("put", failure(status, name, message), 1);
    const error = await errorOf(store.put(KEY, file));
    assert.equal(error.code, code);
    if (code !== "OBJECT_NO_BUCKET") assert.match(error.message, /key \*\*\* with \*\*\* \(\*\*\*\)/);
    assert.match(error.message, /write "live\/news\/2026\/11\/23\/08\.mp4"/);
  });
}

test("a page of a proxy in place of an error is cut short", async (context) => {
  const { s3, store } = await room(context);
  s3.set(`site/one/${KEY}`, media(10));
  s3.fail("get", failure(502, "x", `<html>${"a".repeat(100_000)}`));
  const error = await errorOf(store.get(KEY, { from: 0, to: 1 }));
  assert.equal(error.code, "OBJECT_STORE_BUSY");
  assert.ok(error.message.length < 600);
});

test("a bucket that does not exist is called that, also where only the status says so", async (context) => {
  const { s3, place, clock, write } = await room(context);
  const store = new S3Store({ ...place, bucket: "nowhere" }, { clock, attempts: 1 });
  assert.equal(await codeOf(store.put(KEY, await write(10))), "OBJECT_NO_BUCKET");
  assert.equal(s3.objects.size, 0);
  store.close();
});

test("a host that fails for the moment is asked again, with pauses on the clock that was given", async (context) => {
  const { s3, store, clock, write } = await room(context, { store: { attempts: 3, random: () => 0 } });
  const file = await write(10);
  s3.fail("put", failure(503, "SlowDown"), 2);
  const put = store.put(KEY, file);
  await whenPaused(clock, () => assert.equal(s3.count("put"), 3));
  assert.equal((await put).verifiedBy, "crc32");
  assert.ok(clock.nowUs() >= 600_000, "pauses of 200 and 400 ms");
  assert.equal(clock.pendingTimers, 0);
});

/** Moves the clock on, slowly enough for no request to be over its time, until something holds. */
async function whenPaused(clock: FakeClock, holds: () => void): Promise<void> {
  const attempt = (): void => {
    try {
      holds();
    } catch (caught) {
      clock.advance(10);
      throw caught;
    }
  };
  await eventually(attempt, { intervalMs: 2, timeoutMs: 60_000 });
}

const SENDING: readonly (readonly [string, number, S3Operation, S3Fault, string])[] = [
  [
    "a connection that is cut in the middle of a file",
    900,
    "put",
    { kind: "cut-request" },
    "OBJECT_UNREACHABLE",
  ],
  [
    "a connection that is cut in the middle of a part",
    5 * PART,
    "part",
    { kind: "cut-request" },
    "OBJECT_UNREACHABLE",
  ],
  ["a file that arrives damaged", 900, "put", { kind: "damage" }, "OBJECT_CHECKSUM"],
  ["a part that arrives damaged", 5 * PART, "part", { kind: "damage" }, "OBJECT_CHECKSUM"],
  ["a wrong checksum of a file", 900, "put", { kind: "wrong-checksum" }, "OBJECT_CHECKSUM"],
  ["a wrong checksum of a part", 5 * PART, "part", { kind: "wrong-checksum" }, "OBJECT_CHECKSUM"],
  ["a wrong checksum of the whole", 5 * PART, "complete", { kind: "wrong-checksum" }, "OBJECT_CHECKSUM"],
  ["a refusal at the beginning", 5 * PART, "create", failure(503, "SlowDown"), "OBJECT_STORE_BUSY"],
  ["a refusal of a part", 5 * PART, "part", failure(503, "SlowDown"), "OBJECT_STORE_BUSY"],
  ["a refusal at the end", 5 * PART, "complete", failure(500, "InternalError"), "OBJECT_STORE_BUSY"],
];

for (const [name, bytes, operation, fault, code] of SENDING) {
  test(`${name} is ${code}, leaves nothing behind, and is mended by the next try`, async (context) => {
    const { s3, store, write } = await room(context);
    const file = await write(bytes);
    s3.fail(operation, fault);
    assert.equal(await codeOf(store.put(KEY, file)), code);
    assert.deepEqual([s3.objects.size, s3.uploads.size], [0, 0]);
    await store.put(KEY, file);
    assert.deepEqual(s3.objects.get(`site/one/${KEY}`)?.body, Buffer.from(media(bytes)));
  });
}

test("damage is also seen at a host that tells no CRC-32", async (context) => {
  for (const checksums of ["ignored", "refused"] as const) {
    const { s3, store, write } = await room(context, { s3: { checksums } });
    const file = await write(900);
    s3.fail("put", { kind: "damage" }, 2);
    const error = await errorOf(store.put(KEY, file));
    assert.equal(error.code, "OBJECT_CHECKSUM");
    assert.match(error.message, /the entity tag [0-9a-f]{32} for "live\/news.*should be [0-9a-f]{32}/);
  }
});

const READING: readonly (readonly [string, S3Fault, string])[] = [
  ["a connection that is cut in the middle", { kind: "cut-reply" }, "OBJECT_UNREACHABLE"],
  ["a reply that is too short", { kind: "short" }, "OBJECT_BAD_REPLY"],
  ["a host without ranges", { kind: "no-ranges" }, "OBJECT_BAD_REPLY"],
];

for (const [name, fault, code] of READING) {
  test(`${name} is ${code}, and tried again where that is allowed`, async (context) => {
    const { s3, store, clock, place } = await room(context);
    s3.set(`site/one/${KEY}`, media(5000));
    s3.fail("get", fault);
    assert.equal(await codeOf(store.get(KEY, { from: 100, to: 4000 })), code);
    const patient = new S3Store(place, { clock, attempts: 2, random: () => 0 });
    s3.fail("get", fault);
    const reading = patient.get(KEY, { from: 100, to: 4000 });
    reading.catch(() => {});
    await whenPaused(clock, () => assert.equal(s3.count("get"), 3));
    assert.deepEqual(Buffer.from(await reading), Buffer.from(media(5000).subarray(100, 4000)));
    patient.close();
  });
}

test("a host that is silent, or stops in the middle, is given up after its time", async (context) => {
  const { s3, store, clock } = await room(context);
  s3.set(`site/one/${KEY}`, media(200_000));
  for (const kind of ["silence", "stalled-reply"] as const) {
    s3.fail("get", { kind });
    const before = s3.count("get");
    const reading = store.get(KEY, { from: 0, to: 200_000 });
    reading.catch(() => {});
    await eventually(() => assert.equal(s3.count("get"), before + 1));
    // Bytes that still come set the time back: it is moved on until nothing is left.
    const failed = errorOf(reading);
    let isOver = false;
    const over = failed.finally(() => {
      isOver = true;
    });
    await eventually(
      () => {
        clock.advance(30_000);
        assert.ok(isOver);
      },
      { intervalMs: 5 },
    );
    const error = await over;
    assert.equal(error.code, "OBJECT_TIMEOUT");
    assert.match(error.message, /gave nothing for 30000 ms, asked to read "live\/news/);
    assert.equal(clock.pendingTimers, 0);
  }
  assert.equal((await store.get(KEY, { from: 0, to: 200_000 })).byteLength, 200_000);
});

test("a put that is stopped stops, and gives up what was begun", async (context) => {
  const { s3, store, write } = await room(context);
  const file = await write(5 * PART);
  s3.fail("part", { kind: "silence" }, 2);
  const stopping = new AbortController();
  const put = errorOf(store.put(KEY, file, { signal: stopping.signal }));
  await eventually(() => assert.equal(s3.count("part"), 2));
  stopping.abort();
  const error = await put;
  assert.equal(error.code, "OBJECT_CLOSED");
  assert.match(error.message, /asked to write part \d of "live\/news.*while the server is stopping/);
  assert.equal(s3.uploads.size, 0);
});

test("a store that is closed ends what is under way, and asks nothing more", async (context) => {
  const { s3, store, clock } = await room(context);
  s3.set(`site/one/${KEY}`, media(10));
  s3.fail("get", { kind: "silence" });
  const reading = errorOf(store.get(KEY, { from: 0, to: 10 }));
  await eventually(() => assert.equal(s3.count("get"), 1));
  store.close();
  store.close();
  assert.equal((await reading).code, "OBJECT_CLOSED");
  assert.equal(await codeOf(store.head(KEY)), "OBJECT_CLOSED");
  assert.equal(s3.count("head"), 0);
  assert.equal(clock.pendingTimers, 0);
});

test("uploads that an earlier process left unfinished are ended, of this object only", async (context) => {
  const { s3, store, write } = await room(context);
  s3.uploads.set("old", { key: `site/one/${KEY}`, parts: new Map() });
  s3.uploads.set("other", { key: `site/one/${KEY}.backup`, parts: new Map() });
  await store.put(KEY, await write(2 * PART));
  assert.deepEqual([...s3.uploads.keys()], ["other"]);
});

test("a host that cannot list unfinished uploads is sent parts all the same", async (context) => {
  const { s3, store, write } = await room(context);
  s3.fail("uploads", failure(501, "NotImplemented"));
  await store.put(KEY, await write(2 * PART));
  assert.equal(s3.objects.size, 1);
});

test("a file that is gone, is no file, or has another size or sum is not copied", async (context) => {
  const { s3, store, write, folder } = await room(context);
  const file = await write(2 * PART);
  const gone = await errorOf(store.put(KEY, { path: join(folder, "09.mp4"), bytes: 5 }));
  assert.equal(gone.code, "OBJECT_FILE_CHANGED");
  assert.match(gone.message, /09\.mp4 changed while it was copied: it is gone/);
  assert.equal(await codeOf(store.put(KEY, { path: folder, bytes: 4096 })), "OBJECT_FILE_UNREADABLE");
  assert.equal(await codeOf(store.put(KEY, { ...file, bytes: 7 })), "OBJECT_FILE_CHANGED");
  assert.equal(await codeOf(store.put(KEY, file, { crc32: 1 })), "OBJECT_FILE_CHANGED");
  await store.put(KEY, file, { crc32: crc32(media(2 * PART)) });
  assert.equal(s3.count("complete"), 1);
});

test("a file that is written to while it is copied is not copied", async (context) => {
  const { s3, store, write } = await room(context);
  const file = await write(5 * PART);
  let isTouched = false;
  const onProgress = (): void => {
    if (isTouched) return;
    isTouched = true;
    utimesSync(file.path, 1, 1);
  };
  assert.equal(await codeOf(store.put(KEY, file, { onProgress })), "OBJECT_FILE_CHANGED");
  assert.deepEqual([s3.objects.size, s3.uploads.size], [0, 0]);
});

test("a file beyond what an object may have is refused before anything is sent", async (context) => {
  const { s3, store, folder } = await room(context);
  const path = join(folder, "big.mp4");
  await writeFile(path, "");
  const bytes = 10_000 * 64 * 2 ** 20 + 1;
  await truncate(path, bytes); // a hole: nothing is written
  const error = await errorOf(store.put(KEY, { path, bytes }));
  assert.equal(error.code, "OBJECT_TOO_BIG");
  assert.match(error.message, /big\.mp4 has 671088640001 bytes/);
  assert.equal(s3.requests.length, 0);
});

for (const key of ["", "/a", "a//b", "a/../b", "./a", "a/\nb", "x".repeat(1020)]) {
  test(`a name that is no key is refused: ${JSON.stringify(key.slice(0, 20))}`, async (context) => {
    const { s3, store, write } = await room(context);
    const file = await write(1);
    for (const attempt of [
      store.put(key, file),
      store.head(key),
      store.get(key, { from: 0, to: 1 }),
      store.delete(key),
    ])
      assert.equal(await codeOf(attempt), "OBJECT_BAD_KEY");
    assert.equal(s3.requests.length, 0);
  });
}

test("names with spaces, percent signs and letters of any script go there and back", async (context) => {
  const { s3, store, write } = await room(context);
  const file = await write(3);
  for (const key of [
    "a b/50%/08.mp4",
    "\u043d\u043e\u0432\u043e\u0441\u0442\u0438/08.mp4",
    "plus+and&/?#.mp4",
  ]) {
    await store.put(key, file);
    assert.ok(s3.objects.has(`site/one/${key}`), key);
    assert.equal((await store.head(key))?.bytes, 3);
    assert.equal((await store.get(key, { from: 0, to: 3 })).byteLength, 3);
    await store.delete(key);
  }
  assert.equal(s3.objects.size, 0);
});

test("nobody listening is OBJECT_UNREACHABLE, and so is a host that hangs up", async (context) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { place, clock } = await room(context);
  const store = new S3Store({ ...place, endpoint }, { clock, attempts: 1 });
  const reset = await errorOf(store.head(KEY));
  assert.equal(reset.code, "OBJECT_UNREACHABLE");
  await new Promise((resolve) => server.close(resolve));
  const refused = await errorOf(store.head(KEY));
  assert.equal(refused.code, "OBJECT_UNREACHABLE");
  assert.match(refused.message, /cannot be reached to look at "live\/news.*ECONNREFUSED/);
  store.close();
});

const BAD_PLACES: readonly (readonly [string, Partial<S3Place>, RegExp])[] = [
  ["an endpoint that is none", { endpoint: "http://" }, /neither a URL of http or https nor a host/],
  ["an endpoint of another scheme", { endpoint: "ftp://host" }, /neither a URL/],
  [
    "credentials in the endpoint",
    { endpoint: `http://${ACCESS_KEY}:hushHush@host` },
    /has a user or a password/,
  ],
  ["a path in the endpoint", { endpoint: "http://host/path" }, /http:\/\/host has a path/],
  ["no bucket", { bucket: "" }, /no name of a bucket/],
  ["a bucket with a slash", { bucket: "a/b" }, /no name of a bucket/],
  ["a prefix with an empty segment", { prefix: "a//b" }, /the prefix "a\/\/b"/],
  ["a prefix that ends with a slash", { prefix: "a/" }, /begins or ends with a slash/],
  ["a key without its secret", { secretKey: null }, /only one is given/],
  ["a secret without its key", { accessKey: "" }, /only one is given/],
];

for (const [name, change, message] of BAD_PLACES) {
  test(`${name} is OBJECT_BAD_PLACE`, async (context) => {
    const { place, clock } = await room(context);
    const make = async (): Promise<S3Store> =>
      await Promise.resolve(new S3Store({ ...place, ...change }, { clock }));
    const error = await errorOf(make());
    assert.equal(error.code, "OBJECT_BAD_PLACE");
    assert.match(error.message, message);
  });
}

test("where a store is says what its endpoint and bucket are, and nothing of who asks", async (context) => {
  const { place, clock, store, s3 } = await room(context);
  assert.equal(store.location, `${s3.endpoint}/archive/site/one`);
  const shown = inspect(store, { depth: 20, showHidden: true });
  for (const secret of [ACCESS_KEY, SECRET]) assert.ok(!shown.includes(secret));
  const named = new S3Store({ ...place, endpoint: "s3.example.net:9000", prefix: "" }, { clock });
  assert.equal(named.location, "https://s3.example.net:9000/archive");
  const aws = new S3Store({ ...place, endpoint: null }, { clock });
  assert.equal(aws.location, "s3://archive/site/one");
});
