/** How the image is made and checked, without a program that builds images. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildArguments, BUILDERS, qualifiedName } from "../../deploy/build-image.ts";
import type { ImageOptions } from "../../deploy/build-image.ts";
import { freePort } from "../support/free-port.ts";
import { startProgram } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { eventually } from "../support/eventually.ts";
import { root } from "./support/programs.ts";

const OPTIONS: ImageOptions = {
  tag: "weir:1",
  base: null,
  builderImage: null,
  user: null,
  revision: "abc",
  dateS: 1_700_000_000,
  more: [],
};

describe("npm run image", () => {
  test("names the image as Kubernetes will ask for it", () => {
    for (const [tag, name] of [
      ["weir:1", "docker.io/library/weir:1"],
      ["media/weir:1", "docker.io/media/weir:1"],
      ["example.com/weir:1", "example.com/weir:1"],
      ["localhost:5000/weir", "localhost:5000/weir"],
      ["localhost/weir", "localhost/weir"],
    ] as const) {
      assert.equal(qualifiedName(tag), name);
    }
  });

  for (const builder of BUILDERS) {
    test(`gives ${builder} the date, the version and what was asked for`, () => {
      const asked = { ...OPTIONS, base: "a", builderImage: "b", user: "0:0", more: ["--no-cache"] };
      const line = buildArguments(builder, asked).join(" ");
      for (const part of ["BASE=a", "BUILDER=b", "RUN_AS=0:0", "REVISION=abc", "1700000000"]) {
        assert.ok(line.includes(part), `${part} is not in: ${line}`);
      }
      assert.ok(line.endsWith("--tag docker.io/library/weir:1 --no-cache ."), line);
    });

    test(`leaves to the Containerfile what was not asked for, with ${builder}`, () => {
      assert.doesNotMatch(buildArguments(builder, OPTIONS).join(" "), /BASE=|BUILDER=|RUN_AS=/);
    });
  }
});

describe("the folder that the image is made from", () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-image-"));
  const app = join(folder, "opt/weir");
  after(() => rmSync(folder, { recursive: true, force: true }));

  before(() => {
    mkdirSync(app, { recursive: true });
    for (const name of ["package.json", "src", "ui", "samples", "deploy/image"]) {
      cpSync(join(root, name), join(app, name), { recursive: true });
    }
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
      packages: Record<string, { dev?: boolean; optional?: boolean }>;
    };
    for (const [path, entry] of Object.entries(lock.packages)) {
      if (path === "" || entry.dev === true || entry.optional === true) continue;
      cpSync(join(root, path), join(app, path), { recursive: true });
    }
    // As a checkout is under a umask of 077, and with whatever else git does not keep.
    for (const name of readdirSync(app, { recursive: true, encoding: "utf8" })) {
      const path = join(app, name);
      if (lstatSync(path).isDirectory()) chmodSync(path, 0o700);
      else if (lstatSync(path).isFile()) chmodSync(path, name.endsWith(".ts") ? 0o600 : 0o4777);
    }
    const { status, stderr } = spawnSync(process.execPath, ["deploy/image/prepare.ts", app, folder], {
      cwd: app,
      encoding: "utf8",
      env: { ...process.env, SOURCE_DATE_EPOCH: "1700000000" },
    });
    assert.equal(status, 0, stderr);
  });

  test("has no tests, types or maps in it, and one build of each player", () => {
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      files.filter((name) => /\.(ts|map)$/.test(name)),
      [],
    );
    assert.deepEqual(readdirSync(join(app, "node_modules/hls.js/dist")), ["hls.min.js"]);
    const builds = readdirSync(join(app, "node_modules/dashjs/dist"), {
      recursive: true,
      encoding: "utf8",
    });
    assert.deepEqual(
      builds.filter((name) => name.endsWith(".js")),
      ["modern/umd/dash.mediaplayer.min.js"],
    );
  });

  test("has the clip, and the link to it", () => {
    const priv = join(folder, "opt/flussonic/priv");
    assert.equal(
      lstatSync(join(priv, "sample.mp4")).size,
      lstatSync(join(root, "samples/sample.mp4")).size,
    );
    assert.equal(readlinkSync(join(priv, "bunny.mp4")), "sample.mp4");
  });

  test("has one date on every file and folder", () => {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const dates = names
      .filter((name) => name.startsWith("opt/weir/"))
      .map((name) => lstatSync(join(folder, name)).mtimeMs);
    assert.deepEqual([...new Set(dates)], [1_700_000_000_000]);
  });

  test("has the same modes whatever those of the checkout were: anyone may read, nobody but its owner write", () => {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const modes = names
      .map((name) => join(folder, name))
      .filter((path) => path !== join(folder, "opt") && !lstatSync(path).isSymbolicLink())
      .map(
        (path) =>
          `${lstatSync(path).isDirectory() ? "d" : "-"}${(lstatSync(path).mode & 0o7777).toString(8)}`,
      );
    assert.deepEqual([...new Set(modes)].toSorted(), ["-644", "d755"]);
  });

  test("runs: it becomes ready, plays the clip, and obeys SIGTERM", async (t) => {
    const port = await freePort();
    const program = startProgram(
      t,
      process.execPath,
      [join(app, "src/cli/weir.js"), "serve", "--config", folder],
      {
        env: { FLUSSONIC_HTTP: `127.0.0.1:${port}`, NODE_DISABLE_COMPILE_CACHE: "1" },
      },
    );
    await eventually(async () => {
      const reply = await fetch(`http://127.0.0.1:${port}/streamer/api/v3/monitoring/readiness`);
      assert.equal(reply.status, 200);
    });
    const page = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(page.status, 200);
    assert.deepEqual(await program.stop(), { code: 0, signal: null });
  });
});

describe("the health check of the image", () => {
  const path = join(root, "deploy/image/health.js");

  function check(ports: readonly number[]): Promise<number | null> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [path, ...ports.map(String)], { stdio: "inherit" });
      child.once("error", reject);
      child.once("close", resolve);
    });
  }

  async function listener(status: number): Promise<{ server: Server; port: number }> {
    const server = createServer((request, response) => {
      const isProbe = request.url === "/streamer/api/v3/monitoring/liveness";
      response.writeHead(isProbe ? status : 500).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, port: (server.address() as AddressInfo).port };
  }

  for (const [name, statuses, code] of [
    ["the probe answers 200", [200], 0],
    ["any of the listeners has the probe", [404, 200], 0],
    ["none has the API, but one speaks HTTP", [404], 0],
    ["the probe answers 503", [503], 1],
    ["nobody listens", [], 1],
  ] as const) {
    test(`ends with ${code} when ${name}`, async (t) => {
      const listeners = await Promise.all(statuses.map(listener));
      t.after(() => listeners.forEach(({ server }) => server.close()));
      const ports = listeners.length > 0 ? listeners.map(({ port }) => port) : [await freePort()];
      assert.equal(await check(ports), code);
    });
  }

  test("ends with 1 when the server takes connections and says nothing", async (t) => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    const startedAt = performance.now();
    assert.equal(await check([(server.address() as AddressInfo).port]), 1);
    assert.ok(performance.now() - startedAt < 5000, "it took longer than the image's timeout");
  });

  for (const address of ["0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1", "fd00::1:2"]) {
    test(`finds a listener at ${address} by itself, and that it is gone`, { skip: whyNoMount() }, () => {
      const script = `
        ip link set lo up; mount -t tmpfs none /dev/shm; ip addr add fd00::1:2/128 dev lo nodad
        "$NODE" -e 'require("http").createServer((q, r) => r.end()).listen(81, process.argv[1], () => console.log(0))' \
          ${address} > "$OUT" &
        for i in $(seq 400); do [ -s "$OUT" ] && break; sleep 0.05; done
        "$NODE" ${path}; alive=$?
        kill $!; wait
        "$NODE" ${path}; dead=$?
        rm "$OUT"; echo $alive $dead`;
      const { stdout, stderr } = spawnSync(
        "unshare",
        ["-n", "-m", "bash", "-c", `OUT=$(mktemp); ${script}`],
        {
          encoding: "utf8",
          env: { ...process.env, NODE: process.execPath },
        },
      );
      assert.equal(stdout.trim(), "0 1", stderr);
    });
  }
});

describe("the health check without ports", { skip: whyNoMount() }, () => {
  /** Opens `sockets` sockets at each port, shared as media threads share them; RTMP counts who comes. */
  const SERVER = `
    const [http, rtmp, sockets, file] = process.argv.slice(1);
    const { createServer } = require("http"), net = require("net"), { writeFileSync } = require("fs");
    let asked = 0, open = 0;
    const count = () => { open++; if (open === 2 * sockets) writeFileSync(file, "open"); };
    for (let left = sockets; left > 0; left--) {
      const listen = (server, port) => server.listen({ port: Number(port), reusePort: true }, count);
      listen(createServer((q, r) => r.end()), http);
      listen(net.createServer((s) => { s.on("error", () => {}).destroy(); asked++; }), rtmp);
    }
    process.on("SIGTERM", () => { console.log(asked); process.exit(); });`;

  /** Runs the check so often, and gives their codes and how often RTMP was asked. */
  function checked(ports: readonly [http: number, rtmp: number], sockets: number, times: number): string {
    const health = join(root, "deploy/image/health.js");
    const script = `
      ip link set lo up; mount -t tmpfs none /dev/shm
      "$NODE" -e "$SERVER" ${ports.join(" ")} ${sockets} "$OUT/open" > "$OUT/asked" & server=$!
      for i in $(seq 400); do [ -s "$OUT/open" ] && break; sleep 0.05; done
      for i in $(seq ${times}); do "$NODE" ${health}; echo $?; done
      kill $server; wait $server; cat "$OUT/asked"; rm -r "$OUT"`;
    const { stdout, stderr } = spawnSync(
      "unshare",
      ["-n", "-m", "bash", "-c", `OUT=$(mktemp -d); ${script}`],
      {
        encoding: "utf8",
        env: { ...process.env, NODE: process.execPath, SERVER },
      },
    );
    assert.equal(stderr, "");
    return stdout.trim().replaceAll("\n", " ");
  }

  test("finds the server among the sockets of many threads, which fill more than a page of the kernel's table", () => {
    assert.equal(checked([8080, 1935], 64, 1), "0 0");
    assert.equal(checked([2000, 1935], 64, 1), "0 0");
  });

  test("asks the port that has answered before, and others no more", () => {
    assert.equal(checked([9000, 2000], 4, 3), "0 0 0 1");
  });
});

describe("the server as process 1", () => {
  test("ends when SIGTERM comes while it starts", { skip: whyNoNamespace() }, async () => {
    // Sends itself the signal while its first listener for it is put on: that is long before it is ready.
    const preload = `import { isMainThread } from "node:worker_threads";
      const strike = (name) => {
        if (name !== "SIGTERM") return;
        process.off("newListener", strike);
        process.nextTick(() => process.kill(process.pid, "SIGTERM"));
      };
      if (isMainThread) process.on("newListener", strike);`;
    const server = [
      "--import",
      `data:text/javascript,${encodeURIComponent(preload)}`,
      "src/cli/weir.js",
      "serve",
    ];
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      ["--pid", "--fork", process.execPath, ...server],
      {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, FLUSSONIC_HTTP: `127.0.0.1:${await freePort()}` },
        timeout: 20_000,
      },
    );
    assert.equal(status, 128 + 15, stdout + stderr);
  });
});

/** The check remembers in /dev/shm, which has to be the test's own. */
function whyNoMount(): string | false {
  const why = whyNoNamespace();
  if (why !== false) return why;
  const { status } = spawnSync("unshare", ["-n", "-m", "mount", "-t", "tmpfs", "none", "/dev/shm"]);
  return status === 0 ? false : "this machine allows no mounts in a namespace";
}

function whyNoNamespace(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "a network namespace needs root on Linux";
  if (spawnSync("unshare", ["-n", "true"]).status !== 0) return "this machine allows no network namespaces";
  return needs("iproute2");
}

test("what the image is made from and what the builder is sent agree", () => {
  const copied = readFileSync(join(root, "deploy/Containerfile"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("COPY ") && !line.startsWith("COPY --from"))
    .flatMap((line) => line.split(" ").slice(1, -1));
  const sent = readFileSync(join(root, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  for (const name of copied) {
    assert.ok(existsSync(join(root, name)), `there is no ${name}`);
    assert.ok(sent.includes(name), `${name} is copied and not sent`);
  }
  assert.deepEqual(
    sent.filter((name) => !copied.some((one) => one === name || one.startsWith(`${name}/`))),
    [],
  );
});
