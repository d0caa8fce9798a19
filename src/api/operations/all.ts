/** All that the API has: what is documented, and what its client can do. */
import type { ApiOperation } from "../operation.ts";
import { archiveOperations } from "./archive.ts";
import { changeOperations } from "./changes.ts";
import { configOperations } from "./config.ts";
import { eventOperations } from "./events.ts";
import {
  authBackendOperations,
  dvrOperations,
  eventSinkOperations,
  templateOperations,
  vodFileOperations,
  vodOperations,
} from "./objects.ts";
import { sessionOperations } from "./sessions.ts";
import { streamOperations } from "./streams.ts";

/** In the order in which they are told. */
export const OPERATIONS: readonly ApiOperation[] = [
  streamOperations,
  sessionOperations,
  templateOperations,
  vodOperations,
  vodFileOperations,
  dvrOperations,
  authBackendOperations,
  eventSinkOperations,
  configOperations,
  changeOperations,
  eventOperations,
  archiveOperations,
].flatMap((group) => Object.values<ApiOperation>(group));
