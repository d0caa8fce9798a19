/** What a media thread tells of its streams. */
import { isEventName } from "../../api/events/catalogue.ts";
import type { EventName } from "../../api/events/catalogue.ts";
import type { EventBus } from "../../api/events/event-bus.ts";
import type { EventFields } from "../../api/events/event.ts";
import type { Clock } from "../../base/clock.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import type { Track } from "../../media/track.ts";
import type { StreamNotice } from "../../stream/live-stream.ts";

/** Something that happened in a media thread, on its way to the control thread's bus. Plain data. */
export type ThreadEvent = { readonly name: EventName; readonly fields: EventFields };

/** Takes what happens. */
export type TellEvent = (name: EventName, fields: EventFields) => void;

/** More in a second are counted, and not told. */
const EVENTS_A_SECOND = 2000;

/** Bounds what one thread tells in a second, so that streams that come and go do not take the control thread's time. */
export function boundedEvents(clock: Clock, log: Logger, tell: (event: ThreadEvent) => void): TellEvent {
  const dropped = new PerSecondLog(log, "events of streams are not told: there are too many");
  let second = 0;
  let told = 0;
  return (name, fields) => {
    const now = Math.floor(clock.nowUs() / 1_000_000);
    if (now !== second) {
      second = now;
      told = 0;
    }
    told++;
    if (told <= EVENTS_A_SECOND) tell({ name, fields });
    else dropped.add(clock.nowUs(), { event: name });
  };
}

/** Brings what a media thread told to the bus. */
export function takeThreadEvent(bus: Pick<EventBus, "emit">, { name, fields }: ThreadEvent): void {
  if (isEventName(name)) bus.emit(name, fields);
}

/** The event of what a stream says of itself. */
export function streamEvent(notice: StreamNotice, tell: TellEvent): void {
  const { what, stream: media, source, tracks, bitrateBps, reason, bytes } = notice;
  tell(what, {
    media,
    ...(source === undefined ? {} : { proto: source.protocol, ip: source.remoteAddress }),
    ...(tracks === undefined ? {} : { tracks: tracks.map(trackFields) }),
    ...(bitrateBps === undefined ? {} : { bitrate: Math.round(bitrateBps / 1000) }),
    ...(reason === undefined ? {} : { reason }),
    ...(bytes === undefined ? {} : { bytes }),
  });
}

function trackFields(track: Track): EventFields {
  const { id, kind, codec, width, height, sampleRate, channels } = track;
  if (kind === "video") return { id, kind, codec, width, height };
  return kind === "audio" ? { id, kind, codec, sample_rate: sampleRate, channels } : { id, kind, codec };
}
