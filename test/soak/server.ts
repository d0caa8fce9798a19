/** The server under test: how it is configured, asked and watched. */
import { findDirective } from "../../src/config/directives.ts";
import type { TestEnd } from "../support/program.ts";
import { startWeir } from "../support/weir.ts";
import type { LogLine, Weir } from "../support/weir.ts";
import { readProcessCounts, readServerCounts, request } from "./counts.ts";
import type { ProcessCounts, ServerCounts } from "./counts.ts";
import { collectAndMeasure, inspectableEnvironment } from "./heap.ts";
import type { HeapUse } from "./heap.ts";
import { APP } from "./world.ts";

/** Who may read the statistics. */
const READER = "soak:soak";
const READINESS = "/streamer/api/v3/monitoring/readiness";
/** What Node says when its inspector opens and is used. */
const OF_INSPECTOR = /^(Debugger |For help, see: |Waiting for the debugger)/;
/** Reasons may have numbers in them. */
const MAX_KINDS_OF_LINES = 500;
const STREAMS = "/-/streams";
const STATS = "/streamer/api/v3/config/stats";

/** Time-outs are short, so that what is left lying is swept up within the soak. */
const CONFIG = `
max_connections_per_address 100000;
view_auth ${READER.replace(":", " ")};
rtmp_handshake_timeout 4;
rtmp_idle_timeout 10;
http_idle_timeout 10;
template ${APP} {
  prefix ${APP};
  input publish://;
  segment_duration 2;
  source_timeout 3;
}
`;

/** More than one, so that one can be killed while others go on. */
const THREADS = 2;

/** A running server, its log read as it comes. */
export class SoakedServer {
  readonly weir: Weir;
  /** Lines of level `error`, and output that is no line of the log at all. */
  readonly complaints: string[] = [];
  /** What was logged how often: level, message, reason and error code. */
  readonly logged = new Map<string, number>();

  constructor(weir: Weir) {
    this.weir = weir;
  }

  /** The statistics of the API. */
  async counts(): Promise<ServerCounts | null> {
    const authorization = `Basic ${Buffer.from(READER).toString("base64")}`;
    const { status, body } = await request(this.weir.ports.http, STATS, { authorization });
    if (status !== 200) throw new Error(`${STATS} answered ${status}`);
    return readServerCounts(JSON.parse(body));
  }

  /** Streams of the public list. */
  async listedStreams(): Promise<number> {
    const { status, body } = await request(this.weir.ports.http, STREAMS);
    if (status !== 200) throw new Error(`${STREAMS} answered ${status}`);
    return (JSON.parse(body) as { streams: unknown[] }).streams.length;
  }

  /** What its heaps hold, garbage excepted. */
  heap(): Promise<HeapUse> {
    return collectAndMeasure(this.weir.program);
  }

  /** Throws an Error with the end of its output when it does not run any more. */
  process(): ProcessCounts {
    if (!this.weir.program.isRunning) throw new Error(`the server ended\n${this.weir.describe()}`);
    return readProcessCounts(this.weir.program.pid);
  }

  /** How long the readiness probe took, or `null` when it was not answered with 200. Units: milliseconds. */
  async probeMs(): Promise<number | null> {
    const startMs = performance.now();
    const reply = await request(this.weir.ports.http, READINESS).catch(() => null);
    return reply?.status === 200 ? performance.now() - startMs : null;
  }

  /** Reads what was logged since the last call and forgets it, so that hours of log do not fill our own memory. */
  readLog(): void {
    const lines = this.weir.log.splice(0);
    for (const line of lines) this.#tally(line);
    this.complaints.push(...lines.filter(isComplaint).map((line) => JSON.stringify(line)));
    this.complaints.push(...this.weir.plainLines.splice(0));
  }

  /** Ends it in order, and reads what it said last, also on stderr: warnings of the runtime are complaints. */
  async stop(): Promise<void> {
    await this.weir.stop();
    this.readLog();
    const lines = this.weir.program.stderr.split("\n");
    this.complaints.push(...lines.filter((line) => line.trim() !== "" && !OF_INSPECTOR.test(line)));
  }

  /** Has the server end its last media thread as if it had crashed. */
  killThread(): void {
    this.weir.program.signal("SIGUSR2");
  }

  #tally(line: LogLine): void {
    const words = [line["level"], line["msg"], line["reason"], line["code"]];
    const key = words.filter((word) => typeof word === "string" && word.length < 200).join(" | ");
    if (this.logged.size < MAX_KINDS_OF_LINES || this.logged.has(key)) {
      this.logged.set(key, (this.logged.get(key) ?? 0) + 1);
    }
  }
}

/** Starts it with a config of its own. It ends with `t` at the latest. */
export async function startSoakedServer(t: TestEnd): Promise<SoakedServer> {
  const threads = findDirective("server", "threads") === undefined ? "" : `threads ${THREADS};\n`;
  return new SoakedServer(
    await startWeir(t, {
      config: `${threads}${CONFIG}`,
      env: { ...inspectableEnvironment(), WEIR_FAULTS: "1" },
    }),
  );
}

function isComplaint(line: LogLine): boolean {
  return line["level"] === "error";
}
