/** Numbers that look random and come again with the same seed. Returns: from 0 up to 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // A linear congruential generator, with the constants of Numerical Recipes; its high bits are good enough for moments.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
