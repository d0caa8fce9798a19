// @ts-check
/** What the address of a player page says: what to play, how, and how to begin. */

import { protocolOf } from "./protocols.js";

/**
 * @typedef {object} PlayerOptions
 * @property {boolean} autoplay begin without a click
 * @property {boolean} muted begin without sound
 * @property {number} volume 0 to 1
 * @property {string} carried passed on with every address: the token, whatever the server's name for it is, and what else
 *   this page does not know; a query without its question mark
 * @property {import("./protocols.js").ProtocolName | "nearest" | null} proto
 * @property {boolean} realtime with the least delay
 * @property {boolean} dvr the viewer wants to step back
 * @property {boolean} localTime times as this device's clock shows them; else in UTC
 * @property {number} exportLimitSeconds longest piece of an archive that may be saved; of no use without an archive
 * @property {number | null} playSeconds stops after so much was played
 * @property {number | null} agoSeconds begins so far behind the live edge
 * @property {number | null} fromMs begins there, in milliseconds since 1970
 * @property {number | null} toMs stops there, in milliseconds since 1970
 * @property {readonly string[]} streams names to choose from
 * @property {import("./engines.js").TrackNumbers} startTracks
 * @property {readonly string[]} complaints one sentence for each value that makes no sense; it counts as not given
 */

const OFF = new Set(["0", "false", "no", "off"]);
const ON = new Set(["1", "true", "yes", "on", ""]);
const DAY_SECONDS = 86_400;
/** A number of seconds since 1970 is smaller for some thousand years: a bigger one counts milliseconds. */
const MILLISECONDS_FROM = 100_000_000_000;
/** Streams in one address at most: they fill a menu. */
const MAX_STREAMS = 64;
const MAX_VALUE_SHOWN = 40;

/**
 * Reads the query of the page's address. Words that it does not know are the server's.
 *
 * @param {string} search as `location.search` has it
 * @returns {PlayerOptions}
 */
export function parseOptions(search) {
  const query = new QueryReader(new URLSearchParams(search));
  const [fromMs, toMs] = query.range();
  const known = {
    autoplay: query.flag("autoplay", true),
    muted: query.flag("mute", true),
    volume: query.volume(),
    proto: query.read("proto", protocolOf, "hls, ll-hls, dash, ll-dash or mse-ld"),
    realtime: query.flag("realtime", false),
    dvr: query.flag("dvr", false),
    localTime: query.flag("localtime", true),
    exportLimitSeconds: query.seconds("export_limit") ?? DAY_SECONDS,
    playSeconds: query.seconds("play_duration"),
    agoSeconds: query.seconds("ago"),
    fromMs: fromMs ?? null,
    toMs: toMs ?? null,
    streams: query.read("streams", parseStreams, "names with commas between them") ?? [],
    startTracks: query.read("start_track", parseTracks, "tracks as in v1a1") ?? {
      video: null,
      audio: null,
    },
  };
  return { ...known, carried: query.rest(), complaints: query.complaints };
}

/**
 * Something that stands beside a player page. The name keeps the encoding in which the server handed it out.
 *
 * @param {string} pageUrl
 * @param {string} resource such as `index.m3u8`
 * @param {string} carried a query without its question mark
 */
export function resourceUrl(pageUrl, resource, carried) {
  const url = new URL(resource, pageUrl);
  url.search = carried;
  return url.href;
}

/** Reads values by name, and notes those that make no sense. */
class QueryReader {
  #query;
  /** @type {Set<string>} */
  #read = new Set();
  /** @type {string[]} */
  complaints = [];

  /** @param {URLSearchParams} query */
  constructor(query) {
    this.#query = query;
  }

  /** What nobody has read. */
  rest() {
    const unread = [...this.#query].filter(([name]) => !this.#read.has(name));
    return new URLSearchParams(unread).toString();
  }

  /**
   * @template Value
   * @param {string} name
   * @param {(text: string) => Value | null} parse
   * @param {string} expected
   * @returns {Value | null}
   */
  read(name, parse, expected) {
    this.#read.add(name);
    const text = this.#query.get(name);
    if (text === null) return null;
    const value = parse(text.trim());
    if (value === null) {
      this.complaints.push(`${name}=${text.slice(0, MAX_VALUE_SHOWN)} is ignored: it takes ${expected}.`);
    }
    return value;
  }

  /**
   * @param {string} name
   * @param {boolean} otherwise
   */
  flag(name, otherwise) {
    return this.read(name, parseFlag, "true or false") ?? otherwise;
  }

  /** @param {string} name */
  seconds(name) {
    return this.read(name, parseSeconds, "seconds, a number above 0");
  }

  volume() {
    return this.read("volume", parseVolume, "a number from 0 to 1, or a percentage") ?? 1;
  }

  /** `from` and `to`, which must not stand the other way round. */
  range() {
    const fromMs = this.read("from", parseTime, "seconds since 1970");
    const toMs = this.read("to", parseTime, "seconds since 1970");
    if (fromMs === null || toMs === null || fromMs < toMs) return [fromMs, toMs];
    this.complaints.push("from and to are ignored: from must be before to.");
    return [null, null];
  }
}

/** @param {string} text */
function parseFlag(text) {
  const word = text.toLowerCase();
  if (OFF.has(word)) return false;
  return ON.has(word) ? true : null;
}

/** @param {string} text */
function parseSeconds(text) {
  const seconds = text === "" ? NaN : Number(text);
  return seconds > 0 && Number.isFinite(seconds) ? seconds : null;
}

/** @param {string} text */
function parseTime(text) {
  const time = parseSeconds(text);
  if (time === null || time > Number.MAX_SAFE_INTEGER / 1000) return null;
  return time >= MILLISECONDS_FROM ? time : time * 1000;
}

/**
 * Up to 1 it is a part of the whole, above it a percentage: both forms are met in embed codes.
 *
 * @param {string} text
 */
function parseVolume(text) {
  const number = text === "" ? NaN : Number(text);
  if (!(number >= 0)) return null;
  return Math.min(1, number > 1 ? number / 100 : number);
}

/** @param {string} text */
function parseStreams(text) {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !/^\/|\/\/|\/$|^\.{1,2}$|^\.{1,2}\/|\/\.{1,2}(?:\/|$)/.test(name));
  return names.length === 0 ? null : [...new Set(names)].slice(0, MAX_STREAMS);
}

/** @param {string} text */
function parseTracks(text) {
  const match = /^(?:v(\d{1,3}))?(?:a(\d{1,3}))?$/.exec(text);
  if (match === null || text === "") return null;
  const [video, audio] = [match[1], match[2]].map((number) =>
    number === undefined ? null : Number(number),
  );
  return video === 0 || audio === 0 ? null : { video: video ?? null, audio: audio ?? null };
}
