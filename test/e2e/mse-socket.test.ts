/** The MSE-LD socket from outside, over several media threads, by the platform's own WebSocket client. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const CONFIG = "threads 2; template pub { prefix pub; input publish:// source_timeout=30; }";
const options = { skip: needs("ffmpeg"), timeout: 120_000 };

/** Place of the sample flags of a fragment's one frame, and what they are for a sync sample. */
const FLAGS_AT = 56;
const SYNC = 0x0200_0000;

/** A viewer that keeps what it is sent. */
class Viewer {
  readonly socket: WebSocket;
  /** Events and types of text messages. */
  readonly said: string[] = [];
  /** By message, `track` and whether decoding may start there. */
  readonly fragments: { track: number; isSync: boolean }[] = [];
  closed: CloseEvent | null = null;

  constructor(weir: Weir, path: string) {
    this.socket = new WebSocket(weir.url(path).replace("http", "ws"));
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => this.#take(data as string | ArrayBuffer));
    this.socket.addEventListener("close", (event) => (this.closed = event));
  }

  #take(data: string | ArrayBuffer): void {
    if (typeof data === "string") {
      const message = JSON.parse(data) as { type: string; event?: string };
      this.said.push(message.event ?? message.type);
      return;
    }
    const bytes = new DataView(data);
    this.fragments.push({ track: bytes.getUint8(47), isSync: bytes.getUint32(FLAGS_AT) === SYNC });
  }

  async plays(count: number): Promise<void> {
    await eventually(
      () => assert.ok(this.fragments.length >= count, `${this.fragments.length}; ${this.said.join()}`),
      { timeoutMs: 30_000 },
    );
  }
}

test("viewers in all threads get an init message, a key frame, and what follows", options, async (t) => {
  const clip = await makeClip({ durationS: 20, gopPictures: 25 });
  const weir = await startWeir(t, { config: CONFIG });
  publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
  await weir.onAir("pub/camera");
  const viewers = Array.from({ length: 8 }, () => new Viewer(weir, "/pub/camera/mse_ld"));
  await Promise.all(viewers.map((viewer) => viewer.plays(60)));
  for (const { said, fragments } of viewers) {
    assert.equal(said[0], "mse_init_segment");
    assert.equal(fragments.find(({ track }) => track === 1)?.isSync, true);
    assert.deepEqual(
      [...new Set(fragments.map(({ track }) => track))].toSorted((a, b) => a - b),
      [1, 101],
    );
  }
  const [first, second] = viewers;
  first!.socket.send("set_tracks=a1");
  second!.socket.send("pause");
  await eventually(() => assert.ok(first!.said.includes("tracks_switched")));
  await eventually(() => assert.equal(first!.said.at(-1), "mse_init_segment"));
  await eventually(() => assert.equal(second!.said.at(-1), "paused"));
  const [switched, paused] = [first!.fragments.length, second!.fragments.length];
  await first!.plays(switched + 50);
  assert.ok(first!.fragments.slice(switched).every(({ track }) => track === 101));
  assert.equal(second!.fragments.length, paused, "nothing comes behind the answer to pause");
  second!.socket.send("resume");
  await second!.plays(paused + 10);
  weir.program.signal("SIGINT");
  await eventually(() => assert.ok(viewers.every(({ closed }) => closed !== null)));
  assert.deepEqual([...new Set(viewers.map(({ closed }) => closed!.code))], [1001]);
});

test("a stream that nobody publishes is said to be so in an event, in every thread", options, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const viewers = Array.from({ length: 8 }, () => new Viewer(weir, "/pub/nobody/mse_ld"));
  await eventually(() => assert.ok(viewers.every(({ closed }) => closed !== null)));
  for (const { said, closed } of viewers) {
    assert.deepEqual(said, ["stream_unavailable"]);
    assert.deepEqual([closed!.code, closed!.wasClean], [1013, true]);
  }
});
