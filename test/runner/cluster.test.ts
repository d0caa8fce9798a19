import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { TestCluster, whyNotStarted } from "./cluster.ts";
import type { ClusterMachine } from "./cluster.ts";
import type { TestContext } from "node:test";

/** A machine with a folder of the cluster's programs; each does what its script says and notes that it was called. */
function machineOf(t: TestContext, scripts: Record<string, string>, more: Partial<ClusterMachine> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "weir-cluster-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const called = join(folder, "called");
  writeFileSync(called, "");
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(join(folder, name), `#!/bin/sh\necho ${name} >> ${called}\n${script}\n`, { mode: 0o755 });
  const said: string[] = [];
  const mark = join(folder, "mark");
  const env = { WEIR_TEST_CLUSTER: folder, WEIR_TEST_CLUSTER_MARK: mark };
  const machine: ClusterMachine = {
    root: tmpdir(),
    isRoot: true,
    isDebian: true,
    env,
    print: (line) => said.push(line),
    ...more,
  };
  const calls = (): string[] => readFileSync(called, "utf8").trim().split("\n");
  return { machine, folder, said, calls, isMarked: () => existsSync(mark) };
}

const UP = `echo noise >&2; echo 'export KUBECONFIG=/k/config PATH=/old:$PATH CONTAINERS_CONF="/a b/conf"'`;
const GOOD = { install: "", up: UP, load: "", down: "" };

async function startAndStop(machine: ClusterMachine): Promise<Record<string, string>> {
  const cluster = new TestCluster(machine);
  await cluster.install();
  const env = await cluster.start();
  await cluster.stop();
  return env;
}

describe("whether a cluster is started", () => {
  test("by root on Debian, with all its programs", (t) => {
    assert.equal(whyNotStarted(machineOf(t, GOOD).machine), "");
  });

  test("not where nobody asks for one, or another is named: nothing is said then", (t) => {
    const { machine } = machineOf(t, GOOD);
    assert.equal(whyNotStarted({ ...machine, env: {} }), null);
    assert.equal(whyNotStarted({ ...machine, env: { WEIR_TEST_CLUSTER: "" } }), null);
    assert.equal(whyNotStarted({ ...machine, env: { ...machine.env, KUBECONFIG: "/other" } }), null);
  });

  test("not by another user, not elsewhere, not without its programs", (t) => {
    const { machine } = machineOf(t, GOOD);
    assert.equal(whyNotStarted({ ...machine, isRoot: false }), "starting one needs root");
    assert.equal(whyNotStarted({ ...machine, isDebian: false }), "starting one needs Debian");
    const without = machineOf(t, { install: "", up: "", down: "" });
    assert.match(whyNotStarted(without.machine)!, /^WEIR_TEST_CLUSTER=.* has no program load$/);
    const nowhere = { ...machine, env: { WEIR_TEST_CLUSTER: "no/such/folder" } };
    assert.match(whyNotStarted(nowhere)!, /has no program install, up, load, down$/);
  });
});

describe("a cluster for the tests", () => {
  test("gives its journeys what they need but its PATH, and is taken down", async (t) => {
    const { machine, folder, calls, said, isMarked } = machineOf(t, GOOD);
    assert.deepEqual(await startAndStop(machine), {
      KUBECONFIG: "/k/config",
      WEIR_LOAD_IMAGE: join(folder, "load"),
      CONTAINERS_CONF: "/a b/conf",
    });
    assert.deepEqual([calls(), said, isMarked()], [["install", "up", "down"], [], false]);
  });

  test("is marked as up while it is, and when it could not be taken down", async (t) => {
    const { machine, said, isMarked } = machineOf(t, { ...GOOD, down: "echo stuck >&2; exit 4" });
    const cluster = new TestCluster(machine);
    await cluster.start();
    assert.equal(isMarked(), true);
    await cluster.stop();
    assert.equal(isMarked(), true);
    assert.match(said[0]!, /the cluster was not taken down: .*down ended with code 4: stuck$/);
  });

  test("is done without where it may not start, with one line that the journeys repeat", async (t) => {
    const { machine, calls, said } = machineOf(t, GOOD, { isRoot: false });
    assert.deepEqual(await startAndStop(machine), { WEIR_NO_CLUSTER: "starting one needs root" });
    assert.deepEqual([calls(), said], [[""], ["  no cluster is started: starting one needs root"]]);
  });

  test("is not started when it could not be installed", async (t) => {
    const { machine, calls, said } = machineOf(t, { ...GOOD, install: "echo no mirror >&2; exit 2" });
    const env = await startAndStop(machine);
    assert.match(env["WEIR_NO_CLUSTER"]!, /install ended with code 2: no mirror$/);
    assert.deepEqual([calls(), said.length], [["install"], 1]);
  });

  test("is taken down when it came up by half", async (t) => {
    const { machine, calls, isMarked } = machineOf(t, {
      ...GOOD,
      up: "echo node2 is not Ready >&2; exit 1",
    });
    const env = await startAndStop(machine);
    assert.match(env["WEIR_NO_CLUSTER"]!, /up ended with code 1: node2 is not Ready$/);
    assert.deepEqual([calls(), isMarked()], [["install", "up", "down"], false]);
  });

  test("is taken down when it names no cluster", async (t) => {
    const { machine, calls } = machineOf(t, { ...GOOD, up: "echo started" });
    const env = await startAndStop(machine);
    assert.match(env["WEIR_NO_CLUSTER"]!, /up named no KUBECONFIG$/);
    assert.deepEqual(calls(), ["install", "up", "down"]);
  });

  test("leaves one alone that somebody else has started", async (t) => {
    const up = "echo 'a cluster is up already: ./down first' >&2; exit 1";
    const { machine, calls, isMarked } = machineOf(t, { ...GOOD, up });
    const env = await startAndStop(machine);
    assert.match(env["WEIR_NO_CLUSTER"]!, /a cluster is up already/);
    assert.deepEqual([calls(), isMarked()], [["install", "up"], false]);
  });

  test("is silent and starts nothing where nobody asks for one", async (t) => {
    const { machine, calls, said } = machineOf(t, GOOD);
    assert.deepEqual(await startAndStop({ ...machine, env: {} }), {});
    assert.deepEqual([calls(), said], [[""], []]);
  });
});
