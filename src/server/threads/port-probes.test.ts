import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { loadConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { requireOpenable } from "./port-probes.ts";

function listenersOf(text: string): ResolvedConfig["listeners"] {
  const { config, problems } = loadConfig([{ file: "ports.conf", text }]);
  assert.ok(config !== undefined, JSON.stringify(problems));
  return config.listeners;
}

/** Listens until the test ends. Returns: the port. */
async function taken(t: TestContext, host: string): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

const NONE = { http: [], rtmp: [] };

/** What "localhost" is here: the configuration does not see that both are the same. */
const { address } = await lookup("localhost");
const LOCAL = address.includes(":") ? `[${address}]` : address;

/** `P` stands for a port that somebody has. Whoever does not have to make way is in the way. */
const CASES: readonly [name: string, before: string | null, next: string, refusal: RegExp | null][] = [
  ["a port that somebody has", null, `http 127.0.0.1:0;\nrtmp ${LOCAL}:P;`, /EADDRINUSE.*ports\.conf:2/],
  ["what is open already", `rtmp ${LOCAL}:P;`, `rtmp ${LOCAL}:P;`, null],
  ["another address for a listener that makes way", "rtmp P;", `rtmp ${LOCAL}:P;`, null],
  ["all addresses for a listener that makes way", `rtmp ${LOCAL}:P;`, "rtmp P;", null],
  ["another protocol for a listener that makes way", `rtmp ${LOCAL}:P;`, `http ${LOCAL}:P;`, null],
  [
    "an address that is not this machine's, for a listener that makes way",
    "rtmp P;",
    "rtmp 192.0.2.1:P;",
    /EADDRNOTAVAIL.*ports\.conf:1/,
  ],
  [
    "two protocols at one port, for a listener that makes way",
    "rtmp P;",
    `http localhost:P;\nrtmp ${LOCAL}:P;`,
    /EADDRINUSE.*ports\.conf/,
  ],
  [
    "a listener over one that stays beside one that makes way",
    "http localhost:P;\nhttp 127.0.0.2:P;",
    `http localhost:P;\nrtmp ${LOCAL}:P;`,
    /EADDRINUSE.*ports\.conf/,
  ],
  [
    "two protocols beside one that stays",
    "http localhost:P;",
    `http localhost:P;\nrtmp ${LOCAL}:P;`,
    /EADDRINUSE/,
  ],
];
for (const [name, before, next, refusal] of CASES) {
  test(`${name}: ${refusal === null ? "fits" : "is refused"}`, async (t) => {
    const port = String(await taken(t, address));
    const own = before === null ? NONE : listenersOf(before.replaceAll("P", port));
    const asked = requireOpenable(listenersOf(next.replaceAll("P", port)), own);
    await (refusal === null ? asked : assert.rejects(asked, refusal));
  });
}

test("two listeners that meet on one free port are refused, whatever their addresses are called", async (t) => {
  const port = await taken(t, "127.0.0.2");
  const text = `http localhost:${port};\nrtmp ${LOCAL}:${port};`;
  await assert.rejects(requireOpenable(listenersOf(text), NONE), /EADDRINUSE.*ports\.conf/);
});

test("nothing is held when it is over", async (t) => {
  const port = await taken(t, "127.0.0.2");
  const next = listenersOf(`http 127.0.0.1:${port};`);
  await requireOpenable(next, NONE);
  await requireOpenable(next, NONE);
});
