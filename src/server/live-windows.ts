import type { Clock } from "../base/clock.ts";
import type { MediaError } from "../base/errors.ts";
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
   * The window of a stream, at once when it is ready; a stream that is on air but young is waited for.
   * Throws or rejects with STREAM_STARTING, STREAM_NOT_ON_AIR.
   */
  ready(name: StreamName, isOnAir: () => boolean): Promise<LiveWindow> | LiveWindow {
    const window = this.#windows.get(name);
    if (window?.isReady === true) return window;
    if (window === undefined || !isOnAir()) throw notReady(name, isOnAir());
    return this.#waitFor(window).then(() => {
      if (window.isReady) return window;
      throw notReady(name, true);
    });
  }
  /** Bytes of media that the window of a stream holds. */
  bytesOf(name: StreamName): number {
    return this.#windows.get(name)?.bytes ?? 0;
  }

  async #waitFor(window: LiveWindow): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = this.#clock.schedule(MAX_WAIT_MS, resolve);
    await Promise.race([window.whenReady(), promise]);
    deadline.cancel();
  }
}

function notReady(name: StreamName, isOnAir: boolean): MediaError {
  return isOnAir
    ? streamErrors.error("STREAM_STARTING", { name })
    : streamErrors.error("STREAM_NOT_ON_AIR", { name, reason: "nobody publishes it now" });
}
