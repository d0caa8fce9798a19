import assert from "node:assert/strict";
import { test } from "node:test";
import { readEditAuth, readServerId, serverIdKey } from "./kept-values.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const IDS: readonly [stored: string | undefined, expected: string][] = [
  [undefined, "absent"],
  ["", "absent"],
  [base64(" \n"), "absent"],
  [base64("0b7d3f5e-0000-4000-8000-000000000000"), "value 0b7d3f5e-0000-4000-8000-000000000000"],
  [base64("from-another-server\r\n"), "value from-another-server"],
  [base64("short"), "fault it is not 8 to 64 letters, digits and hyphens"],
  [base64("x".repeat(65)), "fault it is not 8 to 64 letters, digits and hyphens"],
  [base64("<script>alert"), "fault it is not 8 to 64 letters, digits and hyphens"],
  [base64(base64("0b7d3f5e-0000-4000-8000-000000000000")), "fault it is base64 twice: encode it once"],
  [base64("0123456789abcdef0123456789abcdef"), "value 0123456789abcdef0123456789abcdef"],
  ["abc", "fault it is not base64"],
  ["ab-_", "fault it is not base64"],
  ["/w==", "fault it is not UTF-8 text"],
];
for (const [stored, expected] of IDS) {
  test(`the id ${JSON.stringify(stored)} is: ${expected}`, () => {
    const read = readServerId(stored === undefined ? {} : { server_id: stored });
    assert.equal(typeof read === "string" ? read : Object.entries(read)[0]!.join(" "), expected);
  });
}

const KEYS: readonly [hostname: string | undefined, podName: string | undefined, key: string][] = [
  [undefined, undefined, "server_id"],
  ["node-a.example", "weir-x2k4p", "server_id.node-a.example"],
  ["Node-A", undefined, "server_id.node-a"],
  [undefined, "weir-0", "server_id.weir-0"],
  [undefined, "weir-17", "server_id.weir-17"],
  [undefined, "weir-9999", "server_id.weir-9999"],
  [undefined, "weir-7d9f8c5b6d-x2k4p", "server_id"],
  [undefined, "weir-7d9f8c5b6d-24567", "server_id"],
  [undefined, "weir-01", "server_id"],
  [undefined, "weir", "server_id"],
];
for (const [hostname, podName, key] of KEYS) {
  test(`the id of host ${hostname} in pod ${podName} is kept under ${key}`, () => {
    assert.equal(serverIdKey(hostname, podName), key);
  });
}

test("keys are no longer than a Secret takes, and differ where long names do", () => {
  const [one, other] = ["a", "b"].map((end) => serverIdKey(`${"n".repeat(252)}${end}`, undefined));
  assert.deepEqual([one!.length, other!.length, one === other], [253, 253, false]);
  assert.match(one!, /^server_id\.n+-[0-9a-f]{8}$/);
  assert.equal(serverIdKey("n".repeat(243), undefined), `server_id.${"n".repeat(243)}`);
});

test("an id is read under the key that is asked for, and no other", () => {
  const data = { "server_id.a": base64("from-another-server") };
  assert.deepEqual(readServerId(data, "server_id.a"), { value: "from-another-server" });
  assert.equal(readServerId(data), "absent");
});

test("keys of every object are no values", () => {
  assert.equal(
    readServerId(Object.create({ server_id: base64("from-a-prototype") }) as Record<string, string>),
    "absent",
  );
});

test("credentials are what their reader makes of the text", () => {
  const reader = (text: string) => ({ credentials: { login: text, password: "x" } });
  assert.deepEqual(readEditAuth({ edit_auth: base64("\uFEFFa:b\n") }, reader), {
    value: { login: "\uFEFFa:b\n", password: "x" },
  });
  assert.deepEqual(
    readEditAuth({ edit_auth: base64("a") }, () => ({ fault: "no" })),
    { fault: "no" },
  );
  assert.equal(readEditAuth({}, reader), "absent");
});
