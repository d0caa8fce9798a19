import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { listenFailure } from "./listen-failure.ts";

const place = { file: "ports.conf", line: 3, column: 1, length: 4 };

/** What the system says to who listens there. */
function refusal(host: string, port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port }, () => {
      server.close();
      reject(new Error(`${host}:${port} can be opened`));
    });
  });
}

test("a port that is taken, and an address that is not there, are told with their place and what to do", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  const { port } = holder.address() as AddressInfo;
  const taken = listenFailure(await refusal("127.0.0.1", port), place).message;
  holder.close();
  assert.match(
    taken,
    /^listen EADDRINUSE: .*\d \(ports\.conf:3\): another program, .* has the port: stop it, or/,
  );
  const elsewhere = listenFailure(await refusal("192.0.2.1", 0), place).message;
  assert.match(
    elsewhere,
    /^listen EADDRNOTAVAIL: .* \(ports\.conf:3\): this machine, or pod, has no such address/,
  );
});

test("a port that may not be opened, and what the system has no code for, are told as well", () => {
  const denied = Object.assign(new Error("listen EACCES: permission denied 0.0.0.0:80"), {
    code: "EACCES",
  });
  assert.match(
    listenFailure(denied, place).message,
    /80 \(ports\.conf:3\): the user .* may not open it: .*1024/,
  );
  const odd = listenFailure(new Error("odd"), place);
  assert.deepEqual([odd.message, (odd.cause as Error).message], ["odd (ports.conf:3)", "odd"]);
});
