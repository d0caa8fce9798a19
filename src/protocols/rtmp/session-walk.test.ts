import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { silentLogger } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import { streamErrors } from "../../stream/errors.ts";
import { isLegal } from "./session-states.ts";
import type { RtmpState } from "./session-states.ts";
import { RtmpSession } from "./session.ts";
import { clientCommand, clientConnect, clientHandshake, clientMessage } from "./test-client.ts";
import { DEFAULT_CHUNK_LIMITS } from "./wire/chunk-reader.ts";
import { MESSAGE } from "./wire/messages.ts";

type World = {
  readonly session: RtmpSession;
  nowUs: number;
  readonly open: { publications: number; playbacks: number; closed: number; refuse: boolean };
};

/** Everything that can happen to a session, besides the handshake. */
const STEPS: Readonly<Record<string, (world: World) => void>> = {
  connect: ({ session, nowUs }) => session.feed(clientConnect(), nowUs),
  createStream: ({ session, nowUs }) => session.feed(clientCommand("createStream", 2, null), nowUs),
  publish: ({ session, nowUs }) => session.feed(clientCommand("publish", 3, null, "a", "live"), nowUs),
  unpublish: ({ session, nowUs }) => session.feed(clientCommand("FCUnpublish", 4, null, "a"), nowUs),
  play: ({ session, nowUs }) => session.feed(clientCommand("play", 5, null, "a"), nowUs),
  pause: ({ session, nowUs }) => session.feed(clientCommand("pause", 6, null, true, 0), nowUs),
  resume: ({ session, nowUs }) => session.feed(clientCommand("pause", 6, null, false, 0), nowUs),
  deleteStream: ({ session, nowUs }) => session.feed(clientCommand("deleteStream", 7, null, 1), nowUs),
  video: ({ session, nowUs }) => session.feed(clientMessage(MESSAGE.video, Uint8Array.of(1), 0, 6), nowUs),
  media: ({ session }) => session.stream.media(Uint8Array.of(1)),
  ended: ({ session }) => session.stream.mediaEnd("stream-ended"),
  notOnAir: ({ session }) => session.stream.mediaEnd("not-on-air"),
  tooSlow: ({ session }) => session.stream.mediaEnd("too-slow"),
  revoke: ({ session }) => session.stream.revoke("test"),
  refuse: (world) => void (world.open.refuse = !world.open.refuse),
  wait: (world) => world.session.tick((world.nowUs += 40_000_000)),
  close: ({ session }) => session.close("peer-closed"),
};

function start(steps: string[]): World {
  const open = { publications: 0, playbacks: 0, closed: 0, refuse: false };
  const logger: Logger = {
    ...silentLogger,
    debug: (_message, fields) => {
      const { from, to } = fields as { from: RtmpState; to: RtmpState };
      steps.push(isLegal(from, to) ? to : `${from} to ${to}`);
    },
  };
  const admit = (): void => {
    if (open.refuse) throw streamErrors.error("STREAM_NOT_FOUND", { name: "a" });
  };
  const host = {
    write: () => {},
    holdReading: () => {},
    admit: () => undefined,
    moved: () => {},
    publish: () => {
      admit();
      open.publications++;
      return { message: () => {}, patienceMs: () => 0, close: () => void open.publications-- };
    },
    play: () => {
      admit();
      open.playbacks++;
      return { close: () => void open.playbacks-- };
    },
    closed: (reason: string) => {
      assert.notEqual(reason, "internal-error");
      open.closed++;
    },
  };
  const options = {
    chunkLimits: DEFAULT_CHUNK_LIMITS,
    handshakeTimeoutMs: 1000_000,
    idleTimeoutMs: 60_000,
    publishTimeoutMs: 60_000,
    pauseTimeoutMs: 60_000,
  };
  return { session: new RtmpSession(host, options, logger, 0), nowUs: 0, open };
}

test("random walks take legal steps only and leave nothing open", () => {
  const reached = new Set<string>();
  const names = fc.array(fc.constantFrom(...Object.keys(STEPS)), { maxLength: 25 });
  fc.assert(
    fc.property(names, (walk) => {
      const states: string[] = [];
      const world = start(states);
      world.session.feed(clientHandshake(), 0);
      world.session.feed(clientConnect(), 0);
      // Subscriptions that the core ends itself are not closed again, publications that it revokes neither.
      let endedByCore = 0;
      for (const name of walk) {
        const { state } = world.session.facts();
        const isCoreEnd = ["ended", "notOnAir", "tooSlow"].includes(name) && state === "playing";
        if (isCoreEnd || (name === "revoke" && state === "publishing")) endedByCore++;
        STEPS[name]!(world);
      }
      world.session.close("peer-closed");
      assert.equal(world.open.publications + world.open.playbacks, endedByCore);
      assert.equal(world.open.closed, 1);
      for (const state of states) reached.add(state);
    }),
    { numRuns: 1000, seed: 3 },
  );
  assert.deepEqual([...reached].toSorted(), [
    "closed",
    "connecting",
    "idle",
    "paused",
    "playing",
    "publishing",
  ]);
});
