/** Pages tell of every field that the API has in these objects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { statsReply } from "../../src/api/operations/config.ts";
import { sessionItem } from "../../src/api/operations/sessions.ts";
import { readProjectFile } from "./tree.ts";

/** Fields that stand nowhere in a part of a page, in backquotes. */
function untold(schema: z.ZodObject, path: string, heading: string): string[] {
  const page = readProjectFile(path);
  const begin = page.indexOf(`\n## ${heading}\n`);
  assert.ok(begin >= 0, `${path} has no part ${heading}`);
  const end = page.indexOf("\n## ", begin + 1);
  const part = page.slice(begin, end < 0 ? undefined : end);
  return Object.keys(schema.shape).filter((field) => !part.includes(`\`${field}\``));
}

test("docs/operations.md tells of every figure of the server", () => {
  assert.deepEqual(untold(statsReply, "docs/operations.md", "The API"), []);
});

test("docs/api.md tells of every field of a session", () => {
  assert.deepEqual(untold(sessionItem, "docs/api.md", "A session"), []);
});
