/** Sources that send their sound behind their pictures, from the publisher to the list of segments. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { audioTrack, livePackets, videoTrack } from "../../test/support/media.ts";
import { silentLogger } from "../base/log.ts";
import type { StreamName } from "../media/ids.ts";
import type { SourcePacket } from "../media/packet.ts";
import { LiveStream } from "../stream/live-stream.ts";
import type { StreamRules } from "../stream/rules.ts";
import { SendPace } from "../stream/send-pace.ts";
import { Segmenter } from "./segmenter.ts";
import type { FinishedSegment } from "./segmenter.ts";

const video = videoTrack();
const audio = audioTrack();
const CELL_US = 2_000_000;
const rules: StreamRules = {
  name: "cam" as StreamName,
  disabled: false,
  acceptsPublisher: true,
  secondPublisher: "refuse",
  sourceTimeoutMs: 10_000,
  prepushMs: 0,
  allowsProtocol: () => true,
};

/** The segments that a source becomes whose audio is sent so much later than the video of the same time. */
function segmentsOf(lagMs: number, durationMs: number): FinishedSegment[] {
  const clock = new FakeClock();
  const pace = new SendPace((run) => void clock.schedule(0, run));
  const stream = new LiveStream(rules, { clock, log: silentLogger, pace, onIdle: () => {} });
  const segments: FinishedSegment[] = [];
  const options = { segmentDurationUs: CELL_US, maxDurationUs: () => 3 * CELL_US };
  stream.attach(new Segmenter({ ...options, onSegment: (segment) => void segments.push(segment) }));
  const publisher = stream.publish({
    name: rules.name,
    protocol: "tshttp",
    remoteAddress: "192.0.2.1",
    onRevoked: () => {},
  });
  publisher.setTracks([video, audio]);
  const sentMs = ({ track, dts }: SourcePacket) =>
    (dts * 1000) / track.timescale + (track === audio ? lagMs : 0);
  const sent = livePackets({ video, audio, durationMs }).toSorted((a, b) => sentMs(a) - sentMs(b));
  for (const packet of sent) publisher.write(packet);
  stream.close("the test ends");
  return segments;
}

for (const lagMs of [0, 900, 1200, 5000]) {
  test(`audio ${lagMs} ms behind is in the segments, whole, and nothing breaks`, () => {
    const segments = segmentsOf(lagMs, 20_000);
    assert.ok(segments.length >= 10);
    assert.deepEqual(
      segments.filter(({ discontinuity }) => discontinuity),
      [],
    );
    let frames = 0;
    let nextDts: number | null = null;
    for (const { media } of segments) {
      const table = media.get(audio.id)?.table;
      if (table === undefined) continue;
      if (nextDts !== null)
        assert.ok(Math.abs(table.baseDts - nextDts) <= 1, "sound follows without a hole");
      frames += table.count;
      nextDts = table.baseDts + table.durations.reduce((sum, ticks) => sum + ticks, 0);
    }
    assert.equal(frames, livePackets({ video: null, audio, durationMs: 20_000 }).length);
  });
}
