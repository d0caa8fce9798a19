import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { MAX_LEAD_MS, UploadPace } from "./upload-pace.ts";

const video = videoTrack();
const audio = audioTrack();

/** Notes pictures from one time to another, 25 a second, with sound beside them. Units: seconds. */
function send(pace: UploadPace, from: number, to: number): void {
  for (let at = Math.round(from * 25); at <= to * 25; at++) {
    pace.note({ track: video, dts: at * 3600 });
    pace.note({ track: audio, dts: at * 1920 - 4800 });
  }
}

test("a file sent at once may be ahead by the bound, then waits for the clock", () => {
  const clock = new FakeClock();
  const pace = new UploadPace(clock, 0);
  send(pace, 100, 102);
  assert.equal(pace.waitMs(), 0);
  send(pace, 102, 103);
  assert.equal(pace.waitMs(), 1000 + 500);
  clock.advance(1500);
  assert.equal(pace.waitMs(), 0);
});

test("a live source that was held up may catch up at once", () => {
  const clock = new FakeClock();
  const pace = new UploadPace(clock, 0);
  send(pace, 0, 1);
  clock.advance(9000);
  send(pace, 1, 10);
  assert.equal(pace.waitMs(), 0);
});

test("files one after the other do not add up", () => {
  const clock = new FakeClock();
  const second = new UploadPace(clock, 1900);
  send(second, 0, 2);
  assert.equal(second.waitMs(), 1900 + 500);
});

test("where the stream was far ahead before, it does not get further, and is not stopped for long", () => {
  const clock = new FakeClock();
  const pace = new UploadPace(clock, 60_000);
  send(pace, 0, 0.4);
  assert.equal(pace.waitMs(), 400 + 500);
});

test("a jump of the source's clock is no media, either way, and does not hide a lead", () => {
  const clock = new FakeClock();
  const pace = new UploadPace(clock, 0);
  send(pace, 1000, 1001);
  send(pace, 5000, 5001);
  send(pace, 10, 11);
  assert.equal(pace.waitMs(), 1000 + 500);
  clock.advance(60_000);
  send(pace, 9000, 9000 + MAX_LEAD_MS / 1000 + 1);
  assert.equal(pace.waitMs(), 1000 + 500, "the stream goes on at the clock, not behind it");
});
