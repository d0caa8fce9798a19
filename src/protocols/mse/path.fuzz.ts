import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { parseMseCommand } from "./commands.ts";
import { parseMsePath } from "./path.ts";
import { parseMseSelection, selectionKey } from "./selection.ts";

/** What players write: paths, choices of tracks, commands. Whatever is recognised is written back the same. */
export const fuzz: TextFuzzTarget = {
  name: "mse-words",
  seeds: [
    "/demo/mse_ld",
    "/a/b/mse_ld",
    "v1a1",
    "a2",
    "play_from=1700000000.5",
    "set_tracks=v2a1",
    "resume",
  ],
  dictionary: ["/mse_ld", "/", "v1", "a1", "t1", "play_from=", "set_tracks=", "live", "{"],
  run(text) {
    const name = parseMsePath(text);
    if (name !== null) assert.equal(`/${name}/mse_ld`, text);
    const selection = parseMseSelection(text);
    if (selection !== null && text !== "") {
      const key = selectionKey(selection);
      assert.match(key, /^(?:v[1-9][0-9]?)?(?:a[1-9][0-9]?)?$/);
      assert.deepEqual(parseMseSelection(key), selection);
    }
    const command = parseMseCommand(text);
    if (command?.type === "play-from") assert.ok(command.utcSeconds >= 0 && command.utcSeconds < 1e12);
  },
};
