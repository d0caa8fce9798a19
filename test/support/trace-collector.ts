/** Who collects traces, on this machine. Spec: OpenTelemetry Protocol Specification, "OTLP/HTTP Request". */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestEnd } from "./program.ts";

/** A span as it comes. */
export type CollectedSpan = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
  readonly status: { readonly code?: number };
};

type Body = {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly CollectedSpan[] }[];
  }[];
};

/** What has come so far. */
export type TraceCollector = {
  readonly url: string;
  readonly spans: () => CollectedSpan[];
  /** All that has come, as text. */
  readonly text: () => string;
};

/** Collects traces until the test is over. */
export async function startTraceCollector(t: TestEnd): Promise<TraceCollector> {
  const texts: string[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      texts.push(Buffer.concat(pieces).toString());
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    spans: () =>
      texts.flatMap((text) =>
        (JSON.parse(text) as Body).resourceSpans.flatMap(({ scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) => [...spans]),
        ),
      ),
    text: () => texts.join("\n"),
  };
}

/** The words of a span's attributes. */
export function wordsOf({ attributes }: CollectedSpan): Record<string, string | undefined> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}
