// @ts-check
/**
 * The one interface of everything that plays. An engine is one file in `ui/engines/`, with the library that it needs; it
 * is loaded when it is chosen. None of them decides what to do about a failure.
 */

/**
 * A failure after which the engine plays no further by itself.
 * @typedef {object} Failure
 * @property {"network" | "media" | "codec" | "other"} kind
 * @property {boolean} isAtManifest nothing was loaded yet, so there is nothing to resume
 * @property {string} detail the engine's word for it, for the log
 */

/**
 * @typedef {object} EngineEvents
 * @property {() => void} onReady there is something: `play()` makes sense now
 * @property {(failure: Failure) => void} onFailure
 * @property {(detail: string) => void} onTrouble something the engine mends by itself, e.g. `bufferStalledError`
 */

/**
 * Something that a viewer may choose.
 * @typedef {object} Choice
 * @property {"quality" | "sound" | "subtitles"} kind
 * @property {readonly string[]} names at most `MAX_NAMES`
 * @property {number} selected the place in `names`; -1: the player chooses the quality, or no subtitles are shown
 */

/** So many things to choose from at most: they come from a playlist, and fill a menu. */
export const MAX_NAMES = 50;

/**
 * @typedef {object} Engine
 * @property {import("hls.js").default | null} hls
 * @property {boolean | null} isLive was live at any time; `null` until that is known
 * @property {boolean} isGrowing the newest media is not overdue
 * @property {boolean} isOver was live, and the server says that nothing follows
 * @property {boolean} hasSound as far as is known
 * @property {number} breaks counts how often the stream has broken off since the engine began, as far as it has seen
 * @property {boolean} isOutdated what follows a break of the stream, such as other tracks, wants another engine, and now
 * @property {boolean} canResume it can go on after a failure; one that cannot is made anew
 * @property {number | null} edgeSeconds where a viewer of a live stream should be, on the video's clock
 * @property {number | null} pictureTimeMs when the picture that is shown came to the server, by the server's clock
 * @property {((timeMs: number) => number | null)=} placeOf where a time is, in milliseconds since 1970, on the video's clock;
 *   `null` where what is loaded does not reach there. Left out where that is not known
 * @property {readonly Choice[]} choices
 * @property {(kind: Choice["kind"], index: number) => void} choose
 * @property {() => void} resumeLoad goes on loading after a network failure
 * @property {() => void} recoverMedia builds the decoder anew after a media failure
 * @property {() => void} destroy
 */

/**
 * @typedef {object} EngineOptions
 * @property {HTMLVideoElement} video
 * @property {string} url
 * @property {number} startSeconds where to begin; -1 for the live edge or the beginning
 * @property {number | null} [startTimeMs] where to begin, in milliseconds since 1970, for an engine that knows `placeOf`
 * @property {EngineEvents} events
 * @property {TrackNumbers} [startTracks]
 */

/**
 * Tracks to begin with, counted from 1.
 * @typedef {object} TrackNumbers
 * @property {number | null} video
 * @property {number | null} audio
 */

/** @typedef {(options: EngineOptions) => Engine} MakeEngine */

/** @type {Record<import("./protocols.js").EngineName, () => Promise<MakeEngine>>} */
const LOADERS = {
  hls: async () => {
    const [{ HlsJsEngine }, Hls] = await Promise.all([
      import("../engines/hls-engine.js"),
      loadLibrary("/-/ui/hls.min.js", "Hls"),
    ]);
    return (options) => new HlsJsEngine(Hls, options);
  },
  dash: async () => {
    const [{ DashEngine }, dashjs] = await Promise.all([
      import("../engines/dash-engine.js"),
      loadLibrary("/-/ui/dash.min.js", "dashjs"),
    ]);
    return (options) => new DashEngine(dashjs, options);
  },
  "mse-ld": async () => {
    const { MseLdEngine } = await import("../engines/mse-ld-engine.js");
    return (options) => new MseLdEngine(options);
  },
  native: async () => {
    const { NativeEngine } = await import("../engines/native-engine.js");
    return (options) => new NativeEngine(options);
  },
};

/**
 * Loads what an engine needs; once, whatever the number of calls.
 *
 * Throws: what the browser says, where a script cannot be loaded.
 * @param {import("./protocols.js").EngineName} name
 * @returns {Promise<MakeEngine>}
 */
export function loadEngine(name) {
  return LOADERS[name]();
}

/**
 * @typedef {object} Libraries
 * @property {typeof import("hls.js").default} Hls
 * @property {typeof import("dashjs")} dashjs
 */

/**
 * A classic script that leaves its library on `window`.
 *
 * @template {keyof Libraries} Name
 * @param {string} path
 * @param {Name} name
 * @returns {Promise<Libraries[Name]>}
 */
function loadLibrary(path, name) {
  const libraries = /** @type {Partial<Libraries>} */ (globalThis);
  const present = libraries[name];
  if (present !== undefined) return Promise.resolve(present);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = path;
    script.addEventListener("load", () => {
      script.remove();
      const loaded = libraries[name];
      if (loaded === undefined) reject(new Error(`${path} has no ${name}`));
      else resolve(loaded);
    });
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(`${path} could not be loaded`));
    });
    document.head.append(script);
  });
}
