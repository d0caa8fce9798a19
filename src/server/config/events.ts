import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ConfigEvents, ConfigProblem } from "../../kubernetes/config-events.ts";

/** Where Events go. */
type EventsOptions = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the pod's service account is mounted, if not where Kubernetes does it. */
  readonly serviceAccount?: string | undefined;
};

/** Who is told what became of a new configuration: in a cluster Events on the pod, elsewhere nobody. */
export function configEvents(options: EventsOptions): ConfigEvents {
  const host = options.env["KUBERNETES_SERVICE_HOST"] ?? "";
  return host === "" ? NOBODY : new LateEvents(options);
}

const NOBODY: ConfigEvents = { configRefused: () => {}, configApplied: () => {}, stop: () => {} };

/** Brings the code, and TLS with it, when a configuration is refused for the first time: most servers never need it. */
class LateEvents implements ConfigEvents {
  readonly #options: EventsOptions;
  #loading: Promise<ConfigEvents> | null = null;
  #stopped = false;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  configRefused(problems: readonly ConfigProblem[]): void {
    this.#loading ??= this.#load();
    void this.#tell((events) => events.configRefused(problems));
  }

  /** Nothing was refused before: nothing was mended. */
  configApplied(): void {
    if (this.#loading !== null) void this.#tell((events) => events.configApplied());
  }

  stop(): void {
    this.#stopped = true;
    if (this.#loading !== null) void this.#tell((events) => events.stop());
  }

  async #load(): Promise<ConfigEvents> {
    try {
      const { writtenEvents } = await import("../kubernetes/written-events.ts");
      return writtenEvents(this.#options);
    } catch (caught) {
      this.#options.log.info("no Kubernetes Event can be written on the pod", {
        reason: messageOf(caught),
      });
      return NOBODY;
    }
  }

  async #tell(tell: (events: ConfigEvents) => void): Promise<void> {
    const events = await this.#loading!;
    if (this.#stopped) events.stop();
    else tell(events);
  }
}
