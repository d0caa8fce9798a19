import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SessionFields } from "../../auth/sessions/session.ts";
import { sessionJson } from "../sessions-view.ts";
import { EVENTS } from "./catalogue.ts";
import type { EventName } from "./catalogue.ts";
import type { EventFields } from "./event.ts";
import { playEvents } from "./play-events.ts";

const SESSION: Required<SessionFields> = {
  ...{ id: "1", type: "play", name: "news", proto: "hls", ip: "192.0.2.1", country: "CH" },
  ...{ token: "s3cret", userId: "alice", maxSessions: 2, softLimitationMs: 0, userAgent: "player" },
  ...{
    referer: "https://example.com/",
    queryString: "token=s3cret",
    bytes: 5,
    openedAtMs: 1,
    startedAtMs: 2,
  },
  ...{ updatedAtMs: 3, closedAtMs: 4, closeReason: "inactivity", isTls: false, isDvr: false },
  ...{ namedBy: "config", requestNumber: 1, state: "finished" },
};

function toldOf(what: "opened" | "closed" | "denied", session: object): [EventName, EventFields] {
  const told: [EventName, EventFields][] = [];
  const emit = (name: EventName, fields: EventFields = {}): number => told.push([name, fields]);
  playEvents({ emit })({ what, session: session as Record<string, unknown> });
  assert.equal(told.length, 1);
  return told[0]!;
}

describe("sessions as events", () => {
  test("say what the page of events says, and of the session no token and no query", () => {
    const [name, fields] = toldOf("closed", sessionJson(SESSION));
    assert.equal(name, "play_closed");
    assert.deepEqual(Object.keys(fields).toSorted(), [...EVENTS.play_closed.fields].toSorted());
    assert.ok(!JSON.stringify(fields).includes("s3cret"));
  });

  test("say as `reason` why they ended", () => {
    const [, fields] = toldOf("closed", sessionJson(SESSION));
    assert.equal(fields["reason"], "inactivity");
  });

  test("say as `reason` why they were refused", () => {
    const [name, fields] = toldOf("denied", {
      type: "publish",
      name: "news",
      reason: "the password is another",
    });
    assert.equal(name, "publish_refused");
    assert.deepEqual(fields, { media: "news", type: "publish", reason: "the password is another" });
  });
});
