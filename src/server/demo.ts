import { fileURLToPath } from "node:url";

/** Where the sample clip lies. */
export const SAMPLES_DIRECTORY = fileURLToPath(new URL("../../samples", import.meta.url));

/**
 * The configuration of `npm start`: listeners on one address, a template to publish to, the sample clip as a file and
 * as an always-on stream.
 */
export function demoConfig(options: {
  host: string;
  httpPort: number;
  rtmpPort: number;
  password: string;
}): string {
  const at = options.host.includes(":") ? `[${options.host}]` : options.host;
  return `# the configuration of "npm start"; write your own and run: weir serve --config FILE
http ${at}:${options.httpPort};
rtmp ${at}:${options.rtmpPort};
edit_auth admin "${options.password}";
drain_timeout 0;

template pub {
  prefix pub;
  input publish://;
  segment_duration 2;
}

vod vod {
  storage "${SAMPLES_DIRECTORY}";
}

stream demo {
  title "Demo: the sample clip, for ever";
  input file://vod/sample.mp4;
  segment_duration 2;
}
`;
}
