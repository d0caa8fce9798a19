import {
  OPCODE,
  buildFrame,
  frameHeaderBytes,
  writeFrameHeader,
} from "../../base/web-socket/frame-writer.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { TrackSet } from "../../media/track.ts";
import type { WireFormat, WireFormatFactory, WireRoom } from "../../stream/wire-format.ts";

/**
 * An FLV file as messages of a WebSocket, one for the header, one for each configuration, one for each tag, so that
 * one framed message serves every viewer. Spec: RFC 6455 section 5.
 */
export function flvMessages(file: WireFormatFactory): WireFormatFactory {
  return {
    ...file,
    id: `${file.id}-messages`,
    create: (originUs) => new FlvMessages(file.create(originUs)),
  };
}

class FlvMessages implements WireFormat {
  readonly #file: WireFormat;
  readonly #room = new MessageRoom();

  constructor(file: WireFormat) {
    this.#file = file;
  }

  preamble(tracks: TrackSet): Uint8Array {
    return buildFrame(OPCODE.binary, this.#file.preamble!(tracks));
  }

  tracks(tracks: TrackSet, atUs: number): Uint8Array {
    return buildFrame(OPCODE.binary, this.#file.tracks(tracks, atUs));
  }

  packet(packet: MediaPacket, room: WireRoom): void {
    this.#room.within(room);
    this.#file.packet(packet, this.#room);
  }
}

/** Room with the header of a message in front of it. */
class MessageRoom implements WireRoom {
  offset = 0;
  #room: WireRoom | null = null;

  within(room: WireRoom): void {
    this.#room = room;
  }

  reserve(lengthBytes: number): Uint8Array {
    const room = this.#room!;
    const out = room.reserve(frameHeaderBytes(lengthBytes) + lengthBytes);
    this.offset = writeFrameHeader(out, room.offset, OPCODE.binary, lengthBytes);
    return out;
  }
}
