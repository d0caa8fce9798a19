import type { ObjectName } from "./api.ts";
import { withCount } from "./pod-event-note.ts";

/** A pod that an Event is about. */
export type PodReference = ObjectName & { readonly uid?: string };

/** One Event, in neither version of the API. Units: `wallUs` microseconds since 1970 UTC. */
export type PodEvent = {
  readonly pod: PodReference;
  readonly reason: string;
  readonly type: "Normal" | "Warning";
  readonly note: string;
  /** How often it happened. */
  readonly count: number;
  readonly wallUs: number;
};

/** Who reports, in the words of Kubernetes. */
const CONTROLLER = "weir";

/**
 * Writes an Event in the words of its API group: its name, and the object.
 *
 * Its name is the pod's with the time behind it, as Kubernetes' own clients have it. Spec: Kubernetes API reference, Event
 * v1 events.k8s.io and Event v1 core.
 */
export function podEvent(
  group: "events.k8s.io" | "",
  event: PodEvent,
): [name: ObjectName, object: Readonly<Record<string, unknown>>] {
  const { pod } = event;
  const { namespace } = pod;
  const name = `${pod.name.slice(0, 230)}.${event.wallUs.toString(16)}`;
  const metadata = { name, namespace };
  const about = { apiVersion: "v1", kind: "Pod", ...pod };
  return [metadata, group === "" ? coreEvent(event, metadata, about) : newEvent(event, metadata, about)];
}

function newEvent(event: PodEvent, metadata: object, regarding: object): Readonly<Record<string, unknown>> {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata,
    eventTime: microTime(event.wallUs),
    reportingController: CONTROLLER,
    reportingInstance: event.pod.name.slice(0, 128),
    action: "Configure",
    reason: event.reason,
    regarding,
    type: event.type,
    note: withCount(event.note, event.count),
  };
}

function coreEvent(
  event: PodEvent,
  metadata: object,
  involvedObject: object,
): Readonly<Record<string, unknown>> {
  const time = `${microTime(event.wallUs).slice(0, 19)}Z`;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata,
    firstTimestamp: time,
    lastTimestamp: time,
    count: event.count,
    source: { component: CONTROLLER },
    reason: event.reason,
    involvedObject,
    type: event.type,
    message: event.note,
  };
}

/** RFC 3339 with microseconds. */
function microTime(wallUs: number): string {
  const micros = String(Math.floor(wallUs) % 1_000_000).padStart(6, "0");
  return `${new Date(Math.floor(wallUs / 1000)).toISOString().slice(0, 19)}.${micros}Z`;
}
