/** Schemas that many operations have in common. */
import { z } from "zod";

/** UTC. Units: milliseconds since 1970. */
export const timeMs: z.ZodInt = z.int().min(0);

/** What a list is answered. Spec: docs/api.md, Lists. */
export function listOf(plural: string, item: z.ZodType): z.ZodObject<Record<string, z.ZodType>> {
  return z.object({
    [plural]: z.array(item),
    estimated_count: z.int(),
    next: z.string().nullable(),
    prev: z.string().nullable(),
    timing: z.record(z.string(), z.number()),
  });
}

/** An error as the API tells it. */
export const errorReply: z.ZodObject = z.object({
  errors: z.array(
    z.object({
      id: z.string(),
      status: z.string(),
      code: z.string(),
      title: z.string(),
      source: z.union([z.object({ pointer: z.string() }), z.object({ parameter: z.string() })]).optional(),
      meta: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});

/** What stands in the configuration's files of an object, as JSON; `null`: nothing. */
export const configOnDisk: z.ZodType<Readonly<Record<string, unknown>> | null> = z
  .record(z.string(), z.unknown())
  .nullable();

/** Words of `protocols`, as they are written: those that may play, or with `-` those that may not; all without any. */
export const protocolWords: z.ZodArray<z.ZodString> = z.array(z.string());
