/** The live edge of a stream in another thread: who follows it, what crosses, what is left when nobody does. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { LiveSource } from "../../test/support/live-source.ts";
import { wirePair } from "../../test/support/wires.ts";
import { concatBytes } from "../base/bytes.ts";
import type { HttpRequest } from "../base/http-message.ts";
import type { StreamName, TrackId } from "../media/ids.ts";
import { LiveWindow } from "../packaging/live-window.ts";
import type { LiveEdge, MediaBody } from "../packaging/presentation.ts";
import type { RemoteWindow } from "../packaging/remote-window.ts";
import { hlsReply } from "../protocols/hls/reply.ts";
import { RemoteWindows } from "./remote-windows.ts";
import type { WindowHost } from "./remote-windows.ts";

const name = "pub/x" as StreamName;
const request: HttpRequest = {
  method: "GET",
  path: "/",
  query: new URLSearchParams(),
  header: () => undefined,
  remoteAddress: "192.0.2.1",
};
const BOTH = ["v1", "a1"] as TrackId[];

describe("the edge of a stream whose home is another thread", () => {
  let clock: FakeClock;
  let home: LiveWindow;
  let source: LiveSource;
  let remote: RemoteWindows;
  let asked: string[];

  beforeEach(() => {
    clock = new FakeClock();
    home = new LiveWindow({ segmentDurationUs: 2e6, segmentCount: 4, chunkDurationUs: 200_000, clock });
    source = new LiveSource(home);
    source.play({ seconds: 9.04 });
    const [window, log]: [LiveWindow, string[]] = [home, []];
    asked = log;
    const host: WindowHost = {
      window: async (_, version) => {
        await window.whenChanged(version);
        return window.hasEnded ? null : window.snapshot();
      },
      segment: (_, segment, selection) => window.sharedSegment(segment, selection),
      edge: async (_, version, known) => {
        log.push("edge");
        await window.whenEdgeMoved(version);
        return window.hasEnded ? null : window.edgeSnapshot(known);
      },
      part: (_, segment, index, selection) => {
        log.push(`part ${index}`);
        return window.sharedPart(segment, index, selection);
      },
    };
    const [here, there] = wirePair();
    const none = { clock, homeOf: () => Promise.resolve(null) };
    new RemoteWindows({ ...none, host }).siblingChanged(0, there);
    remote = new RemoteWindows({ clock, host, homeOf: () => Promise.resolve(1) });
    remote.siblingChanged(1, here);
  });

  afterEach(() => remote.close());

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const followed = async (): Promise<RemoteWindow> => {
    const window = await remote.ready(name);
    await window.edge!.follow();
    return window;
  };
  const shapeOf = ({ open, timeline, partTargetUs }: LiveEdge): unknown => ({
    partTargetUs,
    open: open === null ? null : { ...open, tracks: open.tracks.epoch },
    segments: timeline.segments.map((segment) => [segment.sequence, segment.name, segment.parts]),
  });

  test("is asked for only when somebody here wants it, and then is the home's", async () => {
    const window = await remote.ready(name);
    await settle();
    assert.deepEqual([asked, window.edge!.now()], [[], null]);
    await window.edge!.follow();
    assert.deepEqual(shapeOf(window.edge!.now()!), shapeOf(home.edge!.now()!));
    assert.equal(window.edge!.follow(), null);
  });

  test("moves with the home's, and wakes who waits here", async () => {
    const window = await followed();
    const ended: string[] = [];
    const { sequence } = window.edge!.now()!.open!;
    for (const part of [5, 6])
      window.edge!.hold({ sequence, part, address: "a", end: (how) => void ended.push(`${part} ${how}`) });
    source.play({ seconds: 0.2 });
    await settle();
    assert.deepEqual(ended, ["5 reached"]);
    for (let n = 0; n < 12; n++) {
      source.play({ seconds: 0.2 });
      await settle();
      assert.deepEqual(shapeOf(window.edge!.now()!), shapeOf(home.edge!.now()!));
    }
    assert.deepEqual(ended, ["5 reached", "6 reached"]);
    assert.equal(window.edge!.now()!.open!.tracks, window.timeline().tracks);
  });

  test("a part crosses once for all who ask, in shared memory", async () => {
    const { edge } = await followed();
    const { open } = edge!.now()!;
    const [one, other] = await Promise.all([
      edge!.part(open!.name, 2, BOTH),
      edge!.part(open!.name, 2, BOTH),
    ]);
    assert.equal(one, other);
    assert.equal(edge!.part(open!.name, 2, BOTH), one);
    assert.ok(one!.slice(1).every(({ buffer }) => buffer instanceof SharedArrayBuffer));
    assert.deepEqual(concatBytes(one!), concatBytes(home.edge!.part(open!.name, 2, BOTH) as MediaBody));
    assert.equal(await edge!.part(open!.name, 77, BOTH), null);
    assert.deepEqual(
      asked.filter((what) => what !== "edge"),
      ["part 2", "part 77"],
    );
  });

  test("a part that another thread hinted at is waited for, though this one is told of it later", async () => {
    const window = await followed();
    const { name: segment, parts } = window.edge!.now()!.open!;
    const get = async (part: string, index: number): Promise<number> => {
      const resource = { kind: "part", selection: BOTH, name: part, index } as const;
      return (await hlsReply(resource, window, "", request)).status;
    };
    const waiting = [
      get(segment, parts.length),
      get(segment, parts.length + 1),
      get(String(Number(segment) + 2000), 0),
    ];
    assert.equal(await get(segment, parts.length + 2), 404);
    assert.equal(await get("1", 0), 404);
    for (let n = 0; n < 12; n++) {
      source.play({ seconds: 0.2 });
      await settle();
    }
    assert.deepEqual(await Promise.all(waiting), [200, 200, 200]);
  });

  test("the init segment of what grows is known wherever somebody asks for it", async () => {
    const window = await remote.ready(name);
    home.onPause();
    source.play({ seconds: 0.5, begins: "track-change", hasAudio: false });
    const { tracks } = home.edge!.now()!.open!;
    const init = home.initName(tracks, ["v1"] as TrackId[]);
    const resource = { kind: "init", selection: ["v1"] as TrackId[], name: init } as const;
    assert.equal((await hlsReply(resource, window, "", request)).status, 200);
    assert.equal((await hlsReply({ ...resource, name: "0".repeat(12) }, window, "", request)).status, 404);
  });

  test("is followed no more when nobody has asked for it for a while, and again when somebody does", async () => {
    const { edge } = await followed();
    clock.advance(16_000);
    for (let n = 0; n < 3; n++) {
      source.play({ seconds: 0.2 });
      await settle();
    }
    const before = asked.length;
    source.play({ seconds: 1 });
    await settle();
    assert.equal(asked.length, before);
    assert.equal(edge!.now(), null);
    await edge!.follow();
    assert.deepEqual(shapeOf(edge!.now()!), shapeOf(home.edge!.now()!));
  });

  test("ends with the stream: who waits is told", async () => {
    const { edge } = await followed();
    const ended: string[] = [];
    const { sequence } = edge!.now()!.open!;
    edge!.hold({ sequence, part: null, address: "a", end: (how) => void ended.push(how) });
    home.onEnd();
    await settle();
    assert.deepEqual([ended, edge!.now()], [["over"], null]);
    edge!.hold({ sequence, part: 0, address: "a", end: (how) => void ended.push(how) });
    assert.equal(ended.length, 1);
    await settle();
    assert.deepEqual(ended, ["over", "over"]);
  });

  test("ends with the thread: who waits is told", async () => {
    const { edge } = await followed();
    const ended: string[] = [];
    edge!.hold({ ...edge!.now()!.open!, part: null, address: "a", end: (how) => void ended.push(how) });
    remote.siblingChanged(1, null);
    await settle();
    assert.deepEqual(ended, ["over"]);
  });
});
