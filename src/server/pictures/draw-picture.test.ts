import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { makeClip } from "../../../test/support/ffmpeg.ts";
import { filePackets } from "../../../test/support/file-packets.ts";
import { needs } from "../../../test/support/tools.ts";
import { readU16 } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import { buildKeyFrameFile } from "../../dvr/pictures/key-frame-file.ts";
import { ffmpegDraw } from "./draw-picture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-draw-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const never = new AbortController().signal;

/** A program in the place of ffmpeg. */
function script(name: string, lines: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Width and height of a JPEG. Spec: ITU-T T.81 section B.2.2. */
function sizeOf(jpeg: Uint8Array): [number, number] {
  assert.equal(readU16(jpeg, 0), 0xffd8);
  for (let at = 2; at + 9 < jpeg.byteLength; at += 2 + readU16(jpeg, at + 2))
    if (readU16(jpeg, at) === 0xffc0) return [readU16(jpeg, at + 7), readU16(jpeg, at + 5)];
  return [0, 0];
}

describe("a picture by ffmpeg", { skip: needs("ffmpeg") }, () => {
  test("is a JPEG of the key frame, as wide as is asked for, and never wider than it was", async () => {
    const { packets } = await filePackets(await makeClip({ durationS: 2, gopPictures: 25 }));
    const key = packets.find(({ isSync, track }) => isSync && track.kind === "video")!;
    const { width, height } = key.track;
    const draw = ffmpegDraw({ clock: systemClock });
    const file = buildKeyFrameFile(key.track, key.payload);
    const [small, large] = await Promise.all([draw(file, 160, never), draw(file, 1280, never)]);
    const [w, h] = sizeOf(small);
    assert.equal(w, Math.min(160, width));
    assert.ok(Math.abs(h - (w * height) / width) <= 2, `${w}x${h} of ${width}x${height}`);
    assert.deepEqual(sizeOf(large), [Math.min(width, 1280), height]);
  });

  test("of something that is none is refused in ffmpeg's words", async () => {
    const draw = ffmpegDraw({ clock: systemClock });
    await assert.rejects(draw(Buffer.from("no film"), 320, never), {
      code: "DVR_PICTURE_FAILED",
      message: /Invalid data/,
    });
  });
});

describe("the program that draws", () => {
  test("may not be there", async () => {
    const draw = ffmpegDraw({ clock: new FakeClock(), program: join(folder, "nothing") });
    await assert.rejects(draw(new Uint8Array(5), 320, never), { code: "DVR_PICTURE_NO_FFMPEG" });
  });

  test("is killed when it takes too long, and when the server stops", async () => {
    const clock = new FakeClock();
    const draw = ffmpegDraw({ clock, program: script("hangs", "exec sleep 600"), timeoutMs: 5000 });
    const slow = draw(new Uint8Array(5), 320, never);
    assert.equal(clock.pendingTimers, 1);
    clock.advance(5001);
    await assert.rejects(slow, { code: "DVR_PICTURE_UNAVAILABLE", message: /5000 ms/ });
    const stop = new AbortController();
    const stopped = draw(new Uint8Array(5), 320, stop.signal);
    stop.abort();
    await assert.rejects(stopped, /the server stops/);
    await assert.rejects(draw(new Uint8Array(5), 320, stop.signal), /the server stops/);
    await eventually(() => assert.equal(clock.pendingTimers, 0));
  });

  test("is stopped when it writes without end, and may say nothing at all", async () => {
    const clock = new FakeClock();
    const endless = ffmpegDraw({ clock, program: script("endless", "exec cat /dev/zero") });
    await assert.rejects(endless(new Uint8Array(5), 320, never), /more than 4194304 bytes/);
    const silent = ffmpegDraw({ clock, program: script("silent", "exit 0") });
    await assert.rejects(silent(new Uint8Array(5), 320, never), /it ended with 0/);
  });

  test("may be killed by somebody else, or not be let start: both pass", async () => {
    const killed = ffmpegDraw({ clock: new FakeClock(), program: script("killed", "kill -9 $$") });
    await assert.rejects(killed(new Uint8Array(5), 320, never), {
      code: "DVR_PICTURE_UNAVAILABLE",
      httpStatus: 503,
      message: /killed/,
    });
    // Node throws this one; others come as an event.
    const path = script("file", "exit 0");
    const unstarted = ffmpegDraw({ clock: new FakeClock(), program: join(path, "ffmpeg") });
    await assert.rejects(unstarted(new Uint8Array(5), 320, never), {
      code: "DVR_PICTURE_UNAVAILABLE",
      message: /cannot be started/,
    });
  });

  test("may end without reading what it is given", async () => {
    const program = script("deaf", "echo broken >&2; exit 3");
    const draw = ffmpegDraw({ clock: new FakeClock(), program });
    await assert.rejects(draw(new Uint8Array(5_000_000), 320, never), /broken/);
  });
});
