import { defaultOf } from "./directives.ts";
import { wholeFile } from "./place.ts";
import { defaultTls, readTls } from "./resolve-tls.ts";
import { addressOf, booleanOf, bySetting, numberOrAuto, setting } from "./settings.ts";
import type { EnvironmentSettings } from "./environment.ts";
import type { HttpListenerPlan, RtmpListenerPlan } from "./plan.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";
import type { Address } from "./settings.ts";
import type { Directive } from "./typed.ts";

type Listener = Address & { readonly protocol: string; readonly place: Place };

/** The listeners of a config; see `resolveListeners`. */
export type Listeners = {
  readonly http: readonly HttpListenerPlan[];
  readonly rtmp: readonly RtmpListenerPlan[];
};

/** Keys that are no hosts: the listener on every address, and the first one on any. */
const EVERY_HOST = "*";
const ANY_HOST = "?";

/** What stands for the file's name in the place of a listener that nobody wrote. */
export const DEFAULTS_FILE = "(default)";

/** What counts beside the directives. `folder`: where certificates are that nobody names. */
export type ListenerOptions = {
  readonly environment: Pick<EnvironmentSettings, "http" | "https">;
  readonly folder: string;
  /** `trusted_proxies` names somebody. */
  readonly hasProxies: boolean;
  readonly problems: ProblemList;
};

/**
 * Reads the listeners, and adds those of the environment unless the config has the same, and port 80 when there is
 * neither `http` nor `https`. Those with TLS stand behind those without. Two listeners that want one port of one address
 * are an error; a listener on every address has the port of each address. Port 0 is never the same.
 */
export function resolveListeners(
  directives: readonly Directive[],
  { environment, folder, hasProxies, problems }: ListenerOptions,
): Listeners {
  const context = { folder, hasProxies, problems };
  const http = directives.filter(called("http")).map((one) => httpListener(one, context));
  const https = directives.filter(called("https")).map((one) => httpListener(one, context));
  const rtmp = directives.filter(called("rtmp", "rtmps")).map((one) => listener(one, context));
  const { http: plain, https: secure } = environment;
  if (secure !== undefined && !https.some((one) => sameAddress(one, secure)))
    https.push({ ...secure, api: true, tls: defaultTls(folder) });
  if (plain !== undefined && !http.some((one) => sameAddress(one, plain)))
    http.push({ ...plain, api: true });
  if (http.length === 0 && https.length === 0) {
    http.push({ ...addressOf(defaultOf("server", "http")), api: true, place: wholeFile(DEFAULTS_FILE) });
  }
  const all = [...http, ...https];
  reportTaken([...all.map(asProtocol("http")), ...rtmp.map(asProtocol("rtmp"))], problems);
  return { http: all, rtmp };
}

function called(...names: readonly string[]): (directive: Directive) => boolean {
  return (directive) => names.includes(directive.spec.name);
}

function asProtocol(name: string): (plan: RtmpListenerPlan) => Listener {
  return ({ tls, ...plan }) => ({ ...plan, protocol: tls === undefined ? name : `${name}s` });
}

type ListenerContext = Omit<ListenerOptions, "environment">;

function httpListener(directive: Directive, context: ListenerContext): HttpListenerPlan {
  const api = directive.children.find((child) => child.spec.name === "api");
  return {
    ...listener(directive, context),
    api: booleanOf(api === undefined ? defaultOf("http-listener", "api") : api.values[0]),
  };
}

function listener(directive: Directive, context: ListenerContext): RtmpListenerPlan {
  const { folder, problems } = context;
  const window = setting(bySetting(directive.children, problems), "send_window");
  const isTls = directive.spec.name.endsWith("s");
  return {
    ...addressOf(directive.values[0]),
    ...(window === undefined ? {} : { sendWindow: numberOrAuto(window.values[0]) }),
    ...(hasProxyHeader(directive, context) ? { proxyProtocol: true } : {}),
    ...(isTls ? { tls: readTls(directive, folder, problems) } : {}),
    place: directive.places[0] ?? directive.place,
  };
}

/** Without anybody who may send a header, nobody could connect. */
function hasProxyHeader(directive: Directive, { hasProxies, problems }: ListenerContext): boolean {
  const word = directive.children.find((child) => child.spec.name === "proxy_protocol");
  if (word === undefined || !booleanOf(word.values[0])) return false;
  if (!hasProxies) {
    problems.error("CONFIG_NOTHING_INSIDE", word.place, "proxy_protocol needs trusted_proxies", {
      hint: "name the load balancers that send the header: trusted_proxies 10.0.0.0/24;",
    });
  }
  return true;
}

/** A host that stands for every address. */
function isWildcard(host: string | undefined): boolean {
  return host === undefined || host === "0.0.0.0" || host === "::";
}

function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && (a.host === b.host || (isWildcard(a.host) && isWildcard(b.host)));
}

function reportTaken(listeners: readonly Listener[], problems: ProblemList): void {
  const ports = new Map<number, Map<string, Listener>>();
  for (const next of inOrder(listeners)) {
    if (next.port === 0) continue;
    const taken = ports.get(next.port) ?? new Map<string, Listener>();
    const host = isWildcard(next.host) ? EVERY_HOST : next.host!;
    const first = taken.get(EVERY_HOST) ?? taken.get(host === EVERY_HOST ? ANY_HOST : host);
    if (first !== undefined) {
      reportOne(first, next, problems);
      continue;
    }
    if (!taken.has(ANY_HOST)) taken.set(ANY_HOST, next);
    taken.set(host, next);
    ports.set(next.port, taken);
  }
}

/** What nobody wrote comes first, so that the error points at what somebody did. */
function inOrder(listeners: readonly Listener[]): Listener[] {
  const isWritten = (one: Listener): number => (one.place.file === DEFAULTS_FILE ? 0 : 1);
  return listeners.toSorted((a, b) => isWritten(a) - isWritten(b));
}

function reportOne(first: Listener, next: Listener, problems: ProblemList): void {
  const isDefault = first.place.file === DEFAULTS_FILE;
  const where = next.host === undefined ? `port ${next.port}` : `${next.host}, port ${next.port}`;
  problems.error("CONFIG_ADDRESS_TAKEN", next.place, `${next.protocol}: ${where} is already taken`, {
    hint: isDefault ? "HTTP listens there, since no http directive names another port" : undefined,
    related: isDefault ? [] : [{ ...first.place, message: `taken by ${first.protocol} here` }],
  });
}
