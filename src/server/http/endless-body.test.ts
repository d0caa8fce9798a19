import assert from "node:assert/strict";
import { test } from "node:test";
import { EndlessBody } from "./endless-body.ts";
import type { BodyCarrier } from "./endless-body.ts";

/** A socket that keeps what it is given until it is told to send it. */
class Socket {
  readonly writable = true;
  writableLength = 0;
  bytesWritten = 0;
  get writableNeedDrain(): boolean {
    return this.writableLength > 0;
  }
  write({ byteLength }: Uint8Array): boolean {
    this.writableLength += byteLength;
    this.bytesWritten += byteLength;
    return false;
  }
  cork(): void {}
  uncork(): void {}
  end(): void {}
}

test("who gives an endless body hears that it has drained, as long as it goes on", () => {
  const socket = new Socket();
  const done: string[] = [];
  const carrier: BodyCarrier = {
    socket,
    sendHead: () => done.push("head"),
    sendInstead: () => assert.fail("something was sent"),
    finish: () => done.push("finish"),
    destroy: () => done.push("destroy"),
  };
  const body = new EndlessBody(carrier);
  body.start((sink) => {
    sink.write(new Uint8Array(10));
    return {
      close: () => done.push("close"),
      drained: () => done.push(`drained with ${sink.queuedBytes()} left`),
    };
  });
  socket.writableLength = 0;
  body.drained();
  body.write(new Uint8Array(5));
  socket.writableLength = 2;
  body.drained();
  body.left();
  body.drained();
  assert.deepEqual(done, ["head", "drained with 0 left", "drained with 2 left", "close"]);
  const silent = new EndlessBody(carrier);
  silent.start(() => ({ close: () => {} }));
  silent.drained();
});
