// @ts-check
/** What the viewer has chosen, for the players that come after the present one. */

/**
 * @typedef {import("./engines.js").Choice} Choice
 * @typedef {import("./engines.js").Engine} Engine
 */

/**
 * @typedef {object} Wish
 * @property {number} index as it was among the names; -1: none of them
 * @property {string | null} name
 * @property {number} count how many names there were
 */

/** The choices of one viewer: one for each kind. */
export class Wishes {
  /** @type {Map<Choice["kind"], Wish>} */
  #wishes = new Map();
  /** What the present engine has not been told yet. @type {Set<Choice["kind"]>} */
  #untold = new Set();

  /**
   * The viewer has chosen.
   *
   * @param {Choice["kind"]} kind
   * @param {number} index
   * @param {readonly string[]} names of which
   */
  note(kind, index, names) {
    this.#untold.delete(kind);
    // That the player chooses the quality needs no words.
    if (kind === "quality" && index < 0) this.#wishes.delete(kind);
    else this.#wishes.set(kind, { index, name: names[index] ?? null, count: names.length });
  }

  /** Another engine begins, which knows of nothing. */
  begin() {
    this.#untold = new Set(this.#wishes.keys());
  }

  /**
   * Tells the engine, as soon as it knows what there is to choose, and once.
   *
   * @param {Pick<Engine, "choices" | "choose">} engine
   */
  tell(engine) {
    if (this.#untold.size === 0) return;
    for (const { kind, names, selected } of engine.choices) {
      const wish = this.#wishes.get(kind);
      if (wish === undefined || names.length === 0 || !this.#untold.delete(kind)) continue;
      const index = placeOf(wish, names);
      if (index !== null && index !== selected) engine.choose(kind, index);
    }
  }
}

/**
 * Where a wish is among other names: under its name, or in its old place where there are as many as there were; `null`
 * where it is not there any more.
 *
 * @param {Wish} wish
 * @param {readonly string[]} names
 */
function placeOf({ index, name, count }, names) {
  if (name === null) return -1;
  const place = names.indexOf(name);
  if (place >= 0) return place;
  return names.length === count ? index : null;
}
