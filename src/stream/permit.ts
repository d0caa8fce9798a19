/**
 * Leave to play or to publish through one connection. Whoever is given one says when media flows, how much of it there was,
 * and when it is over; until then it may be taken back.
 */
export type Permit = {
  /** Media flows: from here on the session is one that others see. Again: nothing. */
  begun(): void;
  /** Bytes sent to a viewer, or had from a publisher, since the last call. */
  count(bytes: number): void;
  /** The first media flows: what a viewer is sent, or the first that viewers of a publisher can begin with. Again: nothing. */
  media(): void;
  /** Calls `run` once when the permit is taken back, at once where it is already: the connection is to be closed. One `run`. */
  onEnd(run: (reason: string) => void): void;
  /** The connection is over, by itself. Again, or behind the permit's end: nothing. */
  close(reason: string): void;
};
