/** The article's three config parts start the server as a directory, on the ports that they name. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { test } from "node:test";
import { needs } from "../support/tools.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** The parts open ports 80 and 1935, so they run in a network of their own: a namespace with nothing but loopback. */
function whyNot(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "a network namespace needs root on Linux";
  if (spawnSync("unshare", ["-n", "true"]).status !== 0) return "this machine allows no network namespaces";
  return needs("ffmpeg", "curl", "iproute2");
}

const SCRIPT = `
set -eu
ip link set lo up
node src/cli/weir.js serve --config test/vectors/config/article > "$OUT/log" 2>&1 &
server=$!
for i in $(seq 100); do curl -fsS http://127.0.0.1/flussonic/api/v3/monitoring/readiness > "$OUT/ready" 2>/dev/null && break; sleep 0.1; done
ffmpeg -nostdin -v error -re -f lavfi -i testsrc2=size=320x180:rate=25 -t 14 -c:v libx264 -preset ultrafast -g 25 -f flv rtmp://127.0.0.1/pub/camera &
sleep 1
curl -fsS -m 20 http://127.0.0.1/pub/camera/index.m3u8
curl -fsS http://127.0.0.1/pub/camera/tracks-v1/mono.m3u8
kill -TERM $server
wait $server
`;

test("ports, vod and publish of the article, as a directory", { skip: whyNot(), timeout: 60_000 }, () => {
  const { status, stdout, stderr } = spawnSync(
    "unshare",
    ["-n", "bash", "-c", `OUT=$(mktemp -d); ${SCRIPT}`],
    {
      cwd: ROOT,
      encoding: "utf8",
      timeout: 50_000,
      env: { ...process.env, PATH: `${ROOT}/node_modules/.bin:${process.env["PATH"]}` },
    },
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /#EXT-X-STREAM-INF/);
  assert.match(stdout, /#EXTINF:/);
});
