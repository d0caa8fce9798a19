import { amfObject } from "./wire/amf-value.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { ChunkReader } from "./wire/chunk-reader.ts";
import type { RtmpMessage } from "./wire/chunk-reader.ts";
import { buildMessage } from "./wire/chunk-writer.ts";
import { MESSAGE, buildCommand, parseCommand } from "./wire/messages.ts";
import type { RtmpCommand } from "./wire/messages.ts";

/** What a server sends before its first chunk: S0, S1, S2. */
export const SERVER_HANDSHAKE_BYTES = 3073;

/** C0, C1 and C2 of a simple handshake in one piece, as a client that does not wait sends them. */
export function clientHandshake(): Uint8Array {
  const bytes = new Uint8Array(SERVER_HANDSHAKE_BYTES);
  bytes[0] = 3;
  for (let i = 9; i < 1537; i++) bytes[i] = i & 0xff;
  return bytes;
}

/** One message in chunks of 128 bytes. */
export function clientMessage(
  typeId: number,
  body: Uint8Array,
  timestampMs = 0,
  chunkStreamId = 3,
): Uint8Array {
  const messageStreamId = typeId === MESSAGE.audio || typeId === MESSAGE.video ? 1 : 0;
  return buildMessage({ chunkStreamId, timestampMs, typeId, messageStreamId }, body, 128);
}

/** A command in AMF0. */
export function clientCommand(
  name: string,
  transactionId: number,
  object: AmfValue,
  ...args: readonly AmfValue[]
): Uint8Array {
  return clientMessage(MESSAGE.commandAmf0, buildCommand({ name, transactionId, object, args }));
}

/** `connect` as ffmpeg sends it; more fields for the command object. */
export function clientConnect(app = "pub", more: Readonly<Record<string, AmfValue>> = {}): Uint8Array {
  const object = amfObject({ app, flashVer: "test", tcUrl: `rtmp://host/${app}`, ...more });
  return clientCommand("connect", 1, object);
}

/** Reads what a server sent: its messages after the handshake. */
export function serverMessages(bytes: Uint8Array): RtmpMessage[] {
  const reader = new ChunkReader();
  reader.feed(bytes.subarray(SERVER_HANDSHAKE_BYTES));
  const messages: RtmpMessage[] = [];
  for (let message = reader.next(); message !== null; message = reader.next()) messages.push(message);
  return messages;
}

/** The commands among a server's messages. */
export function serverCommands(bytes: Uint8Array): RtmpCommand[] {
  return serverMessages(bytes)
    .filter((message) => message.typeId === MESSAGE.commandAmf0)
    .map((message) => parseCommand(message));
}

/** The `code` of each status that a server sent, in order. */
export function statusCodes(bytes: Uint8Array): string[] {
  const codes: string[] = [];
  for (const { args } of serverCommands(bytes)) {
    const info = args.at(-1);
    if (typeof info !== "object" || info === null || !("fields" in info)) continue;
    const code = info.fields.get("code");
    if (typeof code === "string") codes.push(code);
  }
  return codes;
}

/** Everything that was written, joined. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(chunks));
}
