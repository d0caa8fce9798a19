/** An hour that is over, recorded from a media file as a server would have: for journeys that cannot wait for one. */
import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "../../src/base/log.ts";
import { ticksToUs, usToTicks } from "../../src/base/time.ts";
import { Archives } from "../../src/dvr/archives.ts";
import { StreamRecorder } from "../../src/dvr/writer/stream-recorder.ts";
import type { WriteAccess } from "../../src/dvr/writer/write-access.ts";
import { LiveWindow } from "../../src/packaging/live-window.ts";
import { FakeClock } from "./fake-clock.ts";
import { filePackets } from "./file-packets.ts";

/** What is to be recorded, and as what. */
export type RecordedHourPlan = {
  readonly root: string;
  readonly stream: string;
  /** A media file with times that begin near 0. */
  readonly file: string;
  /** Units: seconds since 1970. */
  readonly fromS: number;
};

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

/** Records a file into an archive, with segments of two seconds; its files look as old as they are then. */
export async function recordHour({ root, stream, file, fromS }: RecordedHourPlan): Promise<void> {
  const { tracks, packets } = await filePackets(file);
  const clock = new FakeClock(fromS * 1e6);
  const archives = new Archives({ clock, log: silentLogger, roots: OURS });
  const writer = archives.writer({ root, stream, fsync: "none" }, silentLogger);
  await writer.prepare();
  const recorder = new StreamRecorder(writer, clock);
  const window = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 5, clock, recorder });
  window.onTracks(tracks);
  for (const packet of packets) {
    const { track, isSync } = packet;
    const shift = usToTicks(fromS * 1e6, track.timescale);
    const behindUs = ticksToUs(packet.dts + shift, track.timescale) - clock.wallUs();
    if (behindUs > 0) clock.advance(behindUs / 1000);
    window.onPacket({
      ...packet,
      dts: packet.dts + shift,
      pts: packet.pts + shift,
      startsGop: isSync && track === tracks.reference,
      epoch: tracks.epoch,
      arrivalUs: clock.nowUs(),
    });
  }
  window.onEnd();
  await writer.close();
  await archives.stop();
  const endS = clock.wallUs() / 1e6;
  const folder = join(root, stream);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), endS, endS);
}
