// @ts-check
/** The player page: puts address, playback and controls together. */

import { nameOfPath, shownName } from "../shared/names.js";
import { Bounds } from "./bounds.js";
import { Controls } from "./controls.js";
import { loadEngine } from "./engines.js";
import { LateEngine } from "./late-engine.js";
import { messageFor } from "./messages.js";
import { parseOptions, resourceUrl } from "./options.js";
import { Playback } from "./playback.js";
import { probeMpd, probePlaylist } from "./probe.js";
import { abilitiesOf, Lineup, lineupFor, PROTOCOLS } from "./protocols.js";
import { ServerClock } from "./server-clock.js";

/** @typedef {import("./protocols.js").ProtocolName} ProtocolName */

const page = /** @type {typeof globalThis & { weirPlayer?: object }} */ (globalThis);
const name = nameOfPath(location.pathname);

if (name === null) showNameless();
else void open(name);

/** @param {string} streamName */
async function open(streamName) {
  const options = parseOptions(location.search);
  for (const complaint of options.complaints) log(complaint);
  const video = /** @type {HTMLVideoElement} */ (document.getElementById("video"));
  video.muted = options.muted;
  video.volume = options.volume;
  showName(streamName);

  const stepsBack = options.dvr || options.agoSeconds !== null || options.fromMs !== null;
  const lineup = new Lineup(lineupFor({ ...options, stepsBack }, abilitiesOf(video)));
  const clock = new ServerClock();
  const past = stepsBack ? await openPast({ options, clock, lineup }) : null;
  // Not before: a stream that is not there has no clock, and the browser would note a second failure.
  const askClock = () =>
    void (past?.isPast === true || clock.ask(resourceUrl(location.href, "utc", options.carried)));
  video.addEventListener("playing", askClock, { once: true });
  /** @type {Controls | null} */
  let controls = null;
  const onChange = () => controls?.render();
  const playback = openPlayback(streamName, { video, lineup, clock, options, past, onChange });
  controls = new Controls(document, playback, {
    name: streamName,
    options,
    past,
    protocol: () => (lineup.current === null ? null : PROTOCOLS[lineup.current]),
  });
  controls.render();
  const bounds = new Bounds(past === null ? options : { ...options, agoSeconds: null, fromMs: null });
  keepBounds(bounds, video, playback, (words) => controls?.announce(words));
  void past?.attach(playback, video, (words) => controls?.announce(words));

  addEventListener("online", () => playback.poke());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) playback.poke();
  });
  publishForTests(streamName, playback, { video, lineup });
  if (options.autoplay) playback.play();
}

/**
 * @typedef {object} Parts
 * @property {HTMLVideoElement} video
 * @property {Lineup} lineup
 * @property {ServerClock} clock
 * @property {import("./options.js").PlayerOptions} options
 * @property {import("../timeline/past.js").Past | null} past
 * @property {() => void} onChange
 */

/**
 * What is recorded, where the server keeps an archive; `null` where it does not. Never rejects.
 *
 * @param {{ options: import("./options.js").PlayerOptions, clock: ServerClock, lineup: Lineup }} parts
 */
async function openPast({ options, clock, lineup }) {
  try {
    const { Past } = await import("../timeline/past.js");
    const canSeekAtStart = () => lineup.current !== null && PROTOCOLS[lineup.current].engine === "hls";
    const past = new Past({ options, clock, canSeekAtStart, log });
    return (await past.open()) ? past : null;
  } catch (error) {
    log(`the timeline could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/**
 * @param {string} streamName
 * @param {Parts} parts
 */
function openPlayback(streamName, { video, lineup, clock, options, past, onChange }) {
  const urlOf = (/** @type {ProtocolName} */ protocol) => {
    const { resource, recorded } = PROTOCOLS[protocol];
    const stem = past?.rewind.place?.stem;
    return resourceUrl(
      location.href,
      stem === undefined ? resource : `${stem}${recorded}`,
      options.carried,
    );
  };
  return new Playback({
    video,
    name: streamName,
    createEngine: (startSeconds, events) => {
      const { current } = lineup;
      if (current === null) return null;
      const startTimeMs = past?.rewind.startMs ?? null;
      const given = {
        ...{ video, url: urlOf(current), events, startTracks: options.startTracks, startTimeMs },
        startSeconds: startTimeMs === null ? startSeconds : 0,
      };
      return new LateEngine(() => loadEngine(PROTOCOLS[current].engine), given);
    },
    fallBack: (why) => {
      const before = lineup.current;
      const hasOther = lineup.fallBack();
      if (hasOther && before !== null && lineup.current !== null) {
        log(`${PROTOCOLS[lineup.current].title} instead of ${PROTOCOLS[before].title}: ${why}`);
      }
      return hasOther;
    },
    beginAnew: () => lineup.reset(),
    mayStayBehind: () => past?.isPast === true,
    isImpatient: () => lineup.current !== null && PROTOCOLS[lineup.current].isLowLatency,
    serverMs: () => clock.nowMs(),
    probe: async (signal) => {
      const hls = await probePlaylist(urlOf("hls"), signal);
      if (hls.finding !== "off" || lineup.current === null) return hls;
      const { engine } = PROTOCOLS[lineup.current];
      // What is off for one protocol may be there for another.
      if (engine === "dash") return probeMpd(urlOf("dash"), signal);
      return engine === "mse-ld" ? { ...hls, finding: "there" } : hls;
    },
    canDecode: (codec) => canDecode(codec, video),
    isOnline: () => navigator.onLine,
    isHidden: () => document.hidden,
    nowMs: () => performance.now(),
    log,
    onChange,
  });
}

/** @param {string} streamName */
function showName(streamName) {
  const shown = shownName(streamName);
  document.title = `${shown} - Weir`;
  const heading = document.getElementById("heading");
  if (heading !== null) heading.textContent = shown;
}

/**
 * @param {Bounds} bounds
 * @param {HTMLVideoElement} video
 * @param {Playback} playback
 * @param {(words: string) => void} announce
 */
function keepBounds(bounds, video, playback, announce) {
  video.addEventListener("timeupdate", () => {
    const words = bounds.look(video, playback.view);
    if (words === null) return;
    log(words);
    announce(words);
  });
}

/**
 * `window.weirPlayer`: counters and state for tests and for curious people.
 *
 * @param {string} streamName
 * @param {Playback} playback
 * @param {{ video: HTMLVideoElement, lineup: Lineup }} parts
 */
function publishForTests(streamName, playback, { video, lineup }) {
  page.weirPlayer = {
    get hls() {
      return playback.hls;
    },
    video,
    state() {
      const { message, ...view } = playback.view;
      const quality = video.getVideoPlaybackQuality();
      return {
        name: streamName,
        protocol: lineup.current,
        ...view,
        stalls: view.waits + view.bufferStalls,
        message:
          message === null ? null : [message.title, message.detail, message.note].filter(Boolean).join(" "),
        currentTimeSeconds: video.currentTime,
        isPaused: video.paused,
        isMuted: video.muted,
        droppedFrames: quality.droppedVideoFrames,
        totalFrames: quality.totalVideoFrames,
      };
    },
  };
}

/**
 * @param {string} codec
 * @param {HTMLVideoElement} video
 */
function canDecode(codec, video) {
  const types = [`video/mp4; codecs="${codec}"`, `audio/mp4; codecs="${codec}"`];
  return types.some((type) =>
    globalThis.MediaSource === undefined
      ? video.canPlayType(type) !== ""
      : MediaSource.isTypeSupported(type),
  );
}

function showNameless() {
  const { title, detail } = messageFor("nameless", { name: "" });
  /** @type {HTMLElement} */ (document.getElementById("message-title")).textContent = title;
  /** @type {HTMLElement} */ (document.getElementById("message-detail")).textContent = detail;
  /** @type {HTMLElement} */ (document.getElementById("card")).hidden = false;
}

/** @param {string} text */
function log(text) {
  // What the player did by itself is told to whoever opens the console.
  // oxlint-disable-next-line no-console
  console.info(`[weir] ${text}`);
}
