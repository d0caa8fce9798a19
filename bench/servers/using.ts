/** Servers and publishers for the time of one measurement. */
import { publish } from "../load.ts";
import type { Published } from "../load.ts";
import type { Kit } from "../tools.ts";
import type { Server, StartServer } from "./server.ts";

/** Starts a server, hands it over, and stops it whatever happens. */
export async function withServer<T>(start: StartServer, use: (server: Server) => Promise<T>): Promise<T> {
  const server = await start();
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** Publishes for as long as `use` takes. Returns: what it gave, and what the publisher said at its end. */
export async function withPublisher<T>(
  kit: Kit,
  server: Server,
  options: { readonly streams?: number; readonly isStamped?: boolean },
  use: () => Promise<T>,
): Promise<{ readonly result: T; readonly published: Published }> {
  const publisher = await publish(kit, server, options);
  let result: T;
  try {
    result = await use();
  } catch (error) {
    await publisher.stop();
    throw error;
  }
  return { result, published: await publisher.stop() };
}
