/** Sessions that are over, as the API still has them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { playClaim } from "../../../test/support/sessions.ts";
import { loadConfig } from "../../config/load.ts";
import { ServerSessions } from "./server-sessions.ts";

const SHOW = { showsTokens: false };

function setUp() {
  const { config } = loadConfig([{ file: "a.conf", text: "stream news { input publish://; }" }]);
  assert.ok(config !== undefined);
  const clock = new FakeClock();
  const sessions = new ServerSessions({ config, clock, log: new RecordingLog(), bus: { emit: () => 0 } });
  return { clock, table: sessions.table, view: sessions.view() };
}

test("one that is over can be looked up, with when and why, and is in no list", () => {
  const { clock, table, view } = setUp();
  table.begin(0, playClaim(), "v1");
  clock.advance(3000);
  assert.ok(view.kick("v1"));
  const { state, closeReason, openedAtMs, closedAtMs } = view.get("v1", SHOW)!;
  assert.deepEqual([state, closeReason], ["finished", "it was ended by the API"]);
  assert.equal(closedAtMs! - openedAtMs, 3000);
  assert.deepEqual([...view.list(SHOW)], []);
  assert.equal(view.kick("v1"), false, "it is over already");
});

test("the last thousand are kept, and one that goes on is shown as it is", () => {
  const { table, view } = setUp();
  for (let i = 0; i < 1002; i++) {
    table.begin(0, playClaim({ proto: "rtmp", ip: `192.0.${i >> 8}.${i & 255}` }), `p${i}`);
    table.closed(0, { id: `p${i}`, reason: "the client left" });
  }
  const known = (id: string): string | undefined => view.get(id, SHOW)?.state;
  assert.deepEqual(["p0", "p1", "p2", "p1001"].map(known), [undefined, undefined, "finished", "finished"]);
  table.begin(0, playClaim({ proto: "rtmp", ip: "192.0.0.2" }), "p2");
  assert.equal(known("p2"), "establishing");
});
