/** The live edge of a stream in another thread: who follows it, what crosses, what is left when nobody does. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import { wirePair } from "../../../test/support/wires.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { HttpBodySink, HttpReply, HttpRequest } from "../../base/http-message.ts";
import type { StreamName, TrackId } from "../../media/ids.ts";
import { LiveWindow } from "../../packaging/live-window.ts";
import type { LiveEdge, MediaBody } from "../../packaging/presentation.ts";
import type { RemoteWindow } from "../../packaging/remote-window.ts";
import type { HlsResource } from "../../protocols/hls/path.ts";
import { hlsReply } from "../../protocols/hls/reply.ts";
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

/** A client's end of a body. */
class RecordedBody implements HttpBodySink {
  moofs = 0;
  end_ = "open";

  write(bytes: Uint8Array): void {
    this.moofs += Buffer.from(bytes).toString("latin1").split("moof").length - 1;
  }
  queuedBytes(): number {
    return 0;
  }
  end(instead?: HttpReply): void {
    this.end_ = instead === undefined ? "ended" : String(instead.status);
  }
  abort(): void {
    this.end_ = "aborted";
  }
}

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
      edge: async (_, { version, windowVersion }) => {
        log.push("edge");
        await window.whenEdgeMoved(version);
        return window.edgeSnapshot(version, windowVersion);
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
    assert.equal(remote.heldRequests, 2);
    source.play({ seconds: 0.2 });
    await settle();
    assert.deepEqual([ended, remote.heldRequests], [["5 reached"], 1]);
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
    assert.equal(remote.partBytes, concatBytes(one!).byteLength);
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

  test("ends with the stream: its last segment comes, and who waits for more is told", async () => {
    const { edge } = await followed();
    const ended: string[] = [];
    const { sequence } = edge!.now()!.open!;
    for (const ahead of [0, 1])
      edge!.hold({
        ...{ sequence: sequence + ahead, part: null, address: "a" },
        end: (how) => void ended.push(`${ahead} ${how}`),
      });
    home.onEnd();
    await settle();
    assert.deepEqual([ended, edge!.now()], [["0 reached", "1 over"], null]);
    edge!.hold({ sequence, part: 0, address: "a", end: (how) => void ended.push(how) });
    assert.equal(ended.length, 2);
    await settle();
    assert.equal(ended[2], "over");
  });

  test("a segment that grows here is sent to its end when the stream ends there", async () => {
    const window = await followed();
    const { name: segment, parts } = window.edge!.now()!.open!;
    const body = new RecordedBody();
    const resource = { kind: "segment", selection: BOTH, name: segment } as const;
    const reply = await hlsReply(resource, window, "", request);
    reply.stream!(body);
    await eventually(() => assert.equal(body.moofs, parts.length));
    source.play({ seconds: 0.1 });
    home.onEnd();
    await eventually(() => assert.equal(body.end_, "ended"));
    assert.equal(body.moofs, parts.length + 1);
  });

  test("is followed while somebody waits, however long, and is told of every segment till then", async () => {
    const { edge } = await followed();
    const ended: string[] = [];
    const point = { sequence: edge!.now()!.open!.sequence, part: null, address: "a" };
    clock.advance(10_000);
    edge!.hold({ ...point, end: (how) => void ended.push(how) });
    clock.advance(5500);
    // A move that ends no wait, when nobody has asked for the edge for longer than it is kept for that.
    source.play({ seconds: 0.2 });
    await settle();
    assert.deepEqual(ended, []);
    source.play({ seconds: 1 });
    await settle();
    assert.deepEqual(ended, ["reached"]);
  });

  test("nobody makes this thread follow it by asking for what cannot be", async () => {
    const window = await remote.ready(name);
    const newest = Number(window.timeline().segments.at(-1)!.name);
    const get = async (resource: HlsResource): Promise<number> =>
      (await hlsReply(resource, window, "", request)).status;
    for (const far of [-60_000, 6001, 1e9])
      assert.equal(
        await get({ kind: "part", selection: BOTH, name: String(newest + far), index: 0 }),
        404,
        String(far),
      );
    await settle();
    assert.deepEqual(asked, []);
    const init = { kind: "init", selection: BOTH } as const;
    for (let n = 0; n < 50; n++)
      assert.equal(await get({ ...init, name: String(n).padStart(12, "0") }), 404);
    source.play({ seconds: 1 });
    await settle();
    assert.deepEqual([asked, window.edge!.now()], [["edge"], null]);
    clock.advance(1000);
    assert.equal(await get({ ...init, name: "f".repeat(12) }), 404);
    assert.deepEqual(asked, ["edge", "edge"]);
    await window.edge!.follow();
    source.play({ seconds: 0.2 });
    await settle();
    assert.deepEqual(shapeOf(window.edge!.now()!), shapeOf(home.edge!.now()!));
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
