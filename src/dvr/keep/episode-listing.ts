/** What a server of episodes is asked, `episodes_url`, and what it answers; docs/api.md, "Episodes of another server". */
import { LATEST_MS } from "./episode-log.ts";

/** A part of a stream's time that is to be kept. Units: milliseconds since 1970. */
export type ListedEpisode = {
  readonly fromMs: number;
  /** `Infinity`: it goes on. */
  readonly toMs: number;
  /** `null`: it says nothing of that. */
  readonly expiresAtMs: number | null;
};

/** One page of a list. */
export type EpisodePage = {
  readonly episodes: readonly ListedEpisode[];
  /** Where the next one begins; `null`: there is none. */
  readonly next: string | null;
};

/** Whose episodes are asked for, and of which time. Units: milliseconds since 1970. */
export type EpisodeQuestion = {
  readonly stream: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** The next page of an answer; `null`: the first. */
  readonly cursor: string | null;
};

/** Most episodes of one stream that are believed. */
export const MAX_LISTED_EPISODES = 100_000;
/** Longest page. Units: bytes. */
export const MAX_PAGE_BYTES = 8 * 1024 * 1024;

const MAX_CURSOR_LENGTH = 1000;

/** An address and what proves who asks. */
export type EpisodeAddress = {
  readonly origin: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * What is to be sent for a question. `base`: a URL as the configuration has it; what stands before its `@` is a bearer token,
 * or a user's name and password.
 */
export function episodeAddress(base: string, question: EpisodeQuestion): EpisodeAddress {
  const url = new URL(base);
  const { stream, fromMs, toMs, cursor } = question;
  url.searchParams.set("name", stream);
  url.searchParams.set("opened_at_lt", String(Math.ceil(toMs)));
  url.searchParams.set("closed_at_gt", String(Math.floor(fromMs)));
  if (cursor !== null) url.searchParams.set("cursor", cursor);
  const authorization = authorizationOf(url);
  return {
    origin: url.origin,
    target: `${url.pathname}${url.search}`,
    headers: { accept: "application/json", ...(authorization === null ? {} : { authorization }) },
  };
}

/** A server's address as messages may have it, without what is secret. */
export function episodeServerName(base: string): string {
  const { origin, pathname } = new URL(base);
  return `${origin}${pathname}`;
}

function authorizationOf({ username, password }: URL): string | null {
  if (username === "") return null;
  const user = decodeURIComponent(username);
  if (password === "") return `Bearer ${user}`;
  return `Basic ${Buffer.from(`${user}:${decodeURIComponent(password)}`).toString("base64")}`;
}

/**
 * Reads a page: `{"episodes": [{"opened_at", "closed_at", "expires_at", "name"}], "next"}`, as `GET /episodes` of the API has
 * it. Episodes of other streams, which say so in `name` or `media`, are passed over.
 *
 * Returns: `null` when it is no such page, or one of its episodes is none: what it does not tell might be what is to be kept.
 */
export function parseEpisodePage(bytes: Uint8Array, stream: string): EpisodePage | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  const { episodes: rows, next = null } = value;
  if (!Array.isArray(rows) || rows.length > MAX_LISTED_EPISODES) return null;
  if (next !== null && (typeof next !== "string" || next.length > MAX_CURSOR_LENGTH)) return null;
  const episodes: ListedEpisode[] = [];
  for (const row of rows as unknown[]) {
    if (!isRecord(row)) return null;
    const name = row["name"] ?? row["media"] ?? stream;
    const episode = episodeOf(row);
    if (episode === null || typeof name !== "string") return null;
    if (name === stream) episodes.push(episode);
  }
  return { episodes, next: next === "" ? null : next };
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function episodeOf({ opened_at, closed_at = null, expires_at = null }: Fields): ListedEpisode | null {
  if (!isTime(opened_at)) return null;
  if (closed_at !== null && (!isTime(closed_at) || closed_at < opened_at)) return null;
  if (expires_at !== null && !isTime(expires_at)) return null;
  // One that was closed in the moment in which it was opened keeps that moment.
  const toMs = closed_at === null ? Infinity : Math.max(closed_at, opened_at + 1);
  return { fromMs: opened_at, toMs, expiresAtMs: expires_at };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= LATEST_MS;
}
