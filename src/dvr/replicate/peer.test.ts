import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { replyOf } from "../../../test/support/fake-peer.ts";
import type { FakeReply } from "../../../test/support/fake-peer.ts";
import { NOTHING_DELETED, buildDeletedSpan } from "../format/deleted-spans.ts";
import { Peer } from "./peer.ts";
import type { PeerRequest } from "./peer.ts";

const FILE = "2026/08/28/08.idx";

function peerOf(answer: (request: PeerRequest) => FakeReply): Peer {
  return new Peer({
    address: { origin: "http://peer:80", key: "k3y" },
    transport: {
      get: async (request) => {
        const { status, headers, body } = answer(request);
        return await Promise.resolve({ status, body, header: (name: string) => headers[name] });
      },
      close: () => {},
    },
    clock: new FakeClock(),
    signal: new AbortController().signal,
  });
}

/** Gives any part of these bytes, in pieces of at most so many. */
function serves(bytes: Uint8Array, most = Infinity): (request: PeerRequest) => FakeReply {
  return ({ headers }) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "")!;
    const [from, to] = [Number(first), Math.min(Number(last) + 1, bytes.byteLength, Number(first) + most)];
    const range = `bytes ${from}-${to - 1}/${bytes.byteLength}`;
    return replyOf(206, bytes.subarray(from, to), { "content-range": range });
  };
}

describe("what a peer has deleted", () => {
  const span = { fromUs: 4_000_000, toUs: 8_000_000 };
  const refused = (status: number) => (): FakeReply => replyOf(status, new TextEncoder().encode("no"));

  test("is read, and is nothing where it has no such file, or an empty one", async () => {
    const file = buildDeletedSpan(span, 0);
    assert.deepEqual((await peerOf(serves(file)).deleted("cam", 1)).spans, [span]);
    assert.deepEqual((await peerOf(serves(file.subarray(0, 31))).deleted("cam", 1)).spans, []);
    for (const status of [404, 416])
      assert.deepEqual(await peerOf(refused(status)).deleted("cam", 1), NOTHING_DELETED);
  });

  test("is not nothing where the peer does not tell", async () => {
    for (const status of [401, 503])
      await assert.rejects(peerOf(refused(status)).deleted("cam", 1), { code: "DVR_PEER_REFUSED" });
  });
});

describe("a peer's index", () => {
  const hour = new ArchiveHour().segment().segment();

  test("is read, up to its last whole group", async () => {
    assert.equal(
      (await peerOf(serves(hour.index)).index("cam", FILE, { hour: hour.hour, deleted: NOTHING_DELETED }))
        .segmentCount,
      2,
    );
    for (let cut = 64; cut < hour.index.byteLength; cut++) {
      const index = await peerOf(serves(hour.index.subarray(0, cut))).index("cam", FILE, {
        hour: hour.hour,
        deleted: NOTHING_DELETED,
      });
      assert.equal(index.segmentCount, Math.floor((cut - 64) / 192));
    }
  });

  test("is refused when it is cut within its header, or is another hour's", async () => {
    const refused = { code: "DVR_PEER_BAD_REPLY" };
    await assert.rejects(
      peerOf(serves(hour.index.subarray(0, 63))).index("cam", FILE, {
        hour: hour.hour,
        deleted: NOTHING_DELETED,
      }),
      refused,
    );
    await assert.rejects(
      peerOf(serves(hour.index)).index("cam", FILE, { hour: hour.hour + 1, deleted: NOTHING_DELETED }),
      refused,
    );
  });

  test("does not come in drops", async () => {
    await assert.rejects(
      peerOf(serves(hour.index, 1)).index("cam", FILE, { hour: hour.hour, deleted: NOTHING_DELETED }),
      {
        code: "DVR_PEER_BAD_REPLY",
      },
    );
  });
});

describe("a peer's reply", () => {
  const good = replyOf(206, Uint8Array.of(1, 2, 3), { "content-range": "bytes 5-7/8" });
  const range = (reply: FakeReply): Promise<unknown> => peerOf(() => reply).range("cam", FILE, 5, 10);

  test("with a part of a file is taken", async () => {
    assert.deepEqual(await range(good), { bytes: Uint8Array.of(1, 2, 3), totalBytes: 8 });
  });

  const { "content-digest": digest, ...others } = good.headers;
  const bad: readonly (readonly [name: string, reply: FakeReply, code: string])[] = [
    ["without a checksum", { ...good, headers: others }, "DVR_PEER_CHECKSUM"],
    ["with a byte changed", { ...good, body: Uint8Array.of(1, 2, 4) }, "DVR_PEER_CHECKSUM"],
    ["with a byte less", { ...good, body: Uint8Array.of(1, 2) }, "DVR_PEER_CHECKSUM"],
    ["with the whole file", { ...good, status: 200 }, "DVR_PEER_BAD_REPLY"],
    ["of no range", { ...good, headers: { "content-digest": digest! } }, "DVR_PEER_BAD_REPLY"],
    ["of another range", withRange("bytes 4-6/8"), "DVR_PEER_BAD_REPLY"],
    ["of a longer range", withRange("bytes 5-8/9"), "DVR_PEER_BAD_REPLY"],
    ["that ends before the file", withRange("bytes 5-7/9"), "DVR_PEER_BAD_REPLY"],
    ["of a file of unknown length", withRange("bytes 5-7/*"), "DVR_PEER_BAD_REPLY"],
    ["that says no", replyOf(404, new TextEncoder().encode("no such file")), "DVR_PEER_REFUSED"],
    ["that leads elsewhere", replyOf(302, new Uint8Array(0)), "DVR_PEER_REFUSED"],
  ];
  for (const [name, reply, code] of bad) {
    test(`${name} is refused`, async () => {
      await assert.rejects(range(reply), { code });
    });
  }

  function withRange(value: string): FakeReply {
    return { ...good, headers: { ...good.headers, "content-range": value } };
  }

  test("that does not come is the peer's, with its reason", async () => {
    const peer = peerOf(() => {
      throw new Error("ECONNRESET");
    });
    await assert.rejects(peer.streams(), { code: "DVR_PEER_UNREACHABLE", message: /peer:80.*ECONNRESET/ });
  });

  test("that is no list is refused", async () => {
    const peer = peerOf(() => replyOf(200, new TextEncoder().encode("{}")));
    await assert.rejects(peer.streams(), { code: "DVR_PEER_BAD_REPLY" });
    await assert.rejects(peer.hours("cam", 1, 2), { code: "DVR_PEER_BAD_REPLY" });
  });

  test("with hours that were not asked for is taken without them", async () => {
    const rows = [1, 2, 3, 4].map((hour) => [hour, 64, 0]);
    const peer = peerOf(() =>
      replyOf(200, new TextEncoder().encode(JSON.stringify({ version: 1, hours: rows }))),
    );
    assert.deepEqual(
      (await peer.hours("cam", 2, 3)).map(({ hour }) => hour),
      [2, 3],
    );
  });

  test("of which the media is damaged is told", () => {
    const error = peerOf(() => good).badMedia("cam", FILE, "it ends");
    assert.equal((error as { code?: string }).code, "DVR_PEER_BAD_MEDIA");
  });
});
