// @ts-check
/** The seek bar of a file and the badge of a live stream. */

/**
 * @typedef {object} PositionParts
 * @property {HTMLInputElement} seek
 * @property {HTMLElement} time
 * @property {HTMLButtonElement} live
 * @property {HTMLElement} liveLabel
 * @property {HTMLElement} delay
 */

/**
 * Seconds as people write them: `0:07`, `1:02:03`.
 *
 * @param {number} seconds
 */
export function formatTime(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pair(minutes)}:${pair(whole % 60)}` : `${minutes}:${pair(whole % 60)}`;
}

/**
 * How late a picture is, as people write it: `0.8 s`, `12 s`, `3:20 min`.
 *
 * @param {number} seconds
 */
export function formatDelay(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  return seconds < 99.5 ? `${Math.round(seconds)} s` : `${formatTime(seconds)} min`;
}

/**
 * A time of day: `14:03:07`, or `12:03:07 UTC`.
 *
 * @param {number} timeMs since 1970
 * @param {boolean} isLocal as this device's clock shows it
 */
export function clockTime(timeMs, isLocal) {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) return "";
  if (!isLocal) return `${date.toISOString().slice(11, 19)} UTC`;
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pair).join(":");
}

/**
 * Shows where the picture is.
 *
 * @param {PositionParts} parts
 * @param {HTMLVideoElement} video
 * @param {{ isLive: boolean | null, isAtEdge: boolean, delaySeconds: number | null }} view
 * @param {boolean} isDragging the knob is held: it stays where it is
 */
export function renderPosition(
  { seek, time, live, liveLabel, delay },
  video,
  { isLive, isAtEdge, delaySeconds },
  isDragging,
) {
  const { duration, currentTime } = video;
  const isFile = isLive === false && Number.isFinite(duration);
  live.hidden = isLive !== true;
  live.dataset["atEdge"] = String(isAtEdge);
  live.setAttribute(
    "aria-label",
    isAtEdge ? "Live: this is the newest picture" : "Go to the newest picture",
  );
  liveLabel.textContent = isAtEdge ? "Live" : "Go live";
  delay.hidden = delaySeconds === null;
  delay.textContent = delaySeconds === null ? "" : `-${formatDelay(delaySeconds)}`;
  seek.hidden = !isFile;
  time.hidden = !isFile;
  if (!isFile) return;
  seek.max = String(duration);
  if (!isDragging) seek.value = String(currentTime);
  const shownSeconds = Number(seek.value);
  time.textContent = `${formatTime(shownSeconds)} / ${formatTime(duration)}`;
  seek.setAttribute("aria-valuetext", `${formatTime(shownSeconds)} of ${formatTime(duration)}`);
  seek.style.setProperty("--done", percent(shownSeconds, duration));
  seek.style.setProperty("--loaded", percent(loadedSeconds(video), duration));
}

/** @param {number} value */
function pair(value) {
  return String(value).padStart(2, "0");
}

/**
 * @param {number} value
 * @param {number} whole
 */
function percent(value, whole) {
  return whole > 0 ? `${Math.min(100, (value / whole) * 100).toFixed(2)}%` : "0%";
}

/**
 * Up to where it is loaded without a gap from the position on.
 *
 * @param {HTMLVideoElement} video
 */
function loadedSeconds({ buffered, currentTime }) {
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime + 0.5 && currentTime <= buffered.end(i)) return buffered.end(i);
  }
  return 0;
}
