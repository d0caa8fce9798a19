import assert from "node:assert/strict";
import { test } from "node:test";
import { hashText } from "./hash.ts";

test("texts are spread evenly, the same way each time, and another way under another basis", () => {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i++) counts[hashText(`pub/camera${i}`) % 4]!++;
  assert.ok(
    counts.every((count) => count > 800 && count < 1200),
    counts.join(" "),
  );
  assert.equal(hashText("pub/camera"), hashText("pub/camera"));
  assert.notEqual(hashText("pub/camera"), hashText("pub/camera", 1));
});
