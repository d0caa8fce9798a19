/** An HTTP listener with TLS, as a thread of the server has it, for tests. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AddressCounter } from "../../src/base/address-counter.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { TlsPlan } from "../../src/config/plan.ts";
import { HttpListener } from "../../src/server/http/listener.ts";
import type { HttpListenerOptions } from "../../src/server/http/listener.ts";
import { ReplyBudget } from "../../src/server/http/reply-budget.ts";
import { ThreadTls } from "../../src/server/tls/thread-tls.ts";
import { selfSigned } from "./certificate.ts";
import type { SelfSigned } from "./certificate.ts";
import type { TestEnd } from "./program.ts";

/** Where a test's certificate and key are. */
export type PairOnDisk = { readonly folder: string; readonly plan: TlsPlan; readonly pair: SelfSigned };

/** Writes a pair into a folder that goes with the test. */
export async function writePair(t: TestEnd, pair: SelfSigned = selfSigned()): Promise<PairOnDisk> {
  const folder = await mkdtemp(join(tmpdir(), "weir-tls-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const plan = tlsPlan(folder);
  await writeFile(plan.certificate, pair.cert);
  await writeFile(plan.key, pair.key);
  return { folder, plan, pair };
}

/** A plan of the files `tls.crt` and `tls.key` of a folder. */
export function tlsPlan(folder: string, more: Partial<TlsPlan> = {}): TlsPlan {
  return {
    certificate: join(folder, "tls.crt"),
    key: join(folder, "tls.key"),
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    ...more,
  };
}

/** Listeners of a configuration that has one HTTPS listener. */
export function oneHttps(tls: TlsPlan): Parameters<ThreadTls["open"]>[0] {
  return {
    http: [{ port: 0, api: true, tls, place: { file: "test", line: 1, column: 1, length: 1 } }],
    rtmp: [],
  };
}

/** Starts a listener with TLS on a free port; it stops with the test. */
export async function startHttps(
  t: TestEnd,
  options: Partial<HttpListenerOptions> & Pick<HttpListenerOptions, "handle"> & { readonly plan?: TlsPlan },
): Promise<HttpListener> {
  const plan = options.plan ?? (await writePair(t)).plan;
  const tls = new ThreadTls({ clock: systemClock, ticketKeys: Buffer.alloc(48, 7) });
  await tls.open(oneHttps(plan));
  t.after(() => tls.keep({ http: [], rtmp: [] }));
  const listener = new HttpListener({
    host: "127.0.0.1",
    port: 0,
    addresses: new AddressCounter(10_000),
    budget: new ReplyBudget(100_000_000),
    idleTimeoutMs: 60_000,
    log: silentLogger,
    tls: () => tls.forHttp(plan),
    ...options,
  });
  await listener.start();
  t.after(() => listener.stop(0));
  return listener;
}
