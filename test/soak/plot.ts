/** The plot of a soak: memory, connections and delays over time; readable on light and dark pages. */
import type { Sample } from "./sample.ts";

/** One line of a panel; `null` where nothing is known. */
type Line = { readonly label: string; readonly colour: number; values(sample: Sample): number | null };

type Panel = { readonly title: string; readonly lines: readonly Line[]; label(value: number): string };

const WIDTH = 900;
const LEFT = 70;
const RIGHT = 20;
const HEIGHT = 150;
const TITLE = 44;
const BOTTOM = 30;
/** A run of hours has more samples than a screen has columns. */
const MAX_POINTS = 800;

const LABEL = "memory, connections and delays during a soak";

const MIB = 2 ** 20;
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2933; }
  .title { font-weight: 600; } .axis { stroke: #9aa2ab; } .grid { stroke: #9aa2ab; opacity: .25; }
  polyline { fill: none; stroke-width: 1.5; } .kill { stroke: #c92a2a; stroke-dasharray: 4 3; }
  .c0 { stroke: #0b7285; } .c1 { stroke: #c2691d; } .c2 { stroke: #6741d9; } .c3 { stroke: #868e96; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e8eb; }
    .c0 { stroke: #3bc9db; } .c1 { stroke: #ffa94d; } .c2 { stroke: #b197fc; } .c3 { stroke: #adb5bd; }
  }`;

const PANELS: readonly Panel[] = [
  {
    title: "Memory, MiB",
    label: (value) => (value / MIB).toFixed(0),
    lines: [
      { label: "resident", colour: 0, values: ({ process }) => process.rssBytes },
      { label: "heap in use", colour: 1, values: (sample) => sum(sample, "heapUsedBytes") },
      { label: "external", colour: 2, values: (sample) => sum(sample, "externalBytes") },
      { label: "array buffers", colour: 3, values: (sample) => sum(sample, "arrayBuffersBytes") },
    ],
  },
  {
    title: "Clients of the load",
    label: (value) => value.toFixed(0),
    lines: [
      { label: "viewers", colour: 0, values: ({ load }) => load.viewers },
      { label: "of these stalled", colour: 1, values: ({ load }) => load.stalled },
      { label: "publishers", colour: 2, values: ({ load }) => load.publishers },
      { label: "intruders", colour: 3, values: ({ load }) => load.intruders },
    ],
  },
  {
    title: "What the server holds",
    label: (value) => value.toFixed(0),
    lines: [
      { label: "open files", colour: 0, values: ({ process }) => process.openFiles },
      { label: "subscribers", colour: 1, values: (sample) => sum(sample, "subscribers") },
      { label: "streams", colour: 2, values: (sample) => sum(sample, "streams") },
    ],
  },
  {
    title: "Delays, ms",
    label: (value) => value.toFixed(0),
    lines: [
      { label: "readiness probe", colour: 0, values: ({ probeMs }) => probeMs },
      { label: "server's event loop, p99", colour: 1, values: (sample) => worstLoop(sample) },
      { label: "the load's own longest", colour: 3, values: ({ loadDelayMs }) => loadDelayMs },
    ],
  },
];

/** The SVG of a run. `killAtMs`: when a thread was killed, or `null`. */
export function renderPlot(samples: readonly Sample[], killAtMs: number | null): string {
  const shown = thinned(samples);
  const height = PANELS.length * (TITLE + HEIGHT) + BOTTOM;
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  const endMs = Math.max(shown.at(-1)?.atMs ?? 0, 1);
  const xOf = (atMs: number): number => round(LEFT + (atMs / endMs) * (WIDTH - LEFT - RIGHT));
  const panels = PANELS.map((panel, index) =>
    drawPanel(panel, shown, index * (TITLE + HEIGHT) + TITLE, xOf),
  );
  const kill =
    killAtMs === null
      ? []
      : [
          `<line class="kill" x1="${xOf(killAtMs)}" x2="${xOf(killAtMs)}" y1="${TITLE}" y2="${height - BOTTOM}"/>`,
          `<text x="${xOf(killAtMs) + 4}" y="${TITLE + 12}">a thread is killed</text>`,
        ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${LABEL}">`,
    `<style>${STYLE}\n</style>`,
    ...panels,
    ...kill,
    ...timeLabels(endMs, height - 8, xOf),
    "</svg>\n",
  ].join("\n");
}

function drawPanel(
  panel: Panel,
  samples: readonly Sample[],
  top: number,
  xOf: (atMs: number) => number,
): string {
  const known = panel.lines
    .map((line) => ({ line, points: samples.flatMap((sample) => pointOf(line, sample)) }))
    .filter(({ points }) => points.length > 0);
  const greatest = Math.max(...known.flatMap(({ points }) => points.map(({ value }) => value)), 1);
  const yOf = (value: number): number => round(top + HEIGHT - (value / greatest) * HEIGHT);
  const parts = [
    `<text class="title" x="${LEFT}" y="${top - 24}">${panel.title}</text>`,
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${top + HEIGHT}" y2="${top + HEIGHT}"/>`,
  ];
  for (const share of [0, 0.5, 1]) {
    const y = yOf(greatest * share);
    parts.push(
      `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${panel.label(greatest * share)}</text>`,
    );
    if (share > 0)
      parts.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`);
  }
  let legendX = LEFT;
  for (const { line, points } of known) {
    const path = points.map(({ atMs, value }) => `${xOf(atMs)},${yOf(value)}`).join(" ");
    parts.push(`<polyline class="c${line.colour}" points="${path}"/>`);
    const y = top - 10;
    parts.push(
      `<polyline class="c${line.colour}" points="${legendX},${y} ${legendX + 18},${y}"/>`,
      `<text x="${legendX + 23}" y="${y + 4}">${line.label}</text>`,
    );
    legendX += 45 + line.label.length * 7;
  }
  return parts.join("\n");
}

function pointOf(line: Line, sample: Sample): { atMs: number; value: number }[] {
  const value = line.values(sample);
  return value === null ? [] : [{ atMs: sample.atMs, value }];
}

function timeLabels(endMs: number, y: number, xOf: (atMs: number) => number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const seconds = Math.round((endMs * share) / 1000);
    const words = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    return `<text x="${xOf(endMs * share)}" y="${y}" text-anchor="middle">${words}</text>`;
  });
}

function thinned(samples: readonly Sample[]): readonly Sample[] {
  const step = Math.ceil(samples.length / MAX_POINTS);
  return step <= 1 ? samples : samples.filter((_, index) => index % step === 0);
}

function sum(
  { server }: Sample,
  field: "heapUsedBytes" | "externalBytes" | "arrayBuffersBytes" | "subscribers" | "streams",
): number | null {
  return server === null ? null : server.threads.reduce((total, thread) => total + thread[field], 0);
}

function worstLoop({ server }: Sample): number | null {
  return server === null ? null : Math.max(...server.threads.map((thread) => thread.eventLoopDelayP99Ms));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
