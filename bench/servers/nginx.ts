/** nginx with its RTMP module, one worker; and nginx that serves files with sendfile. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../test/support/eventually.ts";
import { freePort } from "../../test/support/free-port.ts";
import { processFamily } from "../process-facts.ts";
import { GOP_SECONDS } from "../tools.ts";
import { APP, makeFolder, startProcess } from "./server.ts";
import type { Server, StartServer } from "./server.ts";

/** What is served as a file, by its name in the URL. */
export type StaticFiles = Readonly<Record<string, Uint8Array>>;

/** Makes a starter of a live server without any viewer options: Debian's defaults. */
export function nginxRtmp(program: string, module: string): StartServer {
  return async () => {
    const port = await freePort();
    const body = `rtmp { access_log off; server { listen 127.0.0.1:${port}; application ${APP} { live on; } } }`;
    const server = await start(program, {
      port,
      folders: [],
      text: () => `load_module ${module};\n${events()}\n${body}\n`,
    });
    return { ...server, rtmpPort: port, httpPort: null };
  };
}

/** Makes a starter of a live server that writes DASH into files and sends those. */
export function nginxDash(program: string, module: string): StartServer {
  return async () => {
    const ports = { rtmp: await freePort(), http: await freePort() };
    // The module takes a path from the working folder, and not from nginx's own.
    const rtmp = (folder: string): string => {
      const dash = `dash on; dash_path ${folder}/files/${APP}; dash_fragment ${GOP_SECONDS}s;`;
      const live = `application ${APP} { live on; ${dash} }`;
      return `rtmp { access_log off; server { listen 127.0.0.1:${ports.rtmp}; ${live} } }`;
    };
    const http = [
      "access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;",
      ...temporaryPaths(),
      `server { listen 127.0.0.1:${ports.http}; root files; }`,
    ];
    const text = (folder: string): string =>
      `load_module ${module};\n${events()}\n${rtmp(folder)}\nhttp {\n${http.join("\n")}\n}\n`;
    const server = await start(program, { port: ports.rtmp, folders: ["files", `files/${APP}`], text });
    return { ...server, rtmpPort: ports.rtmp, httpPort: ports.http };
  };
}

/** Makes a starter of a file server. A file NAME.gz is sent for NAME to who takes gzip, without compressing it anew. */
export function nginxStatic(program: string, files: StaticFiles): StartServer {
  return async () => {
    const port = await freePort();
    const http = [
      "access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; gzip_static on;",
      "open_file_cache max=1000; types { application/vnd.apple.mpegurl m3u8; video/mp4 m4s; }",
      ...temporaryPaths(),
      `server { listen 127.0.0.1:${port}; root files; }`,
    ];
    const text = (): string => `${events()}\nhttp {\n${http.join("\n")}\n}\n`;
    const server = await start(program, { port, folders: ["files"], text, files });
    return { ...server, rtmpPort: 0, httpPort: port };
  };
}

type NginxOptions = {
  readonly port: number;
  readonly folders: readonly string[];
  /** The config, made for the folder that it stands in. */
  readonly text: (folder: string) => string;
  readonly files?: StaticFiles;
};

async function start(
  program: string,
  options: NginxOptions,
): Promise<Pick<Server, "name" | "pids" | "stop">> {
  const { port, folders, text, files = {} } = options;
  const { folder, logFile } = makeFolder("nginx");
  for (const name of folders) mkdirSync(join(folder, name));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, "files", name), bytes);
  // A worker that root starts is another user without this, and may not read the folder.
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  writeFileSync(
    join(folder, "nginx.conf"),
    `${user}daemon off;\npid nginx.pid;\nerror_log stderr;\n${text(folder)}`,
  );
  const command = [program, "-p", folder, "-c", "nginx.conf", "-e", "stderr"];
  const { child, stop } = await startProcess(command, { folder, logFile, port });
  const pids = await eventually(() => {
    const family = processFamily(child.pid);
    if (family.length < 2) throw new Error("nginx has no worker");
    return family;
  });
  return { name: "nginx", pids, stop };
}

function temporaryPaths(): string[] {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path t;`);
}

function events(): string {
  return "worker_processes 1;\nworker_rlimit_nofile 16384;\nevents { worker_connections 8192; }";
}
