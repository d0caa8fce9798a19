import pc from "picocolors";
import { SAMPLES_DIRECTORY } from "../server/demo.ts";
import type { Server } from "../server/server.ts";
import { VERSION } from "../server/version.ts";

/** What `npm start` says once the server runs: what to open, how to publish, the admin password. */
export function demoBanner(options: {
  server: Server;
  host: string;
  password: string;
  isTty: boolean;
}): string {
  const { server, host, password, isTty } = options;
  const paint = pc.createColors(isTty);
  const name = host === "127.0.0.1" || host === "0.0.0.0" || host === "::" ? "localhost" : host;
  const site = `http://${name}:${server.httpPorts[0]}`;
  const rtmpPort = server.rtmpPorts[0] === 1935 ? "" : `:${server.rtmpPorts[0]}`;
  const isOpen = host === "0.0.0.0" || host === "::";
  const rows = [
    ["streams and player", paint.cyan(`${site}/`)],
    ["the demo stream", `${site}/demo/embed.html   ${site}/demo/index.m3u8`],
    ["the sample file", `${site}/vod/sample.mp4/embed.html`],
    ["publish (ffmpeg)", `ffmpeg -re -i FILE -c copy -f flv rtmp://${name}${rtmpPort}/pub/NAME`],
    ["publish (OBS)", `server rtmp://${name}${rtmpPort}/pub   stream key NAME`],
    ["and watch it", `${site}/pub/NAME/embed.html`],
    ["admin", `admin   ${paint.bold(password)}   (made for this run)`],
    [
      "open to",
      isOpen
        ? "everyone who reaches this machine"
        : `this machine only; npm start -- --host 0.0.0.0 opens it`,
    ],
  ];
  const lines = rows.map(([label, value]) => `  ${paint.dim(label!.padEnd(20))}${value}`);
  const clip = paint.dim(`  a clip to publish:  ${SAMPLES_DIRECTORY}/sample.mp4`);
  return `\n${paint.bold(`Weir ${VERSION}`)} runs. Ctrl-C ends it.\n\n${lines.join("\n")}\n${clip}\n\n`;
}
