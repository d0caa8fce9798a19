/**
 * Viewers and administrators who come through a proxy, as an Ingress is one: nginx and haproxy where they are installed,
 * and always one made of Node's own client and server. All keep their connections to the server for whoever comes next.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { ask } from "../support/access-clients.ts";
import type { AskOptions, Got } from "../support/access-clients.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { startProgram } from "../support/program.ts";
import type { TestEnd } from "../support/program.ts";
import { findProgram } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

/** From where the proxy connects to the server. */
const PROXY = "127.0.0.99";
const [ALICE, BOB] = ["127.0.0.2", "127.0.0.3"];
const API = "/streamer/api/v3";
const AUTH = { authorization: `Basic ${Buffer.from("root:edit-secret").toString("base64")}` };
const SAMPLES = resolve(import.meta.dirname, "../../samples");
const CONFIG = `
  threads 2;
  edit_auth root edit-secret;
  api_allowed_from 127.0.0.1 ${ALICE};
  auth_backend door { allow ip ${ALICE}; }
  vod open { storage ${SAMPLES}; }
  vod door { storage ${SAMPLES}; on_play auth://door; }
`;
const TRUSTED = `trusted_proxies ${PROXY};`;

type Session = {
  readonly name: string;
  readonly ip: string;
  readonly ssl: boolean;
  readonly user_agent: string;
};

/** Starts a proxy in front of a port. Returns: its port. */
type StartProxy = (t: TestEnd, weirPort: number) => Promise<number>;

async function nodeProxy(t: TestEnd, weirPort: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2, localAddress: PROXY });
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers, socket } = incoming;
    const known = [headers["x-forwarded-for"] ?? [], socket.remoteAddress].flat().join(", ");
    const added = { "x-forwarded-for": known, "x-forwarded-proto": "https" };
    const all = {
      ...headers,
      ...added,
      "x-forwarded-host": headers.host,
      host: "inside",
      connection: "keep-alive",
    };
    const to = httpRequest({ port: weirPort, host: "127.0.0.1", agent, method, path, headers: all });
    to.on("response", (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    to.on("error", () => outgoing.destroy());
    incoming.pipe(to);
  });
  await new Promise<void>((done) => server.listen(0, done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  return (server.address() as AddressInfo).port;
}

async function nginxProxy(t: TestEnd, weirPort: number): Promise<number> {
  const port = await freePort();
  const folder = await folderOf(t);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const lines = `
    daemon off; master_process off; pid ${folder}/pid; error_log stderr;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
      upstream weir { server 127.0.0.1:${weirPort}; keepalive 2; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://weir;
          proxy_bind ${PROXY};
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_upgrade;
          proxy_set_header Host inside;
          proxy_set_header X-Forwarded-Host $http_host;
          proxy_set_header X-Forwarded-Proto https;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
      }
    }`;
  await writeFile(join(folder, "nginx.conf"), lines);
  startProgram(t, "nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", "stderr"]);
  return port;
}

/** It puts a line of its own behind the client's. */
async function haproxyProxy(t: TestEnd, weirPort: number): Promise<number> {
  const port = await freePort();
  const folder = await folderOf(t);
  const lines = `
global
  maxconn 100
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header Host inside
  default_backend weir
backend weir
  source ${PROXY}
  server weir 127.0.0.1:${weirPort}
`;
  await writeFile(join(folder, "haproxy.cfg"), lines);
  startProgram(t, "haproxy", ["-db", "-f", join(folder, "haproxy.cfg")]);
  return port;
}

async function folderOf(t: TestEnd): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-proxy-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const needsProgram = (name: string): string | false =>
  findProgram(name) === null && `not installed: ${name} (apt-get install ${name})`;

const PROXIES: readonly {
  readonly name: string;
  readonly start: StartProxy;
  readonly skip: string | false;
  readonly upgrades: boolean;
}[] = [
  { name: "a proxy of Node's", start: nodeProxy, skip: false, upgrades: false },
  { name: "nginx", start: nginxProxy, skip: needsProgram("nginx"), upgrades: true },
  { name: "haproxy", start: haproxyProxy, skip: needsProgram("haproxy"), upgrades: true },
];

for (const { name, start, skip, upgrades } of PROXIES) {
  describe(`behind ${name}`, { skip }, () => {
    const ends: (() => void | Promise<void>)[] = [];
    const t: TestEnd = { after: (clean) => void ends.unshift(clean) };
    let weir: Weir;
    let port: number;
    const front = (path: string, from: string, options: AskOptions = {}): Promise<Got> =>
      ask(`http://127.0.0.1:${port}${path}`, { from, ...options });
    const sessions = async (): Promise<Session[]> => {
      const { text } = await ask(weir.url(`${API}/sessions`), { headers: AUTH });
      return (JSON.parse(text) as { sessions: Session[] }).sessions;
    };

    before(async () => {
      weir = await startWeir(t, {
        config: { "flussonic.conf": CONFIG, "flussonic.conf.d/proxies.conf": TRUSTED },
      });
      port = await start(t, weir.ports.http);
      await eventually(async () => assert.equal((await front("/-/about", ALICE)).status, 200));
    });
    after(async () => {
      for (const clean of ends) await clean();
    });

    test("each viewer is a session with its own address, over connections that all share", async () => {
      const headers = { "user-agent": "same player" };
      for (let i = 0; i < 4; i++)
        for (const from of [ALICE, BOB])
          assert.equal((await front("/open/sample.mp4/index.m3u8", from, { headers })).status, 200);
      await eventually(async () => {
        const seen = (await sessions()).filter((one) => one.user_agent === "same player");
        assert.deepEqual(seen.map(({ ip, ssl }) => `${ip} ${ssl}`).toSorted(), [
          `${ALICE} true`,
          `${BOB} true`,
        ]);
      });
    });

    test("rules for addresses look at the viewer's, and what viewers say of themselves counts for nothing", async () => {
      const path = "/door/sample.mp4/index.m3u8";
      const spoofed = [ALICE, `${ALICE}, ${PROXY}`, `${ALICE}, 127.0.0.1`];
      for (let i = 0; i < 3; i++) {
        assert.equal((await front(path, ALICE)).status, 200);
        assert.equal((await front(path, BOB)).status, 403);
        for (const value of spoofed) {
          const headers = { "x-forwarded-for": value, forwarded: `for=${ALICE}` };
          assert.equal((await front(path, BOB, { headers })).status, 403, value);
          assert.equal(
            (await ask(weir.url(path), { from: BOB, headers })).status,
            403,
            `${value} past the proxy`,
          );
        }
      }
      assert.equal((await ask(weir.url(path), { from: ALICE })).status, 200);
    });

    test("the API is open to the networks of its clients, and to pages of the host that they see", async () => {
      const path = `${API}/sessions`;
      assert.equal((await front(path, ALICE, { headers: AUTH })).status, 200);
      const spoofed = { ...AUTH, "x-forwarded-for": ALICE };
      assert.equal((await front(path, BOB, { headers: spoofed })).status, 403);
      assert.equal((await ask(weir.url(path), { from: BOB, headers: spoofed })).status, 403);
      const change = (origin: string): Promise<Got> =>
        front(`${API}/sessions/reauth?name=nobody`, ALICE, {
          method: "POST",
          headers: { ...AUTH, origin, host: "tv.example" },
        });
      assert.ok((await change("https://tv.example")).status < 300);
      for (const origin of ["https://evil.example", "http://inside"])
        assert.equal((await change(origin)).status, 403, origin);
    });

    test("who guesses passwords is known by its own address", async () => {
      const wrong = { authorization: `Basic ${Buffer.from("root:guess").toString("base64")}` };
      for (let i = 0; i < 6; i++)
        assert.equal((await front(`${API}/sessions`, ALICE, { headers: wrong })).status, 401);
      const line = await weir.logged("wrong credentials of the API come again and again");
      assert.equal(line["ip"], ALICE);
    });

    if (upgrades)
      test("a WebSocket is its viewer's", async () => {
        const socket = (from: string): Promise<Got> =>
          front("/door/sample.mp4/mse_ld", from, { isSocket: true });
        const played = await socket(ALICE);
        played.leave();
        assert.equal(played.status, 101);
        assert.equal((await socket(BOB)).status, 403);
      });

    test("a reload may end that a proxy is believed", async () => {
      await weir.writeConfig({ "flussonic.conf.d/proxies.conf": "" });
      weir.program.signal("SIGHUP");
      const path = "/door/sample.mp4/index.m3u8?x=1";
      const headers = { "user-agent": "another player" };
      await eventually(async () => assert.equal((await front(path, ALICE, { headers })).status, 403));
      assert.equal((await front("/open/sample.mp4/index.m3u8", ALICE, { headers })).status, 200);
      await eventually(async () => {
        const seen = (await sessions()).filter((one) => one.user_agent === "another player");
        assert.ok(seen.some((one) => one.name === "open/sample.mp4" && one.ip === PROXY));
      });
    });
  });
}
