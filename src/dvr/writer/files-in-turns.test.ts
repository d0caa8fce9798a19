import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { settle } from "../../../test/support/memory-recording.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import { vodBusy } from "../../vod/busy.ts";
import type { ArchiveFiles } from "../archive-files.ts";
import { filesInTurns } from "./files-in-turns.ts";

/** Operations of many recordings: each makes a file, writes, reads and cuts it. */
async function useAll(files: ArchiveFiles, path: string): Promise<string> {
  const file = await files.create(path);
  await file.append([Buffer.from("one, "), Buffer.from("two")]);
  await file.truncate(6);
  const bytes = Buffer.alloc(await file.sizeBytes());
  await file.read(0, bytes);
  await file.close();
  assert.equal(await files.stat(path), 6);
  assert.equal(await files.open(`${path}.none`), null);
  const again = await files.open(path);
  assert.equal(again?.path, path);
  await again.close();
  assert.deepEqual(await files.list("/a"), await files.list("/a"));
  return bytes.toString();
}

describe("files in turns", () => {
  test("do what files do", async () => {
    const memory = new MemoryFiles();
    const files = filesInTurns(memory, new BoundedWork({ running: 1, waiting: 100 }, vodBusy));
    assert.equal(await useAll(files, "/a/b"), "one, t");
    assert.equal(memory.openFiles, 0);
  });

  test("of a disk that hangs are few at a time, and none is lost; a sync has its own turn", async () => {
    const memory = new MemoryFiles();
    const turns = new BoundedWork({ running: 3, waiting: 1000 }, vodBusy);
    const files = filesInTurns(memory, turns);
    const open = await files.create("/a/open");
    const { promise: released, resolve: goOn } = Promise.withResolvers<void>();
    let begun = 0;
    const counted: ArchiveFiles = {
      ...{ open: memory.open.bind(memory), stat: memory.stat.bind(memory), list: memory.list.bind(memory) },
      create: async (path) => {
        begun++;
        await released;
        return await memory.create(path);
      },
    };
    const hanging = filesInTurns(counted, turns);
    const all = Promise.all(Array.from({ length: 50 }, async (_, i) => await hanging.create(`/a/${i}`)));
    await settle();
    assert.equal(begun, 3);
    await open.sync();
    goOn();
    assert.equal((await all).length, 50);
    assert.equal(begun, 50);
  });
});
