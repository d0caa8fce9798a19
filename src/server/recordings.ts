import { asMediaError } from "../base/errors.ts";
import { allowsProtocol } from "../config/plan.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import type { StreamName } from "../media/ids.ts";
import { streamErrors } from "../stream/errors.ts";
import type { RecordedPackets } from "../stream/recorded-packets.ts";
import type { Vods } from "../vod/late-library.ts";
import { rulesOf, vodProtocols } from "./stream-rules.ts";

/** What is asked for: a name, and the extension that the player may have taken off it. */
export type RecordedName = { readonly name: StreamName; readonly container: string | null };

/**
 * What opens the file that a name means to a protocol which plays through one connection; `null` when the name is none
 * of a vod's, or a stream's. Throws STREAM_PROTOCOL_OFF.
 */
export function recordedFile(
  { name, container }: RecordedName,
  protocol: string,
  { config, vods }: { readonly config: ResolvedConfig; readonly vods: Vods },
): (() => Promise<RecordedPackets>) | null {
  if (rulesOf(config, name, "play") !== null || vods.find(name) === null) return null;
  if (!allowsProtocol(vodProtocols(config, name), protocol))
    throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol });
  return async () => {
    try {
      return await vods.openPackets(name);
    } catch (caught) {
      const isMissing = asMediaError(caught)?.code === "VOD_NOT_FOUND";
      if (!isMissing || container === null || name.endsWith(`.${container}`)) throw caught;
      return await vods.openPackets(`${name}.${container}`);
    }
  };
}
