import { Registry } from "prom-client";
import type { Metric } from "prom-client";
import type { HttpReply } from "../../base/http-message.ts";
import { FAMILIES_OF } from "./families.ts";
import type { Family, Labels, MetricsPart } from "./families.ts";
import type { ServerFigures } from "./figures.ts";

/** Which text format the page has. */
export type MetricsFormat = "prometheus" | "openmetrics";

/** A value as the library writes it. */
type Line = { readonly metricName?: string; readonly labels: Labels; readonly value: number };

/**
 * The metrics page for Prometheus. Labels are bounded: threads, protocols, sinks; names of streams only where the
 * configuration wants them. Nothing is counted for a metric while media flow: figures are read when somebody asks.
 */
export class MetricsPage {
  readonly #registries = new Map<string, Registry>();
  #now: ServerFigures | null = null;

  /** The page, or a part of it, with the figures as they are now. */
  async render(
    figures: ServerFigures,
    format: MetricsFormat = "prometheus",
    part: MetricsPart = "all",
  ): Promise<HttpReply> {
    this.#now = figures;
    const registry = this.#registryOf(format, part);
    const body = Buffer.from(await registry.metrics());
    return {
      status: 200,
      headers: [
        ["content-type", registry.contentType],
        ["cache-control", "no-store"],
      ],
      body: [body],
    };
  }

  #registryOf(format: MetricsFormat, part: MetricsPart): Registry {
    const key = `${part} ${format}`;
    const known = this.#registries.get(key);
    if (known !== undefined) return known;
    const registry = new Registry();
    // The library's types have no registry of that format.
    if (format === "openmetrics") registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    for (const family of FAMILIES_OF[part])
      registry.registerMetric(this.#metric(family, format) as unknown as Metric);
    this.#registries.set(key, registry);
    return registry;
  }

  /** What the library asks for a metric's values; OpenMetrics has the name of a counter without its last part. */
  #metric(family: Family, format: MetricsFormat) {
    const { help, type } = family;
    const isShort = format === "openmetrics" && type === "counter";
    const name = isShort ? family.name.replace(/_total$/, "") : family.name;
    return { name, get: () => ({ name, help, type, aggregator: "sum", values: this.#lines(family) }) };
  }

  #lines(family: Family): Line[] {
    const now = this.#now!;
    return family.type === "histogram"
      ? histogramLines(family.name, family.histogram(now))
      : [...family.samples(now)];
  }
}

function histogramLines(
  name: string,
  figures: ReturnType<Extract<Family, { type: "histogram" }>["histogram"]>,
): Line[] {
  if (figures === null) return [];
  const { bounds, counts, sum } = figures;
  let count = 0;
  const lines = counts.map((each, i): Line => {
    count += each;
    return { metricName: `${name}_bucket`, labels: { le: bounds[i] ?? "+Inf" }, value: count };
  });
  lines.push({ metricName: `${name}_sum`, labels: {}, value: sum });
  lines.push({ metricName: `${name}_count`, labels: {}, value: count });
  return lines;
}
