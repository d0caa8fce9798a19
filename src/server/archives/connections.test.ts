/** Addresses of archives that are played through one connection, and what answers them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { openAccess } from "../../../test/support/open-access.ts";
import { silentLogger } from "../../base/log.ts";
import type { HttpBodySource, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { HOUR_US } from "../../dvr/format/hour.ts";
import type { StreamName } from "../../media/ids.ts";
import { archiveAddress, mseArchive } from "./connections.ts";
import { Playback } from "../playback.ts";
import type { PlaybackParts } from "../playback.ts";
import { findRecording } from "./recordings.ts";
import { StreamArchives } from "./stream-archives.ts";

const HOUR = 496_640;
const START_S = HOUR * 3600;
const root = mkdtempSync(join(tmpdir(), "weir-connections-"));
after(() => rmSync(root, { recursive: true, force: true }));

const hour = new ArchiveHour(HOUR);
for (let i = 0; i < 6; i++) hour.segment();
for (const [path, bytes] of Object.entries(hour.files(join(root, "rec/cam")))) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

function loadText(text: string): ResolvedConfig {
  const { config, problems } = loadConfig([{ file: "flussonic.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config;
}

const config = loadText(`
  template r { prefix rec; input publish://; dvr ${root}; }
  template n { prefix none; input publish://; }
  template h { prefix hls; input publish://; protocols hls; dvr ${root}; }
`);
const clock = new FakeClock((HOUR + 3) * HOUR_US);
const archives = new StreamArchives({ clock, log: silentLogger, config: () => config });
const vods = { find: () => null } as unknown as PlaybackParts["vods"];
const parts = { access: openAccess(), config: () => config, archives, vods, clock, log: silentLogger };
const playback = new Playback(parts as unknown as PlaybackParts);

function ask(address: string, isSocket = false): Promise<HttpReply> | HttpReply | null {
  const url = new URL(address, "http://host");
  const headers: Record<string, string> = isSocket
    ? {
        ...{ upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13" },
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      }
    : {};
  const request: HttpRequest = {
    ...{ method: "GET", path: url.pathname, query: url.searchParams, remoteAddress: "192.0.2.1" },
    header: (name) => headers[name],
  };
  return playback.handle(request);
}

describe("the address of an archive", () => {
  const query = (text: string): URLSearchParams => new URLSearchParams(text);
  for (const [name, text, want] of [
    ["cam", "", null],
    ["a/cam", "to=5", null],
    ["archive-1-2", "", null],
    ["cam/archive-1-x", "", null],
    ["a/cam/archive-1-2", "", ["a/cam", { kind: "archive", fromS: 1, durationS: 2 }]],
    ["cam/archive-1-now", "", ["cam", { kind: "archive", fromS: 1, durationS: null }]],
    ["cam/rewind-60", "", ["cam", { kind: "rewind", agoS: 60 }]],
    ["cam/timeshift_abs-5", "from=7", ["cam", { kind: "timeshift_abs", fromS: 5 }]],
    ["cam/timeshift_rel-5", "", ["cam", { kind: "timeshift_rel", agoS: 5 }]],
    ["a/cam", "from=7", ["a/cam", { kind: "timeshift_abs", fromS: 7 }]],
    ["cam", "token=x&from=7&to=9", ["cam", { kind: "archive", fromS: 7, durationS: 2 }]],
  ] as const) {
    test(`"${name}?${text}" is ${JSON.stringify(want)}`, () => {
      const found = archiveAddress(name, query(text));
      assert.deepEqual(found === null ? null : [found.name, found.span], want);
    });
  }
});

describe("an archive over HTTP, as long as it plays", () => {
  for (const [address, type, begin] of [
    [`/rec/cam/timeshift_abs-${START_S}.ts`, "video/mp2t", 0x47],
    [`/rec/cam/mpegts?from=${START_S}`, "video/mp2t", 0x47],
    [`/rec/cam/mpegts?from=${START_S}&to=${START_S + 8}&filter.tracks=a1`, "video/mp2t", 0x47],
    [`/rec/cam/archive-${START_S}-8.flv`, "video/x-flv", 0x46],
    [`/rec/cam/timeshift_rel-${3 * 3600}.flv`, "video/x-flv", 0x46],
    [`/rec/cam.flv?from=${START_S}.5`, "video/x-flv", 0x46],
  ] as const) {
    test(`answers ${address}`, async () => {
      const reply = (await ask(address))!;
      assert.deepEqual([reply.status, reply.headers[0]], [200, ["content-type", type]]);
      const pieces: Uint8Array[] = [];
      let ends = 0;
      const source: HttpBodySource = reply.stream!({
        write: (bytes) => void pieces.push(bytes),
        queuedBytes: () => 0,
        end: () => void ends++,
        abort: () => assert.fail("it is cut off"),
      });
      assert.equal(playback.fileViewers, 1);
      await eventually(() => assert.ok(pieces.length > 0), { intervalMs: 1 });
      assert.equal(pieces[0]![0], begin);
      assert.equal(ends, 0, "it has not been sent as fast as could be");
      source.close();
      assert.deepEqual([playback.fileViewers, clock.pendingTimers], [0, 0]);
    });
  }

  test("a range as a transport stream is a download", async () => {
    const reply = (await ask(`/rec/cam/archive-${START_S}-8.ts`))!;
    assert.ok(reply.headers.some(([name]) => name === "content-disposition"));
  });

  test("waits for what is recorded next, and not for long when the server drains", async () => {
    const draining = new StreamArchives({ clock, log: silentLogger, config: () => config });
    const node = new Playback({ ...parts, archives: draining } as unknown as PlaybackParts);
    const query = new URLSearchParams(`from=${START_S}`);
    const request = {
      method: "GET",
      path: "/rec/late.flv",
      query,
      remoteAddress: "",
      header: () => undefined,
    };
    // Another stream, which was on air a moment ago.
    for (const [path, bytes] of Object.entries(hour.files(join(root, "rec/late")))) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
    clock.stepWall(-(clock.wallUs() - (START_S + 12) * 1_000_000) / 1000);
    const reply = (await node.handle(request))!;
    let ends = 0;
    reply.stream!({
      write: () => {},
      queuedBytes: () => 0,
      end: () => void ends++,
      abort: () => assert.fail("it is cut off"),
    });
    const pass = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 100) {
        await clock.advanceSettling(100, 100);
        // Files are read meanwhile.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    await pass(30_000);
    assert.deepEqual([ends, node.fileViewers], [0, 1], "60 s are the usual time");
    draining.drain();
    await eventually(
      async () => {
        await pass(1000);
        assert.deepEqual([ends, node.fileViewers], [1, 0]);
      },
      { intervalMs: 1 },
    );
    clock.stepWall(3 * 3_600_000);
  });

  test("over a WebSocket too", async () => {
    const reply = (await ask(`/rec/cam.flv?from=${START_S}`, true))!;
    assert.equal(reply.status, 101);
  });

  for (const [address, code] of [
    [`/none/cam/timeshift_abs-${START_S}.ts`, "STREAM_NOT_RECORDED"],
    [`/none/cam.flv?from=${START_S}`, "STREAM_NOT_RECORDED"],
    [`/nobody/timeshift_rel-5.ts`, "STREAM_NOT_FOUND"],
    [`/hls/cam/mpegts?from=5`, "STREAM_PROTOCOL_OFF"],
    [`/hls/cam.flv?from=5`, "STREAM_PROTOCOL_OFF"],
    [`/rec/cam/timeshift_rel-5.ts`, "DVR_NOTHING_RECORDED"],
    [`/rec/cam/archive-5-5.flv`, "DVR_NOTHING_RECORDED"],
    [`/rec/cam.flv?from=yesterday`, "SPAN_BAD_TIME"],
    [`/rec/cam.flv?from=${START_S}&filter.tracks=x`, "TRACKS_BAD_FILTER"],
    [`/rec/cam.flv?from=${START_S}&filter.tracks=v3`, "TRACKS_NOT_THERE"],
  ] as const) {
    test(`${address} is refused: ${code}`, async () => {
      await assert.rejects(async () => await ask(address), { code });
      assert.equal(playback.fileViewers, 0);
    });
  }
});

describe("an archive over RTMP and MSE-LD", () => {
  const open = (name: string, query = "", protocol = "rtmp"): ReturnType<typeof findRecording> =>
    findRecording({ name: name as StreamName, container: null, query }, protocol, {
      config,
      vods,
      archives,
    });

  test("is what a span behind the name, or a time in the query, asks for", async () => {
    for (const opened of [
      open(`rec/cam/archive-${START_S}-8`),
      open("rec/cam", `from=${START_S}&to=${START_S + 8}`),
    ]) {
      const packets = await opened!();
      assert.ok(Math.abs(packets.endUs - 8_000_000) < 2000, `${packets.endUs}`);
      assert.ok((await packets.startAt(500)) < 500);
    }
    assert.equal(open("rec/cam", "token=x"), null, "live");
  });

  test("is refused as over HTTP", async () => {
    assert.throws(() => open("none/cam", "from=5"), { code: "STREAM_NOT_RECORDED" });
    assert.throws(() => open("hls/cam", "from=5"), { code: "STREAM_PROTOCOL_OFF" });
    assert.throws(() => open("rec/cam", "from=x"), { code: "SPAN_BAD_TIME" });
    await assert.rejects(open("rec/cam", "from=5&to=6")!(), { code: "DVR_NOTHING_RECORDED" });
  });

  test("has UTC for its clock over MSE-LD, and no time that is none", async () => {
    const archive = mseArchive("rec/cam" as StreamName, parts)!;
    const packets = await archive(START_S + 4.5);
    assert.equal(packets.atUtc!((START_S + 5) * 1_000_000), (START_S + 5) * 1_000_000);
    await assert.rejects(archive(999_999_999_999), { code: "DVR_NOTHING_RECORDED" });
    assert.equal(mseArchive("none/cam" as StreamName, parts), null);
  });
});
