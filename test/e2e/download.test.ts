/** Files that are had whole, by the programs that people use for that. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, runTool } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { findProgram, needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const skip = needs("ffmpeg");

async function folderOf(t: TestEnd): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-download-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A server with one film, and that film. */
async function serverWithFilm(t: TestEnd): Promise<{ weir: Weir; film: Buffer; folder: string }> {
  const folder = await folderOf(t);
  await copyFile(await makeClip({ durationS: 20, gopPictures: 50 }), join(folder, "film.mp4"));
  const config = `vod films { storage ${folder}; download; } vod played { storage ${folder}; }`;
  return { weir: await startWeir(t, { config }), film: await readFile(join(folder, "film.mp4")), folder };
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("a download", { skip, concurrency: true, timeout: 120_000 }, () => {
  test("is the file, whole, in parts and only once", async (t) => {
    const { weir, film } = await serverWithFilm(t);
    const url = weir.url("/films/film.mp4");
    const whole = await fetch(url);
    assert.equal(whole.status, 200);
    assert.equal(hash(new Uint8Array(await whole.arrayBuffer())), hash(film));
    assert.equal(whole.headers.get("content-type"), "video/mp4");
    assert.equal(whole.headers.get("accept-ranges"), "bytes");
    assert.ok(Math.abs(Date.parse(whole.headers.get("last-modified")!) - Date.now()) < 600_000);
    const part = await fetch(url, { headers: { range: "bytes=1000-1999" } });
    assert.deepEqual(
      [part.status, part.headers.get("content-range")],
      [206, `bytes 1000-1999/${film.length}`],
    );
    assert.equal(hash(new Uint8Array(await part.arrayBuffer())), hash(film.subarray(1000, 2000)));
    const known = await fetch(url, { headers: { "if-none-match": whole.headers.get("etag")! } });
    assert.equal(known.status, 304);
    const day = whole.headers.get("last-modified")!;
    assert.equal((await fetch(url, { headers: { "if-modified-since": day } })).status, 304);
    const earlier = new Date(Date.parse(day) - 1000).toUTCString();
    const changed = await fetch(url, { headers: { "if-modified-since": earlier } });
    assert.equal(changed.status, 200);
    await changed.arrayBuffer();
    for (const [date, status] of [
      [day, 206],
      [earlier, 200],
    ] as const) {
      const rest = await fetch(url, { headers: { range: "bytes=5-9", "if-range": date } });
      assert.equal(rest.status, status);
      await rest.arrayBuffer();
    }
    assert.equal((await fetch(url, { headers: { range: `bytes=${film.length}-` } })).status, 416);
  });

  test("is refused where the vod does not give files, and for what is none", async (t) => {
    const { weir } = await serverWithFilm(t);
    const refused = await fetch(weir.url("/played/film.mp4"));
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /vod "played".* has no "download"/);
    assert.equal((await fetch(weir.url("/films/none.mp4"))).status, 404);
    assert.equal(
      (await fetch(weir.url("/films/film.mp4/index.m3u8"))).status,
      200,
      "it is played all the same",
    );
  });

  test("goes on where it broke off, with curl and wget", { skip: needs("curl") }, async (t) => {
    const { weir, film, folder } = await serverWithFilm(t);
    const url = weir.url("/films/film.mp4");
    for (const [tool, args] of [
      ["curl", ["-sS", "--fail", "-C", "-", "-o"]],
      ["wget", ["-q", "-c", "-O"]],
    ] as const) {
      if (findProgram(tool) === null) continue;
      const path = join(folder, `${tool}.part`);
      await runTool(tool, [...args, path, url], 30_000);
      assert.equal(hash(await readFile(path)), hash(film), tool);
      await truncate(path, 12_345);
      await runTool(tool, [...args, path, url], 30_000);
      assert.equal(hash(await readFile(path)), hash(film), `${tool} goes on`);
    }
  });

  test("is played as it lies there by ffmpeg, and by a video element that seeks", async (t) => {
    const { weir } = await serverWithFilm(t);
    const url = weir.url("/films/film.mp4");
    const packets = await runTool(
      "ffprobe",
      [
        "-v",
        "error",
        "-count_packets",
        "-show_entries",
        "stream=nb_read_packets",
        "-of",
        "csv=p=0",
        "-select_streams",
        "v",
        url,
      ],
      30_000,
    );
    assert.equal(packets.stdout.trim(), "500");
    if (needs("chromium") !== false) return t.skip("no chromium");
    const { page, errors } = await openPage(t);
    await page.goto(weir.url("/"));
    const at = await page.evaluate(async (source) => {
      const video = document.createElement("video");
      video.muted = true;
      video.src = source;
      document.body.append(video);
      await new Promise((resolve) => video.addEventListener("loadedmetadata", resolve, { once: true }));
      video.currentTime = 15;
      await new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
      await video.play();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return { time: video.currentTime, duration: video.duration, width: video.videoWidth };
    }, url);
    assert.ok(at.time > 15 && at.time < 20, JSON.stringify(at));
    assert.ok(Math.abs(at.duration - 20) < 0.2 && at.width > 0, JSON.stringify(at));
    assert.deepEqual(errors, []);
  });

  test("that nobody reads holds a piece, not the file; many of them are bounded", async (t) => {
    const { weir } = await serverWithFilm(t);
    const sockets = Array.from({ length: 200 }, () => connect(weir.ports.http, "127.0.0.1").pause());
    t.after(() => sockets.forEach((socket) => void socket.destroy()));
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.write("GET /films/film.mp4 HTTP/1.1\r\nhost: weir\r\n\r\n");
    }
    const reply = await eventually(async () => {
      const answer = await fetch(weir.url("/films/film.mp4"), { headers: { range: "bytes=0-9" } });
      assert.ok([206, 503].includes(answer.status), String(answer.status));
      return answer;
    });
    assert.equal((await reply.arrayBuffer()).byteLength > 0, true);
    assert.equal((await fetch(weir.url("/films/film.mp4/index.m3u8"))).status, 200, "playlists go on");
    for (const socket of sockets) socket.destroy();
    await eventually(async () => {
      const whole = await fetch(weir.url("/films/film.mp4"));
      assert.equal(whole.status, 200, "what they held was given back");
      await whole.arrayBuffer();
    });
  });
});
