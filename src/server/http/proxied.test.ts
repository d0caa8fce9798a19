/** Requests that proxies bring, over every way into a listener: whose they are, and that nobody else can say so. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeSessions } from "../../../test/support/fake-sessions.ts";
import { http2Client, ask as askHttp2 } from "../../../test/support/http2-client.ts";
import { startHttps } from "../../../test/support/https-listener.ts";
import { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import type { AccessRules } from "../../auth/rules.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { jsonReply, textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { AccessGate } from "../access/gate.ts";
import { HttpGate } from "../access/http-gate.ts";
import { HttpListener } from "./listener.ts";
import type { HttpListenerOptions } from "./listener.ts";
import { ReplyBudget } from "./reply-budget.ts";

const LOCAL = new TrustedProxies(["127.0.0.1", "10.0.0.0/8"]);

type Seen = { readonly ip: string; readonly isTls: boolean; readonly host: string };

function echo(request: HttpRequest): HttpReply {
  const { remoteAddress: ip, isTls } = request;
  return jsonReply(200, { ip, isTls, host: request.header("host") });
}

async function listen(t: TestContext, options: Partial<HttpListenerOptions> = {}): Promise<HttpListener> {
  const listener = new HttpListener({
    ...{ host: "127.0.0.1", port: 0, idleTimeoutMs: 60_000, log: silentLogger, handle: echo },
    addresses: new AddressCounter(1000),
    budget: new ReplyBudget(1_000_000),
    takes: (request) => {
      const reply = echo(request);
      return { ...reply, upload: () => ({ write() {}, end: () => reply, close() {} }) };
    },
    proxies: () => LOCAL,
    ...options,
  });
  await listener.start();
  t.after(() => listener.stop(0));
  return listener;
}

/** One connection, on which one request is asked after the other. */
class Client {
  readonly socket: Socket;
  #text = "";

  constructor(t: TestContext, port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setNoDelay(true);
    this.socket.on("error", () => {});
    t.after(() => this.socket.destroy());
  }

  /** The reply's body. */
  async ask(lines: string, method = "GET", path = "/cam/index.m3u8"): Promise<string> {
    this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: inside:8080\r\n${lines}\r\n`);
    for (;;) {
      const [, head, length, rest] =
        /^([^]*?content-length: (\d+)[^]*?\r\n\r\n)([^]*)$/i.exec(this.#text) ?? [];
      if (head !== undefined && rest!.length >= Number(length)) {
        this.#text = rest!.slice(Number(length));
        return rest!.slice(0, Number(length));
      }
      const [chunk] = (await once(this.socket, "data")) as [Buffer];
      this.#text += chunk.toString("latin1");
    }
  }

  async seen(lines: string, method = "GET"): Promise<Seen> {
    return JSON.parse(await this.ask(lines, method)) as Seen;
  }
}

const FORWARDED =
  "X-Forwarded-For: 203.0.113.9, 198.51.100.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: tv.example\r\n";
const CLIENT: Seen = { ip: "198.51.100.1", isTls: true, host: "tv.example" };
const OUTSIDER: Seen = { ip: "127.0.0.1", isTls: false, host: "inside:8080" };

describe("a request that a proxy brings", () => {
  for (const readsPlain of [true, false]) {
    test(`is its client's, ${readsPlain ? "plain" : "read by node:http"}`, async (t) => {
      const { port } = await listen(t, { readsPlain });
      const client = new Client(t, port);
      assert.deepEqual(await client.seen(FORWARDED), CLIENT);
      assert.deepEqual(await client.seen("X-Forwarded-For: 2001:db8::7\r\n"), {
        ...OUTSIDER,
        ip: "2001:db8::7",
      });
      assert.deepEqual(await client.seen("Forwarded: for=198.51.100.2;proto=https\r\n"), {
        ...OUTSIDER,
        ip: "198.51.100.2",
        isTls: true,
      });
      assert.deepEqual(await client.seen(""), OUTSIDER);
    });
  }

  test("is its client's though the header stands on lines of its own, as a proxy puts one behind the client's", async (t) => {
    const { port } = await listen(t);
    const lines =
      "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 10.1.1.1\r\n";
    assert.equal((await new Client(t, port).seen(lines)).ip, "198.51.100.1");
  });

  test("is its client's where it takes a body", async (t) => {
    const { port } = await listen(t);
    const client = new Client(t, port);
    assert.deepEqual(await client.seen(`${FORWARDED}Content-Length: 0\r\n`, "POST"), CLIENT);
  });

  test("is its client's over TLS, by HTTP/1.1 and HTTP/2", async (t) => {
    const { port } = await startHttps(t, { handle: echo, proxies: () => LOCAL });
    const client = http2Client(t, port);
    const headers = { "x-forwarded-for": "203.0.113.9, 198.51.100.1", "x-forwarded-proto": "http" };
    const reply = await askHttp2(client, "/a", { ...headers, "x-forwarded-host": "tv.example" });
    assert.deepEqual(JSON.parse(reply.body.toString()), { ...CLIENT, isTls: false });
    const other = await askHttp2(client, "/a", { forwarded: "for=198.51.100.2" });
    assert.deepEqual(JSON.parse(other.body.toString()), {
      ...{ ip: "198.51.100.2", isTls: true, host: `127.0.0.1:${port}` },
    });
  });

  test("is its client's where it becomes a WebSocket", async (t) => {
    const asked: string[] = [];
    const handle = (request: HttpRequest): HttpReply => {
      asked.push(request.remoteAddress);
      return textReply(404, "not here");
    };
    const { port } = await listen(t, { handle });
    const lines =
      "X-Forwarded-For: 198.51.100.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert.match(await new Client(t, port).ask(lines), /not here/);
    assert.deepEqual(asked, ["198.51.100.1"]);
  });
});

describe("a request that somebody else brings", () => {
  for (const readsPlain of [true, false])
    test(`is not believed, ${readsPlain ? "plain" : "read by node:http"}`, async (t) => {
      for (const proxies of [undefined, (): null => null, () => new TrustedProxies(["10.0.0.0/8"])]) {
        const { port } = await listen(t, { readsPlain, ...(proxies === undefined ? {} : { proxies }) });
        const expected = proxies === undefined ? CLIENT : OUTSIDER;
        assert.deepEqual(await new Client(t, port).seen(FORWARDED), expected);
      }
    });
});

test("a page that the proxy's clients see may use the API, and no other page", async (t) => {
  const { port } = await listen(t);
  const client = new Client(t, port);
  const post = (origin: string, more = FORWARDED): Promise<string> =>
    client.ask(`${more}Origin: ${origin}\r\nContent-Length: 0\r\n`, "POST");
  assert.match(await post("https://tv.example"), /198\.51\.100\.1/);
  assert.match(
    await post("https://tv.example", FORWARDED.replace("tv.example", "tv.example:443")),
    /198\./,
  );
  for (const origin of ["https://evil.example", "http://inside:8080", "null", "https://tv.example:8443"])
    assert.match(await post(origin), /another site/, origin);
  assert.match(
    await post("http://tv.example", FORWARDED.replace("tv.example", "tv.example:443")),
    /another/,
  );
});

test("which proxies are believed may change while a connection is open", async (t) => {
  let proxies: TrustedProxies | null = null;
  const { port } = await listen(t, { proxies: () => proxies });
  const client = new Client(t, port);
  assert.equal((await client.seen(FORWARDED)).ip, "127.0.0.1");
  proxies = LOCAL;
  assert.equal((await client.seen(FORWARDED)).ip, "198.51.100.1");
  proxies = new TrustedProxies(["10.0.0.0/8"]);
  assert.equal((await client.seen(FORWARDED)).ip, "127.0.0.1");
});

test("connections of a proxy are not counted as one client's, and those of others are", async (t) => {
  let proxies: TrustedProxies | null = LOCAL;
  const addresses = new AddressCounter(2);
  const { port } = await listen(t, { addresses, proxies: () => proxies });
  const many = Array.from({ length: 5 }, () => new Client(t, port));
  for (const client of many) assert.equal((await client.seen(FORWARDED)).ip, "198.51.100.1");
  assert.equal(addresses.total, 0);
  proxies = null;
  const counted = [new Client(t, port), new Client(t, port)];
  for (const client of counted) assert.equal((await client.seen("")).ip, "127.0.0.1");
  const refused = new Client(t, port);
  await once(refused.socket, "close");
  // One that was counted is given back, whatever holds when it closes; one that was not is not.
  proxies = LOCAL;
  for (const client of [...counted, ...many]) {
    client.socket.end();
    await once(client.socket, "close");
  }
  assert.equal(addresses.total, 0);
});

describe("over one connection of a proxy", () => {
  function gates() {
    const sessions = new FakeSessions();
    const rules = { ...OPEN_RULES, authorizer: { kind: "nobody" as const } };
    const config: { rules: AccessRules } = { rules: OPEN_RULES };
    const gate = new AccessGate({
      clock: new FakeClock(),
      control: sessions,
      rulesOf: () => config.rules,
      salt: "salt",
    });
    const http = new HttpGate({ gate, tokenKey: () => "token" });
    const wanted = { name: "cam", proto: "hls", also: [], isTold: false, isDvr: false };
    const handle = (request: HttpRequest): Promise<HttpReply> | HttpReply =>
      http.play(request, wanted, (query) => textReply(200, `served ${query}`));
    return { sessions, config, guarded: rules, handle };
  }
  const from = (ip: string): string => `X-Forwarded-For: ${ip}\r\nUser-Agent: player\r\n`;

  test("two viewers in turn are two sessions", async (t) => {
    const { sessions, handle } = gates();
    const { port } = await listen(t, { handle });
    const client = new Client(t, port);
    for (let i = 0; i < 3; i++)
      for (const ip of ["198.51.100.1", "198.51.100.2"])
        assert.match(await client.ask(from(ip)), /^served/);
    const begun = sessions.begunSessions.map(({ claim }) => claim.ip);
    assert.deepEqual(begun, ["198.51.100.1", "198.51.100.2"]);
  });

  test("one viewer's permission serves nobody else", async (t) => {
    const { sessions, config, guarded, handle } = gates();
    config.rules = guarded;
    const { port } = await listen(t, { handle });
    const client = new Client(t, port);
    const path = "/cam/index.m3u8?token=shared";
    sessions.verdict = ({ ip }) =>
      ip === "198.51.100.1"
        ? { kind: "allowed", id: "first" }
        : { kind: "denied", status: 403, reason: "another address", forMs: 1000 };
    assert.match(await client.ask(from("198.51.100.1"), "GET", path), /^served/);
    assert.doesNotMatch(await client.ask(from("198.51.100.2"), "GET", path), /^served/);
    assert.match(await client.ask(from("198.51.100.1"), "GET", path), /^served/);
    const asked = sessions.claims.map(({ ip }) => ip);
    assert.deepEqual(asked, ["198.51.100.1", "198.51.100.2"]);
  });

  test("a viewer that comes by another connection is the same session", async (t) => {
    const { sessions, handle } = gates();
    const { port } = await listen(t, { handle });
    for (let i = 0; i < 3; i++) await new Client(t, port).ask(from("198.51.100.1"));
    assert.equal(sessions.begunSessions.length, 1);
  });

  test("what was kept for a viewer before the proxy was one of ours serves no client of it", async (t) => {
    const { sessions, handle } = gates();
    let proxies: TrustedProxies | null = null;
    const { port } = await listen(t, { handle, proxies: () => proxies });
    const client = new Client(t, port);
    await client.ask(from("198.51.100.1"));
    proxies = LOCAL;
    await client.ask(from("198.51.100.1"));
    await client.ask(from("198.51.100.2"));
    const begun = sessions.begunSessions.map(({ claim }) => claim.ip);
    assert.deepEqual(begun, ["127.0.0.1", "198.51.100.1", "198.51.100.2"]);
  });
});

test("a client of node:http that keeps its connection is many clients through a proxy", async (t) => {
  const { port } = await listen(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  for (let i = 1; i <= 20; i++) {
    const headers = { "x-forwarded-for": `198.51.100.${i}` };
    const request = httpRequest({ port, host: "127.0.0.1", agent, path: "/", headers }).end();
    const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
    let text = "";
    for await (const chunk of response) text += String(chunk);
    assert.equal((JSON.parse(text) as Seen).ip, `198.51.100.${i}`);
  }
});
