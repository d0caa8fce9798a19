import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  isWriter,
  readClaimRecord,
  readLifeRecord,
  RECORD_BYTES,
  writeClaimRecord,
  writeLifeRecord,
} from "./writer-records.ts";
import { isProcessGone } from "./writer-watch.ts";

const WRITER = "3f1e0c52-aaaa-bbbb-cccc-0123456789ab";
const identity = { host: "weir-0", pod: "uid-of-weir-0", machine: "boot pid:[1]", pid: 7, birth: "123" };
const life = { writer: WRITER, identity, renewedAt: 1_700_000_000_000, leaseMs: 15_000 };
const claim = { writer: WRITER, host: "weir-0", claimedAt: 1_700_000_000_000, isReleased: false };

/** A record as somebody else wrote it, padded as it has to be. */
function padded(text: string, length = RECORD_BYTES): Uint8Array {
  const bytes = Buffer.alloc(length, " ");
  bytes.write(text, "latin1");
  if (length > 0) bytes[length - 1] = 0x0a;
  return bytes;
}

describe("the records of writers", () => {
  test("are read as they were written", () => {
    assert.deepEqual(readLifeRecord(writeLifeRecord(life)), life);
    assert.deepEqual(readClaimRecord(writeClaimRecord(claim)), claim);
    assert.deepEqual(readClaimRecord(writeClaimRecord({ ...claim, isReleased: true })), {
      ...claim,
      isReleased: true,
    });
  });

  test("are one line of JSON of one size, whatever the names", () => {
    const long = '\u00e4"\\\u0000'.repeat(1000);
    const bytes = writeLifeRecord({
      ...life,
      writer: "a".repeat(64),
      identity: { host: long, pod: long, machine: long, pid: Number.MAX_SAFE_INTEGER, birth: long },
      renewedAt: Number.MAX_SAFE_INTEGER,
      leaseMs: 600_000,
    });
    assert.equal(bytes.byteLength, RECORD_BYTES);
    assert.equal(readLifeRecord(bytes)?.identity.host, "?".repeat(253));
    assert.match(Buffer.from(bytes).toString(), /^\{"writer":"a+","host":"\?+".*\} *\n$/);
  });

  test("are read from what somebody else wrote", () => {
    const text = `{ "host": "h", "writer": "${WRITER}", "more": [1], "isReleased": true, "claimedAt": 5 }`;
    assert.deepEqual(readClaimRecord(padded(text)), {
      writer: WRITER,
      host: "h",
      claimedAt: 5,
      isReleased: true,
    });
  });

  test("are none when they are cut off anywhere", () => {
    for (let cut = 0; cut < RECORD_BYTES; cut++) {
      assert.equal(readLifeRecord(writeLifeRecord(life).subarray(0, cut)), null, `cut at ${cut}`);
      assert.equal(readClaimRecord(writeClaimRecord(claim).subarray(0, cut)), null, `cut at ${cut}`);
    }
  });

  const broken: Readonly<Record<string, Uint8Array>> = {
    "no bytes": new Uint8Array(0),
    zeros: new Uint8Array(RECORD_BYTES),
    "one byte more": padded(JSON.stringify(claim), RECORD_BYTES + 1),
    "no JSON": padded("{"),
    "another kind of JSON": padded("[]"),
    null: padded("null"),
    "a writer that leads out of the folder": padded(
      JSON.stringify({ ...claim, writer: "../../../etc/passwd" }),
    ),
    "a writer that is no text": padded(JSON.stringify({ ...claim, writer: 7 })),
    "no writer": padded(JSON.stringify({ ...claim, writer: undefined })),
    "a time that is none": padded(JSON.stringify({ ...claim, claimedAt: -1 })),
    "a time with a fraction": padded(JSON.stringify({ ...claim, claimedAt: 1.5 })),
    "a host that is no text": padded(JSON.stringify({ ...claim, host: null })),
    "a host that is too long": padded(JSON.stringify({ ...claim, host: "h".repeat(300) })),
    "a release that is neither": padded(JSON.stringify({ ...claim, isReleased: 1 })),
  };
  for (const [name, bytes] of Object.entries(broken))
    test(`are none: ${name}`, () => {
      assert.equal(readClaimRecord(bytes), null);
      assert.equal(readLifeRecord(bytes), null);
    });

  for (const wrong of [
    { leaseMs: 600_001 },
    { leaseMs: "15" },
    { pid: -1 },
    { machine: 5 },
    { birth: "\u0007" },
    { pod: null },
  ])
    test(`of life are none with ${JSON.stringify(wrong)}`, () => {
      const { identity: named, ...rest } = life;
      const fields = { ...rest, ...named };
      assert.notEqual(readLifeRecord(padded(JSON.stringify(fields))), null);
      assert.equal(readLifeRecord(padded(JSON.stringify({ ...fields, ...wrong }))), null);
    });

  test("name writers that are fit for a file's name", () => {
    assert.ok(isWriter(WRITER));
    for (const name of [
      "",
      "short",
      ".hidden-name",
      "a/b-c-d-e-f",
      "A".repeat(20),
      "a".repeat(65),
      12345678,
    ])
      assert.equal(isWriter(name), false, String(name));
  });
});

describe("a process is gone", () => {
  const isAlive = (pid: number, birth: string): boolean => pid === 7 && birth === "123";
  const own = { host: "b", pod: "uid-of-weir-0", machine: "boot pid:[1]", pid: 9, birth: "200" };
  const cases = [
    { name: "not, when it runs on this machine", other: {}, isGone: false },
    { name: "when its id is another process's by now", other: { birth: "99" }, isGone: true },
    { name: "when its id is nobody's", other: { pid: 8 }, isGone: true },
    { name: "when it was of the same pod", other: { machine: "boot pid:[2]" }, isGone: true },
    {
      name: "not, in a pod of the same name that was deleted by force",
      other: { host: "b", machine: "other pid:[1]", pod: "uid-of-weir-0-before" },
      isGone: false,
    },
    { name: "when its pod's machine is not known", other: { machine: "" }, isGone: true },
    {
      name: "not, in another pod",
      other: { machine: "boot pid:[2]", pod: "uid-of-weir-1" },
      isGone: false,
    },
    { name: "not, where nothing is known of it", other: { machine: "", pod: "" }, isGone: false },
  ];
  for (const { name, other, isGone } of cases)
    test(name, () => assert.equal(isProcessGone({ ...identity, ...other }, own, isAlive), isGone));

  test("not, when it may be this one, on a machine that does not tell", () => {
    const here = { host: "b", pod: "weir-0", machine: "", pid: 1, birth: "" };
    assert.equal(
      isProcessGone(here, here, () => false),
      false,
    );
    assert.equal(
      isProcessGone({ ...here, pid: 2 }, here, () => false),
      true,
    );
  });

  test("not, where nothing is known of either", () => {
    const nobody = { host: "", pod: "", machine: "", pid: 1, birth: "" };
    assert.equal(
      isProcessGone(nobody, nobody, () => false),
      false,
    );
  });
});
