/**
 * Writes a film as segments of MPEG-TS, again and again, in a process of its own.
 * `node bench/ts-mux.ts FILM.mp4 SECONDS` prints one line of JSON.
 */
import { muxTsSegment } from "../src/containers/mpegts/segment.ts";
import type { SourcePacket } from "../src/media/packet.ts";
import { filePackets } from "../test/support/file-packets.ts";
import { GOP_SECONDS } from "./tools.ts";

/** What it took. Units: microseconds of CPU, user and system, for a second of the film. */
export type Muxed = {
  /** The film's first time through, most of it not compiled yet. */
  readonly coldUs: number;
  /** What came after a second of it. */
  readonly warmUs: number;
  readonly bytesPerSecond: number;
};

const WARM_UP_MS = 1000;

/** The packets of each stretch of `GOP_SECONDS`, audio beside the pictures of its time. */
export function cutFilm(packets: readonly SourcePacket[]): SourcePacket[][] {
  const cuts: SourcePacket[][] = [];
  for (const packet of packets) {
    const at = Math.floor(packet.dts / packet.track.timescale / GOP_SECONDS);
    (cuts[Math.max(0, at)] ??= []).push(packet);
  }
  return cuts.filter((cut) => cut !== undefined);
}

/** Writes a film over and over, for so long. */
export async function muxFilm(path: string, seconds: number): Promise<Muxed> {
  const { tracks, packets } = await filePackets(path);
  const cuts = cutFilm(packets);
  const filmSeconds = cuts.length * GOP_SECONDS;
  let bytes = 0;
  const once = (): void => {
    for (const cut of cuts) bytes += muxTsSegment(cut, tracks).byteLength;
  };
  const coldUs = cpuUs(once) / filmSeconds;
  const bytesPerSecond = bytes / filmSeconds;
  for (const until = performance.now() + WARM_UP_MS; performance.now() < until;) once();
  let times = 0;
  const tookUs = cpuUs(() => {
    const until = performance.now() + seconds * 1000;
    do {
      once();
      times++;
    } while (performance.now() < until);
  });
  return { coldUs, warmUs: tookUs / times / filmSeconds, bytesPerSecond };
}

/** All threads of the process: the collector's work belongs to what made the garbage. */
function cpuUs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

if (import.meta.main) {
  const [path = "", seconds] = process.argv.slice(2);
  console.log(JSON.stringify(await muxFilm(path, Number(seconds))));
}
