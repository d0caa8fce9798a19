/** Whose hour it is that is in the bucket: with fills, which are written anew as they grow. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { MemoryStore } from "../../../test/support/memory-store.ts";
import { buildFillIndex, storedFills } from "../format/fill.ts";
import type { StoredFill } from "../format/fill.ts";
import { HourIndex } from "../format/hour-index.ts";
import { copyHour } from "./hour-copy.ts";
import type { HourCopy } from "./hour-copy.ts";
import { DiskHours } from "./hours-storage.ts";

const HOUR = 496_640;
const DAY = "2026/08/28";

/** Fills at these seconds of the hour, their media one behind the other as it was copied. */
function fillsAt(seconds: readonly number[]): StoredFill[] {
  const made = new ArchiveHour(HOUR);
  for (const second of seconds.toSorted((a, b) => a - b)) made.segment({ atUs: second * 1e6 });
  const fills = storedFills(HourIndex.parse(made.index));
  return seconds.map((second, turn) => {
    const fill = fills.find(({ startUs }) => startUs === HOUR * 3_600_000_000 + second * 1e6)!;
    return {
      ...fill,
      chunks: fill.chunks.map((chunk, i) => ({ ...chunk, offset: (turn + 1) * 1000 + i * 500 })),
    };
  });
}

function indexOf(fills: readonly StoredFill[]): Uint8Array {
  return buildFillIndex(
    HOUR,
    fills.toSorted((a, b) => a.startUs - b.startUs),
  );
}

async function room(t: TestContext, onDisk: Readonly<Record<string, Uint8Array>>) {
  const root = await mkdtemp(join(tmpdir(), "weir-hour-copy-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, "cam", DAY), { recursive: true });
  for (const [name, bytes] of Object.entries(onDisk)) await writeFile(join(root, "cam", DAY, name), bytes);
  const store = new MemoryStore();
  const hours = new DiskHours({ root, isOpen: () => false });
  const { signal } = new AbortController();
  const copy = (): Promise<HourCopy | null> =>
    copyHour({ stream: "cam", path: `${DAY}/08` }, { store, hours, signal });
  const put = (name: string, bytes: Uint8Array): void =>
    void store.objects.set(`cam/${DAY}/${name}`, bytes);
  return { store, copy, put };
}

describe("an hour with fills that is in the bucket", () => {
  const media = new Uint8Array(100);
  const taken = { code: "OBJECT_HOUR_TAKEN" };

  test("is completed when the fills there are among ours, in whatever order they came", async (t) => {
    const [known, ...others] = fillsAt([20, 4, 30]);
    const fills = indexOf([known!, ...others]);
    const { store, copy, put } = await room(t, { "08.fill": fills, "08.fill.mp4": media });
    put("08.fill", indexOf([known!]));
    assert.equal((await copy())?.sentBytes, fills.byteLength + media.byteLength);
    assert.deepEqual(store.objects.get(`cam/${DAY}/08.fill`), Buffer.from(fills));
    assert.equal((await copy())?.sentBytes, 0, "and nothing is sent twice");
  });

  const others: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ["has fills that we have not", indexOf(fillsAt([4, 6]))],
    ["has the same fills at other places", indexOf(fillsAt([30, 4]).slice(1))],
    ["has more than we have", indexOf(fillsAt([20, 4, 30, 40, 50, 60]))],
    ["has what is no index", new Uint8Array(100)],
  ];
  for (const [name, bytes] of others)
    test(`is another server's when it ${name}`, async (t) => {
      const fills = indexOf(fillsAt([4, 20, 30, 40]));
      const { store, copy, put } = await room(t, { "08.fill": fills, "08.fill.mp4": media });
      put("08.fill", bytes);
      await assert.rejects(copy(), taken);
      assert.deepEqual(store.keysOf("put"), []);
    });

  test("is another server's when that has recorded it, and we have not", async (t) => {
    const fills = indexOf(fillsAt([4]));
    const { store, copy, put } = await room(t, { "08.fill": fills, "08.fill.mp4": media });
    put("08.idx", new ArchiveHour(HOUR).segment().index);
    await assert.rejects(copy(), taken);
    assert.deepEqual(store.keysOf("put"), []);
  });
});
