import type { SourceFile } from "../config/place.ts";
import { readConfigFiles } from "../server/config/files.ts";
import type { ConfigFiles } from "../server/config/files.ts";

/** Where the configuration lies in a container. */
export const DEFAULT_CONFIG = "/etc/flussonic";

/** Reads the configuration; where nothing is at the default path the environment alone configures the server. */
export async function readConfigSource(path: string, defaultPath = DEFAULT_CONFIG): Promise<ConfigFiles> {
  const read = await readConfigFiles(path);
  return !read.found && path === defaultPath ? { ...read, problems: [] } : read;
}

/** Whether these files configure nothing at all: there are none, or nothing but comments is in them. */
export function isEmptyConfig(files: readonly SourceFile[]): boolean {
  return files.every(({ text }) => text.split(/[\r\n]+/).every((line) => /^\s*(#|$)/.test(line)));
}
