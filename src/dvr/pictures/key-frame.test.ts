import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LiveSource, SOURCE_START_US } from "../../../test/support/live-source.ts";
import { silentLogger } from "../../base/log.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import { Archives } from "../archives.ts";
import { StreamRecorder } from "../writer/stream-recorder.ts";
import type { WriteAccess } from "../writer/write-access.ts";
import { liveKeyFrame, MAX_BACK_US } from "./key-frame.ts";

const S = 1_000_000;
const root = mkdtempSync(join(tmpdir(), "weir-key-frame-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Nobody else writes. */
const OURS = {
  access: (): WriteAccess => ({
    mayWrite: () => true,
    whenHeld: () => Promise.resolve(),
    failed: () => {},
    release: () => Promise.resolve(),
  }),
  stop: () => Promise.resolve(),
};

const clock = new FakeClock(SOURCE_START_US);
const archives = new Archives({ clock, log: silentLogger, roots: OURS });
const at = (seconds: number): Promise<{ startUs: number; read(): Promise<Uint8Array> }> =>
  archives.keyFrame(join(root, "cam"), SOURCE_START_US + seconds * S, "cam");
const startOf = async (seconds: number): Promise<number> =>
  ((await at(seconds)).startUs - SOURCE_START_US) / S;

/** 20 seconds, nothing for ten minutes, and 10 seconds of sound alone; a key frame every two seconds. */
before(async () => {
  const writer = archives.writer({ root, stream: "cam", fsync: "interval" }, silentLogger);
  await writer.prepare();
  const recorder = new StreamRecorder(writer, clock);
  const window = new LiveWindow({ segmentDurationUs: 4e6, segmentCount: 100, clock, recorder });
  const source = new LiveSource(window);
  source.play({ seconds: 20 });
  source.skip(600);
  source.play({ seconds: 10, hasVideo: false, begins: "break" });
  window.onEnd();
  clock.advance(700_000);
  await writer.close();
});

describe("the key frame that is recorded", () => {
  test("is the last one at the time or before it, within segments too", async () => {
    const starts: number[] = [];
    for (const seconds of [0, 1, 2, 3.9, 7, 19]) starts.push(await startOf(seconds));
    assert.deepEqual(starts, [0, 0, 2, 2, 6, 18]);
  });

  test("is a file with one picture", async () => {
    const file = await (await at(7)).read();
    assert.ok(file.byteLength > 60 && file.byteLength < 2000, String(file.byteLength));
    assert.deepEqual(file, await (await at(6)).read());
    assert.notDeepEqual(file, await (await at(8)).read());
  });

  test("may be a little old, and not older", async () => {
    const newest = 18 + MAX_BACK_US / S;
    assert.equal(await startOf(16 + MAX_BACK_US / S), 18);
    await assert.rejects(at(newest + 3), {
      code: "DVR_PICTURE_NO_KEY_FRAME",
      message: /before it up to 2026-01-01T00:00:20.*after it from 2026-01-01T00:10:20.*60 s old/,
    });
    await assert.rejects(at(-5), {
      code: "DVR_PICTURE_NO_KEY_FRAME",
      message: /nothing is recorded before it/,
    });
  });

  test("is none where only sound is recorded", async () => {
    await assert.rejects(at(625), { code: "DVR_PICTURE_NO_KEY_FRAME", message: /only sound/ });
  });
});

describe("the key frame that is live", () => {
  test("is that of the newest segment, as long as the window has it", async () => {
    const window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 3, clock });
    const source = new LiveSource(window);
    source.play({ seconds: 7 });
    const keyFrame = liveKeyFrame(window)!;
    assert.equal(keyFrame.startUs, SOURCE_START_US + 4 * S);
    assert.ok((await keyFrame.read()).byteLength > 60);
    source.play({ seconds: 60 });
    await assert.rejects(keyFrame.read(), { code: "DVR_PICTURE_BAD_FRAGMENT" });
  });

  test("is none where there are no pictures", () => {
    const window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 3, clock });
    new LiveSource(window).play({ seconds: 7, hasVideo: false });
    assert.equal(liveKeyFrame(window), null);
  });
});
