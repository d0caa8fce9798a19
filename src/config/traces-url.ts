/** Where a collector takes traces. Spec: OpenTelemetry Protocol Specification, "OTLP/HTTP Request". */
export const TRACES_PATH = "/v1/traces";

/**
 * The URL that traces are sent to: where the one that was given has no path, the collector's usual one.
 */
export function tracesUrl(text: string): string {
  return /^[a-z]+:\/\/[^/?]+\/?$/i.test(text) ? text.replace(/\/?$/, TRACES_PATH) : text;
}
