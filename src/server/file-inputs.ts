import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { activeInput } from "../config/plan.ts";
import type { InputPlan, StreamPlan } from "../config/plan.ts";
import { parseStreamName } from "../media/ids.ts";
import type { StreamName } from "../media/ids.ts";
import type { PublishRequest, Publisher } from "../stream/directory.ts";
import { startFileSource } from "../vod/file-source.ts";
import type { FileSource } from "../vod/file-source.ts";
import type { MediaFile } from "../vod/media-file.ts";
import { VodLibrary } from "../vod/vod.ts";
import { SAMPLES_DIRECTORY } from "./demo.ts";

/** What file inputs need. */
export type FileInputsOptions = {
  readonly directory: {
    publishInternally(request: PublishRequest): Publisher | Promise<Publisher>;
  };
  /** Where `file://VOD/PATH` is found. */
  readonly vods: VodLibrary;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Files that no `vod` serves: any path of the disk that the configuration names, and the clip behind `fake://`. */
const DISK = "disk";
const SAMPLES = "samples";

/** The streams whose source is a file (`file://`) or the built-in clip (`fake://`), played as if they were live. */
export class FileInputs {
  readonly #options: FileInputsOptions;
  readonly #own: VodLibrary;
  readonly #running = new Set<FileSource>();

  constructor(options: FileInputsOptions) {
    this.#options = options;
    this.#own = new VodLibrary({
      vods: [
        { name: DISK, storages: [{ path: "/" }], segmentDurationMs: 1000 },
        { name: SAMPLES, storages: [{ path: SAMPLES_DIRECTORY }], segmentDurationMs: 1000 },
      ],
      clock: options.clock,
      log: options.log,
    });
  }

  /** Starts the preferred file input of a stream; a stream that takes publishers, or has none, is left alone. */
  start(stream: StreamPlan): void {
    const input = activeInput(stream.inputs);
    const name = parseStreamName(stream.name);
    if (input === undefined || input.kind === "publish" || name === null || stream.disabled) return;
    void this.#play(name, input);
  }

  async #play(name: StreamName, input: InputPlan): Promise<void> {
    const log = this.#options.log.child({ stream: name });
    let source: FileSource | null = null;
    try {
      const publisher = await this.#options.directory.publishInternally({
        name,
        protocol: input.kind,
        remoteAddress: input.url,
        onRevoked: () => source?.stop(),
      });
      const open = (): Promise<MediaFile> => this.#open(input);
      source = startFileSource({ open, publisher, clock: this.#options.clock, log, loop: true });
      this.#running.add(source);
    } catch (caught) {
      log.error("cannot start the stream's file input", { reason: messageOf(caught) });
    }
  }

  /** Stops all of them. */
  async stop(): Promise<void> {
    for (const source of this.#running) source.stop();
    this.#running.clear();
    await this.#own.close();
  }

  #open(input: InputPlan): Promise<MediaFile> {
    if (input.kind === "fake") return this.#own.openMedia(`${SAMPLES}/sample.mp4`);
    const path = input.path ?? "";
    return path.startsWith("/")
      ? this.#own.openMedia(`${DISK}${path}`)
      : this.#options.vods.openMedia(path);
  }
}
