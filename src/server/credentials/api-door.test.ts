import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { ApiKeys } from "../../auth/credentials/api-access.ts";
import { REFUSED_FROM } from "../../auth/credentials/failures.ts";
import type { RepeatedFailures } from "../../auth/credentials/failures.ts";
import type { HttpRequest } from "../../base/http-message.ts";
import { ApiDoor } from "./api-door.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

function request(authorization: string | undefined, method = "GET"): HttpRequest {
  return {
    method,
    path: "/streamer/api/v3/streams",
    query: new URLSearchParams(),
    remoteAddress: "192.0.2.1",
    header: (name) => (name === "authorization" ? authorization : undefined),
  };
}

describe("the door of the API", () => {
  let clock: FakeClock;
  let door: ApiDoor;
  let told: RepeatedFailures[];
  let keys: ApiKeys;

  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    keys = {
      editAuth: { login: "root", password: "secret" },
      apiTokens: [{ name: "portal", token: "wt_portal", scopes: ["streams"] }],
    };
    door = new ApiDoor({ clock, keys: () => keys, onRepeated: (what) => told.push(what) });
  });

  /** What comes in as `edit root`, what is told as `401 API_NO_CREDENTIALS`. */
  async function enter(authorization: string | undefined, path = "/streams"): Promise<string> {
    const entrance = door.enter(request(authorization), path);
    void clock.advanceSettling(11_000, 1000);
    const got = await entrance;
    if (got.kind === "in") return `${got.access} ${got.who}`;
    const { status, headers } = got.reply;
    return `${status} ${headers.find(([name]) => name === "x-error-code")?.[1]}`;
  }

  test("lets in who is configured, as far as the scopes go", async () => {
    assert.equal(await enter(basic("root:secret")), "edit root");
    assert.equal(await enter("Bearer wt_portal"), "edit portal");
    assert.equal(await enter("Bearer wt_portal", "/config"), "403 AUTH_SCOPE");
    assert.equal(await enter(undefined), "401 API_NO_CREDENTIALS");
    assert.equal(await enter(basic("root:other")), "401 API_NO_CREDENTIALS");
    keys = {};
    assert.equal(await enter(basic("root:secret")), "401 API_NO_CREDENTIALS");
  });

  test("judges nothing after too many failures, also not what is right, and says how long", async () => {
    for (let i = 0; i < REFUSED_FROM; i++)
      assert.equal(await enter(basic("root:x")), "401 API_NO_CREDENTIALS");
    assert.deepEqual(told, [{ ip: "192.0.2.1", count: 5 }]);
    const entrance = await door.enter(request(basic("root:secret")), "/streams");
    assert.ok(entrance.kind === "out");
    assert.equal(entrance.reply.status, 429);
    assert.ok(entrance.reply.headers.some(([, value]) => value === "AUTH_TOO_MANY_FAILURES"));
    const retries = entrance.reply.headers.filter(([name]) => name === "retry-after");
    assert.equal(retries.length, 1);
    assert.ok(Number(retries[0]![1]) > 0 && Number(retries[0]![1]) <= 30);
    assert.match(await enter(undefined), /^401/);
  });

  test("does not count those who say nothing, as browsers do at first", async () => {
    for (let i = 0; i < 100; i++) await door.enter(request(undefined), "/streams");
    assert.equal(clock.pendingTimers, 0);
    assert.equal(await enter(basic("root:secret")), "edit root");
  });

  test("says AUTH_BUSY when too many hashes wait", async () => {
    const hash = `$scrypt$ln=10,r=8,p=1$c2l4dGVlbi1ieXRlcy1vaw$${"A".repeat(43)}`;
    keys = { editAuth: { login: "root", password: hash } };
    const entrances = Array.from({ length: 35 }, (_, i) =>
      door.enter(request(basic(`root:${i}`)), "/streams"),
    );
    const last = await entrances.at(-1)!;
    assert.ok(last.kind === "out");
    assert.deepEqual(last.reply.headers.find(([name]) => name === "x-error-code")?.[1], "AUTH_BUSY");
  });
});
