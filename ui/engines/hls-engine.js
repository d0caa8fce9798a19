// @ts-check
/** Plays HLS and low-latency HLS with hls.js. */

import { namesOf } from "../player/choices.js";

/**
 * @typedef {import("../player/engines.js").Choice} Choice
 * @typedef {import("../player/engines.js").Engine} Engine
 * @typedef {import("../player/engines.js").EngineOptions} EngineOptions
 * @typedef {import("../player/engines.js").Failure} Failure
 * @typedef {typeof import("hls.js").default} HlsClass
 */

/** What lies behind the playing position is kept this long, in seconds: enough to step back, and bounded. */
const BACK_BUFFER_SECONDS = 30;

/** A low-latency player that fell behind comes nearer at this speed: a change that nobody hears. */
const CATCH_UP_RATE = 1.05;

/** A playlist is overdue when it did not grow for this many target durations (RFC 8216 6.2.2 asks for 1.5). */
const OVERDUE_TARGETS = 3;

/** Details that mean: the browser has no decoder for this. */
const CODEC_DETAILS = new Set([
  "manifestIncompatibleCodecsError",
  "bufferAddCodecError",
  "bufferIncompatibleCodecsError",
]);

/** Details that mean: a media playlist could not be had. */
const GONE_DETAILS = new Set(["levelLoadError", "audioTrackLoadError"]);

/** Other tracks are begun with once this is over: what is live begins that far behind its newest media. */
const USUAL_LATENCY_SECONDS = 6;

/** A time so shortly in front of the first segment is at its beginning. */
const NEAR_START_MS = 1000;

/** @implements {Engine} */
export class HlsJsEngine {
  canResume = true;
  breaks = 0;
  #events;
  #nowMs;
  #loadTracks;
  /** Needed at a break, and loaded then. @type {import("./hls-tracks.js").HlsTracks | null} */
  #tracks = null;
  #isLoading = false;
  #isOver = false;
  /** The multivariant playlist that it began with. */
  #text = "";
  /** @type {number | null} */
  #discontinuities = null;
  /** When the stream was seen to break off, or to have sound that has no buffer. */
  #brokeMs = 0;
  /** Tracks that there is no buffer for have come. */
  #lacksBuffer = false;
  /** Kept until it is known whether other tracks are the reason. @type {Failure | null} */
  #heldFailure = null;
  /** A media playlist is not there any more. */
  #isGone = false;
  /** Kinds of the buffers that were made. @type {readonly string[]} */
  #buffers = [];
  #sawLive = false;
  hasSound = true;
  /** @type {import("hls.js").LevelDetails | null} */
  #details = null;

  /**
   * @param {HlsClass} HlsJs
   * @param {EngineOptions} options
   * @param {() => number} [nowMs] monotonic
   * @param {() => Promise<typeof import("./hls-tracks.js").HlsTracks>} [loadTracks]
   */
  constructor(HlsJs, options, nowMs = () => performance.now(), loadTracks = loadHlsTracks) {
    const { video, url, startSeconds, startTimeMs = null, events, startTracks } = options;
    this.#events = events;
    this.#nowMs = nowMs;
    this.#loadTracks = loadTracks;
    const hls = new HlsJs({
      startPosition: startSeconds,
      autoStartLoad: startTimeMs === null,
      backBufferLength: BACK_BUFFER_SECONDS,
      maxLiveSyncPlaybackRate: CATCH_UP_RATE,
    });
    /** @type {import("hls.js").default} */
    this.hls = hls;
    hls.on(HlsJs.Events.MANIFEST_PARSED, () => {
      this.#begin(startTracks);
      if (startTimeMs !== null) void this.#beginAt(startTimeMs);
      events.onReady();
    });
    hls.once(HlsJs.Events.AUDIO_TRACKS_UPDATED, () => this.#beginSound(startTracks));
    hls.on(HlsJs.Events.MANIFEST_LOADED, (_event, { networkDetails }) => {
      const text =
        networkDetails !== null && "responseText" in networkDetails ? networkDetails.responseText : "";
      this.#text = text;
    });
    hls.on(HlsJs.Events.LEVEL_UPDATED, (_event, { details }) => this.#onDetails(details));
    hls.on(HlsJs.Events.BUFFER_CREATED, (_event, { tracks }) => {
      this.#buffers = Object.keys(tracks);
      this.hasSound = hasAudio(this.#buffers);
    });
    hls.on(HlsJs.Events.BUFFER_CODECS, (_event, tracks) => this.#onCodecs(Object.keys(tracks)));
    hls.on(HlsJs.Events.ERROR, (_event, data) => this.#onError(data));
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  get isLive() {
    return this.#details === null ? null : this.#sawLive;
  }

  get isGrowing() {
    const details = this.#details;
    if (details === null || !details.live) return true;
    // With parts it changes several times a second.
    const targetSeconds =
      details.partTarget > 0 ? Math.min(1, details.targetduration) : details.targetduration;
    return details.age < OVERDUE_TARGETS * targetSeconds;
  }

  get isOver() {
    return this.#sawLive && this.#details?.live === false;
  }

  get isOutdated() {
    if (!this.#hasOthers && !this.#lacksBuffer) return false;
    // What is gone cannot be waited for.
    if (this.#isGone) return true;
    const seconds = this.hls.targetLatency ?? USUAL_LATENCY_SECONDS;
    return this.#nowMs() - this.#brokeMs > seconds * 1000;
  }

  get edgeSeconds() {
    return this.#sawLive ? this.hls.liveSyncPosition : null;
  }

  get pictureTimeMs() {
    return this.hls.playingDate?.getTime() ?? null;
  }

  /** @param {number} timeMs */
  placeOf(timeMs) {
    return this.#details === null ? null : placeIn(this.#details, timeMs);
  }

  /** @returns {Choice[]} */
  get choices() {
    const { hls } = this;
    return [
      { kind: "quality", names: namesOf(hls.levels), selected: hls.manualLevel },
      { kind: "sound", names: namesOf(hls.audioTracks), selected: hls.audioTrack },
      { kind: "subtitles", names: namesOf(hls.subtitleTracks), selected: hls.subtitleTrack },
    ];
  }

  /**
   * @param {Choice["kind"]} kind
   * @param {number} index
   */
  choose(kind, index) {
    if (kind === "quality") this.hls.nextLevel = index;
    else if (kind === "sound") this.hls.audioTrack = index;
    else this.hls.subtitleTrack = index;
  }

  resumeLoad() {
    this.hls.startLoad();
  }

  recoverMedia() {
    this.hls.recoverMediaError();
  }

  destroy() {
    this.#isOver = true;
    this.#tracks?.close();
    this.hls.destroy();
  }

  /** Levels are ordered by their bitrate: which track one is, its address says. */
  #begin(/** @type {import("../player/engines.js").TrackNumbers | undefined} */ tracks) {
    const video = tracks?.video ?? 0;
    if (video > 0) {
      const wanted = new RegExp(`/tracks-v${video}(?!\\d)`);
      const level = this.hls.levels.findIndex(({ url }) => url.some((address) => wanted.test(address)));
      if (level >= 0) this.hls.startLevel = level;
    }
  }

  /** Which media stand where only a media playlist says: it is asked first, and then begun there. */
  async #beginAt(/** @type {number} */ timeMs) {
    let place = 0;
    try {
      const { placeInPlaylist } = await import("./playlist-place.js");
      const reply = await fetch(this.hls.levels[0]?.url[0] ?? "");
      if (reply.ok) place = placeInPlaylist(await reply.text(), timeMs) ?? 0;
    } catch {
      this.#events.onTrouble("where to begin could not be found out");
    }
    if (!this.#isOver) this.hls.startLoad(place);
  }

  /** Sound tracks are known when the first level is chosen. */
  #beginSound(/** @type {import("../player/engines.js").TrackNumbers | undefined} */ tracks) {
    const sound = (tracks?.audio ?? 0) - 1;
    if (sound >= 0 && sound < this.hls.audioTracks.length) this.hls.audioTrack = sound;
  }

  /** @param {import("hls.js").LevelDetails} details */
  #onDetails(details) {
    this.#details = details;
    this.#sawLive ||= details.live;
    const before = this.#discontinuities;
    this.#discontinuities = details.endCC;
    if (!details.live || before === null || before === details.endCC) return;
    this.breaks++;
    if (!this.#hasOthers) this.#brokeMs = this.#nowMs();
    void this.#readTracks();
  }

  /** An init segment has come: buffers are made for the first one alone. */
  #onCodecs(/** @type {readonly string[]} */ kinds) {
    if (this.#buffers.length === 0 || this.#lacksBuffer) return;
    if (!hasAudio(kinds) || hasAudio(this.#buffers) || !this.#sawLive) return;
    this.#lacksBuffer = true;
    this.#brokeMs = this.#nowMs();
  }

  /** @param {import("hls.js").ErrorData} data */
  #onError(data) {
    const detail = data.details;
    const status = data.response?.code ?? 0;
    const isGone = GONE_DETAILS.has(detail) && (status === 404 || status === 410);
    if (isGone && this.#sawLive) {
      this.#isGone = true;
      if (!this.#isReading) void this.#readTracks();
    }
    if (!data.fatal) {
      this.#events.onTrouble(detail);
      return;
    }
    const isAtManifest = detail.startsWith("manifest") || isGone;
    const failure = { kind: kindOf(data.type, detail), isAtManifest, detail };
    const mayBeTracks = failure.kind === "media" || isGone;
    if (mayBeTracks && (this.#isReading || this.#hasOthers)) this.#heldFailure ??= failure;
    else this.#events.onFailure(failure);
  }

  get #hasOthers() {
    return this.#tracks?.hasChanged === true;
  }

  get #isReading() {
    return this.#isLoading || this.#tracks?.isReading === true;
  }

  /** Finds out whether the stream has other tracks. */
  async #readTracks() {
    if (this.#isLoading) return;
    try {
      this.#isLoading = this.#tracks === null;
      const HlsTracks = this.#isLoading ? await this.#loadTracks() : null;
      if (this.#isOver) return;
      if (HlsTracks !== null) {
        this.#tracks = new HlsTracks(() => this.#tellHeld());
        this.#tracks.begin(this.#text);
      }
      this.#tracks?.read(this.hls.url ?? "");
    } catch {
      this.#events.onTrouble("the script that reads the tracks could not be loaded");
    }
    this.#isLoading = false;
    if (!this.#isReading) this.#tellHeld();
  }

  /** Nothing but other tracks excuses a failure. */
  #tellHeld() {
    const failure = this.#heldFailure;
    this.#heldFailure = null;
    if (failure !== null && !this.#hasOthers) this.#events.onFailure(failure);
  }
}

/**
 * Where a time is on the video's clock: within a segment, or at the next one where it is between two.
 *
 * @param {import("hls.js").LevelDetails} details
 * @param {number} timeMs
 */
function placeIn({ fragments }, timeMs) {
  const first = fragments[0]?.programDateTime ?? null;
  // What is not listed may be there all the same.
  if (first === null || timeMs < first - NEAR_START_MS) return null;
  for (const { programDateTime: fromMs, start, duration } of fragments) {
    if (fromMs !== null && timeMs < fromMs + duration * 1000)
      return start + Math.max(0, timeMs - fromMs) / 1000;
  }
  return null;
}

async function loadHlsTracks() {
  return (await import("./hls-tracks.js")).HlsTracks;
}

/** @param {readonly string[]} kinds of buffers, as hls.js calls them */
function hasAudio(kinds) {
  return kinds.includes("audio") || kinds.includes("audiovideo");
}

/**
 * @param {string} type
 * @param {string} detail
 * @returns {Failure["kind"]}
 */
function kindOf(type, detail) {
  if (CODEC_DETAILS.has(detail)) return "codec";
  if (type === "networkError") return "network";
  return type === "mediaError" ? "media" : "other";
}
