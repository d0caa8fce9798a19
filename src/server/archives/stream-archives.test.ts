/** Media nodes with a recording: who records what, and who may ask for it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { openAccess } from "../../../test/support/open-access.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { silentLogger } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import type { HttpRequest } from "../../base/http-message.ts";
import { loadConfig } from "../../config/load.ts";
import type { DvrPlan, LivePlan, ResolvedConfig } from "../../config/plan.ts";
import { Playback } from "../playback.ts";
import type { PlaybackParts } from "../playback.ts";
import { StreamArchives, archiveFolder, recordingPlan, waitingBytes } from "./stream-archives.ts";
import type { StreamName } from "../../media/ids.ts";

const CAM = "rec/cam" as StreamName;

function loadText(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "flussonic.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

function planFor(text: string): LivePlan {
  const config = loadText(text);
  return config.templates[0]!;
}

test("what the configuration says of a recording", () => {
  const plan = planFor(
    "template r { prefix rec; input publish://; dvr /storage 7d schedule=0800-1800 fsync=none; }",
  );
  assert.equal(archiveFolder(plan, CAM), "/storage/rec/cam");
  assert.deepEqual(recordingPlan(plan, CAM), {
    place: { root: "/storage", stream: CAM, fsync: "none" },
    schedule: [{ fromMinute: 480, toMinute: 1080 }],
  });
  assert.equal(recordingPlan(planFor("template r { prefix rec; input publish://; }"), CAM), null);
  assert.equal(archiveFolder(planFor("template r { prefix rec; input publish://; }"), CAM), null);
  assert.equal(archiveFolder(null, CAM), null);
  const dvr = { ...plan.dvr!, isOffline: true } satisfies DvrPlan;
  assert.equal(recordingPlan({ ...plan, dvr }, CAM), null);
  assert.equal(archiveFolder({ ...plan, dvr }, CAM), "/storage/rec/cam");
});

describe("a stretch of a stream that is not recorded", () => {
  const config: ResolvedConfig = loadText(
    "template r { prefix rec; input publish://; } template h { prefix hls; input publish://; protocols hls; dvr /storage; }",
  );
  const archives = new StreamArchives({ clock: new FakeClock(), log: silentLogger, config: () => config });
  const vods = { find: () => null } as unknown as PlaybackParts["vods"];
  const playback = new Playback({
    access: openAccess(),
    config: () => config,
    archives,
    vods,
  } as unknown as PlaybackParts);
  const ask = async (path: string): Promise<unknown> => {
    const request: HttpRequest = {
      ...{ method: "GET", path, query: new URLSearchParams(), remoteAddress: "192.0.2.1" },
      header: () => undefined,
    };
    return await playback.handle(request);
  };

  for (const file of [
    "archive-1700000000-60.m3u8",
    "tracks-v1a1/rewind-60.m3u8",
    "archive-1700000000-60.mpd",
    "archive-1700000000-60.mp4",
    "timeshift_abs-1700000000.ts",
  ]) {
    test(`is refused, and why is said: ${file}`, async () => {
      await assert.rejects(ask(`/rec/cam/${file}`), { code: "STREAM_NOT_RECORDED", httpStatus: 404 });
      await assert.rejects(ask(`/nobody/${file}`), { code: "STREAM_NOT_FOUND" });
    });
  }

  test("as file where that protocol is off", async () => {
    await assert.rejects(ask("/hls/cam/archive-1-2.mp4"), { code: "STREAM_PROTOCOL_OFF" });
    await assert.rejects(ask("/hls/cam/archive-1-2.ts"), { code: "STREAM_PROTOCOL_OFF" });
  });
});

test("what waits for a disk that hangs has its share of the memory, however many threads there are", () => {
  const MiB = 2 ** 20;
  const cases = [
    { budget: 200, threads: 1, each: 200 },
    { budget: 200, threads: 4, each: 50 },
    { budget: 8000, threads: 4, each: 256 },
  ];
  for (const { budget, threads, each } of cases)
    assert.equal(waitingBytes(budget * MiB, threads), each * MiB);
});

test("nothing is loaded, and nothing to be closed, where nothing is recorded", async () => {
  const config = loadText("stream a { input publish://; }");
  const archives = new StreamArchives({ clock: new FakeClock(), log: silentLogger, config: () => config });
  await archives.keep(() => config);
  archives.close(CAM);
  await archives.stop();
});

test("hours that the server of episodes_url lists stay, others of their age go", async (t) => {
  const clock = new FakeClock(Date.UTC(2025, 10, 20) * 1000);
  const root = await mkdtemp(join(tmpdir(), "weir-episodes-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const day = join(root, "cam/2025/11/01");
  await mkdir(day, { recursive: true });
  for (const hour of ["07", "08", "09"]) await writeFile(join(day, `${hour}.mp4`), "media");
  const asked: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    asked.push(new URL(request.url!, "http://x").searchParams);
    const openedAt = Date.UTC(2025, 10, 1, 8, 30);
    const old = { opened_at: openedAt - 3_600_000, closed_at: openedAt - 1_800_000 };
    response.end(
      JSON.stringify({ episodes: [old, { opened_at: openedAt, closed_at: openedAt + 60_000 }] }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/kept`;
  // The first of the two was closed longer ago.
  const config = loadText(
    `stream cam { input publish://; dvr ${root} 1d episodes_url=${url} episodes_expiration=1611000; }`,
  );
  const warned: string[] = [];
  const warn = (message: string): void => void warned.push(message);
  const log: Logger = { ...silentLogger, warn, child: () => log };
  const archives = new StreamArchives({ clock, log, config: () => config });
  await archives.keep(() => config);
  const look = async (): Promise<void> => assert.deepEqual(await readdir(day), ["08.mp4"]);
  await eventually(look);
  await archives.stop();
  assert.equal(asked[0]!.get("name"), "cam");
  assert.deepEqual(warned, []);
});
