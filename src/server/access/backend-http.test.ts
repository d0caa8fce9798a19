import { strict as assert } from "node:assert";
import { createServer as createHttpServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { playClaim } from "../../../test/support/sessions.ts";
import { ASK_LIMITS } from "../../auth/backends/ask-queue.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import type { AccessRules } from "../../auth/rules.ts";
import { silentLogger } from "../../base/log.ts";
import { BackendHttp } from "./backend-http.ts";
import { NameCache } from "./name-cache.ts";
import { createSessions } from "./sessions.ts";

async function listen(t: TestContext, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serveHttp = (t: TestContext, listener: RequestListener): Promise<string> =>
  listen(t, createHttpServer(listener));

/** A server that says something as soon as it is asked, or spoken to at all. */
const serveRaw = (t: TestContext, say: (socket: Socket) => void): Promise<string> =>
  listen(
    t,
    createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => say(socket));
    }),
  );

function client(
  t: TestContext,
  refusal?: (host: string) => string | undefined,
): { http: BackendHttp; clock: FakeClock } {
  const clock = new FakeClock();
  const { lookup } = new NameCache(clock);
  const http = new BackendHttp({ clock, ...(refusal === undefined ? {} : { hosts: { refusal, lookup } }) });
  t.after(() => http.close());
  return { http, clock };
}

describe("a backend that answers", () => {
  test("is asked over one connection again and again, and its headers are given", async (t) => {
    const ports = new Set<number | undefined>();
    const url = await serveHttp(t, (request, response) => {
      ports.add(request.socket.remotePort);
      response.writeHead(200, { "X-UserId": "u7", "X-AuthDuration": "60", "Set-Cookie": ["a=1", "b=2"] });
      response.end("ignored".repeat(1000));
    });
    const { http, clock } = client(t);
    for (let i = 0; i < 5; i++) {
      const reply = await http.ask({
        url: `${url}/auth?x=1`,
        headers: { authorization: "Basic eA==" },
        timeoutMs: 3000,
      });
      assert.ok(reply.kind === "replied");
      assert.equal(reply.status, 200);
      assert.deepEqual(
        [reply.headers["x-userid"], reply.headers["x-authduration"], reply.headers["set-cookie"]],
        ["u7", "60", "a=1, b=2"],
      );
    }
    assert.equal(ports.size, 1);
    assert.equal(http.running, 0);
    assert.equal(clock.pendingTimers, 0);
  });

  test("with a redirect is not followed", async (t) => {
    let asked = 0;
    const url = await serveHttp(t, (_request, response) => {
      asked++;
      response.writeHead(302, { location: "/again" }).end();
    });
    const reply = await client(t).http.ask({ url, headers: {}, timeoutMs: 3000 });
    assert.ok(reply.kind === "replied" && reply.status === 302 && reply.headers["location"] === "/again");
    assert.equal(asked, 1);
  });

  test("and has closed the connection meanwhile is asked over a new one", async (t) => {
    let connections = 0;
    const url = await listen(
      t,
      createServer((socket) => {
        connections++;
        let requests = 0;
        socket.on("error", () => {});
        socket.on("data", () => {
          // The second request on a connection meets a server that has given it up.
          if (++requests > 1) socket.resetAndDestroy();
          else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
      }),
    );
    const { http } = client(t);
    for (let i = 0; i < 3; i++) {
      const reply = await http.ask({ url, headers: {}, timeoutMs: 3000 });
      assert.equal(reply.kind, "replied", JSON.stringify(reply));
    }
    assert.ok(connections >= 2);
  });
});

/** What a server may do wrong, and what becomes of the request without its time running out. */
const BAD: readonly [name: string, say: (socket: Socket) => void, reason: RegExp][] = [
  ["closes without a word", (socket) => socket.destroy(), /hang up|RESET|closed/],
  ["says garbage", (socket) => socket.end("\u0000\u0001garbage\r\n\r\n"), /HPE_/],
  ["says half a status line", (socket) => socket.end("HTTP/1.1 2"), /HPE_|RESET|hang up/],
  [
    "has a header without end",
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(100_000)}`),
    /HPE_HEADER_OVERFLOW/,
  ],
  [
    "has headers without end",
    (socket) => socket.write(`HTTP/1.1 200 OK\r\n${"X-A: aaaaaaaaaaaaaaaa\r\n".repeat(5000)}`),
    /HPE_HEADER_OVERFLOW/,
  ],
  [
    "has control characters in a header",
    (socket) => socket.end("HTTP/1.1 200 OK\r\nX-UserId: a\u0000b\r\nContent-Length: 0\r\n\r\n"),
    /HPE_/,
  ],
  [
    "has two lengths",
    (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    /HPE_/,
  ],
  [
    "has a length in words",
    (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n"),
    /HPE_/,
  ],
  [
    "closes in the middle of its body",
    (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab"),
    /aborted|RESET|cut off|closed/,
  ],
  [
    "has a body without end",
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const more = (): void => {
        while (!socket.destroyed && socket.write("a".repeat(16_384)));
      };
      socket.on("drain", more);
      more();
    },
    /longer than 65536 bytes/,
  ],
  [
    "changes the protocol",
    (socket) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
    /changed the protocol|HPE_/,
  ],
];

describe("a backend that lies fails at once: it", () => {
  for (const [name, say, reason] of BAD) {
    test(name, async (t) => {
      const url = await serveRaw(t, say);
      const { http, clock } = client(t);
      const reply = await http.ask({ url, headers: {}, timeoutMs: 3000 });
      assert.ok(reply.kind === "failed" && !reply.isTimeout, JSON.stringify(reply));
      assert.match(reply.reason, reason);
      assert.equal(http.running, 0);
      assert.equal(clock.pendingTimers, 0);
    });
  }
});

/** Servers that take their time: what they have said until it is over does not count. */
const SLOW: readonly [name: string, say: (socket: Socket) => void][] = [
  ["says nothing", () => {}],
  ["says half of its headers", (socket) => socket.write("HTTP/1.1 200 OK\r\nX-A: ")],
  ["goes on saying continue", (socket) => socket.write("HTTP/1.1 100 Continue\r\n\r\n".repeat(20))],
  ["says half of its body", (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")],
  [
    "does not end its chunks",
    (socket) => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
  ],
];

describe("a backend that is slow fails when the time is over: it", () => {
  for (const [name, say] of SLOW) {
    test(name, async (t) => {
      let isAsked = false;
      const url = await serveRaw(t, (socket) => {
        isAsked = true;
        say(socket);
      });
      const { http, clock } = client(t);
      const waiting = http.ask({ url, headers: {}, timeoutMs: 3000 });
      await eventually(() => assert.ok(isAsked));
      clock.advance(2999);
      assert.equal(http.running, 1);
      clock.advance(1);
      assert.deepEqual(await waiting, {
        kind: "failed",
        reason: "it did not answer in time",
        isTimeout: true,
      });
      assert.equal(http.running, 0);
      assert.equal(clock.pendingTimers, 0);
    });
  }
});

describe("a request that", () => {
  test("nobody takes fails at once", async (t) => {
    const server = createServer();
    const url = await listen(t, server);
    await new Promise((resolve) => server.close(resolve));
    const reply = await client(t).http.ask({ url, headers: {}, timeoutMs: 3000 });
    assert.deepEqual(reply, { kind: "failed", reason: "ECONNREFUSED", isTimeout: false });
  });

  test("may not go to a host is not sent", async (t) => {
    let asked = 0;
    const url = await serveHttp(t, (_request, response) => {
      asked++;
      response.end();
    });
    const hosts: string[] = [];
    const { http } = client(t, (host) => {
      hosts.push(host);
      return "allowed_hosts does not have it";
    });
    for (const target of [url, "http://[::1]:1/", "http://portal.test/"]) {
      const reply = await http.ask({ url: target, headers: {}, timeoutMs: 3000 });
      assert.ok(reply.kind === "failed" && /allowed_hosts/.test(reply.reason));
    }
    assert.deepEqual(hosts, ["127.0.0.1", "[::1]", "portal.test"]);
    assert.equal(asked, 0);
  });

  test("cannot be sent as HTTP fails", async (t) => {
    const url = await serveHttp(t, (_request, response) => void response.end());
    const reply = await client(t).http.ask({ url, headers: { "x-a": "a\r\nb" }, timeoutMs: 3000 });
    assert.equal(reply.kind, "failed");
  });

  test("is on its way when the server stops fails, and so does any later one", async (t) => {
    let isAsked = false;
    const url = await serveRaw(t, () => void (isAsked = true));
    const { http, clock } = client(t);
    const waiting = http.ask({ url, headers: {}, timeoutMs: 3000 });
    await eventually(() => assert.ok(isAsked));
    http.close();
    assert.equal((await waiting).kind, "failed");
    assert.equal((await http.ask({ url, headers: {}, timeoutMs: 3000 })).kind, "failed");
    assert.equal(clock.pendingTimers, 0);
  });
});

test("1000 viewers begin at once, 801 of one stream: each is asked once, and the others have their answers though that stream has none", async (t) => {
  const asked = new Map<string, number>();
  const held: (() => void)[] = [];
  let [isHeld, atOnce, mostAtOnce] = [true, 0, 0];
  const url = await serveHttp(t, (request, response) => {
    const { searchParams } = new URL(request.url!, "http://portal.test");
    const id = searchParams.get("session_id")!;
    asked.set(id, (asked.get(id) ?? 0) + 1);
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    const answer = (): void => {
      atOnce--;
      response.writeHead(200, { "x-userid": id }).end();
    };
    if (isHeld && searchParams.get("name") === "final") held.push(answer);
    else setTimeout(answer, 300);
  });
  const rules: AccessRules = { ...OPEN_RULES, authorizer: { kind: "http", url } };
  // A clock that stands still: on a busy machine nothing is given up here.
  const sessions = createSessions({
    rulesOf: () => rules,
    checkToken: () => Promise.reject(new Error("no tokens here")),
    clock: new FakeClock(),
    log: silentLogger,
  });
  t.after(() => sessions.close());
  const { table, backends } = sessions;
  const open = async (name: string, viewer: number): Promise<void> => {
    const claim = playClaim({ name, ip: `10.0.${viewer >> 8}.${viewer & 255}` });
    const [one, two] = await Promise.all([table.open(0, claim), table.open(1, claim)]);
    assert.ok(one.kind === "allowed" && two.kind === "allowed" && one.id === two.id);
  };
  const startMs = performance.now();
  const crowd = Array.from({ length: 801 }, (_, viewer) => open("final", viewer));
  await Promise.all(Array.from({ length: 199 }, (_, viewer) => open(`stream${viewer}`, viewer)));
  t.diagnostic(`199 viewers of others after ${Math.round(performance.now() - startMs)} ms`);
  assert.equal(table.countOf("play", "final"), 0);
  isHeld = false;
  assert.equal(held.length, ASK_LIMITS.atOncePerStream);
  for (const answer of held) answer();
  await Promise.all(crowd);
  t.diagnostic(`801 of one stream after ${Math.round(performance.now() - startMs)} ms`);
  assert.deepEqual(
    [asked.size, table.stats().sessions, backends.stats().get(url)?.asked],
    [1000, 1000, 1000],
  );
  assert.ok([...asked.values()].every((count) => count === 1));
  assert.ok(mostAtOnce <= ASK_LIMITS.atOncePerStream + 199);
});
