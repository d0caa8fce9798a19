/** Files over the MSE-LD socket, judged by ffprobe and by what was put in. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { ffmpeg, makeClip, probePackets } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const options = { skip: needs("ffmpeg"), timeout: 120_000 };
/** Twice the head start. */
const DURATION_S = 6;

type InitMessage = {
  readonly metadata: { readonly duration?: number };
  readonly tracks: readonly { readonly id: number; readonly payload: string }[];
};

/** A viewer that keeps what it is sent. */
class Viewer {
  readonly socket: WebSocket;
  readonly said: string[] = [];
  /** Init messages, each with what came behind it. */
  readonly plays: { readonly init: InitMessage; readonly fragments: Uint8Array[] }[] = [];
  closed: CloseEvent | null = null;

  constructor(weir: Weir, path: string) {
    this.socket = new WebSocket(weir.url(path).replace("http", "ws"));
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => this.#take(data as string | ArrayBuffer));
    this.socket.addEventListener("close", (event) => (this.closed = event));
  }

  #take(data: string | ArrayBuffer): void {
    if (typeof data === "string") {
      const message = JSON.parse(data) as InitMessage & { type: string; event?: string };
      this.said.push(message.event ?? message.type);
      if (message.type === "mse_init_segment") this.plays.push({ init: message, fragments: [] });
    } else this.plays.at(-1)!.fragments.push(new Uint8Array(data));
  }

  async hears(word: string, count = 1): Promise<void> {
    await eventually(() => assert.equal(this.said.filter((said) => said === word).length, count), {
      timeoutMs: 60_000,
    });
  }
}

async function start(t: TestEnd): Promise<{ weir: Weir; film: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "weir-mse-files-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const film = join(folder, "films", "sub", "film.mp4");
  await mkdir(dirname(film), { recursive: true });
  await copyFile(await makeClip({ durationS: DURATION_S, gopPictures: 50, bFrames: 2 }), film);
  const storage = `storage ${join(folder, "films")};`;
  const config = `threads 2; vod vod { ${storage} } vod quiet { ${storage} protocols hls; }`;
  return { weir: await startWeir(t, { config }), film, folder };
}

/** Times in seconds, sizes and key flags of the first video track, as ffprobe reads them. */
async function picturesOf(file: string): Promise<[seconds: number, sizeBytes: string, flag: string][]> {
  return (await probePackets(file, { select: "v" })).map(({ pts_time, size, flags }) => [
    Number(pts_time),
    size,
    flags[0]!,
  ]);
}

test(
  "a film with B-frames has every picture in its time, and ends; sought in, it goes on at the key frame",
  options,
  async (t) => {
    const { weir, film, folder } = await start(t);
    const viewer = new Viewer(weir, "/vod/sub/film.mp4/mse_ld");
    const beganMs = performance.now();
    await viewer.hears("recordings_ended");
    assert.ok(performance.now() - beganMs > (DURATION_S - 3 - 0.5) * 1000, "it takes its time");
    assert.deepEqual(viewer.said, ["mse_init_segment", "recordings_ended"]);
    viewer.socket.send("play_from=4.5");
    await viewer.hears("recordings_ended", 2);
    assert.deepEqual(viewer.said.slice(2), ["seeked", "mse_init_segment", "recordings_ended"]);
    viewer.socket.close();
    const source = await picturesOf(film);
    const plays = [];
    for (const [i, { init, fragments }] of viewer.plays.entries()) {
      assert.ok(Math.abs(init.metadata.duration! - DURATION_S) < 0.1, `${init.metadata.duration}`);
      const { id, payload } = init.tracks[0]!;
      const own = fragments.filter((fragment) => fragment[47] === id);
      const path = join(folder, `${i}.mp4`);
      await writeFile(path, Buffer.concat([Buffer.from(payload, "base64"), ...own]));
      plays.push(await picturesOf(path));
    }
    // All tracks are later than in the file by as much as the first picture is decoded before it is shown.
    const laterS = plays[0]![0]![0] - source[0]![0];
    assert.ok(laterS >= 0 && laterS < 0.1, `${laterS} s later`);
    const moved = source.map(([seconds, ...rest]) => [(seconds + laterS).toFixed(2), ...rest]);
    const shown = plays.map((play) => play.map(([seconds, ...rest]) => [seconds.toFixed(2), ...rest]));
    // There is a key frame every two seconds.
    assert.deepEqual(shown, [moved, moved.slice(100)]);
  },
);

test("the address says where to begin, and the server's end is told", options, async (t) => {
  const { weir } = await start(t);
  const viewer = new Viewer(weir, `/vod/sub/film.mp4/mse_ld?from=4.2&tracks=v1`);
  await viewer.hears("recordings_ended");
  const { init, fragments } = viewer.plays[0]!;
  assert.deepEqual([init.tracks.length, fragments.length], [1, 50]);
  weir.program.signal("SIGINT");
  await eventually(() => assert.equal(viewer.closed?.code, 1001));
});

test(
  "a file that is not there, or not for this protocol, is refused before the handshake",
  options,
  async (t) => {
    const { weir } = await start(t);
    const asked = async (path: string): Promise<number | undefined> => {
      const headers = {
        ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      };
      const [response] = (await once(get(weir.url(path), { headers }), "response")) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    assert.equal(await asked("/vod/none.mp4/mse_ld"), 404);
    assert.equal(await asked("/quiet/sub/film.mp4/mse_ld"), 403);
  },
);

/** A connection that becomes a WebSocket and is not read until somebody does. */
async function openUnread(weir: Weir, path: string): Promise<Socket> {
  const headers = {
    ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  const [, socket] = (await once(get(weir.url(path), { headers }), "upgrade")) as [IncomingMessage, Socket];
  socket.pause();
  return socket;
}

test("who reads nothing for a while gets everything, once, when it does", options, async (t) => {
  const { weir, film } = await start(t);
  // More than the system's buffers of a connection hold: some 90 KB a picture.
  const noise = "nullsrc=size=320x180:rate=25:duration=6,format=gray,noise=alls=100:allf=t";
  const encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-g", "50"];
  await ffmpeg(["-f", "lavfi", "-i", noise, ...encoder, "-pix_fmt", "yuv420p", film]);
  const path = "/vod/sub/film.mp4/mse_ld";
  const unread = await openUnread(weir, path);
  t.after(() => void unread.destroy());
  const viewer = new Viewer(weir, path);
  await viewer.hears("recordings_ended");
  const sentBytes = viewer.plays[0]!.fragments.reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.ok(sentBytes > 8_000_000, `${sentBytes}`);
  assert.equal(viewer.plays[0]!.fragments.length, 150);
  let gotBytes = 0;
  let last = Buffer.alloc(0);
  unread.on("data", (chunk: Buffer) => {
    gotBytes += chunk.byteLength;
    last = Buffer.concat([last, chunk]).subarray(-200);
  });
  unread.resume();
  await eventually(() => assert.ok(last.includes("recordings_ended"), `${gotBytes} of ${sentBytes}`), {
    timeoutMs: 60_000,
  });
  // Headers of frames, and the texts.
  assert.ok(gotBytes > sentBytes && gotBytes < sentBytes + 20_000, `${gotBytes} of ${sentBytes}`);
});
