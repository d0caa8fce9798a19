import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Span, Tracer } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { IdGenerator } from "@opentelemetry/sdk-trace";
import type { OutsideHosts } from "../../base/outside-hosts.ts";
import type { TracesPlan } from "../../config/plan.ts";
import type { Asked, FirstMedia, SetUp, TraceSender, TraceService } from "./set-up.ts";

/** What waits to be sent at most; more is dropped. */
const QUEUE = {
  maxQueueSize: 2048,
  maxExportBatchSize: 256,
  scheduledDelayMillis: 2000,
  exportTimeoutMillis: 5000,
};

/**
 * Sends spans to a collector, as OTLP over HTTP: one for a session's set-up, up to its first media, and below it one for each
 * server that was asked and one for the wait for media. They have no tokens, addresses of clients, or queries in them. Whoever notes has chosen which are traced.
 */
export class TraceExport implements TraceSender {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #ids = new GivenIds();

  constructor(
    { url }: Pick<TracesPlan, "url">,
    { version, serverId }: TraceService,
    { lookup }: OutsideHosts,
  ) {
    const exporter = new OTLPTraceExporter({
      url,
      timeoutMillis: QUEUE.exportTimeoutMillis,
      httpAgentOptions: { keepAlive: true, lookup },
    });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        "service.name": "weir",
        "service.version": version,
        "service.instance.id": serverId,
      }),
      sampler: new AlwaysOnSampler(),
      idGenerator: this.#ids,
      spanProcessors: [new BatchSpanProcessor({ exporter, ...QUEUE })],
    });
    this.#tracer = this.#provider.getTracer("weir", version);
  }

  /** Makes the spans of a session's set-up. */
  note(setUp: SetUp): void {
    const { kind, name, proto, sessionId, claimedUs, judgedUs, outcome, reason, media } = setUp;
    const attributes = {
      "weir.stream": name,
      "network.protocol.name": proto,
      "weir.outcome": outcome,
      ...(sessionId === null ? {} : { "session.id": sessionId }),
      ...(media === null ? {} : { "weir.media": media.outcome }),
    };
    const startTime = dateOf(claimedUs);
    this.#ids.next = setUp;
    const span = this.#tracer.startSpan(
      kind,
      { kind: SpanKind.SERVER, startTime, attributes },
      ROOT_CONTEXT,
    );
    const context = trace.setSpan(ROOT_CONTEXT, span);
    for (const each of setUp.asked) this.#noteAsked(each, context);
    if (media !== null && media.outcome !== "unknown") this.#noteMedia(media, judgedUs, context);
    if (outcome === "failed") setFailed(span, reason);
    else if (reason !== undefined) span.setAttribute("weir.reason", reason);
    span.end(dateOf(media?.atUs ?? judgedUs));
  }

  /** Sends what waits. */
  async close(): Promise<void> {
    await this.#provider.shutdown();
  }

  #noteMedia({ spanId, outcome, atUs }: FirstMedia, judgedUs: number, context: typeof ROOT_CONTEXT): void {
    const attributes = { "weir.media": outcome };
    this.#ids.next = { spanId };
    this.#tracer
      .startSpan("first_media", { startTime: dateOf(judgedUs), attributes }, context)
      .end(dateOf(atUs));
  }

  #noteAsked(asked: Asked, context: typeof ROOT_CONTEXT): void {
    const { spanId, host, startUs, endUs, outcome } = asked;
    const attributes = { "http.request.method": "GET", "server.address": host, "weir.outcome": outcome };
    const startTime = dateOf(startUs);
    this.#ids.next = { spanId };
    const span = this.#tracer.startSpan(
      "authorize",
      { kind: SpanKind.CLIENT, startTime, attributes },
      context,
    );
    if (outcome === "failed") setFailed(span);
    span.end(dateOf(endUs));
  }
}

/** Spec: OpenTelemetry semantic conventions, "Recording errors": `_OTHER` where no class of errors is told apart. */
function setFailed(span: Span, message?: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
  span.setAttribute("error.type", "_OTHER");
}

/** Gives the ids that were handed out with the requests, which were on their way before there was a span. */
class GivenIds implements IdGenerator {
  next: Pick<Asked, "spanId"> & Partial<Pick<SetUp, "traceId">> = { spanId: "" };

  generateTraceId(): string {
    return this.next.traceId ?? "";
  }

  generateSpanId(): string {
    return this.next.spanId;
  }
}

/** As the library takes times: seconds and nanoseconds. */
function dateOf(us: number): [number, number] {
  const seconds = Math.floor(us / 1_000_000);
  return [seconds, (us - seconds * 1_000_000) * 1000];
}
