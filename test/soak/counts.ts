/** What the server says of itself, and what Linux says of it. */
import { get } from "node:http";
import { cpuSeconds, openFiles, residentKib } from "../../bench/process-facts.ts";

/** One media thread in the server's own words. */
export type ThreadCounts = {
  readonly index: number;
  readonly status: string;
  readonly restarts: number;
  readonly streams: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly rtmpConnections: number;
  readonly httpConnections: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
  readonly eventLoopDelayP99Ms: number;
  /** What keeps its event loop busy, by kind: `TCPSocketWrap`, `Timeout` and so on. */
  readonly activeResources: Readonly<Record<string, number>>;
};

/** What the statistics of the API say, as far as the soak looks. */
export type ServerCounts = { readonly threads: readonly ThreadCounts[] };

/** The process from outside. */
export type ProcessCounts = {
  readonly rssBytes: number;
  readonly openFiles: number;
  readonly cpuSeconds: number;
};

/** Everything that has to be back where it was, by name. */
export type Counts = Readonly<Record<string, number>>;

const THREAD_NUMBERS = [
  "index",
  "restarts",
  "streams",
  "publishers",
  "subscribers",
  "rtmpConnections",
  "httpConnections",
  "heapUsedBytes",
  "externalBytes",
  "arrayBuffersBytes",
  "eventLoopDelayP99Ms",
] as const;

/** Counts that belong to a thread's registries and sockets. */
const REGISTRIES = ["streams", "publishers", "subscribers", "rtmpConnections", "httpConnections"] as const;

const REQUEST_TIMEOUT_MS = 10_000;

/** Reads `threads` of `config/stats`; `null` when there is none. Throws an Error when it is not as it should be. */
export function readServerCounts(stats: unknown): ServerCounts | null {
  if (!isRecord(stats)) throw new Error("the statistics are no object");
  const { threads } = stats;
  if (threads === undefined) return null;
  if (!Array.isArray(threads) || threads.length === 0) throw new Error("threads is no list with an entry");
  return { threads: threads.map(readThread) };
}

function readThread(thread: unknown): ThreadCounts {
  if (!isRecord(thread)) throw new Error("a thread is no object");
  const numbers = THREAD_NUMBERS.map((name) => [name, numberOf(thread[name], name)] as const);
  if (typeof thread["status"] !== "string") throw new Error("a thread has no status");
  const kinds = thread["activeResources"];
  if (!isRecord(kinds)) throw new Error("a thread has no activeResources");
  const resources = Object.entries(kinds).map(([kind, count]) => [kind, numberOf(count, kind)] as const);
  return {
    ...(Object.fromEntries(numbers) as Record<(typeof THREAD_NUMBERS)[number], number>),
    status: thread["status"],
    activeResources: Object.fromEntries(resources),
  };
}

/**
 * What must be back at the end: open files, listed streams, and of all threads together the registries, sockets,
 * timers and other resources.
 */
export function returningCounts(
  server: ServerCounts | null,
  process: ProcessCounts,
  listedStreams: number,
): Counts {
  const counts: Record<string, number> = {
    "open files": process.openFiles,
    "listed streams": listedStreams,
  };
  for (const thread of server?.threads ?? []) {
    for (const name of REGISTRIES) counts[name] = (counts[name] ?? 0) + thread[name];
    for (const [kind, count] of Object.entries(thread.activeResources)) {
      counts[`active ${kind}`] = (counts[`active ${kind}`] ?? 0) + count;
    }
  }
  return counts;
}

/** What is not as it was, in words; empty when all is. */
export function differences(before: Counts, after: Counts): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names
    .filter((name) => (before[name] ?? 0) !== (after[name] ?? 0))
    .map((name) => `${name}: ${before[name] ?? 0} before, ${after[name] ?? 0} after`);
}

/** What Linux says of the server's process. */
export function readProcessCounts(pid: number): ProcessCounts {
  return {
    rssBytes: residentKib([pid]) * 1024,
    openFiles: openFiles([pid]),
    cpuSeconds: cpuSeconds([pid]),
  };
}

/** One request on a connection of its own, so that asking leaves nothing behind. */
export function request(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const options = { host: "127.0.0.1", port, path, headers, agent: false, timeout: REQUEST_TIMEOUT_MS };
  const asked = get(options, (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (text: string) => (body += text));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    response.on("error", reject);
  });
  asked.on("timeout", () => asked.destroy(new Error(`${path} was not answered`)));
  asked.on("error", reject);
  return promise;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberOf(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error(`${name} is no number`);
  return value;
}
