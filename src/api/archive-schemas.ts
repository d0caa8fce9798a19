/** What requests about archives have in them, and what they are answered: the API's contract, as data. */
import { z } from "zod";

/** The end of the year 9999. Units: seconds since 1970, and milliseconds. */
const LATEST_S = 253_402_300_799;
const LATEST_MS = LATEST_S * 1000;

/** A month. */
const MAX_EXPORT_S = 31 * 86_400;

const MAX_NAMES = 100;
const MAX_PATH_LENGTH = 2048;

const seconds = z
  .number()
  .min(0, "it is a number of seconds from 0 on")
  .max(LATEST_S, "it is later than the year 9999");
const duration = z.number().gt(0, "it is above 0").max(LATEST_S, "it is longer than 9999 years");
const milliseconds = z
  .int("it is a whole number of milliseconds since 1970")
  .min(0, "it is a whole number of milliseconds since 1970")
  .max(LATEST_MS, "it is later than the year 9999");

/** Numbers of a query, which are text. */
function ofText<Schema extends z.ZodType<unknown, number>>(
  schema: Schema,
): z.ZodPipe<z.ZodPipe<z.ZodString, z.ZodTransform<number, string>>, Schema> {
  return z
    .string()
    .regex(/^\d{1,15}(\.\d{1,6})?$/, "it is a number without a sign")
    .transform(Number)
    .pipe(schema);
}

const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const name = z.string("it is the name of a stream").min(1, "it is the name of a stream").max(255);

/** A stretch of time: `from` in seconds since 1970, UTC, and `duration` in seconds. */
export const spanBody = z.strictObject({ from: seconds, duration });

/** Which ranges are wanted. */
export const rangesQuery = z.object({
  from: ofText(seconds).optional(),
  to: ofText(seconds).optional(),
});

const listed = {
  estimated_count: z.int(),
  next: z.null(),
  prev: z.null(),
  timing: z.record(z.string(), z.number()),
};

const spanReply = z.object({ from: z.number(), duration: z.number() });

/** What is recorded. */
export const rangesReply = z.object({
  ...listed,
  ranges: z.array(spanReply),
  /** Of media files of all hours of the span. */
  bytes: z.int(),
  /** There is more than is told. */
  truncated: z.boolean(),
});

/** What is locked. */
export const locksReply = z.object({ ...listed, locks: z.array(spanReply) });

const title = z.string().max(1000, "it has at most 1000 characters");
const episodeId = z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/, "it is 1 to 64 letters, digits or _.:-");

const episodeTimes = {
  closed_at: milliseconds.nullable().optional(),
  expires_at: milliseconds.nullable().optional(),
  title: title.optional(),
};

/** An episode to be made. */
export const episodePost = z.strictObject({
  name,
  episode_id: episodeId.optional(),
  opened_at: milliseconds,
  ...episodeTimes,
});

/** What of an episode is to be other than it is; or a whole one, which is made. */
export const episodePut = z.strictObject({
  name,
  episode_id: episodeId.optional(),
  opened_at: milliseconds.optional(),
  ...episodeTimes,
});

/** Which episodes are wanted. */
export const episodesQuery = z.object({
  name: name.transform((text) => text.split(",")).pipe(z.array(name).max(MAX_NAMES)),
  opened_at_lt: ofText(milliseconds).optional(),
  closed_at_gt: ofText(milliseconds).optional(),
  limit: ofText(z.int().min(1).max(10_000)).default(100),
});

/** Whose episode is meant. */
export const episodeQuery = z.object({ name });

/** An episode as it is. Times: milliseconds since 1970. */
export const episodeReply = z.object({
  episode_id: z.string(),
  name: z.string(),
  opened_at: z.int(),
  closed_at: z.int().nullable(),
  updated_at: z.int(),
  title: z.string(),
  expires_at: z.int().nullable(),
});

/** Episodes. */
export const episodesReply = z.object({ ...listed, episodes: z.array(episodeReply) });

/** What is to be exported, and where to. */
export const exportQuery = z.object({
  from: ofText(z.int("it is a whole number of seconds").max(LATEST_S, "it is later than the year 9999")),
  duration: ofText(
    z
      .int("it is a whole number of seconds")
      .min(1, "it is above 0")
      .max(MAX_EXPORT_S, "it is longer than a month"),
  ),
  path: z.string("it says where the file goes to").min(1).max(MAX_PATH_LENGTH),
  meta: z.string().max(1000).optional(),
  overwrite: flag.default(false),
});

/** An export under way, or over. Times: milliseconds since 1970. */
export const exportJobReply = z.object({
  id: z.string(),
  name: z.string(),
  from: z.number(),
  duration: z.number(),
  path: z.string(),
  meta: z.string().nullable(),
  status: z.enum(["waiting", "running", "done", "failed", "cancelled"]),
  bytes: z.int(),
  total_bytes: z.int().nullable(),
  percent: z.number(),
  error: z.object({ code: z.string(), title: z.string() }).nullable(),
  created_at: z.int(),
  started_at: z.int().nullable(),
  finished_at: z.int().nullable(),
});

/** Exports. */
export const exportJobsReply = z.object({ ...listed, dvr_export_jobs: z.array(exportJobReply) });
