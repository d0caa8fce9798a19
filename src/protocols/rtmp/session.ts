import { asMediaError, messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import type { SubscriptionEnd } from "../../stream/wire-format.ts";
import type { Logger } from "../../base/log.ts";
import { PLAY_MESSAGE_STREAM, SENT_CHUNK_BYTES } from "./from-stream.ts";
import { applicationOfUrl, resolveTarget } from "./names.ts";
import type { RtmpTarget } from "./names.ts";
import { isLegal } from "./session-states.ts";
import type { RtmpCloseReason, RtmpState } from "./session-states.ts";
import { enhancedProperties, statusObject } from "./status.ts";
import type { StatusKey } from "./status.ts";
import { rtmpErrors } from "./errors.ts";
import { amfField, amfObject } from "./wire/amf-value.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { ChunkReader } from "./wire/chunk-reader.ts";
import type { ChunkLimits, RtmpMessage } from "./wire/chunk-reader.ts";
import { buildMessage } from "./wire/chunk-writer.ts";
import { ServerHandshake } from "./wire/handshake.ts";
import {
  CHUNK_STREAM,
  CONTROL_EVENT,
  MESSAGE,
  buildCommand,
  buildControlNumber,
  buildPeerBandwidth,
  buildUserControl,
  parseCommand,
  parseControlNumber,
  parseUserControl,
} from "./wire/messages.ts";
import type { RtmpCommand } from "./wire/messages.ts";
