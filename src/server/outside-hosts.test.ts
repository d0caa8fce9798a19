/** Every word of the configuration that names a host, and where the server connects to for it. */
import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { playClaim } from "../../test/support/sessions.ts";
import { silentLogger } from "../base/log.ts";
import { systemClock } from "../base/clock.ts";
import { loadConfig } from "../config/load.ts";
import { EpisodeServers } from "../dvr/keep/episode-servers.ts";
import { openObjectStore } from "../dvr/objects/open-store.ts";
import { HttpPeerStorage } from "../dvr/replicate/storages/http-peer-storage.ts";
import { BackendHttp } from "./access/backend-http.ts";
import type { ResolveName } from "./access/name-cache.ts";
import { fetchText } from "./credentials/outside-text.ts";
import { HttpSink } from "./events/http-sink.ts";
import { openTransport } from "./events/open-transport.ts";
import { HostGuard } from "./outside-hosts.ts";
import { StreamArchives } from "./archives/stream-archives.ts";
import { SessionTraces } from "./traces/session-traces.ts";

const HERE = { address: "127.0.0.1", family: 4 };
const METADATA = { address: "169.254.169.254", family: 4 };

/** Where names lead. The bad one leads here first: without the guard it would be reached. */
const NAMES: Readonly<Record<string, readonly LookupAddress[]>> = {
  "nice.example": [HERE],
  "bad.example": [HERE, METADATA],
};

/** What was looked up, and what guards. */
type Guarded = {
  readonly guard: HostGuard;
  readonly allowed: readonly string[];
  readonly names: string[];
  readonly resolve: ResolveName;
};

function guarded(
  allowed: readonly string[],
): Guarded & { resolve(name: string): Promise<LookupAddress[]> } {
  const names: string[] = [];
  const resolve = (name: string): Promise<LookupAddress[]> => {
    names.push(name);
    return Promise.resolve([...(NAMES[name] ?? [])]);
  };
  return {
    guard: new HostGuard({ clock: new FakeClock(), allowed: () => allowed, resolve }),
    ...{ allowed, names, resolve },
  };
}

/** Connects for a word; rejects, or gives a text, with why not. */
type Word = readonly [word: string, connect: (url: string, by: Guarded) => Promise<unknown>];

const signal = new AbortController().signal;

const WORDS: readonly Word[] = [
  [
    "on_play, on_publish, auth_backend",
    async (url, { guard }) => {
      const http = new BackendHttp({ clock: systemClock, hosts: guard });
      const reply = await http.ask({ url, headers: {}, timeoutMs: 3000 });
      http.close();
      return reply.kind === "failed" ? reply.reason : reply.status;
    },
  ],
  ["jwks of jwt", async (url, { guard }) => await fetchText(url, 1000, guard)],
  [
    "url of event_sink",
    async (url, { guard }) => {
      const sink = new HttpSink({ url: new URL(url), clock: systemClock, hosts: guard });
      await sink.send(["{}"], signal).finally(() => sink.close());
    },
  ],
  [
    "replicate of dvr",
    async (url, { guard }) => {
      const peer = new HttpPeerStorage(new URL(url).origin, systemClock, guard);
      const { status } = await peer.get({ target: "/", headers: {}, maxBytes: 1000, signal });
      return status;
    },
  ],
  [
    "episodes_url of dvr",
    async (url, { guard }) => {
      const servers = new EpisodeServers({
        clock: systemClock,
        connect: (origin) => new HttpPeerStorage(origin, systemClock, guard),
      });
      return (await servers.of({ url, stream: "cam", fromMs: 0, hours: [1] })).failure?.message;
    },
  ],
  [
    "copy of dvr, path of an export",
    async (url, { guard }) => {
      const place = { endpoint: new URL(url).origin, bucket: "films", prefix: "" };
      const keys = { accessKey: "key", secretKey: "secret", region: "us-east-1" };
      const options = { clock: systemClock, attempts: 1, hosts: guard };
      const store = await openObjectStore({ ...place, ...keys }, options);
      await store.head("a").finally(() => store.close());
    },
  ],
  [
    "traces",
    async (url, { allowed, resolve }) => {
      const log = new RecordingLog();
      const service = { version: "1", serverId: "s" };
      const traces = new SessionTraces({ service, log, clock: systemClock, resolve });
      traces.configure({ traces: { url, share: 1 }, allowedHosts: allowed });
      traces.begin(playClaim({}))?.judged({ outcome: "denied" });
      await traces.stop();
      return JSON.stringify(log.lines);
    },
  ],
];

/** A host, `allowed_hosts`, and why there is no connection; `null`: there is one. */
const ROWS: readonly [host: string, allowed: readonly string[], why: RegExp | null][] = [
  ["169.254.169.254", [], /credentials of clouds/],
  ["[::ffff:169.254.169.254]", [], /credentials of clouds/],
  ["metadata.google.internal", [], /credentials of clouds/],
  ["bad.example", [], /credentials of clouds|^\[\]$/],
  ["bad.example", ["bad.example"], /credentials of clouds|^\[\]$/],
  ["bad.example", ["bad.example", "169.254.169.254"], null],
  ["nice.example", [], null],
  ["nice.example", ["nice.example"], null],
  ["nice.example", ["*.example"], null],
  ["nice.example", ["other.example"], /allowed_hosts does not have it/],
  ["127.0.0.1", [], null],
  ["127.0.0.1", ["127.0.0.0/8"], null],
  ["127.0.0.1", ["10.0.0.0/8"], /allowed_hosts does not have it/],
];

/** A server that sends everybody elsewhere, to itself, and notes what it is asked. */
async function serve(t: TestContext): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, reply) => {
    asked.push(request.url ?? "");
    reply.writeHead(302, { location: "/elsewhere", connection: "close" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}

for (const [word, connect] of WORDS) {
  describe(`the host of ${word}`, () => {
    for (const [host, allowed, why] of ROWS) {
      const list = allowed.join(" ") || "unset";
      test(`${host} with allowed_hosts ${list} is ${why === null ? "" : "not "}connected to`, async (t) => {
        const { port, asked } = await serve(t);
        const by = guarded(allowed);
        const said = await connect(`http://${host}:${port}/`, by).catch((caught: unknown) =>
          String(caught),
        );
        assert.ok(!asked.includes("/elsewhere"), "redirects are not followed");
        assert.equal(asked.length, why === null ? 1 : 0, String(said));
        if (why !== null) assert.match(String(said), why);
        const isLookedUp = host in NAMES && (why === null || host === "bad.example");
        assert.deepEqual(by.names, isLookedUp ? [host] : []);
      });
    }
  });
}

test("a sink whose URL names a host that is not let is told of when it is opened", () => {
  const open = (url: string, allowedHosts: readonly string[]): void =>
    void openTransport(
      {
        ...{
          name: "s",
          url,
          only: [],
          except: [],
          throttleDelayMs: 0,
          resendTimeoutMs: 1,
          maxSizeBytes: 1,
        },
        place: { file: "", line: 1, column: 1, length: 0 },
      },
      { clock: new FakeClock(), log: silentLogger, allowedHosts },
    ).transport.close();
  open("http://10.1.2.3/", ["10.0.0.0/8"]);
  assert.throws(() => open("http://169.254.169.254/", []), { code: "EVENTS_BAD_SINK" });
  assert.throws(() => open("http://11.1.2.3/", ["10.0.0.0/8"]), { code: "EVENTS_BAD_SINK" });
});

test("a name that is kept is checked by the list in force", async () => {
  let allowed: readonly string[] = ["bad.example", "169.254.169.254"];
  const resolve = (): Promise<LookupAddress[]> => Promise.resolve([METADATA]);
  const { lookup } = new HostGuard({ clock: new FakeClock(), allowed: () => allowed, resolve });
  const find = (): Promise<unknown> =>
    new Promise((done, fail) =>
      lookup("bad.example", {}, (error, address) => (error === null ? done(address) : fail(error))),
    );
  assert.equal(await find(), "169.254.169.254");
  allowed = ["bad.example"];
  await assert.rejects(find(), /credentials of clouds/);
});

test("a server's own archives ask no peer that is not let", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "weir-hosts-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const { port, asked } = await serve(t);
  const text = `allowed_hosts other.example; cluster_key k3y;
    stream cam { input publish://; dvr ${root} replicate=http://127.0.0.1:${port}; }`;
  const { config, problems } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  const log = new RecordingLog();
  const archives = new StreamArchives({ clock: systemClock, log, config: () => config });
  await archives.keep(() => config);
  await eventually(() => assert.match(JSON.stringify(log.lines), /allowed_hosts does not have it/));
  assert.deepEqual(asked, []);
  await archives.stop();
});
