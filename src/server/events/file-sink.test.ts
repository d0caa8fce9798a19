import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields } from "../../base/log.ts";
import type { EventSinkPlan } from "../../config/plan.ts";
import { FileSink } from "./file-sink.ts";
import { openTransport } from "./open-transport.ts";

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-file-sink-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const lineOf = (json: string): string => json;

test("events are lines of a file that others may not read", async (t) => {
  const path = join(await folderOf(t), "events.log");
  const sink = new FileSink({ path, lineOf });
  await sink.send(["1", "2"]);
  await sink.send(["3"]);
  await sink.close();
  assert.equal(await readFile(path, "utf8"), "1\n2\n3\n");
  assert.equal((await stat(path)).mode & 0o007, 0);
});

test("a file that has grown is put aside, and only so many are kept", async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, "events.log");
  const sink = new FileSink({ path, lineOf, maxBytes: 10, keptFiles: 2 });
  for (let n = 1; n <= 6; n++) await sink.send([`${n}`.repeat(7)]);
  await sink.close();
  assert.deepEqual((await readdir(folder)).toSorted(), ["events.log", "events.log.1", "events.log.2"]);
  assert.equal(await readFile(path, "utf8"), "6666666\n");
  assert.equal(await readFile(`${path}.2`, "utf8"), "4444444\n");
});

test("a file that somebody moved away is begun anew", async (t) => {
  const path = join(await folderOf(t), "events.log");
  const sink = new FileSink({ path, lineOf });
  await sink.send(["1"]);
  await rename(path, `${path}.moved`);
  await sink.send(["2"]);
  await sink.close();
  assert.equal(await readFile(path, "utf8"), "2\n");
});

test("neither a link nor a folder is written to", async (t) => {
  const folder = await folderOf(t);
  const link = join(folder, "link");
  await symlink(join(folder, "elsewhere"), link);
  await assert.rejects(new FileSink({ path: link, lineOf }).send(["1"]), { code: "ELOOP" });
  await assert.rejects(new FileSink({ path: folder, lineOf }).send(["1"]));
  assert.deepEqual(await readdir(folder), ["link"]);
});

const PLAN: EventSinkPlan = {
  name: "one",
  url: "",
  only: [],
  except: [],
  throttleDelayMs: 0,
  resendTimeoutMs: 1000,
  maxSizeBytes: 1 << 20,
  place: { file: "a.conf", line: 1, column: 1, length: 1 },
};

test("a sink's URL says what takes its events", () => {
  const options = { clock: systemClock, log: silentLogger, allowedHosts: ["portal.example", "*.inside"] };
  const rows: [string, boolean | null][] = [
    ["http://portal.example/events", true],
    ["https://a.inside:8443/", true],
    ["http://other.example/", null],
    ["http://portal.example.evil/", null],
    ["http://169.254.169.254/", null],
    ["http://[::1]/", null],
    ["log://", false],
    ["log:///var/log/events.log", false],
    ["jsonlog:///var/log/events.log", false],
    ["log://relative/events.log", null],
    ["jsonlog:///var/log/../../etc/passwd", null],
    ["jsonlog:///var/log/", null],
    ["file:///etc/passwd", null],
    ["http://", null],
  ];
  for (const [url, isRemote] of rows) {
    const open = (): boolean => openTransport({ ...PLAN, url }, options).isRemote;
    if (isRemote === null) assert.throws(open, { code: "EVENTS_BAD_SINK" }, url);
    else assert.equal(open(), isRemote, url);
  }
});

test("events go to the log at the sink's level", async () => {
  const lines: [string, LogFields][] = [];
  const log = {
    ...silentLogger,
    warn: (message: string, fields = {}) => void lines.push([message, fields]),
  };
  const options = { clock: systemClock, log, allowedHosts: [] };
  const { transport } = openTransport({ ...PLAN, url: "log://", level: "warning" }, options);
  await transport.send(['{"event":"stream_opened"}'], new AbortController().signal);
  assert.deepEqual(lines, [["event", { event: "stream_opened" }]]);
});
