import { allowsProtocol } from "../../config/plan.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { StreamName } from "../../media/ids.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { RecordedPackets } from "../../stream/recorded-packets.ts";
import type { Vods } from "../../vod/late-library.ts";
import { archiveAddress } from "./connections.ts";
import { recordedFileName } from "../recorded-file-name.ts";
import { recordedStream } from "./stream-archives.ts";
import type { StreamArchives } from "./stream-archives.ts";
import { rulesOf, vodProtocols } from "../live/stream-rules.ts";

/** What is asked for: a name, the extension that the player may have taken off it, and what stands behind its `?`. */
export type RecordedName = {
  readonly name: StreamName;
  readonly container: string | null;
  readonly query: string;
};

/** Where recordings are found. */
export type RecordingParts = {
  readonly config: ResolvedConfig;
  readonly vods: Vods;
  readonly archives: StreamArchives;
};

/**
 * What opens the recording that a name means to a protocol which plays through one connection: a span of an archive, such as
 * `camera/archive-FROM-DURATION` or `camera?from=UTC`, or a file; `null` when the name is that of a live stream, or of
 * nothing. Throws STREAM_*, SPAN_BAD_TIME.
 */
export function findRecording(
  target: RecordedName,
  protocol: string,
  parts: RecordingParts,
): (() => Promise<RecordedPackets>) | null {
  const file = recordedFile(target, protocol, parts);
  if (file !== null) return file;
  const address = archiveAddress(target.name, new URLSearchParams(target.query));
  if (address === null) return null;
  const recorded = recordedStream(parts.config, address.name, protocol);
  return () => parts.archives.play(recorded, address.span, false);
}

/**
 * What opens the file that a name means to a protocol which plays through one connection; `null` when the name is none
 * of a vod's, or a stream's. Throws STREAM_PROTOCOL_OFF.
 */
function recordedFile(
  { name, container }: RecordedName,
  protocol: string,
  { config, vods }: RecordingParts,
): (() => Promise<RecordedPackets>) | null {
  if (rulesOf(config, name, "play") !== null || vods.find(name) === null) return null;
  if (!allowsProtocol(vodProtocols(config, name), protocol))
    throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol });
  const file = recordedFileName(name, container);
  return () => vods.openPackets(file);
}
