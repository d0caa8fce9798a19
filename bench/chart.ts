/** The chart of docs/performance.md: what a delivered gigabyte costs, as bars; readable on light and dark pages. */
import type { Name, Row } from "./measured.ts";

const WIDTH = 760;
const LEFT = 150;
const BAR = 18;
const GAP = 5;
const TITLE = 30;
const BETWEEN = 18;
/** Room for the number behind the longest bar. */
const RIGHT = 110;

const LABELS: Readonly<Record<Name, string>> = {
  weir: "Weir",
  floor: "floor (only copies)",
  nginx: "nginx-rtmp",
  nms: "node-media-server",
  ffmpeg: "ffmpeg",
};
const NAMES = ["weir", "floor", "nginx", "nms"] as const;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2933; }
  .title { font-weight: 600; }
  .weir { fill: #0b7285; } .floor { fill: #868e96; } .nginx, .nms { fill: #c2a26b; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e8eb; }
    .weir { fill: #3bc9db; } .floor { fill: #9aa2ab; } .nginx, .nms { fill: #a3854e; }
  }`;

/** The SVG of the rows that are meant for it. */
export function renderChart(rows: readonly Row[]): string {
  const shown = rows.filter((row) => row.isInChart && bars(row).length > 0);
  let y = 10;
  const parts = shown.map((row) => {
    const part = group(row, y);
    y += TITLE + bars(row).length * (BAR + GAP) + BETWEEN;
    return part;
  });
  const size = `viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}"`;
  const label = "CPU seconds of the server for each delivered gigabyte; shorter is better";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${label}">`,
    `<style>${STYLE}\n</style>`,
    ...parts,
    `</svg>\n`,
  ].join("\n");
}

type Bar = { readonly name: Name; readonly value: number };

function bars(row: Row): Bar[] {
  return NAMES.flatMap((name) => {
    const value = row.cells[name]?.median;
    return value === null || value === undefined ? [] : [{ name, value }];
  });
}

/** Each group has a scale of its own: what counts is the bars of one group beside each other. */
function group(row: Row, top: number): string {
  const shown = bars(row);
  const greatest = Math.max(...shown.map(({ value }) => value), Number.MIN_VALUE);
  const lines = shown.map(({ name, value }, index) => {
    const y = top + TITLE + index * (BAR + GAP);
    const width = Math.max(1, Math.round((value / greatest) * (WIDTH - LEFT - RIGHT)));
    const middle = y + BAR - 5;
    return [
      `<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${LABELS[name]}</text>`,
      `<rect class="${name}" x="${LEFT}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
      `<text x="${LEFT + width + 6}" y="${middle}">${value.toFixed(row.digits)}</text>`,
    ].join("");
  });
  const title = `<text class="title" x="0" y="${top + 16}">${escapeText(`${row.what} (${row.unit})`)}</text>`;
  return [title, ...lines].join("\n");
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
