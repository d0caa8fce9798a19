import { authErrors } from "../auth/errors.ts";
import type { CliIo } from "./io.ts";

/** Longest input that is read. */
const MAX_INPUT_LENGTH = 64 * 1024;

/** Where a secret is read: the process's own standard input, or a test's. */
export type SecretInput = AsyncIterable<Uint8Array | string> & {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  setEncoding?(encoding: "utf8"): unknown;
};

/**
 * Reads a secret: from a terminal, where it is asked for twice and not shown, or all of standard input, without the line
 * end behind it. Throws: AUTH_LONG_SECRET, AUTH_SECRETS_DIFFER.
 */
export async function readSecret(
  io: Pick<CliIo, "stderr">,
  input: SecretInput = process.stdin,
): Promise<string> {
  input.setEncoding?.("utf8");
  if (input.isTTY === true) return askTwice(io, input);
  let text = "";
  for await (const chunk of input) {
    text += String(chunk);
    if (text.length > MAX_INPUT_LENGTH) throw authErrors.error("AUTH_LONG_SECRET");
  }
  return text.replace(/\r?\n$/, "");
}

async function askTwice(io: Pick<CliIo, "stderr">, input: SecretInput): Promise<string> {
  input.setRawMode?.(true);
  try {
    io.stderr("Password: ");
    const [first = "", second = ""] = await typedLines(io, input);
    if (first !== second) throw authErrors.error("AUTH_SECRETS_DIFFER");
    return first;
  } finally {
    input.setRawMode?.(false);
  }
}

/** Two lines as they are typed, key by key; Ctrl-C and Ctrl-D give none. */
async function typedLines(io: Pick<CliIo, "stderr">, input: SecretInput): Promise<string[]> {
  const lines: string[] = [];
  let line = "";
  for await (const keys of input) {
    for (const key of String(keys)) {
      if (key === "\u0003" || key === "\u0004") return [];
      if (key === "\r" || key === "\n") {
        io.stderr(lines.push(line) === 1 ? "\nAgain: " : "\n");
        line = "";
      } else if (key === "\u007F" || key === "\b") line = Array.from(line).slice(0, -1).join("");
      else if (line.length < MAX_INPUT_LENGTH) line += key;
      if (lines.length === 2) return lines;
    }
  }
  return [];
}
