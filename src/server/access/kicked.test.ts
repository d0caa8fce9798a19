/** Viewers whom the API ends, over each protocol, with and without rules and tokens: none comes back at once. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { asMediaError } from "../../base/errors.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { silentLogger } from "../../base/log.ts";
import { loadConfig } from "../../config/load.ts";
import { resolveTarget } from "../../protocols/rtmp/names.ts";
import { NodeAccess } from "./node-access.ts";
import { ServerSessions } from "./server-sessions.ts";
import { controlOf } from "./session-authority.ts";

const TEXT = `
  stream open { input publish://; }
  stream asked { input publish://; on_play auth://all; }
  auth_backend all { allow default; }
`;
const THREADS = [0, 1];
const KICK_MS = 10_000;

type Asker = {
  readonly name: string;
  readonly proto: string;
  readonly token: string;
  readonly thread: number;
  readonly ip?: string;
  readonly agent?: string;
};

/** Two media threads and their authority. */
class Bench {
  readonly clock = new FakeClock();
  readonly sessions: ServerSessions;
  readonly #threads: readonly NodeAccess[];

  constructor() {
    const { config, problems } = loadConfig([{ file: "a.conf", text: TEXT }]);
    assert.ok(config !== undefined, JSON.stringify(problems));
    const { clock } = this;
    this.sessions = new ServerSessions({ config, clock, log: silentLogger, bus: { emit: () => 0 } });
    this.#threads = THREADS.map(
      (thread) =>
        new NodeAccess({
          ...{ clock, sessionSalt: "salt", config: () => config, isFile: () => false },
          sessions: controlOf(this.sessions.table, thread),
        }),
    );
    this.sessions.table.onEnds((ends) => {
      for (const thread of this.#threads) thread.end(ends);
    });
  }

  /** Begins to play. Gives "served", or the code of the refusal. */
  async play(asker: Asker): Promise<string> {
    try {
      await (asker.proto === "rtmp" ? this.#overRtmp(asker) : this.#overHttp(asker));
      return "served";
    } catch (caught) {
      return asMediaError(caught)?.code ?? String(caught);
    }
  }

  /** Ends the only session that there is, as the API does. */
  async kick(): Promise<void> {
    await this.settle();
    const ids = [...this.sessions.table.list()].map(({ id }) => id);
    assert.equal(ids.length, 1);
    assert.ok(this.sessions.view().kick(ids[0]!));
    await this.settle();
  }

  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #overRtmp({ name, token, thread, ip = "192.0.2.1", agent = "LNX" }: Asker): Promise<void> {
    const target = resolveTarget("static", token === "" ? name : `${name}?token=${token}`);
    assert.ok(target !== null);
    const caller = { password: null, pageUrl: null, flashVersion: agent, remoteAddress: ip };
    const permit = await this.#threads[thread]!.admitRtmp({ kind: "play", target, ...caller }, false);
    permit.begun();
  }

  async #overHttp({ name, proto, token, thread, ip = "192.0.2.1", agent = "tv" }: Asker): Promise<void> {
    const { http } = this.#threads[thread]!;
    const request: HttpRequest = {
      ...{ method: "GET", path: `/${name}`, remoteAddress: ip },
      query: new URLSearchParams(token === "" ? {} : { token }),
      header: (key) => (key === "user-agent" ? agent : undefined),
    };
    const wanted = { name, proto, also: [], isTold: false, isDvr: false };
    const reply: HttpReply = { status: 200, headers: [], body: [] };
    if (proto === "hls" || proto === "dash") {
      await http.play(request, wanted, () => reply);
      return;
    }
    const source = (): { close(): void } => ({ close: () => {} });
    const made = await http.connect(request, wanted, () =>
      proto === "mseld" ? { ...reply, status: 101, webSocket: source } : { ...reply, stream: source },
    );
    const sink = { write: () => {}, close: () => {}, queuedBytes: () => 0 };
    made.stream?.({ ...sink, end: () => {}, abort: () => {} });
    made.webSocket?.({ ...sink, accept: () => {}, sendText: () => {} });
  }
}

for (const proto of ["hls", "dash", "rtmp", "flv", "tshttp", "mseld"])
  describe(`a viewer over ${proto}`, () => {
    for (const name of ["open", "asked"])
      for (const token of ["", "t1"]) {
        const what = `${name === "open" ? "without" : "with"} rules, ${token === "" ? "without" : "with"} a token`;
        test(`${what}, is refused for ten seconds in all threads when it was ended, and then let in`, async () => {
          const bench = new Bench();
          const asker = { name, proto, token, thread: 0 };
          assert.equal(await bench.play(asker), "served");
          await bench.kick();
          for (const thread of [...THREADS, ...THREADS])
            assert.equal(await bench.play({ ...asker, thread }), "ACCESS_DENIED", `thread ${thread}`);
          assert.equal(await bench.play({ ...asker, ip: "192.0.2.2" }), "served", "another address");
          // A connection over RTMP is told by name, address and token, as `session_keys` has it.
          if (token === "" && (proto !== "rtmp" || name === "open"))
            assert.equal(await bench.play({ ...asker, agent: "other" }), "served", "another program");
          bench.clock.advance(KICK_MS - 1);
          assert.equal(await bench.play(asker), "ACCESS_DENIED");
          bench.clock.advance(1);
          assert.equal(await bench.play(asker), "served");
        });
      }
  });
