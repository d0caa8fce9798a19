import { Networks } from "../addresses.ts";
import { isTlsScheme, itemFromRight, readForwarded, readForwardedFor, readHost } from "./forwarded.ts";
import type { Hop } from "./forwarded.ts";

/** One header of a request by its lower-case name; lines of the same name are joined by commas. */
export type HeaderOf = (name: string) => string | undefined;

/** Addresses and headers whose meaning is kept: clients come again and again. */
const MAX_KNOWN = 4096;
/** A longer text is read each time. */
const MAX_KEPT_LENGTH = 256;

/** Of a chain of proxies, where the client stands. */
type Origin = {
  /** `null`: nothing was said that is of use, so it is the connection's own. */
  readonly address: string | null;
  /** Places from the right end of the list. */
  readonly hop: number;
  /** What `Forwarded` says there; `null` where `X-Forwarded-*` is read. */
  readonly said: Hop | null;
};

const NOBODY: Hop = { address: null, proto: null, host: null };
const UNTOLD: Origin = { address: null, hop: 0, said: null };

/**
 * The proxies in front that are believed. The client of a request that one of them brings is the right-most address in
 * `X-Forwarded-For` that is no proxy of ours, without that header in `Forwarded`. Where all are proxies it is the first of
 * them; where something cannot be read, the one before it: a client chooses what stands left of its own address, and
 * nothing of that is ever looked at.
 *
 * Bounded: `MAX_KNOWN` addresses and as many headers; when they are full, all are forgotten.
 */
export class TrustedProxies {
  readonly #networks: Networks;
  readonly #trusted = new Map<string, boolean>();
  readonly #origins = new Map<string, Origin>();

  constructor(networks: readonly string[]) {
    this.#networks = new Networks(networks);
  }

  /** Addresses and headers that are remembered. */
  get known(): number {
    return this.#trusted.size + this.#origins.size;
  }

  /** Whether a connection from there is a proxy's. */
  trusts(address: string): boolean {
    const known = this.#trusted.get(address);
    if (known !== undefined) return known;
    const isTrusted = this.#networks.has(address);
    keep(this.#trusted, address, isTrusted);
    return isTrusted;
  }

  /** Who asks by a connection from `peer`; `null`: that is no proxy, and asks for itself. */
  clientOf(peer: string, header: HeaderOf): ForwardedClient | null {
    return this.trusts(peer) ? new ForwardedClient(peer, header, this) : null;
  }

  /** Where in its chain the client of a request stands. */
  originOf(header: HeaderOf): Origin {
    const list = header("x-forwarded-for");
    if (list !== undefined) return this.#known(list) ?? this.#keep(list);
    const forwarded = header("forwarded");
    return forwarded === undefined ? UNTOLD : this.#follow(readForwarded(forwarded));
  }

  #known(list: string): Origin | undefined {
    return list.length <= MAX_KEPT_LENGTH ? this.#origins.get(list) : undefined;
  }

  #keep(list: string): Origin {
    const origin = { ...this.#follow(readForwardedFor(list)), said: null };
    if (list.length <= MAX_KEPT_LENGTH) keep(this.#origins, list, origin);
    return origin;
  }

  /** From proxy to proxy, to the first that is none of ours or of whom nothing can be read. */
  #follow(hops: Iterable<Hop | null>): Origin {
    let origin: Origin | null = null;
    for (const hop of hops) {
      // What the nearest proxy says of the host counts, though it does not say who asked.
      if (hop === null || hop.address === null) return origin ?? { ...UNTOLD, said: hop ?? NOBODY };
      origin = { address: hop.address, hop: origin === null ? 0 : origin.hop + 1, said: hop };
      if (!this.trusts(hop.address)) break;
    }
    return origin ?? UNTOLD;
  }
}

/** Who asks through a proxy, found out when somebody wants to know. */
export class ForwardedClient {
  readonly #peer: string;
  readonly #header: HeaderOf;
  readonly #proxies: TrustedProxies;
  #origin: Origin | null = null;

  constructor(peer: string, header: HeaderOf, proxies: TrustedProxies) {
    this.#peer = peer;
    this.#header = header;
    this.#proxies = proxies;
  }

  /** Of the client; the proxy's own where it does not say whose request it is. */
  get address(): string {
    return this.#from.address ?? this.#peer;
  }

  /** Whether the client spoke TLS; `null`: nobody says. */
  get isTls(): boolean | null {
    const text = this.#said("proto", "x-forwarded-proto");
    return text === null ? null : isTlsScheme(text);
  }

  /** The host that the client asked for, with its port; `null`: nobody says. */
  get host(): string | null {
    const text = this.#said("host", "x-forwarded-host");
    return text === null ? null : readHost(text);
  }

  get #from(): Origin {
    return (this.#origin ??= this.#proxies.originOf(this.#header));
  }

  /** Of the proxy that the client asked. One that writes `Forwarded` hands `X-Forwarded-*` of clients on as they came. */
  #said(key: "proto" | "host", name: string): string | null {
    const { said, hop } = this.#from;
    if (said !== null) return said[key];
    const list = this.#header(name);
    return list === undefined ? null : itemFromRight(list, hop);
  }
}

function keep<T>(known: Map<string, T>, key: string, value: T): void {
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, value);
}
