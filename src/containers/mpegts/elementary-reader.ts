import type { SourcePacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import { tsErrors } from "./errors.ts";
import type { PesPayload } from "./pes-assembler.ts";

/** Takes the packets that a reader makes; the payload is the taker's. */
export type PacketTaker = (packet: SourcePacket) => void;

/** Makes packets of the PES packets of one elementary stream. */
export type ElementaryReader = {
  /** `null` until the stream has told its configuration. */
  readonly track: Track | null;
  /** Takes the next PES packet, with its times unwrapped. Throws: a MediaError of what is dropped. */
  pes(pes: PesPayload, pts: number | null, dts: number | null): void;
  /** Something before the next PES packet is missing. */
  lost(): void;
  /** Nothing more comes. */
  end(): void;
};

/** Makes the error of a PES packet that cannot be used. */
export function brokenPes(pid: number, reason: string): Error {
  return tsErrors.error("TS_PES_BROKEN", { pid, reason });
}
