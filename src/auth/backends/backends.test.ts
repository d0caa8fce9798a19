import { strict as assert } from "node:assert";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { playClaim, settle } from "../../../test/support/sessions.ts";
import { silentLogger } from "../../base/log.ts";
import type { LogFields, Logger } from "../../base/log.ts";
import type { BackendReply, Question } from "./backend-request.ts";
import { Backends } from "./backends.ts";

const question: Question = {
  claim: playClaim({ token: "secret-token" }),
  country: undefined,
  requestType: "new_session",
  requestNumber: 0,
  sessionId: "s1",
  streamClients: 0,
  totalClients: 0,
};

test("a server that fails is in the log once a second, without its password or a token", async () => {
  const lines: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (message: string, fields?: LogFields) => void lines.push(JSON.stringify({ message, ...fields })),
  };
  const clock = new FakeClock();
  const kinds: string[] = [];
  const backends = new Backends({
    ask: () => Promise.resolve({ kind: "replied", status: 500, headers: {} }),
    clock,
    log,
    onAnswer: (_tookMs, kind) => void kinds.push(kind),
  });
  for (let i = 0; i < 10; i++)
    await backends.ask("http://admin:hunter2@portal.test/auth?key=k", question, "new");
  clock.advance(1000);
  await backends.ask("http://admin:hunter2@portal.test/auth?key=k", question, "new");
  assert.equal(lines.length, 2);
  assert.match(
    lines[1]!,
    /"server":"http:\/\/portal.test","reason":"it replied with status 500".*"count":10/,
  );
  assert.doesNotMatch(lines.join(), /hunter2|secret|key=/);
  assert.equal(kinds.length, 11);
  assert.equal(backends.stats().get("http://portal.test")?.asked, 11);
});

test("an address that cannot be asked is a failure", async () => {
  const backends = new Backends({
    ask: () => Promise.reject(new Error("not to be asked")),
    clock: new FakeClock(),
    log: silentLogger,
  });
  assert.equal((await backends.ask("/etc/auth.lua", question, "new")).kind, "failed");
  assert.equal(backends.stats().size, 0);
});

test("256 servers are asked at a time, and those that are idle make room", async () => {
  const answers: ((reply: BackendReply) => void)[] = [];
  const backends = new Backends({
    ask: () => {
      const { promise, resolve } = Promise.withResolvers<BackendReply>();
      answers.push(resolve);
      return promise;
    },
    clock: new FakeClock(),
    log: silentLogger,
  });
  const waiting = Array.from({ length: 256 }, (_, i) => backends.ask(`http://h${i}/`, question, "new"));
  assert.equal((await backends.ask("http://more/", question, "new")).kind, "failed");
  for (const answer of answers) answer({ kind: "replied", status: 200, headers: {} });
  await Promise.all(waiting);
  const more = backends.ask("http://more/", question, "new");
  await settle();
  answers.at(-1)!({ kind: "replied", status: 200, headers: {} });
  assert.deepEqual(await more, { kind: "allowed" });
  assert.equal(backends.stats().size, 1);
});

test("a server is told whose part of a trace it is, and the trace how it answered", async () => {
  const sent: unknown[] = [];
  const told: string[] = [];
  const backends = new Backends({
    ask: ({ headers }) => {
      sent.push(headers["traceparent"]);
      return Promise.resolve({ kind: "replied", status: 403, headers: {} });
    },
    clock: new FakeClock(),
    log: silentLogger,
  });
  const trace = {
    asked: (host: string) => ({
      traceparent: "00-a-b-01",
      ended: (outcome: string) => void told.push(`${host} ${outcome}`),
    }),
    judged: () => {},
    media: () => {},
    gone: () => {},
  };
  await backends.ask("http://admin:hunter2@portal.test:8080/auth?key=k", { ...question, trace }, "new");
  await backends.ask("http://portal.test/auth", question, "new");
  assert.deepEqual(sent, ["00-a-b-01", undefined]);
  assert.deepEqual(told, ["portal.test denied"], "its host, and nothing else of its address");
});
