import { amfObject, isAmfObject } from "./wire/amf-value.ts";
import type { AmfObject, AmfValue } from "./wire/amf-value.ts";

/** Levels and codes of `onStatus` and of the replies to `connect`. Spec: Adobe RTMP 1.0 section 7.2; ActionScript. */
export const STATUS = {
  connected: ["status", "NetConnection.Connect.Success", "Connection succeeded."],
  appShutdown: ["error", "NetConnection.Connect.AppShutdown", "The server is stopping."],
  reconnectRequest: [
    "status",
    "NetConnection.Connect.ReconnectRequest",
    "The server is stopping: please connect again, to another one.",
  ],
  callFailed: ["error", "NetConnection.Call.Failed", "No such command."],
  publishStart: ["status", "NetStream.Publish.Start", "Publishing."],
  publishBadName: ["error", "NetStream.Publish.BadName", "The name cannot be published."],
  publishDenied: ["error", "NetStream.Publish.Denied", "Publishing is not allowed."],
  unpublished: ["status", "NetStream.Unpublish.Success", "Unpublished."],
  playReset: ["status", "NetStream.Play.Reset", "Playing and resetting."],
  playStart: ["status", "NetStream.Play.Start", "Started playing."],
  playStop: ["status", "NetStream.Play.Stop", "Stopped playing."],
  playNotFound: ["error", "NetStream.Play.StreamNotFound", "No such stream."],
  playFailed: ["error", "NetStream.Play.Failed", "Playing is not allowed."],
  playUnpublished: ["status", "NetStream.Play.UnpublishNotify", "The stream has ended."],
  playComplete: ["status", "NetStream.Play.Complete", "Played to the end."],
  seekNotify: ["status", "NetStream.Seek.Notify", "Seeking."],
  seekFailed: ["error", "NetStream.Seek.Failed", "Cannot seek."],
  tooSlow: ["warning", "NetStream.Play.InsufficientBW", "The connection is too slow for the stream."],
  paused: ["status", "NetStream.Pause.Notify", "Paused."],
  unpaused: ["status", "NetStream.Unpause.Notify", "Playing again, from now."],
} as const satisfies Record<string, readonly [level: string, code: string, description: string]>;

const VIDEO = ["avc1", "hvc1", "av01"];
const AUDIO = ["mp4a", ".mp3", "Opus", "ac-3", "ec-3"];
/** FourCcInfoMask.CanForward. */
const CAN_FORWARD = 0x04;
/** CapsExMask.Reconnect: the one side asks the other to connect again, the other does. */
const CAN_RECONNECT = 0x01;
/** With Multitrack, ModEx and TimestampNanoOffset of CapsExMask. */
const CAPS_EX = CAN_RECONNECT | 0x02 | 0x04 | 0x08;

/** A row of `STATUS`. */
export type StatusKey = keyof typeof STATUS;

/** The information object of a status; `description` in place of the usual words, `more` for further fields. */
export function statusObject(
  key: StatusKey,
  description?: string,
  more: Readonly<Record<string, AmfValue>> = {},
): AmfObject {
  const [level, code, words] = STATUS[key];
  return amfObject({ level, code, description: description ?? words, ...more });
}

/**
 * Properties for a `connect` that speaks Enhanced RTMP: which codecs pass through, and which extensions are read.
 * Empty for clients that announce nothing, since they would not know what to do with it.
 * Spec: Enhanced RTMP v2, Enhancing NetConnection connect Command.
 */
export function enhancedProperties(announced: AmfValue): Readonly<Record<string, AmfValue>> {
  const fields = isAmfObject(announced) ? announced.fields : new Map<string, AmfValue>();
  const isEnhanced = ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"].some((name) =>
    fields.has(name),
  );
  if (!isEnhanced) return {};
  return {
    fourCcList: [...VIDEO, ...AUDIO],
    videoFourCcInfoMap: amfObject(Object.fromEntries(VIDEO.map((fourCc) => [fourCc, CAN_FORWARD]))),
    audioFourCcInfoMap: amfObject(Object.fromEntries(AUDIO.map((fourCc) => [fourCc, CAN_FORWARD]))),
    capsEx: CAPS_EX,
  };
}

/**
 * Whether the client of a `connect` says that it heeds NetConnection.Connect.ReconnectRequest.
 * Spec: Enhanced RTMP v2, Enhancing NetConnection connect Command (CapsExMask.Reconnect), Reconnect Request.
 */
export function canReconnect(announced: AmfValue): boolean {
  const capsEx = isAmfObject(announced) ? announced.fields.get("capsEx") : undefined;
  return typeof capsEx === "number" && (capsEx & CAN_RECONNECT) !== 0;
}
