import { eventLine } from "../../api/events/event-line.ts";
import { eventErrors } from "../../api/events/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { EventSinkPlan } from "../../config/plan.ts";
import { serverLogLevel } from "../log/log-level.ts";
import { HostGuard } from "../outside-hosts.ts";
import { FileSink } from "./file-sink.ts";
import { HttpSink } from "./http-sink.ts";
import type { SinkTransport } from "./sink-delivery.ts";

/** What sinks need beside their plan. */
export type TransportOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Empty: all. */
  readonly allowedHosts: readonly string[];
};

/** Who takes a sink's events: a server, a file or the log. `isRemote`: it may be away for long. */
export type OpenTransport = { readonly transport: SinkTransport; readonly isRemote: boolean };

/** Makes what a sink's URL asks for; opens nothing yet. Throws EVENTS_BAD_SINK. */
export function openTransport(plan: EventSinkPlan, options: TransportOptions): OpenTransport {
  const { name, url } = plan;
  const refuse = (reason: string): Error => eventErrors.error("EVENTS_BAD_SINK", { name, reason });
  if (/^https?:\/\//i.test(url)) return { transport: httpSink(plan, options, refuse), isRemote: true };
  if (/^log:?(\/\/)?$/.test(url)) return { transport: logSink(plan, options.log), isRemote: false };
  const [, kind, path = ""] = /^(log|jsonlog):\/\/(.*)$/s.exec(url) ?? [];
  if (kind === undefined) throw refuse("its URL is of no known kind");
  if (!path.startsWith("/")) throw refuse("the path of a file has to be absolute");
  if (path.endsWith("/") || path.includes("\0") || path.split("/").includes("..")) {
    throw refuse("that is no path of a file");
  }
  const lineOf = kind === "log" ? eventLine : (json: string): string => json;
  return { transport: new FileSink({ path, lineOf }), isRemote: false };
}

function httpSink(
  { url: text, signKey }: EventSinkPlan,
  { clock, allowedHosts }: TransportOptions,
  refuse: (reason: string) => Error,
): HttpSink {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw refuse("its URL cannot be read");
  const hosts = new HostGuard({ clock, allowed: () => allowedHosts });
  const refusal = hosts.refusal(url.hostname);
  if (refusal !== undefined) throw refuse(refusal);
  return new HttpSink({ url, signKey, clock, hosts });
}

function logSink({ level = "info" }: EventSinkPlan, log: Logger): SinkTransport {
  const serverLevel = serverLogLevel(level);
  return {
    send: (events) => {
      if (serverLevel === "none") return Promise.resolve();
      for (const json of events) log[serverLevel]("event", JSON.parse(json) as Record<string, unknown>);
      return Promise.resolve();
    },
    close: () => {},
  };
}
