// @ts-check
/** An engine whose script is on its way: what is asked of it meanwhile is answered as by one that has loaded nothing. */

/**
 * @typedef {import("./engines.js").Choice} Choice
 * @typedef {import("./engines.js").Engine} Engine
 * @typedef {import("./engines.js").EngineOptions} EngineOptions
 * @typedef {import("./engines.js").MakeEngine} MakeEngine
 */

/** @implements {Engine} */
export class LateEngine {
  #load;
  #options;
  /** @type {Engine | null} */
  #engine = null;
  #isOver = false;

  /**
   * @param {() => Promise<MakeEngine>} load
   * @param {EngineOptions} options
   */
  constructor(load, options) {
    this.#load = load;
    this.#options = options;
    void this.#begin();
  }

  get hls() {
    return this.#engine?.hls ?? null;
  }

  get isLive() {
    return this.#engine?.isLive ?? null;
  }

  get isGrowing() {
    return this.#engine?.isGrowing ?? true;
  }

  get isOver() {
    return this.#engine?.isOver ?? false;
  }

  get hasSound() {
    return this.#engine?.hasSound ?? true;
  }

  get breaks() {
    return this.#engine?.breaks ?? 0;
  }

  get isOutdated() {
    return this.#engine?.isOutdated ?? false;
  }

  get canResume() {
    return this.#engine?.canResume ?? true;
  }

  get edgeSeconds() {
    return this.#engine?.edgeSeconds ?? null;
  }

  get pictureTimeMs() {
    return this.#engine?.pictureTimeMs ?? null;
  }

  /** @param {number} timeMs */
  placeOf(timeMs) {
    return this.#engine?.placeOf?.(timeMs) ?? null;
  }

  get choices() {
    return this.#engine?.choices ?? [];
  }

  /**
   * @param {Choice["kind"]} kind
   * @param {number} index
   */
  choose(kind, index) {
    this.#engine?.choose(kind, index);
  }

  resumeLoad() {
    if (this.#engine === null) void this.#begin();
    else this.#engine.resumeLoad();
  }

  recoverMedia() {
    this.#engine?.recoverMedia();
  }

  destroy() {
    this.#isOver = true;
    this.#engine?.destroy();
    this.#engine = null;
  }

  async #begin() {
    try {
      const make = await this.#load();
      if (!this.#isOver && this.#engine === null) this.#engine = make(this.#options);
    } catch (error) {
      if (this.#isOver) return;
      const detail = error instanceof Error ? error.message : String(error);
      this.#options.events.onFailure({ kind: "network", isAtManifest: true, detail });
    }
  }
}
