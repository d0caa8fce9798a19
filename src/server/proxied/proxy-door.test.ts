/** Connections whose header says whose they are, at every kind of listener. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeDirectory } from "../../../test/support/fake-directory.ts";
import { ask as askHttp2 } from "../../../test/support/http2-client.ts";
import { startHttps, writePair } from "../../../test/support/https-listener.ts";
import { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import { AddressCounter } from "../../base/address-counter.ts";
import { systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import { jsonReply, textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields, Logger } from "../../base/log.ts";
import { RtmpListener } from "../../protocols/rtmp/listener.ts";
import type { RtmpLimits, RtmpTls } from "../../protocols/rtmp/listener.ts";
import { clientConnect, clientHandshake } from "../../protocols/rtmp/test-client.ts";
import { HttpListener } from "../http/listener.ts";
import type { HttpListenerOptions } from "../http/listener.ts";
import { ReplyBudget } from "../http/reply-budget.ts";
import { readKeyPair } from "../tls/key-pair.ts";
import { TlsDoor } from "../tls/tls-door.ts";
import { TrustedProxyDoor } from "./proxy-door.ts";
import type { ProxyDoorOptions } from "./proxy-door.ts";

const LOCAL = new TrustedProxies(["127.0.0.1", "10.0.0.0/8"]);
const V1 = Buffer.from("PROXY TCP4 192.0.2.9 198.51.100.1 54321 443\r\n");
const V2 = Buffer.from("0d0a0d0a000d0a515549540a2111000cc0000209c6336401d43101bb", "hex");
const IPV6 = Buffer.from("PROXY TCP6 2001:DB8:0::9 ::1 1 2\r\n");
const LOCAL_V2 = Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex");
const GET = Buffer.from("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");

function echo(request: HttpRequest): HttpReply {
  return jsonReply(200, { ip: request.remoteAddress, isTls: request.isTls === true });
}

class Lines {
  readonly fields: LogFields[] = [];
  readonly logger: Logger;

  constructor() {
    const keep = (_: string, fields: LogFields = {}): void => void this.fields.push(fields);
    this.logger = { ...silentLogger, info: keep, warn: keep, error: keep, child: () => this.logger };
  }

  /** What a line said, whichever it is. */
  async has(words: string): Promise<void> {
    await eventually(() => assert.ok(JSON.stringify(this.fields).includes(words), words));
  }
}

function doorOf(options: Partial<ProxyDoorOptions> = {}): TrustedProxyDoor {
  return new TrustedProxyDoor({ clock: systemClock, proxies: () => LOCAL, ...options });
}

async function listen(
  t: TestContext,
  options: Partial<HttpListenerOptions> & { readonly door?: TrustedProxyDoor } = {},
): Promise<HttpListener> {
  const { door = doorOf(), ...more } = options;
  const listener = new HttpListener({
    ...{ host: "127.0.0.1", port: 0, idleTimeoutMs: 60_000, log: silentLogger, handle: echo },
    addresses: new AddressCounter(1000),
    budget: new ReplyBudget(1_000_000),
    proxies: () => LOCAL,
    proxyDoor: () => door,
    ...more,
  });
  await listener.start();
  t.after(() => listener.stop(0));
  return listener;
}

type RtmpOptions = {
  readonly tls?: RtmpTls;
  readonly clock?: Clock;
  readonly addresses?: AddressCounter;
  readonly door?: TrustedProxyDoor;
  readonly limits?: Partial<RtmpLimits>;
  readonly lines?: Lines;
};

async function listenRtmp(t: TestContext, options: RtmpOptions = {}): Promise<RtmpListener> {
  const { tls, clock = systemClock, addresses = new AddressCounter(100), door = doorOf() } = options;
  const { limits = {}, lines } = options;
  const listener = new RtmpListener(
    { host: "127.0.0.1", port: 0, limits, proxyDoor: () => door, tls: () => tls ?? null },
    { directory: new FakeDirectory(), clock, logger: lines?.logger ?? silentLogger, addresses },
  );
  await listener.start();
  t.after(() => listener.stop());
  return listener;
}

/** A connection and all that comes on it. */
class Peer {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(t: TestContext, port: number, socket: Socket = connect(port, "127.0.0.1")) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => (this.#bytes = Buffer.concat([this.#bytes, chunk])));
    t.after(() => socket.destroy());
  }

  get text(): string {
    return this.#bytes.toString("latin1");
  }

  get length(): number {
    return this.#bytes.length;
  }

  async heard(words: string, times = 1): Promise<void> {
    await eventually(() => assert.equal(this.text.split(words).length - 1, times, this.text));
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, "close");
  }
}

/** Writes a header in clear, and goes on with TLS. */
async function secured(
  t: TestContext,
  port: number,
  header: Uint8Array,
  ALPNProtocols: string[] = [],
): Promise<Socket> {
  const raw = connect(port, "127.0.0.1");
  raw.on("error", () => {});
  t.after(() => raw.destroy());
  await once(raw, "connect");
  raw.write(header);
  const socket = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

for (const readsPlain of [true, false]) {
  describe(`HTTP ${readsPlain ? "as we read it" : "as node:http reads it"}`, () => {
    for (const [name, header, ip] of [
      ["version 1", V1, "192.0.2.9"],
      ["version 2", V2, "192.0.2.9"],
      ["IPv6", IPV6, "2001:db8::9"],
      ["UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n"), "127.0.0.1"],
      ["LOCAL", LOCAL_V2, "127.0.0.1"],
    ] as const) {
      test(`is its client's: ${name}, in one piece and cut`, async (t) => {
        const { port } = await listen(t, { readsPlain });
        const whole = Buffer.concat([header, GET]);
        for (const cut of [0, 1, header.length - 1, header.length, header.length + 5]) {
          const peer = new Peer(t, port);
          peer.socket.setNoDelay(true);
          await once(peer.socket, "connect");
          peer.socket.write(whole.subarray(0, cut));
          // The server has read the first piece when another connection has been answered behind it.
          const other = new Peer(t, port);
          other.socket.write(Buffer.concat([header, GET]));
          await other.heard(`"ip":"${ip}"`);
          peer.socket.write(whole.subarray(cut));
          await peer.heard(`"ip":"${ip}"`);
          peer.socket.write(Buffer.concat([GET, GET]));
          await peer.heard(`"ip":"${ip}"`, 3);
        }
      });
    }

    test("goes on to what is not plain: a body, a WebSocket that is refused, a second header", async (t) => {
      // What is no 404 and no WebSocket either would be answered with another text.
      const handle = (request: HttpRequest): HttpReply => textReply(404, `of ${request.remoteAddress}.`);
      const takes = (request: HttpRequest): HttpReply => {
        const reply = handle(request);
        return { ...reply, upload: () => ({ write() {}, end: () => reply, close() {} }) };
      };
      const { port } = await listen(t, { readsPlain, handle, takes });
      const peer = new Peer(t, port);
      const post = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
      const upgrade =
        "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
      peer.socket.write(Buffer.concat([V2, GET, Buffer.from(post)]));
      await peer.heard("of 192.0.2.9.", 2);
      peer.socket.write(upgrade);
      await peer.heard("of 192.0.2.9.", 3);
      const second = new Peer(t, port);
      second.socket.write(Buffer.concat([V1, V1, GET]));
      await second.closed();
      assert.match(second.text, /^HTTP\/1\.1 400/);
    });
  });
}

test("X-Forwarded-For is believed where the header's address is a proxy's, and else not", async (t) => {
  const { port } = await listen(t);
  const get = Buffer.from("GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n");
  for (const [header, ip] of [
    [Buffer.from("PROXY TCP4 10.1.1.1 198.51.100.1 1 2\r\n"), "203.0.113.7"],
    [V1, "192.0.2.9"],
    [LOCAL_V2, "203.0.113.7"],
  ] as const) {
    const peer = new Peer(t, port);
    peer.socket.write(Buffer.concat([header, get]));
    await peer.heard(`"ip":"${ip}"`);
  }
});

test("HTTPS reads the header before the handshake, for HTTP/1.1 and HTTP/2", async (t) => {
  const door = doorOf();
  const { port } = await startHttps(t, { handle: echo, proxyDoor: () => door });
  for (const header of [V1, V2]) {
    const peer = new Peer(t, port, await secured(t, port, header));
    peer.socket.write(Buffer.concat([GET, GET]));
    await peer.heard('"ip":"192.0.2.9","isTls":true', 2);
    const socket = await secured(t, port, header, ["h2"]);
    const client = connectHttp2("https://h", { createConnection: () => socket });
    client.on("error", () => {});
    t.after(() => client.destroy());
    const { body } = await askHttp2(client, "/a");
    assert.deepEqual(JSON.parse(body.toString()), { ip: "192.0.2.9", isTls: true });
  }
});

test("the header and the TLS handshake may come in one piece", async (t) => {
  const door = doorOf();
  const { port } = await startHttps(t, { handle: echo, proxyDoor: () => door });
  const raw = connect(port, "127.0.0.1");
  await once(raw, "connect");
  raw.cork();
  raw.write(V2);
  const socket = connectTls({ socket: raw, rejectUnauthorized: false });
  const peer = new Peer(t, port, socket);
  setImmediate(() => raw.uncork());
  await once(socket, "secureConnect");
  peer.socket.write(GET);
  await peer.heard('"ip":"192.0.2.9"');
});

test("limits count the header's address, and a proxy's own not", async (t) => {
  const addresses = new AddressCounter(2);
  const { port } = await listen(t, { addresses });
  const open = (header: Uint8Array): Peer => {
    const peer = new Peer(t, port);
    peer.socket.write(Buffer.concat([header, GET]));
    return peer;
  };
  const kept = [open(V1), open(V2)];
  for (const peer of kept) await peer.heard("192.0.2.9");
  const refused = open(V1);
  await refused.closed();
  assert.equal(refused.text, "");
  for (const peer of [open(IPV6), open(LOCAL_V2), open(LOCAL_V2), open(LOCAL_V2)]) await peer.heard("ip");
  assert.equal(addresses.total, 3);
  kept[0]!.socket.destroy();
  await eventually(() => assert.equal(addresses.total, 2));
  await open(V1).heard("192.0.2.9");
});

describe("RTMP", () => {
  const HELLO = Buffer.concat([clientHandshake(), clientConnect()]);

  for (const isTls of [false, true]) {
    test(`${isTls ? "behind TLS " : ""}is its client's, and is counted as that one's`, async (t) => {
      const addresses = new AddressCounter(1);
      const lines = new Lines();
      let tls: TlsDoor | undefined;
      if (isTls) {
        const { plan } = await writePair(t);
        tls = new TlsDoor({ ...plan, clock: systemClock, ticketKeys: Buffer.alloc(48), protocols: [] });
        tls.setPair(await readKeyPair(plan));
      }
      const listener = await listenRtmp(t, { addresses, lines, ...(tls === undefined ? {} : { tls }) });
      const { port } = listener;
      const open = async (header: Uint8Array): Promise<Peer> => {
        if (isTls) {
          const peer = new Peer(t, port, await secured(t, port, header));
          peer.socket.write(HELLO);
          return peer;
        }
        const peer = new Peer(t, port);
        peer.socket.write(Buffer.concat([header, HELLO]));
        return peer;
      };
      const first = await open(V1);
      await first.heard("NetConnection.Connect.Success");
      const other = await open(IPV6);
      await other.heard("NetConnection.Connect.Success");
      assert.equal(addresses.total, 2);
      if (!isTls) {
        await (await open(V2)).closed();
        await lines.has("too many connections from one address");
        await lines.has("192.0.2.9");
      }
      first.socket.destroy();
      other.socket.destroy();
      await eventually(() => assert.equal(addresses.total, 0));
      assert.equal(listener.stats().connections, 0);
    });
  }

  test("goes on when the header comes byte by byte", async (t) => {
    const { port } = await listenRtmp(t);
    const peer = new Peer(t, port);
    peer.socket.setNoDelay(true);
    for (const byte of V2) {
      peer.socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    peer.socket.write(HELLO);
    await peer.heard("NetConnection.Connect.Success");
  });

  test("connections that wait for their header count in the listener's limit", async (t) => {
    const door = doorOf();
    const { port } = await listenRtmp(t, { door, limits: { connections: 1 } });
    const waiting = new Peer(t, port);
    await eventually(() => assert.equal(door.waiting, 1));
    await new Peer(t, port).closed();
    waiting.socket.write(Buffer.concat([V1, HELLO]));
    await waiting.heard("NetConnection.Connect.Success");
    assert.equal(door.waiting, 0);
  });
});

describe("who is closed, with a line", () => {
  test("anybody but a trusted proxy, whatever they send", async (t) => {
    for (const proxies of [null, new TrustedProxies(["10.0.0.0/8"])]) {
      const lines = new Lines();
      const door = doorOf({ proxies: () => proxies });
      const listeners = [
        await listen(t, { door, log: lines.logger }),
        await listenRtmp(t, { door, lines }),
      ];
      for (const { port } of listeners) {
        const peer = new Peer(t, port);
        peer.socket.write(Buffer.concat([V1, GET]));
        await peer.closed();
        assert.equal(peer.length, 0);
      }
      await lines.has("connections of trusted_proxies alone");
      await lines.has('"127.0.0.1"');
    }
  });

  test("a proxy that sends no header, half a one, or one too long", async (t) => {
    for (const [bytes, reason] of [
      [GET, "begins with something else"],
      [V1.subarray(1), "begins with something else"],
      [Buffer.from("0d0a0d0a000d0a515549540a2111ffff", "hex"), "longer than 4 KiB"],
    ] as const) {
      const lines = new Lines();
      const door = doorOf();
      const { port } = await listen(t, { door, log: lines.logger });
      const peer = new Peer(t, port);
      peer.socket.write(bytes);
      await peer.closed();
      assert.equal(peer.length, 0);
      await lines.has(reason);
      assert.equal(door.waiting, 0);
    }
  });

  test("a proxy that ends within the header; one that only looks whether the port is open has no line", async (t) => {
    const lines = new Lines();
    const door = doorOf();
    const { port } = await listen(t, { door, log: lines.logger });
    const looks = new Peer(t, port);
    await eventually(() => assert.equal(door.waiting, 1));
    looks.socket.end();
    await looks.closed();
    assert.deepEqual(lines.fields, []);
    const ends = new Peer(t, port);
    ends.socket.end(V1.subarray(0, 20));
    await ends.closed();
    await lines.has("ended within its PROXY header");
    assert.equal(door.waiting, 0);
  });

  test("a proxy whose header takes longer than 5 s, and no other", async (t) => {
    const clock = new FakeClock();
    const lines = new Lines();
    const door = doorOf({ clock });
    const { port } = await listen(t, { door, log: lines.logger });
    const slow = new Peer(t, port);
    slow.socket.write(V1.subarray(0, 10));
    const good = new Peer(t, port);
    good.socket.write(Buffer.concat([V1, GET]));
    await good.heard("192.0.2.9");
    await eventually(() => assert.equal(door.waiting, 1));
    clock.advance(4999);
    assert.equal(door.waiting, 1);
    clock.advance(1);
    await slow.closed();
    await lines.has("no PROXY header within 5000 ms");
    good.socket.write(GET);
    await good.heard("192.0.2.9", 2);
    assert.equal(clock.pendingTimers, 0);
  });

  test("who comes while too many wait", async (t) => {
    const lines = new Lines();
    const door = doorOf({ maxWaiting: 1 });
    const { port } = await listen(t, { door, log: lines.logger });
    const first = new Peer(t, port);
    await eventually(() => assert.equal(door.waiting, 1));
    await new Peer(t, port).closed();
    await lines.has("too many connections wait for their PROXY header");
    first.socket.write(Buffer.concat([V1, GET]));
    await first.heard("192.0.2.9");
  });
});

test("a listener that stops ends what waits for its header", async (t) => {
  const door = doorOf();
  for (const listener of [await listen(t, { door }), await listenRtmp(t, { door })]) {
    const peer = new Peer(t, listener.port);
    await eventually(() => assert.equal(door.waiting, 1));
    await listener.stop(0);
    await peer.closed();
    await eventually(() => assert.equal(door.waiting, 0));
  }
});
