import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryVolume, systemError } from "../../../test/support/memory-volume.ts";
import type { StepFault, VolumeStep } from "../../../test/support/memory-volume.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields } from "../../base/log.ts";
import type { MediaError } from "../../base/errors.ts";
import type { EpisodesWanted } from "./episode-servers.ts";
import { keepErrors } from "./errors.ts";
import { Protections } from "./protections.ts";
import { RetentionRound } from "./retention-round.ts";
import type { DeletedHour, RetentionRoundOptions } from "./retention-round.ts";
import type { RetentionRules } from "./retention.ts";
import { diskKeepFiles } from "./storages/disk-keep-files.ts";

const ROOT = "/archive";
const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 10, 23, 8, 30);
const NOW_HOUR = Math.floor(NOW_MS / HOUR_MS);

type Rules = Readonly<Record<string, RetentionRules>>;

function retention(rules: Rules, options: Partial<RetentionRoundOptions> = {}) {
  const volume = new MemoryVolume();
  volume.folders.add(ROOT);
  const clock = new FakeClock(NOW_MS * 1000);
  const deleted: DeletedHour[] = [];
  const warnings: LogFields[] = [];
  const lines: LogFields[] = [];
  const failures: unknown[] = [];
  const faults: { of: ((step: VolumeStep) => StepFault | void) | null } = { of: null };
  const round = new RetentionRound({
    root: ROOT,
    files: volume.seenBy({ before: (step) => faults.of?.(step) }),
    clock,
    logger: {
      ...silentLogger,
      info: (_message, fields) => lines.push(fields ?? {}),
      warn: (_message, fields) => warnings.push(fields ?? {}),
    },
    rulesOf: (stream) => rules[stream] ?? null,
    isOpen: () => false,
    protectionsOf: () => Promise.resolve({ protects: () => false }),
    isCopyProven: () => true,
    onDeleted: (hour) => deleted.push(hour),
    onFailure: (caught) => failures.push(caught),
    ...options,
  });
  const put = (
    stream: string,
    ago: number,
    files: Readonly<Record<string, number>> = { idx: 10, mp4: 100 },
  ): void => {
    for (const [ending, bytes] of Object.entries(files))
      volume.put(`${pathOf(stream, ago)}.${ending}`, new Uint8Array(bytes));
  };
  const ago = (): string[] =>
    deleted.map(({ stream, hour, reason }) => `${stream} ${NOW_HOUR - hour} ${reason}`);
  return { volume, clock, deleted, warnings, lines, failures, faults, round, put, ago };
}

function pathOf(stream: string, ago: number): string {
  const [date, time] = new Date((NOW_HOUR - ago) * HOUR_MS).toISOString().split("T");
  return `${ROOT}/${stream}/${date!.replaceAll("-", "/")}/${time!.slice(0, 2)}`;
}

describe("a round of retention", () => {
  test("deletes what is over, says each hour once, and leaves everything else", async () => {
    const { round, put, ago, volume, lines, warnings } = retention({
      "live/one": { depthMs: 24 * HOUR_MS },
    });
    for (const hours of [0, 1, 24, 25, 26, 100]) put("live/one", hours);
    put("two", 1000);
    await round.run();
    assert.deepEqual(ago(), ["live/one 100 depth", "live/one 26 depth", "live/one 25 depth"]);
    assert.deepEqual(lines.map(({ stream, hour, reason, bytes }) => [stream, hour, reason, bytes])[0], [
      ...["live/one", "2026-11-19T04:00Z", "depth", 110],
    ]);
    const left = [0, 1, 24].map((hours) => pathOf("live/one", hours));
    assert.deepEqual(
      volume.paths(),
      [...left, pathOf("two", 1000)].flatMap((path) => [`${path}.idx`, `${path}.mp4`]).sort(),
    );
    await round.run();
    assert.equal(ago().length, 3);
    assert.deepEqual(warnings, []);
  });

  test("says once which streams no configuration names: nothing of them is ever deleted", async () => {
    const rules: Record<string, RetentionRules> = { kept: { depthMs: 24 * HOUR_MS } };
    const { round, put, lines, volume } = retention(rules);
    for (const stream of ["kept", "gone/2", "gone/1"]) for (const hours of [2, 3]) put(stream, hours);
    await round.run();
    await round.run();
    const told = { root: ROOT, streams: 2, bytes: 440, some: "gone/1 gone/2" };
    assert.deepEqual(lines, [told]);
    assert.equal(volume.paths().length, 12);
    rules["gone/2"] = { depthMs: 24 * HOUR_MS };
    await round.run();
    assert.deepEqual(lines, [told, { ...told, streams: 1, bytes: 220, some: "gone/1" }]);
    rules["gone/1"] = {};
    await round.run();
    delete rules["gone/1"];
    await round.run();
    assert.equal(lines.length, 3, "it is said anew when it is so again");
  });

  const WITH_FILLS = { fill: 10, "fill.mp4": 200, "fill.1.mp4": 50 };

  test("deletes hours with fills, and those of fills alone, with all of their files", async () => {
    const { round, put, ago, volume } = retention({ a: { depthMs: 24 * HOUR_MS } });
    put("a", 26, { idx: 10, mp4: 100, ...WITH_FILLS });
    put("a", 27, { ...WITH_FILLS, del: 32 });
    put("a", 2, WITH_FILLS);
    await round.run();
    assert.deepEqual(ago(), ["a 27 depth", "a 26 depth"]);
    assert.deepEqual(
      volume.paths(),
      ["fill", "fill.1.mp4", "fill.mp4"].map((ending) => `${pathOf("a", 2)}.${ending}`),
    );
  });

  test("counts the media of fills for the size of a stream", async () => {
    const { round, put, ago } = retention({ a: { sizeBytes: 600 } });
    for (const hours of [2, 3, 4]) put("a", hours, { idx: 10, mp4: 30, ...WITH_FILLS });
    await round.run();
    assert.deepEqual(ago(), ["a 4 size"]);
  });

  test("remembers what somebody deleted when an hour goes for the sake of room, until its time is over", async () => {
    const { round, put, ago, volume, clock } = retention({
      a: { sizeBytes: 100, depthMs: 48 * HOUR_MS },
    });
    put("a", 3, { idx: 10, mp4: 100, del: 32 });
    put("a", 4, { del: 32 });
    put("a", 5, { del: 32, deleted: 10, mp4: 100 });
    const notes = [5, 4, 3].map((hours) => `${pathOf("a", hours)}.del`);
    for (let rounds = 0; rounds < 3; rounds++) {
      await round.run();
      assert.deepEqual(ago(), ["a 5 unfinished", "a 3 size"]);
      assert.deepEqual(volume.paths(), notes);
      clock.advance(2 * HOUR_MS);
    }
    clock.advance(50 * HOUR_MS);
    await round.run();
    assert.deepEqual(volume.paths(), []);
  });

  test("leaves an hour that is being completed from a peer", async () => {
    const { round, put, ago, volume, clock } = retention({ a: { depthMs: HOUR_MS } });
    put("a", 9, WITH_FILLS);
    volume.files.get(`${pathOf("a", 9)}.fill`)!.changedMs = clock.wallUs() / 1000 - 1000;
    await round.run();
    assert.deepEqual(ago(), []);
    clock.advance(120_000);
    await round.run();
    assert.deepEqual(ago(), ["a 9 depth"]);
  });

  test("keeps what is open, what ended just now, and what is protected", async () => {
    const { round, put, ago } = retention(
      { a: { depthMs: 0 } },
      {
        isOpen: (_stream, hour) => hour === NOW_HOUR - 3,
        protectionsOf: () => Promise.resolve({ protects: (hour) => hour === NOW_HOUR - 2 }),
      },
    );
    for (const hours of [-1, 0, 1, 2, 3, 4]) put("a", hours);
    await round.run();
    assert.deepEqual(ago(), ["a 4 depth", "a 1 depth"]);
  });

  test("does not take for old what a wall clock that was set on has made old, for a day", async () => {
    const { round, put, ago, clock } = retention({ a: { depthMs: 24 * HOUR_MS } });
    for (const hours of [2, 20, 30]) put("a", hours);
    await round.run();
    assert.deepEqual(ago(), ["a 30 depth"]);
    clock.stepWall(48 * HOUR_MS);
    await round.run();
    clock.advance(60_000);
    await round.run();
    assert.equal(ago().length, 1);
    clock.stepWall(-48 * HOUR_MS);
    await round.run();
    clock.advance(6 * HOUR_MS);
    await round.run();
    assert.deepEqual(ago(), ["a 30 depth", "a 20 depth"], "it is as old as it is");
    clock.stepWall(48 * HOUR_MS);
    await round.run();
    assert.equal(ago().length, 2);
    clock.advance(24 * HOUR_MS);
    await round.run();
    assert.deepEqual(ago(), ["a 30 depth", "a 20 depth", "a 2 depth"]);
  });

  test("keeps an hour that is written, however old its media clock says it is", async () => {
    const { round, put, ago, clock, volume } = retention({ a: { depthMs: HOUR_MS } });
    for (const hours of [30, 31]) put("a", hours);
    volume.files.get(`${pathOf("a", 30)}.idx`)!.changedMs = clock.wallUs() / 1000 - 20_000;
    await round.run();
    assert.deepEqual(ago(), ["a 31 depth"]);
    clock.advance(60_000);
    await round.run();
    assert.deepEqual(ago(), ["a 31 depth", "a 30 depth"]);
  });

  test("keeps an hour that came to be protected or opened since it was chosen", async () => {
    const [kept, opened, gone] = [new Set<number>(), new Set<number>(), new Array<number>()];
    const { round, put } = retention(
      { a: { depthMs: 0 } },
      {
        protectionsOf: () => Promise.resolve({ protects: (hour) => kept.has(hour) }),
        isOpen: (_stream, hour) => opened.has(hour),
        onDeleted: ({ hour }) => {
          gone.push(NOW_HOUR - hour);
          kept.add(NOW_HOUR - 4);
          opened.add(NOW_HOUR - 3);
        },
      },
    );
    for (const hours of [5, 4, 3, 2]) put("a", hours);
    await round.run();
    assert.deepEqual(gone, [5, 2]);
  });

  test("keeps everything of a stream whose protections are not known, and says so once an hour", async () => {
    const { round, put, ago, warnings, clock } = retention(
      { a: { depthMs: 0 }, b: { depthMs: 0 } },
      {
        protectionsOf: (stream) =>
          stream === "a"
            ? Promise.reject(
                keepErrors.error("DVR_EPISODES_UNREADABLE", {
                  path: "/archive/a/episodes.jsonl",
                  reason: "EIO",
                }),
              )
            : Promise.resolve({ protects: () => false }),
      },
    );
    put("a", 100);
    put("b", 100);
    await round.run();
    await round.run();
    assert.deepEqual(ago(), ["b 100 depth"]);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["DVR_EPISODES_UNREADABLE"],
    );
    clock.advance(HOUR_MS);
    await round.run();
    assert.equal(warnings.length, 2);
  });

  test("deletes a bounded number of hours, and the rest in the next", async () => {
    const { round, put, deleted } = retention({ a: { depthMs: 0 } }, { hoursARound: 4 });
    for (let hours = 1; hours <= 10; hours++) put("a", hours);
    await round.run();
    assert.deepEqual(
      deleted.map(({ hour }) => NOW_HOUR - hour),
      [10, 9, 8, 7],
    );
    await round.run();
    await round.run();
    assert.equal(deleted.length, 10);
  });

  test("ends deletions that were begun, whatever the rules say by now", async () => {
    const { round, put, ago, volume } = retention({ a: { depthMs: 1e12 } });
    put("a", 5, { deleted: 10, mp4: 100, copied: 1 });
    put("a", 0, { deleted: 10, mp4: 100 });
    put("a", 7);
    await round.run();
    assert.deepEqual(ago(), ["a 5 unfinished"]);
    // The hour that runs is being recorded anew; the copied one is to leave its bucket, too.
    assert.equal(volume.paths().length, 5);
    assert.ok(volume.files.has(`${pathOf("a", 5)}.dropped`));
    await round.run();
    assert.deepEqual(ago(), ["a 5 unfinished"]);
  });

  test("passes over what is left of a copied hour until it has left its bucket", async () => {
    const { round, put, ago, volume, clock } = retention({ a: { depthMs: 0, sizeBytes: 1 } });
    put("a", 5, { idx: 10, mp4: 100, copied: 3 });
    for (let minute = 0; minute < 200; minute++) {
      await round.run();
      clock.advance(60_000);
    }
    assert.ok(ago().includes("a 5 depth"));
    assert.equal(ago().length, 1);
    assert.deepEqual(volume.paths(), [`${pathOf("a", 5)}.dropped`]);
  });

  test("lets the media of copied hours go, and says what of them stays", async () => {
    const { round, put, deleted, volume } = retention({ a: { localMs: HOUR_MS } });
    put("a", 5, { idx: 10, mp4: 100, "1.mp4": 50, copied: 3 });
    put("a", 6, { idx: 10, mp4: 100 });
    await round.run();
    assert.deepEqual(deleted, [
      {
        ...{ root: ROOT, stream: "a", hour: NOW_HOUR - 5, reason: "local", bytes: 150, keepsIndex: true },
        wasCopied: true,
      },
    ]);
    const path = pathOf("a", 5);
    assert.ok(
      volume.files.has(`${path}.idx`) &&
        volume.files.has(`${path}.copied`) &&
        !volume.files.has(`${path}.mp4`),
    );
    await round.run();
    assert.equal(deleted.length, 1);
  });

  test("keeps the media of hours whose copy is not proven, and says so once", async () => {
    let isProven = false;
    const { round, put, deleted, warnings, volume, clock } = retention(
      { a: { localMs: HOUR_MS } },
      { isCopyProven: (_stream, note, media) => isProven && note.length === 3 && media[0]?.bytes === 100 },
    );
    for (const hours of [5, 6]) put("a", hours, { idx: 10, mp4: 100, copied: 3 });
    for (let minute = 0; minute < 30; minute++) {
      await round.run();
      clock.advance(60_000);
    }
    assert.deepEqual(deleted, []);
    assert.equal(volume.paths().length, 6);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["DVR_COPY_NOT_PROVEN"],
    );
    isProven = true;
    clock.advance(HOUR_MS);
    await round.run();
    assert.equal(deleted.length, 2);
  });

  test("looks again before it deletes for the size: what others deleted meanwhile is not deleted for", async () => {
    const { round, put, ago, volume, clock } = retention({ a: { sizeBytes: 500 } });
    for (const hours of [50, 49, 48, 47]) put("a", hours);
    await round.run();
    assert.deepEqual(ago(), []);
    put("a", 0);
    clock.advance(20 * 60_000);
    volume.files.delete(`${pathOf("a", 48)}.mp4`);
    volume.files.delete(`${pathOf("a", 48)}.idx`);
    await round.run();
    assert.deepEqual(ago(), []);
    put("a", 1);
    clock.advance(8 * 60_000);
    await round.run();
    assert.deepEqual(ago(), ["a 50 size"]);
  });
});

describe("an archive on a real disk", () => {
  test("loses what is over, with the folders of days that are, and nothing else", async (t) => {
    const root = mkdtempSync(join(tmpdir(), "weir-retention-"));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    const protections = new Protections({
      root,
      files: diskKeepFiles,
      clock: new FakeClock(NOW_MS * 1000),
    });
    const { round, deleted, warnings, clock } = retention(
      { "live/one": { depthMs: 48 * HOUR_MS }, two: { localMs: HOUR_MS } },
      { root, files: diskKeepFiles, protectionsOf: (stream) => protections.of(stream) },
    );
    const place = (stream: string, ago: number): string => root + pathOf(stream, ago).slice(ROOT.length);
    for (const [stream, ago, endings] of [
      ["live/one", 0, ["idx", "mp4"]],
      ["live/one", 40, ["idx", "mp4"]],
      ["live/one", 90, ["idx", "mp4", "1.mp4"]],
      ["live/one", 91, ["idx", "mp4"]],
      ["two", 20, ["idx", "mp4", "copied"]],
    ] as const) {
      mkdirSync(dirname(place(stream, ago)), { recursive: true });
      for (const ending of endings) writeFileSync(`${place(stream, ago)}.${ending}`, "x".repeat(1000));
    }
    const openedAtMs = (NOW_HOUR - 91) * HOUR_MS;
    const kept = await protections.of("live/one");
    const { episodeId } = await kept.createEpisode({ openedAtMs, closedAtMs: openedAtMs + 5 });
    await round.run();
    assert.deepEqual(
      deleted.map(({ stream, hour, bytes }) => [stream, NOW_HOUR - hour, bytes]),
      [
        ["live/one", 90, 3000],
        ["two", 20, 1000],
      ],
    );
    await kept.deleteEpisode(episodeId);
    await round.run();
    for (let i = 0; i < 3; i++) {
      clock.advance(2 * HOUR_MS);
      await round.run();
    }
    const left = readdirSync(root, { recursive: true })
      .map(String)
      .filter((path) => !path.endsWith("episodes.jsonl"));
    const one = [0, 40].map((ago) => place("live/one", ago).slice(root.length + 1));
    const two = place("two", 20).slice(root.length + 1);
    const files = [...one.flatMap((path) => [`${path}.idx`, `${path}.mp4`]), `${two}.idx`, `${two}.copied`];
    const folders = files.flatMap((path) =>
      path
        .split("/")
        .slice(0, -1)
        .map((_name, i, names) => names.slice(0, i + 1).join("/")),
    );
    assert.deepEqual(left.sort(), [...new Set([...files, ...folders])].sort());
    assert.deepEqual(warnings, []);
  });
});

describe("a full disk", () => {
  test("is cleaned below the percentage, and not further", async () => {
    const { round, put, ago, volume } = retention({ a: { diskPercent: 50 }, b: { diskPercent: 90 } });
    volume.capacityBytes = 1100;
    for (const hours of [1, 2, 3, 4]) put("a", hours);
    for (const hours of [1, 2, 3, 9]) put("b", hours);
    await round.run();
    assert.deepEqual(ago(), ["a 4 disk", "a 3 disk", "a 2 disk"]);
    await round.run();
    assert.equal(ago().length, 3);
  });

  test("that does not show at once what was deleted loses nothing twice", async () => {
    const { round, put, deleted, volume } = retention({ a: { diskPercent: 50 } });
    volume.capacityBytes = 1000;
    for (let hours = 1; hours <= 6; hours++) put("a", hours);
    // Players have the files open: the room comes back later.
    const usedBytes = volume.usedBytes.bind(volume);
    let heldBytes = 0;
    volume.usedBytes = () => usedBytes() + heldBytes;
    await round.run();
    assert.equal(deleted.length, 2);
    heldBytes = 220;
    await round.run();
    assert.equal(deleted.length, 2);
    heldBytes = 0;
    await round.run();
    assert.equal(deleted.length, 2);
  });

  test("whose use is not known is left as it is", async () => {
    const { round, put, ago, faults, warnings } = retention({
      a: { diskPercent: 0, depthMs: 9 * HOUR_MS },
    });
    put("a", 5);
    put("a", 50);
    faults.of = ({ kind }) => (kind === "space" ? { error: systemError("EIO") } : undefined);
    await round.run();
    assert.deepEqual(ago(), ["a 50 depth"]);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["DVR_WALK_FAILED"],
    );
  });
});

describe("what cannot be deleted", () => {
  test("is said once, tried with growing pauses, and holds nothing else up", async () => {
    const { round, put, ago, faults, warnings, clock, failures } = retention({
      a: { depthMs: 24 * HOUR_MS },
      b: { depthMs: 24 * HOUR_MS },
    });
    for (const hours of [98, 99, 100]) put("a", hours);
    put("b", 99);
    let tries = 0;
    faults.of = ({ kind, path }) => {
      if (kind !== "rename" || !path.startsWith(`${ROOT}/a/`)) return;
      tries++;
      return { error: systemError("EACCES") };
    };
    await round.run();
    assert.deepEqual(ago(), ["b 99 depth"]);
    const triesBefore = tries;
    assert.ok(triesBefore >= 1 && triesBefore <= 3);
    for (let minute = 0; minute < 240; minute++) {
      clock.advance(60_000);
      await round.run();
    }
    assert.ok(tries > triesBefore && tries < 40, `${tries} tries in 4 hours`);
    assert.ok(warnings.length >= 1 && warnings.length <= 5, `${warnings.length} lines in 4 hours`);
    assert.equal(warnings[0]!["code"], "DVR_DELETE_FAILED");
    assert.match(
      String(warnings[0]!["reason"]),
      /2026-11-19T\d\d:00Z.* "a" .*\/archive\/a\/2026\/11\/19.*EACCES/,
    );
    assert.equal(failures.length, tries);
    faults.of = null;
    clock.advance(HOUR_MS);
    await round.run();
    assert.equal(ago().length, 4);
  });

  test("is remembered for so many folders and streams, and tried and said anew beyond them", async () => {
    const names = ["a", "b", "c", "d"];
    const rules = Object.fromEntries(names.map((name) => [name, { depthMs: HOUR_MS }]));
    const { round, put, faults, warnings, failures } = retention(rules, { failureLimit: 3 });
    for (const [i, name] of names.entries()) put(name, 100 - i);
    faults.of = ({ kind }) => (kind === "rename" ? { error: systemError("EACCES") } : undefined);
    await round.run();
    assert.deepEqual([failures.length, warnings.length], [4, 4]);
    await round.run();
    // The first of them was forgotten, and took the place of the second.
    assert.deepEqual([failures.length, warnings.length], [5, 5]);
  });

  for (const code of ["EROFS", "EIO"])
    test(`since the whole volume refuses (${code}) ends the round`, async () => {
      const { round, put, faults, warnings, deleted } = retention({ a: { depthMs: 0 } });
      for (let hours = 1; hours <= 50; hours++) put("a", hours);
      let tries = 0;
      faults.of = ({ kind }) => {
        if (kind !== "rename") return;
        tries++;
        return { error: systemError(code) };
      };
      await round.run();
      assert.equal(tries, 1);
      assert.deepEqual(deleted, []);
      assert.deepEqual(
        warnings.map((fields) => fields["code"]),
        ["DVR_DELETE_FAILED"],
      );
    });

  test("and folders that cannot be read are said in one line for all", async () => {
    const { round, put, faults, warnings } = retention({ a: { depthMs: 0 }, b: { depthMs: 0 } });
    put("a", 5);
    put("b", 5);
    faults.of = ({ kind, path }) =>
      kind === "list" && path !== ROOT ? { error: systemError("EACCES") } : undefined;
    await round.run();
    await round.run();
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["DVR_WALK_FAILED"],
    );
  });

  test("and archives beyond the walk's bounds are said", async () => {
    const { round, put, warnings } = retention({ a: { depthMs: 0 } }, { walkLimits: { days: 1 } });
    put("a", 50);
    put("a", 100);
    await round.run();
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["DVR_WALK_LIMIT"],
    );
  });
});

describe("rounds", () => {
  test("follow one another a minute apart, and stop", async () => {
    const rules: Record<string, RetentionRules> = { a: { depthMs: 10 * HOUR_MS } };
    const { round, put, deleted, clock } = retention(rules);
    put("a", 1);
    round.start();
    round.start();
    await clock.advanceSettling(1000);
    rules["a"] = { depthMs: 0 };
    await clock.advanceSettling(58_000, 1000);
    assert.equal(deleted.length, 0);
    await clock.advanceSettling(3000, 1000);
    assert.equal(deleted.length, 1);
    await round.stop();
    assert.equal(clock.pendingTimers, 0);
    round.start();
    assert.equal(clock.pendingTimers, 0);
  });

  test("that are stopped delete nothing further", async () => {
    const { round, put, deleted, faults } = retention({ a: { depthMs: 0 } });
    for (let hours = 1; hours <= 20; hours++) put("a", hours);
    const stopped = Promise.withResolvers<void>();
    faults.of = ({ kind }) => {
      if (kind === "rename") stopped.resolve(round.stop());
    };
    round.start();
    await stopped.promise;
    assert.equal(deleted.length, 1);
  });
});

describe("a round of retention asks servers of episodes", () => {
  const URL_TEXT = "http://tv.example/episodes";
  type Kept = { readonly protects: (hour: number) => boolean; readonly failure: MediaError | null };

  /** Keeps these hours, counted back from now. */
  function server(kept: Readonly<Record<string, readonly number[]>>, failure: MediaError | null = null) {
    const asked: (readonly [stream: string, from: number, hours: readonly number[]])[] = [];
    const episodesOf = ({ stream, fromMs, hours }: EpisodesWanted): Promise<Kept> => {
      asked.push([stream, NOW_HOUR - fromMs / HOUR_MS, hours.map((hour) => NOW_HOUR - hour)]);
      const protects = (hour: number): boolean => kept[stream]?.includes(NOW_HOUR - hour) === true;
      return Promise.resolve({ protects, failure });
    };
    return { asked, episodesOf };
  }

  test("of streams that have one, before hours of them go", async () => {
    const { asked, episodesOf } = server({ a: [30] });
    const rules = { depthMs: 24 * HOUR_MS, episodesUrl: URL_TEXT };
    const { round, put, ago, warnings } = retention(
      { a: rules, b: { depthMs: 24 * HOUR_MS }, c: rules },
      { episodesOf },
    );
    for (const stream of ["a", "b", "c"]) for (const hours of [2, 30, 40]) put(stream, hours);
    put("a", 60);
    await round.run();
    assert.deepEqual(asked, [
      ["a", 60, [60, 40, 30]],
      ["c", 40, [40, 30]],
    ]);
    assert.deepEqual(ago(), [
      "a 60 depth",
      "a 40 depth",
      "b 40 depth",
      "c 40 depth",
      "b 30 depth",
      "c 30 depth",
    ]);
    await round.run();
    assert.equal(asked.length, 3, "nothing of c is left to ask for");
    assert.equal(ago().length, 6);
    assert.deepEqual(warnings, []);
  });

  test("of those, too, that are chosen in the place of what is kept", async () => {
    const { asked, episodesOf } = server({ a: [2, 3, 4, 5] });
    const rules = { diskPercent: 50, episodesUrl: URL_TEXT };
    const { round, put, ago, volume } = retention({ a: rules, b: rules, c: rules }, { episodesOf });
    volume.capacityBytes = 2000;
    for (const hours of [2, 3, 4, 5]) put("a", hours);
    for (const hours of [2, 3]) for (const stream of ["b", "c"]) put(stream, hours, { idx: 10, mp4: 200 });
    await round.run();
    assert.deepEqual(
      asked.map(([stream]) => stream),
      ["a", "b", "c"],
    );
    assert.deepEqual(ago(), ["b 3 disk", "c 3 disk"]);
  });

  test("once for a turn, and leaves for the next round whom it has not come to", async () => {
    const streams = Array.from({ length: 8 }, (_, n) => `s${n}`);
    const { asked, episodesOf } = server(Object.fromEntries(streams.map((stream) => [stream, [5]])));
    const rules = { diskPercent: 1, episodesUrl: URL_TEXT };
    const { round, put, ago, volume } = retention(
      Object.fromEntries(streams.map((stream) => [stream, rules])),
      { episodesOf, hoursARound: 1 },
    );
    volume.capacityBytes = 10_000;
    for (const stream of streams) put(stream, 5);
    await round.run();
    assert.equal(asked.length, 5);
    assert.deepEqual(ago(), []);
  });

  test("and says once what is wrong with one", async () => {
    const failure = keepErrors.error("DVR_EPISODE_SERVER_FAILED", { server: URL_TEXT, reason: "down" });
    const { episodesOf } = server({ a: [30], b: [30] }, failure);
    const rules = { depthMs: 24 * HOUR_MS, episodesUrl: URL_TEXT };
    const { round, put, ago, warnings, clock } = retention({ a: rules, b: rules }, { episodesOf });
    for (const stream of ["a", "b"]) put(stream, 30);
    await round.run();
    await round.run();
    assert.deepEqual(ago(), []);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["DVR_EPISODE_SERVER_FAILED"],
    );
    clock.advance(HOUR_MS + 1);
    await round.run();
    assert.equal(warnings.length, 2);
  });

  test("or deletes nothing of their streams where nobody can be asked", async () => {
    const { round, put, ago } = retention({ a: { depthMs: 24 * HOUR_MS, episodesUrl: URL_TEXT } });
    put("a", 30);
    await round.run();
    assert.deepEqual(ago(), []);
  });
});
