import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { MAX_CREDENTIALS_LENGTH, readCredentials } from "../../config/credentials.ts";
import { wholeFile } from "../../config/place.ts";
import { problem } from "../../config/problem.ts";
import type { Credentials } from "../../config/plan.ts";
import type { Problem } from "../../config/problem.ts";

/** How often the file is looked at. */
export const LOOK_INTERVAL_MS = 1000;

/** How long `start` waits for the first look: a volume that hangs must not hold the server. */
export const FIRST_LOOK_LIMIT_MS = 2000;

/** What a file with credentials is given. */
export type AuthFileOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** In force until the file was read for the first time. */
  readonly before?: Credentials | undefined;
  /** In place of the system's, for tests. */
  readonly stat?: typeof stat;
};

/**
 * Credentials in a file, as a Secret is mounted, read anew when the file changes.
 *
 * It is looked at once a second, by its path: Kubernetes replaces a link in the middle of it, and what watches a file
 * would watch the old one. A file that cannot be read, or does not hold credentials, leaves those before in force, and
 * the log says so once for each reason; where there are none before, nobody gets in.
 */
export class AuthFile {
  readonly path: string;
  readonly #directive: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stat: typeof stat;
  #credentials: Credentials | undefined;
  #seen = "";
  #complaint = "";
  #timer: Timer | null = null;
  #closed = false;

  /** `directive`: what names the file, for the log. */
  constructor(path: string, directive: string, options: AuthFileOptions) {
    this.path = path;
    this.#directive = directive;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#stat = options.stat ?? stat;
    this.#credentials = options.before;
  }

  /** The credentials in force; absent while the file never held any, and there were none before. */
  get credentials(): Credentials | undefined {
    return this.#credentials;
  }

  /** Resolves when the file was read for the first time, or soon; from now on it is looked at. Never rejects. */
  async start(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const limit = this.#clock.schedule(FIRST_LOOK_LIMIT_MS, () => {
      if (!this.#closed)
        this.#complain(unreadable(this.path, `no answer in ${FIRST_LOOK_LIMIT_MS / 1000} s`));
      late.resolve();
    });
    await Promise.race([this.#keepLooking(), late.promise]);
    limit.cancel();
  }

  /** Not looked at any more; idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** One look after the other: one that hangs is the only one. */
  async #keepLooking(): Promise<void> {
    await this.#look();
    if (this.#closed) return;
    this.#timer = this.#clock.schedule(LOOK_INTERVAL_MS, () => void this.#keepLooking());
  }

  async #look(): Promise<void> {
    const state = await stateOf(this.path, this.#stat);
    // A file that could not be read may become readable without a change of its own.
    if (this.#closed || (state === this.#seen && this.#complaint === "")) return;
    const read = await readFileText(this.path);
    if (this.#closed) return;
    this.#seen = state;
    const found = typeof read === "string" ? this.#parse(read) : read;
    if ("severity" in found) this.#complain(found);
    else this.#take(found);
  }

  #parse(text: string): Credentials | Problem {
    const read = readCredentials(text);
    if ("credentials" in read) return read.credentials;
    const place = { file: this.path, line: read.line, column: read.column, length: 0 };
    return problem("error", "CONFIG_BAD_VALUE", place, read.fault, { hint: "write LOGIN:PASSWORD" });
  }

  #take(credentials: Credentials): void {
    const { login, password } = this.#credentials ?? {};
    const isSame = login === credentials.login && password === credentials.password;
    const wasBad = this.#complaint !== "";
    this.#credentials = credentials;
    this.#complaint = "";
    const fields = { directive: this.#directive, file: this.path };
    if (!isSame) this.#log.info("credentials were read from a file", fields);
    else if (wasBad) this.#log.info("the file with credentials is good again", fields);
  }

  #complain({ code, file, line, column, message, hint }: Problem): void {
    const complaint = `${line}:${column}: ${message}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    const state =
      this.#credentials === undefined ? "nobody gets in with them" : "those before stay in force";
    this.#log.error(`credentials in a file cannot be taken; ${state}: ${message}`, {
      directive: this.#directive,
      code,
      file,
      line,
      column,
      hint,
    });
  }
}

/** What changes when the file does; links are followed. */
async function stateOf(path: string, ask: typeof stat): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await ask(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (caught) {
    return messageOf(caught);
  }
}

async function readFileText(path: string): Promise<string | Problem> {
  const maxBytes = MAX_CREDENTIALS_LENGTH * 4;
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await handle.stat()).isFile()) return unreadable(path, "this is not a file");
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
    if (bytesRead > maxBytes)
      return failure("CONFIG_FILE_TOO_BIG", path, "the file is too big for credentials");
    return decode(path, buffer.subarray(0, bytesRead));
  } catch (caught) {
    return unreadable(path, messageOf(caught));
  } finally {
    await handle?.close();
  }
}

function decode(path: string, bytes: Uint8Array): string | Problem {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return failure("CONFIG_FILE_NOT_TEXT", path, "the file is not UTF-8 text");
  }
}

function unreadable(path: string, reason: string): Problem {
  return failure("CONFIG_FILE_UNREADABLE", path, `the file cannot be read: ${reason}`);
}

function failure(
  code: "CONFIG_FILE_UNREADABLE" | "CONFIG_FILE_TOO_BIG" | "CONFIG_FILE_NOT_TEXT",
  path: string,
  message: string,
): Problem {
  return problem("error", code, wholeFile(path), message);
}
