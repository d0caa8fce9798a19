import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { silentLogger } from "../base/log.ts";
import { BackendHttp } from "./access/backend-http.ts";
import { fetchText } from "./credentials/outside-text.ts";
import { NameCache } from "./access/name-cache.ts";
import { openTransport } from "./events/open-transport.ts";
import { guardedResolve, hostRefusal } from "./outside-hosts.ts";

/** A host, what `allowed_hosts` has, and whether it is asked. */
const HOSTS: readonly [host: string, allowed: readonly string[], isAsked: boolean][] = [
  ["portal.example", [], true],
  ["10.0.0.7", [], true],
  ["169.254.169.254", [], false],
  ["169.254.170.2", [], false],
  ["[fd00:ec2::254]", [], false],
  ["::ffff:169.254.169.254", [], false],
  ["169.254.20.10", [], true],
  ["169.254.169.254", ["169.254.169.254"], true],
  ["fd00:ec2::254", ["fd00:ec2::/32"], true],
  ["169.254.169.254", ["portal.example"], false],
  ["portal.example", ["portal.example"], true],
  ["PORTAL.example.", ["portal.example"], true],
  ["portal.example.evil.example", ["portal.example"], false],
  ["evilportal.example", ["*.portal.example"], false],
  ["a.portal.example", ["*.portal.example"], true],
  ["10.1.2.3", ["10.0.0.0/8"], true],
  ["11.1.2.3", ["10.0.0.0/8"], false],
];

describe("a host that the server is to ask", () => {
  for (const [host, allowed, isAsked] of HOSTS)
    test(`${host} with allowed_hosts ${allowed.join(" ") || "unset"} is ${isAsked ? "" : "not "}asked`, () => {
      assert.equal(hostRefusal(host, allowed) === undefined, isAsked);
    });

  test("is the same for a sink: networks of allowed_hosts count there too", () => {
    const plan = (url: string) => ({
      name: "s",
      url,
      only: [],
      except: [],
      throttleDelayMs: 0,
      resendTimeoutMs: 1,
      maxSizeBytes: 1,
      place: { file: "", line: 1, column: 1, length: 0 },
    });
    const open = (url: string, allowedHosts: readonly string[]) =>
      openTransport(plan(url), {
        clock: new FakeClock(),
        log: silentLogger,
        allowedHosts,
      }).transport.close();
    void open("http://10.1.2.3/", ["10.0.0.0/8"]);
    assert.throws(() => open("http://169.254.169.254/", []), { code: "EVENTS_BAD_SINK" });
    assert.throws(() => open("http://11.1.2.3/", ["10.0.0.0/8"]), { code: "EVENTS_BAD_SINK" });
  });
});

describe("a name that leads to where credentials of clouds are kept", () => {
  const found = [
    { address: "192.0.2.1", family: 4 },
    { address: "fd00:ec2::254", family: 6 },
  ];
  const resolve = (allowed: readonly string[]) =>
    guardedResolve(
      () => allowed,
      () => Promise.resolve(found),
    );

  test("is not asked unless the address is listed", async () => {
    await assert.rejects(resolve([])("nice.example"), /credentials of clouds/);
    await assert.rejects(resolve(["nice.example"])("nice.example"), /credentials of clouds/);
    assert.deepEqual(await resolve(["nice.example", "fd00:ec2::254"])("nice.example"), found);
  });

  test("is asked neither about sessions nor for keys", async () => {
    const clock = new FakeClock();
    const http = new BackendHttp({ clock, resolveName: resolve([]) });
    const reply = await http.ask({ url: "http://nice.example/", headers: {}, timeoutMs: 1000 });
    assert.ok(reply.kind === "failed" && /credentials of clouds/.test(reply.reason));
    http.close();
    const { lookup } = new NameCache(clock, resolve([]));
    await assert.rejects(fetchText("http://nice.example/keys", 1000, lookup), /credentials of clouds/);
  });
});
