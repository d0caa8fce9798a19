/** One subtitle: when it is shown, and what. */
export type Cue = {
  /** Microseconds of the media. */
  readonly startUs: number;
  readonly endUs: number;
  /** Text as WebVTT has it: lines, `<i>` and its kin, entities; never an empty line, never `-->`. */
  readonly text: string;
  /** Cue settings as WebVTT writes them, such as `line:0 align:start`; often the empty text. */
  readonly settings: string;
};

/** Cues in order of their begin, and how many blocks were no cue and were left out. */
export type CueList = { readonly cues: readonly Cue[]; readonly skipped: number };
