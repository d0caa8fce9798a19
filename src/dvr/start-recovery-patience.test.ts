/** How long a start waits for streams that others hold. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFiles } from "../../test/support/archive-files.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryVolume } from "../../test/support/memory-volume.ts";
import { silentLogger } from "../base/log.ts";
import { recoverRoot } from "./start-recovery.ts";
import type { WriteAccess } from "./writer/write-access.ts";

const STREAMS = 400;

/** Access to a stream that another process holds, for ever unless told. */
class OthersAccess implements WriteAccess {
  readonly #held: Promise<void>;
  readonly #isHeld: boolean;
  isReleased = false;

  constructor(isHeld: boolean) {
    this.#isHeld = isHeld;
    this.#held = isHeld ? Promise.resolve() : new Promise(() => {});
  }

  mayWrite(): boolean {
    return this.#isHeld;
  }

  whenHeld(): Promise<void> {
    return this.#held;
  }

  failed(): void {}

  async release(): Promise<void> {
    this.isReleased = true;
  }
}

test("streams that others hold delay a start by seconds, whatever their number, and the rest is put in order", async () => {
  const clock = new FakeClock();
  const [volume, files] = [new MemoryVolume(), new MemoryFiles()];
  const keepFiles = volume.seenBy();
  for (let i = 0; i < STREAMS; i++) {
    // An index that is shorter than its header promises nothing.
    const path = `/dvr/live/${i}/2026/11/23/08.idx`;
    await keepFiles.makeFolder(path.slice(0, path.lastIndexOf("/")));
    await keepFiles.write(path, new Uint8Array(3));
    files.contents.set(path, new Uint8Array(3));
  }
  const given: OthersAccess[] = [];
  const access = (_root: string, stream: string): WriteAccess => {
    const one = new OthersAccess(stream === "live/7" || stream === "live/390");
    given.push(one);
    return one;
  };
  const ended = { isTrue: false };
  const recovering = recoverRoot("/dvr", {
    files,
    keepFiles,
    clock,
    log: silentLogger,
    roots: { access },
  });
  void recovering.finally(() => (ended.isTrue = true));
  for (let turns = 0; !ended.isTrue && turns < 2000; turns++) await clock.advanceSettling(100);
  assert.equal(await recovering, 2);
  assert.equal(given.length, STREAMS);
  assert.ok(given.every(({ isReleased }) => isReleased));
  // The first eight for 2 s, the others for a tenth of a second, eight at a time; some more turns of the clock.
  assert.ok(clock.nowUs() < 15_000_000, `it took ${clock.nowUs() / 1e6} s`);
});
