// @ts-check
/** What the player page says when there is no picture: one table, all of it plain text. */

import { looksLikeFile, shownName } from "../shared/names.js";
import { codecName } from "./playlist.js";

/**
 * @typedef {import("./probe.js").Finding
 *   | "ended-live" | "unplayable" | "stalled" | "behind" | "broken" | "offline" | "nameless"} Situation
 */

/**
 * @typedef {object} Circumstances
 * @property {string} name the stream's or file's name
 * @property {number} [status] HTTP status
 * @property {string} [reason] the server's or the engine's own words
 * @property {readonly string[]} [codecs] those that the browser cannot play; empty where that is not known
 */

/**
 * @typedef {object} Message
 * @property {string} title a sentence
 * @property {string} detail what happens next, or what to do
 * @property {string} note the server's own words; empty where there are none
 * @property {boolean} canRetry offer a button, since waiting alone will not help or takes long
 */

const STARTS_BY_ITSELF = "This page starts by itself when it comes back.";
const TRIES_BY_ITSELF = "Trying again by itself.";

/** @type {Record<Situation, (name: string, about: Circumstances) => Partial<Message> & { title: string }>} */
const MESSAGES = {
  missing: (name) =>
    looksLikeFile(name)
      ? { title: `There is no file ${name}.`, detail: "This page starts by itself when the file appears." }
      : { title: `${name} is not on air.`, detail: STARTS_BY_ITSELF },
  waiting: (name) => ({
    title: `${name} is not on air.`,
    detail: "Nobody publishes it now. This page starts by itself when somebody does.",
  }),
  "ended-live": (name) => ({ title: `${name} has ended.`, detail: STARTS_BY_ITSELF }),
  refused: (name, about) => ({
    title: `${name} may not be played from this page.`,
    detail: `The server asks for permission (HTTP ${about.status}).`,
    canRetry: true,
  }),
  rejected: (name, about) => ({
    title: `${name} cannot be played.`,
    detail: about.status === 200 ? "" : `The server answered with HTTP ${about.status}.`,
    canRetry: true,
  }),
  failing: (name, about) => ({
    title: `The server has a problem with ${name}.`,
    detail: `It answered with HTTP ${about.status}. ${TRIES_BY_ITSELF}`,
  }),
  unreachable: () => ({ title: "The server does not answer.", detail: TRIES_BY_ITSELF }),
  offline: () => ({
    title: "This device is offline.",
    detail: "Playback goes on when the network is back.",
  }),
  unplayable: (name, about) => ({
    title: `This browser cannot play ${name}.`,
    detail: `${codecSentence(about.codecs ?? [])} Another browser or device may be able to.`,
    canRetry: true,
  }),
  stalled: (name) => ({
    title: `Nothing new from ${name}.`,
    detail: "The picture goes on when more arrives.",
  }),
  behind: (name) => ({ title: `Waiting for ${name}.`, detail: "The network or the server is slow." }),
  broken: (name) => ({
    title: `Playing ${name} keeps failing.`,
    detail: "The next attempt is in half a minute.",
    canRetry: true,
  }),
  nameless: () => ({
    title: "This address names no stream.",
    detail: "A player page has the form /NAME/embed.html.",
  }),
  there: (name) => ({ title: `${name} is starting.` }),
  ended: (name) => ({ title: `${name} is starting.` }),
};

/**
 * The words for a situation.
 *
 * @param {Situation} situation
 * @param {Circumstances} about
 * @returns {Message}
 */
export function messageFor(situation, about) {
  const words = MESSAGES[situation](shownName(about.name), about);
  return { detail: "", note: about.reason ?? "", canRetry: false, ...words };
}

/** @param {readonly string[]} codecs */
function codecSentence(codecs) {
  const names = [...new Set(codecs.map(codecName))];
  if (names.length === 0) return "It has no decoder for this kind of video or sound.";
  const list = names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `It has no decoder for ${list}.`;
}
