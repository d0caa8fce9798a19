import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect as connectTcp } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { selfSigned } from "../../../test/support/certificate.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { KeyPair } from "./key-pair.ts";
import { TlsDoor } from "./tls-door.ts";
import type { TlsDoorOptions } from "./tls-door.ts";

function keyPair(): KeyPair {
  const { cert, key } = selfSigned();
  return { certificate: cert, key, validFromMs: 0, expiresMs: 1 };
}

type Opened = {
  readonly door: TlsDoor;
  readonly clock: FakeClock;
  readonly port: number;
  readonly secured: TLSSocket[];
  readonly refused: string[];
  readonly accepted: Socket[];
};

async function open(t: TestContext, options: Partial<TlsDoorOptions> = {}): Promise<Opened> {
  const clock = new FakeClock();
  const door = new TlsDoor({
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    clock,
    ticketKeys: Buffer.alloc(48, 3),
    protocols: [],
    ...options,
  });
  const secured: TLSSocket[] = [];
  const refused: string[] = [];
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    door.admit(socket, {
      onSecure: (secure) => {
        secure.on("error", () => {});
        secure.end("hello");
        secured.push(secure);
      },
      onRefused: (reason) => void refused.push(reason),
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  return { door, clock, secured, refused, accepted, port: (server.address() as AddressInfo).port };
}

type Visit = {
  readonly protocol: string | null;
  readonly isReused: boolean;
  readonly session: Buffer | undefined;
  readonly serial: string;
};

/** Connects and reads to the end. */
function visit(port: number, options: ConnectionOptions = {}): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
    let session: Buffer | undefined;
    let serial = "";
    socket.on("secureConnect", () => (serial = socket.getPeerCertificate().fingerprint256));
    socket.on("session", (found) => (session = found));
    socket.on("error", reject);
    socket.on("end", () => {
      const found = { isReused: socket.isSessionReused(), session, serial };
      if (serial === "") reject(new Error("closed before the handshake had ended"));
      else resolve({ protocol: socket.getProtocol(), ...found });
    });
    socket.resume();
  });
}

test("while there is no certificate a connection is closed, and served once it comes", async (t) => {
  const { door, port, refused } = await open(t);
  await assert.rejects(visit(port));
  assert.deepEqual(refused, ["there is no certificate yet"]);
  door.setPair(keyPair());
  assert.equal((await visit(port)).protocol, "TLSv1.3");
  await eventually(() => assert.equal(door.handshakes, 0));
});

test("only the versions of the plan are spoken", async (t) => {
  for (const [minVersion, maxVersion, asked, got] of [
    ["TLSv1.2", "TLSv1.3", "TLSv1.2", "TLSv1.2"],
    ["TLSv1.2", "TLSv1.3", "TLSv1.3", "TLSv1.3"],
    ["TLSv1.3", "TLSv1.3", "TLSv1.2", null],
    ["TLSv1.2", "TLSv1.2", "TLSv1.3", null],
  ] as const) {
    const { door, port } = await open(t, { minVersion, maxVersion });
    door.setPair(keyPair());
    const seen = visit(port, { minVersion: asked, maxVersion: asked });
    if (got === null) await assert.rejects(seen);
    else assert.equal((await seen).protocol, got);
  }
});

test("a new pair is for new connections, those that are open go on", async (t) => {
  const { door, port, secured } = await open(t);
  door.setPair(keyPair());
  const before = await visit(port);
  const old = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  t.after(() => old.destroy());
  await once(old, "secureConnect");
  await eventually(() => assert.equal(secured.length, 2));
  door.setPair(keyPair());
  const after = await visit(port);
  assert.notEqual(after.serial, before.serial);
  assert.equal(old.getPeerCertificate().fingerprint256, before.serial);
  const [hello] = (await once(old, "data")) as [Buffer];
  assert.equal(String(hello), "hello");
});

test("a ticket of one thread is good in another, also behind a rotation", async (t) => {
  const pair = keyPair();
  const one = await open(t);
  const two = await open(t);
  const foreign = await open(t, { ticketKeys: Buffer.alloc(48, 9) });
  for (const { door } of [one, two, foreign]) door.setPair(pair);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const versions = { minVersion: version, maxVersion: version };
    const { session } = await visit(one.port, versions);
    assert.ok(session !== undefined);
    assert.equal((await visit(two.port, { ...versions, session })).isReused, true);
    assert.equal((await visit(foreign.port, { ...versions, session })).isReused, false);
    two.door.setPair(keyPair());
    assert.equal((await visit(two.port, { ...versions, session })).isReused, true);
  }
});

test("a handshake that takes too long is ended, however busy it looks", async (t) => {
  const { door, clock, port, refused } = await open(t);
  door.setPair(keyPair());
  const slow = connectTcp(port, "127.0.0.1");
  t.after(() => slow.destroy());
  slow.on("error", () => {});
  const closed = once(slow, "close");
  await eventually(() => assert.equal(door.handshakes, 1));
  for (const byte of [0x16, 0x03, 0x01]) {
    slow.write(Buffer.of(byte));
    await clock.advanceSettling(3000);
  }
  assert.equal(door.handshakes, 1);
  clock.advance(1500);
  await closed;
  assert.match(refused[0]!, /longer than 10000 ms/);
  await eventually(() => assert.equal(door.handshakes, 0));
  assert.equal(clock.pendingTimers, 0);
});

test("no more handshakes are under way than may be, and room comes back", async (t) => {
  const { door, clock, port, refused } = await open(t, { maxHandshakes: 2 });
  door.setPair(keyPair());
  const idle = [connectTcp(port, "127.0.0.1"), connectTcp(port, "127.0.0.1")];
  for (const socket of idle) socket.on("error", () => {});
  t.after(() => idle.forEach((socket) => socket.destroy()));
  await eventually(() => assert.equal(door.handshakes, 2));
  await assert.rejects(visit(port));
  assert.deepEqual(refused, ["too many TLS handshakes at a time"]);
  idle[0]!.resetAndDestroy();
  await eventually(() => assert.equal(door.handshakes, 1));
  assert.equal((await visit(port)).protocol, "TLSv1.3");
  idle[1]!.end();
  await eventually(() => assert.equal(door.handshakes, 0));
  assert.equal(clock.pendingTimers, 0);
});

test("what is not TLS is closed, with a reason; who only looks whether the port is open is none", async (t) => {
  const { door, port, refused, accepted } = await open(t);
  door.setPair(keyPair());
  for (const words of ["GET / HTTP/1.1\r\nhost: x\r\n\r\n", "\x03".repeat(2000), "\x16\x03\x01\xff\xff"]) {
    const socket = connectTcp(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end(words, "latin1");
    socket.resume();
    await once(socket, "close");
  }
  assert.ok(refused.length >= 2);
  assert.match(refused[0]!, /^not TLS: ERR_SSL_HTTP_REQUEST/);
  const known = refused.length;
  const looking = connectTcp(port, "127.0.0.1");
  await once(looking, "connect");
  looking.destroy();
  await eventually(() => assert.ok(accepted.length === 4 && accepted.every(({ destroyed }) => destroyed)));
  assert.equal(refused.length, known);
  assert.equal(door.handshakes, 0);
});

test("a client that speaks none of the protocols is refused", async (t) => {
  const { door, port, secured } = await open(t, { protocols: ["h2", "http/1.1"] });
  door.setPair(keyPair());
  await visit(port, { ALPNProtocols: ["http/1.1", "h2"] });
  await visit(port);
  await assert.rejects(visit(port, { ALPNProtocols: ["imap"] }));
  assert.deepEqual(
    secured.map(({ alpnProtocol }) => alpnProtocol),
    ["h2", false],
  );
});
