import assert from "node:assert/strict";
import { concatBytes } from "../../base/bytes.ts";
import { silentLogger } from "../../base/log.ts";
import { buildFrameBody } from "../../containers/flv/tag-writer.ts";
import type { Publisher } from "../../stream/directory.ts";
import { RtmpSession } from "./session.ts";
import { clientCommand, clientConnect, clientHandshake, clientMessage } from "./test-client.ts";
import { RtmpIngest } from "./to-stream.ts";
import { MESSAGE, buildUserControl } from "./wire/messages.ts";
import { trackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";

const track: Track = {
  id: trackId("audio", 1),
  kind: "audio",
  codec: "aac",
  timescale: 48_000,
  config: Uint8Array.of(0x11, 0x90),
  language: "und",
  codecString: "mp4a.40.2",
  width: 0,
  height: 0,
  frameRate: 0,
  sampleRate: 48_000,
  channels: 2,
};
const frame = buildFrameBody(track, { isKey: true, ctsOffsetMs: 0 }, Uint8Array.of(0x21, 0x10));
const opening = [clientConnect(), clientCommand("createStream", 2, null)];

/** What a client sends after its handshake, up to the stream. The inputs hold no handshake: chance would not pass it. */
export const fuzz = {
  name: "rtmp-session",
  seeds: [
    concatBytes([
      ...opening,
      clientCommand("publish", 3, null, "camera", "live"),
      clientMessage(MESSAGE.audio, Uint8Array.of(0xaf, 0, 0x11, 0x90), 0, 4),
      clientMessage(MESSAGE.audio, frame, 21, 4),
      clientCommand("deleteStream", 4, null, 1),
    ]),
    concatBytes([
      ...opening,
      clientCommand("play", 3, null, "camera"),
      clientCommand("pause", 4, null, true),
    ]),
    concatBytes([...opening, clientMessage(MESSAGE.userControl, buildUserControl(6, 1))]),
  ],
  run(input: Uint8Array): void {
    const publisher: Publisher = {
      setTracks: () => {},
      write: () => {},
      patienceMs: () => 0,
      close: () => {},
    };
    let opened = 0;
    let internal: Error | null = null;
    const host = {
      write: () => {},
      publish: () => {
        opened++;
        const ingest = new RtmpIngest(publisher, silentLogger);
        return {
          message: ingest.message.bind(ingest),
          patienceMs: () => 0,
          close: (reason: string) => {
            opened--;
            ingest.close(reason);
          },
        };
      },
      play: () => {
        opened++;
        return { close: () => void opened-- };
      },
      holdReading: () => {},
      admit: () => undefined,
      moved: () => {},
      closed: (reason: string, error: Error | null) => {
        if (reason === "internal-error") internal = error;
      },
    };
    const chunkLimits = { messageBytes: 100_000, chunkStreams: 8, partialBytes: 400_000 };
    const timeouts = { handshakeTimeoutMs: 1, idleTimeoutMs: 1, publishTimeoutMs: 1, pauseTimeoutMs: 1 };
    const session = new RtmpSession(host, { chunkLimits, ...timeouts }, silentLogger, 0);
    session.feed(clientHandshake(), 0);
    session.feed(input, 0);
    session.close("peer-closed");
    assert.equal(internal, null);
    assert.equal(opened, 0);
  },
};
