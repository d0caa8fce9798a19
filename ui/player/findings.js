// @ts-check
/** What the server can say about a stream or file, and how often it is asked again then. */

/**
 * `quick`: every one to two seconds. `normal`: after 1 s, growing to 5 s. `slow`: after 5 s, growing to 30 s. `never`:
 * asking again will not help; a person may.
 * @typedef {"quick" | "normal" | "slow" | "never"} Pace
 */

/**
 * What the server says, and the pace of asking again.
 *
 * `there`: it plays. `ended`: there, and complete. `starting`: on air, without segments yet. `waiting`: the name is
 * allowed, and nothing comes from its publisher or source. `missing`: 404 or 410 without a reason that is known here.
 * `unknown`: the configuration has no such stream. `unrecorded`: nothing is recorded of the time that is asked for. `no-file`: no such file. `disabled`: switched off as a whole. `off`:
 * HLS or the player page is switched off for it. `bad-name`: nothing can have this name. `withheld`: the server may
 * not give the file. `unservable`: the file is broken, or of a kind that cannot be served. `refused`: not for this
 * viewer. `rejected`: another 4xx, or not a playlist. `busy`: 503 or 429. `failing`: another 5xx, or the storage.
 * `unreachable`: no answer.
 */
export const PACES = /** @satisfies {Record<string, Pace>} */ (
  /** @type {const} */ ({
    there: "normal",
    ended: "normal",
    starting: "quick",
    waiting: "normal",
    missing: "normal",
    unknown: "slow",
    unrecorded: "slow",
    "no-file": "slow",
    disabled: "slow",
    off: "never",
    "bad-name": "never",
    withheld: "never",
    unservable: "never",
    refused: "never",
    rejected: "never",
    busy: "normal",
    failing: "normal",
    unreachable: "normal",
  })
);

/** @typedef {keyof typeof PACES} Finding */

/** @type {ReadonlyMap<string, Finding>} by the server's header `X-Error-Code` */
const BY_CODE = new Map(
  /** @type {[string, Finding][]} */ ([
    ["STREAM_NOT_ON_AIR", "waiting"],
    ["STREAM_STARTING", "starting"],
    ["STREAM_NOT_FOUND", "unknown"],
    ["STREAM_DISABLED", "disabled"],
    ["STREAM_PROTOCOL_OFF", "off"],
    ["STREAM_NOT_RECORDED", "unknown"],
    ["DVR_NOTHING_RECORDED", "unrecorded"],
    ["STREAM_BAD_NAME", "bad-name"],
    ["STREAM_NOT_CARRIED", "unservable"],
    ["ACCESS_DENIED", "refused"],
    ["ACCESS_PASSWORD", "refused"],
    ["ACCESS_UNAVAILABLE", "busy"],
    ["VOD_NOT_FOUND", "no-file"],
    ["VOD_BAD_PATH", "withheld"],
    ["VOD_NO_DOWNLOAD", "withheld"],
    ["VOD_UNREADABLE", "withheld"],
    ["VOD_SEGMENT_TOO_BIG", "unservable"],
    ["VOD_READ_FAILED", "failing"],
    ["VOD_CHANGED", "failing"],
  ]),
);

/**
 * What an error of the server means: by its code where that is known, else by its status.
 *
 * @param {number} status HTTP status, not 2xx
 * @param {string | null} code as in the header `X-Error-Code`
 * @returns {Finding}
 */
export function findingOfError(status, code) {
  const known = code === null ? undefined : BY_CODE.get(code);
  if (known !== undefined) return known;
  if (status === 422 && /^(?:MP4|CODEC|VOD)_/.test(code ?? "")) return "unservable";
  return findingOfStatus(status);
}

/**
 * @param {number} status
 * @returns {Finding}
 */
function findingOfStatus(status) {
  if (status === 404 || status === 410) return "missing";
  if (status === 401 || status === 403) return "refused";
  if (status === 429 || status === 503) return "busy";
  return status >= 500 ? "failing" : "rejected";
}
