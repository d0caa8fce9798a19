/** The image, built and run: as nobody on a read-only file system, as root, stopped at any time. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { parseObjects, podTemplates } from "../kubernetes/support/objects.ts";
import { root } from "../kubernetes/support/programs.ts";
import {
  configParts,
  PARTS_DIRECTORY,
  podEnvironment,
  serverContainer,
} from "../kubernetes/support/server-config.ts";
import {
  buildTestImage,
  podman,
  startContainer,
  whyNoContainers,
} from "../kubernetes/support/test-image.ts";

const IMAGE = "localhost/weir-test:user";
const ROOT_IMAGE = "localhost/weir-test:root";
const MAX_COMPRESSED_BYTES = 80_000_000;

/** What Kubernetes' strictest policy asks of a container. */
const LOCKED = [
  "--read-only",
  "--read-only-tmpfs=false",
  "--cap-drop=all",
  "--security-opt=no-new-privileges",
];

const skip = whyNoContainers();
// A suite that is skipped has no tests to name.
test("containers can be run here", { skip }, () => assert.equal(skip, false));

function inspect(container: string, field: string): string {
  return podman("inspect", "--format", `{{ ${field} }}`, container).stdout;
}

function configured(t: { after(clean: () => void): void }, port: number): string[] {
  const folder = mkdtempSync(join(tmpdir(), "weir-container-"));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const parts = `http 127.0.0.1:${port};\nvod vod {\n  storage /opt/flussonic/priv;\n}\n`;
  writeFileSync(join(folder, "all.conf"), parts);
  return ["--network=host", `--volume=${folder}:/etc/flussonic/flussonic.conf.d:ro`];
}

describe("the image", { skip, timeout: 110_000 }, () => {
  before(() => {
    if (skip !== false) return;
    buildTestImage({ tag: IMAGE });
    buildTestImage({ tag: ROOT_IMAGE, user: "0:0" });
  });

  test("is small", () => {
    const folder = mkdtempSync(join(tmpdir(), "weir-saved-"));
    try {
      const saved = podman("save", "--format", "docker-dir", "--compress", "--output", folder, IMAGE);
      assert.equal(saved.status, 0, saved.stderr);
      const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
      assert.ok(bytes <= MAX_COMPRESSED_BYTES, `${bytes} bytes`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("has the same layers when it is built again, whoever it belongs to", () => {
    const [one, two] = [IMAGE, ROOT_IMAGE].map((image) => inspect(image, ".RootFS.Layers"));
    assert.match(one!, /sha256/);
    assert.equal(one, two);
    assert.deepEqual(
      [IMAGE, ROOT_IMAGE].map((image) => inspect(image, ".Config.User")),
      ["65532:65532", "0:0"],
    );
  });

  for (const [name, image, args] of [
    ["as nobody, with no capability, where nothing may be written", IMAGE, LOCKED],
    ["as any other user", IMAGE, [...LOCKED, "--user=12345:54321"]],
    ["as root", IMAGE, ["--user=0"]],
  ] as const) {
    test(`runs ${name}: ready, healthy, plays the clip, ends in order`, async (t) => {
      const port = await freePort();
      const startedAt = performance.now();
      const container = startContainer(t, ...configured(t, port), ...args, image);
      const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
      await eventually(async () =>
        assert.equal((await get("/streamer/api/v3/monitoring/readiness")).status, 200),
      );
      t.diagnostic(`ready after ${Math.round(performance.now() - startedAt)} ms`);
      for (const path of [
        "/",
        "/vod/bunny.mp4/index.m3u8",
        "/vod/sample.mp4/index.m3u8",
        "/vod/bunny.mp4/embed.html",
      ]) {
        assert.equal((await get(path)).status, 200, path);
      }
      assert.equal(podman("exec", container, "node", "deploy/image/health.js", String(port)).status, 0);
      const check = ["src/cli/weir.js", "check", "/etc/flussonic"];
      assert.equal(podman("exec", container, "node", ...check).status, 0);
      assert.equal(podman("stop", "--time", "20", container).status, 0);
      assert.equal(inspect(container, ".State.ExitCode"), "0", podman("logs", container).stdout);
    });
  }

  for (const [name, image, args] of [
    ["root with one capability", ROOT_IMAGE, ["--cap-drop=all", "--cap-add=NET_BIND_SERVICE"]],
    [
      "nobody, where the system lets anyone",
      IMAGE,
      ["--sysctl=net.ipv4.ip_unprivileged_port_start=0", ...LOCKED],
    ],
  ] as const) {
    test(`opens port 80 as ${name}, and is found to be healthy there`, async (t) => {
      const container = startContainer(t, ...args, "--read-only", "--network=none", image);
      await eventually(() => {
        assert.equal(podman("exec", container, "node", "deploy/image/health.js").status, 0);
      });
    });
  }

  test("does what a manifest in the reference product's style asks of it", async (t) => {
    const objects = parseObjects(readFileSync(join(root, "test/kubernetes/reference-style.yaml"), "utf8"));
    const pod = podTemplates(objects)[0]!;
    const server = serverContainer(pod.spec)!;
    const folder = mkdtempSync(join(tmpdir(), "weir-parts-"));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const { file, text } of configParts(pod.spec, objects))
      writeFileSync(join(folder, basename(file)), text);
    const env = Object.entries(podEnvironment(pod, objects)).map(
      ([name, value]) => `--env=${name}=${value}`,
    );
    const mount = `--volume=${folder}:${PARTS_DIRECTORY}:ro`;
    const container = startContainer(t, "--network=none", mount, ...env, ROOT_IMAGE);
    const ask = (path: string, headers: object): { status: number; body: string } => {
      const script = `const reply = await fetch("http://127.0.0.1:80" + process.argv[1], { headers: JSON.parse(process.argv[2]) });
        console.log(JSON.stringify({ status: reply.status, body: await reply.text() }));`;
      const args = ["node", "--input-type=module", "-e", script, path, JSON.stringify(headers)];
      const { status, stdout, stderr } = podman("exec", container, ...args);
      assert.equal(status, 0, stderr);
      return JSON.parse(stdout) as { status: number; body: string };
    };
    const headers = { Authorization: "Bearer cm9vdDpwYXNzd29yZA==" };
    for (const probe of [server.startupProbe, server.readinessProbe, server.livenessProbe]) {
      assert.deepEqual(probe?.httpGet?.httpHeaders, [
        { name: "Authorization", value: headers.Authorization },
      ]);
      await eventually(() => assert.equal(ask(probe.httpGet!.path, headers).status, 200));
    }
    assert.equal(ask("/vod/bunny.mp4/index.m3u8", {}).status, 200);
    assert.equal(ask("/flussonic/api/v3/config/stats", {}).status, 401);
    const stats = JSON.parse(ask("/flussonic/api/v3/config/stats", headers).body) as { hostname: string };
    assert.equal(stats.hostname, "node-1");
  });

  test("says what is wrong when it may not open port 80", async (t) => {
    const shut = "--sysctl=net.ipv4.ip_unprivileged_port_start=1024";
    const container = startContainer(t, ...LOCKED, shut, "--network=none", IMAGE);
    await eventually(() => assert.equal(inspect(container, ".State.Running"), "false"));
    const { stdout, stderr } = podman("logs", container);
    assert.match(stdout + stderr, /not started: .*permission denied.*:80/);
    assert.equal(inspect(container, ".State.ExitCode"), "1");
  });
});
