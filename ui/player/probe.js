// @ts-check
/** Asks the server about a playlist, so that a failure can be told in words and a return be noticed. */

import { findingOfError } from "./findings.js";
import { MAX_PLAYLIST_CHARACTERS, readPlaylist } from "./playlist.js";

/** How long one question may take, in milliseconds: the server holds it for 12 s while a stream starts. */
const TIMEOUT_MS = 20_000;

/** How much of an error's body is shown, in characters: it is a sentence, not a document. */
const MAX_REASON_CHARACTERS = 300;

/** @typedef {import("./findings.js").Finding} Finding */

/**
 * @typedef {object} Probe
 * @property {Finding} finding
 * @property {number} status HTTP status; 0 where there was no answer
 * @property {string} reason the server's own words, plain text; empty where it gave none
 * @property {readonly string[]} codecs as the multivariant playlist names them
 * @property {string} newest of a live stream, changes when it has grown
 */

/** @type {Probe} */
const UNREACHABLE = { finding: "unreachable", status: 0, reason: "", codecs: [], newest: "" };

/**
 * Fetches the playlist, and the first media playlist that it names: a stream is there when both are.
 *
 * Never rejects: whatever goes wrong is a finding. An aborted question gives `unreachable`.
 * @param {string} url
 * @param {AbortSignal} signal
 * @param {typeof fetch} [fetcher]
 * @returns {Promise<Probe>}
 */
export async function probePlaylist(url, signal, fetcher = (...request) => fetch(...request)) {
  const limit = new AbortController();
  const abort = () => limit.abort();
  const timer = setTimeout(abort, TIMEOUT_MS);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    const first = await ask(url, limit.signal, fetcher);
    if (first.firstVariant === null) return first.probe;
    const media = await ask(new URL(first.firstVariant, first.url).href, limit.signal, fetcher);
    return { ...media.probe, codecs: first.probe.codecs };
  } catch {
    return UNREACHABLE;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/**
 * Fetches an MPD: a stream is there when it has one.
 *
 * Never rejects: whatever goes wrong is a finding.
 * @param {string} url
 * @param {AbortSignal} signal
 * @param {typeof fetch} [fetcher]
 * @returns {Promise<Probe>}
 */
export async function probeMpd(url, signal, fetcher = (...request) => fetch(...request)) {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetcher(url, { signal: limit, cache: "no-store" });
    if (!response.ok) return await probeOfError(response);
    const text = await readText(response, MAX_PLAYLIST_CHARACTERS);
    const newest = /\spublishTime="([^"]*)"/.exec(text)?.[1] ?? "";
    return { ...UNREACHABLE, finding: "there", status: response.status, newest };
  } catch {
    return UNREACHABLE;
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} signal
 * @param {typeof fetch} fetcher
 */
async function ask(url, signal, fetcher) {
  const response = await fetcher(url, { signal, cache: "no-store" });
  const from = response.url || url;
  if (!response.ok) return { url: from, firstVariant: null, probe: await probeOfError(response) };
  const facts = readPlaylist(await readText(response, MAX_PLAYLIST_CHARACTERS));
  const finding = findingOfPlaylist(facts);
  const reason = facts.isPlaylist ? "" : "What the server sent is not an HLS playlist.";
  const probe = { finding, status: response.status, reason, codecs: facts.codecs, newest: facts.newest };
  return { url: from, firstVariant: facts.firstVariant, probe };
}

/**
 * @param {import("./playlist.js").PlaylistFacts} facts
 * @returns {Finding}
 */
function findingOfPlaylist(facts) {
  if (!facts.isPlaylist) return "rejected";
  if (facts.isEnded) return "ended";
  return facts.hasSegments || facts.firstVariant !== null ? "there" : "starting";
}

/**
 * @param {Response} response
 * @returns {Promise<Probe>}
 */
async function probeOfError(response) {
  const finding = findingOfError(response.status, response.headers.get("x-error-code"));
  return { ...UNREACHABLE, finding, status: response.status, reason: await readReason(response) };
}

/**
 * The body of an error where it is plain text; a page of HTML, as proxies send it, says nothing to a viewer.
 *
 * @param {Response} response
 */
async function readReason(response) {
  const isText = /^text\/plain\b/i.test(response.headers.get("content-type") ?? "");
  if (!isText) {
    await response.body?.cancel();
    return "";
  }
  const text = await readText(response, 2 * MAX_REASON_CHARACTERS);
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return line.length <= MAX_REASON_CHARACTERS ? line : `${line.slice(0, MAX_REASON_CHARACTERS - 3)}...`;
}

/**
 * Reads a body up to a bound, and leaves the rest with the server.
 *
 * @param {Response} response
 * @param {number} maxCharacters
 */
async function readText(response, maxCharacters) {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < maxCharacters) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.slice(0, maxCharacters);
}
