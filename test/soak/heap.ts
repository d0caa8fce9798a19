/** What the server's heaps hold once garbage is gone: asked through the inspector that every Node process can open. */
import { eventually } from "../support/eventually.ts";
import type { Program } from "../support/program.ts";

/** Of all threads together, right after a full collection. */
export type HeapUse = { readonly heapUsedBytes: number; readonly arrayBuffersBytes: number };

/**
 * For the environment of a program whose heaps will be asked for: when SIGUSR1 opens the inspector, on any free port.
 * The options that the environment has already stay.
 */
export function inspectableEnvironment(): Record<string, string> {
  const given = process.env["NODE_OPTIONS"] ?? "";
  return { NODE_OPTIONS: `${given} --inspect-port=127.0.0.1:0`.trim() };
}

const OPENED = /ws:\/\/127\.0\.0\.1:\d+\/[0-9a-f-]+/;
const REPLY_TIMEOUT_MS = 10_000;
/** How long threads have to say that they are there; they do at once. */
const THREADS_MS = 500;

/** An idle server collects nothing by itself, so without this nobody could tell what it holds from what it dropped. */
const COLLECT = "HeapProfiler.collectGarbage";
const MEASURE = `JSON.stringify(process.memoryUsage())`;

/** Collects the garbage of all threads and measures what is left. Throws an Error when the process does not answer. */
export async function collectAndMeasure(program: Program): Promise<HeapUse> {
  const inspector = await Inspector.open(await inspectorUrl(program));
  try {
    const threads = await inspector.threads();
    // All before any is measured, since shared memory goes with the last thread that lets go of it; and twice: what
    // finalisers let go of in the first round is gone after the second.
    for (let round = 0; round < 2; round++) {
      for (const thread of threads) await inspector.call(thread, COLLECT);
    }
    const uses = [];
    for (const thread of threads)
      uses.push(readMemory(await inspector.call(thread, "Runtime.evaluate", { expression: MEASURE })));
    return {
      heapUsedBytes: uses.reduce((sum, use) => sum + use.heapUsed, 0),
      arrayBuffersBytes: uses.reduce((sum, use) => sum + use.arrayBuffers, 0),
    };
  } finally {
    await inspector.close();
  }
}

/** Where the inspector listens; opens it the first time. */
async function inspectorUrl(program: Program): Promise<string> {
  const find = (): string => {
    const url = OPENED.exec(program.stderr)?.[0];
    if (url === undefined) throw new Error("the inspector did not open");
    return url;
  };
  if (!OPENED.test(program.stderr)) program.signal("SIGUSR1");
  return eventually(find);
}

type Memory = { readonly heapUsed: number; readonly arrayBuffers: number };

function readMemory(result: unknown): Memory {
  const { value } = (result as { result: { value: string } }).result;
  return JSON.parse(value) as Memory;
}

/** `null`: the main thread; others by the id of their session. */
type Thread = string | null;

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly params?: { readonly sessionId: string; readonly message?: string };
};

/** A connection in the Chrome DevTools protocol, with Node's domain for worker threads. */
class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #sessions: string[] = [];
  #calls = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(String(data)) as Message));
  }

  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error(`cannot reach ${url}`)), { once: true });
    });
    return new Inspector(socket);
  }

  /** The main thread and those that it started. */
  async threads(): Promise<Thread[]> {
    await this.call(null, "NodeWorker.enable", { waitForDebuggerOnStart: false });
    await new Promise((resolve) => {
      setTimeout(resolve, THREADS_MS);
    });
    return [null, ...this.#sessions];
  }

  /** Rejects with what the other side says is wrong, or when it says nothing in time. */
  async call(thread: Thread, method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    this.#waiting.set(id, resolve);
    const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), REPLY_TIMEOUT_MS);
    const message = JSON.stringify({ id, method, params });
    if (thread === null) this.#socket.send(message);
    else this.#sendToWorker(thread, message);
    const { result, error } = await promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => {
      this.#socket.addEventListener("close", resolve, { once: true });
      this.#socket.close();
    });
  }

  #sendToWorker(sessionId: string, message: string): void {
    const params = { sessionId, message };
    this.#socket.send(
      JSON.stringify({ id: ++this.#calls, method: "NodeWorker.sendMessageToWorker", params }),
    );
  }

  #hear(message: Message): void {
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    const { method, params } = message;
    if (method === "NodeWorker.attachedToWorker" && params !== undefined)
      this.#sessions.push(params.sessionId);
    if (method === "NodeWorker.receivedMessageFromWorker" && params?.message !== undefined) {
      this.#hear(JSON.parse(params.message) as Message);
    }
  }
}
