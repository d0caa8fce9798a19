import type { Clock } from "../base/clock.ts";
import type { StreamName } from "../media/ids.ts";
import { LiveWindow } from "../packaging/live-window.ts";
import type { LiveWindowOptions } from "../packaging/live-window.ts";
import { streamErrors } from "../stream/errors.ts";
import type { LiveStream } from "../stream/live-stream.ts";

/** How long the first request for a stream that has just come on air waits for its playlist. */
const MAX_WAIT_MS = 12_000;

/** The live window of every stream that is packaged. */
export class LiveWindows {
  readonly #clock: Clock;
  readonly #windows = new Map<StreamName, LiveWindow>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Packages a stream from now on. */
  open(stream: LiveStream, options: LiveWindowOptions): void {
    const window = new LiveWindow(options);
    this.#windows.set(stream.rules.name, window);
    stream.attach(window);
  }

  /** Forgets the window of a stream that ended. */
  close(name: StreamName): void {
    this.#windows.delete(name);
  }

  /**
   * The window of a stream once it is ready; a stream that is on air but young is waited for.
   * Throws STREAM_NOT_ON_AIR.
   */
  async ready(name: StreamName, isOnAir: boolean): Promise<LiveWindow> {
    const window = this.#windows.get(name);
    if (window !== undefined && !window.isReady && isOnAir) {
      await Promise.race([window.whenReady(), this.#delay(MAX_WAIT_MS)]);
    }
    if (window?.isReady === true) return window;
    const reason = isOnAir ? "its first segments are not complete yet" : "nobody publishes it now";
    throw streamErrors.error("STREAM_NOT_ON_AIR", { name, reason });
  }

  #delay(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.schedule(ms, resolve));
  }
}
