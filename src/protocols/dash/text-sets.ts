import type { HttpReply } from "../../base/http-message.ts";
import type { Cue } from "../../containers/webvtt/cue.ts";
import { cuesBetween } from "../../containers/webvtt/writer.ts";
import type { TrackId } from "../../media/ids.ts";
import { notFound } from "../../packaging/playlist-replies.ts";
import type { Presentation, TextTrack, Timeline } from "../../packaging/presentation.ts";
import { textLabel, webVttReply } from "../../packaging/text-replies.ts";
import { setIdOf } from "./adaptation-sets.ts";
import { SUBTITLES_FILE } from "./path.ts";
import { zeroOf } from "./periods.ts";
import { xmlElement, xmlText } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

/**
 * What a Representation of subtitles is said to need: people read no more than some 20 characters a second, and no
 * player chooses by it.
 */
const BANDWIDTH_BPS = 256;

/**
 * Subtitles as AdaptationSets: each one WebVTT file, which is the form that most players take. Its times are those of
 * the Period, and it is asked for once, so there are none where the presentation has several Periods or goes on.
 * `query`: what every URL carries on, with its `?`, or the empty text.
 * Spec: ISO/IEC 23009-1 sections 5.3.3, 5.3.9.1 (one Segment, of a BaseURL); DASH-IF IOP 4.3 section 6.4.5 (sidecar
 * files).
 */
export function textSets(timeline: Timeline, texts: readonly TextTrack[], query: string): XmlElement[] {
  if (!isOneWhole(timeline)) return [];
  return texts.map((text, index) => {
    const { id, language } = text;
    const attributes = {
      id: setIdOf({ id, kind: "text" }),
      contentType: "text",
      lang: language === "und" ? null : language,
      mimeType: "text/vtt",
    };
    return xmlElement("AdaptationSet", attributes, [
      xmlText("Label", textLabel(text, index)),
      xmlElement("Role", { schemeIdUri: "urn:mpeg:dash:role:2011", value: "subtitle" }),
      xmlElement("Representation", { id, bandwidth: BANDWIDTH_BPS }, [
        xmlText("BaseURL", `tracks-${id}/${SUBTITLES_FILE}${query}`),
      ]),
    ]);
  });
}

function isOneWhole({ mutability, segments }: Timeline): boolean {
  return mutability === "static" && segments[0]!.stretchStartUs === segments.at(-1)!.stretchStartUs;
}

/**
 * Answers with all cues of subtitles in one file, their times counted from the begin of the Period.
 * Throws or rejects with the storage's `MediaError`. Spec: WebVTT section 4.1.
 */
export function subtitlesReply(id: TrackId, presentation: Presentation): Promise<HttpReply> | HttpReply {
  const text = presentation.texts?.find((candidate) => candidate.id === id);
  const timeline = presentation.timeline();
  if (text === undefined || !isOneWhole(timeline)) return notFound("subtitles");
  const beginUs = zeroOf(timeline) * 1000;
  const last = timeline.segments.at(-1)!;
  const reply = (cues: readonly Cue[]): HttpReply => {
    const shown = cuesBetween(cues, beginUs, last.startUs + last.durationUs).map((cue) => ({
      ...cue,
      startUs: Math.max(0, cue.startUs - beginUs),
      endUs: cue.endUs - beginUs,
    }));
    return webVttReply(shown, { version: presentation.version, name: id, mpegTsTicks: null });
  };
  const cues = text.cues();
  return cues instanceof Promise ? cues.then(reply) : reply(cues);
}
