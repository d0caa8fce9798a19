import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryVolume, systemError } from "../../../test/support/memory-volume.ts";
import type { StepFault, VolumeStep } from "../../../test/support/memory-volume.ts";
import type { Clock } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields } from "../../base/log.ts";
import { WriterLeases } from "./writer-lease.ts";
import type { WriterLease, WriterLeasesOptions } from "./writer-lease.ts";
import { readClaimRecord, readLifeRecord, RECORD_BYTES, writeClaimRecord } from "./writer-records.ts";
import type { WriterIdentity } from "./writer-records.ts";

const ROOT = "/archive";
const CLAIMS = `${ROOT}/live/one/.writer`;

/** Lets everything run that waits for nothing but promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Process = {
  readonly name: string;
  readonly leases: WriterLeases;
  readonly events: string[];
  readonly warnings: LogFields[];
  fault: ((step: VolumeStep) => Promise<StepFault | void> | StepFault | void) | null;
  claim(stream?: string): WriterLease;
};

/** A process on the volume. Its writers are called after it, with a number behind. */
function startProcess(
  volume: MemoryVolume,
  clock: Clock,
  name: string,
  options: Partial<WriterLeasesOptions> = {},
): Process {
  const identity: WriterIdentity = { host: `host-${name}`, pod: "", machine: "", pid: 1, birth: "" };
  const events: string[] = [];
  const warnings: LogFields[] = [];
  const process: { fault: Process["fault"] } = { fault: null };
  let writers = 0;
  const leases = new WriterLeases({
    root: ROOT,
    files: volume.seenBy({ before: (step) => process.fault?.(step) }),
    clock,
    logger: { ...silentLogger, warn: (_message, fields) => warnings.push(fields ?? {}) },
    identity,
    isGone: () => false,
    newWriter: () => `writer-${name}-${++writers}`,
    ...options,
  });
  const claim = (stream = "live/one"): WriterLease =>
    leases.claim(stream, {
      onHeld: () => events.push(`held ${stream}`),
      onLost: (error) => events.push(`lost ${stream}: ${error.code}`),
    });
  return Object.assign(process, { name, leases, events, warnings, claim });
}

function twoProcesses(): { volume: MemoryVolume; clock: FakeClock; first: Process; second: Process } {
  const [volume, clock] = [new MemoryVolume(), new FakeClock()];
  volume.folders.add(ROOT);
  const [first, second] = [startProcess(volume, clock, "first"), startProcess(volume, clock, "second")];
  return { volume, clock, first, second };
}

describe("a lease", () => {
  test("is held at once where nobody wrote before, and its files say by whom", async () => {
    const { volume, clock, first } = twoProcesses();
    const lease = first.claim();
    assert.equal(lease.mayWrite(), false);
    await settled();
    assert.equal(lease.mayWrite(), true);
    assert.deepEqual(first.events, ["held live/one"]);
    assert.deepEqual(volume.paths(), [`${ROOT}/.writers/writer-first-1`, `${CLAIMS}/1`]);
    const claim = readClaimRecord(volume.files.get(`${CLAIMS}/1`)!.bytes);
    const claimedAt = clock.wallUs() / 1000;
    assert.deepEqual(claim, { writer: "writer-first-1", host: "host-first", claimedAt, isReleased: false });
    assert.equal(
      readLifeRecord(volume.files.get(`${ROOT}/.writers/writer-first-1`)!.bytes)?.leaseMs,
      15_000,
    );
    await first.leases.stop();
    assert.equal(lease.mayWrite(), false);
    assert.equal(clock.pendingTimers, 0);
    assert.deepEqual(volume.paths(), [`${CLAIMS}/1`]);
  });

  test("keeps others out for as long as its process lives, and says who has it once", async () => {
    const { clock, first, second } = twoProcesses();
    const held = first.claim();
    await settled();
    const waiting = second.claim();
    await clock.advanceSettling(120_000, 1000);
    assert.deepEqual([held.mayWrite(), waiting.mayWrite()], [true, false]);
    assert.equal(second.warnings.length, 1);
    assert.equal(second.warnings[0]!["code"], "DVR_STREAM_TAKEN");
    assert.match(
      String(second.warnings[0]!["reason"]),
      /"live\/one" .* \/archive .*writer-first-1 on host-first/,
    );
    assert.deepEqual(first.events, ["held live/one"]);
  });

  test("is free for others at once when it is released", async () => {
    const { clock, first, second } = twoProcesses();
    const held = first.claim();
    const other = second.claim("live/two");
    await settled();
    await held.release();
    await held.release();
    assert.equal(first.leases.size, 0);
    const next = second.claim();
    await settled();
    assert.deepEqual([held.mayWrite(), next.mayWrite(), other.mayWrite()], [false, true, true]);
    assert.equal(clock.nowUs(), 0);
  });

  test("is free for others at once when its process stops", async () => {
    const { first, second } = twoProcesses();
    first.claim();
    await settled();
    await first.leases.stop();
    const next = second.claim();
    await settled();
    assert.equal(next.mayWrite(), true);
  });

  test("may be claimed again by its own process while it is given back", async () => {
    const { first } = twoProcesses();
    const early = first.claim();
    await settled();
    const released = early.release();
    const late = first.claim();
    await released;
    await settled();
    assert.deepEqual([early.mayWrite(), late.mayWrite()], [false, true]);
    assert.equal(first.leases.size, 1);
    assert.deepEqual(first.events, ["held live/one", "held live/one"]);
  });

  test("that is released while it is claimed is nobody's", async () => {
    const { volume, first } = twoProcesses();
    const lease = first.claim();
    await lease.release();
    await settled();
    assert.equal(lease.mayWrite(), false);
    assert.equal(first.leases.size, 0);
    assert.deepEqual(
      volume.paths().filter((path) => path.startsWith(CLAIMS)),
      [],
    );
    assert.deepEqual(first.events, []);
  });

  test("is refused beyond the limit", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    const process = startProcess(volume, clock, "first", { limit: 2 });
    process.claim("a");
    process.claim("b");
    assert.throws(() => process.claim("c"), { code: "DVR_LEASE_LIMIT" });
    await settled();
    await process.leases.stop();
  });
});

describe("the lease of a process that is gone", () => {
  test("is taken over when its sign of life stood still for the lease's time, whatever the clocks say", async () => {
    const { volume, clock, first, second } = twoProcesses();
    const held = first.claim();
    await settled();
    first.fault = () => ({ error: systemError("EIO") });
    const next = second.claim();
    // A wall clock that is years ahead changes nothing.
    clock.stepWall(1e11);
    await clock.advanceSettling(12_000, 100);
    assert.equal(held.mayWrite(), false, "the old writer has stopped before");
    assert.equal(next.mayWrite(), false);
    await clock.advanceSettling(9000, 100);
    assert.equal(next.mayWrite(), true);
    assert.deepEqual(first.events, ["held live/one", "lost live/one: DVR_LEASE_LOST"]);
    assert.ok(!volume.paths().includes(`${ROOT}/.writers/writer-first-1`), "its sign of life is removed");
  });

  test("is taken over at once where it is known to be gone", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    const identity: WriterIdentity = { host: "weir-0", pod: "weir-0", machine: "", pid: 1, birth: "" };
    const isGone = (other: WriterIdentity): boolean => other.pod === "weir-0";
    startProcess(volume, clock, "killed", { identity, isGone }).claim();
    await settled();
    const next = startProcess(volume, clock, "next", { identity, isGone }).claim();
    await settled();
    assert.equal(next.mayWrite(), true);
    assert.equal(clock.nowUs(), 0);
  });

  test("that lives after all is lost with its next sign of life", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    const alive = startProcess(volume, clock, "alive");
    const held = alive.claim();
    await settled();
    const next = startProcess(volume, clock, "next", { isGone: () => true }).claim();
    await settled();
    assert.equal(next.mayWrite(), true);
    await clock.advanceSettling(5000);
    assert.equal(held.mayWrite(), false);
    assert.deepEqual(alive.events, ["held live/one", "lost live/one: DVR_LEASE_LOST"]);
    assert.match(String(alive.warnings[0]!["reason"]), /took this one for dead/);
  });

  test("that lives after all does not take it back: two that take each other for gone do not take turns", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    const [one, two] = [1, 2].map((name) =>
      startProcess(volume, clock, `twin-${name}`, { isGone: () => true }),
    );
    one!.claim();
    await settled();
    two!.claim();
    await clock.advanceSettling(600_000, 1000);
    assert.deepEqual(one!.events, ["held live/one", "lost live/one: DVR_LEASE_LOST"]);
    assert.deepEqual(two!.events, ["held live/one"]);
  });

  test("leaves nothing behind for longer than an hour or two", async () => {
    const { volume, clock, first, second } = twoProcesses();
    first.claim();
    await settled();
    first.fault = () => ({ error: systemError("EIO") });
    volume.put(`${ROOT}/.writers/writer-old`, "no record");
    volume.put(`${ROOT}/.writers/notes.txt`, "not ours");
    second.claim("live/two");
    await clock.advanceSettling(7_300_000, 5000);
    const left = volume.paths().filter((path) => path.startsWith(`${ROOT}/.writers/`));
    assert.deepEqual(left, [`${ROOT}/.writers/notes.txt`, `${ROOT}/.writers/writer-second-1`]);
  });
});

describe("a volume that hangs", () => {
  test("costs the lease in time, and it is claimed anew by itself", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    let hang: PromiseWithResolvers<void> | null = null;
    const files = volume.seenBy({ before: async () => await hang?.promise });
    const process = startProcess(volume, clock, "first", { files });
    const lease = process.claim();
    await settled();
    hang = Promise.withResolvers<void>();
    await clock.advanceSettling(11_900);
    assert.equal(lease.mayWrite(), true);
    clock.advance(100);
    assert.equal(lease.mayWrite(), false);
    assert.deepEqual(process.events, ["held live/one", "lost live/one: DVR_LEASE_LOST"]);
    await clock.advanceSettling(60_000);
    const { resolve } = hang;
    hang = null;
    resolve();
    await clock.advanceSettling(10_000);
    assert.equal(lease.mayWrite(), true);
    assert.equal(process.warnings.length, 1, JSON.stringify(process.warnings));
  });

  test("ends a lease by the clock even before any timer ran", async () => {
    const clock = new FakeClock();
    // A process that was not given the processor: its time goes on, and no timer of it runs.
    let stolenUs = 0;
    const late: Clock = {
      nowUs: () => clock.nowUs() + stolenUs,
      wallUs: () => clock.wallUs(),
      schedule: (delayMs, run) => clock.schedule(delayMs, run),
    };
    const lease = startProcess(new MemoryVolume(), late, "first").claim();
    await settled();
    assert.equal(lease.mayWrite(), true);
    stolenUs = 12_000_000;
    assert.equal(lease.mayWrite(), false);
  });

  test("that is not mounted any more is not written to until it is, and both is said", async () => {
    const [volume, clock, told] = [new MemoryVolume(), new FakeClock(), [] as string[]];
    const logger = { ...silentLogger, info: (message: string) => void told.push(message) };
    const failures: unknown[] = [];
    const process = startProcess(volume, clock, "first", {
      logger: { ...logger, warn: logger.info },
      onFailure: (caught) => void failures.push(asMediaError(caught)?.code),
    });
    volume.devices = [7, 7, 1];
    const lease = process.claim();
    await settled();
    // What is there now is the folder in which it was mounted.
    volume.files.clear();
    volume.folders.clear();
    volume.devices = [1, 1];
    await clock.advanceSettling(60_000, 1000);
    assert.deepEqual([lease.mayWrite(), volume.paths(), [...volume.folders]], [false, [], []]);
    assert.deepEqual(told, ["recordings stop", "leases cannot be written"]);
    assert.deepEqual(new Set(failures), new Set(["DVR_NOT_MOUNTED"]));
    volume.devices = [8, 8, 1];
    await clock.advanceSettling(10_000, 1000);
    assert.equal(lease.mayWrite(), true, "another volume is as good");
    assert.deepEqual(told.slice(2), ["leases can be written again: recordings go on"]);
    volume.devices = [1, 1];
    volume.files.clear();
    process.fault = ({ kind }) =>
      kind === "makeFolder" ? assert.fail("nothing is made there") : undefined;
    await clock.advanceSettling(20_000, 1000);
    assert.equal(lease.mayWrite(), false);
  });

  test("that has always been a folder of the disk is one", async () => {
    const { volume, clock, first } = twoProcesses();
    const lease = first.claim();
    await settled();
    volume.files.clear();
    await clock.advanceSettling(10_000, 1000);
    assert.equal(lease.mayWrite(), true);
  });

  test("that refuses files is said once for each reason, and told to who keeps the disk's state", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    const failures: unknown[] = [];
    const process = startProcess(volume, clock, "first", { onFailure: (caught) => failures.push(caught) });
    process.fault = () => ({ error: systemError("EROFS") });
    const lease = process.claim();
    await clock.advanceSettling(60_000, 1000);
    assert.deepEqual(
      process.warnings.map(({ code }) => code),
      ["DVR_LEASE_FAILED"],
    );
    assert.ok(failures.length > 10);
    process.fault = null;
    await clock.advanceSettling(5000);
    assert.equal(lease.mayWrite(), true);
    process.fault = ({ kind }) => (kind === "make" ? { error: systemError("EACCES") } : undefined);
    process.claim("live/two");
    await clock.advanceSettling(60_000, 1000);
    assert.deepEqual(
      process.warnings.slice(1).map(({ code, stream }) => [code, stream]),
      [["DVR_LEASE_FAILED", "live/two"]],
    );
    assert.equal(lease.mayWrite(), true, "one stream's folder is not the volume");
  });

  test("that is full keeps the leases that there are: renewing takes no room", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    const process = startProcess(volume, clock, "first");
    const lease = process.claim();
    await settled();
    volume.capacityBytes = volume.usedBytes();
    const other = process.claim("live/two");
    await clock.advanceSettling(3_600_000, 5000);
    assert.equal(lease.mayWrite(), true);
    assert.equal(other.mayWrite(), false);
    const stubs = volume.paths().filter((path) => path.startsWith(`${ROOT}/live/two/`));
    assert.ok(stubs.length > 0 && stubs.length <= 6, `${stubs.length} unfinished claims`);
    volume.capacityBytes = Infinity;
    await clock.advanceSettling(25_000, 1000);
    assert.equal(other.mayWrite(), true);
  });

  test("that is full from the start does not fill with what failed", async () => {
    const [volume, clock] = [new MemoryVolume(), new FakeClock()];
    volume.capacityBytes = 100;
    const process = startProcess(volume, clock, "first");
    const lease = process.claim();
    await clock.advanceSettling(600_000, 1000);
    assert.deepEqual([lease.mayWrite(), volume.paths()], [false, []]);
    volume.capacityBytes = Infinity;
    await clock.advanceSettling(5000, 1000);
    assert.equal(lease.mayWrite(), true);
  });

  test("that does not take the release is asked again, and blocks nobody who waits for it", async () => {
    const { clock, first, second } = twoProcesses();
    const held = first.claim();
    first.claim("live/two");
    await settled();
    first.fault = ({ path }) => (path.startsWith(CLAIMS) ? { error: systemError("EIO") } : undefined);
    await held.release();
    const next = second.claim();
    await clock.advanceSettling(30_000, 1000);
    assert.equal(next.mayWrite(), false, "its process lives and may still have written");
    first.fault = null;
    await clock.advanceSettling(10_000, 1000);
    assert.equal(next.mayWrite(), true);
  });
});

describe("what is left of a claim", () => {
  test("whose making failed, and that could not be withdrawn, is given back later", async () => {
    const { clock, first, second } = twoProcesses();
    first.claim("live/two");
    await settled();
    let isMade = false;
    first.fault = ({ kind, path }) => {
      if (!path.startsWith(CLAIMS)) return;
      // The claim is made, and whether it holds cannot be found out.
      if (isMade) return { error: systemError("EIO") };
      isMade = kind === "fill";
    };
    const lease = first.claim();
    await settled();
    await lease.release();
    const next = second.claim();
    await clock.advanceSettling(60_000, 500);
    assert.deepEqual([lease.mayWrite(), next.mayWrite()], [false, false]);
    first.fault = null;
    await clock.advanceSettling(3000, 500);
    assert.equal(next.mayWrite(), true);
  });

  test("is given back by the next lease of the same stream in the same process", async () => {
    const { clock, first, second } = twoProcesses();
    const early = first.claim();
    await settled();
    first.fault = ({ path }) => (path.startsWith(CLAIMS) ? { error: systemError("EIO") } : undefined);
    const releases = [early.release(), first.claim().release()];
    await Promise.all(releases);
    first.fault = null;
    const next = second.claim();
    await clock.advanceSettling(3000, 500);
    assert.equal(next.mayWrite(), true);
    assert.equal(first.leases.size, 0);
  });
});

describe("a step that takes long", () => {
  /** Holds a process's next step of one kind on the stream's claims; the others go on. */
  function holdNext(process: Process, kind: VolumeStep["kind"], path = CLAIMS): () => void {
    const held = Promise.withResolvers<void>();
    process.fault = async (step) => {
      if (step.kind !== kind || !step.path.startsWith(path)) return;
      process.fault = null;
      await held.promise;
    };
    return held.resolve;
  }

  test("makes a claim whose number was used and removed meanwhile, which does not hold", async () => {
    const { volume, clock, first, second } = twoProcesses();
    const goOn = holdNext(second, "make");
    const late = second.claim();
    await settled();
    for (let i = 0; i < 8; i++) {
      const lease = first.claim();
      await settled();
      assert.equal(lease.mayWrite(), true);
      await lease.release();
    }
    const holding = first.claim();
    await settled();
    assert.ok(!volume.files.has(`${CLAIMS}/1`), "the number is free again");
    goOn();
    await settled();
    assert.deepEqual([holding.mayWrite(), late.mayWrite()], [true, false]);
    await clock.advanceSettling(60_000, 500);
    assert.deepEqual([holding.mayWrite(), late.mayWrite()], [true, false]);
  });

  test("makes a claim that others passed over as unfinished, which does not hold", async () => {
    const { volume, clock, first, second } = twoProcesses();
    const finish = holdNext(first, "fill");
    const late = first.claim();
    await settled();
    assert.equal(volume.files.get(`${CLAIMS}/1`)?.bytes.byteLength, 0);
    const goOn = holdNext(second, "make", `${CLAIMS}/2`);
    const next = second.claim();
    await clock.advanceSettling(20_000, 500);
    // The second is about to make its claim when the first finishes its own, and sees no higher one.
    finish();
    await settled();
    goOn();
    await settled();
    assert.deepEqual([late.mayWrite(), next.mayWrite()], [false, true]);
  });

  test("renews a lease too late, which does not hold, also where no timer came in time", async () => {
    const { volume, clock, first } = twoProcesses();
    let stolenUs = 0;
    const late: Clock = {
      nowUs: () => clock.nowUs() + stolenUs,
      wallUs: () => clock.wallUs(),
      schedule: (delayMs, run) => clock.schedule(delayMs, run),
    };
    await first.leases.stop();
    const process = startProcess(volume, late, "late");
    const lease = process.claim();
    await settled();
    const goOn = holdNext(process, "fill", `${ROOT}/.writers/`);
    await clock.advanceSettling(5000, 500);
    stolenUs = 8_000_000;
    goOn();
    await settled();
    assert.equal(lease.mayWrite(), false);
    assert.deepEqual(process.events, ["held live/one", "lost live/one: DVR_LEASE_LOST"]);
  });
});

describe("claims that were never finished", () => {
  for (const [name, content] of [
    ["an empty file", new Uint8Array(0)],
    [
      "half a record",
      writeClaimRecord({ writer: "writer-x-1", host: "x", claimedAt: 1, isReleased: false }).slice(0, 99),
    ],
    ["something else", new Uint8Array(RECORD_BYTES).fill(0x7b)],
  ] as const) {
    test(`are passed over when they stood still for the lease's time: ${name}`, async () => {
      const { volume, clock, first } = twoProcesses();
      volume.put(`${CLAIMS}/7`, content);
      const lease = first.claim();
      await clock.advanceSettling(14_000);
      assert.equal(lease.mayWrite(), false);
      await clock.advanceSettling(7000);
      assert.equal(lease.mayWrite(), true);
      assert.ok(volume.paths().includes(`${CLAIMS}/8`));
    });
  }

  test("and claims of writers without a sign of life hold nobody up", async () => {
    const { volume, first } = twoProcesses();
    const record = { writer: "writer-gone-1", host: "x", claimedAt: 1, isReleased: false };
    volume.put(`${CLAIMS}/41`, writeClaimRecord(record));
    volume.put(`${CLAIMS}/notes`, "not a claim");
    const lease = first.claim();
    await settled();
    assert.equal(lease.mayWrite(), true);
  });

  test("stay few in the folder", async () => {
    const { volume, clock, first } = twoProcesses();
    for (let i = 0; i < 50; i++) {
      const lease = first.claim();
      await settled();
      assert.equal(lease.mayWrite(), true);
      await lease.release();
    }
    assert.equal(clock.nowUs(), 0);
    const claims = volume.paths().filter((path) => path.startsWith(CLAIMS));
    assert.deepEqual(
      claims,
      [46, 47, 48, 49, 50].map((number) => `${CLAIMS}/${number}`),
    );
  });

  test("of a folder with more than anybody looks through do not let two write", async () => {
    const { volume, clock, first } = twoProcesses();
    for (let i = 1; i <= 1500; i++) volume.put(`${CLAIMS}/${i}`, "");
    const lease = first.claim();
    await clock.advanceSettling(14_000, 1000);
    assert.equal(lease.mayWrite(), false);
    await clock.advanceSettling(120_000, 1000);
    assert.equal(lease.mayWrite(), true);
    assert.ok(volume.entries(CLAIMS).length < 10);
  });
});
