import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { audioTrack, sourcePacket, videoTrack } from "../../test/support/media.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { wirePair } from "../../test/support/wires.ts";
import type { StreamName } from "../media/ids.ts";
import type { PublishRequest, Publisher } from "./directory.ts";
import { streamErrors } from "./errors.ts";
import type { ThreadIndex } from "./homes.ts";
import { LocalDirectory } from "./local-directory.ts";
import type { StreamRules } from "./rules.ts";
import { SendPace } from "./send-pace.ts";
import { ThreadDirectory } from "./thread-directory.ts";
import type { ByteSink, SubscriptionEnd, WireFormatFactory } from "./wire-format.ts";

const CAMERA = "pub/camera" as StreamName;
const OTHER = "pub/other" as StreamName;
const GRACE_MS = 10_000;
const THREADS = 3;
const video = videoTrack();

/** Each packet as the first byte of its payload, each configuration as 200. */
const firstBytes: WireFormatFactory = {
  id: "test",
  create: () => ({
    tracks: () => Uint8Array.of(200),
    packet: (packet, room) => void (room.reserve(1)[room.offset] = packet.payload[0]!),
  }),
};

class Viewer implements ByteSink {
  readonly got: number[] = [];
  readonly ends: SubscriptionEnd[] = [];
  write(bytes: Uint8Array): void {
    this.got.push(...bytes);
  }
  queuedBytes(): number {
    return 0;
  }
  end(reason: SubscriptionEnd): void {
    this.ends.push(reason);
  }
}

/** Three threads in one: a registry of homes that answers in a turn of its own, and wires between all. */
class Threads {
  readonly clock = new FakeClock();
  readonly directories: ThreadDirectory[];
  readonly locals: LocalDirectory[] = [];
  readonly homes = new Map<StreamName, ThreadIndex>();
  readonly watchers = new Map<StreamName, Set<ThreadIndex>>();
  rules: Partial<StreamRules> = {};
  /** Of all threads. */
  readonly log = new RecordingLog();
  /** Names that have no rules any more. */
  readonly taken = new Set<string>();

  constructor() {
    this.directories = Array.from({ length: THREADS }, (_, index) => this.#make(index));
    for (let a = 0; a < THREADS; a++) {
      for (let b = a + 1; b < THREADS; b++) {
        const [one, other] = wirePair();
        this.directories[a]!.siblingChanged(b, one);
        this.directories[b]!.siblingChanged(a, other);
      }
    }
  }

  /** Lets messages arrive and timers of no delay run. */
  async settle(): Promise<void> {
    for (let i = 0; i < 12; i++) {
      await turn();
      this.clock.advance(0);
    }
  }

  /** A thread is gone, with all that it had. */
  kill(index: ThreadIndex): void {
    this.directories[index]!.close("killed");
    for (const [other, directory] of this.directories.entries()) {
      if (other !== index) directory.siblingChanged(index, null);
    }
    for (const [name, home] of this.homes) if (home === index) this.#move(name, null);
  }

  #make(index: ThreadIndex): ThreadDirectory {
    const pace = new SendPace(
      (run) => void this.clock.schedule(0, run),
      (run) => void this.clock.schedule(0, run),
    );
    const local = new LocalDirectory({
      clock: this.clock,
      log: this.log,
      pace,
      rulesOf: (name) => (name.startsWith("pub/") && !this.taken.has(name) ? this.#rulesOf(name) : null),
      maxStreams: 2,
      equip: () => {},
      onClosed: (name) => directory.streamClosed(name),
    });
    const directory: ThreadDirectory = new ThreadDirectory({
      index,
      local,
      clock: this.clock,
      log: this.log,
      pace,
      defer: (run) => void setImmediate(run),
      homes: {
        claim: async (name) => {
          await turn();
          if (!this.homes.has(name)) this.#move(name, index);
          return this.homes.get(name)!;
        },
        release: (name) => {
          if (this.homes.get(name) === index) this.#move(name, null);
        },
        watch: async (name) => {
          await turn();
          this.watchers.set(name, (this.watchers.get(name) ?? new Set()).add(index));
          return this.homes.get(name) ?? null;
        },
        unwatch: (name) => void this.watchers.get(name)?.delete(index),
      },
    });
    this.locals.push(local);
    return directory;
  }

  #rulesOf(name: StreamName): StreamRules {
    return {
      name,
      disabled: false,
      acceptsPublisher: true,
      secondPublisher: "refuse",
      sourceTimeoutMs: GRACE_MS,
      prepushMs: 0,
      allowsProtocol: (protocol) => protocol !== "dash",
      ...this.rules,
    };
  }

  #move(name: StreamName, home: ThreadIndex | null): void {
    if (home === null) this.homes.delete(name);
    else this.homes.set(name, home);
    for (const watcher of this.watchers.get(name) ?? []) this.directories[watcher]!.homeChanged(name, home);
  }
}

describe("streams of several threads", () => {
  let threads: Threads;
  let revoked: string[];
  let sent: number;

  beforeEach(() => {
    threads = new Threads();
    revoked = [];
    sent = 0;
  });

  const request = (changes: Partial<PublishRequest> = {}): PublishRequest => ({
    name: CAMERA,
    protocol: "rtmp",
    remoteAddress: "192.0.2.1",
    onRevoked: (reason) => revoked.push(reason),
    ...changes,
  });
  const publish = (thread: ThreadIndex): Promise<Publisher> =>
    threads.directories[thread]!.publish(request());

  /** Pictures with payloads that count on; every third begins a GOP. */
  async function send(publisher: Publisher, pictures: number): Promise<void> {
    for (let i = 0; i < pictures; i++) {
      const payload = new Uint8Array(8).fill(sent);
      publisher.write(sourcePacket({ track: video, dts: sent * 3600, isSync: sent % 3 === 0, payload }));
      sent++;
      threads.clock.advance(40);
      await threads.settle();
    }
  }

  function watch(
    thread: ThreadIndex,
    options: { waits?: boolean; name?: StreamName; format?: WireFormatFactory } = {},
  ): { viewer: Viewer; close(): void } {
    const viewer = new Viewer();
    const subscription = threads.directories[thread]!.subscribe({
      name: options.name ?? CAMERA,
      protocol: "rtmp",
      format: options.format ?? firstBytes,
      sink: viewer,
      ...(options.waits === undefined ? {} : { waitsForPublisher: options.waits }),
    });
    return { viewer, close: () => subscription.close() };
  }

  test("are found from every thread: viewers get the configuration, the GOP so far and all that follows", async () => {
    const publisher = await publish(0);
    publisher.setTracks([video]);
    await send(publisher, 5);
    const viewers = [0, 1, 1, 2].map((thread) => watch(thread).viewer);
    await threads.settle();
    await send(publisher, 3);
    for (const viewer of viewers) assert.deepEqual(viewer.got, [200, 3, 4, 5, 6, 7]);
    assert.equal(threads.directories[0]!.links, 2, "one link for each thread that watches");
    assert.equal(threads.directories[1]!.mirroredViewers, 2);
  });

  test("say once for all threads what an output leaves out, and again when it is something else", async () => {
    const pictures: WireFormatFactory = {
      ...firstBytes,
      id: "pictures",
      carries: ({ kind }) => kind === "video",
    };
    const said = (): unknown[] =>
      threads.log.of("warn").map(({ fields }) => [fields["stream"], fields["output"], fields["tracks"]]);
    watch(2, { format: pictures });
    await threads.settle();
    const publisher = await publish(0);
    publisher.setTracks([video, audioTrack()]);
    await send(publisher, 2);
    assert.deepEqual(said(), [[CAMERA, "pictures", "a1 (aac)"]], "the only viewer is in another thread");
    for (const thread of [0, 1, 1, 2]) watch(thread, { format: pictures });
    await threads.settle();
    await send(publisher, 2);
    assert.equal(said().length, 1);
    publisher.setTracks([video, audioTrack({ codec: "opus" })]);
    await send(publisher, 2);
    assert.deepEqual(said().slice(1), [[CAMERA, "pictures", "a1 (opus)"]]);
    publisher.setTracks([video]);
    await send(publisher, 2);
    assert.equal(said().length, 2);
  });

  test("end who would wait for a publisher once told to, in every thread", async () => {
    const publisher = await publish(0);
    publisher.setTracks([video]);
    await send(publisher, 1);
    const viewers = [0, 1, 2].map((thread) => watch(thread).viewer);
    await threads.settle();
    for (const thread of [0, 1]) threads.directories[thread]!.endWaiting();
    assert.deepEqual(
      viewers.map(({ ends }) => ends),
      [[], [], []],
      "the publisher is there",
    );
    publisher.close("gone");
    await threads.settle();
    assert.deepEqual(
      viewers.map(({ ends }) => ends),
      [["server-stopping"], ["server-stopping"], []],
    );
    threads.directories[2]!.endWaiting();
    assert.deepEqual(viewers[2]!.ends, ["server-stopping"]);
    assert.ok(threads.locals[0]!.find(CAMERA) !== null, "what was published stays");
  });

  test("let nobody wait who comes after that, for this name or another", async () => {
    const publisher = await publish(0);
    publisher.setTracks([video]);
    await send(publisher, 1);
    for (const directory of threads.directories) directory.endWaiting();
    const early = watch(1).viewer;
    await threads.settle();
    assert.deepEqual(early.ends, [], "the publisher is there");
    publisher.close("gone");
    await threads.settle();
    const others = [OTHER, CAMERA].flatMap((name) =>
      [0, 1].map((thread) => watch(thread, { name }).viewer),
    );
    await threads.settle();
    for (const { ends } of [early, ...others]) assert.deepEqual(ends, ["server-stopping"]);
    assert.deepEqual(
      threads.directories.map(({ mirroredViewers }) => mirroredViewers),
      [0, 0, 0],
    );
  });

  test("that the configuration takes away are waited for by nobody, in no thread", async () => {
    const viewers = [0, 1, 2].map((thread) => watch(thread).viewer);
    const others = [0, 1].map((thread) => watch(thread, { name: OTHER }).viewer);
    await threads.settle();
    threads.taken.add(CAMERA);
    for (const [thread, directory] of threads.directories.entries()) {
      threads.locals[thread]!.list()
        .filter(({ rules }) => rules.name === CAMERA)
        .forEach((stream) => threads.locals[thread]!.end(stream, "taken away"));
      directory.configure();
    }
    for (const { ends } of viewers) assert.deepEqual(ends, ["stream-ended"]);
    for (const { ends } of others) assert.deepEqual(ends, []);
    threads.rules = { sourceTimeoutMs: 500 };
    for (const directory of threads.directories) directory.configure();
    const late = watch(2, { name: OTHER }).viewer;
    await threads.settle();
    threads.clock.advance(GRACE_MS);
    await threads.settle();
    assert.deepEqual(late.ends, ["not-on-air"]);
  });

  test("are crossed no more when nobody watches any more", async () => {
    const publisher = await publish(0);
    publisher.setTracks([video]);
    await send(publisher, 1);
    const [one, other] = [watch(1), watch(1)];
    await threads.settle();
    one.close();
    await threads.settle();
    assert.equal(threads.directories[0]!.links, 1);
    other.close();
    other.close();
    await threads.settle();
    assert.deepEqual([threads.directories[0]!.links, threads.directories[1]!.links], [0, 0]);
    assert.equal(threads.watchers.get(CAMERA)!.size, 0);
  });

  test("may be waited for before anybody publishes, wherever the publisher then comes", async () => {
    for (const home of [0, 1]) {
      threads = new Threads();
      sent = 0;
      const viewers = [0, 1].map((thread) => watch(thread).viewer);
      await threads.settle();
      const publisher = await publish(home);
      publisher.setTracks([video]);
      await threads.settle();
      await send(publisher, 3);
      for (const viewer of viewers) assert.deepEqual(viewer.got, [200, 0, 1, 2], `home ${home}`);
    }
  });

  test("are waited for no longer than the rules say", async () => {
    const { viewer } = watch(1);
    await threads.settle();
    threads.clock.advance(GRACE_MS);
    assert.deepEqual(viewer.ends, ["not-on-air"]);
    assert.equal(threads.clock.pendingTimers, 0);
  });

  test("end at once for those who do not wait", async () => {
    const { viewer } = watch(1, { waits: false });
    await threads.settle();
    assert.deepEqual(viewer.ends, ["not-on-air"]);
    const publisher = await publish(0);
    publisher.setTracks([video]);
    await send(publisher, 1);
    const { viewer: later } = watch(1, { waits: false });
    await threads.settle();
    threads.clock.advance(1);
    assert.deepEqual([later.ends, later.got], [[], [200, 0]]);
  });

  test("have one publisher: a second is refused in every thread, and the name stays where it is", async () => {
    const publisher = await publish(0);
    publisher.setTracks([video]);
    await send(publisher, 1);
    for (const thread of [0, 1, 2]) await assert.rejects(publish(thread), { code: "STREAM_BUSY" });
    assert.deepEqual([...threads.homes], [[CAMERA, 0]]);
  });

  test("go to one of two publishers who come at the same time", async () => {
    const outcomes = await Promise.allSettled([publish(0), publish(1), publish(2)]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected", "rejected"]);
  });

  test("go on where they live when the publisher comes back to another thread", async () => {
    const first = await publish(0);
    first.setTracks([video]);
    await send(first, 2);
    const viewers = [0, 1, 2].map((thread) => watch(thread).viewer);
    await threads.settle();
    first.close("gone");
    await threads.settle();
    const second = await publish(1);
    second.setTracks([video]);
    sent = 3;
    await send(second, 3);
    for (const viewer of viewers) assert.deepEqual(viewer.got, [200, 0, 1, 200, 3, 4, 5]);
    assert.deepEqual([...threads.homes], [[CAMERA, 0]]);
    second.close("done");
    await threads.settle();
    threads.clock.advance(GRACE_MS);
    await threads.settle();
    assert.deepEqual(
      viewers.map(({ ends }) => ends),
      [["stream-ended"], ["stream-ended"], ["stream-ended"]],
    );
    assert.deepEqual([threads.homes.size, threads.directories.map(({ links }) => links)], [0, [0, 0, 0]]);
  });

  test("tell a publisher from another thread when it is replaced", async () => {
    threads.rules = { secondPublisher: "replace" };
    const first = await publish(0);
    first.setTracks([video]);
    first.close("gone");
    const guest = await publish(1);
    guest.setTracks([video]);
    await threads.settle();
    await publish(2);
    await threads.settle();
    assert.deepEqual(revoked, ["replaced by another publisher"]);
    assert.equal(threads.directories[1]!.links, 0);
  });

  test("are lost with their thread, but not their viewers elsewhere, who wait for the next home", async () => {
    const first = await publish(0);
    first.setTracks([video]);
    await send(first, 2);
    const { viewer } = watch(1);
    await threads.settle();
    threads.kill(0);
    await threads.settle();
    assert.deepEqual(viewer.ends, []);
    const second = await publish(2);
    second.setTracks([video]);
    sent = 3;
    await send(second, 2);
    assert.deepEqual(viewer.got, [200, 0, 1, 200, 3, 4]);
  });

  test("revoke a publisher whose stream's thread died, so that it comes back", async () => {
    const first = await publish(0);
    first.setTracks([video]);
    first.close("gone");
    const guest = await publish(1);
    guest.setTracks([video]);
    await threads.settle();
    threads.kill(0);
    assert.deepEqual(revoked, ["the thread of the stream is gone"]);
    guest.write(sourcePacket({ track: video }));
    const again = await publish(1);
    again.setTracks([video]);
    assert.equal(threads.homes.get(CAMERA), 1);
  });

  test("are claimed for nothing when the rules refuse: the name stays free", async () => {
    await assert.rejects(threads.directories[0]!.publish(request({ name: "other" as StreamName })), {
      code: "STREAM_NOT_FOUND",
    });
    const names = ["pub/1", "pub/2", "pub/3"] as StreamName[];
    await threads.directories[0]!.publish(request({ name: names[0]! }));
    await threads.directories[0]!.publish(request({ name: names[1]! }));
    await assert.rejects(threads.directories[0]!.publish(request({ name: names[2]! })), {
      code: "STREAM_LIMIT",
    });
    assert.equal(threads.homes.has(names[2]!), false);
    assert.throws(
      () => watchDash(),
      streamErrors.error("STREAM_PROTOCOL_OFF", { name: CAMERA, protocol: "dash" }),
    );
  });

  const watchDash = (): void =>
    void threads.directories[0]!.subscribe({
      name: CAMERA,
      protocol: "dash",
      format: firstBytes,
      sink: new Viewer(),
    });

  test("are found by name: where they live, or nowhere", async () => {
    assert.equal(await threads.directories[1]!.homeOf(CAMERA), null);
    await publish(2);
    assert.deepEqual(await Promise.all(threads.directories.map((one) => one.homeOf(CAMERA))), [2, 2, 2]);
    assert.equal(threads.watchers.get(CAMERA)!.size, 0);
  });
});
