/** A live window whose edge somebody follows all the time. */
import type { PacketSink } from "../../src/media/packet.ts";
import type { LiveWindow } from "../../src/packaging/live-window.ts";

/** The window as a sink of packets; its edge is asked for before each of them. */
export function followed(window: LiveWindow): PacketSink {
  return {
    onTracks: (tracks) => window.onTracks(tracks),
    onPause: () => window.onPause(),
    onEnd: (reason) => window.onEnd(reason),
    onPacket: (packet) => {
      window.edge?.now();
      window.onPacket(packet);
    },
  };
}
