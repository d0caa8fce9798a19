import type { MediaError } from "../../base/errors.ts";
import { systemClock } from "../../base/clock.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest, HttpUpload, HttpUploadTaker } from "../../base/http-message.ts";
import { late } from "../../base/late/late.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import type { TsDemuxer } from "../../containers/mpegts/demuxer.ts";
import { tsErrors } from "../../containers/mpegts/errors.ts";
import { TS_PACKET_BYTES } from "../../containers/mpegts/layout.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import type { PublishRequest, Publisher, StreamDirectory } from "../../stream/directory.ts";
import { streamErrors } from "../../stream/errors.ts";
import { publishPatiently } from "../../stream/patient-publish.ts";
import type { Permit } from "../../stream/permit.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import { httpTsErrors } from "./errors.ts";
import { parseTsPath } from "./path.ts";
import { TS_PROTOCOL } from "./reply.ts";
import { UploadPace } from "./upload-pace.ts";

/** After so much the pace is looked at: of sound alone it is a second or two. */
const SLICE_BYTES = 64 * 188;

const demuxers = late("MPEG-TS publishing", () => import("../../containers/mpegts/demuxer.ts"));

/** The way to make a demuxer. */
type DemuxerClass = typeof TsDemuxer;

/** What publishing needs. */
export type TsPublishersParts = {
  readonly directory: Pick<StreamDirectory, "publish">;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Gives a request leave to publish, or throws or rejects with why not; all may when it is left out. */
  readonly admit?: (request: HttpRequest, name: StreamName) => Permit | Promise<Permit>;
};

/** Those who publish MPEG-TS over HTTP in one thread: each request's body is one publisher's stream. */
export class TsPublishers {
  readonly #parts: TsPublishersParts;
  readonly #open = new Set<TsUpload>();

  constructor(parts: TsPublishersParts) {
    this.#parts = parts;
  }

  /** Publishers that are on air, or about to be. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Answers a POST or PUT to `/NAME/mpegts`; `null` for any other path. That the name cannot be published to, or not now,
   * is told when the body begins: STREAM_NOT_FOUND, _NOT_PUBLISHABLE, _DISABLED, _BUSY, _LIMIT, _DRAINING.
   *
   * Throws: STREAM_BAD_NAME.
   */
  reply(request: HttpRequest): HttpReply | null {
    const text = parseTsPath(request.path);
    if (text === null) return null;
    const name = parseStreamName(text);
    if (name === null) {
      throw streamErrors.error("STREAM_BAD_NAME", {
        reason: "it has characters or a form that names cannot have",
      });
    }
    return {
      status: 200,
      headers: [],
      body: [],
      upload: (upload) => this.#begin(upload, name, request),
    };
  }

  /** Ends all. Returns: how many there were. */
  endAll(reason: string): number {
    const { size } = this.#open;
    for (const upload of this.#open) upload.sendOn(reason);
    return size;
  }

  #begin(upload: HttpUpload, name: StreamName, request: HttpRequest): TsUpload {
    const { log, clock = systemClock, admit } = this.#parts;
    const { remoteAddress } = request;
    const permit = admit?.(request, name) ?? null;
    const taker = new TsUpload(upload, clock, log.child({ stream: name, address: remoteAddress }), () =>
      this.#open.delete(taker),
    );
    const asked: PublishRequest = {
      name,
      protocol: TS_PROTOCOL,
      remoteAddress,
      onRevoked: (reason) => taker.revoke(reason),
      onPlayable: () => taker.playable(),
    };
    const claim =
      permit instanceof Promise
        ? permit.then((given) => this.#claim(given, taker, asked))
        : this.#claim(permit, taker, asked);
    this.#open.add(taker);
    const demuxer = demuxers((loaded) => loaded.TsDemuxer);
    if (claim instanceof Promise || demuxer instanceof Promise) taker.waitFor(claim, demuxer);
    else taker.publishTo(claim, demuxer);
    return taker;
  }

  /** Takes the name for who may have it. */
  #claim(permit: Permit | null, taker: TsUpload, asked: PublishRequest): Publisher | Promise<Publisher> {
    const { directory, clock = systemClock } = this.#parts;
    taker.permitted(permit);
    try {
      const claim = publishPatiently(directory, asked, clock);
      if (permit !== null && claim instanceof Promise)
        claim.catch(() => permit.close("it could not be published"));
      return claim;
    } catch (caught) {
      permit?.close("it could not be published");
      throw caught;
    }
  }
}

/** One publisher's body. */
class TsUpload implements HttpUploadTaker {
  readonly #upload: HttpUpload;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #skipped: PerSecondLog;
  readonly #onOver: () => void;
  #publisher: Publisher | null = null;
  #demuxer: TsDemuxer | null = null;
  #pace: UploadPace | null = null;
  /** What came and is not read yet, as the media is ahead of the clock; `null` while it is read as it comes. */
  #held: Buffer | null = null;
  #heldTimer: Timer | null = null;
  #isHeld = false;
  #permit: Permit | null = null;
  #takenBytes = 0;
  #isOver = false;

  constructor(upload: HttpUpload, clock: Clock, log: Logger, onOver: () => void) {
    this.#upload = upload;
    this.#clock = clock;
    this.#log = log;
    this.#skipped = new PerSecondLog(log, "skipped what the MPEG-TS publisher sent");
    this.#onOver = onOver;
  }

  /** It may publish, as long as the permit lasts. */
  permitted(permit: Permit | null): void {
    this.#permit = permit;
    if (this.#isOver) permit?.close("it left before it was on air");
    else permit?.onEnd((reason) => this.revoke(reason));
  }

  /** The name is asked for elsewhere, or what reads the body is being loaded; the body waits. */
  waitFor(claim: Promise<Publisher> | Publisher, demuxer: Promise<DemuxerClass> | DemuxerClass): void {
    this.#upload.pause();
    // Heard of only behind the claim, which may take longer.
    if (demuxer instanceof Promise) demuxer.catch(() => {});
    void this.#settle(claim, demuxer);
  }

  async #settle(
    claim: Promise<Publisher> | Publisher,
    demuxer: Promise<DemuxerClass> | DemuxerClass,
  ): Promise<void> {
    let publisher: Publisher | null = null;
    try {
      publisher = await claim;
      const Demuxer = await demuxer;
      if (this.#isOver) {
        publisher.close("it left before it was on air");
        return;
      }
      this.publishTo(publisher, Demuxer);
      this.#upload.resume();
    } catch (caught) {
      publisher?.close("its body could not be read");
      if (this.#isOver) return;
      this.#over();
      this.#upload.fail(caught);
    }
  }

  /** The name is this publisher's. */
  publishTo(publisher: Publisher, Demuxer: DemuxerClass): void {
    this.#publisher = publisher;
    this.#permit?.begun();
    const pace = new UploadPace(this.#clock, publisher.leadMs?.() ?? 0);
    const sink = {
      setTracks: (tracks: readonly Track[]) => publisher.setTracks(tracks),
      write: (packet: SourcePacket) => {
        pace.note(packet);
        publisher.write(packet);
      },
    };
    this.#pace = pace;
    this.#demuxer = new Demuxer(sink, ({ code, message }) =>
      this.#skipped.add(this.#clock.nowUs(), { code, reason: message }),
    );
    this.#log.info("MPEG-TS publisher on air");
  }

  write(bytes: Uint8Array): void {
    this.#takenBytes += bytes.byteLength;
    this.#permit?.count(bytes.byteLength);
    if (this.#held === null) this.#take(bytes);
    else this.#held = Buffer.concat([this.#held, bytes]);
  }

  end(): HttpReply {
    if (this.#held !== null) this.#demuxer?.push(this.#held);
    this.#demuxer?.end();
    const packets = this.#demuxer?.stats.packets ?? 0;
    if (packets === 0) throw this.#emptyError();
    this.#leave("the body ended");
    return textReply(200, `${packets} packets were taken`);
  }

  /** A short body that is no transport stream ends before that is certain: then what was found in it tells. */
  #emptyError(): MediaError {
    const skippedBytes = this.#demuxer?.stats.skippedBytes ?? 0;
    const packetBytes = this.#takenBytes - skippedBytes;
    const isNone = packetBytes < TS_PACKET_BYTES || skippedBytes > packetBytes;
    if (this.#takenBytes === 0 || !isNone) return httpTsErrors.error("HTTP_TS_EMPTY");
    return tsErrors.error("TS_NO_SYNC", { skippedBytes: this.#takenBytes });
  }

  close(reason: string): void {
    this.#leave(reason);
  }

  /** The core took the name away. */
  revoke(reason: string): void {
    this.#refuse(reason, httpTsErrors.error("HTTP_TS_REVOKED", { reason }));
  }

  /** Viewers can begin. */
  playable(): void {
    this.#permit?.media();
  }

  /** The server ends: who connects again reaches another one. */
  sendOn(reason: string): void {
    this.#refuse(reason, streamErrors.error("STREAM_DRAINING"));
  }

  #refuse(reason: string, error: MediaError): void {
    if (this.#isOver) return;
    this.#over();
    this.#publisher?.close(reason);
    this.#upload.fail(error);
  }

  /** Reads bytes as far as the clock lets them; the rest is kept, and no more comes meanwhile. */
  #take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; at += SLICE_BYTES) {
      this.#demuxer?.push(bytes.subarray(at, at + SLICE_BYTES));
      const waitMs = this.#pace?.waitMs() ?? 0;
      if (waitMs === 0) continue;
      this.#held = Buffer.from(bytes.subarray(at + SLICE_BYTES));
      this.#heldTimer = this.#clock.schedule(waitMs, () => this.#goOn());
      if (!this.#isHeld) this.#upload.pause();
      this.#isHeld = true;
      return;
    }
    if (this.#isHeld) this.#upload.resume();
    this.#isHeld = false;
  }

  #goOn(): void {
    const held = this.#held;
    this.#held = null;
    if (held === null || this.#isOver) return;
    try {
      this.#take(held);
    } catch (caught) {
      this.#leave("what it sent could not be read");
      this.#upload.fail(caught);
    }
  }

  #leave(reason: string): void {
    if (this.#isOver) return;
    this.#over();
    this.#publisher?.close(reason);
  }

  #over(): void {
    this.#isOver = true;
    this.#heldTimer?.cancel();
    this.#held = null;
    this.#skipped.flush();
    this.#permit?.close("the publisher left");
    this.#onOver();
  }
}
