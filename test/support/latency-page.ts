/** A page with nothing but a player on it, that measures how old the pictures are that it shows. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { CLOCK_BITS, FIELD_SIZE } from "./clock-camera.ts";
import type { TestEnd } from "./program.ts";

/** What a page has seen. */
export type SeenPictures = {
  /** Age of each picture when it was shown, in milliseconds, oldest first. */
  readonly agesMs: readonly number[];
  readonly stalls: number;
  /** Seeks of the player, and steps from one picture to the next beyond what the machine's clock passed. */
  readonly jumps: number;
  /** From the page's navigation to the first picture, in milliseconds; 0 before there is one. */
  readonly startMs: number;
  /** Media between the picture that is shown and the newest that is there, in seconds. */
  readonly lagS: number;
  /** Seconds that were played, without those that were jumped over, and that went by since the first picture. */
  readonly playedS: number;
  readonly elapsedS: number;
};

/** Serves the page with scripts by name. Returns: its URL. */
export async function serveLatencyPage(
  t: TestEnd,
  scripts: Readonly<Record<string, URL>>,
): Promise<string> {
  const server = createServer((request, reply) => {
    const file = scripts[(request.url ?? "/").slice(1)];
    if (file === undefined) {
      reply.writeHead(request.url === "/" ? 200 : 404, { "content-type": "text/html" });
      reply.end(request.url === "/" ? PAGE : "");
      return;
    }
    const send = (body: Buffer): void => {
      reply.writeHead(200, { "content-type": "text/javascript" }).end(body);
    };
    readFile(file).then(send, () => reply.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** What the page has seen so far. */
export function seenPictures(page: Page): Promise<SeenPictures> {
  return page.evaluate(() => (globalThis as unknown as { seen(): SeenPictures }).seen());
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const PAGE = `<!doctype html><title>latency</title><link rel="icon" href="data:,">
<video muted autoplay playsinline width="640" height="360"></video>
<script>
const video = document.querySelector("video");
const canvas = document.createElement("canvas");
canvas.width = ${(CLOCK_BITS + 2) * FIELD_SIZE};
canvas.height = ${FIELD_SIZE};
const drawing = canvas.getContext("2d", { willReadFrequently: true });
const agesMs = [];
let stalls = 0, jumps = 0, firstAtMs = 0, playedS = 0, hasSought = false, last = null;
function read() {
  drawing.drawImage(video, 0, 0, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
  const { data } = drawing.getImageData(0, ${FIELD_SIZE / 2}, canvas.width, 1);
  const bit = (field) => data[(field * ${FIELD_SIZE} + ${FIELD_SIZE / 2}) * 4] > 128 ? 1 : 0;
  if (bit(0) !== 0 || bit(1) !== 1) return null;
  let stamp = 0;
  for (let i = ${CLOCK_BITS} - 1; i >= 0; i--) stamp = stamp * 2 + bit(i + 2);
  return stamp;
}
// What a player may play faster, and what a picture may be late, is no jump.
const JUMP_S = 0.25;
function follow(nowMs, mediaTime) {
  if (last !== null) {
    const stepS = mediaTime - last.mediaTime;
    const passedS = ((nowMs - last.nowMs) / 1000) * Math.max(1, video.playbackRate);
    const isSkip = stepS < -JUMP_S || stepS > passedS + JUMP_S;
    if (isSkip && !hasSought) jumps++;
    if (!isSkip && !hasSought) playedS += Math.max(0, stepS);
  }
  hasSought = false;
  last = { nowMs, mediaTime };
}
function shown(now, { expectedDisplayTime, mediaTime }) {
  video.requestVideoFrameCallback(shown);
  follow(performance.now(), mediaTime);
  const stamp = read();
  if (stamp === null) return;
  if (firstAtMs === 0) { firstAtMs = performance.now(); playedS = 0; jumps = 0; }
  const atMs = Date.now() + Math.max(0, expectedDisplayTime - performance.now());
  const modulus = 2 ** ${CLOCK_BITS};
  agesMs.push(((atMs - stamp) % modulus + modulus) % modulus);
}
video.requestVideoFrameCallback(shown);
video.addEventListener("waiting", () => { if (agesMs.length > 0 && !video.seeking) stalls++; });
video.addEventListener("seeking", () => {
  if (agesMs.length === 0) return;
  jumps++;
  hasSought = true;
});
globalThis.seen = () => ({
  agesMs, stalls, jumps,
  startMs: firstAtMs, // the page's own clock begins with its navigation
  lagS: video.buffered.length === 0 ? 0 : video.buffered.end(video.buffered.length - 1) - video.currentTime,
  playedS,
  elapsedS: firstAtMs === 0 ? 0 : (performance.now() - firstAtMs) / 1000,
});
</script>`;
