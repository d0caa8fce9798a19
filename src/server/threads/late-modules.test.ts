import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SOURCES = new URL("../../", import.meta.url);

/** What somebody has to ask for: one plain import of any of them would bring it back into every thread. */
const LATE = [
  "protocols/dash/reply.ts",
  "protocols/json/reply.ts",
  "protocols/hls/ts-reply.ts",
  "protocols/hls/text-reply.ts",
  "protocols/http-ts/from-stream.ts",
  "protocols/mse/reply.ts",
  "server/http/web-socket.ts",
  "containers/mpegts/demuxer.ts",
  "containers/mpegts/muxer.ts",
  "containers/mp4/movie.ts",
  "stream/paced-packets.ts",
  "vod/vod.ts",
  "vod/file-source.ts",
];

/** Imports one module in a process of its own. Prints the paths of all that were loaded with it. */
const PROGRAM = `
  import { registerHooks } from "node:module";
  const [root, entry] = process.argv.slice(-2);
  const loaded = [];
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      if (found.url.startsWith(root)) loaded.push(found.url.slice(root.length));
      return found;
    },
  });
  await import(root + entry);
  console.log(JSON.stringify(loaded));
`;

async function loadedWith(entry: string): Promise<ReadonlySet<string>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", PROGRAM, "--", SOURCES.href, entry],
    { cwd: fileURLToPath(SOURCES) },
  );
  return new Set(JSON.parse(stdout) as string[]);
}

test("a media thread begins without what few ask for", async () => {
  const loaded = await loadedWith("server/threads/media-runtime.ts");
  for (const file of [
    "protocols/hls/reply.ts",
    "protocols/http-flv/reply.ts",
    "protocols/rtmp/listener.ts",
  ])
    assert.ok(loaded.has(file), `${file} is there from the start`);
  assert.deepEqual(
    LATE.filter((file) => loaded.has(file)),
    [],
  );
});

for (const file of LATE) {
  test(`${file} can be loaded when it is asked for`, async () => {
    const path = new URL(file, SOURCES).href;
    assert.ok(Object.keys((await import(path)) as object).length > 0);
  });
}
