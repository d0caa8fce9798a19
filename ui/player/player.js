// @ts-check
/** The player page: puts address, playback and controls together. */

import { nameOfPath, shownName } from "../shared/names.js";
import { Controls } from "./controls.js";
import { createEngine } from "./engines.js";
import { messageFor } from "./messages.js";
import { parseOptions, playlistUrl } from "./options.js";
import { Playback } from "./playback.js";
import { probePlaylist } from "./probe.js";

/** @typedef {typeof globalThis & { Hls?: typeof import("hls.js").default, weirPlayer?: object }} PlayerWindow */

const page = /** @type {PlayerWindow} */ (globalThis);
const name = nameOfPath(location.pathname);

if (name === null) showNameless();
else open(name);

/** @param {string} streamName */
function open(streamName) {
  document.title = `${shownName(streamName)} - Weir`;
  const options = parseOptions(location.search);
  const url = playlistUrl(location.href, options.token);
  const video = /** @type {HTMLVideoElement} */ (document.getElementById("video"));
  video.muted = options.muted;
  video.volume = options.volume;

  const playback = new Playback({
    video,
    name: streamName,
    createEngine: (startSeconds, events) => createEngine({ video, url, startSeconds, events }, page.Hls),
    probe: (signal) => probePlaylist(url, signal),
    canDecode: (codec) => canDecode(codec, video),
    isOnline: () => navigator.onLine,
    isHidden: () => document.hidden,
    nowMs: () => performance.now(),
    log,
    onChange: () => controls?.render(),
  });
  /** @type {Controls | null} */
  let controls = null;
  controls = new Controls(document, playback);
  controls.render();

  addEventListener("online", () => playback.poke());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) playback.poke();
  });
  publishForTests(streamName, playback, video);
  if (options.autoplay) playback.play();
}

/**
 * `window.weirPlayer`: counters and state for tests and for curious people.
 *
 * @param {string} streamName
 * @param {Playback} playback
 * @param {HTMLVideoElement} video
 */
function publishForTests(streamName, playback, video) {
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
