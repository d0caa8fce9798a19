import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, beforeEach, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakePermit } from "../../../test/support/fake-permit.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import type { FakePublisher } from "../../../test/support/fake-directory.ts";
import { makeClip } from "../../../test/support/ffmpeg.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { needs } from "../../../test/support/tools.ts";
import { asMediaError } from "../../base/errors.ts";
import type { HttpRequest, HttpUpload } from "../../base/http-message.ts";
import type { Publisher } from "../../stream/directory.ts";
import { streamErrors } from "../../stream/errors.ts";
import { TsPublishers } from "./publishers.ts";

class Upload implements HttpUpload {
  readonly calls: string[] = [];
  pause(): void {
    this.calls.push("pause");
  }
  resume(): void {
    this.calls.push("resume");
  }
  finish(): void {
    this.calls.push("finish");
  }
  fail(error: unknown): void {
    this.calls.push(asMediaError(error)?.code ?? "?");
  }
}

function request(path: string): HttpRequest {
  const query = new URLSearchParams();
  return { method: "POST", path, query, header: () => undefined, remoteAddress: "192.0.2.7" };
}

let directory: FakeDirectory;
let log: RecordingLog;
let publishers: TsPublishers;
let upload: Upload;

// The first who publishes waits until the demuxer is loaded, with its name claimed; everybody else goes on air at once.
before(async () => {
  const own = new FakeDirectory();
  const first = new TsPublishers({ directory: own, log: new RecordingLog(), clock: new FakeClock() });
  const waiting = new Upload();
  const taker = first.reply(request("/first/mpegts"))!.upload!(waiting);
  assert.deepEqual([waiting.calls, own.publishRequests.length, first.size], [["pause"], 1, 1]);
  await eventually(() => assert.deepEqual(waiting.calls, ["pause", "resume"]), { intervalMs: 1 });
  taker.close("done");
  assert.equal(first.size, 0);
});

beforeEach(() => {
  directory = new FakeDirectory();
  log = new RecordingLog();
  publishers = new TsPublishers({ directory, log, clock: new FakeClock() });
  upload = new Upload();
});

const begin = (path = "/cam/mpegts") => publishers.reply(request(path))!.upload!(upload);
const published = (): FakePublisher => directory.publishers[0]!;

test("a path that is none, and a name that is none, are refused", () => {
  assert.equal(publishers.reply(request("/cam/index.m3u8")), null);
  assert.throws(() => publishers.reply(request("/a b/mpegts")), { code: "STREAM_BAD_NAME" });
});

test("a name is claimed when the body begins, for the peer's address", () => {
  begin();
  const [claim] = directory.publishRequests;
  assert.deepEqual([claim?.name, claim?.protocol, claim?.remoteAddress], ["cam", "tshttp", "192.0.2.7"]);
  assert.equal(publishers.size, 1);
});

test("a refusal becomes the reply, and nobody is left", async () => {
  directory.refusal = streamErrors.error("STREAM_NOT_PUBLISHABLE", { name: "cam" });
  begin();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([upload.calls, publishers.size], [["pause", "STREAM_NOT_PUBLISHABLE"], 0]);
});

test("a transport stream becomes tracks and packets", { skip: needs("ffmpeg") }, async () => {
  const clip = await makeClip({ durationS: 4, gopPictures: 25, extension: "ts" });
  const taker = begin();
  const bytes = readFileSync(clip);
  for (let at = 0; at < bytes.byteLength; at += 1000) taker.write(bytes.subarray(at, at + 1000));
  const reply = await taker.end();
  assert.equal(reply.status, 200);
  assert.match(Buffer.concat(reply.body).toString(), /^\d{3} packets were taken\n$/);
  const publisher = published();
  assert.deepEqual(
    publisher.trackSets.at(-1)?.map(({ codec }) => codec),
    ["h264", "aac"],
  );
  assert.ok(publisher.of("v1").length >= 99, `${publisher.of("v1").length} pictures`);
  assert.deepEqual(publisher.closes, ["the body ended"]);
  assert.equal(publishers.size, 0);
});

/** Bytes in which nothing repeats, the same in every run. */
function noise(lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  let state = 1;
  for (let i = 0; i < lengthBytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

for (const { what, body, code, httpStatus } of [
  { what: "nothing", body: new Uint8Array(0), code: "HTTP_TS_EMPTY", httpStatus: 400 },
  { what: "a few words", body: Buffer.from("no stream"), code: "TS_NO_SYNC", httpStatus: 415 },
  { what: "300 bytes of noise", body: noise(300), code: "TS_NO_SYNC", httpStatus: 415 },
  { what: "200 kB of noise", body: noise(200_000), code: "TS_NO_SYNC", httpStatus: 415 },
  {
    what: "noise with a packet's mark at its end",
    body: Buffer.concat([noise(5000), Uint8Array.of(0x47), noise(187)]),
    code: "TS_NO_SYNC",
    httpStatus: 415,
  },
  {
    what: "a transport stream of null packets",
    body: Buffer.concat(Array(50).fill(Buffer.concat([Buffer.from([0x47, 0x1f, 0xff, 0x10]), noise(184)]))),
    code: "HTTP_TS_EMPTY",
    httpStatus: 400,
  },
]) {
  test(`a body of ${what} is refused with ${httpStatus}`, () => {
    const taker = begin();
    for (let at = 0; at < body.byteLength; at += 1000) taker.write(body.subarray(at, at + 1000));
    assert.throws(() => taker.end(), { code, httpStatus });
    taker.close("what it sent could not be read");
    assert.deepEqual(published().closes.length, 1);
    assert.equal(publishers.size, 0);
  });
}

test("a body that has nothing is told so, and one that is no transport stream at once", () => {
  const empty = begin();
  assert.throws(() => empty.end(), { code: "HTTP_TS_EMPTY", httpStatus: 400 });
  empty.close("what it sent could not be read");
  const wrong = begin();
  const garbage = new Uint8Array(4 * 1024 * 1024).fill(1);
  assert.throws(() => wrong.write(garbage), { code: "TS_NO_SYNC", httpStatus: 415 });
  wrong.close("what it sent could not be read");
  assert.deepEqual(
    directory.publishers.map(({ closes }) => closes.length),
    [1, 1],
  );
  assert.equal(publishers.size, 0);
});

test("a client that leaves closes its publisher once", () => {
  const taker = begin();
  taker.close("gone");
  taker.close("gone");
  assert.deepEqual(published().closes, ["gone"]);
  assert.equal(publishers.size, 0);
});

test("a publisher that is replaced is told why, and hears nothing more", () => {
  begin();
  directory.publishRequests[0]!.onRevoked("replaced by another publisher");
  directory.publishRequests[0]!.onRevoked("again");
  assert.deepEqual(upload.calls, ["HTTP_TS_REVOKED"]);
  assert.equal(publishers.size, 0);
});

test("all are ended when the server ends", () => {
  begin("/one/mpegts");
  begin("/two/mpegts");
  assert.equal(publishers.endAll("the server stops"), 2);
  assert.deepEqual(upload.calls, ["STREAM_DRAINING", "STREAM_DRAINING"]);
  assert.deepEqual([publishers.size, publishers.endAll("again")], [0, 0]);
});

test("while the name is looked for in another thread, the body waits", async () => {
  const claim = Promise.withResolvers<Publisher>();
  const slow = { publish: () => claim.promise };
  publishers = new TsPublishers({ directory: slow, log, clock: new FakeClock() });
  begin();
  assert.deepEqual(upload.calls, ["pause"]);
  claim.resolve(new FakeDirectory().publish({} as never));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(upload.calls, ["pause", "resume"]);
});

test("a client that leaves meanwhile leaves no publisher behind", async () => {
  const claim = Promise.withResolvers<Publisher>();
  publishers = new TsPublishers({
    directory: { publish: () => claim.promise },
    log,
    clock: new FakeClock(),
  });
  begin().close("gone");
  const publisher = directory.publish({} as never) as FakePublisher;
  claim.resolve(publisher);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([publisher.closes.length, publishers.size], [1, 0]);
});

test("a refusal from another thread becomes the reply", async () => {
  const claim = Promise.withResolvers<Publisher>();
  publishers = new TsPublishers({
    directory: { publish: () => claim.promise },
    log,
    clock: new FakeClock(),
  });
  begin();
  claim.reject(streamErrors.error("STREAM_NOT_FOUND", { name: "cam" }));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(upload.calls, ["pause", "STREAM_NOT_FOUND"]);
  assert.equal(publishers.size, 0);
});

test("who has to be asked about waits, and is on air with its permit until it ends", async () => {
  const { promise, resolve } = Promise.withResolvers<FakePermit>();
  const permit = new FakePermit();
  publishers = new TsPublishers({ directory, log, clock: new FakeClock(), admit: () => promise });
  const taker = begin();
  assert.deepEqual([upload.calls, directory.publishRequests.length], [["pause"], 0]);
  resolve(permit);
  await new Promise((done) => setImmediate(done));
  assert.deepEqual([upload.calls, permit.log], [["pause", "resume"], ["begun"]]);
  taker.write(new Uint8Array(188));
  assert.equal(permit.bytes, 188);
  permit.end("kicked");
  assert.deepEqual(upload.calls.at(-1), "HTTP_TS_REVOKED");
  assert.deepEqual([published().closes.length, permit.log.at(-1)], [1, "closed: the publisher left"]);
});

test("who may not publish is told so, at once or later, and takes no name", async () => {
  const no = streamErrors.error("STREAM_NOT_FOUND", { name: "cam" });
  const admits = [
    () => {
      throw no;
    },
    () => Promise.reject(no),
  ];
  for (const admit of admits) {
    publishers = new TsPublishers({ directory, log, clock: new FakeClock(), admit });
    upload = new Upload();
    try {
      begin();
    } catch (caught) {
      upload.fail(caught);
    }
    await new Promise((done) => setImmediate(done));
    assert.equal(upload.calls.at(-1), "STREAM_NOT_FOUND");
    assert.deepEqual([publishers.size, directory.publishRequests.length], [0, 0]);
  }
});

test("a permit is given back by who left meanwhile, and by who does not get the name", async () => {
  const { promise, resolve } = Promise.withResolvers<FakePermit>();
  const [left, refused] = [new FakePermit(), new FakePermit()];
  publishers = new TsPublishers({ directory, log, clock: new FakeClock(), admit: () => promise });
  begin().close("gone");
  resolve(left);
  await new Promise((done) => setImmediate(done));
  assert.equal(left.log.at(-1), "closed: it left before it was on air");
  assert.equal(published().closes.length, 1);
  const nowhere = {
    publish: () => Promise.reject(streamErrors.error("STREAM_NOT_FOUND", { name: "cam" })),
  };
  publishers = new TsPublishers({ directory: nowhere, log, clock: new FakeClock(), admit: () => refused });
  begin();
  await new Promise((done) => setImmediate(done));
  assert.equal(refused.log.at(-1)?.startsWith("closed"), true);
});

test("a file that is sent at once is read at the clock's pace", { skip: needs("ffmpeg") }, async () => {
  const clock = new FakeClock();
  publishers = new TsPublishers({ directory, log, clock });
  const taker = begin();
  taker.write(readFileSync(await makeClip({ durationS: 8, gopPictures: 25, extension: "ts" })));
  const seconds = (): number => {
    const pictures = published().of("v1");
    return (pictures.at(-1)!.dts - pictures[0]!.dts) / 90_000;
  };
  assert.deepEqual(upload.calls, ["pause"]);
  for (let passed = 0; passed < 6; passed++) {
    assert.ok(seconds() >= passed && seconds() < passed + 4.5, `${seconds()} s after ${passed} s`);
    clock.advance(1000);
  }
  clock.advance(10_000);
  assert.deepEqual(upload.calls, ["pause", "resume"]);
  assert.equal((await taker.end()).status, 200);
  assert.ok(published().of("v1").length >= 199);
  assert.equal(clock.pendingTimers, 0);
});

test("what waits for the clock goes with its publisher", { skip: needs("ffmpeg") }, async () => {
  const clock = new FakeClock();
  publishers = new TsPublishers({ directory, log, clock });
  const taker = begin();
  taker.write(readFileSync(await makeClip({ durationS: 8, gopPictures: 25, extension: "ts" })));
  const { length } = published().packets;
  taker.close("gone");
  clock.advance(60_000);
  assert.deepEqual([published().packets.length, clock.pendingTimers], [length, 0]);
  assert.deepEqual(upload.calls, ["pause"]);
});
