import { Allowance } from "../../base/allowance.ts";
import type { Clock } from "../../base/clock.ts";
import type { WebSocketSink } from "../../base/http-message.ts";
import { CLOSE_CODE } from "../../base/web-socket/errors.ts";
import { parseMseCommand } from "./commands.ts";
import type { MseCommand } from "./commands.ts";
import { mseErrors } from "./errors.ts";

/** Commands that a client may send at once, and how many a second it gets back. */
const COMMAND_BURST = 30;
const COMMANDS_PER_SECOND = 5;
/** Of a command that is not known, so much is said back. */
const MAX_SHOWN_CHARACTERS = 40;

/** Takes one client's commands, as many as it may send, and answers those that are none. */
export class CommandIntake {
  readonly #socket: WebSocketSink;
  readonly #allowance: Allowance;

  constructor(socket: WebSocketSink, clock: Clock) {
    this.#socket = socket;
    this.#allowance = new Allowance(clock, { burst: COMMAND_BURST, perSecond: COMMANDS_PER_SECOND });
  }

  /** Returns: `null` when it was no command; `too-many` when that has closed the socket. */
  take(text: string): MseCommand | "too-many" | null {
    if (!this.#allowance.take()) {
      const { message } = mseErrors.error("MSE_TOO_MANY_COMMANDS", { limit: COMMAND_BURST });
      this.#socket.close(CLOSE_CODE.policy, message);
      return "too-many";
    }
    const command = parseMseCommand(text);
    if (command !== null) return command;
    const shown = text.slice(0, MAX_SHOWN_CHARACTERS);
    const { code, message } = mseErrors.error("MSE_BAD_COMMAND", { command: shown });
    this.#socket.sendText(JSON.stringify({ type: "error", code, reason: message }));
    return null;
  }
}
