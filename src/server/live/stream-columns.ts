/** Figures of many streams, column by column: objects of ten thousand streams take long to be cloned for another thread. */
import type { StreamSummary } from "../../stream/directory.ts";

/** One place in each column is one stream. */
export type StreamColumns = {
  readonly names: readonly string[];
  /** 1: media comes. */
  readonly live: Uint8Array;
  /** UTC in microseconds; NaN: nobody publishes. */
  readonly sinceUs: Float64Array;
  readonly openedUs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly inputBps: Float64Array;
  readonly subscribers: Uint32Array;
  readonly returns: Uint32Array;
  /** UTC in microseconds; NaN: no packet came yet. */
  readonly lastDtsUs: Float64Array;
  readonly lastAtUs: Float64Array;
};

/** What is known of a stream without its tracks. */
export type StreamFigures = Omit<StreamSummary, "tracks" | "publisher" | "name"> & {
  readonly name: string;
};

/** Figures of summaries. */
export function columnsOf(streams: readonly StreamSummary[]): StreamColumns {
  return {
    names: streams.map(({ name }) => name),
    live: Uint8Array.from(streams, ({ status }) => (status === "live" ? 1 : 0)),
    sinceUs: Float64Array.from(streams, ({ sinceUs }) => sinceUs ?? NaN),
    openedUs: Float64Array.from(streams, ({ openedUs }) => openedUs),
    bytesIn: Float64Array.from(streams, ({ bytesIn }) => bytesIn),
    inputBps: Float64Array.from(streams, ({ inputBps }) => inputBps),
    subscribers: Uint32Array.from(streams, ({ subscribers }) => subscribers),
    returns: Uint32Array.from(streams, ({ returns }) => returns),
    lastDtsUs: Float64Array.from(streams, ({ lastDtsUs }) => lastDtsUs ?? NaN),
    lastAtUs: Float64Array.from(streams, ({ lastAtUs }) => lastAtUs ?? NaN),
  };
}

/** The figures of each stream, by its name. A stream that lives in two threads for a moment is the one that is live. */
export function figuresByName(columns: readonly StreamColumns[]): Map<string, StreamFigures> {
  const found = new Map<string, StreamFigures>();
  for (const one of columns) {
    for (const [i, name] of one.names.entries()) {
      const isLive = one.live[i] === 1;
      if (!isLive && found.get(name)?.status === "live") continue;
      found.set(name, {
        name,
        status: isLive ? "live" : "waiting",
        sinceUs: known(one.sinceUs[i]!),
        openedUs: one.openedUs[i]!,
        bytesIn: one.bytesIn[i]!,
        inputBps: one.inputBps[i]!,
        subscribers: one.subscribers[i]!,
        returns: one.returns[i]!,
        lastDtsUs: known(one.lastDtsUs[i]!),
        lastAtUs: known(one.lastAtUs[i]!),
      });
    }
  }
  return found;
}

function known(us: number): number | null {
  return Number.isNaN(us) ? null : us;
}
