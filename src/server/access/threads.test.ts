/** Sessions of a server with two media threads: what viewers and the control thread see of each other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import type { SessionClaim, SessionEnd } from "../../auth/claim.ts";
import { sessionService } from "../../../test/support/session-service.ts";
import { OPEN_RULES } from "../../auth/rules.ts";
import { loadConfig } from "../../config/load.ts";
import { startServer } from "../server.ts";
import type { SessionAuthority } from "./session-authority.ts";

/** Lets in whose token is `good`; a session is whom it is told by. */
class Doorkeeper implements SessionAuthority {
  readonly claims: SessionClaim[] = [];
  readonly begunIds: string[] = [];
  readonly closedIds: string[] = [];
  readonly bytes = new Map<string, number>();
  /** Those that have a viewer who was let in. */
  readonly threads = new Set<number>();
  end: (ends: readonly SessionEnd[]) => void = () => {};

  open: SessionAuthority["open"] = async (thread, claim) => {
    this.claims.push(claim);
    const { proto, token = "" } = claim;
    if (!token.startsWith("good")) return { kind: "denied", status: 403, reason: "no", forMs: 1000 };
    this.threads.add(thread);
    return { kind: "allowed", id: `${proto}-${token}` };
  };
  /** Of viewers: the server's own inputs are sessions too. */
  begun: SessionAuthority["begun"] = (_, { id, claim }) => {
    if (claim.kind === "play") this.begunIds.push(id);
  };
  report: SessionAuthority["report"] = (_, progress) => {
    for (const { id, bytes } of progress) this.bytes.set(id, (this.bytes.get(id) ?? 0) + bytes);
  };
  closed: SessionAuthority["closed"] = (_, { id }) => void this.closedIds.push(id);
  threadLost(): void {}
  onEnds(tell: (ends: readonly SessionEnd[]) => void): void {
    this.end = tell;
  }
}

async function start(t: TestContext): Promise<{ door: Doorkeeper; url: (path: string) => string }> {
  const text = `
    http 127.0.0.1:0; threads 2;
    stream cam { input fake://fake; segment_duration 1; }
    stream open { input fake://fake; segment_duration 1; }
  `;
  const { config, problems } = loadConfig([{ file: "a.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  const play = { ...OPEN_RULES, authorizer: { kind: "nobody" } } as const;
  const streams = config.streams.map((one) =>
    one.name === "cam" ? { ...one, access: { ...one.access, play } } : one,
  );
  const door = new Doorkeeper();
  const server = await startServer({
    config: { ...config, streams },
    log: new RecordingLog(),
    sessions: sessionService({ table: door }),
  });
  t.after(() => server.stop());
  return { door, url: (path) => `http://127.0.0.1:${server.httpPorts[0]}${path}` };
}

/** Fetches until the stream is on air, over connections of its own, so that both threads are met. */
async function get(url: string): Promise<{ status: number; text: string }> {
  const reply = await fetch(url, { headers: { connection: "close", "user-agent": "test" } });
  return { status: reply.status, text: await reply.text() };
}

test("viewers are judged, counted and ended, whatever thread has them", async (t) => {
  const { door, url } = await start(t);
  assert.equal((await get(url("/cam/index.m3u8"))).status, 403);
  assert.match(door.claims[0]!.token ?? "", /^[0-9a-f]{32}$/);
  const { streams } = JSON.parse((await get(url("/-/streams"))).text) as { streams: { name: string }[] };
  assert.deepEqual(
    streams.map(({ name }) => name),
    ["open"],
  );

  const playlist = "/cam/tracks-v1/mono.m3u8?token=good";
  await eventually(async () => assert.equal((await get(url(playlist))).status, 200), { timeoutMs: 20_000 });
  await eventually(async () => {
    await get(url(playlist));
    assert.equal(door.threads.size, 2);
  });
  // The window moves on while it is looked at.
  await eventually(async () => {
    const segment = /^.*seg-.*$/m.exec((await get(url(playlist))).text)![0];
    assert.match(segment, /\?token=good$/);
    assert.equal((await get(url(`/cam/tracks-v1/${segment}`))).status, 200);
    assert.equal((await get(url(`/cam/tracks-v1/${segment.replace(/\?.*/, "")}`))).status, 403);
  });
  await eventually(() => assert.ok((door.bytes.get("hls-good") ?? 0) > 1000));

  const ids = new Set<string>();
  await eventually(async () => {
    await get(url("/open/index.m3u8"));
    for (const id of door.begunIds) ids.add(id);
    assert.equal(door.begunIds.length, 2, "told of by both threads");
  });
  assert.equal(ids.size, 1, "as one session");

  door.end([{ id: "hls-good", reason: "kicked", forMs: 60_000 }]);
  await eventually(async () => {
    for (let i = 0; i < 10; i++) assert.equal((await get(url(playlist))).status, 403);
  });
});

test("a viewer on a connection is cut off when its session ends, and told of when it leaves", async (t) => {
  const { door, url } = await start(t);
  const open = async (token: string): Promise<{ body: ReadableStream<Uint8Array>; leave: () => void }> => {
    const leaving = new AbortController();
    const reply = await fetch(url(`/cam.flv?token=${token}`), { signal: leaving.signal });
    assert.equal(reply.status, 200);
    return { body: reply.body!, leave: () => leaving.abort() };
  };
  await eventually(async () => (await open("good-first")).leave(), { timeoutMs: 20_000 });
  await eventually(() => assert.ok(door.closedIds.includes("flv-good-first")));
  const { body } = await open("good-kicked");
  const ended = (async () => {
    for await (const bytes of body) assert.ok(bytes.byteLength > 0);
  })();
  await eventually(() => assert.ok((door.bytes.get("flv-good-kicked") ?? 0) > 0));
  const kickedAt = performance.now();
  door.end([{ id: "flv-good-kicked", reason: "kicked", forMs: 0 }]);
  await ended;
  assert.ok(performance.now() - kickedAt < 1000);
  assert.ok(!door.closedIds.includes("flv-good-kicked"), "who ended it knows");
});
