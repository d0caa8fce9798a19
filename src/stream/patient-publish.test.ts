import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { StreamName } from "../media/ids.ts";
import type { PublishRequest, Publisher } from "./directory.ts";
import { streamErrors } from "./errors.ts";
import { publishPatiently } from "./patient-publish.ts";

const request: PublishRequest = {
  name: "pub/camera" as StreamName,
  protocol: "rtmp",
  remoteAddress: "192.0.2.2",
  onRevoked: () => {},
};
const publisher: Publisher = { setTracks() {}, write() {}, patienceMs: () => 0, close() {} };
const busy = streamErrors.error("STREAM_BUSY", { name: request.name, owner: "192.0.2.1" });
const unknown = streamErrors.error("STREAM_NOT_FOUND", { name: request.name });

/** A directory that says these one after the other, the last one for ever; as promises where `isAway`. */
function directoryThatSays(answers: (Publisher | Error)[], isAway: boolean) {
  const directory = {
    asked: 0,
    publish(): Publisher | Promise<Publisher> {
      const answer = answers[Math.min(directory.asked++, answers.length - 1)]!;
      if (isAway) return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return directory;
}

test("a free name is given at once, without a promise", () => {
  assert.equal(
    publishPatiently(directoryThatSays([publisher], false), request, new FakeClock()),
    publisher,
  );
});

for (const isAway of [false, true]) {
  const where = isAway ? "in another thread" : "here";

  test(`a name that becomes free within half a second is given, ${where}`, async () => {
    const clock = new FakeClock();
    const claim = publishPatiently(directoryThatSays([busy, busy, publisher], isAway), request, clock);
    await clock.advanceSettling(150, 50);
    assert.equal(await claim, publisher);
    assert.equal(clock.pendingTimers, 0);
  });

  test(`a name that stays taken is refused after half a second, ${where}`, async () => {
    const clock = new FakeClock();
    const directory = directoryThatSays([busy], isAway);
    let refusal: unknown = null;
    void Promise.resolve(publishPatiently(directory, request, clock)).catch((caught) => (refusal = caught));
    await clock.advanceSettling(450, 50);
    assert.equal(refusal, null);
    await clock.advanceSettling(100, 50);
    assert.equal(refusal, busy);
    assert.ok(directory.asked <= 12);
    assert.equal(clock.pendingTimers, 0);
  });

  test(`other refusals are not asked again, ${where}`, async () => {
    const clock = new FakeClock();
    const directory = directoryThatSays([unknown], isAway);
    await assert.rejects(async () => publishPatiently(directory, request, clock), {
      code: "STREAM_NOT_FOUND",
    });
    assert.equal(directory.asked, 1);
  });
}
