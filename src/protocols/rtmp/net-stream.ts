import { asMediaError } from "../../base/errors.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { SubscriptionEnd } from "../../stream/wire-format.ts";
import { rtmpErrors } from "./errors.ts";
import { resolveTarget } from "./names.ts";
import type { RtmpTarget } from "./names.ts";
import type { RtmpOutbox } from "./outbox.ts";
import { PlayDuration, playDurationMs, playStartMs } from "./play-duration.ts";
import { DEFAULT_BUFFER_MS, RecordedPlay } from "./recorded-play.ts";
import type { RtmpRecording } from "./recorded-play.ts";
import type { RtmpCloseReason, RtmpState } from "./session-states.ts";
import type { StatusKey } from "./status.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import type { RtmpMessage } from "./wire/chunk-reader.ts";
import type { RtmpCommand } from "./wire/messages.ts";

/** A publisher's way into the core. */
export type RtmpPublication = {
  message(message: RtmpMessage, nowUs: number): void;
  /** How long the connection need not be read. Units: milliseconds. */
  patienceMs(): number;
  close(reason: string): void;
};

/** A player's subscription. */
export type RtmpPlayback = { close(): void };

/** What a stream needs of its connection to the core. Calls are synchronous. */
export type RtmpNetStreamHost = {
  write(bytes: Uint8Array): void;
  /** A player is about to be sent its first media. */
  mediaFlows?(): void;
  /**
   * Finds out whether the peer may: before `publish` or `play`, at once where nobody has to be asked. Throws, or rejects with,
   * a `MediaError` whose message the peer is told.
   */
  admit(kind: "publish" | "play", target: RtmpTarget): Promise<void> | undefined;
  /** Claims the name. Throws a `MediaError` whose message the peer is told. */
  publish(target: RtmpTarget): RtmpPublication | Promise<RtmpPublication>;
  /**
   * Subscribes; media then comes through `RtmpNetStream.media`. A recording is read by the stream itself. Throws a
   * `MediaError` whose message the peer is told.
   */
  play(target: RtmpTarget): RtmpPlayback | RtmpRecording;
};

class Refusal {
  readonly caught: unknown;
  constructor(caught: unknown) {
    this.caught = caught;
  }
}

/** The session as its stream sees it. */
export type RtmpNetStreamOwner = {
  readonly host: RtmpNetStreamHost;
  readonly out: RtmpOutbox;
  state(): RtmpState;
  moveTo(next: RtmpState): void;
  /** Goes on with what was read while the state was `claiming`. */
  proceed(): void;
  close(reason: RtmpCloseReason, error?: Error | null): void;
};

/** How errors of the core are told; others by the word of last resort. Codes: `stream/errors.ts`. */
const PUBLISH_REFUSALS: ReadonlyMap<string, StatusKey> = new Map([
  ["STREAM_BUSY", "publishBadName"],
  ["STREAM_NOT_FOUND", "publishBadName"],
  ["STREAM_BAD_NAME", "publishBadName"],
]);
const PLAY_REFUSALS: ReadonlyMap<string, StatusKey> = new Map([
  ["STREAM_NOT_FOUND", "playNotFound"],
  ["STREAM_NOT_ON_AIR", "playNotFound"],
  ["STREAM_BAD_NAME", "playNotFound"],
  ["STREAM_NOT_RECORDED", "playNotFound"],
  ["DVR_NOTHING_RECORDED", "playNotFound"],
  ["VOD_NOT_FOUND", "playNotFound"],
  ["VOD_BAD_PATH", "playNotFound"],
]);

/**
 * The one stream of a connection, what ActionScript calls a NetStream: it publishes or plays, and says so.
 *
 * States are the session's; this class makes the steps between `idle`, `publishing`, `playing` and `paused`.
 * Spec: Adobe RTMP 1.0 section 7.2.2.
 */
export class RtmpNetStream {
  readonly #owner: RtmpNetStreamOwner;
  #role: "publish" | "play" | null = null;
  #target: RtmpTarget | null = null;
  #publication: RtmpPublication | null = null;
  #playback: RtmpPlayback | null = null;
  /** The same as `#playback`, when it is one. */
  #recorded: RecordedPlay | null = null;
  /** The player was sent media since it began. */
  #hasSent = false;
  /** How much media the player holds, as it says itself. */
  #bufferMs = DEFAULT_BUFFER_MS;
  /** Of a player that asked for a part only. */
  #duration: PlayDuration | null = null;
  /** Media that came while `host.play` ran: it follows the messages that announce it. */
  #early: Uint8Array[] | null = null;
  #earlyEnd: SubscriptionEnd | null = null;
  /** The name was taken away while its claim was on its way. */
  #revokedEarly: string | null = null;

  constructor(owner: RtmpNetStreamOwner) {
    this.#owner = owner;
  }

  /** What the stream last did. */
  get role(): "publish" | "play" | null {
    return this.#role;
  }

  /** Whether it plays a recording, or has a place in one. */
  get isRecorded(): boolean {
    return this.#recorded !== null;
  }

  /** The name that was last asked for, `null` when it was none. */
  get name(): string | null {
    return this.#target?.name ?? null;
  }

  /** `publish`. Throws: RTMP_COMMAND_UNEXPECTED. */
  publish(command: RtmpCommand, application: string): void {
    // publish(false) is ActionScript's way to stop.
    if (command.args[0] === false) return this.stop();
    this.#requireIdle(command);
    this.#role = "publish";
    const { host } = this.#owner;
    let claim: RtmpPublication | Promise<RtmpPublication>;
    try {
      const target = this.#resolve(application, command.args[0]);
      const admitted = host.admit("publish", target);
      claim = admitted === undefined ? host.publish(target) : admitted.then(() => host.publish(target));
    } catch (caught) {
      return this.#refuse(caught, PUBLISH_REFUSALS, "publishDenied");
    }
    if (claim instanceof Promise) void this.#claimed(claim);
    else this.#begin(claim);
    return undefined;
  }

  /** A message of the publisher. */
  message(message: RtmpMessage, nowUs: number): void {
    this.#publication?.message(message, nowUs);
  }

  /** How long the connection need not be read; 0 unless it publishes. Units: milliseconds. */
  patienceMs(): number {
    return this.#publication?.patienceMs() ?? 0;
  }

  /** `play`; another stream than before is fine. Throws: RTMP_COMMAND_UNEXPECTED. */
  play(command: RtmpCommand, application: string): void {
    if (this.#owner.state() === "playing" || this.#owner.state() === "paused") this.stop();
    this.#requireIdle(command);
    this.#role = "play";
    const durationMs = playDurationMs(command.args);
    this.#duration = durationMs === null ? null : new PlayDuration(durationMs);
    try {
      const target = this.#resolve(application, command.args[0]);
      const admitted = this.#owner.host.admit("play", target);
      if (admitted === undefined) this.#startPlay(target, command);
      else void this.#playAdmitted(admitted, target, command);
    } catch (caught) {
      this.#refuse(caught, PLAY_REFUSALS, "playFailed");
    }
    return undefined;
  }

  /** Waits for leave; a peer that left meanwhile needs none. Never rejects. */
  async #playAdmitted(admitted: Promise<void>, target: RtmpTarget, command: RtmpCommand): Promise<void> {
    this.#owner.moveTo("claiming");
    try {
      await admitted;
      if (this.#owner.state() !== "claiming") return;
      this.#startPlay(target, command);
      if (this.#owner.state() === "playing") this.#owner.proceed();
    } catch (caught) {
      if (this.#owner.state() === "closed") return;
      this.#refuseLate(caught, PLAY_REFUSALS, "playFailed");
    }
  }

  #startPlay(target: RtmpTarget, command: RtmpCommand): void {
    let recording: RtmpRecording | null;
    try {
      recording = this.#subscribe(target);
    } catch (caught) {
      this.#early = null;
      throw caught;
    }
    this.#owner.moveTo("playing");
    if (recording !== null) return this.#playRecorded(recording, command);
    this.#owner.out.streamBegin();
    const details = { details: this.name };
    this.#owner.out.status("playReset", undefined, details);
    this.#owner.out.status("playStart", undefined, details);
    return this.#releaseEarly();
  }

  /** `pause`, on and off. Live media is not kept for one viewer: the subscription ends, and begins anew. */
  pause({ args }: RtmpCommand): void {
    const wantsPause = args[0] === true;
    if (this.#recorded !== null) this.#pauseRecorded(this.#recorded, wantsPause);
    else if (this.#owner.state() === "playing" && wantsPause) {
      this.#playback?.close();
      this.#playback = null;
      this.#duration?.interrupt();
      this.#owner.moveTo("paused");
      this.#owner.out.streamEof();
      this.#owner.out.status("paused");
    } else if (this.#owner.state() === "paused" && !wantsPause && this.#target !== null) {
      this.#resume(this.#target);
    }
  }

  /** `seek`, in a recording; a live stream has one position. */
  seek({ args }: RtmpCommand): void {
    const recorded = this.#recorded;
    if (recorded === null) return;
    const [toMs] = args;
    if (typeof toMs !== "number" || !Number.isFinite(toMs) || toMs < 0) {
      this.#owner.out.status("seekFailed", "A time in milliseconds is needed.");
      return;
    }
    if (recorded.isEnded) this.#owner.moveTo("playing");
    recorded.seek(toMs);
  }

  /** Set Buffer Length: how much media the player holds. Units: milliseconds. */
  setBuffer(lengthMs: number): void {
    this.#bufferMs = lengthMs;
    this.#recorded?.setBuffer(lengthMs);
  }

  /** The connection's queue is shorter than it was. */
  drained(): void {
    this.#recorded?.drained();
  }

  /** Ends publishing or playing at the peer's wish. */
  stop(): void {
    const state = this.#owner.state();
    if (state === "publishing") {
      const publication = this.#publication;
      this.#publication = null;
      this.#owner.moveTo("idle");
      publication?.close("the publisher stopped");
      this.#owner.out.status("unpublished");
    } else if (state === "playing" || state === "paused") {
      this.#playback?.close();
      this.#playback = null;
      this.#recorded = null;
      this.#owner.moveTo("idle");
      this.#owner.out.status("playStop");
    }
  }

  /** Bytes of the subscription for the player. */
  media(bytes: Uint8Array): void {
    if (this.#early !== null) this.#early.push(bytes);
    else if (this.#owner.state() !== "playing") return;
    else if (this.#duration === null) this.#send(bytes);
    else this.#mediaWithin(this.#duration, bytes);
  }

  #send(bytes: Uint8Array): void {
    if (!this.#hasSent) {
      this.#hasSent = true;
      this.#owner.host.mediaFlows?.();
    }
    this.#owner.host.write(bytes);
  }

  /** The subscription ended from the core's side. */
  mediaEnd(reason: SubscriptionEnd): void {
    if (this.#early !== null) {
      this.#earlyEnd = reason;
      return;
    }
    if (this.#owner.state() !== "playing") return;
    this.#playback = null;
    if (reason === "too-slow") {
      this.#owner.out.status("tooSlow");
      this.#owner.close("player-too-slow");
    } else if (reason === "not-on-air") {
      this.#owner.out.status("playNotFound", `Stream ${this.name} is not on air.`);
      this.#owner.close("refused");
    } else if (reason === "server-stopping") {
      this.#owner.close("server-stopping");
    } else {
      this.#sayEnded();
      this.#owner.moveTo("idle");
    }
  }

  /** The core takes the name away from this publisher. */
  revoke(reason: string): void {
    if (this.#owner.state() === "claiming") this.#revokedEarly = reason;
    if (this.#owner.state() !== "publishing") return;
    this.#publication = null;
    this.#owner.out.status("publishBadName", reason);
    this.#owner.close("revoked");
  }

  /** Who publishes or plays may not any more. */
  dismiss(reason: string): void {
    const state = this.#owner.state();
    if (state === "handshaking" || state === "connecting" || state === "closed") return;
    this.#owner.out.status(this.#role === "publish" ? "publishDenied" : "playFailed", reason);
    this.#owner.close("dismissed");
  }

  /** Tells the peer, in the state's words, that the server stops. */
  sayStopping(): void {
    if (this.#owner.state() === "playing") this.#sayEnded();
    if (this.#owner.state() === "publishing")
      this.#owner.out.status("unpublished", "The server is stopping.");
  }

  /** Gives up publication and subscription without a word; for the session's end. */
  release(reason: string): void {
    const publication = this.#publication;
    const playback = this.#playback;
    this.#publication = null;
    this.#playback = null;
    this.#recorded = null;
    playback?.close();
    publication?.close(reason);
  }

  #begin(publication: RtmpPublication): void {
    this.#publication = publication;
    this.#owner.moveTo("publishing");
    this.#owner.out.streamBegin();
    this.#owner.out.status("publishStart", `Publishing ${this.name}.`);
  }

  /** Waits for the core; a peer that left meanwhile gives the name back. Never rejects. */
  async #claimed(claim: Promise<RtmpPublication>): Promise<void> {
    this.#owner.moveTo("claiming");
    const answer = await claim.catch((caught: unknown) => new Refusal(caught));
    const isWaiting = this.#owner.state() === "claiming";
    if (answer instanceof Refusal) {
      if (isWaiting) this.#refuseLate(answer.caught, PUBLISH_REFUSALS, "publishDenied");
      return;
    }
    if (!isWaiting) {
      answer.close("the publisher left");
      return;
    }
    this.#begin(answer);
    if (this.#revokedEarly === null) this.#owner.proceed();
    else this.revoke(this.#revokedEarly);
  }

  #refuseLate(caught: unknown, words: ReadonlyMap<string, StatusKey>, otherwise: StatusKey): void {
    if (asMediaError(caught) !== null) this.#refuse(caught, words, otherwise);
    else this.#owner.close("internal-error", caught instanceof Error ? caught : new Error(String(caught)));
  }

  #mediaWithin(duration: PlayDuration, bytes: Uint8Array): void {
    const fitting = duration.take(bytes);
    if (fitting > 0) this.#send(bytes.subarray(0, fitting));
    if (!duration.isOver) return;
    this.#playback?.close();
    this.#playback = null;
    this.#owner.moveTo("idle");
    this.#owner.out.streamEof();
    this.#owner.out.status("playStop");
  }

  #sayEnded(): void {
    this.#owner.out.status("playUnpublished");
    this.#owner.out.streamEof();
    this.#owner.out.status("playStop");
  }

  #requireIdle(command: RtmpCommand): void {
    const state = this.#owner.state();
    if (state !== "idle")
      throw rtmpErrors.error("RTMP_COMMAND_UNEXPECTED", { command: command.name, state });
  }

  #resolve(application: string, name: AmfValue): RtmpTarget {
    const text = typeof name === "string" ? name : "";
    this.#target = resolveTarget(application, text);
    if (this.#target !== null) return this.#target;
    // Queries hold tokens: they stay out of logs and replies.
    const path = `${application.replace(/\?.*/s, "")}/${text.replace(/\?.*/s, "")}`;
    throw streamErrors.error("STREAM_BAD_NAME", { reason: JSON.stringify(path.slice(0, 100)) });
  }

  /** Tells the peer why, in words, and ends the connection: encoders come back by themselves. */
  #refuse(caught: unknown, words: ReadonlyMap<string, StatusKey>, otherwise: StatusKey): void {
    const error = asMediaError(caught);
    if (error === null) throw caught;
    this.#owner.out.status(words.get(error.code) ?? otherwise, error.message);
    this.#owner.close("refused", error);
  }

  #subscribe(target: RtmpTarget): RtmpRecording | null {
    this.#early = [];
    this.#earlyEnd = null;
    this.#hasSent = false;
    const playback = this.#owner.host.play(target);
    if (!("open" in playback)) {
      this.#playback = playback;
      return null;
    }
    this.#early = null;
    return playback;
  }

  #playRecorded(recording: RtmpRecording, { args }: RtmpCommand): void {
    const recorded = new RecordedPlay({
      recording,
      out: this.#owner.out,
      name: this.name ?? "",
      startMs: playStartMs(args),
      durationMs: playDurationMs(args),
      bufferMs: this.#bufferMs,
      write: (bytes) => this.#send(bytes),
      // Nothing is sent now, and one may seek back: a pause in all but the word, and it has the time of one.
      ended: () => this.#owner.moveTo("paused"),
      failed: (caught) => this.#recordedFailed(caught),
    });
    this.#playback = recorded;
    this.#recorded = recorded;
  }

  #recordedFailed(caught: unknown): void {
    this.#playback?.close();
    if (asMediaError(caught) !== null) this.#refuse(caught, PLAY_REFUSALS, "playFailed");
    else this.#owner.close("internal-error", caught instanceof Error ? caught : new Error(String(caught)));
  }

  #pauseRecorded(recorded: RecordedPlay, wantsPause: boolean): void {
    if (recorded.isEnded) return;
    const state = this.#owner.state();
    if (state === "playing" && wantsPause) {
      this.#owner.moveTo("paused");
      recorded.pause();
    } else if (state === "paused" && !wantsPause) {
      this.#owner.moveTo("playing");
      recorded.resume();
    }
  }

  #releaseEarly(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const bytes of early) this.media(bytes);
    if (this.#earlyEnd !== null) this.mediaEnd(this.#earlyEnd);
  }

  #resume(target: RtmpTarget): void {
    try {
      this.#subscribe(target);
    } catch (caught) {
      this.#early = null;
      return this.#refuse(caught, PLAY_REFUSALS, "playFailed");
    }
    this.#owner.moveTo("playing");
    this.#owner.out.streamBegin();
    this.#owner.out.status("unpaused");
    return this.#releaseEarly();
  }
}
