import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeRequest } from "../../../test/support/fake-request.ts";
import { asMediaError } from "../../base/errors.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest, HttpUploadTaker } from "../../base/http-message.ts";
import { WholeBodies } from "./whole-bodies.ts";

class Bench {
  readonly clock = new FakeClock();
  readonly bodies = new WholeBodies({ clock: this.clock, limits: { bytes: 10, ms: 1000, requests: 2 } });
  readonly failures: (string | undefined)[] = [];
  readonly asked: string[] = [];

  begin(answer?: (request: HttpRequest) => Promise<HttpReply>): HttpUploadTaker {
    const take = async (request: HttpRequest): Promise<HttpReply> => {
      this.asked.push(`${request.path} ${Buffer.from(request.body!).toString()}`);
      return textReply(200, "taken");
    };
    const { upload } = this.bodies.reply(new FakeRequest("a=1"), answer ?? take);
    return upload!({
      pause: () => {},
      resume: () => {},
      finish: () => {},
      fail: (error) => void this.failures.push(asMediaError(error)?.code),
    });
  }
}

test("a body is read whole, with copies of what came, and then the request is answered", async () => {
  const bench = new Bench();
  const taker = bench.begin();
  const piece = Buffer.from("12345");
  taker.write(piece);
  piece.fill(0);
  taker.write(Buffer.from("67890"));
  assert.equal(bench.bodies.open, 1);
  assert.equal((await taker.end()).status, 200);
  assert.deepEqual(bench.asked, ["/x 1234567890"]);
  assert.deepEqual([bench.bodies.open, bench.clock.pendingTimers], [0, 0]);
});

test("a body that is too long, or too slow, is not waited for", () => {
  const bench = new Bench();
  const long = bench.begin();
  long.write(new Uint8Array(10));
  assert.throws(() => long.write(new Uint8Array(1)), { code: "HTTP_BODY_TOO_BIG", httpStatus: 413 });
  long.close("it was too long");
  bench.begin();
  bench.clock.advance(1000);
  assert.deepEqual(bench.failures, ["HTTP_BODY_LATE"]);
  assert.deepEqual([bench.bodies.open, bench.clock.pendingTimers], [0, 0]);
});

test("so many requests are under way and no more, also while they are answered", async () => {
  const bench = new Bench();
  const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
  const answered = bench.begin(() => promise);
  const end = answered.end();
  const left = bench.begin();
  assert.throws(() => bench.begin(), { code: "HTTP_BODIES_BUSY", httpStatus: 503 });
  left.close("the client left");
  left.close("twice");
  assert.equal(bench.bodies.open, 1);
  resolve(textReply(200, "late"));
  await end;
  assert.equal(bench.bodies.open, 0);
  reject(new Error("nobody hears of it"));
  const failing = bench.begin(() => Promise.reject(new Error("no")));
  await assert.rejects(Promise.resolve(failing.end()), /no/);
  assert.equal(bench.bodies.open, 0);
});
