import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { ApiKeys } from "../../auth/credentials/api-access.ts";
import { hashPassword } from "../../auth/credentials/password-hash.ts";
import { REFUSED_FROM } from "../../auth/credentials/failures.ts";
import type { RepeatedFailures } from "../../auth/credentials/failures.ts";
import type { HttpRequest } from "../../base/http-message.ts";
import { ApiDoor } from "./api-door.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

function request(
  authorization: string | undefined,
  method = "GET",
  remoteAddress = "192.0.2.1",
): HttpRequest {
  return {
    method,
    path: "/streamer/api/v3/streams",
    query: new URLSearchParams(),
    remoteAddress,
    header: (name) => (name === "authorization" ? authorization : undefined),
  };
}

describe("the door of the API", () => {
  let clock: FakeClock;
  let door: ApiDoor;
  let told: RepeatedFailures[];
  let keys: ApiKeys;
  let allowedFrom: string[];
  let isProduction: boolean;
  let wellKnown: string[];

  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    keys = {
      editAuth: { login: "root", password: "secret" },
      apiTokens: [{ name: "portal", token: "wt_portal", scopes: ["streams"] }],
    };
    allowedFrom = [];
    isProduction = false;
    wellKnown = [];
    door = new ApiDoor({
      clock,
      keys: () => keys,
      allowedFrom: () => allowedFrom,
      isProduction: () => isProduction,
      onWellKnown: ({ ip, who }) => wellKnown.push(`${who} ${ip}`),
      onRepeated: (what) => told.push(what),
    });
  });

  /** What comes in as `edit root`, what is told as `401 API_NO_CREDENTIALS`. */
  async function enter(authorization: string | undefined, ip?: string): Promise<string> {
    const entrance = door.enter(request(authorization, "GET", ip));
    void clock.advanceSettling(11_000, 1000);
    const got = await entrance;
    if (got.kind === "in") return `${got.grant.access} ${got.who}`;
    const { status, headers } = got.reply;
    return `${status} ${headers.find(([name]) => name === "x-error-code")?.[1]}`;
  }

  test("lets in who is configured, whatever its scopes are", async () => {
    assert.equal(await enter(basic("root:secret")), "edit root");
    assert.equal(await enter("Bearer wt_portal"), "edit portal");
    assert.equal(await enter(undefined), "401 API_NO_CREDENTIALS");
    assert.equal(await enter(basic("root:other")), "401 API_NO_CREDENTIALS");
    keys = {};
    assert.equal(await enter(basic("root:secret")), "401 API_NO_CREDENTIALS");
  });

  test("takes what everybody knows from inside alone, and from nobody in production, behind a hash too", async () => {
    const hash = await hashPassword("letmein!", "scrypt");
    keys = {
      editAuth: { login: "root", password: "password" },
      viewAuth: { login: "viewer", password: hash },
      apiTokens: [
        { name: "portal", token: "streamer", scopes: ["view"] },
        { name: "good", token: "wt_1234567", scopes: ["view"] },
      ],
    };
    const known = [
      [basic("root:password"), "edit root"],
      [basic("viewer:letmein!"), "view viewer"],
      ["Bearer streamer", "view portal"],
      [basic("portal:streamer"), "view portal"],
    ] as const;
    for (const [said, who] of known) {
      for (const ip of ["127.0.0.1", "10.1.2.3", "fd00::7"]) assert.equal(await enter(said, ip), who, ip);
      wellKnown = [];
      for (const ip of ["203.0.113.7", "2001:db8::1"])
        assert.equal(await enter(said, ip), "401 API_NO_CREDENTIALS", ip);
      const [, name] = who.split(" ");
      assert.deepEqual(wellKnown, [`${name} 203.0.113.7`, `${name} 2001:db8::1`]);
    }
    assert.equal(await enter("Bearer wt_1234567", "203.0.113.8"), "view good");
    isProduction = true;
    for (const [said] of known) assert.equal(await enter(said, "127.0.0.1"), "401 API_NO_CREDENTIALS");
    assert.equal(await enter("Bearer wt_1234567"), "view good");
  });

  test("lets in nobody from elsewhere, and judges nothing of what they say", async () => {
    allowedFrom = ["10.10/16", "2001:db8::/32"];
    assert.equal(await enter(basic("root:secret")), "403 API_ADDRESS");
    assert.equal(await enter(undefined), "403 API_ADDRESS");
    allowedFrom = ["192.0.2.0/24"];
    assert.equal(await enter(basic("root:secret")), "edit root");
  });

  test("judges nothing after too many failures, also not what is right, and says how long", async () => {
    for (let i = 0; i < REFUSED_FROM; i++)
      assert.equal(await enter(basic("root:x")), "401 API_NO_CREDENTIALS");
    assert.deepEqual(told, [{ ip: "192.0.2.1", count: 5 }]);
    const entrance = await door.enter(request(basic("root:secret")));
    assert.ok(entrance.kind === "out");
    assert.equal(entrance.reply.status, 429);
    assert.ok(entrance.reply.headers.some(([, value]) => value === "AUTH_TOO_MANY_FAILURES"));
    const retries = entrance.reply.headers.filter(([name]) => name === "retry-after");
    assert.equal(retries.length, 1);
    assert.ok(Number(retries[0]![1]) > 0 && Number(retries[0]![1]) <= 30);
    assert.match(await enter(undefined), /^401/);
  });

  test("does not count those who say nothing, as browsers do at first", async () => {
    for (let i = 0; i < 100; i++) await door.enter(request(undefined));
    assert.equal(clock.pendingTimers, 0);
    assert.equal(await enter(basic("root:secret")), "edit root");
  });

  test("says AUTH_BUSY when too many hashes wait", async () => {
    const hash = `$scrypt$ln=10,r=8,p=1$c2l4dGVlbi1ieXRlcy1vaw$${"A".repeat(43)}`;
    keys = { editAuth: { login: "root", password: hash } };
    const entrances = Array.from({ length: 35 }, (_, i) => door.enter(request(basic(`root:${i}`))));
    const last = await entrances.at(-1)!;
    assert.ok(last.kind === "out");
    assert.deepEqual(last.reply.headers.find(([name]) => name === "x-error-code")?.[1], "AUTH_BUSY");
  });
});
