/** hls.js on an empty page of the server, as it comes from its package. */
import type { Page } from "playwright-core";

const HLS_JS = new URL("../../node_modules/hls.js/dist/hls.min.js", import.meta.url).pathname;

/** What hls.js and the browser say of a playback. */
export type HlsJsState = {
  readonly timeS: number;
  readonly durationS: number;
  readonly hasEnded: boolean;
  readonly pictures: number;
  /** All errors but stalls, which a busy machine brings about. */
  readonly errors: readonly string[];
  /** Texts of the cues that are shown now. */
  readonly cues: readonly string[];
  readonly subtitles: readonly string[];
  readonly audioTracks: readonly string[];
  readonly levels: number;
};

type HlsJsEvent = {
  readonly details?: string;
  readonly reason?: string;
  readonly frag?: { readonly type: string; readonly level: number; readonly sn: number | string };
};
type Named = { readonly name: string; readonly lang?: string };
type Player = {
  readonly levels: readonly unknown[];
  readonly subtitleTracks: readonly Named[];
  readonly audioTracks: readonly Named[];
  subtitleTrack: number;
  audioTrack: number;
  currentLevel: number;
  on(name: string, run: (name: string, event: HlsJsEvent) => void): void;
  loadSource(url: string): void;
  attachMedia(video: HTMLVideoElement): void;
};
type HlsJsPage = { hls: Player; errors: string[] };

/** Plays an address in hls.js. */
export async function playInHlsJs(page: Page, url: string): Promise<void> {
  await page.route("**/blank", (route) =>
    route.fulfill({ contentType: "text/html", body: "<video muted></video>" }),
  );
  await page.goto(new URL("/blank", url).href);
  await page.addScriptTag({ path: HLS_JS });
  await page.evaluate((source) => {
    const here = window as unknown as HlsJsPage & { Hls: new () => Player };
    const video = document.querySelector("video")!;
    const hls = new here.Hls();
    here.hls = hls;
    here.errors = [];
    hls.on("hlsError", (_, { details, reason, frag }) => {
      const where = frag === undefined ? "" : `${frag.type} ${frag.level}/${frag.sn}`;
      const at = `${where} at ${video.currentTime.toFixed(2)} s`;
      if (details !== "bufferStalledError" && details !== "bufferNudgeOnStall")
        here.errors.push(`${details} ${reason ?? ""} ${at}`);
    });
    hls.loadSource(source);
    hls.attachMedia(video);
    void video.play();
  }, url);
}

/** How it goes. */
export function hlsJsState(page: Page): Promise<HlsJsState> {
  return page.evaluate(() => {
    const { hls, errors } = window as unknown as HlsJsPage;
    const video = document.querySelector("video")!;
    const cues = [...video.textTracks].flatMap(({ activeCues }) => [...(activeCues ?? [])]);
    const nameOf = ({ name, lang }: Named): string => `${name} ${lang ?? ""}`.trim();
    return {
      timeS: video.currentTime,
      durationS: video.duration,
      hasEnded: video.ended,
      pictures: video.getVideoPlaybackQuality().totalVideoFrames,
      errors,
      cues: cues.map((cue) => (cue as VTTCue).text),
      subtitles: hls.subtitleTracks.map(nameOf),
      audioTracks: hls.audioTracks.map(nameOf),
      levels: hls.levels.length,
    };
  });
}
