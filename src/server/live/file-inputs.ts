import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { late } from "../../base/late/late.ts";
import type { Logger } from "../../base/log.ts";
import { activeInput } from "../../config/plan.ts";
import type { InputPlan, StreamPlan } from "../../config/plan.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import type { PublishRequest, Publisher } from "../../stream/directory.ts";
import type { Permit } from "../../stream/permit.ts";
import type { FileSource } from "../../vod/file-source.ts";
import type { MediaFile } from "../../vod/media-file.ts";
import { LateVodLibrary } from "../../vod/late-library.ts";
import type { Vods } from "../../vod/late-library.ts";
import { SAMPLES_DIRECTORY } from "../demo.ts";

const fileSources = late("files that play as streams", () => import("../../vod/file-source.ts"));

/** What file inputs need. */
export type FileInputsOptions = {
  readonly directory: {
    publishInternally(request: PublishRequest): Publisher | Promise<Publisher>;
  };
  /** Where `file://VOD/PATH` is found. */
  readonly vods: Vods;
  readonly clock: Clock;
  readonly log: Logger;
  /** Begins the session of an input. */
  readonly beginSession?: (name: StreamName, protocol: string) => Permit;
};

/** Files that no `vod` serves: any path of the disk that the configuration names, and the clip behind `fake://`. */
const DISK = "disk";
const SAMPLES = "samples";

/** A file that plays, or that is tried again. */
type Playing = {
  readonly input: InputPlan;
  source: FileSource | null;
  retry: Timer | null;
  /** Until it is tried again, should its stream not be had. Units: milliseconds. */
  readonly pauseMs: number;
};

/** How long after its stream took it off a file is played again; how long at most after its stream was not to be had. */
const RETRY_MS = 5000;
/** The first time: another thread may have been about to take a publisher off. */
const FIRST_RETRY_MS = 100;

/** The streams whose source is a file (`file://`) or the built-in clip (`fake://`), played as if they were live. */
export class FileInputs {
  /** Protocols of the publishers that are made here. */
  static readonly PROTOCOLS: ReadonlySet<string> = new Set<InputPlan["kind"]>(["file", "fake"]);

  readonly #options: FileInputsOptions;
  readonly #own: Vods;
  readonly #playing = new Map<StreamName, Playing>();
  /** Claims under way: the next one of a name waits for the one before, which may have to give the name back. */
  readonly #claims = new Map<StreamName, Promise<void>>();

  constructor(options: FileInputsOptions) {
    this.#options = options;
    this.#own = new LateVodLibrary({
      vods: [
        { name: DISK, storages: [{ path: "/" }], segmentDurationMs: 1000 },
        { name: SAMPLES, storages: [{ path: SAMPLES_DIRECTORY }], segmentDurationMs: 1000 },
      ],
      clock: options.clock,
      log: options.log,
    });
  }

  /** Plays the preferred file inputs of these streams, and of no others; those that did not change go on. */
  reconcile(streams: readonly StreamPlan[]): void {
    const wanted = new Map<StreamName, InputPlan>();
    for (const stream of streams) {
      const input = activeInput(stream.inputs);
      const name = parseStreamName(stream.name);
      if (input === undefined || input.kind === "publish" || name === null || stream.disabled) continue;
      wanted.set(name, input);
    }
    for (const [name, playing] of this.#playing) {
      const input = wanted.get(name);
      if (input === undefined || !isSameInput(input, playing.input)) this.#end(name, playing);
    }
    for (const [name, input] of wanted) if (!this.#playing.has(name)) void this.#play(name, input);
  }

  /** Begins the file of a stream anew, where one plays. */
  restart(name: StreamName): void {
    const playing = this.#playing.get(name);
    if (playing === undefined) return;
    this.#end(name, playing);
    void this.#play(name, playing.input);
  }

  /** Stops all of them. */
  async stop(): Promise<void> {
    for (const [name, playing] of [...this.#playing]) this.#end(name, playing);
    await this.#own.close();
  }

  async #play(name: StreamName, input: InputPlan, pauseMs = FIRST_RETRY_MS): Promise<void> {
    const playing: Playing = { input, source: null, retry: null, pauseMs };
    this.#playing.set(name, playing);
    const claim = this.#claim(name, playing, this.#claims.get(name));
    this.#claims.set(name, claim);
    await claim;
    if (this.#claims.get(name) === claim) this.#claims.delete(name);
  }

  /** Claims the name and plays, unless the configuration has changed by then. Never rejects. */
  async #claim(name: StreamName, playing: Playing, before: Promise<void> | undefined): Promise<void> {
    if (before !== undefined) await before;
    if (this.#playing.get(name) !== playing) return;
    const { input, pauseMs } = playing;
    const { clock } = this.#options;
    const log = this.#options.log.child({ stream: name });
    let publisher: Publisher | null = null;
    try {
      publisher = await this.#options.directory.publishInternally({
        name,
        protocol: input.kind,
        remoteAddress: input.url,
        onRevoked: () => this.#replaySoon(name, playing, RETRY_MS),
      });
      // Revoked by now, it is tried again later.
      const isWanted = (): boolean => this.#playing.get(name) === playing && playing.retry === null;
      const start = isWanted() ? await fileSources((loaded) => loaded.startFileSource) : null;
      if (start === null || !isWanted()) {
        publisher.close("it is not wanted any more");
        return;
      }
      const open = (): Promise<MediaFile> => this.#open(input);
      const session = this.#options.beginSession?.(name, input.kind);
      const counted = session === undefined ? publisher : countedPublisher(publisher, session);
      playing.source = start({ open, publisher: counted, clock, log, loop: true });
    } catch (caught) {
      publisher?.close("the file input could not be started");
      const isWanted = this.#playing.get(name) === playing;
      if (isWanted && pauseMs > FIRST_RETRY_MS) {
        log.error("cannot start the stream's file input, tries again", { reason: messageOf(caught) });
      }
      this.#replaySoon(name, playing, pauseMs);
    }
  }

  /** The stream took its source off, or could not be had: the file plays again as long as it is wanted. */
  #replaySoon(name: StreamName, playing: Playing, pauseMs: number): void {
    if (this.#playing.get(name) !== playing || playing.retry !== null) return;
    playing.source?.stop();
    const nextMs = Math.min(RETRY_MS, pauseMs * 2);
    playing.retry = this.#options.clock.schedule(pauseMs, () => {
      if (this.#playing.get(name) === playing) void this.#play(name, playing.input, nextMs);
    });
  }

  #end(name: StreamName, playing: Playing): void {
    this.#playing.delete(name);
    playing.retry?.cancel();
    playing.source?.stop();
  }

  #open(input: InputPlan): Promise<MediaFile> {
    if (input.kind === "fake") return this.#own.openMedia(`${SAMPLES}/sample.mp4`);
    const path = input.path ?? "";
    return path.startsWith("/")
      ? this.#own.openMedia(`${DISK}${path}`)
      : this.#options.vods.openMedia(path);
  }
}

/** A publisher whose bytes are a session's, and with whom that ends. */
function countedPublisher(publisher: Publisher, session: Permit): Publisher {
  return {
    setTracks: (tracks) => publisher.setTracks(tracks),
    write(packet) {
      session.count(packet.payload.byteLength);
      publisher.write(packet);
    },
    patienceMs: () => publisher.patienceMs(),
    ...(publisher.leadMs === undefined ? {} : { leadMs: () => publisher.leadMs!() }),
    close(reason) {
      session.close(reason);
      publisher.close(reason);
    },
  };
}

function isSameInput(one: InputPlan, other: InputPlan): boolean {
  return one.kind === other.kind && one.url === other.url;
}
