/**
 * Viewers and publishers who come through balancers of TCP that say by the PROXY protocol whose connections they bring:
 * one made of Node's sockets always, haproxy where it is installed, each in both versions.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { ask, rtmp } from "../support/access-clients.ts";
import type { Got } from "../support/access-clients.ts";
import { eventually } from "../support/eventually.ts";
import { ffmpeg, makeClip, publish } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { writePair } from "../support/https-listener.ts";
import { startProgram } from "../support/program.ts";
import type { TestEnd } from "../support/program.ts";
import { findProgram, needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

/** From where the balancer connects to the server. */
const BALANCER = "127.0.0.99";
const [ALICE, BOB] = ["127.0.0.2", "127.0.0.3"];
const API = "/streamer/api/v3";
const AUTH = { authorization: `Basic ${Buffer.from("root:edit-secret").toString("base64")}` };
const SAMPLES = resolve(import.meta.dirname, "../../samples");
const HLS = "/door/sample.mp4/index.m3u8";
const KINDS = ["http", "https", "rtmp", "rtmps"] as const;

type Kind = (typeof KINDS)[number];
type Ports = Readonly<Record<Kind, number>>;
type Version = 1 | 2;

/** Starts a balancer in front of each port. Returns: its ports. */
type StartBalancer = (t: TestEnd, targets: Ports, version: Version) => Promise<Ports>;

/** The header of a connection over IPv4. */
function headerOf(
  { remoteAddress, remotePort, localAddress, localPort }: Socket,
  version: Version,
): Buffer {
  const [source, destination] = [remoteAddress ?? "", localAddress ?? ""];
  const ports = [remotePort ?? 0, localPort ?? 0];
  if (version === 1) return Buffer.from(`PROXY TCP4 ${source} ${destination} ${ports.join(" ")}\r\n`);
  const addresses = [source, destination].flatMap((text) => text.split(".").map(Number));
  const noop = [0x04, 0, 2, 0, 0];
  return Buffer.concat([
    Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
    Uint8Array.of(0x21, 0x11, 0, 12 + noop.length, ...addresses),
    Uint8Array.from(ports.flatMap((port) => [port >> 8, port & 0xff])),
    Uint8Array.from(noop),
  ]);
}

async function nodeBalancer(t: TestEnd, targets: Ports, version: Version): Promise<Ports> {
  const entries = KINDS.map(async (kind) => {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (client) => {
      const target = connect({ port: targets[kind], host: "127.0.0.1", localAddress: BALANCER });
      for (const [one, other] of [
        [client, target],
        [target, client],
      ] as const) {
        sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
      }
      target.write(headerOf(client, version));
      client.pipe(target).pipe(client);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return [kind, (server.address() as AddressInfo).port] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<Kind, number>;
}

/** It looks after the server with connections of its own, for which it sends LOCAL or its own address. */
async function haproxyBalancer(t: TestEnd, targets: Ports, version: Version): Promise<Ports> {
  const folder = await mkdtemp(join(tmpdir(), "weir-balancer-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ports = { http: 0, https: 0, rtmp: 0, rtmps: 0 };
  for (const kind of KINDS) ports[kind] = await freePort();
  const words = version === 1 ? "send-proxy" : "send-proxy-v2 proxy-v2-options crc32c,unique-id";
  const blocks = KINDS.map(
    (kind) => `
listen ${kind}
  bind 127.0.0.1:${ports[kind]}
  unique-id-format %[uuid()]
  source ${BALANCER}
  server weir 127.0.0.1:${targets[kind]} ${words} check inter 200ms check-send-proxy
`,
  );
  const lines = `
global
  maxconn 200
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
${blocks.join("")}`;
  await writeFile(join(folder, "haproxy.cfg"), lines);
  startProgram(t, "haproxy", ["-db", "-f", join(folder, "haproxy.cfg")]);
  return ports;
}

const noHaproxy = findProgram("haproxy") === null && "not installed: haproxy (apt-get install haproxy)";

const BALANCERS: readonly {
  readonly name: string;
  readonly start: StartBalancer;
  readonly skip: string | false;
}[] = [
  { name: "a balancer of Node's", start: nodeBalancer, skip: false },
  { name: "haproxy", start: haproxyBalancer, skip: noHaproxy },
];

async function startServer(t: TestEnd, targets: Ports): Promise<Weir> {
  const { plan } = await writePair(t);
  const tls = `certificate ${plan.certificate}; certificate_key ${plan.key};`;
  const listeners = KINDS.map(
    (kind) =>
      `${kind} 127.0.0.1:${targets[kind]} { proxy_protocol true; ${kind.endsWith("s") ? tls : ""} }`,
  );
  return startWeir(t, {
    config: {
      "flussonic.conf": `
        threads 2;
        edit_auth root edit-secret;
        ${listeners.join("\n")}
        auth_backend door { allow ip ${ALICE}; }
        auth_backend publisher { allow ip 127.0.0.1; }
        vod door { storage ${SAMPLES}; on_play auth://door; }
        template pub { prefix pub; input publish:// source_timeout=30; on_publish auth://publisher; on_play auth://publisher; }
      `,
      "flussonic.conf.d/proxies.conf": `trusted_proxies ${BALANCER};`,
    },
  });
}

for (const { name, start, skip } of BALANCERS) {
  for (const version of [1, 2] as const) {
    describe(`behind ${name}, version ${version}`, { skip }, () => {
      const ends: (() => void | Promise<void>)[] = [];
      const t: TestEnd = { after: (clean) => void ends.unshift(clean) };
      let targets: Ports;
      let fronts: Ports;
      let weir: Weir;
      const get = (kind: "http" | "https", path: string, from: string, agent = "p"): Promise<Got> =>
        ask(`${kind}://127.0.0.1:${fronts[kind]}${path}`, { from, headers: { "user-agent": agent } });
      const list = async (what: string): Promise<Record<string, unknown>[]> => {
        const { text } = await ask(weir.url(`${API}/${what}`), { headers: AUTH });
        return (JSON.parse(text) as Record<string, Record<string, unknown>[]>)[what] ?? [];
      };

      before(async () => {
        const ports = { http: 0, https: 0, rtmp: 0, rtmps: 0 };
        for (const kind of KINDS) ports[kind] = await freePort();
        targets = ports;
        weir = await startServer(t, targets);
        fronts = await start(t, targets, version);
        await eventually(async () => assert.equal((await get("http", "/-/about", ALICE)).status, 200));
      });
      after(async () => {
        for (const clean of ends) await clean();
      });

      test("rules and sessions have the viewer's address, over HTTP and HTTPS", async () => {
        for (const kind of ["http", "https"] as const) {
          assert.equal((await get(kind, HLS, ALICE, kind)).status, 200);
          assert.equal((await get(kind, HLS, BOB, kind)).status, 403);
          await eventually(async () => {
            const seen = (await list("sessions")).filter((one) => one["user_agent"] === kind);
            assert.deepEqual(
              seen.map(({ ip, ssl }) => `${String(ip)} ${String(ssl)}`),
              [`${ALICE} ${kind === "https"}`],
            );
          });
        }
      });

      test("rules have the player's address, over RTMP and RTMPS", async () => {
        for (const kind of ["rtmp", "rtmps"] as const) {
          const play = async (from: string): Promise<string> => {
            const port = fronts[kind];
            const isTls = kind === "rtmps";
            const player = await rtmp({
              ...{ port, isTls, from, app: "door", stream: "sample.mp4", does: "play" },
            });
            player.leave();
            return player.outcome;
          };
          const [alice, bob] = [await play(ALICE), await play(BOB)];
          assert.deepEqual([alice, bob === alice], ["plays", false], kind);
        }
      });

      test("ffmpeg publishes and plays, over RTMP and RTMPS", { skip: needs("ffmpeg") }, async () => {
        const clip = await makeClip({ durationS: 20 });
        for (const kind of ["rtmp", "rtmps"] as const) {
          const stream = `pub/${kind}`;
          const url = `${kind}://127.0.0.1:${fronts[kind]}/${stream}`;
          const publisher = publish(t, url, clip, { loop: true });
          await eventually(async () => {
            const found = (await list("streams")).find((one) => one["name"] === stream);
            const text = JSON.stringify(found) ?? "";
            assert.match(text, /"ip":"127\.0\.0\.1"/);
            assert.match(text, /"tracks":\[\{/);
          });
          const plays = ["-v", "error", "-i", url, "-t", "2", "-c", "copy", "-f", "null", "-"];
          assert.equal((await ffmpeg(plays)).stderr, "");
          await publisher.stop();
        }
        // The balancer's own connections, by which it looks after the server, have its own address.
        const lines = weir.log.filter(({ stream }) => String(stream).startsWith("pub/"));
        const addresses = lines.flatMap(({ remoteAddress }) => remoteAddress ?? []);
        assert.deepEqual([...new Set(addresses)], ["127.0.0.1"]);
      });

      test("who comes past the balancer is closed, header or not, with a line", async () => {
        const header = `PROXY TCP4 ${ALICE} 127.0.0.1 1 2\r\n`;
        for (const kind of KINDS) {
          for (const text of ["", header]) {
            const socket = connect(targets[kind], "127.0.0.1");
            let bytes = 0;
            socket.on("data", (chunk) => (bytes += chunk.length)).on("error", () => {});
            const closed = new Promise((done) => socket.once("close", done));
            socket.write(`${text}GET ${HLS} HTTP/1.1\r\nHost: h\r\n\r\n`);
            await closed;
            assert.equal(bytes, 0, kind);
          }
        }
        await weir.logged("proxy_protocol is for connections of trusted_proxies alone");
      });

      test("a reload may end that the balancer is believed, and that a header is asked for", async () => {
        const other = "trusted_proxies 127.0.0.98;";
        await weir.writeConfig({ "flussonic.conf.d/proxies.conf": other });
        weir.program.signal("SIGHUP");
        await eventually(() => assert.rejects(get("http", "/-/about", ALICE)));
        await weir.writeConfig({ "flussonic.conf.d/proxies.conf": "" });
        weir.program.signal("SIGHUP");
        await weir.logged("proxy_protocol needs trusted_proxies");
      });
    });
  }
}
