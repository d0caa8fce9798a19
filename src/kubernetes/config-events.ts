/** One thing that is wrong with a configuration. `line` 0: the file as a whole. */
export type ConfigProblem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
};

/** Who is told what became of a new configuration. Nothing is thrown, and nobody waits. */
export type ConfigEvents = {
  /** A configuration was read that does not check; `problems` are its errors. */
  configRefused(problems: readonly ConfigProblem[]): void;
  /** A configuration is in force. */
  configApplied(): void;
  /** Nothing is written after this; idempotent. */
  stop(): void;
};
