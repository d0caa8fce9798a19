import { Channel } from "../../base/channel.ts";
import type { MessageWire } from "../../base/channel.ts";
import type { Clock } from "../../base/clock.ts";
import type { StreamName } from "../../media/ids.ts";
import type { MediaPacket, PacketSink, SourcePacket } from "../../media/packet.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import type { PublishRequest, Publisher } from "../directory.ts";
import type { LinkId } from "./packet-batch.ts";
import { PacketReceiver } from "./packet-receiver.ts";
import { PacketSender } from "./packet-sender.ts";
import type { SiblingCalls, SubscribeAnswer } from "./sibling-calls.ts";

/** What a sibling thread finds here. */
export type SiblingHost = {
  readonly clock: Clock;
  /** Runs at the end of the present turn of the event loop. */
  defer(run: () => void): void;
  /**
   * Attaches a sink to the stream of that name that lives here; `null` when none does.
   * Returns: the stream's facts, and what takes the sink away again.
   */
  attach(name: StreamName, sink: PacketSink, withPast: boolean): Promise<Attachment | null>;
  /** Gives a stream to a publisher; `null` when its home is not here. Rejects with STREAM_*. */
  publish(request: PublishRequest): Promise<Publisher | null>;
};

/** A sink on a stream. */
export type Attachment = {
  readonly facts: NonNullable<SubscribeAnswer>;
  detach(): void;
  /** An output leaves tracks out there, in words. */
  leftOut(output: string, tracks: string): void;
};

/** A stream of another thread that is watched here. */
export type WatchedStream = {
  readonly answer: Promise<SubscribeAnswer>;
  close(): void;
  /** Tells the home that an output here leaves tracks out, in words. */
  leftOut(output: string, tracks: string): void;
};

/**
 * Another media thread as this one sees it: streams that come from there, publishers that went there, and the same the
 * other way round.
 *
 * Bounded: a link for each stream that either thread watches of the other, and for each publisher that found its stream
 * there.
 */
export class Sibling {
  readonly #host: SiblingHost;
  readonly #channel: Channel<SiblingCalls, SiblingCalls>;
  readonly #sender: PacketSender;
  readonly #receiver: PacketReceiver;
  /** What this thread gets from there, by its own links. */
  readonly #watched = new Map<LinkId, PacketSink>();
  /** Publishers of this thread whose streams live there, by their own links. */
  readonly #away = new Map<LinkId, RemotePublisher>();
  /** What the other thread gets from here, by the other's links. */
  readonly #attachments = new Map<LinkId, Attachment>();
  /** Publishers of the other thread whose streams live here, by the other's links. */
  readonly #guests = new Map<LinkId, Publisher>();
  /** Links of the other's whose stream is still looked for. */
  readonly #wanted = new Set<LinkId>();
  #nextLink = 2;
  #isClosed = false;

  constructor(wire: MessageWire, host: SiblingHost) {
    this.#host = host;
    this.#receiver = new PacketReceiver(host.clock);
    this.#sender = new PacketSender({
      packets: (batch) => this.#channel.tell("packets", batch),
      tracks: (link, tracks) => this.#channel.tell("tracks", { link, tracks }),
      pause: (link) => this.#channel.tell("pause", link),
      end: (link, reason) => this.#channel.tell("end", { link, reason }),
      forgetRing: () => this.#channel.tell("forgetRing", null),
      defer: (run) => host.defer(run),
    });
    this.#channel = this.#connect(wire);
  }

  /** Links that are open, in either direction. */
  get links(): number {
    return this.#watched.size + this.#away.size + this.#attachments.size + this.#guests.size;
  }

  /** Bytes of shared memory on the way there. */
  get heldBytes(): number {
    return this.#sender.heldBytes;
  }

  /** Packets that were not sent since the other thread did not take them. */
  get droppedPackets(): number {
    return this.#sender.droppedPackets;
  }

  /**
   * Gives the packets of a stream that lives there to a sink. `answer` rejects with CHANNEL_CLOSED.
   */
  watch(name: StreamName, sink: PacketSink, withPast: boolean): WatchedStream {
    const link = this.#newLink(0);
    this.#watched.set(link, sink);
    this.#receiver.open(link, sink);
    return {
      answer: this.#channel.ask("subscribe", { link, name, withPast }),
      leftOut: (output, tracks) => this.#channel.tell("leftOut", { link, output, tracks }),
      close: () => {
        if (!this.#watched.delete(link)) return;
        this.#receiver.close(link);
        this.#channel.tell("unsubscribe", link);
      },
    };
  }

  /** Publishes to a stream that lives there; `null` when it does not. Rejects with STREAM_*, CHANNEL_CLOSED. */
  async publish(request: PublishRequest): Promise<Publisher | null> {
    const { name, protocol, remoteAddress } = request;
    const link = this.#newLink(1);
    const publisher = new RemotePublisher(request, this.#sender.open(link), (reason) => {
      this.#forgetAway(link);
      this.#channel.tell("leave", { link, reason });
    });
    this.#away.set(link, publisher);
    try {
      if (await this.#channel.ask("publish", { link, name, protocol, remoteAddress })) return publisher;
    } catch (caught) {
      this.#forgetAway(link);
      throw caught;
    }
    this.#forgetAway(link);
    return null;
  }

  /** The thread is gone: what came from there pauses, and what went there has to find another way. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#channel.close();
    this.#wanted.clear();
    for (const attachment of this.#attachments.values()) attachment.detach();
    for (const guest of this.#guests.values()) guest.close("its thread is gone");
    for (const sink of this.#watched.values()) sink.onPause();
    for (const publisher of this.#away.values()) publisher.revoke("the thread of the stream is gone");
    for (const links of [this.#attachments, this.#guests, this.#watched, this.#away]) links.clear();
  }

  #forgetAway(link: LinkId): void {
    this.#away.delete(link);
    this.#sender.close(link);
  }

  #newLink(kind: 0 | 1): LinkId {
    this.#nextLink += 2;
    return this.#nextLink + kind;
  }

  #connect(wire: MessageWire): Channel<SiblingCalls, SiblingCalls> {
    const receiver = this.#receiver;
    const channel = new Channel<SiblingCalls, SiblingCalls>(wire, {
      subscribe: async ({ link, name, withPast }) => {
        const outlet = this.#outlet(link);
        this.#wanted.add(link);
        const attachment = await this.#host.attach(name, outlet, withPast);
        // Whoever asked may have gone, or its whole thread, while the stream was looked for.
        const isWanted = this.#wanted.delete(link) && !this.#isClosed;
        if (!isWanted) attachment?.detach();
        if (attachment === null || !isWanted) {
          this.#sender.close(link);
          return null;
        }
        this.#attachments.set(link, attachment);
        return attachment.facts;
      },
      unsubscribe: (link) => {
        this.#wanted.delete(link);
        this.#attachments.get(link)?.detach();
        this.#attachments.delete(link);
        this.#sender.close(link);
        return null;
      },
      leftOut: ({ link, output, tracks }) => {
        this.#attachments.get(link)?.leftOut(output, tracks);
        return null;
      },
      publish: ({ link, ...request }) => this.#admit(link, request),
      leave: ({ link, reason }) => {
        receiver.close(link);
        this.#guests.get(link)?.close(reason);
        this.#guests.delete(link);
        return null;
      },
      revoke: ({ link, reason }) => {
        this.#away.get(link)?.revoke(reason);
        this.#forgetAway(link);
        return null;
      },
      tracks: ({ link, tracks }) => {
        receiver.tracks(link, tracks);
        return null;
      },
      packets: (batch) => {
        channel.tell("taken", { longBytes: receiver.packets(batch), span: batch.span });
        return null;
      },
      taken: ({ span, longBytes }) => {
        this.#sender.taken(span, longBytes);
        return null;
      },
      forgetRing: () => {
        receiver.forgetRing();
        return null;
      },
      pause: (link) => {
        receiver.pause(link);
        return null;
      },
      end: ({ link, reason }) => {
        this.#watched.delete(link);
        receiver.end(link, reason);
        return null;
      },
    });
    return channel;
  }

  /** The sender's end of a link, which forgets the link when the stream ends. */
  #outlet(link: LinkId): PacketSink {
    const outlet = this.#sender.open(link);
    return {
      releasesSlabs: true,
      onTracks: (tracks) => outlet.onTracks(tracks),
      onPacket: (packet) => outlet.onPacket(packet),
      onPause: () => outlet.onPause(),
      onEnd: (reason) => {
        this.#attachments.delete(link);
        outlet.onEnd(reason);
        this.#sender.close(link);
      },
    };
  }

  async #admit(link: LinkId, request: Omit<PublishRequest, "onRevoked" | "onPlayable">): Promise<boolean> {
    const publisher = await this.#host.publish({
      ...request,
      onRevoked: (reason) => {
        this.#guests.delete(link);
        this.#receiver.close(link);
        this.#channel.tell("revoke", { link, reason });
      },
    });
    if (publisher === null) return false;
    if (this.#isClosed) {
      publisher.close("its thread is gone");
      return false;
    }
    this.#guests.set(link, publisher);
    this.#receiver.open(link, new GuestSink(publisher));
    return true;
  }
}

/** A publisher of this thread whose stream lives in another: what it sends goes through a link. */
class RemotePublisher implements Publisher {
  readonly #request: PublishRequest;
  readonly #outlet: PacketSink;
  readonly #leave: (reason: string) => void;
  #tracks: TrackSet | null = null;
  #isPlayable = false;
  #isOver = false;

  constructor(request: PublishRequest, outlet: PacketSink, leave: (reason: string) => void) {
    this.#request = request;
    this.#outlet = outlet;
    this.#leave = leave;
  }

  setTracks(tracks: readonly Track[]): void {
    if (this.#isOver || tracks.length === 0) return;
    this.#tracks = makeTrackSet((this.#tracks?.epoch ?? 0) + 1, tracks);
    this.#outlet.onTracks(this.#tracks);
  }

  write(packet: SourcePacket): void {
    const tracks = this.#tracks;
    if (this.#isOver || tracks === null) return;
    const startsGop = packet.isSync && packet.track === tracks.reference;
    if (startsGop && !this.#isPlayable) {
      this.#isPlayable = true;
      this.#request.onPlayable?.();
    }
    this.#outlet.onPacket({ ...packet, startsGop, epoch: tracks.epoch, arrivalUs: 0 });
  }

  /** Who waits for it, and how long, is known in the other thread only. */
  patienceMs(): number {
    return 0;
  }

  close(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // What was written before goes before.
    this.#outlet.onPause();
    this.#leave(reason);
  }

  revoke(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#request.onRevoked(reason);
  }
}

/** Gives what a publisher of another thread sends to the stream that lives here. */
class GuestSink implements PacketSink {
  readonly #publisher: Publisher;

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  onTracks(tracks: TrackSet): void {
    this.#publisher.setTracks(tracks.tracks);
  }

  onPacket(packet: MediaPacket): void {
    this.#publisher.write(packet);
  }

  onPause(): void {}

  onEnd(): void {}
}
