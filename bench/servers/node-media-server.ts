/** node-media-server, as its own start script runs it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { makeFolder, startProcess } from "./server.ts";
import type { StartServer } from "./server.ts";

/** Makes a starter. `script`: its `bin/app.js`. */
export function nodeMediaServer(script: string): StartServer {
  return async () => {
    const { folder, logFile } = makeFolder("nms");
    const ports = { rtmp: await freePort(), http: await freePort() };
    const config = {
      bind: "127.0.0.1",
      rtmp: { port: ports.rtmp },
      http: { port: ports.http },
      auth: { play: false, publish: false, secret: "unused" },
      store: { path: join(folder, "store") },
      webadmin: { enable: false },
    };
    const configFile = join(folder, "config.json");
    writeFileSync(configFile, JSON.stringify(config));
    const command = [process.execPath, script, "--config", configFile];
    const { child, stop } = await startProcess(command, { folder, logFile, port: ports.rtmp });
    return { name: "nms", rtmpPort: ports.rtmp, httpPort: ports.http, pids: [child.pid], stop };
  };
}
