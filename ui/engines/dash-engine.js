// @ts-check
/** Plays DASH and low-latency DASH with dash.js. */

import { namesOf } from "../player/choices.js";

/**
 * @typedef {import("../player/engines.js").Choice} Choice
 * @typedef {import("../player/engines.js").Engine} Engine
 * @typedef {import("../player/engines.js").EngineOptions} EngineOptions
 * @typedef {import("../player/engines.js").Failure} Failure
 * @typedef {typeof import("dashjs")} Dashjs
 * @typedef {import("dashjs").MediaPlayerClass} MediaPlayer
 * @typedef {{ id?: string, AdaptationSet?: { contentType?: string }[] }} Period
 * @typedef {{ publishTime?: Date, minimumUpdatePeriod?: number, Period?: Period[] }} Mpd as dash.js reads it
 */

/** What lies behind the playing position is kept this long, in seconds. */
const BACK_BUFFER_SECONDS = 30;

/** The newest media is overdue when it did not grow for so many times the MPD's update period: some segments. */
const OVERDUE_PERIODS = 8;
/** Not sooner, in milliseconds; and then, where the MPD names no period. */
const MIN_OVERDUE_MS = 3000;
const USUAL_OVERDUE_MS = 15_000;

/** Behind a pause of the stream, a player comes nearer by so much of its speed: a change that nobody hears. */
const CATCH_UP = 0.05;

/** Beyond the delay, a new engine waits for what is listed late. */
const UPDATE_SECONDS = 1.5;

/** Codes of dash.js: the manifest could not be loaded or read. */
const MANIFEST_CODES = new Set([10, 11, 19, 25, 31, 32]);
/** The browser has no decoder, or no Media Source Extensions. */
const CODEC_CODES = new Set([23, 34, 35]);
/** A buffer refused what it was given. */
const MEDIA_CODES = new Set([20, 21]);
/** The clock of the server could not be asked; dash.js goes on with this device's. */
const TIME_SYNC_FAILED = 16;

/** @implements {Engine} */
export class DashEngine {
  hls = null;
  hasSound = true;
  breaks = 0;
  #video;
  #url;
  #events;
  /** @type {MediaPlayer} */
  #player;
  #nowMs;
  #sawLive = false;
  #isKnown = false;
  #newest = { published: "", seenMs: 0 };
  #overdueMs = USUAL_OVERDUE_MS;
  #lastPeriod = "";
  /** Kinds of media in the newest Period. */
  #kinds = "";
  /** When a Period was seen that cannot be played on to from the one before. @type {number | null} */
  #changedMs = null;

  /**
   * @param {Dashjs} dashjs
   * @param {EngineOptions} options
   * @param {() => number} [nowMs] monotonic
   */
  constructor(dashjs, { video, url, startSeconds, events, startTracks }, nowMs = () => performance.now()) {
    this.#video = video;
    this.#url = url;
    this.#events = events;
    this.#nowMs = nowMs;
    this.#newest.seenMs = nowMs();
    const player = dashjs.MediaPlayer().create();
    this.#player = player;
    player.initialize(video, undefined, false);
    player.updateSettings({
      debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE },
      streaming: {
        // Subtitles are shown when somebody chooses them, as in HLS.
        text: { defaultEnabled: false },
        buffer: { bufferToKeep: BACK_BUFFER_SECONDS },
        // What an MPD for low latency says of it comes before this.
        // Who is told where to begin stays behind what is live.
        liveCatchup: { enabled: startSeconds < 0, playbackRate: { min: -CATCH_UP, max: CATCH_UP } },
        // Where the manifest names no clock, its own server's is asked, and no other.
        utcSynchronization: {
          defaultTimingSource: {
            scheme: "urn:mpeg:dash:utc:http-xsdate:2014",
            value: new URL("utc", url).href,
          },
        },
      },
    });
    const { events: names } = dashjs.MediaPlayer;
    player.on(names.STREAM_INITIALIZED, () => this.#begin(startTracks));
    player.on(names.MANIFEST_LOADED, (/** @type {{ data?: Mpd }} */ { data }) => this.#read(data ?? {}));
    player.on(names.ERROR, (/** @type {{ error?: { code?: number, message?: string } }} */ { error }) =>
      this.#onError(error?.code ?? 0, error?.message ?? ""),
    );
    player.on(names.PLAYBACK_STALLED, () => events.onTrouble("stalled"));
    player.attachSource(url, startSeconds >= 0 ? startSeconds : undefined);
  }

  get isLive() {
    this.#look();
    return this.#isKnown ? this.#sawLive : null;
  }

  get isGrowing() {
    if (!this.#isKnown || !this.#sawLive) return true;
    return this.#nowMs() - this.#newest.seenMs < this.#overdueMs;
  }

  get isOver() {
    this.#look();
    return this.#sawLive && !this.#player.isDynamic();
  }

  /**
   * Behind a Period with sound, dash.js stands before one without; and behind one whose media has long been played, it
   * asks for init segments alone. Another engine begins in the new one.
   */
  get isOutdated() {
    if (this.#changedMs === null || !this.#sawLive) return false;
    const delaySeconds = this.#player.getTargetLiveDelay() + UPDATE_SECONDS;
    return this.#nowMs() - this.#changedMs > delaySeconds * 1000;
  }

  /** Of a live MPD, dash.js goes on where the break was, in a hole. */
  get canResume() {
    this.#look();
    return !this.#sawLive;
  }

  get edgeSeconds() {
    const latency = this.#latencySeconds();
    if (latency === null) return null;
    return this.#video.currentTime + Math.max(0, latency - this.#player.getTargetLiveDelay());
  }

  get pictureTimeMs() {
    const seconds = this.#latencySeconds() === null ? NaN : this.#player.timeAsUTC();
    return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
  }

  /** @returns {Choice[]} */
  get choices() {
    if (!this.#isKnown) return [];
    const player = this.#player;
    const qualities = player.getRepresentationsByType("video");
    const isAuto = player.getSettings().streaming?.abr?.autoSwitchBitrate?.video !== false;
    const quality = player.getCurrentRepresentationForType("video");
    const sounds = player.getTracksFor("audio");
    const texts = player.getTracksFor("text");
    return [
      {
        kind: "quality",
        names: namesOf(qualities),
        selected: isAuto ? -1 : qualities.findIndex(({ id }) => id === quality?.id),
      },
      {
        kind: "sound",
        names: namesOf(sounds.map(describe)),
        selected: sounds.findIndex(({ id }) => id === player.getCurrentTrackFor("audio")?.id),
      },
      {
        kind: "subtitles",
        names: namesOf(texts.map(describe)),
        selected: player.getCurrentTextTrackIndex(),
      },
    ];
  }

  /**
   * @param {Choice["kind"]} kind
   * @param {number} index
   */
  choose(kind, index) {
    const player = this.#player;
    if (kind === "subtitles") {
      player.setTextTrack(index);
      return;
    }
    if (kind === "sound") {
      const track = player.getTracksFor("audio")[index];
      if (track !== undefined) player.setCurrentTrack(track);
      return;
    }
    player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: index < 0 } } } });
    const quality = player.getRepresentationsByType("video")[index];
    if (quality !== undefined) player.setRepresentationForTypeById("video", quality.id, true);
  }

  resumeLoad() {
    this.#player.attachSource(this.#url);
  }

  recoverMedia() {
    this.#player.attachSource(this.#url);
  }

  destroy() {
    // A change of speed that waits for this event would be made after the end, on no video.
    this.#video.dispatchEvent(new Event("canplay"));
    this.#player.destroy();
    this.#video.playbackRate = 1;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #begin(/** @type {import("../player/engines.js").TrackNumbers | undefined} */ startTracks) {
    this.#isKnown = true;
    this.#look();
    this.hasSound = this.#player.getTracksFor("audio").length > 0;
    const sound = startTracks?.audio ?? 0;
    if (sound > 0) this.choose("sound", sound - 1);
    this.#events.onReady();
  }

  /** An MPD has come. */
  #read(/** @type {Mpd} */ { publishTime, minimumUpdatePeriod = 0, Period = [] }) {
    const published = String(publishTime === undefined ? "" : Number(publishTime));
    const wasOverdue = !this.isGrowing;
    if (published !== this.#newest.published) this.#newest = { published, seenMs: this.#nowMs() };
    if (minimumUpdatePeriod > 0) {
      this.#overdueMs = Math.max(MIN_OVERDUE_MS, minimumUpdatePeriod * 1000 * OVERDUE_PERIODS);
    }
    const { id = "", AdaptationSet = [] } = Period.at(-1) ?? {};
    const kinds = [...new Set(AdaptationSet.map(({ contentType = "" }) => contentType))].toSorted().join();
    if (this.#lastPeriod !== "" && id !== this.#lastPeriod) {
      this.breaks++;
      if (kinds !== this.#kinds || wasOverdue) this.#changedMs = this.#nowMs();
    }
    this.#lastPeriod = id;
    this.#kinds = kinds;
  }

  #look() {
    if (this.#isKnown) this.#sawLive ||= this.#player.isDynamic();
  }

  #latencySeconds() {
    this.#look();
    if (!this.#sawLive || !this.#player.isDynamic()) return null;
    const latency = this.#player.getCurrentLiveLatency();
    return Number.isFinite(latency) ? latency : null;
  }

  /**
   * @param {number} code
   * @param {string} message
   */
  #onError(code, message) {
    const detail = `dash.js ${code} ${message}`.trim();
    if (code === TIME_SYNC_FAILED) this.#events.onTrouble(detail);
    else this.#events.onFailure({ kind: kindOf(code), isAtManifest: MANIFEST_CODES.has(code), detail });
  }
}

/** @param {import("dashjs").MediaInfo} info */
function describe({ labels, lang }) {
  return { name: labels?.[0]?.text ?? null, lang };
}

/**
 * @param {number} code
 * @returns {Failure["kind"]}
 */
function kindOf(code) {
  if (CODEC_CODES.has(code)) return "codec";
  if (MEDIA_CODES.has(code)) return "media";
  return code >= 10 && code < 40 ? "network" : "other";
}
