import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { wirePair } from "../../test/support/wires.ts";
import { Channel } from "./channel.ts";
import type { CallHandlers } from "./channel.ts";
import { defineErrors, MediaError } from "./errors.ts";

const errors = defineErrors({
  TEST_REFUSED: { disposition: "reject", httpStatus: 409, message: "no {what}", doc: "A test." },
});

type Left = { double: { argument: number; answer: number }; never: { argument: null; answer: null } };
type Right = { note: { argument: string; answer: null } };

function pair(handlers: CallHandlers<Left>): {
  asking: Channel<Left, Right>;
  notes: string[];
  answering: Channel<Right, Left>;
} {
  const notes: string[] = [];
  const [a, b] = wirePair();
  const asking = new Channel<Left, Right>(a, {
    note: (text) => {
      notes.push(text);
      return null;
    },
  });
  const answering = new Channel<Right, Left>(b, handlers);
  return { asking, answering, notes };
}

const NEVER = new Promise<null>(() => {});
const handlers: CallHandlers<Left> = { double: (n) => n * 2, never: () => NEVER };

describe("a channel between threads", () => {
  test("gives each question its own answer", async () => {
    const { asking } = pair(handlers);
    assert.deepEqual(await Promise.all([asking.ask("double", 4), asking.ask("double", 5)]), [8, 10]);
  });

  test("delivers what is told in order", async () => {
    const { answering, notes } = pair(handlers);
    answering.tell("note", "a");
    answering.tell("note", "b");
    await turn();
    await turn();
    assert.deepEqual(notes, ["a", "b"]);
  });

  test("carries an error with its code, its words and its status", async () => {
    const refusing = {
      ...handlers,
      double: () => Promise.reject(errors.error("TEST_REFUSED", { what: "{luck}" })),
    };
    const { asking } = pair(refusing);
    await assert.rejects(asking.ask("double", 1), (error) => {
      assert.ok(error instanceof MediaError);
      assert.deepEqual(
        [error.code, error.message, error.httpStatus, error.disposition],
        ["TEST_REFUSED", "no {luck}", 409, "reject"],
      );
      return true;
    });
  });

  test("carries an unforeseen error as its words", async () => {
    const { asking } = pair({
      ...handlers,
      double: () => {
        throw new RangeError("too far");
      },
    });
    await assert.rejects(asking.ask("double", 1), /too far/);
  });

  test("fails what waits when it closes, and all that is asked later", async () => {
    const { asking } = pair(handlers);
    const waiting = asking.ask("never", null);
    asking.close();
    await assert.rejects(waiting, { code: "CHANNEL_CLOSED" });
    await assert.rejects(asking.ask("double", 1), { code: "CHANNEL_CLOSED" });
  });

  test("gives up a question at its deadline", async () => {
    const { asking } = pair(handlers);
    const clock = new FakeClock();
    const late = asking.ask("never", null, { clock, ms: 50 });
    clock.advance(50);
    await assert.rejects(late, { code: "CHANNEL_LATE" });
  });

  test("refuses more questions than may wait", async () => {
    const { asking } = pair(handlers);
    const waiting = Array.from({ length: Channel.MAX_WAITING }, () => asking.ask("never", null));
    await assert.rejects(asking.ask("double", 1), { code: "CHANNEL_BUSY" });
    asking.close();
    const ends = await Promise.allSettled(waiting);
    assert.ok(ends.every(({ status }) => status === "rejected"));
  });
});
