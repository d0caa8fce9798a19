import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { silentLogger } from "../../base/log.ts";
import { loadConfig } from "../../config/load.ts";
import type { Permit } from "../../stream/permit.ts";
import type { StreamPlan } from "../../config/plan.ts";
import type { PublishRequest, Publisher } from "../../stream/directory.ts";
import { streamErrors } from "../../stream/errors.ts";
import { VodLibrary } from "../../vod/vod.ts";
import { FileInputs } from "./file-inputs.ts";

/** A directory with one name, that answers a claim when the test says so: a claim has to ask the name's home. */
class SlowDirectory {
  readonly claims: PublishRequest[] = [];
  readonly log: string[] = [];
  owner: string | null = null;
  #answers: (() => void)[] = [];

  publishInternally(request: PublishRequest): Promise<Publisher> {
    this.claims.push(request);
    return new Promise((resolve, reject) => {
      this.#answers.push(() => {
        if (this.owner !== null) {
          reject(streamErrors.error("STREAM_BUSY", { name: request.name, owner: this.owner }));
          return;
        }
        this.owner = request.remoteAddress;
        this.log.push(request.remoteAddress);
        resolve(this.#publisher(request.remoteAddress));
      });
    });
  }

  async answer(): Promise<void> {
    for (const answer of this.#answers.splice(0)) answer();
    for (let i = 0; i < 10; i++) await turn();
  }

  #publisher(owner: string): Publisher {
    return {
      setTracks: () => {},
      write: () => {},
      patienceMs: () => 0,
      close: () => {
        if (this.owner === owner) this.owner = null;
      },
    };
  }
}

function plansOf(url: string): readonly StreamPlan[] {
  return loadConfig([{ file: "a", text: `stream one { input ${url}; }` }]).config!.streams;
}

function makeInputs(t: TestContext) {
  const [clock, directory] = [new FakeClock(), new SlowDirectory()];
  const vods = new VodLibrary({ vods: [], clock, log: silentLogger });
  const inputs = new FileInputs({ directory, vods, clock, log: silentLogger });
  t.after(() => inputs.stop());
  return { clock, directory, inputs };
}

test("a file that changes twice while its name is claimed plays at once as it is then", async (t) => {
  const { clock, directory, inputs } = makeInputs(t);
  for (const url of ["fake://a", "fake://b", "fake://c"]) inputs.reconcile(plansOf(url));
  assert.equal(directory.claims.length, 1);
  await directory.answer();
  await directory.answer();
  await directory.answer();
  assert.deepEqual([directory.owner, directory.log], ["fake://c", ["fake://a", "fake://c"]]);
  assert.equal(clock.nowUs(), 0);
});

test("a file that is not wanted any more gives the name back", async (t) => {
  const { directory, inputs } = makeInputs(t);
  inputs.reconcile(plansOf("fake://a"));
  inputs.reconcile([]);
  await directory.answer();
  assert.deepEqual([directory.owner, directory.claims.length], [null, 1]);
});

test("a name that somebody has is claimed again, soon at first and every 5 s in the end", async (t) => {
  const { clock, directory, inputs } = makeInputs(t);
  directory.owner = "somebody";
  inputs.reconcile(plansOf("fake://a"));
  await directory.answer();
  for (const [i, pauseMs] of [100, 200, 400, 800, 1600, 3200, 5000, 5000].entries()) {
    clock.advance(pauseMs - 1);
    assert.equal(directory.claims.length, i + 1);
    clock.advance(1);
    assert.equal(directory.claims.length, i + 2);
    await directory.answer();
  }
  directory.owner = null;
  clock.advance(5000);
  await directory.answer();
  assert.equal(directory.owner, "fake://a");
});

test("a stream that takes its file off has it again after 5 s", async (t) => {
  const { clock, directory, inputs } = makeInputs(t);
  inputs.reconcile(plansOf("fake://a"));
  await directory.answer();
  directory.owner = "somebody";
  directory.claims[0]!.onRevoked("replaced by another publisher");
  clock.advance(4999);
  assert.equal(directory.claims.length, 1);
  clock.advance(1);
  assert.equal(directory.claims.length, 2);
});

test("a file whose name is taken away before it plays gives it back, and is tried again after 5 s", async (t) => {
  const { clock, directory, inputs } = makeInputs(t);
  inputs.reconcile(plansOf("fake://a"));
  const answered = directory.answer();
  directory.claims[0]!.onRevoked("replaced by another publisher");
  await answered;
  assert.deepEqual([directory.log, directory.owner], [["fake://a"], null]);
  clock.advance(5000);
  await directory.answer();
  assert.deepEqual([directory.log, directory.owner], [["fake://a", "fake://a"], "fake://a"]);
  clock.advance(20_000);
  assert.equal(directory.claims.length, 2, "one of them plays");
});

test("a file that plays is a session, from its start until its stream takes it off or it is not wanted", async (t) => {
  const clock = new FakeClock();
  const directory = new SlowDirectory();
  const vods = new VodLibrary({ vods: [], clock, log: silentLogger });
  const told: string[] = [];
  const beginSession = (name: string, protocol: string): Permit => {
    told.push(`${name} over ${protocol}`);
    const close = (reason: string): void => void told.push(reason);
    return { begun: () => {}, media: () => {}, count: () => {}, onEnd: () => {}, close };
  };
  const inputs = new FileInputs({ directory, vods, clock, log: silentLogger, beginSession });
  t.after(() => inputs.stop());
  inputs.reconcile(plansOf("fake://a"));
  assert.deepEqual(told, [], "not before it has its stream");
  await directory.answer();
  await eventually(() => assert.deepEqual(told, ["one over fake"]));
  inputs.reconcile([]);
  assert.equal(told.length, 2);
});
