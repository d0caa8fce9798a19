import assert from "node:assert/strict";
import { test } from "node:test";
import { readSecretsStorage } from "./secrets-storage.ts";

const CASES: readonly [text: string, expected: object][] = [
  ["k8s://license", { storage: { name: "license" } }],
  ["k8s://weir.state-1", { storage: { name: "weir.state-1" } }],
  ["k8s://media/weir-state", { storage: { namespace: "media", name: "weir-state" } }],
  ["weir-state", { fault: "it does not begin with k8s://" }],
  ["K8S://weir-state", { fault: "it does not begin with k8s://" }],
  ["k8s://", { fault: "it does not begin with k8s://" }],
  ["vault://weir-state", { fault: "it does not begin with k8s://" }],
  ["k8s://a/b/c", { fault: 'there is more than one "/" behind k8s://' }],
  ["k8s:///a", { fault: "the namespace has no good name" }],
  ["k8s://a.b/c", { fault: "the namespace has no good name" }],
  [`k8s://${"a".repeat(64)}/c`, { fault: "the namespace has no good name" }],
  ["k8s://a/", { fault: "the Secret has no good name" }],
  ["k8s://Weir", { fault: "the Secret has no good name" }],
  ["k8s://a..b", { fault: "the Secret has no good name" }],
  ["k8s://a b", { fault: "the Secret has no good name" }],
  [`k8s://${"a.".repeat(130)}a`, { fault: "the Secret has no good name" }],
];
for (const [text, expected] of CASES) {
  test(`the storage ${text.slice(0, 40)} is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(readSecretsStorage(text), expected);
  });
}
