// @ts-check
/** What the server says of its streams and files, checked and put in words. The replies are data, not trusted. */

/** More than this is not put on the page at once; the rest is found by the filter. */
export const MAX_SHOWN = 200;

/**
 * @typedef {object} Item
 * @property {"stream" | "file"} kind
 * @property {string} name
 * @property {string} title empty where it has none
 * @property {boolean} isLive
 * @property {boolean} isPlayable its player may be opened: also for what is not on air yet, the player waits for it
 * @property {string} brief a few words for the list
 * @property {string} facts one line in words
 */

/**
 * Streams of `GET /-/streams`, those on air first, each group by name. Rows that are not as agreed are left out.
 *
 * @param {unknown} reply
 * @param {number} nowMs since 1970
 * @returns {Item[]}
 */
export function readStreams(reply, nowMs) {
  const streams = rowsOf(reply, "streams").map((row) => {
    const isLive = row["status"] === "live";
    const isPlayable = row["playable"] !== false && row["status"] !== "stopped";
    const still = row["playable"] === false ? NOT_PLAYABLE : offAirWords(row);
    /** @type {Item} */
    const item = {
      kind: "stream",
      name: text(row["name"]),
      title: text(row["title"]),
      isLive,
      isPlayable,
      brief: isLive && isPlayable ? liveWords([sizeWords(row), ageWords(row, nowMs)]) : still,
      facts:
        isLive && isPlayable
          ? liveWords([
              videoWords(text(row["video"])),
              audioWords(text(row["audio"])),
              ageWords(row, nowMs),
            ])
          : still,
    };
    return item;
  });
  return sorted(streams);
}

/**
 * Files of `GET /-/files`.
 *
 * @param {unknown} reply
 * @returns {{ files: Item[], hasMore: boolean }}
 */
export function readFiles(reply) {
  const files = rowsOf(reply, "files").map((row) => {
    const size = typeof row["bytes"] === "number" ? formatBytes(row["bytes"]) : "";
    /** @type {Item} */
    const item = {
      kind: "file",
      name: text(row["name"]),
      title: "",
      isLive: false,
      isPlayable: true,
      brief: size,
      facts: size,
    };
    return item;
  });
  return { files: sorted(files), hasMore: isRecord(reply) && reply["more"] === true };
}

/**
 * Items whose name or title has all the words.
 *
 * @param {readonly Item[]} items
 * @param {string} wanted
 */
export function filterItems(items, wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(({ name, title }) => {
    const searched = `${name} ${title}`.toLowerCase();
    return words.every((word) => searched.includes(word));
  });
}

/**
 * Bytes as people write them: `291 kB`, `1.4 GB`.
 *
 * Units: decimal, as disks are sold and as `ls --si` shows them.
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * How long ago, in the two greatest units: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
 *
 * @param {number} ms
 */
export function formatAge(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** @param {readonly string[]} words */
function liveWords(words) {
  return words.filter(Boolean).join(" \u00b7 ");
}

/**
 * @param {Record<string, unknown>} row
 * @param {number} nowMs
 */
function ageWords(row, nowMs) {
  const sinceMs = Date.parse(text(row["since"]));
  return Number.isNaN(sinceMs) ? "" : `for ${formatAge(nowMs - sinceMs)}`;
}

/** Short, since the list is narrow: the row is no link, and this is why. */
const NOT_PLAYABLE = "Its player page is switched off";

/** Why a stream that waits is not on air, by where its media come from. */
const WAITING_WORDS = new Map([
  ["publish", "Waiting for its publisher"],
  ["file", "Its file cannot be played now"],
  ["fake", "Its test picture does not run now"],
]);

/** @param {Record<string, unknown>} row */
function offAirWords(row) {
  if (row["status"] === "stopped") return "Disabled in the configuration";
  const words = row["status"] === "waiting" ? WAITING_WORDS.get(text(row["input"])) : undefined;
  return words ?? "Not on air";
}

/**
 * The picture's size, the first thing that tells streams apart; `Sound only` where there is none.
 *
 * @param {Record<string, unknown>} row
 */
function sizeWords(row) {
  const size = /\b(\d+)x(\d+)\b/.exec(text(row["video"]));
  if (size !== null) return `${size[1]}\u00d7${size[2]}`;
  return text(row["video"]) === "" && text(row["audio"]) !== "" ? "Sound only" : "";
}

/** @type {Readonly<Record<string, string>>} */
const CODECS = {
  h264: "H.264",
  h265: "H.265",
  hevc: "H.265",
  av1: "AV1",
  vp9: "VP9",
  aac: "AAC",
  mp3: "MP3",
  opus: "Opus",
  ac3: "AC-3",
  eac3: "E-AC-3",
};

/**
 * `h264 640x360 25` gives `H.264 640x360 25 fps`; what has another form stays as it is.
 *
 * @param {string} video
 */
function videoWords(video) {
  const match = /^(\S+) (\d+x\d+)(?: ([\d.]+))?$/.exec(video);
  if (match === null) return video;
  const [, codec = "", size = "", rate] = match;
  const words = `${CODECS[codec] ?? codec} ${size.replace("x", "\u00d7")}`;
  return rate === undefined ? words : `${words} ${Number(Number(rate).toFixed(2))} fps`;
}

/**
 * `aac 48000 2` gives `AAC 48 kHz stereo`.
 *
 * @param {string} audio
 */
function audioWords(audio) {
  const match = /^(\S+) (\d+) (\d+)$/.exec(audio);
  if (match === null) return audio;
  const [, codec = "", rate = "", channels = ""] = match;
  const places = channels === "1" ? "mono" : channels === "2" ? "stereo" : `${channels} channels`;
  return `${CODECS[codec] ?? codec} ${Number(rate) / 1000} kHz ${places}`;
}

/**
 * @param {unknown} reply
 * @param {string} list
 */
function rowsOf(reply, list) {
  const rows = isRecord(reply) ? reply[list] : null;
  return Array.isArray(rows) ? rows.filter(isRecord).filter((row) => text(row["name"]) !== "") : [];
}

/** Numbers in names count as numbers: `camera-2` before `camera-10`. */
const BY_NAME = new Intl.Collator("en", { numeric: true });

/** @param {Item[]} items */
function sorted(items) {
  return items.sort((a, b) => Number(b.isLive) - Number(a.isLive) || BY_NAME.compare(a.name, b.name));
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : "";
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
