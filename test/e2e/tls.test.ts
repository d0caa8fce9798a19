/** HTTPS, HTTP/2 and RTMPS as other people's programs speak them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { openPage } from "../support/browser.ts";
import { selfSigned } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { ffmpeg, makeClip, publish } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { ask } from "../support/http2-client.ts";
import { ProjectedVolume } from "../support/projected-volume.ts";
import type { TestEnd } from "../support/program.ts";
import { findProgram, needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { WeirPorts } from "../support/weir.ts";

const HLS_JS = new URL("../../node_modules/hls.js/dist/hls.min.js", import.meta.url).pathname;
const READINESS = "/flussonic/api/v3/monitoring/readiness";

/** Files and ports of a server with TLS. */
type Secure = {
  readonly volume: ProjectedVolume;
  readonly https: number;
  readonly rtmps: number;
  readonly config: (ports: WeirPorts) => string;
};

const files = ({ cert, key }: { cert: string; key: string }): Record<string, string> => ({
  "tls.crt": cert,
  "tls.key": key,
});

async function secure(t: TestEnd): Promise<Secure> {
  const folder = await mkdtemp(join(tmpdir(), "weir-secret-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const volume = new ProjectedVolume(join(folder, "tls"));
  const [https, rtmps] = [await freePort(), await freePort()];
  const words = `{ certificate ${volume.folder}/tls.crt; certificate_key ${volume.folder}/tls.key; }`;
  const config = ({ http, rtmp }: WeirPorts): string => `
    threads 2;
    http 127.0.0.1:${http};
    rtmp 127.0.0.1:${rtmp};
    https 127.0.0.1:${https} ${words}
    rtmps 127.0.0.1:${rtmps} ${words}
    template pub { prefix pub; input publish:// source_timeout=30; segment_duration 2; }
  `;
  return { volume, https, rtmps, config };
}

/** What a program writes, whatever becomes of it. */
function output(name: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: ["pipe", "pipe", "pipe"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.on("error", reject);
    child.on("close", () => resolve(text));
    child.stdin.end();
  });
}

const curl = (...args: readonly string[]): Promise<string> =>
  output("curl", ["-sk", "--max-time", "10", ...args]);

/** The fingerprint of the certificate that new connections see. */
async function fingerprint(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  const gone = once(socket, "close").then(() => Promise.reject(new Error("closed")));
  await Promise.race([once(socket, "secureConnect"), gone]);
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

test(
  "curl, ffmpeg and openssl speak HTTPS, HTTP/2 and RTMPS with the server",
  { skip: needs("ffmpeg", "curl") },
  async (t) => {
    const { volume, https, rtmps, config } = await secure(t);
    await volume.write(files(selfSigned()));
    const weir = await startWeir(t, { config });
    const clip = await makeClip({ durationS: 20 });
    publish(t, `rtmps://127.0.0.1:${rtmps}/pub/cam`, clip);
    await weir.onAir("pub/cam");
    const url = `https://127.0.0.1:${https}/pub/cam/index.m3u8`;
    await eventually(async () => assert.match(await curl(url), /EXTM3U/), { timeoutMs: 20_000 });
    const format = ["-o", "/dev/null", "-w", "%{http_version} %{http_code}"];
    assert.equal(await curl("--http2", ...format, url), "2 200");
    assert.equal(await curl("--http1.1", ...format, url), "1.1 200");
    const page = `https://127.0.0.1:${https}${READINESS}`;
    assert.equal(await curl("--http2", ...format, page), "2 200");
    const plays = ["-v", "error", "-i", url, "-t", "3", "-c", "copy", "-f", "null", "-"];
    assert.equal((await ffmpeg(plays)).stderr, "");
    const flv = ["-v", "error", "-i", `rtmps://127.0.0.1:${rtmps}/pub/cam`, "-t", "2", "-c", "copy"];
    assert.equal((await ffmpeg([...flv, "-f", "null", "-"])).stderr, "");
    await weir.stop();
  },
);

test("openssl takes up its session in whichever thread, and finds only the versions of the plan", async (t) => {
  if (findProgram("openssl") === null) {
    t.skip("no openssl");
    return;
  }
  const { volume, https, rtmps, config } = await secure(t);
  await volume.write(files(selfSigned()));
  await startWeir(t, { config });
  for (const port of [https, rtmps]) {
    const client = ["s_client", "-connect", `127.0.0.1:${port}`];
    const seen = await output("openssl", [...client, "-tls1_2", "-reconnect"]);
    assert.equal(seen.match(/^Reused, TLSv1\.2/gm)?.length, 5, seen);
    assert.match(await output("openssl", [...client, "-tls1_3"]), /New, TLSv1\.3/);
    assert.match(await output("openssl", [...client, "-tls1_1"]), /alert|no protocols available/);
  }
});

test("a Secret that comes late is waited for, and one that rotates is shown to new connections", async (t) => {
  const { volume, https, config } = await secure(t);
  let ports: WeirPorts | null = null;
  const starting = startWeir(t, {
    config: (given) => {
      ports = given;
      return config(given);
    },
    readyTimeoutMs: 30_000,
  });
  await eventually(
    async () => {
      const reply = await fetch(`http://127.0.0.1:${ports!.http}${READINESS}`);
      assert.equal(reply.status, 503);
      assert.match(await reply.text(), /tls\.crt cannot be read \(it is not there\)/);
    },
    { timeoutMs: 15_000 },
  );
  await assert.rejects(fingerprint(https));
  await volume.write(files(selfSigned()));
  const weir = await starting;
  await weir.logged("a TLS listener waits for its certificate");
  await eventually(async () => void (await fingerprint(https)));
  const before = await fingerprint(https);
  const old = connectHttp2(`https://127.0.0.1:${https}`, { rejectUnauthorized: false });
  t.after(() => old.destroy());
  assert.equal((await ask(old, READINESS)).status, 200);
  await volume.write({ "tls.crt": "broken", "tls.key": "broken" });
  await weir.logged("a new TLS certificate is no good, the one before stays");
  assert.equal(await fingerprint(https), before);
  await volume.write(files(selfSigned()));
  await eventually(async () => assert.notEqual(await fingerprint(https), before));
  assert.equal((await ask(old, READINESS)).status, 200);
  await weir.stop();
});

test("a browser plays low-latency HLS over HTTP/2", { skip: needs("ffmpeg", "chromium") }, async (t) => {
  const { volume, https, rtmps, config } = await secure(t);
  await volume.write(files(selfSigned()));
  const weir = await startWeir(t, { config });
  const clip = await makeClip({ durationS: 20 });
  publish(t, `rtmps://127.0.0.1:${rtmps}/pub/cam`, clip, { loop: true });
  await weir.onAir("pub/cam");
  const origin = `https://127.0.0.1:${https}`;
  const { page } = await openPage(t, { flags: ["--ignore-certificate-errors"] });
  await page.route("**/blank", (route) =>
    route.fulfill({ contentType: "text/html", body: "<video muted>" }),
  );
  await page.goto(`${origin}/blank`);
  await page.addScriptTag({ path: HLS_JS });
  await page.evaluate(() => {
    type Player = { loadSource(url: string): void; attachMedia(video: HTMLVideoElement): void };
    const { Hls } = window as unknown as { Hls: new (options: object) => Player };
    const video = document.querySelector("video")!;
    const hls = new Hls({ lowLatencyMode: true });
    hls.loadSource("/pub/cam/index.m3u8");
    hls.attachMedia(video);
    void video.play();
  });
  await eventually(
    async () => {
      const seen = await page.evaluate(() => ({
        timeS: document.querySelector("video")!.currentTime,
        protocols: (performance.getEntriesByType("resource") as PerformanceResourceTiming[])
          .filter(({ name }) => name.includes("/pub/cam/"))
          .map(({ nextHopProtocol }) => nextHopProtocol),
        holds: performance.getEntriesByType("resource").filter(({ name }) => name.includes("_HLS_msn="))
          .length,
      }));
      assert.ok(seen.timeS > 4 && seen.holds > 5, JSON.stringify(seen));
      assert.ok(seen.protocols.every((protocol) => protocol === "h2"));
    },
    { timeoutMs: 60_000 },
  );
});
