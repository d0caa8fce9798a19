/** Sessions: who plays and publishes, and what the server itself records and takes in. */
import { z } from "zod";
import type { ApiOperation } from "../operation.ts";
import { listOf, timeMs } from "./shared-schemas.ts";

/** One session. Tokens are whole for those who may edit alone. */
export const sessionItem: z.ZodObject = z.object({
  id: z.string(),
  type: z.enum(["play", "publish", "push", "record", "ingest"]),
  name: z.string(),
  proto: z.string(),
  ip: z.string(),
  country: z.string().optional(),
  token: z.string().optional(),
  user_id: z.string().optional(),
  max_sessions: z.int().optional(),
  soft_limitation: z.boolean(),
  user_agent: z.string().optional(),
  referer: z.string().optional(),
  query_string: z.string().optional(),
  bytes: z.int(),
  opened_at: timeMs,
  started_at: timeMs.optional(),
  updated_at: timeMs,
  closed_at: timeMs.optional(),
  close_reason: z.string().optional(),
  ssl: z.boolean(),
  dvr: z.boolean(),
  named_by: z.string().optional(),
  request_number: z.int(),
  status: z.enum(["establishing", "running", "stalling", "finished"]),
});

/** Operations on sessions. */
export const sessionOperations = {
  list: {
    method: "GET",
    path: "/sessions",
    id: "sessionsList",
    tag: "sessions",
    summary: "Who plays and publishes",
    scope: "sessions",
    list: { name: "Session", item: sessionItem },
    reply: { status: 200, schema: listOf("sessions", sessionItem) },
  },
  get: {
    method: "GET",
    path: "/sessions/{id}",
    id: "sessionGet",
    tag: "sessions",
    summary: "One session",
    scope: "sessions",
    reply: { status: 200, schema: sessionItem },
  },
  kick: {
    method: "DELETE",
    path: "/sessions/{id}",
    id: "sessionDelete",
    tag: "sessions",
    summary: "Ends a session, and its connections",
    scope: "sessions",
    errors: [409],
    reply: { status: 204, schema: null },
  },
  reauth: {
    method: "POST",
    path: "/sessions/reauth",
    id: "sessionsReauth",
    tag: "sessions",
    summary: "Asks again whether sessions may go on: those of a stream, or all",
    scope: "sessions",
    query: z.object({ name: z.string().min(1).max(255).optional() }),
    reply: { status: 204, schema: null },
  },
} as const satisfies Record<string, ApiOperation>;
