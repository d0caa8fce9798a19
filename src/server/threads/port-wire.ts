import type { MessagePort, Worker } from "node:worker_threads";
import type { MessageWire } from "../../base/channel.ts";

/** A message port, or the port of a worker, as a channel takes it. */
export function portWire(port: MessagePort | Worker): MessageWire {
  return {
    post: (message, transfer) => port.postMessage(message, transfer as never),
    listen: (take) => void port.on("message", take),
    close: () => {
      if ("close" in port) port.close();
    },
  };
}
