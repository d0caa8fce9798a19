import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryVolume, systemError } from "../../../test/support/memory-volume.ts";
import { deleteHour, deleteMedia, isCopied, isDropped, isHalfDeleted } from "./delete-hour.ts";
import type { HourPlace, MediaFile } from "./delete-hour.ts";

const DAY = "/archive/live/2026/11/23";
const NAMES = ["08.1.mp4", "08.copied", "08.idx", "08.mp4"];

function dayWith(names: readonly string[]): MemoryVolume {
  const volume = new MemoryVolume();
  for (const name of [...names, "07.idx", "07.mp4"]) volume.put(`${DAY}/${name}`, name);
  return volume;
}

function hour8(volume: MemoryVolume): HourPlace {
  const names = volume.entries(DAY).map(({ name }) => name);
  return { folder: DAY, hourOfDay: 8, names: names.filter((name) => name.startsWith("08.")) };
}

function left(volume: MemoryVolume): string[] {
  return hour8(volume).names.toSorted();
}

describe("an hour that is deleted", () => {
  test("leaves nothing but the note by which its copy goes, and nothing else goes", async () => {
    const volume = dayWith(NAMES);
    await deleteHour(hour8(volume), volume.seenBy());
    assert.deepEqual(volume.paths(), [`${DAY}/07.idx`, `${DAY}/07.mp4`, `${DAY}/08.dropped`]);
    assert.ok(isDropped(left(volume)));
  });

  test("leaves nothing where it was not copied", async () => {
    const volume = dayWith(["08.idx", "08.mp4"]);
    await deleteHour(hour8(volume), volume.seenBy());
    assert.deepEqual(volume.paths(), [`${DAY}/07.idx`, `${DAY}/07.mp4`]);
    assert.ok(!isDropped([]));
    assert.ok(!isDropped(["08.dropped", "08.idx"]));
  });

  const FILLED: readonly (readonly [name: string, names: readonly string[]])[] = [
    [
      "with fills",
      ["08.copied", "08.del", "08.fill", "08.fill.1.mp4", "08.fill.mp4", "08.fill.new", "08.idx", "08.mp4"],
    ],
    ["of fills alone", ["08.copied", "08.fill", "08.fill.mp4"]],
  ];
  for (const [name, names] of FILLED)
    test(`${name} never has an index whose media is gone, and goes whole`, async () => {
      for (let steps = 0; ; steps++) {
        const volume = dayWith(names);
        let done = 0;
        const dying = volume.seenBy({
          before: () => (done++ >= steps ? { error: systemError("EIO") } : undefined),
        });
        const outcome = await deleteHour(hour8(volume), dying).then(
          () => "ended",
          () => "died",
        );
        const now = left(volume);
        const hasMedia = names.filter((one) => one.endsWith(".mp4")).every((one) => now.includes(one));
        const hasIndex = now.some((one) => /\.(?:idx|fill)$/.test(one));
        assert.ok(hasMedia || !hasIndex, `after ${steps} steps: ${now.join()}`);
        if (now.join() !== names.join() && !isDropped(now))
          assert.ok(isHalfDeleted(now), `after ${steps} steps: ${now.join()}`);
        if (isHalfDeleted(now)) await deleteHour(hour8(volume), volume.seenBy());
        if (now.join() !== names.join()) assert.deepEqual(left(volume), ["08.dropped"]);
        if (outcome === "ended") break;
        assert.ok(steps < 20);
      }
    });

  test("by a process that dies at any step is there as it was, or is known to be rubbish and ends", async () => {
    for (let steps = 0; ; steps++) {
      const volume = dayWith(NAMES);
      let done = 0;
      const dying = volume.seenBy({
        before: () => (done++ >= steps ? { error: systemError("EIO") } : undefined),
      });
      const outcome = await deleteHour(hour8(volume), dying).then(
        () => "ended",
        () => "died",
      );
      const names = left(volume);
      if (names.includes("08.idx")) assert.deepEqual(names, NAMES, `after ${steps} steps`);
      else if (!isDropped(names)) assert.ok(isHalfDeleted(names), `after ${steps} steps: ${names.join()}`);
      if (isHalfDeleted(names)) await deleteHour(hour8(volume), volume.seenBy());
      assert.deepEqual(left(volume), names.includes("08.idx") ? NAMES : ["08.dropped"]);
      if (outcome === "ended") break;
      assert.ok(steps < 20);
    }
  });

  test("without an index goes as well", async () => {
    const volume = dayWith(["08.mp4"]);
    await deleteHour(hour8(volume), volume.seenBy());
    assert.deepEqual(left(volume), []);
  });

  test("is passed over where its files are gone already", async () => {
    const volume = dayWith(NAMES);
    const place = hour8(volume);
    for (const name of NAMES) volume.files.delete(`${DAY}/${name}`);
    await deleteHour(place, volume.seenBy());
    assert.deepEqual(left(volume), []);
  });
});

describe("the media of a copied hour", () => {
  test("goes when the note proves it, and index and note stay", async () => {
    const volume = dayWith(NAMES);
    const asked: unknown[] = [];
    const isProof = (note: string, media: readonly MediaFile[]): boolean => asked.push(note, media) > 0;
    assert.equal(await deleteMedia(hour8(volume), volume.seenBy(), isProof), true);
    assert.deepEqual(asked, [
      "08.copied",
      [
        { name: "08.1.mp4", bytes: 8 },
        { name: "08.mp4", bytes: 6 },
      ],
    ]);
    assert.deepEqual(left(volume), ["08.copied", "08.idx"]);
  });

  test("stays when the note does not prove it", async () => {
    const volume = dayWith(NAMES);
    assert.equal(await deleteMedia(hour8(volume), volume.seenBy(), () => false), false);
    assert.deepEqual(left(volume), NAMES);
  });

  test("stays when the note is gone since", async () => {
    const volume = dayWith(NAMES);
    const place = hour8(volume);
    volume.files.delete(`${DAY}/08.copied`);
    assert.equal(await deleteMedia(place, volume.seenBy(), () => true), false);
    assert.deepEqual(left(volume), ["08.1.mp4", "08.idx", "08.mp4"]);
  });
});

describe("the names of an hour's files", () => {
  test("say whether it is copied, and whether it is half deleted", () => {
    assert.equal(isCopied(NAMES), true);
    assert.equal(isCopied(["08.idx", "08.mp4"]), false);
    assert.equal(isHalfDeleted(["08.deleted", "08.mp4"]), true);
    assert.equal(isHalfDeleted(["08.mp4"]), false);
    // It was recorded anew behind the deletion.
    assert.equal(isHalfDeleted(["08.deleted", "08.idx", "08.mp4"]), false);
  });
});
