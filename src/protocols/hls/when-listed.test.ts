import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeRequest } from "../../../test/support/fake-request.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import type { HttpReply } from "../../base/http-message.ts";
import type { TrackId } from "../../media/ids.ts";
import { EdgeWaiters } from "../../packaging/edge-waiters.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import type { Presentation } from "../../packaging/presentation.ts";
import { RemoteWindow } from "../../packaging/remote-window.ts";
import { hlsReply } from "./reply.ts";

const selection = ["v1", "a1"] as TrackId[];
const textOf = (reply: HttpReply): string => new TextDecoder().decode(reply.body[0]);

describe("a playlist without parts", () => {
  let clock: FakeClock;
  let window: LiveWindow;
  let source: LiveSource;

  beforeEach(() => {
    clock = new FakeClock();
    window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 4, chunkDurationUs: 200_000, clock });
    source = new LiveSource(window);
    source.play({ seconds: 9 });
  });

  const get = (
    query: string,
    asked: { readonly request?: FakeRequest; readonly from?: Presentation } = {},
  ): Promise<HttpReply> =>
    Promise.resolve().then(() => {
      const { request = new FakeRequest(query), from = window } = asked;
      return hlsReply({ kind: "media", isLowLatency: false, selection }, from, "", request);
    });
  const lastMsn = (): number => window.timeline().segments.at(-1)!.sequence;
  const next = (ahead = 1): string => `_HLS_msn=${lastMsn() + ahead}`;

  /** Whether a reply is there by now. */
  async function isThere(reply: Promise<HttpReply>): Promise<boolean> {
    let there = false;
    void reply.then(() => (there = true));
    await turn();
    return there;
  }

  test("says that it may be waited for, and does not where it is for old devices or of what is over", async () => {
    const line = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES";
    assert.ok(
      textOf(await get(""))
        .split("\n")
        .includes(line),
    );
    const timeline = { ...window.timeline(), mutability: "static" } as const;
    const film: Presentation = {
      timeline: () => timeline,
      initName: () => "0123456789ab",
      initSegment: () => null,
      segment: () => null,
      version: "1",
    };
    assert.ok(!textOf(await get("_HLS_msn=x", { from: film })).includes("SERVER-CONTROL"));
  });

  test("comes with the segment that is waited for, and makes no parts", async () => {
    const [one, two] = [get(next(1)), get(next(2))];
    assert.equal(await isThere(one), false);
    assert.equal(window.heldRequests, 2);
    source.play({ seconds: 2 });
    assert.match(textOf(await one), new RegExp(`seg-${window.timeline().segments.at(-1)!.name}`));
    assert.equal(await isThere(two), false);
    source.play({ seconds: 2 });
    await two;
    assert.deepEqual([window.heldRequests, clock.pendingTimers], [0, 0]);
    assert.equal(window.patienceMs(), 250, "nobody follows the parts");
  });

  test("comes at once with what is there, or has been", async () => {
    for (const ahead of [0, -3, -1e9]) assert.ok(await isThere(get(next(ahead))));
  });

  test("comes as it is after three target durations, and when the stream ends", async () => {
    const late = get(next());
    assert.equal(await isThere(late), false);
    const before = textOf(await get(""));
    clock.advance(6000);
    assert.equal(textOf(await late), before);
    const over = get(next());
    assert.equal(await isThere(over), false);
    window.onEnd();
    assert.equal((await over).status, 200);
    assert.ok(await isThere(get(next(2))));
  });

  test("is waited for by nobody who left", async () => {
    const request = new FakeRequest(next());
    const reply = get("", { request });
    assert.equal(await isThere(reply), false);
    request.leave();
    assert.deepEqual([window.heldRequests, clock.pendingTimers], [0, 0]);
  });

  test("is refused for what is far ahead, and for directives that are none", async () => {
    await assert.rejects(get(next(3)), { code: "HLS_TOO_FAR", httpStatus: 400 });
    await assert.rejects(get("_HLS_msn=-1"), { code: "HLS_BAD_DIRECTIVE", httpStatus: 400 });
    await assert.rejects(get("_HLS_part=1"), { code: "HLS_BAD_DIRECTIVE", httpStatus: 400 });
  });

  test("comes as it is where too many of one address wait", async () => {
    const query = next();
    const held = Array.from({ length: EdgeWaiters.MAX_HELD_PER_ADDRESS }, () => get(query));
    assert.equal(await isThere(held[0]!), false);
    assert.ok(await isThere(get(query)));
    assert.equal(window.heldRequests, EdgeWaiters.MAX_HELD_PER_ADDRESS);
    source.play({ seconds: 2 });
    await Promise.all(held);
  });

  test("is waited for in another thread as well", async () => {
    const remote = new RemoteWindow(() => Promise.resolve(null), {
      clock,
      fetchPart: () => Promise.resolve(null),
      follow: () => Promise.resolve(),
      onUse: () => assert.fail("nobody follows parts"),
    });
    const told = (): void => remote.update(structuredClone(window.snapshot()!));
    told();
    const one = get(next(), { from: remote });
    assert.equal(await isThere(one), false);
    assert.equal(remote.heldRequests, 1);
    source.play({ seconds: 2 });
    told();
    assert.match(textOf(await one), new RegExp(`seg-${window.timeline().segments.at(-1)!.name}`));
    const over = get(next(), { from: remote });
    assert.equal(await isThere(over), false);
    remote.stop();
    assert.equal((await over).status, 200);
    assert.ok(await isThere(get(next(), { from: remote })));
  });
});
