import type { Clock, Timer } from "../base/clock.ts";
import { asMediaError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { KubernetesApi, ObjectName } from "./api.ts";
import type { ConfigEvents, ConfigProblem } from "./config-events.ts";
import { podEvent } from "./pod-event.ts";
import type { PodEvent, PodReference } from "./pod-event.ts";
import { noteOf } from "./pod-event-note.ts";

/** What Events on the pod are made with. */
export type PodEventsOptions = {
  readonly api: KubernetesApi;
  /** The pod's name as it knows itself; `uid` where the manifest gives it. */
  readonly pod: { readonly name: string; readonly uid?: string };
  readonly clock: Clock;
  readonly log: Logger;
};

/** Least time between two Events. */
export const EVENT_INTERVAL_MS = 10_000;

type Wanted = {
  readonly reason: "ConfigRefused" | "ConfigApplied";
  readonly note: string;
  readonly count: number;
  /** When it was sent for the first time; absent before that. Its name is made of it, so it cannot be there twice. */
  readonly wallUs?: number;
};

/** Faults that pass: the Event is sent again after `EVENT_INTERVAL_MS`. */
const PASSING_FAULTS: ReadonlySet<string> = new Set([
  "KUBERNETES_UNAVAILABLE",
  "KUBERNETES_TIMEOUT",
  "KUBERNETES_UNREACHABLE",
]);

/** It is not there, or not for this service account. */
const REFUSALS: ReadonlySet<string> = new Set([
  "KUBERNETES_NOT_FOUND",
  "KUBERNETES_FORBIDDEN",
  "KUBERNETES_DENIED",
]);

/**
 * Kubernetes Events on the server's own pod, for configurations that do not check and for their mending.
 *
 * At most one is written in `EVENT_INTERVAL_MS`; of what happens meanwhile the last is told, with its count when it
 * was the same each time. While the API server is away or overloaded the last is tried again, once in that time; what
 * cannot be written for another reason is lost: the log has it all. A service account that may not write Events is one
 * line in the log, at level info, and never another.
 */
export class PodEvents implements ConfigEvents {
  readonly #options: PodEventsOptions;
  #pod: PodReference | null = null;
  #group: "events.k8s.io" | "" = "events.k8s.io";
  #wanted: Wanted | null = null;
  #last: Wanted | null = null;
  #nextAtUs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;
  #sending = false;
  #stopped = false;
  #complaint = "";

  constructor(options: PodEventsOptions) {
    this.#options = options;
  }

  configRefused(problems: readonly ConfigProblem[]): void {
    const note = noteOf(problems);
    const before = this.#wanted ?? this.#last;
    const count = before?.reason === "ConfigRefused" && before.note === note ? before.count + 1 : 1;
    this.#offer({ reason: "ConfigRefused", note, count });
  }

  configApplied(): void {
    const isMending = this.#last?.reason === "ConfigRefused";
    this.#wanted = null;
    if (isMending)
      this.#offer({ reason: "ConfigApplied", note: "The configuration is in force.", count: 1 });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #offer(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#pump();
  }

  #pump(): void {
    if (this.#wanted === null || this.#sending || this.#stopped) return;
    const { clock } = this.#options;
    const waitMs = (this.#nextAtUs - clock.nowUs()) / 1000;
    this.#timer?.cancel();
    if (waitMs > 0) this.#timer = clock.schedule(waitMs, () => this.#pump());
    else void this.#send(this.#wanted);
  }

  async #send(wanted: Wanted): Promise<void> {
    const { clock } = this.#options;
    this.#wanted = null;
    this.#last = wanted;
    this.#sending = true;
    const wallUs = wanted.wallUs ?? clock.wallUs();
    this.#nextAtUs = clock.nowUs() + EVENT_INTERVAL_MS * 1000;
    try {
      this.#pod ??= await this.#findPod();
      await this.#write(this.#pod, wanted, wallUs);
    } catch (caught) {
      this.#complain(caught);
      if (PASSING_FAULTS.has(codeOf(caught))) this.#wanted ??= { ...wanted, wallUs };
    }
    this.#sending = false;
    this.#pump();
  }

  async #write(pod: PodReference, wanted: Wanted, wallUs: number): Promise<void> {
    const event: PodEvent = {
      pod,
      reason: wanted.reason,
      type: wanted.reason === "ConfigRefused" ? "Warning" : "Normal",
      note: wanted.note,
      count: wanted.count,
      wallUs,
    };
    if (this.#group === "events.k8s.io") {
      try {
        return await this.#create("events.k8s.io", event);
      } catch (caught) {
        if (!REFUSALS.has(codeOf(caught))) throw caught;
      }
    }
    await this.#create("", event);
    this.#group = "";
  }

  /** An Event that is there already was written by a try whose reply was lost. */
  async #create(group: "events.k8s.io" | "", event: PodEvent): Promise<void> {
    try {
      await this.#options.api.createEvent(group, ...podEvent(group, event));
    } catch (caught) {
      if (codeOf(caught) !== "KUBERNETES_CONFLICT") throw caught;
    }
  }

  /**
   * Where the pod may not be read, or is not found since a host name is a pod's name cut to 63 characters, the Event has
   * no uid: `kubectl get events` has it, `describe pod` has not.
   */
  async #findPod(): Promise<PodReference> {
    const { api, pod } = this.#options;
    const name: ObjectName = { namespace: await api.namespace(), name: pod.name };
    if (pod.uid !== undefined) return { ...name, uid: pod.uid };
    try {
      return { ...name, uid: await api.readPodUid(name) };
    } catch (caught) {
      if (REFUSALS.has(codeOf(caught))) return name;
      throw caught;
    }
  }

  #complain(caught: unknown): void {
    const code = codeOf(caught);
    if (this.#stopped || code === this.#complaint) return;
    this.#complaint = code;
    this.#options.log.info("no Kubernetes Event can be written on the pod", {
      reason: messageOf(caught),
      code,
    });
  }
}

function codeOf(caught: unknown): string {
  return asMediaError(caught)?.code ?? "";
}
