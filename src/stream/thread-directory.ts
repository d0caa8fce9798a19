import type { MessageWire } from "../base/channel.ts";
import type { Clock } from "../base/clock.ts";
import { asMediaError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { StreamName } from "../media/ids.ts";
import type { PacketSink } from "../media/packet.ts";
import { Sibling } from "./crossing/sibling.ts";
import type { Attachment, WatchedStream } from "./crossing/sibling.ts";
import { StreamMirror } from "./crossing/stream-mirror.ts";
import type { PublishRequest, Publisher, StreamDirectory, SubscribeRequest } from "./directory.ts";
import { streamErrors } from "./errors.ts";
import type { HomeRegistry, ThreadIndex } from "./homes.ts";
import type { LocalDirectory } from "./local-directory.ts";
import type { StreamRules } from "./rules.ts";
import type { SendPace } from "./send-pace.ts";
import type { Subscription } from "./wire-format.ts";

/** What the directory of one of several threads needs. */
export type ThreadDirectoryOptions = {
  readonly index: ThreadIndex;
  /** The streams whose home is this thread; its `onClosed` is to call `streamClosed`. */
  readonly local: LocalDirectory;
  readonly homes: HomeRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pace: SendPace;
  /** Runs at the end of the present turn of the event loop. */
  defer(run: () => void): void;
};

/** A home that is just ending is asked again: so often, after so long. */
const MAX_MOVES = 10;
const MOVE_MS = 100;

/** A mirror and its way to the home. */
type Watched = {
  readonly mirror: StreamMirror;
  home: ThreadIndex | null;
  link: Pick<WatchedStream, "close" | "leftOut"> | null;
  /** Settled once the registry has said where the home is. */
  sought: Promise<void>;
};

/**
 * The streams of all media threads as one of them sees them. A stream lives in its home, the thread of its publisher;
 * viewers here of a stream that lives elsewhere share one mirror, which gets each packet once. A publisher who comes
 * back within `source_timeout`, but to another thread, publishes from there to the same home.
 */
export class ThreadDirectory implements StreamDirectory {
  readonly #options: ThreadDirectoryOptions;
  readonly #siblings = new Map<ThreadIndex, Sibling>();
  readonly #watched = new Map<StreamName, Watched>();
  /** Claims under way: whoever asks for the stream meanwhile waits for them. */
  readonly #claims = new Map<StreamName, Promise<unknown>>();
  #closed = false;
  #endsWaiting = false;

  constructor(options: ThreadDirectoryOptions) {
    this.#options = options;
  }

  /** Viewers of streams that live elsewhere. */
  get mirroredViewers(): number {
    let sum = 0;
    for (const { mirror } of this.#watched.values()) sum += mirror.size;
    return sum;
  }

  /** Bytes that streams of other threads take here: mirrors, and rings of shared memory. */
  get heldBytes(): number {
    let bytes = 0;
    for (const { mirror } of this.#watched.values()) bytes += mirror.heldBytes;
    for (const sibling of this.#siblings.values()) bytes += sibling.heldBytes;
    return bytes;
  }

  /** Packets that siblings did not get since they took them too slowly. */
  get droppedPackets(): number {
    let sum = 0;
    for (const sibling of this.#siblings.values()) sum += sibling.droppedPackets;
    return sum;
  }

  /** Links to siblings that are open. */
  get links(): number {
    let sum = 0;
    for (const sibling of this.#siblings.values()) sum += sibling.links;
    return sum;
  }

  async publish(request: PublishRequest): Promise<Publisher> {
    const { local } = this.#options;
    local.checkPublish(request.name);
    return this.#publish(request, () => local.publish(request));
  }

  /** Claims a name for a source of the server's own, such as a file input: no rule about publishers applies. */
  publishInternally(request: PublishRequest): Promise<Publisher> {
    return this.#publish(request, () => this.#options.local.publishInternally(request));
  }

  checkSubscribe(request: Pick<SubscribeRequest, "name" | "protocol">): void {
    this.#options.local.checkSubscribe(request);
  }

  subscribe(request: SubscribeRequest): Subscription {
    const { local } = this.#options;
    if (local.find(request.name) !== null) return local.subscribe(request);
    local.checkSubscribe(request);
    const watched = this.#watched.get(request.name) ?? this.#watch(request.name);
    return watched.mirror.subscribe(request);
  }

  /** The home of a stream, wherever it is; `null` when nobody has it. */
  async homeOf(name: StreamName): Promise<ThreadIndex | null> {
    const { local, index, homes } = this.#options;
    if (local.find(name) !== null) return index;
    const watched = this.#watched.get(name);
    if (watched !== undefined) {
      await watched.sought;
      return watched.home;
    }
    const home = await homes.watch(name);
    if (!this.#watched.has(name)) homes.unwatch(name);
    return home;
  }

  /** The registry says that a watched stream has another home. */
  homeChanged(name: StreamName, home: ThreadIndex | null): void {
    const watched = this.#watched.get(name);
    if (watched !== undefined) this.#link(name, watched, home);
  }

  /** A sibling thread has come, with the wire to it; `null`: it is gone. */
  siblingChanged(index: ThreadIndex, wire: MessageWire | null): void {
    const { clock } = this.#options;
    this.#siblings.get(index)?.close();
    this.#siblings.delete(index);
    for (const watched of this.#watched.values()) {
      if (watched.home === index) watched.link = null;
    }
    if (wire === null) return;
    const sibling = new Sibling(wire, {
      clock,
      defer: (run) => this.#options.defer(run),
      attach: (name, sink, withPast) => this.#attach(name, sink, withPast),
      publish: (request) => this.#publishHere(request),
    });
    this.#siblings.set(index, sibling);
  }

  /** A stream that lived here is gone. */
  streamClosed(name: StreamName): void {
    if (!this.#closed) this.#options.homes.release(name);
  }

  /** Other rules are in force: viewers here of streams that may not be played any more are ended. */
  configure(): void {
    for (const [name, { mirror }] of [...this.#watched]) {
      const rules = this.#rulesToPlay(name);
      if (rules === null) mirror.onEnd();
      else mirror.configure(rules);
    }
  }

  /**
   * From now on viewers here, of streams of whatever thread, are ended instead of waiting for a publisher; those too who
   * come later.
   */
  endWaiting(): void {
    this.#endsWaiting = true;
    this.#options.local.endWaiting();
    for (const { mirror } of [...this.#watched.values()]) mirror.endWaiting();
  }

  /** Ends all that this thread has. */
  close(reason: string): void {
    this.#closed = true;
    this.#options.local.close(reason);
    for (const { mirror } of [...this.#watched.values()]) mirror.onEnd();
    for (const sibling of this.#siblings.values()) sibling.close();
    this.#siblings.clear();
  }

  async #publish(request: PublishRequest, here: () => Publisher): Promise<Publisher> {
    const { name } = request;
    for (let move = 0; move < MAX_MOVES; move++) {
      const publisher = await this.#claimHere(name, here);
      if (publisher instanceof Object) return publisher;
      const remote = await this.#publishAway(publisher, request);
      if (remote !== null) return remote;
      await this.#pause(MOVE_MS);
    }
    throw streamErrors.error("STREAM_BUSY", { name, owner: "a thread that is just ending" });
  }

  /** Publishes here when the home is here, or nowhere yet. Returns: the publisher, or the home. */
  async #claimHere(name: StreamName, here: () => Publisher): Promise<Publisher | ThreadIndex> {
    const { local, homes, index } = this.#options;
    if (local.find(name) !== null) return here();
    const claim = homes.claim(name);
    this.#claims.set(name, claim);
    try {
      const home = await claim;
      return home === index ? this.#publishOrRelease(name, here) : home;
    } finally {
      if (this.#claims.get(name) === claim) this.#claims.delete(name);
    }
  }

  #publishOrRelease(name: StreamName, here: () => Publisher): Publisher {
    try {
      const publisher = here();
      const watched = this.#watched.get(name);
      if (watched !== undefined) this.#link(name, watched, this.#options.index);
      return publisher;
    } catch (caught) {
      if (this.#options.local.find(name) === null) this.#options.homes.release(name);
      throw caught;
    }
  }

  /** `null`: the home is gone, or moved. */
  async #publishAway(home: ThreadIndex, request: PublishRequest): Promise<Publisher | null> {
    const sibling = this.#siblings.get(home);
    if (sibling === undefined) return null;
    try {
      return await sibling.publish(request);
    } catch (caught) {
      if (asMediaError(caught)?.code === "CHANNEL_CLOSED") return null;
      throw caught;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.schedule(ms, resolve));
  }

  /** For a publisher of a sibling: only as long as the home is here, which has to be asked anew. */
  async #publishHere(request: PublishRequest): Promise<Publisher | null> {
    const publisher = await this.#claimHere(request.name, () =>
      this.#options.local.publishInternally(request),
    );
    return publisher instanceof Object ? publisher : null;
  }

  async #attach(name: StreamName, sink: PacketSink, withPast: boolean): Promise<Attachment | null> {
    await this.#claims.get(name)?.catch(() => {});
    const stream = this.#options.local.find(name);
    if (stream === null) return null;
    let isWanted = true;
    // Behind the answer to the question, so that whoever asked has the facts first.
    this.#options.defer(() => {
      if (isWanted) stream.attach(sink, withPast);
    });
    return {
      facts: { isOnAir: stream.isOnAir, originUs: stream.originUs },
      detach: () => {
        isWanted = false;
        stream.detach(sink);
      },
      leftOut: (output, tracks) => stream.noteLeftOut(output, tracks),
    };
  }

  #rulesToPlay(name: StreamName): StreamRules | null {
    try {
      return this.#options.local.rulesToPlay(name);
    } catch (caught) {
      if (asMediaError(caught) !== null) return null;
      throw caught;
    }
  }

  #watch(name: StreamName): Watched {
    const { local, clock, pace } = this.#options;
    const mirror = new StreamMirror({
      rules: local.rulesToPlay(name),
      clock,
      pace,
      onLeftOut: (output, tracks) => this.#watched.get(name)?.link?.leftOut(output, tracks),
      onIdle: () => this.#forget(name),
    });
    const watched: Watched = { mirror, home: null, link: null, sought: Promise.resolve() };
    if (this.#endsWaiting) mirror.endWaiting();
    this.#watched.set(name, watched);
    watched.sought = this.#seek(name, watched);
    return watched;
  }

  async #seek(name: StreamName, watched: Watched): Promise<void> {
    try {
      const home = await this.#options.homes.watch(name);
      if (this.#watched.get(name) === watched) this.#link(name, watched, home);
    } catch (caught) {
      this.#options.log.warn("cannot find out where a stream lives", {
        stream: name,
        reason: messageOf(caught),
      });
    }
  }

  #link(name: StreamName, watched: Watched, home: ThreadIndex | null): void {
    if (watched.home === home && watched.link !== null) return;
    watched.link?.close();
    watched.link = null;
    const { mirror, home: before } = watched;
    watched.home = home;
    if (home === null) {
      if (before !== null) mirror.onPause();
      mirror.notOnAir();
      return;
    }
    if (home === this.#options.index) this.#linkHere(name, watched);
    else void this.#linkAway(name, watched, home);
  }

  /** A publisher came to this very thread while viewers waited here. */
  #linkHere(name: StreamName, watched: Watched): void {
    const stream = this.#options.local.find(name);
    if (stream === null) return;
    const { mirror } = watched;
    watched.link = {
      close: () => stream.detach(mirror),
      leftOut: (output, tracks) => stream.noteLeftOut(output, tracks),
    };
    mirror.found(stream.originUs, stream.isOnAir);
    stream.attach(mirror, mirror.rules.prepushMs !== false);
  }

  async #linkAway(name: StreamName, watched: Watched, home: ThreadIndex): Promise<void> {
    const { mirror } = watched;
    const link = this.#siblings.get(home)?.watch(name, mirror, mirror.rules.prepushMs !== false);
    if (link === undefined) return;
    watched.link = link;
    try {
      const answer = await link.answer;
      if (watched.link !== link) return;
      if (answer !== null) mirror.found(answer.originUs, answer.isOnAir);
      else {
        link.close();
        watched.link = null;
        mirror.notOnAir();
      }
    } catch {
      // The thread is gone; the registry tells of the next home.
      link.close();
      if (watched.link === link) watched.link = null;
    }
  }

  #forget(name: StreamName): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    this.#watched.delete(name);
    watched.link?.close();
    if (!this.#closed) this.#options.homes.unwatch(name);
  }
}
