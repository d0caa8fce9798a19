/** A stream directory that keeps what it is given, for tests of protocols. */
import type { SourcePacket } from "../../src/media/packet.ts";
import type { Track } from "../../src/media/track.ts";
import type {
  PublishRequest,
  Publisher,
  StreamDirectory,
  SubscribeRequest,
} from "../../src/stream/directory.ts";
import type { Subscription } from "../../src/stream/wire-format.ts";

/** A publisher that records every call. */
export class FakePublisher implements Publisher {
  readonly trackSets: (readonly Track[])[] = [];
  readonly packets: SourcePacket[] = [];
  readonly closes: string[] = [];
  /** Track sets that had come when each packet did. */
  readonly setsBefore: number[] = [];

  setTracks(tracks: readonly Track[]): void {
    this.trackSets.push(tracks);
  }

  write(packet: SourcePacket): void {
    this.packets.push(packet);
    this.setsBefore.push(this.trackSets.length);
  }

  /** What `patienceMs` says. */
  patience = 0;

  patienceMs(): number {
    return this.patience;
  }

  /** What `leadMs` says. */
  lead = 0;

  leadMs(): number {
    return this.lead;
  }

  close(reason: string): void {
    this.closes.push(reason);
  }

  /** The packets of the track with this id. */
  of(id: string): SourcePacket[] {
    return this.packets.filter((packet) => packet.track.id === id);
  }
}

/** Gives every publisher and subscriber what it asks for, unless told to refuse. */
export class FakeDirectory implements StreamDirectory {
  readonly publishRequests: PublishRequest[] = [];
  readonly publishers: FakePublisher[] = [];
  readonly subscribeRequests: SubscribeRequest[] = [];
  closedSubscriptions = 0;
  /** Thrown by the next calls, when set. */
  refusal: Error | null = null;
  /** Runs inside `subscribe`, as a directory that has media at hand would. */
  onSubscribe: (request: SubscribeRequest) => void = () => {};

  publish(request: PublishRequest): Publisher {
    if (this.refusal !== null) throw this.refusal;
    this.publishRequests.push(request);
    const publisher = new FakePublisher();
    this.publishers.push(publisher);
    return publisher;
  }

  checkSubscribe(): void {
    if (this.refusal !== null) throw this.refusal;
  }

  subscribe(request: SubscribeRequest): Subscription {
    if (this.refusal !== null) throw this.refusal;
    this.subscribeRequests.push(request);
    this.onSubscribe(request);
    return { close: () => void this.closedSubscriptions++ };
  }
}
