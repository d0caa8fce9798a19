/** Room for one packet of a wire format. */
import type { MediaPacket } from "../../src/media/packet.ts";
import type { WireFormat } from "../../src/stream/wire-format.ts";

/** Bytes in front of the room, to catch a format that writes at the buffer's beginning. */
const BEFORE = 5;
/** What is there before: a format must write every byte. */
const STALE = 0xee;

/** The bytes that a format makes of a packet, `null` when it carries none of it. */
export function packetBytes(format: WireFormat, packet: MediaPacket): Uint8Array | null {
  let written: Uint8Array | null = null;
  format.packet(packet, {
    offset: BEFORE,
    reserve(lengthBytes) {
      const buffer = new Uint8Array(BEFORE + lengthBytes).fill(STALE);
      written = buffer.subarray(BEFORE);
      return buffer;
    },
  });
  return written;
}
