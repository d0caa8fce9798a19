// @ts-check
/** The ways to play a stream, and in which order they are tried. */

/**
 * @typedef {keyof typeof PROTOCOLS} ProtocolName
 * @typedef {(typeof PROTOCOLS)[ProtocolName]["engine"]} EngineName
 */

/**
 * `title`: as people read it. `resource`: beside the page. `recorded`: what the address of an archive ends with. `isLowLatency`: gives up smoothness for nearness, so that one
 * which stalls again and again makes room for a calmer one. `stepsBack`: what was shown can be shown again; a player that
 * goes back to the edge by itself cannot do that.
 */
export const PROTOCOLS = /** @type {const} */ ({
  "ll-hls": {
    title: "LL-HLS",
    resource: "index.ll.m3u8",
    recorded: ".m3u8",
    engine: "hls",
    isLowLatency: true,
    stepsBack: true,
  },
  hls: {
    title: "HLS",
    resource: "index.m3u8",
    recorded: ".m3u8",
    engine: "hls",
    isLowLatency: false,
    stepsBack: true,
  },
  "ll-dash": {
    title: "LL-DASH",
    resource: "index.ll.mpd",
    recorded: ".mpd",
    engine: "dash",
    isLowLatency: true,
    stepsBack: false,
  },
  dash: {
    title: "DASH",
    resource: "index.mpd",
    recorded: ".mpd",
    engine: "dash",
    isLowLatency: false,
    stepsBack: true,
  },
  "mse-ld": {
    title: "MSE-LD",
    resource: "mse_ld",
    recorded: "",
    engine: "mse-ld",
    isLowLatency: true,
    stepsBack: false,
  },
  native: {
    title: "HLS by the browser",
    resource: "index.m3u8",
    recorded: ".m3u8",
    engine: "native",
    isLowLatency: false,
    stepsBack: true,
  },
});

/** @type {readonly ProtocolName[]} */
const USUAL = ["ll-hls", "hls", "dash", "mse-ld"];
/** @type {readonly ProtocolName[]} the nearest first */
const NEAREST = ["mse-ld", "ll-hls", "ll-dash", "hls", "dash"];
/** @type {readonly ProtocolName[]} the calmest first, which also keep the most to step back into */
const CALMEST = ["hls", "dash", "ll-hls"];

/** Words of `proto=` that stand for another one. @type {ReadonlyMap<string, ProtocolName | "nearest">} */
const OTHER_WORDS = new Map(
  /** @type {[string, ProtocolName | "nearest"][]} */ ([
    ["llhls", "ll-hls"],
    ["hls-ll", "ll-hls"],
    ["lldash", "ll-dash"],
    ["dash-ll", "ll-dash"],
    ["mse", "mse-ld"],
    ["mseld", "mse-ld"],
    ["mse_ld", "mse-ld"],
    // There is no WebRTC here: who asks for it wants the least delay.
    ["webrtc", "nearest"],
  ]),
);

/**
 * What a value of `proto=` asks for; `null` where it is not known.
 *
 * @param {string} word
 * @returns {ProtocolName | "nearest" | null}
 */
export function protocolOf(word) {
  const lower = word.toLowerCase();
  if (lower !== "native" && Object.hasOwn(PROTOCOLS, lower)) return /** @type {ProtocolName} */ (lower);
  return OTHER_WORDS.get(lower) ?? null;
}

/**
 * What a browser can do.
 * @typedef {object} Abilities
 * @property {boolean} mse Media Source Extensions, of any kind
 * @property {boolean} fullMse those of computers: what MSE-LD needs, beside WebSockets
 * @property {boolean} nativeHls
 */

/**
 * What the page asks for.
 * @typedef {object} Wishes
 * @property {ProtocolName | "nearest" | null} proto
 * @property {boolean} realtime the least delay
 * @property {boolean} stepsBack not at the live edge
 */

/**
 * The protocols to be tried, one after the other: the one that is asked for, and then all that may do as well.
 *
 * @param {Wishes} wishes
 * @param {Abilities} can
 * @returns {ProtocolName[]}
 */
export function lineupFor({ proto, realtime, stepsBack }, can) {
  /** @type {ProtocolName[]} */
  const order = [];
  if (proto !== null && proto !== "nearest") order.push(proto);
  if (proto === "dash" && realtime) order.unshift("ll-dash");
  if (stepsBack) order.push(...CALMEST);
  order.push(...(realtime || proto === "nearest" ? NEAREST : USUAL), "native");
  return [...new Set(order)].filter(
    (name) => isPossible(name, can) && (!stepsBack || PROTOCOLS[name].stepsBack),
  );
}

/**
 * @param {ProtocolName} name
 * @param {Abilities} can
 */
function isPossible(name, can) {
  switch (PROTOCOLS[name].engine) {
    case "native":
      return can.nativeHls;
    case "mse-ld":
      return can.fullMse;
    case "hls":
    case "dash":
      return can.mse;
  }
}

/** Which protocol plays now, and which one is next. */
export class Lineup {
  #names;
  #at = 0;

  /** @param {readonly ProtocolName[]} names in the order of trying */
  constructor(names) {
    this.#names = names;
  }

  /** The present one; `null` where this browser can use none. */
  get current() {
    return this.#names[this.#at] ?? null;
  }

  /**
   * Goes to the next one.
   *
   * @returns {boolean} `false`: there is none, and the present one stays
   */
  fallBack() {
    if (this.#at + 1 >= this.#names.length) return false;
    this.#at++;
    return true;
  }

  /** Begins with the first one again. */
  reset() {
    this.#at = 0;
  }
}

/**
 * What this browser can do.
 *
 * @param {HTMLVideoElement} video
 * @param {typeof globalThis} [browser]
 * @returns {Abilities}
 */
export function abilitiesOf(video, browser = globalThis) {
  const managed = /** @type {{ ManagedMediaSource?: typeof MediaSource }} */ (browser).ManagedMediaSource;
  const type = 'video/mp4; codecs="avc1.42E01E,mp4a.40.2"';
  const full = /** @type {{ MediaSource?: typeof MediaSource }} */ (browser).MediaSource;
  const fullMse = full?.isTypeSupported(type) ?? false;
  return {
    mse: fullMse || (managed?.isTypeSupported(type) ?? false),
    fullMse,
    nativeHls: video.canPlayType("application/vnd.apple.mpegurl") !== "",
  };
}
