// @ts-check
/** The front page: lists what the server has, plays it, says how to publish. */

import { nameOfAnchor, pathOfName, shownName } from "../shared/names.js";
import { embedCode, playlistAddress, publishWords, readAbout } from "./commands.js";
import { wireCopyButtons } from "./copying.js";
import { filterItems, MAX_SHOWN, readFiles, readStreams } from "./listing.js";
import { renderItems } from "./lists.js";
import { ask, repeatWhileSeen } from "./server.js";

const STREAMS_PERIOD_MS = 2000;
const FILES_PERIOD_MS = 30_000;
const ABOUT_RETRY_MS = 5000;
/** From so many names on, there is a field to filter them. */
const FILTER_FROM = 9;

/** @typedef {import("./listing.js").Item} Item */

const state = {
  /** @type {Item[] | null} */
  streams: null,
  /** @type {Item[] | null} */
  files: null,
  hasMoreFiles: false,
  /** @type {string | null} */
  selected: null,
  /** @type {string | null} whose player is shown */
  opened: null,
};

wireCopyButtons(document);
// The anchor carries the choice, so that it can be kept as a bookmark.
addEventListener("hashchange", () => select(nameOfAnchor(location.hash)));
field("filter").addEventListener("input", render);
select(nameOfAnchor(location.hash));
repeatWhileSeen(updateStreams, STREAMS_PERIOD_MS);
repeatWhileSeen(updateFiles, FILES_PERIOD_MS);
void showAbout();

async function updateStreams() {
  const { value, trouble } = await ask("/-/streams");
  setText("trouble", trouble ?? "");
  if (trouble === null) state.streams = readStreams(value, Date.now());
  render();
}

async function updateFiles() {
  const { value, trouble } = await ask("/-/files");
  if (trouble === null) {
    const { files, hasMore } = readFiles(value);
    state.files = files;
    state.hasMoreFiles = hasMore;
  }
  render();
}

/** Until it is known: what the server is does not change while it runs. */
async function showAbout() {
  const { value, trouble } = await ask("/-/about");
  if (trouble !== null) {
    setTimeout(() => void showAbout(), ABOUT_RETRY_MS);
    return;
  }
  const about = readAbout(value);
  setText("version", about.version);
  showPublish(about);
}

/** @param {import("./commands.js").About} about */
function showPublish(about) {
  const port = about.rtmpPorts[0];
  const canPublish = port !== undefined && about.publishPrefixes.length > 0;
  element("publish").hidden = false;
  element("publish-ways").hidden = !canPublish;
  const note = publishNote(about, canPublish);
  setText("publish-note", note);
  element("publish-note").hidden = note === "";
  if (!canPublish) return;
  const choice = /** @type {HTMLSelectElement} */ (element("prefix"));
  choice.replaceChildren(
    ...about.publishPrefixes.map((prefix) => new Option(prefix === "" ? "anything" : `${prefix}/`, prefix)),
  );
  element("prefix-choice").hidden = about.publishPrefixes.length < 2;
  const show = () => showWays(publishWords(location.hostname, port, choice.value));
  choice.addEventListener("change", show);
  show();
}

/** @param {import("./commands.js").PublishWords} words */
function showWays(words) {
  field("ffmpeg-command").value = words.command;
  field("obs-server").value = words.server;
  field("obs-key").value = words.key;
  setText("publish-name", words.name);
}

/**
 * @param {import("./commands.js").About} about
 * @param {boolean} canPublish
 */
function publishNote(about, canPublish) {
  if (!canPublish) return "This server's configuration lets nobody publish over RTMP.";
  if (!about.isLoopbackOnly) return "";
  return "The server listens on its own machine only. Started with --host 0.0.0.0, others reach it too.";
}

/** @param {string | null} name */
function select(name) {
  if (name === state.selected) return;
  state.selected = name;
  render();
}

/**
 * Shows the player of a name, or takes it away.
 *
 * @param {string | null} name
 */
function openPlayer(name) {
  if (name === state.opened) return;
  state.opened = name;
  const player = /** @type {HTMLIFrameElement} */ (element("player"));
  element("screen").hidden = name === null;
  element("copies").hidden = name === null;
  // Replacing keeps the player's pages out of the history: "back" leads to the last choice.
  const address =
    name === null ? "about:blank" : new URL(pathOfName(name, "embed.html"), location.origin).href;
  if (player.contentWindow === null || player.src === "") player.src = address;
  else player.contentWindow.location.replace(address);
  if (name === null) return;
  player.title = `Player: ${shownName(name)}`;
  field("hls-address").value = playlistAddress(location.origin, name);
  field("embed-code").value = embedCode(location.origin, name);
}

/** A first visitor sees a picture without a click. */
function selectFirst() {
  const first =
    (state.streams ?? []).find((item) => item.isLive && item.isPlayable) ??
    (state.streams && (state.files ?? [])[0]);
  if (first) select(first.name);
}

function render() {
  if (state.selected === null) selectFirst();
  const wanted = field("filter").value;
  const streams = filterItems(state.streams ?? [], wanted);
  const files = filterItems(state.files ?? [], wanted);
  renderItems(element("streams"), streams, state.selected);
  renderItems(element("files"), files, state.selected);
  field("filter").hidden = count(state.streams) + count(state.files) < FILTER_FROM && wanted === "";
  showNote("streams-note", streamsNote(streams, wanted));
  showNote("files-note", filesNote(files, wanted));
  element("files-section").hidden = count(state.files) === 0;
  renderSelected();
}

function renderSelected() {
  const isNothingThere = state.streams !== null && state.files !== null && state.selected === null;
  element("watch").hidden = state.selected === null;
  element("welcome").hidden = !isNothingThere;
  if (state.selected === null) {
    const isOnAir = (state.streams ?? []).some((item) => item.isLive);
    setText("welcome-title", isOnAir ? "Nothing can be played on this page." : "Nothing is on air yet.");
    element("welcome-hint").hidden = isOnAir;
    openPlayer(null);
    return;
  }
  const item = [...(state.streams ?? []), ...(state.files ?? [])].find(
    ({ name }) => name === state.selected,
  );
  // A name that the list does not have may be played all the same: its player says what there is to say.
  openPlayer(item?.isPlayable === false ? null : state.selected);
  const title = shownName(item?.title || state.selected);
  setText("watch-title", title);
  setText("watch-facts", item?.facts ?? "");
  document.title = `${title} - Weir`;
}

/**
 * @param {readonly Item[]} streams
 * @param {string} wanted
 */
function streamsNote(streams, wanted) {
  if (state.streams === null) return "Loading the list.";
  if (streams.length > MAX_SHOWN) return `${streams.length - MAX_SHOWN} more: filter to find them.`;
  if (streams.length > 0) return "";
  return wanted === ""
    ? "No stream is on air. What is published appears here by itself."
    : "No stream of this name.";
}

/**
 * @param {readonly Item[]} files
 * @param {string} wanted
 */
function filesNote(files, wanted) {
  if (files.length > MAX_SHOWN) return `${files.length - MAX_SHOWN} more: filter to find them.`;
  if (files.length === 0 && wanted !== "") return "No file of this name.";
  return state.hasMoreFiles ? "There are more files than this list shows." : "";
}

/** @param {readonly Item[] | null} items */
function count(items) {
  return items?.length ?? 0;
}

/**
 * @param {string} id
 * @param {string} text
 */
function showNote(id, text) {
  setText(id, text);
  element(id).hidden = text === "";
}

/**
 * @param {string} id
 * @param {string} text
 */
function setText(id, text) {
  // The same words again would be said again by screen readers.
  if (element(id).textContent !== text) element(id).textContent = text;
}

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (element(id));
}

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}
