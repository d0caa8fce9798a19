import { test } from "node:test";
import fc from "fast-check";
import { directiveNames, SCOPES } from "./directives.ts";
import { formatProblems } from "./format.ts";
import { checkPlace, checkText, corpus } from "./load.fuzz.ts";
import { loadConfig } from "./load.ts";
import { SourceText } from "./place.ts";

const SEED = 20_260_101;

/** A small generator of numbers, so that a failure can be repeated: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PIECES = [
  "{",
  "}",
  ";",
  '"',
  "\\",
  "#",
  "\n",
  "\r",
  " ",
  "\t",
  "=",
  "\u0000",
  "\u00A0",
  "\u{1F600}",
  "\uD800",
  "\uFEFF",
];

/** Changes a text in one to four places: takes out, puts in, doubles, cuts. */
function mutate(text: string, random: () => number): string {
  let mutated = text;
  for (let times = 1 + Math.floor(random() * 4); times > 0; times--) {
    const at = Math.floor(random() * (mutated.length + 1));
    const to = Math.min(mutated.length, at + Math.floor(random() * 20));
    const piece = PIECES[Math.floor(random() * PIECES.length)]!;
    const change = Math.floor(random() * 4);
    if (change === 0) mutated = mutated.slice(0, at) + mutated.slice(to);
    else if (change === 1) mutated = mutated.slice(0, at) + piece + mutated.slice(at);
    else if (change === 2) mutated = mutated.slice(0, to) + mutated.slice(at);
    else mutated = mutated.slice(0, at) + piece + mutated.slice(at + 1);
  }
  return mutated;
}

test("a config cut off anywhere is read to its end, with places inside the text", () => {
  for (const text of corpus) {
    const step = text.length > 1200 ? 3 : 1;
    for (let cut = 0; cut <= text.length; cut += step) checkText(text.slice(0, cut));
  }
});

test("mutated configs never throw, and what is accepted prints and reads back", () => {
  const random = randomFrom(SEED);
  const until = performance.now() + Number(process.env["WEIR_FUZZ_SECONDS"] ?? 0) * 1000;
  for (let round = 0; round < 1500 || performance.now() < until; round++) {
    const text = mutate(corpus[round % corpus.length]!, random);
    try {
      checkText(text);
    } catch (error) {
      throw new Error(`round ${round}: ${JSON.stringify(text)}`, { cause: error });
    }
  }
});

test("any text never throws", () => {
  const names = SCOPES.flatMap((scope) => [...directiveNames(scope)]);
  const words = fc.oneof(
    fc.constantFrom(...names, ...PIECES, "publish://", "a/b", "80", "4s", "true"),
    fc.string({ unit: "binary" }),
  );
  const texts = fc.array(words, { maxLength: 40 }).map((all) => all.join(" "));
  fc.assert(fc.property(fc.oneof(texts, fc.string({ unit: "binary", maxLength: 200 })), checkText), {
    seed: SEED,
    numRuns: 500,
  });
});

test("any environment never throws", () => {
  const names = fc.constantFrom("HTTP", "HTTPS", "HOSTNAME", "EDIT_AUTH", "LOG_LEVEL", "X", "", "PORT");
  const variables = fc
    .tuple(fc.constantFrom("STREAMER_", "FLUSSONIC_"), names)
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.dictionary(variables, fc.string({ unit: "binary" })), (environment) => {
      const { problems, sources } = loadConfig([], environment);
      const text = sources.at(-1)?.text ?? "";
      for (const problem of problems) checkPlace(new SourceText({ file: "environment", text }), problem);
      formatProblems(problems, sources);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
