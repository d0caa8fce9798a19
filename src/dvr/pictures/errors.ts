import { defineErrors } from "../../base/errors.ts";

/** Errors of pictures of streams and recordings. */
export const dvrPictureErrors = defineErrors({
  DVR_PICTURE_NO_KEY_FRAME: {
    disposition: "reject",
    httpStatus: 404,
    message: 'there is no key frame of "{name}" near {time}: {reason}',
    doc: "A picture is made of the key frame at a time or before it, not further back than the message says. Ask for a time at which pictures are recorded; the message names the nearest ones.",
  },
  DVR_PICTURE_BAD_FRAGMENT: {
    disposition: "reject",
    httpStatus: 500,
    message: "a fragment of track {track} gives no picture: {reason}",
    doc: "What is stored there is damaged, or does not begin with a key frame as it should. Other times are not affected.",
  },
  DVR_PICTURE_BUSY: {
    disposition: "reject",
    httpStatus: 503,
    message: "{waiting} pictures are waiting to be made already: ask again in a few seconds",
    doc: "Each thread makes one picture at a time, so that pictures take no more than their share of the processor. Those that were made lately are kept.",
  },
  DVR_PICTURE_NO_FFMPEG: {
    disposition: "reject",
    httpStatus: 501,
    message: "this server makes no pictures: the program ffmpeg is not installed beside it",
    doc: "Pictures are decoded by ffmpeg. Install it where the server runs, or add it to the image; docs/player.md says how. Everything else works without it.",
  },
  DVR_PICTURE_FAILED: {
    disposition: "reject",
    httpStatus: 404,
    message: "there is no picture of the key frame: {reason}",
    doc: "The program ffmpeg could not decode the key frame. Its own words stand in the message, and in the log: it may lack the codec.",
  },
  DVR_PICTURE_UNAVAILABLE: {
    disposition: "reject",
    httpStatus: 503,
    message: "there is no picture now, ask again in a few seconds: {reason}",
    doc: "A picture is answered within five seconds, whatever it waits for: what is live, a disk, its turn, or ffmpeg, which a busy machine may slow down or not let start. One that is being drawn then is drawn to its end, and kept for who asks again.",
  },
});
