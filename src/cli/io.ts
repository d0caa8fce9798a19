import { isatty } from "node:tty";

/** What a command sees of the terminal, so that tests can be one. */
export type CliIo = {
  stdout(text: string): void;
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal that shows colours. */
  readonly isTty: boolean;
};

/** The process's own terminal and environment. A reader that closes its end, such as `head`, ends the program quietly. */
export function processIo(): CliIo {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
    isTty: isatty(1) && process.env["NO_COLOR"] === undefined,
  };
}
