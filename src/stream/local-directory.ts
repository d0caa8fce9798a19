import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { StreamName } from "../media/ids.ts";
import type { PublishRequest, Publisher, StreamDirectory, SubscribeRequest } from "./directory.ts";
import { streamErrors } from "./errors.ts";
import { LiveStream } from "./live-stream.ts";
import type { StreamNotice } from "./live-stream.ts";
import type { StreamRules, StreamRulesLookup } from "./rules.ts";
import { SendPace } from "./send-pace.ts";
import type { Subscription } from "./wire-format.ts";

/** What the directory of one thread needs. */
export type LocalDirectoryOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly rulesOf: StreamRulesLookup;
  /** The thread's, where it has more than this directory; one is made when it is left out. */
  readonly pace?: SendPace;
  /** Bound on streams that exist at once. */
  readonly maxStreams: number;
  /** Gives a new stream its packagers; called once per stream. */
  equip(stream: LiveStream): void;
  /** The stream is gone; whatever `equip` made for it can go. */
  onClosed(name: StreamName): void;
  /** What happens to the streams. */
  readonly onNotice?: ((notice: StreamNotice) => void) | undefined;
};

/** The streams that live in this thread. An entry exists while it has a publisher, a subscriber or time to wait. */
export class LocalDirectory implements StreamDirectory {
  readonly #options: LocalDirectoryOptions;
  readonly #pace: SendPace;
  readonly #streams = new Map<StreamName, LiveStream>();
  #isDraining = false;
  #endsWaiting = false;

  constructor(options: LocalDirectoryOptions) {
    this.#options = options;
    this.#pace = options.pace ?? new SendPace();
  }

  publish(request: PublishRequest): Publisher {
    return this.#acquire(this.checkPublish(request.name)).publish(request);
  }

  /** Throws what `publish` would throw by the rules alone. Returns: the rules. */
  checkPublish(name: StreamName): StreamRules {
    if (this.#isDraining) throw streamErrors.error("STREAM_DRAINING");
    const rules = this.#rulesFor(name, "publish");
    if (!rules.acceptsPublisher) throw streamErrors.error("STREAM_NOT_PUBLISHABLE", { name });
    return rules;
  }

  /** Claims a name for a source of the server's own, such as a file input: no rule about publishers applies. */
  publishInternally(request: PublishRequest): Publisher {
    const rules = this.#options.rulesOf(request.name, "play");
    if (rules === null) throw streamErrors.error("STREAM_NOT_FOUND", { name: request.name });
    return this.#acquire(rules).publish(request);
  }

  subscribe(request: SubscribeRequest): Subscription {
    const rules = this.checkSubscribe(request);
    const isOnAir = this.#streams.get(request.name)?.isOnAir === true;
    if (!isOnAir && (this.#endsWaiting || request.waitsForPublisher === false)) {
      request.sink.end(this.#endsWaiting ? "server-stopping" : "not-on-air");
      return { close: () => {} };
    }
    return this.#acquire(rules).subscribe(request);
  }

  /** Throws what `subscribe` would throw by the rules alone. Returns: the rules. */
  checkSubscribe({ name, protocol }: Pick<SubscribeRequest, "name" | "protocol">): StreamRules {
    const rules = this.rulesToPlay(name);
    if (!rules.allowsProtocol(protocol))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol });
    return rules;
  }

  /** The rules under which a stream plays. Throws STREAM_NOT_FOUND, STREAM_DISABLED. */
  rulesToPlay(name: StreamName): StreamRules {
    return this.#rulesFor(name, "play");
  }

  /** The stream of that name, if it exists now. */
  find(name: StreamName): LiveStream | null {
    return this.#streams.get(name) ?? null;
  }

  /** All streams that exist now, in the order of their beginning. */
  list(): LiveStream[] {
    return [...this.#streams.values()];
  }

  /** Ends one stream; nothing happens when it has ended already. */
  end(stream: LiveStream, reason: string): void {
    this.#close(stream, reason);
  }

  /**
   * Takes no publishers from outside any more; those that are here go on. What they leave behind stays to be played for
   * as long as this thread lives, whatever `source_timeout` says.
   */
  refusePublishers(): void {
    this.#isDraining = true;
    for (const stream of this.#streams.values()) stream.keep();
  }

  /**
   * From now on viewers, those too who come later, are ended instead of waiting for a publisher; what it left behind
   * stays to be asked for.
   */
  endWaiting(): void {
    this.#endsWaiting = true;
    for (const stream of this.list()) stream.endWaiting();
  }

  /** Ends every stream. */
  close(reason: string): void {
    for (const stream of this.list()) this.#close(stream, reason);
  }

  #rulesFor(name: StreamName, purpose: "play" | "publish"): StreamRules {
    const rules = this.#options.rulesOf(name, purpose);
    if (rules === null) throw streamErrors.error("STREAM_NOT_FOUND", { name });
    if (rules.disabled) throw streamErrors.error("STREAM_DISABLED", { name });
    return rules;
  }

  #acquire(rules: StreamRules): LiveStream {
    const found = this.#streams.get(rules.name);
    if (found !== undefined) return found;
    if (this.#streams.size >= this.#options.maxStreams) {
      throw streamErrors.error("STREAM_LIMIT", { limit: this.#options.maxStreams });
    }
    const stream = new LiveStream(rules, {
      clock: this.#options.clock,
      log: this.#options.log,
      pace: this.#pace,
      onNotice: this.#options.onNotice,
      onIdle: (idle) => this.#close(idle, "its source did not come back in time"),
    });
    this.#streams.set(rules.name, stream);
    this.#options.equip(stream);
    return stream;
  }

  #close(stream: LiveStream, reason: string): void {
    const { name } = stream.rules;
    if (this.#streams.get(name) !== stream) return;
    this.#streams.delete(name);
    stream.close(reason);
    this.#options.onClosed(name);
    this.#options.log.info("stream ended", { stream: name, reason });
  }
}
