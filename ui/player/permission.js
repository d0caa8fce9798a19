// @ts-check
/** Browsers let a page play with sound, or at all, only after a click in it. */

/**
 * Starts a video, without sound where the browser refuses it with.
 *
 * Never rejects.
 * @param {HTMLVideoElement} video
 * @param {(text: string) => void} log
 * @returns {Promise<boolean>} `false`: the browser wants a click first
 */
export async function playIfAllowed(video, log) {
  if (await isPlayAllowed(video)) return true;
  if (!video.muted) {
    log("the browser wants a click before sound: playing without");
    video.muted = true;
    if (await isPlayAllowed(video)) return true;
  }
  log("the browser wants a click before it plays");
  return false;
}

/** @param {HTMLVideoElement} video */
async function isPlayAllowed(video) {
  try {
    await video.play();
    return true;
  } catch (error) {
    // Any other failure has its own event, or is that of a load which a newer one replaced.
    return !(error instanceof Error && error.name === "NotAllowedError");
  }
}
