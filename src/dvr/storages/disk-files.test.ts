import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { systemCodeOf } from "../../../test/support/archive-files.ts";
import { HourIndex } from "../format/hour-index.ts";
import { hoursOfStream } from "../format/hours-of-stream.ts";
import { recoverHour } from "../format/recover.ts";
import { diskFiles } from "./disk-files.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-dvr-files-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const failed = (action: string, code: string) => (error: Error & { code?: string }) =>
  error.code === "DVR_DISK_FAILED" &&
  error.message.includes(`cannot ${action} "`) &&
  systemCodeOf(error) === code;

describe("the files of an archive on a disk", () => {
  test("are made with their folders, grow at their end, and are cut", async () => {
    const path = join(folder, "a/b/c.mp4");
    const file = await diskFiles.create(path);
    await file.append([Buffer.from("hel"), Buffer.alloc(0), Buffer.from("lo ")]);
    await file.append([]);
    await file.append([Buffer.alloc(0)]);
    await file.append([Buffer.from("world")]);
    await file.sync();
    assert.equal(await file.sizeBytes(), 11);
    const into = new Uint8Array(5);
    assert.equal(await file.read(6, into), 5);
    assert.equal(Buffer.from(into).toString(), "world");
    assert.equal(await file.read(9, into), 2);
    assert.equal(await file.read(11, into), 0);
    await file.truncate(8);
    await file.truncate(100); // it is never made longer
    await file.append([Buffer.from("!")]);
    await file.close();
    assert.equal(readFileSync(path, "utf8"), "hello wo!");
    assert.equal(await diskFiles.stat(path), 9);
    const again = await diskFiles.create(path);
    assert.equal(await again.sizeBytes(), 9);
    await again.close();
    assert.deepEqual(await diskFiles.list(join(folder, "a/b")), ["c.mp4"]);
  });

  test("take more pieces than the system takes at one go", async () => {
    const file = await diskFiles.create(join(folder, "pieces"));
    const pieces = Array.from({ length: 2500 }, (_, i) => Uint8Array.of(i, i >>> 8));
    await file.append(pieces);
    await file.close();
    assert.deepEqual(readFileSync(join(folder, "pieces")), Buffer.concat(pieces));
  });

  test("that are not there are none", async () => {
    assert.equal(await diskFiles.open(join(folder, "none")), null);
    assert.equal(await diskFiles.stat(join(folder, "none/of/these")), null);
    assert.deepEqual(await diskFiles.list(join(folder, "none")), []);
    writeFileSync(join(folder, "file"), "x");
    assert.equal(await diskFiles.open(join(folder, "file/below")), null);
    assert.deepEqual(await diskFiles.list(join(folder, "file")), []);
  });

  test("fail with what the system says, and where", async () => {
    await assert.rejects(diskFiles.open(folder), failed("open", "EISDIR"));
    symlinkSync(join(folder, "file"), join(folder, "link"));
    await assert.rejects(diskFiles.open(join(folder, "link")), failed("open", "ELOOP"));
    writeFileSync(join(folder, "in-the-way"), "x");
    await assert.rejects(diskFiles.create(join(folder, "in-the-way/x.mp4")), failed("create", "EEXIST"));
    const file = await diskFiles.create(join(folder, "closed.mp4"));
    await file.close();
    await assert.rejects(file.append([new Uint8Array(1)]), failed("write to", "EBADF"));
    await assert.rejects(file.read(0, new Uint8Array(1)), failed("read", "EBADF"));
  });

  test("are recovered as those in memory are", async () => {
    const hour = new ArchiveHour().segment().newFile().segment({ groups: 2, end: "none" });
    const stream = join(folder, "pub/camera");
    for (const [path, bytes] of Object.entries(hour.files(stream))) {
      const file = await diskFiles.create(path);
      await file.append([bytes, Buffer.from("torn")]);
      await file.close();
    }
    const hours: number[] = [];
    for await (const found of hoursOfStream(diskFiles, stream)) hours.push(found);
    assert.deepEqual(hours, [hour.hour]);
    const recovered = await recoverHour(diskFiles, stream, hour.hour);
    assert.deepEqual([recovered.cutIndexBytes, recovered.cutMediaBytes], [4, 8]);
    assert.equal(recovered.isEndMissing, true);
    for (const [path, bytes] of Object.entries(hour.files(stream)))
      assert.deepEqual(new Uint8Array(readFileSync(path)), bytes);
    assert.equal(HourIndex.parse(hour.index).segmentCount, 1);
    const again = await recoverHour(diskFiles, stream, hour.hour);
    assert.deepEqual([again.cutIndexBytes, again.cutMediaBytes], [0, 0]);
  });
});
