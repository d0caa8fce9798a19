/** Reads pages of metrics as `promtool check metrics` does, and says what is wrong with them. */

/** One value: `name{labels}` and the number. */
export type MetricSample = { readonly series: string; readonly name: string; readonly value: number };

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`;
const SAMPLE = new RegExp(String.raw`^((${NAME})(?:\{(?:${LABEL}(?:,${LABEL})*)?\})?) (\S+)$`);
const META = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);

/** What a family's samples may be called besides its own name. */
const ENDINGS: Readonly<Record<string, readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count"],
  counter: ["_total"],
};

/**
 * The samples of a page. Throws where a line is none of the format's, a family or a series comes twice, or a sample belongs
 * to no family before it. Spec: Prometheus text format 0.0.4; OpenMetrics 1.0 section 3.
 */
export function readMetrics(text: string, isOpenMetrics: boolean): MetricSample[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error("the last line has no end");
  if (isOpenMetrics && lines.pop() !== "# EOF") throw new Error("it does not end with # EOF");
  const said = new Set<string>();
  const series = new Set<string>();
  const samples: MetricSample[] = [];
  let family = { name: "", type: "" };
  for (const line of lines) {
    if (line === "" && !isOpenMetrics) continue;
    const meta = META.exec(line);
    if (meta !== null) {
      const [, what, name, value] = meta;
      once(said, `${what} ${name}`);
      if (what === "TYPE") family = { name: name!, type: value! };
      continue;
    }
    const [, key, name, value] = SAMPLE.exec(line) ?? [];
    if (key === undefined) throw new Error(`this is no line of the format: ${line}`);
    if (!namesOf(family, isOpenMetrics).includes(name!))
      throw new Error(`${name} is not of ${family.name}`);
    if (value !== "+Inf" && !Number.isFinite(Number(value))) throw new Error(`no number: ${line}`);
    once(series, key);
    samples.push({ series: key, name: name!, value: Number(value) });
  }
  return samples;
}

function namesOf({ name, type }: { name: string; type: string }, isOpenMetrics: boolean): string[] {
  const isPlain = type !== "histogram" && !(isOpenMetrics && type === "counter");
  const endings = type === "counter" && !isOpenMetrics ? [] : (ENDINGS[type] ?? []);
  return [...(isPlain ? [name] : []), ...endings.map((ending) => name + ending)];
}

function once(had: Set<string>, key: string): void {
  if (had.has(key)) throw new Error(`${key} comes twice`);
  had.add(key);
}
