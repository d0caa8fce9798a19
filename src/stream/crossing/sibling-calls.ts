import type { StreamName } from "../../media/ids.ts";
import type { TrackSet } from "../../media/track.ts";
import type { LinkId, PacketBatch } from "./packet-batch.ts";

/**
 * What one media thread asks of another, and tells it. Links are named by the thread that opened them; even numbers
 * carry a stream to its viewers, odd ones a publisher to the stream, so that both fit one receiver.
 */
export type SiblingCalls = {
  /** Sends the stream's packets through the link from now on. */
  subscribe: {
    argument: { readonly link: LinkId; readonly name: StreamName; readonly withPast: boolean };
    answer: SubscribeAnswer;
  };
  unsubscribe: { argument: LinkId; answer: null };
  /** An output leaves tracks of the stream behind a link out, in words. */
  leftOut: {
    argument: { readonly link: LinkId; readonly output: string; readonly tracks: string };
    answer: null;
  };
  /** Gives the stream to a publisher of the asking thread. `false`: the stream's home is not here any more. */
  publish: {
    argument: {
      readonly link: LinkId;
      readonly name: StreamName;
      readonly protocol: string;
      readonly remoteAddress: string;
    };
    answer: boolean;
  };
  /** The publisher behind a link left. */
  leave: { argument: { readonly link: LinkId; readonly reason: string }; answer: null };
  /** The name was taken from the publisher behind a link. */
  revoke: { argument: { readonly link: LinkId; readonly reason: string }; answer: null };
  tracks: { argument: { readonly link: LinkId; readonly tracks: TrackSet }; answer: null };
  packets: { argument: PacketBatch; answer: null };
  /** So many bytes of the ring, and of payloads beside it, were taken. */
  taken: { argument: { readonly span: number; readonly longBytes: number }; answer: null };
  /** The ring that packets came through is used no more. */
  forgetRing: { argument: null; answer: null };
  pause: { argument: LinkId; answer: null };
  end: { argument: { readonly link: LinkId; readonly reason: string }; answer: null };
};

/** `null`: the stream's home is not here any more. `originUs`: the media clock at its beginning. */
export type SubscribeAnswer = { readonly isOnAir: boolean; readonly originUs: number } | null;
