// @ts-check
/** What the player page says when there is no picture: one table, all of it plain text. */

import { shownName } from "../shared/names.js";
import { codecName } from "./playlist.js";

/**
 * @typedef {import("./findings.js").Finding
 *   | "ended-live" | "unplayable" | "slow" | "stalled" | "behind" | "broken" | "offline" | "nameless"} Situation
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

const TRIES_BY_ITSELF = "Trying again by itself.";

/** @type {Record<Situation, (name: string, about: Circumstances) => Partial<Message> & { title: string }>} */
const MESSAGES = {
  waiting: (name) => ({
    title: `${name} is not on air.`,
    detail: "Its publisher or source gives nothing now. This page starts by itself when it does.",
  }),
  starting: (name) => ({
    title: `${name} is starting.`,
    detail: "It is on air, and its first seconds are being prepared. This page starts by itself.",
  }),
  "ended-live": (name) => ({
    title: `${name} has ended.`,
    detail: "This page starts by itself when it comes back.",
  }),
  missing: (name) => ({
    title: `${name} is not there.`,
    detail: "The server has nothing to play under this name. This page starts by itself when it has.",
  }),
  unknown: (name) => ({
    title: `There is no stream ${name}.`,
    detail: "The server's configuration has none of this name. This page starts by itself when it has.",
  }),
  unrecorded: (name) => ({
    title: `Nothing of ${name} is recorded then.`,
    detail: "It was not on air, or what was recorded is deleted by now.",
  }),
  "no-file": (name) => ({
    title: `There is no file ${name}.`,
    detail: "This page starts by itself when the file appears.",
  }),
  disabled: (name) => ({
    title: `${name} is switched off.`,
    detail: "The server's configuration disables it. This page starts by itself when it is switched on.",
  }),
  off: (name) => ({
    title: `${name} cannot be played on this page.`,
    detail:
      "The server's configuration switches off all that this page can play of it, or the page itself.",
    canRetry: true,
  }),
  "bad-name": (name) => ({
    title: `There can be no stream ${name}.`,
    detail: "Check the address of this page: no stream can have such a name.",
  }),
  withheld: (name) => ({
    title: `The server cannot give the file ${name}.`,
    detail: "It may not read it, or may not show it.",
    canRetry: true,
  }),
  unservable: (name) => ({
    title: `The file ${name} cannot be played.`,
    detail: "It is broken, or of a kind that the server cannot serve.",
    canRetry: true,
  }),
  refused: (name, about) => ({
    title: `${name} may not be played from this page.`,
    detail: `The server refuses it (HTTP ${about.status}).`,
    canRetry: true,
  }),
  rejected: (name, about) => ({
    title: `${name} cannot be played.`,
    detail: about.status === 200 ? "" : `The server answered with HTTP ${about.status}.`,
    canRetry: true,
  }),
  busy: (name, about) => ({
    title: `The server cannot give ${name} now.`,
    detail: `It is busy or not ready (HTTP ${about.status}). ${TRIES_BY_ITSELF}`,
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
  slow: (name) => ({
    title: `Waiting for the first picture of ${name}.`,
    detail: "The stream may have just begun, or the network or the server is slow.",
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
