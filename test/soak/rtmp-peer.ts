/** The client's half of RTMP, as far as publishing and playing one stream needs it. */
import { amfField, amfObject } from "../../src/protocols/rtmp/wire/amf-value.ts";
import type { AmfValue } from "../../src/protocols/rtmp/wire/amf-value.ts";
import { ChunkReader } from "../../src/protocols/rtmp/wire/chunk-reader.ts";
import type { RtmpMessage } from "../../src/protocols/rtmp/wire/chunk-reader.ts";
import { buildMessage } from "../../src/protocols/rtmp/wire/chunk-writer.ts";
import {
  CHUNK_STREAM,
  MESSAGE,
  buildCommand,
  buildControlNumber,
  parseCommand,
} from "../../src/protocols/rtmp/wire/messages.ts";
import type { RtmpCommand } from "../../src/protocols/rtmp/wire/messages.ts";
import { DrainSocket } from "./drain.ts";
import type { FilmMessage } from "./film.ts";

/** S0, S1 and S2; C0, C1 and C2 are as long. */
const HANDSHAKE_BYTES = 3073;
const CHUNK_SIZE = 4096;
const STREAM_ID = 1;

/** C0, C1 and C2 of a simple handshake in one piece. Spec: Adobe RTMP 1.0 section 5.2. */
export function clientHandshake(): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_BYTES);
  bytes[0] = 3;
  return bytes;
}

/** A command in chunks of 128 bytes, for connections that have not set their chunk size. */
export function command(
  name: string,
  transactionId: number,
  object: AmfValue,
  ...args: AmfValue[]
): Uint8Array {
  return inChunks({ name, transactionId, object, args }, 128);
}

/** `connect` for an application. */
export function connectCommand(app: string): Uint8Array {
  return command("connect", 1, amfObject({ app, flashVer: "soak", tcUrl: `rtmp://127.0.0.1/${app}` }));
}

/** What a connection is for, and who is told. */
export type RtmpPeerOptions = {
  readonly port: number;
  readonly app: string;
  readonly stream: string;
  readonly role: "publish" | "play";
  /**
   * Called for every audio and video message, if given; without it a player reads no further than the first one and
   * counts bytes after that.
   */
  readonly onMedia?: () => void;
};

/** One RTMP connection. */
export class RtmpPeer {
  readonly wire: DrainSocket;
  /** Resolves when it is started, or closed before. */
  readonly answered: Promise<void>;
  /** The server let it publish, or sent the first media. */
  isStarted = false;
  readonly #options: RtmpPeerOptions;
  readonly #reader = new ChunkReader();
  #handshakeLeft = HANDSHAKE_BYTES;
  #isReading = true;
  #answer: () => void = () => {};

  constructor(options: RtmpPeerOptions) {
    this.#options = options;
    this.answered = new Promise((resolve) => {
      this.#answer = resolve;
    });
    this.wire = new DrainSocket(options.port, (bytes) => this.#take(bytes));
    void this.wire.closed.then(() => this.#answer());
    this.#sayHello();
  }

  /** Sends one message of the film. Returns: false when the connection takes no more for now. */
  send(message: FilmMessage, timestampMs: number): boolean {
    const chunkStreamId = message.typeId === MESSAGE.video ? CHUNK_STREAM.video : CHUNK_STREAM.audio;
    const header = { chunkStreamId, timestampMs, typeId: message.typeId, messageStreamId: STREAM_ID };
    return this.wire.write(buildMessage(header, message.body, CHUNK_SIZE));
  }

  /** Leaves as encoders and players do that were stopped. */
  async leave(): Promise<void> {
    this.wire.write(
      inChunks({ name: "deleteStream", transactionId: 0, object: null, args: [STREAM_ID] }, CHUNK_SIZE),
    );
    await this.wire.end();
  }

  #sayHello(): void {
    const { app, stream, role } = this.#options;
    const chunkSize = {
      chunkStreamId: 2,
      timestampMs: 0,
      typeId: MESSAGE.setChunkSize,
      messageStreamId: 0,
    };
    this.wire.write(clientHandshake());
    this.wire.write(connectCommand(app));
    this.wire.write(buildMessage(chunkSize, buildControlNumber(CHUNK_SIZE), 128));
    this.wire.write(
      inChunks({ name: "createStream", transactionId: 2, object: null, args: [] }, CHUNK_SIZE),
    );
    const args = role === "publish" ? [stream, "live"] : [stream];
    this.wire.write(inChunks({ name: role, transactionId: 3, object: null, args }, CHUNK_SIZE, STREAM_ID));
  }

  #start(): void {
    this.isStarted = true;
    this.#answer();
  }

  #take(bytes: Uint8Array): void {
    if (!this.#isReading) return;
    const skipped = Math.min(bytes.byteLength, this.#handshakeLeft);
    this.#handshakeLeft -= skipped;
    if (skipped === bytes.byteLength) return;
    this.#reader.feed(bytes.subarray(skipped));
    for (let message = this.#reader.next(); message !== null; message = this.#reader.next())
      this.#hear(message);
  }

  #hear(message: RtmpMessage): void {
    const { role, onMedia } = this.#options;
    if (message.typeId === MESSAGE.commandAmf0) {
      const { name, args } = parseCommand(message);
      const code = name === "onStatus" ? amfField(args.at(-1) ?? null, "code") : null;
      if (role === "publish" && code === "NetStream.Publish.Start") this.#start();
    }
    if (message.typeId !== MESSAGE.audio && message.typeId !== MESSAGE.video) return;
    this.#start();
    onMedia?.();
    this.#isReading = onMedia !== undefined;
  }
}

function inChunks(call: RtmpCommand, chunkSize: number, messageStreamId = 0): Uint8Array {
  const header = { chunkStreamId: 3, timestampMs: 0, typeId: MESSAGE.commandAmf0, messageStreamId };
  return buildMessage(header, buildCommand(call), chunkSize);
}
