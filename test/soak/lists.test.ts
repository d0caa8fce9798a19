import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "../support/tools.ts";
import { measureLists } from "./lists.ts";

test(
  "pages, changes and sessions of very many streams are answered beside media",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    // How long it takes on a machine that has better things to do is not told here: `npm run soak:lists` tells it.
    const report = await measureLists(t, {
      ...{ streams: 2000, sessions: 100, puts: 2, quietMs: 500 },
      onProgress: (line) => t.diagnostic(line),
    });
    assert.equal(report.names, 2002);
    assert.equal(report.pagesMs.length, 21);
    assert.equal(report.putsMs.length, 2);
    assert.equal(report.beside.length, 5);
    for (const { what, segments, control } of report.beside) {
      assert.ok(segments.count > 0 && control.count > 0, what);
      assert.deepEqual([segments.failed, control.failed], [0, 0], what);
    }
  },
);
