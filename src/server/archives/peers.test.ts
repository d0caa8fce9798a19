import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { signRequest } from "../../dvr/replicate/signature.ts";
import type { StreamName } from "../../media/ids.ts";
import { ArchivePeers, peersOf, plansWithoutPeer, targetsOf } from "./peers.ts";

function configOf(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

describe("the peer of a stream", () => {
  const cases: readonly (readonly [dvr: string, origin: string | null, key?: string, remote?: string])[] = [
    ["replicate=http://peer", "http://peer", "k3y", "cam"],
    ["replicate=http://peer:8080", "http://peer:8080", "k3y", "cam"],
    ["replicate=http://peer:8080 replication_port=81", "http://peer:81", "k3y", "cam"],
    ["replicate=https://other@peer", "https://peer", "other", "cam"],
    ["replicate=https://a:b%40@peer", "https://peer", "a:b@", "cam"],
    ["replicate=http://[::1]:80/there", "http://[::1]", "k3y", "there"],
    ["replicate", null],
    ["replicate=false", null],
    ["replicate=http://peer dvr_offline", null],
  ];
  for (const [dvr, origin, key, remote] of cases) {
    test(`is ${origin ?? "none"} with "${dvr}"`, () => {
      const config = configOf(`cluster_key k3y; stream cam { input publish://; dvr /s 7d ${dvr}; }`);
      const peers = peersOf(config);
      assert.deepEqual(peers, origin === null ? [] : [{ origin, key }]);
      if (origin === null) return;
      const [target] = targetsOf(config, peers[0]!, [remote as StreamName]);
      assert.deepEqual(
        [target?.stream, target?.remote, target?.root, target?.bytesPerSecond, target?.depthMs],
        ["cam", remote, "/s", 12_500_000, 7 * 86_400_000],
      );
      assert.deepEqual(
        targetsOf(config, { origin: "http://else", key: "k3y" }, [remote as StreamName]),
        [],
      );
      assert.deepEqual(targetsOf(config, peers[0]!, []), []);
    });
  }

  const inputs: readonly (readonly [input: string, origin: string | null, remote?: string])[] = [
    ["m4f://peer/there/cam", "http://peer", "there/cam"],
    ["m4s://peer:8080/cam", "http://peer:8080", "cam"],
    ["m4fs://user:pass@peer/cam", "https://peer", "cam"],
    ["http://peer:81/cam/mpegts", "http://peer:81", "cam"],
    ["rtmp://peer/cam", null],
  ];
  for (const [input, origin, remote] of inputs) {
    test(`is ${origin ?? "none"} with the input ${input}`, () => {
      const config = configOf(
        `cluster_key k3y; stream cam { input publish://; input ${input}; dvr /s replicate; }`,
      );
      assert.deepEqual(peersOf(config), origin === null ? [] : [{ origin, key: "k3y" }]);
      assert.deepEqual(plansWithoutPeer(config), origin === null ? ["cam"] : []);
      if (origin === null) return;
      const peer = { origin, key: "k3y" };
      assert.equal(targetsOf(config, peer, [remote as StreamName])[0]?.remote, remote);
    });
  }

  test("is none without a key, and that is told", () => {
    const config = configOf("stream cam { input publish://; dvr /s replicate=http://peer; }");
    assert.deepEqual(peersOf(config), []);
    assert.deepEqual(plansWithoutPeer(config), ["cam"]);
  });

  test("of a template's streams is asked for those that it offers", () => {
    const config = configOf(`cluster_key k3y;
      template t { prefix t; input publish://; dvr /s replicate=http://peer replication_speed=8k; }
      stream t/own { input publish://; dvr /own; }`);
    const offered = ["t/a", "t/own", "other/b"] as StreamName[];
    const targets = targetsOf(config, peersOf(config)[0]!, offered);
    assert.deepEqual(
      targets.map(({ stream, bytesPerSecond }) => [stream, bytesPerSecond]),
      [["t/a", 1000]],
    );
  });
});

type Peers = {
  readonly ask: (path: string, headers?: Record<string, string>) => Promise<HttpReply> | HttpReply | null;
  readonly root: string;
};

async function makePeers(t: TestContext, key = "cluster_key k3y;"): Promise<Peers> {
  const root = await mkdtemp(join(tmpdir(), "weir-peers-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const [path, bytes] of Object.entries(new ArchiveHour().segment().files(`${root}/cam`))) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  await mkdir(`${root}/stranger/2026/08`, { recursive: true });
  const config = configOf(`${key} stream cam { input publish://; dvr ${root}; }`);
  const peers = new ArchivePeers({ config: () => config, clock: new FakeClock() });
  const ask = (target: string, headers: Record<string, string> = {}): ReturnType<Peers["ask"]> => {
    const url = new URL(target, "http://server");
    const request: HttpRequest = {
      method: "GET",
      path: url.pathname,
      query: url.searchParams,
      header: (name) => headers[name],
      remoteAddress: "127.0.0.1",
    };
    return peers.handle(request);
  };
  return { ask, root };
}

function signed(target: string, key = "k3y"): Record<string, string> {
  const nowS = Math.floor(new FakeClock().wallUs() / 1_000_000);
  return { authorization: signRequest({ key, target, nowS }) };
}

describe("a server of a cluster", () => {
  test("gives its lists and files to who has the key", async (t) => {
    const { ask } = await makePeers(t);
    const text = async (target: string): Promise<string> => {
      const reply = await ask(target, signed(target));
      return Buffer.concat(reply!.body).toString();
    };
    assert.equal(await text("/archive-streams.json"), '{"version":1,"streams":["cam"]}\n');
    const hours = "/cam/archive-hours.json?from=0&to=999999";
    assert.equal(await text(hours), '{"version":1,"hours":[[496640,256,0]]}\n');
    const file = "/cam/archive-files/2026/08/28/08.idx";
    const reply = await ask(file, { ...signed(file), range: "bytes=0-7" });
    assert.equal(reply?.status, 206);
    assert.equal(Buffer.concat(reply.body).toString(), "WEIRIDX1");
    assert.ok(reply.headers.some(([name, value]) => name === "content-range" && value === "bytes 0-7/256"));
    assert.ok(
      reply.headers.some(([name, value]) => name === "content-digest" && value.startsWith("sha-256=:")),
    );
    assert.equal(Buffer.concat((await ask(file, signed(file)))!.body).byteLength, 256);
  });

  test("gives nothing to anybody else", async (t) => {
    const { ask } = await makePeers(t);
    for (const target of [
      "/archive-streams.json",
      "/cam/archive-hours.json",
      "/cam/archive-files/2026/08/28/08.idx",
    ]) {
      await assert.rejects(async () => await ask(target), { code: "DVR_PEER_NOT_KNOWN", httpStatus: 401 });
      await assert.rejects(async () => await ask(target, signed(target, "other")), {
        code: "DVR_PEER_NOT_KNOWN",
      });
    }
  });

  test("has no files but those of archives that it is configured to have", async (t) => {
    const { ask } = await makePeers(t);
    for (const target of [
      "/cam/archive-files/.writer/1",
      "/cam/archive-files/2026/08/28/99.idx",
      "/cam/archive-files/2026/08/28/09.idx",
      "/stranger/archive-hours.json",
      "/none/archive-files/2026/08/28/08.idx",
    ]) {
      await assert.rejects(async () => await ask(target, signed(target)), { code: "DVR_PEER_NO_FILE" });
    }
  });

  test("leaves what players ask for to others, and all of it without a key", async (t) => {
    const { ask } = await makePeers(t);
    for (const path of ["/cam/index.m3u8", "/cam/archive-1700000000-60.m3u8", "/"])
      assert.equal(ask(path), null);
    const without = await makePeers(t, "");
    assert.equal(without.ask("/archive-streams.json", signed("/archive-streams.json")), null);
  });
});
