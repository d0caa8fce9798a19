/** TLS of one media thread. What it needs is loaded with the first plan that asks for it. */
import assert from "node:assert/strict";
import type { Clock } from "../../base/clock.ts";
import type { ResolvedConfig, TlsPlan } from "../../config/plan.ts";
import type { HttpsParts } from "../http/https-parts.ts";
import type { TlsDoor } from "./tls-door.ts";
import type { TlsDoors } from "./tls-doors.ts";

type Loaded = { readonly doors: TlsDoors; readonly openHttp2: HttpsParts["openHttp2"] };

/** The doors of a thread's listeners, and what speaks HTTP/2 behind them. */
export class ThreadTls {
  readonly #options: { readonly clock: Clock; readonly ticketKeys: Uint8Array };
  #loaded: Loaded | null = null;

  constructor(options: { readonly clock: Clock; readonly ticketKeys: Uint8Array }) {
    this.#options = options;
  }

  /** Makes ready for the listeners of a configuration: to be called before one of them opens. */
  async open(listeners: ResolvedConfig["listeners"]): Promise<void> {
    const plans = tlsPlans(listeners);
    if (plans.length === 0) return;
    this.#loaded ??= await load(this.#options);
    await this.#loaded.doors.open(plans);
  }

  /** Looks at the files at once. */
  async look(): Promise<void> {
    await this.#loaded?.doors.look();
  }

  /** This configuration is in force. */
  keep(listeners: ResolvedConfig["listeners"]): void {
    this.#loaded?.doors.keep(tlsPlans(listeners));
  }

  /** For an HTTP listener; `null`: it is a plain one. */
  forHttp(plan: TlsPlan | undefined): HttpsParts | null {
    if (plan === undefined) return null;
    const { doors, openHttp2 } = this.#ready();
    return { door: doors.door(plan, "http"), openHttp2 };
  }

  /** For an RTMP listener; `null`: it is a plain one. */
  forRtmp(plan: TlsPlan | undefined): TlsDoor | null {
    return plan === undefined ? null : this.#ready().doors.door(plan, "rtmp");
  }

  /** Better a thread that ends than a TLS port that speaks in clear. */
  #ready(): Loaded {
    assert(this.#loaded !== null, "a TLS listener was asked to serve before its files were read");
    return this.#loaded;
  }
}

/** The TLS plans of a configuration's listeners, each once for each listener that has it. */
export function tlsPlans({ http, rtmp }: ResolvedConfig["listeners"]): TlsPlan[] {
  return [...http, ...rtmp].flatMap(({ tls }) => (tls === undefined ? [] : [tls]));
}

async function load(options: { readonly clock: Clock; readonly ticketKeys: Uint8Array }): Promise<Loaded> {
  const [{ TlsDoors: Doors }, { Http2Connection }] = await Promise.all([
    import("./tls-doors.ts"),
    import("../http/http2-connection.ts"),
  ]);
  return {
    doors: new Doors(options),
    openHttp2: (socket, parts) => new Http2Connection(socket, parts),
  };
}
