/** The programs that tests use as independent judges and players: which there are, and where they come from. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A tool as tests name it. */
export type Tool =
  | "ffmpeg"
  | "gcc"
  | "chromium"
  | "rtmpdump"
  | "gstreamer"
  | "curl"
  | "iproute2"
  | "tstools";

/** How a tool is found, and which Debian packages bring it. */
export type ToolSpec = {
  /** Every one of these has to be there; of a list within, any one. */
  readonly programs: readonly (readonly string[])[];
  readonly packages: readonly string[];
  /** One GStreamer element of each plugin package. */
  readonly elements?: readonly string[];
};

/** All tools. */
export const TOOLS: Readonly<Record<Tool, ToolSpec>> = {
  ffmpeg: { programs: [["ffmpeg"], ["ffprobe"], ["ffplay"]], packages: ["ffmpeg"] },
  // The benchmark's load and its floor are programs in C.
  gcc: { programs: [["gcc"]], packages: ["gcc", "libc6-dev"] },
  // Without a font, text on a page is invisible in screenshots; only Debian's "recommends" would bring one.
  chromium: {
    programs: [["chromium", "chromium-browser", "google-chrome"]],
    packages: ["chromium", "fonts-dejavu-core"],
  },
  curl: { programs: [["curl"]], packages: ["curl", "ca-certificates"] },
  // Servers on fixed ports run in network namespaces of the tests' own; `ip` opens loopback there.
  iproute2: { programs: [["ip"]], packages: ["iproute2"] },
  // Judges transport streams: continuity, PCR against PTS and DTS.
  tstools: { programs: [["tsreport"], ["tsinfo"], ["ts2es"]], packages: ["tstools"] },
  rtmpdump: { programs: [["rtmpdump"]], packages: ["rtmpdump"] },
  gstreamer: {
    programs: [["gst-launch-1.0"], ["gst-inspect-1.0"]],
    packages: [
      "gstreamer1.0-tools",
      "gstreamer1.0-plugins-base",
      "gstreamer1.0-plugins-good",
      "gstreamer1.0-plugins-bad",
      "gstreamer1.0-libav",
    ],
    elements: ["videotestsrc", "flvmux", "tsdemux", "avdec_h264"],
  },
};

const found = new Set<Tool>();

/** Whether the tool is installed with all of its parts. Looks until it has found it once. */
export function hasTool(tool: Tool): boolean {
  if (found.has(tool)) return true;
  const { programs, elements = [] } = TOOLS[tool];
  const has =
    programs.every((names) => findProgram(...names) !== null) &&
    elements.every((element) => spawnSync("gst-inspect-1.0", ["--exists", element]).status === 0);
  if (has) found.add(tool);
  return has;
}

/** The tools that are not installed. */
export function missingTools(): Tool[] {
  return (Object.keys(TOOLS) as Tool[]).filter((tool) => !hasTool(tool));
}

/**
 * For the `skip` option of a test that cannot run without some tools: `test(name, { skip: needs("ffmpeg") }, ...)`.
 *
 * Returns: `false` when all are there, else one line that says which are not and what to install.
 */
export function needs(...tools: readonly Tool[]): string | false {
  const missing = tools.filter((tool) => !hasTool(tool));
  if (missing.length === 0) return false;
  return `not installed: ${missing.join(", ")} (${installLine(missing)})`;
}

/** The command that brings tools on Debian. */
export function installLine(tools: readonly Tool[]): string {
  return `apt-get install ${tools.flatMap((tool) => TOOLS[tool].packages).join(" ")}`;
}

/** The full path of the first of the programs that is on the PATH, or `null`. */
export function findProgram(...names: readonly string[]): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const name of names) {
    for (const folder of folders) if (isExecutable(join(folder, name))) return join(folder, name);
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
