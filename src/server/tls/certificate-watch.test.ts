/** Certificates as Secrets of Kubernetes bring them: late, anew, broken. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { selfSigned } from "../../../test/support/certificate.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { oneHttps, tlsPlan, writePair } from "../../../test/support/https-listener.ts";
import { ProjectedVolume } from "../../../test/support/projected-volume.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields } from "../../base/log.ts";
import { CertificateFiles } from "./certificate-files.ts";
import { CertificateGate } from "./certificate-gate.ts";
import { CertificateWatch } from "./certificate-watch.ts";

type Line = { readonly level: string; readonly message: string; readonly fields: LogFields };

function collect(): { log: typeof silentLogger; lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, fields });
  return { lines, log: { ...silentLogger, info: at("info"), warn: at("warn"), error: at("error") } };
}

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-tls-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function files({ cert, key }: { cert: string; key: string }): Record<string, string> {
  return { "tls.crt": cert, "tls.key": key };
}

/** Moves time on until `check` holds. */
async function until(clock: FakeClock, check: () => void): Promise<void> {
  await eventually(() => {
    clock.advance(3000);
    check();
  });
}

test("a Secret that rotates is read anew, and one that breaks leaves the pair before", async (t) => {
  const volume = new ProjectedVolume(join(await emptyFolder(t), "secret"));
  const clock = new FakeClock();
  const first = selfSigned();
  const second = selfSigned();
  await volume.write(files(first));
  const pairs: string[] = [];
  const problems: string[] = [];
  const watched = new CertificateFiles({
    plan: tlsPlan(volume.folder),
    clock,
    onPair: ({ certificate }) => void pairs.push(certificate),
    onProblem: (problem) => void problems.push(problem),
  });
  await watched.start();
  assert.deepEqual(pairs, [first.cert]);
  await volume.write(files({ cert: second.cert, key: first.key }));
  await until(clock, () => assert.equal(problems.length, 1));
  assert.match(watched.problem ?? "", /not the one of the certificate/);
  await volume.write(files(second));
  await until(clock, () => assert.deepEqual(pairs, [first.cert, second.cert]));
  assert.equal(watched.problem, null);
  await clock.advanceSettling(30_000, 1000);
  assert.equal(pairs.length + problems.length, 3);
  watched.stop();
  await watched.look();
  clock.advance(3000);
  assert.equal(clock.pendingTimers, 0);
});

test("the log says once a minute which certificate is waited for, and the gate opens when it comes", async (t) => {
  const volume = new ProjectedVolume(join(await emptyFolder(t), "secret"));
  const clock = new FakeClock();
  const { log, lines } = collect();
  const gate = new CertificateGate({ clock, log });
  await gate.configure(oneHttps(tlsPlan(volume.folder)));
  assert.match(gate.reason ?? "", /no certificate: .*tls\.crt cannot be read \(it is not there\)/);
  await clock.advanceSettling(150_000, 1000);
  const waiting = lines.filter(({ message }) => message.includes("waits for its certificate"));
  assert.equal(waiting.length, 3);
  await volume.write(files(selfSigned()));
  await until(clock, () => assert.equal(gate.reason, null));
  await volume.write(files({ cert: "broken", key: "broken" }));
  await until(clock, () => assert.match(lines.at(-1)!.message, /no good, the one before stays/));
  assert.equal(gate.reason, null);
  assert.doesNotMatch(JSON.stringify(lines), /PRIVATE/);
  gate.stop();
  await clock.advanceSettling(10_000, 1000);
  assert.equal(clock.pendingTimers, 0);
});

test("a listener that comes later is not waited for, and one that goes is forgotten", async (t) => {
  const clock = new FakeClock();
  const { log } = collect();
  const gate = new CertificateGate({ clock, log });
  await gate.configure({ http: [], rtmp: [] });
  assert.equal(gate.reason, null);
  await gate.configure(oneHttps(tlsPlan(await emptyFolder(t))));
  assert.equal(gate.reason, null);
  await gate.configure({ http: [], rtmp: [] });
  gate.stop();
  await clock.advanceSettling(10_000, 1000);
  assert.equal(clock.pendingTimers, 0);
});

test("the log says that a certificate has expired, or will soon, once a day", async (t) => {
  const real = Date.now() * 1000;
  for (const [isExpired, says] of [
    [true, /has expired/],
    [false, /expires soon/],
  ] as const) {
    const { plan } = await writePair(t, selfSigned({ isExpired }));
    const clock = new FakeClock(real);
    const { log, lines } = collect();
    const watch = new CertificateWatch({ clock, log });
    await watch.configure([plan, plan]);
    assert.match(lines.at(-1)!.message, says);
    assert.equal(watch.reason, null);
    const told = lines.length;
    await clock.advanceSettling(23 * 3_600_000, 600_000);
    assert.equal(lines.length, told);
    await clock.advanceSettling(2 * 3_600_000, 600_000);
    assert.equal(lines.length, told + 1);
    watch.stop();
  }
});
